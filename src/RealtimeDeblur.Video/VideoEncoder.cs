using System.Globalization;
using RealtimeDeblur.Imaging;

namespace RealtimeDeblur.Video;

/// <summary>A video encoder of ffmpeg with its settings.</summary>
public sealed class VideoEncoder
{
    /// <summary>Encoders whose quality setting we know: default value, largest value, and how ffmpeg is told.</summary>
    private static readonly Dictionary<string, Settings> Known = new()
    {
        // 18 is where H.264 is commonly called visually lossless; the detail just restored should survive.
        ["libx264"] = new(18, 51, "-preset", "medium", "-crf", Quality),
        ["libx265"] = new(20, 51, "-preset", "medium", "-x265-params", "log-level=error", "-crf", Quality),
        ["libvpx-vp9"] = new(24, 63, "-deadline", "good", "-cpu-used", "4", "-row-mt", "1", "-b:v", "0", "-crf", Quality),
        ["libvpx"] = new(10, 63, "-deadline", "good", "-cpu-used", "4", "-b:v", "20M", "-crf", Quality),
        ["libsvtav1"] = new(25, 63, "-preset", "8", "-crf", Quality),
        ["libaom-av1"] = new(25, 63, "-cpu-used", "6", "-row-mt", "1", "-b:v", "0", "-crf", Quality),
        ["h264_nvenc"] = new(19, 51, "-rc", "vbr", "-b:v", "0", "-cq", Quality),
        ["hevc_nvenc"] = new(21, 51, "-rc", "vbr", "-b:v", "0", "-cq", Quality),
    };

    private const string Quality = "QUALITY";

    private readonly string[] _supported;
    private readonly string[] _arguments;

    private VideoEncoder(string name, string[] supported, string[] arguments)
    {
        Name = name;
        _supported = supported;
        _arguments = arguments;
    }

    /// <summary>FFmpeg's name.</summary>
    public string Name { get; }

    /// <summary>ffmpeg's arguments that set the encoder up.</summary>
    internal IReadOnlyList<string> Arguments => ["-c:v:0", Name, .. _arguments];

    /// <summary>The encoder for a file whose name does not ask for another: H.264, which plays everywhere, or VP9 where the container holds no H.264.</summary>
    public static string DefaultFor(string outputPath) => Path.GetExtension(outputPath).Equals(".webm", StringComparison.OrdinalIgnoreCase) ? "libvpx-vp9" : "libx264";

    /// <summary>Looks an encoder up in the installed ffmpeg.</summary>
    /// <param name="name">FFmpeg's name.</param>
    /// <param name="quality">Constant quality on the encoder's own scale, lower is better; null takes our default.</param>
    /// <exception cref="ArgumentException">ffmpeg has no such encoder, or the quality does not fit it.</exception>
    public static VideoEncoder Find(string name, int? quality)
    {
        using FfmpegProcess help = FfmpegProcess.Start("ffmpeg", ["-hide_banner", "-h", $"encoder={name}"], pipeOutput: true);
        using var reader = new StreamReader(help.Output);
        string[] lines = reader.ReadToEnd().Split('\n');
        help.WaitForExit();
        if (!lines[0].StartsWith("Encoder ", StringComparison.Ordinal))
            throw new ArgumentException($"The installed ffmpeg has no encoder '{name}'. 'ffmpeg -encoders' lists what it has; libx264 is the usual one.", nameof(name));

        const string formats = "Supported pixel formats:";
        string[] supported = lines.Select(line => line.Trim()).FirstOrDefault(line => line.StartsWith(formats, StringComparison.Ordinal))?[formats.Length..]
            .Split(' ', StringSplitOptions.RemoveEmptyEntries) ?? [];
        if (!Known.TryGetValue(name, out Settings? settings))
        {
            if (quality is not null) throw new ArgumentException($"--quality is not known for the encoder '{name}'. Leave it out, or use one of {string.Join(", ", Known.Keys)}.", nameof(quality));
            return new(name, supported, []);
        }
        if (quality < 0 || quality > settings.MaxQuality)
            throw new ArgumentException($"--quality must be 0 to {settings.MaxQuality} for {name}, e.g. {settings.DefaultQuality}; lower is better.", nameof(quality));
        string value = (quality ?? settings.DefaultQuality).ToString(CultureInfo.InvariantCulture);
        return new(name, supported, [.. settings.Arguments.Select(argument => argument == Quality ? value : argument)]);
    }

    /// <summary>The encoder's layout that keeps most of a frame's: depth first, then chroma.</summary>
    /// <param name="wanted">What the frames have, or should have.</param>
    /// <param name="width">Columns; half-width chroma needs an even number.</param>
    /// <param name="height">Rows; half-height chroma needs an even number.</param>
    /// <returns>FFmpeg's name of the layout.</returns>
    public string PixelFormatFor(PixelFormat wanted, int width, int height)
    {
        PixelFormat[] candidates = wanted switch
        {
            PixelFormat.Gray8 => [PixelFormat.Gray8, PixelFormat.Yuv420P8, PixelFormat.Yuv422P8, PixelFormat.Yuv444P8],
            PixelFormat.Gray10 => [PixelFormat.Gray10, PixelFormat.Yuv420P10, PixelFormat.Yuv422P10, PixelFormat.Yuv444P10, PixelFormat.Gray8, PixelFormat.Yuv420P8],
            PixelFormat.Yuv420P8 or PixelFormat.Nv12 => [PixelFormat.Yuv420P8, PixelFormat.Yuv422P8, PixelFormat.Yuv444P8, PixelFormat.Yuv420P10, PixelFormat.Yuv422P10, PixelFormat.Yuv444P10],
            PixelFormat.Yuv422P8 => [PixelFormat.Yuv422P8, PixelFormat.Yuv444P8, PixelFormat.Yuv422P10, PixelFormat.Yuv444P10, PixelFormat.Yuv420P8],
            PixelFormat.Yuv420P10 or PixelFormat.P010 => [PixelFormat.Yuv420P10, PixelFormat.Yuv422P10, PixelFormat.Yuv444P10, PixelFormat.Yuv420P8],
            PixelFormat.Yuv422P10 => [PixelFormat.Yuv422P10, PixelFormat.Yuv444P10, PixelFormat.Yuv420P10, PixelFormat.Yuv422P8, PixelFormat.Yuv420P8],
            PixelFormat.Yuv444P10 or PixelFormat.Rgb48 => [PixelFormat.Yuv444P10, PixelFormat.Yuv422P10, PixelFormat.Yuv420P10, PixelFormat.Yuv444P8, PixelFormat.Yuv420P8],
            _ => [PixelFormat.Yuv444P8, PixelFormat.Yuv444P10, PixelFormat.Yuv422P8, PixelFormat.Yuv422P10, PixelFormat.Yuv420P8],
        };
        PixelFormat[] fitting = [.. candidates.Where(pixels => (!HalfWidth(pixels) || width % 2 == 0) && (!HalfHeight(pixels) || height % 2 == 0))];
        // FFV1 and the like take odd sizes in any layout; those that list few layouts are the ones that do not.
        if (!NeedsEvenSize) fitting = candidates;
        string[] names = [.. fitting.Select(FfmpegPixelFormat.Name)];
        return names.FirstOrDefault(name => _supported.Contains(name)) ?? (_supported.Length == 0 && names.Length > 0 ? names[0]
            : throw new InvalidDataException($"The encoder {Name} takes no frames of {width}x{height} with {FfmpegPixelFormat.Name(wanted)} samples. Choose another with --encoder, e.g. ffv1."));
    }

    private bool NeedsEvenSize => Known.ContainsKey(Name) && Name is not ("libvpx-vp9" or "libvpx" or "libaom-av1");

    private static bool HalfWidth(PixelFormat pixels) => new FrameFormat(pixels, 2, 2) is { PlaneCount: 3 } format && format.Plane(1).Width == 1;

    private static bool HalfHeight(PixelFormat pixels) => new FrameFormat(pixels, 2, 2) is { PlaneCount: 3 } format && format.Plane(1).Height == 1;

    private sealed record Settings(int DefaultQuality, int MaxQuality, params string[] Arguments);
}
