using System.Diagnostics.CodeAnalysis;
using RealtimeDeblur.Imaging;

namespace RealtimeDeblur.Pipeline;

/// <summary>Where frames come from: a file, a camera, a test pattern. Read by one thread; its size and sample layout never change.</summary>
public interface IFrameSource : IDisposable
{
    /// <summary>Format of every frame.</summary>
    FrameFormat Format { get; }

    /// <summary>Waits for the next frame. Its <see cref="Frame.CapturedAt"/> is the moment the picture was complete.</summary>
    /// <param name="frame">The frame, which the caller owns from here on.</param>
    /// <returns>False at the end of the stream, and after <see cref="StopReading"/>.</returns>
    /// <exception cref="IOException">The source failed; the message names it and the cause.</exception>
    bool TryRead([NotNullWhen(true)] out Frame? frame);

    /// <summary>Ends the stream early and wakes a waiting <see cref="TryRead"/>. May be called from any thread, at any time, more than once.</summary>
    void StopReading();
}
