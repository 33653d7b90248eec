using System.Diagnostics.CodeAnalysis;
using RealtimeDeblur.Imaging;

namespace RealtimeDeblur.Video;

/// <summary>The frames of a NUT stream of raw video that another program sends, as <c>ffmpeg -i FILE -an -c:v rawvideo -f nut -</c> does.</summary>
/// <remarks>NUT does not tell the range of luma. Grey frames are taken for full range, as FFmpeg makes them, others for limited.</remarks>
public sealed class NutFrameSource : IVideoSource
{
    private readonly Stream _stream;
    private readonly string _name;
    private readonly NutReader _reader;
    private readonly NutFrames _frames;
    private volatile bool _stopped;

    /// <summary>Waits for the headers.</summary>
    /// <param name="stream">Taken over. Its disposal wakes a thread that reads it, or reading it ends by itself.</param>
    /// <param name="name">What messages call it.</param>
    /// <param name="cancellation">Gives up waiting.</param>
    /// <exception cref="InvalidDataException">It is no NUT, or its frames are compressed or in a layout that we do not have; the message says what to send.</exception>
    /// <exception cref="OperationCanceledException">Cancelled.</exception>
    public NutFrameSource(Stream stream, string name, CancellationToken cancellation = default)
    {
        _stream = stream;
        _name = name;
        try
        {
            using CancellationTokenRegistration stopping = cancellation.Register(StopReading);
            _reader = new NutReader(stream, name);
            _frames = new(_reader, FormatOf(_reader.Video));
        }
        catch (Exception e)
        {
            stream.Dispose();
            cancellation.ThrowIfCancellationRequested();
            throw e switch
            {
                EndOfStreamException => new InvalidDataException($"{name} ends before the first frame. The program that sends it failed, or has no video to send.", e),
                OverflowException => new InvalidDataException($"{name}: frames of {_reader!.Video.Width}x{_reader.Video.Height} are too large.", e),
                InvalidDataException when _reader is null => new InvalidDataException($"{e.Message} Send raw video as NUT, as 'ffmpeg -i FILE -an -c:v rawvideo -f nut -' does.", e),
                _ => e,
            };
        }
    }

    public FrameFormat Format => _frames.Format;

    public NutVideoStream RawVideo => _reader.Video;

    /// <summary>Whether there is more in the stream than its video, which is left out.</summary>
    public bool HasOtherStreams => _reader.HasOtherStreams;

    public string? EarlyEnd => !_stopped && _frames.IsCutOff ? "inside a frame" : null;

    public bool TryRead([NotNullWhen(true)] out Frame? frame)
    {
        frame = null;
        if (_stopped) return false;
        if (_frames.TryRead(out frame)) return true;
        if (_frames.DeviatingBytes is { } sizeBytes)
            throw new InvalidDataException($"{_name}: a frame has {sizeBytes} bytes instead of the {Format.SizeBytes} of {Format.Width}x{Format.Height} {Format.Pixels}. Send frames of one size and layout.");
        return false;
    }

    public void StopReading()
    {
        _stopped = true;
        _stream.Dispose();
    }

    public void Dispose()
    {
        _stream.Dispose();
        _frames.Dispose();
    }

    private FrameFormat FormatOf(NutVideoStream video) => NutPixelFormat.TryFind(video.FourCc, out PixelFormat pixels) ? new(pixels, video.Width, video.Height, pixels is PixelFormat.Gray8 or PixelFormat.Gray10 ? ColorRange.Full : ColorRange.Limited)
        : throw new InvalidDataException($"{_name} carries {NutPixelFormat.Describe(video.FourCc)} video, which is compressed or in a layout that cannot be restored. Send raw video: -c:v rawvideo -pix_fmt yuv420p, or yuv420p10le for 10 bits.");
}
