using RealtimeDeblur.Imaging;

namespace RealtimeDeblur.Pipeline;

/// <summary>A live frame as it came and as it was restored, with the moments it passed. Whoever holds it owns it and disposes it, which gives both frames back to their pools.</summary>
/// <param name="original">As captured; taken over.</param>
/// <param name="restored">Another frame of the same format; taken over.</param>
public sealed class LivePicture(Frame original, Frame restored) : IDisposable
{
    /// <summary>As captured.</summary>
    public Frame Original { get; } = original;

    /// <summary>The result, of the same format. Equal to <see cref="Original"/> where the frame passed unchanged.</summary>
    public Frame Restored { get; } = restored;

    /// <summary>Whether a network has seen it: false while the first one is still being set up, and after a failure of the device.</summary>
    public bool IsRestored { get; init; }

    /// <summary>Sigma of the blur in pixels, see <see cref="Restoration.Deblurrer.LastSigma"/>.</summary>
    public float? Sigma { get; init; }

    /// <summary>Whether it was found sharp and passed unchanged.</summary>
    public bool IsSharp { get; init; }

    /// <summary>When the picture was complete, as <see cref="System.Diagnostics.Stopwatch.GetTimestamp"/>.</summary>
    public long CapturedAt => Original.CapturedAt;

    /// <summary>When the GPU thread took it out of its mailbox.</summary>
    public long TakenAt { get; init; }

    /// <summary>When the result was there.</summary>
    public long RestoredAt { get; init; }

    public void Dispose()
    {
        Original.Dispose();
        Restored.Dispose();
    }
}
