using RealtimeDeblur.Imaging;
using RealtimeDeblur.Pipeline;

namespace RealtimeDeblur.Video.Live;

/// <summary>
/// Records frames as H.264 into an <c>.mp4</c> or <c>.mkv</c> file. They keep their times, by <see cref="Frame.CapturedAt"/> from the first frame on. The first frame fixes the size; later ones of another size are
/// fitted into it. What was recorded stays playable whatever happens to the program, and is kept by a disposal without <see cref="Complete"/> too.
/// </summary>
public sealed class RecordingSink : IFrameSink
{
    private readonly string _path;
    private Letterbox? _letterbox;
    private LiveClock? _clock;
    private FfmpegEncoder? _encoder;

    /// <summary>Takes the name; ffmpeg is started with the first frame.</summary>
    /// <param name="path">File to write; its folder is made if it is missing.</param>
    /// <param name="overwrite">Whether a file of that name may be replaced.</param>
    /// <exception cref="ArgumentException">The ending is neither <c>.mp4</c> nor <c>.mkv</c>.</exception>
    /// <exception cref="IOException">The name is taken, or nothing can be written there.</exception>
    public RecordingSink(string path, bool overwrite = false)
    {
        if (!IsMp4(path) && !Path.GetExtension(path).Equals(".mkv", StringComparison.OrdinalIgnoreCase))
            throw new ArgumentException($"{path}: a recording is an .mp4 or an .mkv file. Give it one of these endings.", nameof(path));
        if (Directory.Exists(path)) throw new IOException($"{path} is a folder. Name a file.");
        if (!overwrite && File.Exists(path)) throw new IOException($"{path} exists. Add --overwrite to replace it, or choose another name.");
        _path = path;
        try
        {
            Directory.CreateDirectory(Path.GetDirectoryName(Path.GetFullPath(path))!);
            using FileStream created = new(path, FileMode.Create);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new IOException($"Cannot write {path}: {e.Message.TrimEnd('.')}. Choose another place.", e);
        }
    }

    /// <summary>Frames recorded.</summary>
    public long FrameCount => _encoder?.FrameCount ?? 0;

    public void Write(Frame frame)
    {
        using Frame owned = frame;
        _letterbox ??= new(frame.Format, makesEven: true);
        _clock ??= new(frame.CapturedAt);
        _encoder ??= new(_letterbox.RawStream, Arguments(_letterbox.Format), cause => $"{_path}: ffmpeg could not write it ({cause}). Free space, or choose another place.");
        _encoder.WriteFrame(_clock.Stamp(frame.CapturedAt), _letterbox.Fit(frame));
    }

    public void Complete()
    {
        if (_encoder is not null) _encoder.Complete();
        else File.Delete(_path);
    }

    public void Dispose()
    {
        try
        {
            Complete();
        }
        catch (IOException)
        {
            // Complete would have told; whoever did not call it has another failure to report.
        }
        _encoder?.Dispose();
        _letterbox?.Dispose();
    }

    private List<string> Arguments(FrameFormat format)
    {
        string matrix = YuvConversion.UsualMatrix(format.Width, format.Height);
        string tag = matrix == "bt709" ? "bt709" : "smpte170m";
        return
        [
            "-hide_banner", "-v", "error", "-nostdin", "-y", "-f", "nut", "-i", "pipe:0", "-vf", YuvConversion.FromRgb(matrix, ColorRange.Limited), "-fps_mode", "passthrough", "-enc_time_base", "-1",
            // The processor belongs to the network: 15 ms of it per 1280x720 frame instead of 39 with the default preset, for a file half as large again. What lies between key frames is the most that can be lost.
            "-c:v", "libx264", "-preset", "superfast", "-crf", "18", "-bf", "0", "-g", "60", "-pix_fmt", "yuv420p",
            "-color_range", "tv", "-colorspace", tag, "-color_primaries", "bt709", "-color_trc", "iec61966-2-1",
            // In pieces that are complete by themselves, because an .mp4 without its end is none.
            .. IsMp4(_path) ? ["-movflags", "+frag_keyframe+empty_moov+default_base_moof", "-video_track_timescale", "1000000"] : Array.Empty<string>(),
            "-flush_packets", "1", FfmpegProcess.FileArgument(_path),
        ];
    }

    private static bool IsMp4(string path) => Path.GetExtension(path).Equals(".mp4", StringComparison.OrdinalIgnoreCase);
}
