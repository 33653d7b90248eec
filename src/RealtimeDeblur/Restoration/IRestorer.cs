using RealtimeDeblur.Compute;

namespace RealtimeDeblur.Restoration;

/// <summary>
/// A method made ready for frames of one layout on one device: everything allocated and built, so that a run only enqueues. One thread at a time; the caller disposes it, after the queue it ran on has finished.
/// </summary>
internal interface IRestorer : IDisposable
{
    /// <summary>Multiply-accumulates per pixel of a run that restores this sigma.</summary>
    double MultiplyAccumulatesPerPixel(float sigma);

    /// <summary>Enqueues the restoration of a frame; does not wait.</summary>
    /// <param name="queue">In-order queue of the restorer's device; always the same one.</param>
    /// <param name="frame">Buffer that begins with plane 0 of the frame. Not modified.</param>
    /// <param name="restored">Another buffer of the same layout, overwritten.</param>
    /// <param name="blur">What is known of the frame's blur.</param>
    /// <param name="options">Strength, and whatever else concerns the method.</param>
    /// <param name="waitFor">Events that must have happened before the frame is read.</param>
    /// <returns>The event of the last launch; the caller disposes it.</returns>
    /// <exception cref="OpenClException">The device failed.</exception>
    ComputeEvent Enqueue(CommandQueue queue, KernelArgument frame, KernelArgument restored, FrameBlur blur, DeblurOptions options, params ReadOnlySpan<ComputeEvent> waitFor);

    /// <summary>The sigma that a run for this one restores: the nearest that the method knows.</summary>
    float NearestSigma(float sigma);
}

/// <summary>What a restorer is told of a frame's blur.</summary>
/// <param name="Sigma">Standard deviation of an isotropic Gaussian, in pixels; null where the restorer is to find the blur by itself, or does not care.</param>
/// <param name="IsAlone">Whether the frame is a picture of its own: what was found in frames before it does not count.</param>
internal readonly record struct FrameBlur(float? Sigma, bool IsAlone);
