using System.Diagnostics;
using System.Diagnostics.CodeAnalysis;
using System.Globalization;
using System.Text;
using RealtimeDeblur.Imaging;

namespace RealtimeDeblur.Video;

/// <summary>The frames of a YUV4MPEG2 stream that another program sends, as <c>ffmpeg -i FILE -f yuv4mpegpipe -</c> and many encoders' tools do. Its rate is constant: frame n is shown at n divided by the rate.</summary>
/// <remarks>The header names the layout, and with XCOLORRANGE the range; without that, grey is taken for full range and all else for limited. Fields of interlaced frames stay where they are.</remarks>
public sealed class Yuv4MpegFrameSource : IVideoSource
{
    /// <summary>First word of every such stream.</summary>
    internal const string Signature = "YUV4MPEG2";

    /// <summary>First word of every frame.</summary>
    internal const string FrameMark = "FRAME";

    private const int MaxLineLength = 1024;

    private static readonly Dictionary<string, PixelFormat> Layouts = new()
    {
        ["420"] = PixelFormat.Yuv420P8,
        ["420jpeg"] = PixelFormat.Yuv420P8,
        ["420mpeg2"] = PixelFormat.Yuv420P8,
        ["420paldv"] = PixelFormat.Yuv420P8,
        ["422"] = PixelFormat.Yuv422P8,
        ["444"] = PixelFormat.Yuv444P8,
        ["mono"] = PixelFormat.Gray8,
        ["420p10"] = PixelFormat.Yuv420P10,
        ["422p10"] = PixelFormat.Yuv422P10,
        ["444p10"] = PixelFormat.Yuv444P10,
        ["mono10"] = PixelFormat.Gray10,
    };

    private readonly Stream _stream;
    private readonly string _name;
    private readonly FramePool _pool;
    private readonly byte[] _line = new byte[MaxLineLength];
    private long _frames;
    private volatile bool _stopped;

    /// <summary>Waits for the header.</summary>
    /// <param name="stream">Taken over. Its disposal wakes a thread that reads it, or reading it ends by itself.</param>
    /// <param name="name">What messages call it.</param>
    /// <exception cref="InvalidDataException">The header is damaged, or its layout is one that we do not have; the message says what to send.</exception>
    public Yuv4MpegFrameSource(Stream stream, string name)
    {
        _stream = stream;
        _name = name;
        try
        {
            string[] fields = (ReadLine() ?? throw Damaged("it ends in the header")).Split(' ', StringSplitOptions.RemoveEmptyEntries);
            Header = fields;
            string Field(char letter, string otherwise) => fields.Skip(1).FirstOrDefault(field => field[0] == letter)?[1..] ?? otherwise;
            if (fields is not [Signature, ..]) throw Damaged($"it does not begin with {Signature}");
            string layout = Field('C', "420");
            if (!Layouts.TryGetValue(layout, out PixelFormat pixels)) throw new InvalidDataException($"{name} carries {layout} samples, which cannot be restored. Send 420, 422 or 444 with 8 or 10 bits: -pix_fmt yuv420p, or yuv420p10le for 10 bits.");
            if (!int.TryParse(Field('W', ""), NumberStyles.None, CultureInfo.InvariantCulture, out int width) || !int.TryParse(Field('H', ""), NumberStyles.None, CultureInfo.InvariantCulture, out int height) || width < 1 || height < 1)
                throw Damaged("its header gives no size");
            Rational rate = Rational.Parse(Field('F', "25:1")), aspect = Rational.Parse(Field('A', "0:0"));
            if (!rate.IsKnown) throw Damaged("its header gives no frame rate");
            bool isFull = fields.Contains("XCOLORRANGE=FULL") || (pixels is PixelFormat.Gray8 or PixelFormat.Gray10 && !fields.Contains("XCOLORRANGE=LIMITED"));
            Format = new(pixels, width, height, isFull ? ColorRange.Full : ColorRange.Limited);
            RawVideo = new(width, height, new Rational(rate.Denominator, rate.Numerator).Reduced(), aspect, NutPixelFormat.FourCcOf(pixels));
            _ = Format.SizeBytes;
            _pool = new(Format);
        }
        catch (Exception e)
        {
            stream.Dispose();
            throw e is OverflowException ? new InvalidDataException($"{name}: its frames are too large.", e) : e;
        }
    }

    /// <summary>The words of its first line.</summary>
    public IReadOnlyList<string> Header { get; } = [];

    public FrameFormat Format { get; }

    public NutVideoStream RawVideo { get; }

    public string? EarlyEnd { get; private set; }

    public bool TryRead([NotNullWhen(true)] out Frame? frame)
    {
        frame = null;
        if (_stopped || EarlyEnd is not null) return false;
        try
        {
            if (ReadLine() is not { } mark) return false;
            if (!mark.StartsWith(FrameMark, StringComparison.Ordinal)) throw Damaged($"frame {_frames + 1} does not begin where it should");
            frame = _pool.Rent();
            _stream.ReadExactly(frame.Data);
        }
        catch (Exception e) when (e is EndOfStreamException or ObjectDisposedException)
        {
            if (!_stopped) EarlyEnd = "inside a frame";
            frame?.Dispose();
            frame = null;
            return false;
        }
        catch
        {
            frame?.Dispose();
            throw;
        }
        frame.Timestamp = _frames++;
        frame.CapturedAt = Stopwatch.GetTimestamp();
        return true;
    }

    public void StopReading()
    {
        _stopped = true;
        _stream.Dispose();
    }

    public void Dispose()
    {
        _stream.Dispose();
        _pool.Dispose();
    }

    /// <summary>A line without its end; null at the end of the stream.</summary>
    private string? ReadLine()
    {
        for (int length = 0; length < MaxLineLength; length++)
        {
            int read = _stream.ReadByte();
            if (read < 0) return length == 0 ? null : throw new EndOfStreamException();
            if (read == '\n') return Encoding.ASCII.GetString(_line, 0, length);
            _line[length] = (byte)read;
        }
        throw Damaged("a line of it does not end");
    }

    private InvalidDataException Damaged(string finding) => new($"{_name} cannot be read: {finding}.");
}
