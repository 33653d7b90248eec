using RealtimeDeblur.Imaging;

namespace RealtimeDeblur.Pipeline;

/// <summary>A live frame as it was restored and what that is compared with, and the moments it passed (<see cref="System.Diagnostics.Stopwatch.GetTimestamp"/>). Whoever holds it owns it and disposes it.</summary>
public sealed class LivePicture : IDisposable
{
    private readonly Pool _pool;
    private Frame? _compared;
    private Frame? _restored;

    private LivePicture(Pool pool) => _pool = pool;

    /// <summary>What the result is compared with: the frame as captured, or as <see cref="ComparedMethod"/> restored it.</summary>
    public Frame Compared => _compared ?? throw new ObjectDisposedException(nameof(LivePicture));

    /// <summary>Name of the method that made <see cref="Compared"/>; null where that is the frame as captured.</summary>
    public string? ComparedMethod { get; internal set; }

    /// <summary>The result, of the same format. Equal to the captured frame where that passed unchanged.</summary>
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
        if (_compared is null) return;
        _compared.Dispose();
        _restored!.Dispose();
        (_compared, _restored) = (null, null);
        _pool.TakeBack(this);
    }

    /// <summary>Reuses pictures. Safe for use from several threads.</summary>
    internal sealed class Pool
    {
        private readonly Stack<LivePicture> _idle = new();

        /// <summary>A picture of two frames, which it takes over.</summary>
        public LivePicture Rent(Frame compared, Frame restored)
        {
            LivePicture? picture;
            lock (_idle)
            {
                if (!_idle.TryPop(out picture)) picture = new(this);
            }
            (picture._compared, picture._restored, picture.CapturedAt) = (compared, restored, compared.CapturedAt);
            return picture;
        }

        public void TakeBack(LivePicture picture)
        {
            lock (_idle) _idle.Push(picture);
        }
    }
}
