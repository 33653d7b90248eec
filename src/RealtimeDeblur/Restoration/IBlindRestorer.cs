using RealtimeDeblur.Compute;

namespace RealtimeDeblur.Restoration;

/// <summary>
/// A restorer that can find the blur of a frame by itself, on the device, so that nobody waits for an estimate: where <see cref="FrameBlur.Sigma"/> is null. What it finds in a video depends on the frames before.
/// </summary>
internal interface IBlindRestorer : IRestorer
{
    /// <summary>Whether it finds the blur by itself, with these options; else it is told.</summary>
    bool FindsBlur(DeblurOptions options);

    /// <summary>Number of the frame that it was enqueued for last, of those whose blur it found.</summary>
    long Enqueued { get; }

    /// <summary>What it found in a frame whose restoration was waited for, one of the last <see cref="ISigmaEstimator.MaxInFlight"/>.</summary>
    SigmaEstimate Found(long frame);

    /// <summary>Begins a video: what was found before does not count. Comes before the first frame whose blur it is to find, to make ready for that.</summary>
    void Restart();

    /// <summary>Everything that the next frame of the video depends on, as numbers; waits for the device.</summary>
    /// <param name="queue">That of the frames.</param>
    float[] Save(CommandQueue queue);

    /// <summary>Goes on where the restorer was that saved this.</summary>
    /// <param name="queue">That of the frames.</param>
    /// <param name="saved">From <see cref="Save"/> of a restorer for frames of the same size.</param>
    /// <exception cref="ArgumentException">It is nothing that <see cref="Save"/> gave.</exception>
    void Load(CommandQueue queue, ReadOnlySpan<float> saved);
}
