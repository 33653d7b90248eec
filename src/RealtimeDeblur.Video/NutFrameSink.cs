using RealtimeDeblur.Imaging;
using RealtimeDeblur.Pipeline;

namespace RealtimeDeblur.Video;

/// <summary>Sends frames to another program as NUT: raw, each with its timestamp.</summary>
public sealed class NutFrameSink : IFrameSink
{
    private readonly Stream _stream;
    private readonly string _name;
    private readonly NutWriter _writer;

    /// <summary>Writes the headers.</summary>
    /// <param name="stream">Where to; stays the caller's.</param>
    /// <param name="name">What messages call it.</param>
    /// <param name="video">Size, layout and time base of the frames.</param>
    /// <exception cref="IOException">The reader went away.</exception>
    public NutFrameSink(Stream stream, string name, NutVideoStream video)
    {
        _stream = stream;
        _name = name;
        try
        {
            _writer = new NutWriter(stream, video with { TimeBase = video.TimeBase.Reduced() });
        }
        catch (IOException e)
        {
            throw StandardStreams.Failure(name, e);
        }
    }

    public void Write(Frame frame)
    {
        using Frame owned = frame;
        try
        {
            _writer.WriteFrame(frame.Timestamp, frame.Data);
        }
        catch (IOException e)
        {
            throw StandardStreams.Failure(_name, e);
        }
    }

    public void Complete() => StandardStreams.Flush(_stream, _name);

    public void Dispose()
    {
    }
}
