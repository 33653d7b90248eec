using RealtimeDeblur.Imaging;

namespace RealtimeDeblur.Pipeline;

/// <summary>Drops frames at once: for measuring what comes before.</summary>
internal sealed class NullFrameSink : IFrameSink
{
    public void Write(Frame frame) => frame.Dispose();

    public void Complete()
    {
    }

    public void Dispose()
    {
    }
}
