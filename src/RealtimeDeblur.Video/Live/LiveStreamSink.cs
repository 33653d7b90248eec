using RealtimeDeblur.Imaging;
using RealtimeDeblur.Pipeline;

namespace RealtimeDeblur.Video.Live;

/// <summary>How raw frames are packed into a stream.</summary>
public enum LiveStreamFormat
{
    /// <summary>NUT: B, G, R as they are, each frame with its time in microseconds. ffmpeg, ffplay, mpv and vlc read it.</summary>
    Nut,

    /// <summary>YUV4MPEG2: 4:2:0, BT.601, limited range, at a constant rate: frames are repeated and left out as their times demand. Most encoders read it.</summary>
    Yuv4Mpeg,
}

/// <summary>
/// Writes raw frames into a stream, standard output above all. The first frame fixes the size; later ones of another size are fitted into it. Time runs by <see cref="Frame.CapturedAt"/> from the first frame on.
/// </summary>
public sealed class LiveStreamSink : IFrameSink
{
    private readonly Stream _stream;
    private readonly string _name;
    private readonly LiveStreamFormat _format;
    private readonly double _framesPerSecond;
    private Letterbox? _letterbox;
    private LiveClock? _clock;
    private NutWriter? _nut;
    private Yuv4MpegWriter? _yuv;

    /// <param name="stream">Where to; stays the caller's.</param>
    /// <param name="name">What messages call it.</param>
    /// <param name="format">How.</param>
    /// <param name="framesPerSecond">Constant rate of <see cref="LiveStreamFormat.Yuv4Mpeg"/>, above 0; the other does not need one.</param>
    public LiveStreamSink(Stream stream, string name, LiveStreamFormat format = LiveStreamFormat.Nut, double framesPerSecond = 30)
    {
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(framesPerSecond);
        _stream = stream;
        _name = name;
        _format = format;
        _framesPerSecond = framesPerSecond;
    }

    public void Write(Frame frame)
    {
        using Frame owned = frame;
        try
        {
            _letterbox ??= new(frame.Format, makesEven: false);
            _clock ??= new(frame.CapturedAt);
            ReadOnlySpan<byte> data = _letterbox.Fit(frame);
            long microseconds = _clock.Stamp(frame.CapturedAt);
            if (_format == LiveStreamFormat.Nut)
            {
                _nut ??= new(_stream, _letterbox.RawStream);
                _nut.WriteFrame(microseconds, data);
            }
            else
            {
                _yuv ??= new(_stream, _letterbox.Format.Width, _letterbox.Format.Height, _framesPerSecond);
                _yuv.WriteFrame(microseconds, data);
            }
        }
        catch (IOException e)
        {
            throw StandardStreams.Failure(_name, e);
        }
    }

    public void Complete() => StandardStreams.Flush(_stream, _name);

    public void Dispose() => _letterbox?.Dispose();
}
