namespace RealtimeDeblur.Cli;

/// <summary>
/// Progress over all files of a batch: how many are done, and how long the rest will take. Files count by their work, in any unit; those whose work is not known yet count as the mean of the others.
/// Safe for use from several threads.
/// </summary>
internal sealed class BatchProgress
{
    private readonly Lock _lock = new();
    private readonly double?[] _work;
    private readonly double[] _share;
    private readonly bool[] _ended;
    private readonly ProgressDisplay? _display;

    /// <param name="files">How many there are.</param>
    /// <param name="display">Shows it; the caller disposes it. Null shows nothing.</param>
    public BatchProgress(int files, ProgressDisplay? display)
    {
        _work = new double?[files];
        _share = new double[files];
        _ended = new bool[files];
        _display = display;
    }

    /// <summary>Share of all work that is done, 0 to 1.</summary>
    public double Share
    {
        get
        {
            double mean = _work.Where(work => work > 0).Average() ?? 1, total = 0, done = 0;
            for (int i = 0; i < _work.Length; i++)
            {
                total += _work[i] ?? mean;
                done += (_work[i] ?? mean) * _share[i];
            }
            return total > 0 ? done / total : 1;
        }
    }

    /// <summary>Tells how much work a file is.</summary>
    public void Expect(int file, double work)
    {
        lock (_lock)
        {
            if (!_ended[file]) _work[file] = work;
        }
    }

    /// <summary>Tells which share of a file is done.</summary>
    public void Report(int file, double share)
    {
        lock (_lock)
        {
            _share[file] = Math.Clamp(share, 0, 1);
            _display?.Report(_ended.Count(ended => ended), share: Share);
        }
    }

    /// <summary>Tells that nothing more is to be done for a file.</summary>
    /// <param name="file">Which.</param>
    /// <param name="isComplete">Whether its work was done. If not (skipped, failed) what was left of it is no work.</param>
    public void End(int file, bool isComplete)
    {
        lock (_lock)
        {
            if (!isComplete) _work[file] = (_work[file] ?? 0) * _share[file];
            _ended[file] = true;
            Report(file, 1);
        }
    }
}
