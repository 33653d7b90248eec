using System.Globalization;
using RealtimeDeblur.Imaging;
using RealtimeDeblur.Pipeline;

namespace RealtimeDeblur.Video.Live;

/// <summary>A part of the screen, in pixels from its top left corner.</summary>
/// <param name="X">First column, 0 or more.</param>
/// <param name="Y">First row, 0 or more.</param>
/// <param name="Width">Columns, 1 or more.</param>
/// <param name="Height">Rows, 1 or more.</param>
public readonly record struct ScreenRegion(int X, int Y, int Width, int Height);

/// <summary>
/// Live pictures that an ffmpeg process fetches: a stream from the network, a file played in real time, the screen. Frames are <see cref="PixelFormat.Bgr24"/>, their timestamps microseconds since
/// opening. A stream that falls silent for five seconds ends; so does one whose frames change their size.
/// </summary>
public sealed class FfmpegLiveInput : ILiveInput
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(5);

    /// <summary>A camera on the network may have to wake up first.</summary>
    private static readonly TimeSpan OpeningPatience = TimeSpan.FromSeconds(15);

    private readonly string _source;
    private readonly string[] _input;
    private readonly string _filter;
    private readonly bool _mayFallSilent;
    private readonly string _advice;

    private FfmpegLiveInput(string name, string source, string[] input, string filter, bool mayFallSilent, string advice)
    {
        Name = name;
        _source = source;
        _input = input;
        _filter = filter;
        _mayFallSilent = mayFallSilent;
        _advice = advice;
    }

    /// <summary>What messages call it. Of an address, user and password are left out.</summary>
    public string Name { get; }

    /// <summary>A stream from the network: MJPEG over HTTP, RTSP (over TCP), RTMP, SRT, whatever the installed ffmpeg speaks.</summary>
    /// <param name="url">Its address, with user and password if it wants them.</param>
    /// <exception cref="ArgumentException">Not an address.</exception>
    public static FfmpegLiveInput FromUrl(string url)
    {
        if (!Uri.TryCreate(url, UriKind.Absolute, out Uri? address) || address.IsFile)
            throw new ArgumentException($"{url} is not the address of a stream, e.g. http://192.168.1.5:8080/video or rtsp://192.168.1.5/stream.", nameof(url));
        string name = address.UserInfo.Length > 0 ? url.Replace($"{address.UserInfo}@", "", StringComparison.Ordinal) : url;
        // Begins with as little as possible. Not with nobuffer, which throws the first packets away: a key frame may be among them, and what follows is decoded quickly enough.
        // Decoding several frames at once would delay them; low_delay turns that off.
        string[] lowDelay = ["-flags", "low_delay", "-probesize", "32768", "-analyzeduration", "0"];
        string[] transport = address.Scheme is "rtsp" or "rtsps" ? ["-rtsp_transport", "tcp"] : [];
        // JPEG and most cameras' H.264 say which matrix and range they have.
        return new(name, url, [.. lowDelay, .. transport, "-i", url], YuvConversion.ToRgbFast("auto", range: null), mayFallSilent: true, "Check the address, and that the camera is on.");
    }

    /// <summary>A video file, played at its own speed and from the beginning again when it ends. It stands upright: a rotation that the file asks for is carried out.</summary>
    /// <exception cref="FileNotFoundException">There is no such file, or no ffprobe.</exception>
    /// <exception cref="InvalidDataException">It is no video; the message says what it is.</exception>
    public static FfmpegLiveInput FromFile(string path)
    {
        MediaStream video = VideoProbe.ProbeVideo(path).MainVideo!;
        string stored = video.PixelFormat ?? throw new InvalidDataException($"{path}: ffmpeg cannot decode {video.Label}.");
        bool isRgb = new FrameFormat(FfmpegPixelFormat.Nearest(stored, out _), video.Width, video.Height).IsRgb;
        return new(path, FfmpegProcess.FileArgument(path), ["-re", "-stream_loop", "-1", "-i", FfmpegProcess.FileArgument(path), "-map", $"0:{video.Index}"],
            isRgb ? "null" : YuvConversion.ToRgbFast(YuvConversion.MatrixOf(video), YuvConversion.RangeOf(video)), mayFallSilent: false, "Copy or record it again.");
    }

    /// <summary>What an X11 screen shows.</summary>
    /// <param name="display">The X server's name, e.g. <c>:0</c>; null takes the environment's.</param>
    /// <param name="region">What of it; null takes all.</param>
    /// <param name="framesPerSecond">Above 0.</param>
    /// <param name="showsPointer">Whether the mouse pointer is in the picture.</param>
    /// <exception cref="FileNotFoundException">No display was given, and the environment names none.</exception>
    public static FfmpegLiveInput FromScreen(string? display = null, ScreenRegion? region = null, double framesPerSecond = 30, bool showsPointer = true)
    {
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(framesPerSecond);
        display ??= Environment.GetEnvironmentVariable("DISPLAY") is { Length: > 0 } set ? set
            : throw new FileNotFoundException("There is no X11 screen here: DISPLAY is not set. Run this in a graphical session, or set DISPLAY.");
        string[] area = region is { } part ? ["-video_size", $"{part.Width}x{part.Height}"] : [];
        string corner = region is { } from ? $"+{from.X},{from.Y}" : "";
        return new($"screen {display}{corner}", display,
        [
            "-f", "x11grab", "-framerate", framesPerSecond.ToString("0.###", CultureInfo.InvariantCulture), "-draw_mouse", showsPointer ? "1" : "0", .. area,
            "-probesize", "32", "-analyzeduration", "0", "-i", display + corner,
        ], "null", mayFallSilent: false, "Check the display's name and the region.");
    }

    /// <inheritdoc/>
    public IFrameSource Open(CancellationToken cancellation)
    {
        const int guardRows = 1;
        using var giveUp = CancellationTokenSource.CreateLinkedTokenSource(cancellation);
        if (_mayFallSilent) giveUp.CancelAfter(OpeningPatience);
        string[] arguments =
        [
            "-hide_banner", "-v", "error", "-nostdin", .. _input, "-an", "-sn", "-dn", "-autoscale", "0",
            // Frames get their time from us; whatever the stream says, it shall not make ffmpeg complain.
            "-vf", $"{_filter},format=bgr24,pad=iw:ih+{guardRows},setpts=N", "-fps_mode", "passthrough", "-enc_time_base", "-1", "-pix_fmt", "bgr24", "-flush_packets", "1",
            // With more threads the encoder of raw video, too, holds a frame back until the next one comes.
            "-threads", "1",
        ];
        string cause;
        FfmpegDecoder? decoder;
        try
        {
            decoder = FfmpegDecoder.TryStart(arguments, PixelFormat.Bgr24, ColorRange.Full, guardRows, out cause, giveUp.Token);
        }
        catch (OperationCanceledException) when (!cancellation.IsCancellationRequested)
        {
            throw new IOException($"{Name} sends no picture. {_advice}");
        }
        if (decoder is not null) return new FfmpegLiveSource(decoder, _mayFallSilent ? Patience : Timeout.InfiniteTimeSpan);

        // ffmpeg repeats the address, which may hold a password.
        cause = cause.Replace($"{_source}: ", "", StringComparison.Ordinal).Replace(_source, Name, StringComparison.Ordinal);
        if (cause.Contains("Protocol not found", StringComparison.Ordinal)) throw new FileNotFoundException($"{Name}: ffmpeg does not know this protocol. http, rtsp, rtmp and srt are the usual ones.");
        if (cause.Contains("Invalid data", StringComparison.Ordinal)) throw new InvalidDataException($"{Name} sends no picture that ffmpeg can read ({cause}). {_advice}");
        throw new IOException($"{Name} gives no picture ({cause}). {_advice}");
    }
}
