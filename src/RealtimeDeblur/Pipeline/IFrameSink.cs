using RealtimeDeblur.Imaging;

namespace RealtimeDeblur.Pipeline;

/// <summary>Where restored frames go: a file, a window, nowhere. Called by one thread.</summary>
public interface IFrameSink : IDisposable
{
    /// <summary>Delivers one frame, waiting as long as the sink is busy. Takes ownership, also when it throws.</summary>
    /// <exception cref="IOException">The sink failed; the message names it and the cause.</exception>
    void Write(Frame frame);

    /// <summary>Tells the sink that every frame was delivered, and waits until it has finished. Disposal without it gives up what was written.</summary>
    /// <exception cref="IOException">What was written could not be finished; the message names it and the cause.</exception>
    void Complete();
}
