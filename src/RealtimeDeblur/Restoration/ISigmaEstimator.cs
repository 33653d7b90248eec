using RealtimeDeblur.Compute;

namespace RealtimeDeblur.Restoration;

/// <summary>
/// Estimates the blur of frames of one format on one device. Enqueue a frame, go on, and read its estimate when the device is through; estimates come in the order of the frames.
/// Allocates nothing after construction. One thread at a time; the caller disposes it, which waits for the frames in flight.
/// </summary>
internal interface ISigmaEstimator : IDisposable
{
    /// <summary>Frames that may be enqueued before the first estimate is read.</summary>
    const int MaxInFlight = 8;

    /// <summary>Frames enqueued whose estimates have not been read.</summary>
    int InFlight { get; }

    /// <summary>Multiply-accumulates of an estimate, per pixel of the frame.</summary>
    double MultiplyAccumulatesPerPixel { get; }

    /// <summary>Enqueues the estimate of a frame; does not wait.</summary>
    /// <param name="queue">In-order queue of the estimator's device; always the same one.</param>
    /// <param name="frame">Buffer that begins with plane 0 of the frame. Not modified; must keep the frame until the commands have run.</param>
    /// <param name="waitFor">Events that must have happened before the frame is read.</param>
    /// <exception cref="InvalidOperationException"><see cref="MaxInFlight"/> estimates wait to be read.</exception>
    /// <exception cref="OpenClException">The device failed.</exception>
    void Enqueue(CommandQueue queue, KernelArgument frame, params ReadOnlySpan<ComputeEvent> waitFor);

    /// <summary>Waits for the oldest frame in flight and gives its estimate. Returns at once where the device is through with it.</summary>
    /// <exception cref="InvalidOperationException">No frame is in flight.</exception>
    /// <exception cref="OpenClException">The device failed.</exception>
    SigmaEstimate Read();

    /// <summary>Reads what is in flight, whatever becomes of it: for an estimator that is disposed.</summary>
    internal static void Drain(ISigmaEstimator estimator)
    {
        while (estimator.InFlight > 0)
        {
            try
            {
                estimator.Read();
            }
            catch (OpenClException)
            {
                // The device is gone; what is left to do is to let go of its objects.
            }
        }
    }
}
