using System.Globalization;
using System.Text;
using RealtimeDeblur.Imaging;
using RealtimeDeblur.Pipeline;

namespace RealtimeDeblur.Video;

/// <summary>Sends frames on to another program as YUV4MPEG2, one after another; that form has no times.</summary>
public sealed class Yuv4MpegFrameSink : IFrameSink
{
    private readonly Stream _stream;
    private readonly string _name;
    private readonly byte[] _mark = Encoding.ASCII.GetBytes($"{Yuv4MpegFrameSource.FrameMark}\n");

    /// <summary>Writes the header.</summary>
    /// <param name="stream">Where to; stays the caller's.</param>
    /// <param name="name">What messages call it.</param>
    /// <param name="header">Of the stream that the frames come from: everything in it but the width is taken over.</param>
    /// <param name="width">Columns.</param>
    /// <exception cref="IOException">The reader went away.</exception>
    public Yuv4MpegFrameSink(Stream stream, string name, IReadOnlyList<string> header, int width)
    {
        (_stream, _name) = (stream, name);
        Send(Encoding.ASCII.GetBytes(string.Join(' ', header.Select(field => field[0] == 'W' ? string.Create(CultureInfo.InvariantCulture, $"W{width}") : field)) + "\n"));
    }

    public void Write(Frame frame)
    {
        using Frame owned = frame;
        Send(_mark);
        Send(frame.Data);
    }

    public void Complete() => StandardStreams.Flush(_stream, _name);

    public void Dispose()
    {
    }

    private void Send(ReadOnlySpan<byte> data)
    {
        try
        {
            _stream.Write(data);
        }
        catch (IOException e)
        {
            throw StandardStreams.Failure(_name, e);
        }
    }
}
