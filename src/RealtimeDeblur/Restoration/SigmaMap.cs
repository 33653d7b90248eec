using RealtimeDeblur.Compute;
using RealtimeDeblur.Networks;

namespace RealtimeDeblur.Restoration;

/// <summary>
/// The blur of every part of the frames of a video, followed from frame to frame as <see cref="SigmaTracker"/> does. A frame is restored with what the frames before it told, the third before it and earlier, so that nobody waits;
/// only the first, and pictures that stand alone, wait for their own. The caller disposes it.
/// </summary>
internal sealed class SigmaMap : IDisposable
{
    /// <summary>Tiles that are looked at: half a tile apart up to 1280x720, thinned out in larger frames.</summary>
    private const int MaxTiles = 4096;

    /// <summary>Time between two frames, as the trackers are told: blur is followed over frames, whatever the speed.</summary>
    private const double FrameSeconds = 1 / 30.0;

    /// <summary>Spread of a part that told nothing, and least spread of one that did: what a part says counts by the inverse of the square.</summary>
    private const float UnknownSpread = 10, LeastSpread = 0.02f;

    private readonly SigmaEstimator _estimator;
    private readonly SigmaTracker[] _trackers;
    private readonly SigmaEstimate[] _read;
    private readonly float[] _sorted;
    private long _enqueued;
    private long _told;

    /// <param name="device">Where the frames are.</param>
    /// <param name="samples">How they lie in memory; of one channel.</param>
    /// <param name="weights">What was learned about the blur that is to be restored.</param>
    public SigmaMap(ComputeDevice device, SampleLayout samples, EstimatorWeights weights)
    {
        Grid = new(samples.W, samples.H);
        _estimator = new(device, samples, weights, MaxTiles, grid: Grid);
        _trackers = [.. Enumerable.Range(0, Grid.Count).Select(_ => new SigmaTracker())];
        _read = new SigmaEstimate[Grid.Count];
        (Sigmas, _sorted) = (new float[Grid.Count], new float[Grid.Count]);
    }

    public PartGrid Grid { get; }

    /// <summary>Sigma in pixels of each part, [rows][columns]; 0 where nothing is known or all is sharp.</summary>
    public float[] Sigmas { get; }

    /// <summary>What stands for the frame: the median of <see cref="Sigmas"/>, unless all of them are sharp or unknown.</summary>
    public SigmaEstimate Typical
    {
        get
        {
            Sigmas.CopyTo(_sorted, 0);
            Array.Sort(_sorted);
            bool isSharp = _sorted[^1] < SigmaEstimate.SharpLimit;
            return new(_sorted[_sorted.Length / 2], Spread: 0, isSharp);
        }
    }

    /// <summary>Looks at a frame and sets <see cref="Sigmas"/> to what it is to be restored with.</summary>
    /// <param name="queue">In-order queue; always the same one.</param>
    /// <param name="frame">Buffer that begins with plane 0 of the frame.</param>
    /// <param name="isAlone">Whether it has nothing to do with the frames before.</param>
    /// <param name="waitFor">Events that must have happened before the frame is read.</param>
    public void Look(CommandQueue queue, KernelArgument frame, bool isAlone, ReadOnlySpan<ComputeEvent> waitFor)
    {
        if (isAlone) Restart();
        _estimator.Enqueue(queue, frame, waitFor);
        _enqueued++;
        queue.Flush();
        // Those that were in flight with this one have not been waited for.
        Await(_told == 0 ? _enqueued : _enqueued - Deblurrer.MaxInFlight);
        Smooth();
    }

    /// <summary>Begins a video.</summary>
    public void Restart()
    {
        Await(_enqueued);
        (_enqueued, _told) = (0, 0);
        foreach (SigmaTracker tracker in _trackers) tracker.Reset();
    }

    /// <summary>Everything that the next frame depends on; waits for the device.</summary>
    public float[] Save()
    {
        Await(_enqueued);
        return [Math.Min(_told, 1), .. _trackers.SelectMany(tracker => tracker.Save())];
    }

    /// <summary>Goes on where the map was that saved this.</summary>
    /// <exception cref="ArgumentException">It is nothing that <see cref="Save"/> gave for frames of this size.</exception>
    public void Load(ReadOnlySpan<float> saved)
    {
        int each = _trackers[0].Save().Length;
        if (saved.Length != 1 + each * _trackers.Length) throw new ArgumentException("These numbers are no saved map of blur for frames of this size.", nameof(saved));
        Await(_enqueued);
        _enqueued = _told = (long)saved[0];
        for (int i = 0; i < _trackers.Length; i++) _trackers[i].Load(saved.Slice(1 + i * each, each));
    }

    public void Dispose() => _estimator.Dispose();

    private void Await(long frame)
    {
        for (; _told < frame; _told++)
        {
            _estimator.Read(_read);
            for (int i = 0; i < _trackers.Length; i++) _trackers[i].Update(_read[i], FrameSeconds);
        }
    }

    /// <summary>Mean of the levels of a part and its eight neighbours, the surer ones counting more: binomial weights over squared spreads.</summary>
    private void Smooth()
    {
        for (int row = 0; row < Grid.Rows; row++)
        for (int column = 0; column < Grid.Columns; column++)
        {
            float sum = 0, weights = 0;
            for (int y = Math.Max(row - 1, 0); y <= Math.Min(row + 1, Grid.Rows - 1); y++)
            for (int x = Math.Max(column - 1, 0); x <= Math.Min(column + 1, Grid.Columns - 1); x++)
            {
                SigmaEstimate part = _trackers[y * Grid.Columns + x].Current;
                float spread = part.IsKnown ? MathF.Max(part.Spread, LeastSpread) : UnknownSpread;
                float weight = (y == row ? 2 : 1) * (x == column ? 2 : 1) / (spread * spread);
                sum += weight * SigmaScale.ToLevel(part.Sigma);
                weights += weight;
            }
            Sigmas[row * Grid.Columns + column] = SigmaScale.ToSigma(sum / weights);
        }
    }
}
