using RealtimeDeblur.Compute;

namespace RealtimeDeblur.Restoration;

/// <summary>
/// Finds the sigma of the frames that a <see cref="Deblurrer"/> restores, from the frames themselves. A frame of a video is restored with what the frames before it told, so that nobody waits; only the first waits for its
/// own estimate. While the blur stays as it is one frame in <see cref="RestFrames"/> is looked at. Which frames those are does not depend on who is how fast: <see cref="Await"/> is called for a frame when its place on the device is needed again. Pictures that stand alone are estimated alone.
/// </summary>
internal sealed class SigmaFinder : IDisposable
{
    /// <summary>Time between two frames, as the tracker is told: blur is followed over frames. Files are decoded at any speed and must not come out differently for it.</summary>
    private const double FrameSeconds = 1 / 30.0;

    /// <summary>Looking at a frame takes a tenth of the time that a small network takes to restore it, and blur changes slowly: a change is noticed with the frame after this many, and from there on every frame is looked at.</summary>
    internal const int RestFrames = 4;

    private readonly ISigmaEstimator _estimator;
    private readonly SigmaTracker _tracker = new();

    // Frames from one that is looked at to the next; for those whose estimates were not read yet.
    private readonly int[] _gaps = new int[Deblurrer.MaxInFlight + 1];
    private int _gap;
    private long _enqueued;
    private long _read;
    private bool _isStarted;

    /// <param name="estimator">Looks at the frames. Taken over.</param>
    public SigmaFinder(ISigmaEstimator estimator) => _estimator = estimator;

    /// <summary>Frames looked at so far; right after one was, its number.</summary>
    public long Enqueued => _enqueued;

    /// <summary>Enqueues the estimate of the next frame of a video and gives the blur to restore it with: that of earlier frames, or for the first one its own, for which it waits.</summary>
    /// <param name="queue">In-order queue; always the same one.</param>
    /// <param name="frame">Buffer that begins with plane 0 of the frame. Must keep it until <see cref="Await"/>.</param>
    /// <param name="uploaded">When it does.</param>
    public SigmaEstimate Follow(CommandQueue queue, KernelArgument frame, ComputeEvent uploaded)
    {
        _gap++;
        if (_tracker.IsSettled && _gap < RestFrames) return _tracker.Current;
        _gaps[_enqueued % _gaps.Length] = _gap;
        _gap = 0;
        Enqueue(queue, frame, uploaded);
        if (!_isStarted) Await(_enqueued);
        _isStarted = true;
        return _tracker.Current;
    }

    /// <summary>The blur of a frame that has nothing to do with those before it; waits for it.</summary>
    /// <inheritdoc cref="Follow" path="/param"/>
    public SigmaEstimate Estimate(CommandQueue queue, KernelArgument frame, ComputeEvent uploaded)
    {
        Await(_enqueued);
        Enqueue(queue, frame, uploaded);
        _read++;
        return _estimator.Read();
    }

    /// <summary>Waits until the frame with this number, and those before it, need their buffers no more; what they told counts from here on. Does not wait for frames whose restoration was waited for.</summary>
    public void Await(long frame)
    {
        while (_read < frame)
        {
            _tracker.Update(_estimator.Read(), FrameSeconds * _gaps[_read % _gaps.Length]);
            _read++;
        }
    }

    /// <summary>Begins a video: the next frame waits for its own estimate again.</summary>
    public void Restart()
    {
        Await(_enqueued);
        _tracker.Reset();
        _isStarted = false;
    }

    /// <summary>Everything that the next frame of the video depends on, as numbers; waits for the estimates that are under way.</summary>
    public float[] Save()
    {
        Await(_enqueued);
        return [_isStarted ? 1 : 0, _gap, .. _tracker.Save()];
    }

    /// <summary>Goes on where the finder was that saved this.</summary>
    /// <exception cref="ArgumentException">It is nothing that <see cref="Save"/> gave.</exception>
    public void Load(ReadOnlySpan<float> saved)
    {
        if (saved.Length < 2) throw new ArgumentException("These numbers are no saved state of a finder.", nameof(saved));
        Await(_enqueued);
        _tracker.Load(saved[2..]);
        (_isStarted, _gap) = (saved[0] != 0, (int)saved[1]);
    }

    public void Dispose() => _estimator.Dispose();

    private void Enqueue(CommandQueue queue, KernelArgument frame, ComputeEvent uploaded)
    {
        _estimator.Enqueue(queue, frame, uploaded);
        _enqueued++;
        queue.Flush();
    }
}
