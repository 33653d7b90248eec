using System.Globalization;
using RealtimeDeblur.Imaging;
using RealtimeDeblur.Pipeline;

namespace RealtimeDeblur.Video;

/// <summary>
/// Writes frames into a video file through an ffmpeg process that encodes them and takes everything else (sound, subtitles, chapters, tags) from the source unchanged.
/// </summary>
public sealed class FfmpegFrameSink : IFrameSink
{
    private readonly FfmpegEncoder _encoder;

    /// <summary>Starts the encoder.</summary>
    /// <param name="path">File to write; replaced if it exists. Its ending chooses the container.</param>
    /// <param name="shownPath">What messages call it.</param>
    /// <param name="raw">Format of the frames.</param>
    /// <param name="source">The file that the frames come from; null if they come from none.</param>
    /// <param name="plan">Encoder, layout and the streams to take over.</param>
    public FfmpegFrameSink(string path, string shownPath, NutVideoStream raw, MediaInfo? source, VideoOutputPlan plan)
        : this(shownPath, raw, Arguments(path, raw, source, plan))
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

    private static List<string> Arguments(string path, NutVideoStream raw, MediaInfo? source, VideoOutputPlan plan)
    {
        const int frames = 0;
        const int original = 1;
        List<string> arguments = ["-hide_banner", "-v", "error", "-nostdin", "-y", .. plan.Encoding.InputArguments, "-copyts", "-f", "nut", "-i", "pipe:0"];
        if (source is not null) arguments.AddRange(["-i", FfmpegProcess.FileArgument(source.Path)]);
        arguments.AddRange(["-map", $"{frames}:v:0"]);
        foreach (MediaStream stream in plan.Copied) arguments.AddRange(["-map", $"{original}:{stream.Index}"]);
        arguments.AddRange(["-c", "copy", .. plan.Encoding.ArgumentsFor("v:0")]);
        foreach ((int output, string codec) in plan.Reencoded) arguments.AddRange([$"-c:{output}", codec]);
        arguments.AddRange(["-fps_mode", "passthrough", "-enc_time_base", "-1"]);
        // Saying where the video's tags (language, title) come from turns ffmpeg's own choice off for the other streams too.
        if (source is not null) arguments.AddRange(["-map_metadata", $"{original}", "-map_chapters", $"{original}", "-map_metadata:s:0", $"{original}:s:{plan.Video.Index}"]);
        for (int i = 0; i < plan.Copied.Count; i++) arguments.AddRange([$"-map_metadata:s:{i + 1}", $"{original}:s:{plan.Copied[i].Index}"]);
        // The timestamps are those of the source already; nothing is to be moved. Streams may be sparse or late.
        arguments.AddRange(["-max_muxing_queue_size", "9999", .. ContainerArguments(path, raw, plan), FfmpegProcess.FileArgument(path)]);
        return arguments;
    }

    private static string[] ContainerArguments(string path, NutVideoStream raw, VideoOutputPlan plan)
    {
        switch (Path.GetExtension(path).ToLowerInvariant())
        {
            case ".mp4" or ".m4v" or ".mov":
                // The video keeps its clock. Late starts are stored in the film's own, which should express both video and sound.
                string videoClock = raw.TimeBase.Denominator.ToString(CultureInfo.InvariantCulture);
                int sampleRate = plan.Copied.FirstOrDefault(stream => stream.Kind == MediaStreamKind.Audio)?.SampleRate ?? 0;
                string filmClock = CommonClock(raw.TimeBase.Denominator, sampleRate).ToString(CultureInfo.InvariantCulture);
                return ["-video_track_timescale", videoClock, "-movie_timescale", filmClock, "-movflags", "+faststart"];
            case ".mkv" or ".webm":
                // Reading Matroska, ffmpeg takes Opus's lead-in off its times; writing, it forgets to put it back.
                return ["-avoid_negative_ts", "disabled", .. plan.Copied.SelectMany((stream, i) => stream is { Codec: "opus", StartSeconds: < 0 }
                    ? [$"-bsf:{i + 1}", string.Create(CultureInfo.InvariantCulture, $"setts=ts=TS+round({-stream.StartSeconds}/TB)")] : Array.Empty<string>())];
            case ".ts" or ".m2ts" or ".mts":
                return ["-muxdelay", "0", "-muxpreload", "0"];
            default:
                return [];
        }
    }

    /// <summary>Ticks per second in which both clocks count whole numbers, if that leaves room for hours; else a fine one.</summary>
    private static long CommonClock(long video, long audio)
    {
        const long largest = 10_000_000;
        const long fine = 1_000_000;
        if (audio <= 0) return video <= largest ? video : fine;
        long common = video / (long)System.Numerics.BigInteger.GreatestCommonDivisor(video, audio) * audio;
        return common <= largest ? common : fine;
    }
}
