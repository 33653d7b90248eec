using System.Globalization;
using RealtimeDeblur.Imaging;
using RealtimeDeblur.Pipeline;

namespace RealtimeDeblur.Video;

/// <summary>
/// Writes frames into a video file of their own through an ffmpeg process that encodes them.
/// </summary>
public sealed class FfmpegFrameSink : IFrameSink
{
    private readonly FfmpegEncoder _encoder;

    /// <summary>Starts the encoder.</summary>
    /// <param name="path">File to write; replaced if it exists. Its ending chooses the container.</param>
    /// <param name="shownPath">What messages call it.</param>
    /// <param name="raw">Format of the frames.</param>
    /// <param name="encoding">How they are encoded.</param>
    /// <param name="isSegment">Whether the file is to be joined with others, so that its times count and not how soon a player can begin.</param>
    public FfmpegFrameSink(string path, string shownPath, NutVideoStream raw, VideoEncoding encoding, bool isSegment = false)
        : this(shownPath, raw,
        [
            "-hide_banner", "-v", "error", "-nostdin", "-y", .. encoding.InputArguments, "-copyts", "-f", "nut", "-i", "pipe:0",
            .. encoding.Arguments, "-fps_mode", "passthrough", "-enc_time_base", "-1",
            .. ContainerPlan.IsMovie(path) ? ["-video_track_timescale", ClockOf(raw), .. isSegment ? ["-movie_timescale", ClockOf(raw)] : (string[])["-movflags", "+faststart"]] : Array.Empty<string>(),
            FfmpegProcess.FileArgument(path),
        ])
    {
    }

    private FfmpegFrameSink(string shownPath, NutVideoStream raw, List<string> arguments) => _encoder = new(raw, arguments,
        cause => $"{shownPath}: ffmpeg could not write it ({cause}). Free space, choose another place with -o, or another encoder.");

    /// <summary>Starts the encoder of a silent clip that comes from no file. Timestamps count frames.</summary>
    /// <param name="path">File to write; replaced if it exists.</param>
    /// <param name="shownPath">What messages call it.</param>
    /// <param name="width">Columns, even. The frames are 8-bit 4:2:0 with BT.601's matrix and limited range.</param>
    /// <param name="height">Rows, even.</param>
    /// <param name="framesPerSecond">Constant rate.</param>
    /// <param name="encoder">Encoder.</param>
    public static FfmpegFrameSink NewClip(string path, string shownPath, int width, int height, int framesPerSecond, VideoEncoder encoder)
    {
        const uint i420 = 'I' | '4' << 8 | '2' << 16 | '0' << 24;
        var raw = new NutVideoStream(width, height, new Rational(1, framesPerSecond), new Rational(1, 1), i420);
        return new(shownPath, raw,
        [
            "-hide_banner", "-v", "error", "-nostdin", "-y", "-f", "nut", "-i", "pipe:0",
            .. encoder.Arguments("v", "yuv420p"), "-pix_fmt", "yuv420p",
            "-color_range", "tv", "-colorspace", "smpte170m", "-color_primaries", "bt709", "-color_trc", "iec61966-2-1",
            "-movflags", "+faststart", FfmpegProcess.FileArgument(path),
        ]);
    }

    private static string ClockOf(NutVideoStream raw) => raw.TimeBase.Denominator.ToString(CultureInfo.InvariantCulture);

    public long FrameCount => _encoder.FrameCount;

    public void Write(Frame frame)
    {
        using Frame owned = frame;
        _encoder.WriteFrame(frame.Timestamp, frame.Data);
    }

    public void Complete() => _encoder.Complete();

    /// <summary>Finishes the file with the frames so far: sound and the rest end with them. The last few frames, which ffmpeg has not read yet, are lost.</summary>
    /// <returns>False if ffmpeg had not begun to write: there is no file.</returns>
    /// <exception cref="IOException">What was written could not be finished.</exception>
    public bool CompleteEarly() => _encoder.CompleteEarly();

    public void Dispose() => _encoder.Dispose();
}
