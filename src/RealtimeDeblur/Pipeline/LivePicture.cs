using RealtimeDeblur.Imaging;

namespace RealtimeDeblur.Pipeline;

/// <summary>A live frame as it came and as it was restored, with the moments it passed (<see cref="System.Diagnostics.Stopwatch.GetTimestamp"/>). Whoever holds it owns it and disposes it.</summary>
public sealed class LivePicture : IDisposable
{
    private readonly Pool _pool;
    private Frame? _original;
    private Frame? _restored;

    private LivePicture(Pool pool) => _pool = pool;

    /// <summary>As captured.</summary>
    public Frame Original => _original ?? throw new ObjectDisposedException(nameof(LivePicture));

    /// <summary>The result, of the same format. Equal to <see cref="Original"/> where the frame passed unchanged.</summary>
    public Frame Restored => _restored ?? throw new ObjectDisposedException(nameof(LivePicture));

    /// <summary>Whether a network has seen it: false while one is being set up for the first time or for another size, and after a failure of the device.</summary>
    public bool IsRestored { get; internal set; }

    /// <summary>When the picture was complete.</summary>
    public long CapturedAt { get; internal set; }

    /// <summary>When work on it began.</summary>
    public long TakenAt { get; internal set; }

    /// <summary>When the result was there.</summary>
    public long RestoredAt { get; internal set; }

    /// <summary>When it was fetched to be presented.</summary>
    public long FetchedAt { get; internal set; }

    /// <summary>Gives both frames back to their pools. A second call does nothing as long as the picture is not in use again.</summary>
    public void Dispose()
    {
        if (_original is null) return;
        _original.Dispose();
        _restored!.Dispose();
        (_original, _restored) = (null, null);
        _pool.TakeBack(this);
    }

    /// <summary>Reuses pictures. Safe for use from several threads.</summary>
    internal sealed class Pool
    {
        private readonly Stack<LivePicture> _idle = new();

        /// <summary>A picture of two frames, which it takes over.</summary>
        public LivePicture Rent(Frame original, Frame restored)
        {
            LivePicture? picture;
            lock (_idle)
            {
                if (!_idle.TryPop(out picture)) picture = new(this);
            }
            (picture._original, picture._restored, picture.CapturedAt) = (original, restored, original.CapturedAt);
            return picture;
        }

        public void TakeBack(LivePicture picture)
        {
            lock (_idle) _idle.Push(picture);
        }
    }
}
