namespace RealtimeDeblur.Cli.Live;

/// <summary>Tells when a kernel file of a folder has changed: once, shortly after the last of the writes that saving a file consists of.</summary>
internal sealed class KernelWatch : IDisposable
{
    /// <summary>Editors write a file in several steps, some of them half a file.</summary>
    private static readonly TimeSpan Settling = TimeSpan.FromMilliseconds(100);

    private readonly FileSystemWatcher _watcher;
    private readonly Timer _timer;

    /// <param name="folder">Laid out as <c>kernels/</c>.</param>
    /// <param name="changed">Called on a thread of its own.</param>
    public KernelWatch(string folder, Action changed)
    {
        _timer = new(_ => changed());
        _watcher = new(folder, "*.cl") { IncludeSubdirectories = true };
        _watcher.Changed += Settle;
        _watcher.Created += Settle;
        _watcher.Deleted += Settle;
        _watcher.Renamed += Settle;
        _watcher.EnableRaisingEvents = true;
    }

    public void Dispose()
    {
        _watcher.Dispose();
        _timer.Dispose();
    }

    private void Settle(object sender, FileSystemEventArgs file) => _timer.Change(Settling, Timeout.InfiniteTimeSpan);
}
