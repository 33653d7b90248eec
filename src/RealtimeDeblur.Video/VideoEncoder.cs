using System.Collections.Concurrent;
using System.Globalization;
using System.Text.RegularExpressions;
using RealtimeDeblur.Imaging;

namespace RealtimeDeblur.Video;

/// <summary>A video encoder of ffmpeg with its settings.</summary>
public sealed partial class VideoEncoder
{
    /// <summary>The quality that <see cref="Find"/> takes where none is given: H.264 is commonly called visually lossless there, and the detail just restored should survive.</summary>
    public const int DefaultQuality = 80;

    /// <summary>The quality that asks for no loss at all.</summary>
    public const int Lossless = 100;

    /// <summary>FFmpeg's encoders for the names of codecs, the first choice first.</summary>
    private static readonly Dictionary<string, string[]> Codecs = new(StringComparer.OrdinalIgnoreCase)
    {
        ["h264"] = ["libx264"],
        ["hevc"] = ["libx265"],
        ["h265"] = ["libx265"],
        ["av1"] = ["libsvtav1", "libaom-av1"],
        ["vp9"] = ["libvpx-vp9"],
        ["vp8"] = ["libvpx"],
        ["ffv1"] = ["ffv1"],
        ["prores"] = ["prores_ks"],
    };

    /// <summary>Encoders that change no sample, whatever they are told.</summary>
    private static readonly string[] AlwaysLossless = ["ffv1", "ffvhuff", "huffyuv", "utvideo", "magicyuv", "png", "qtrle", "rawvideo"];

    /// <summary>Encoders that keep the two fields of a frame apart where it matters: in prediction and transform, or in the frame's header if they have neither.</summary>
    private static readonly string[] FieldCoding = ["libx264", "libx264rgb", "mpeg2video", "mpeg4", "prores_ks", "dnxhd", "ffv1", "rawvideo"];

    /// <summary>Options of ffmpeg that say how large or how good the output is; one of them from the user takes the place of our quality.</summary>
    private static readonly string[] RateOptions = ["b", "crf", "cq", "qp", "q", "qscale", "global_quality", "rc", "rc_mode", "lossless", "qp_i", "qp_p", "qp_b"];

    /// <summary>Options that hold a list of the encoder library's own settings, NAME=VALUE with colons between.</summary>
    private static readonly string[] ParameterOptions = ["x264-params", "x265-params", "svtav1-params", "aom-params"];

    /// <summary>What trials found, by their arguments: the reason of a failure, or an empty text. An ffmpeg does not change while we run.</summary>
    private static readonly ConcurrentDictionary<string, string> Trials = new();

    private readonly int _quality;
    private readonly string[] _supported;
    private readonly IReadOnlyList<EncoderOption> _options;

    private VideoEncoder(string name, int quality, string[] supported, IReadOnlyList<EncoderOption> options, IReadOnlyList<string> remarks)
    {
        Name = name;
        _quality = quality;
        _supported = supported;
        _options = options;
        Remarks = remarks;
    }

    /// <summary>FFmpeg's name.</summary>
    public string Name { get; }

    /// <summary>What of the wanted quality it cannot do, as lower-case clauses.</summary>
    public IReadOnlyList<string> Remarks { get; }

    /// <summary>ffmpeg's arguments that come before its input.</summary>
    internal IReadOnlyList<string> InputArguments => IsVaapi ? ["-vaapi_device", VaapiDevice()] : [];

    /// <summary>Whether it may store frames in another order than they are shown in.</summary>
    internal bool ReordersFrames => IsHevc || Name.Contains("264", StringComparison.Ordinal) || Name.StartsWith("mpeg", StringComparison.Ordinal) || Name is "libxvid";

    /// <summary>Whether it makes HEVC.</summary>
    internal bool IsHevc => Name.Contains("hevc", StringComparison.Ordinal) || Name.Contains("265", StringComparison.Ordinal);

    /// <summary>Whether frames are handed to the hardware by a filter, which then settles their layout.</summary>
    internal bool IsVaapi => Name.EndsWith("_vaapi", StringComparison.Ordinal);

    /// <summary>Whether it keeps the fields of interlaced frames apart.</summary>
    internal bool CodesFields => FieldCoding.Contains(Name);

    private bool IsHardware => IsHardwareName(Name);

    private bool NeedsEvenSize => IsHardware || Name is "libx264" or "libx264rgb" or "libx265" or "libsvtav1";

    /// <summary>
    /// The encoder for a file whose name does not ask for another. HEVC, ProRes and FFV1 stay what they are, because who made them had reasons (10 bits that players decode, editing, losslessness);
    /// everything else becomes H.264, which plays everywhere, or VP9 where the container holds no H.264.
    /// </summary>
    /// <param name="outputPath">The file.</param>
    /// <param name="source">Where the frames come from; null if from no file.</param>
    public static string DefaultFor(string outputPath, MediaStream? source = null) => (Path.GetExtension(outputPath).ToLowerInvariant(), source?.Codec) switch
    {
        (".webm", _) => "libvpx-vp9",
        (".mp4" or ".m4v" or ".mov" or ".mkv" or ".ts" or ".m2ts" or ".mts", "hevc") => "hevc",
        (".mov" or ".mkv", "prores") => "prores",
        (".mkv" or ".nut" or ".avi", "ffv1") => "ffv1",
        _ => "libx264",
    };

    /// <summary>Looks an encoder up in the installed ffmpeg. Encoders in hardware, and those with options, encode one small frame to show that they work.</summary>
    /// <param name="name">A codec (h264, hevc or h265, av1, vp9, vp8, ffv1, prores), which takes the first software encoder for it that ffmpeg has; or FFmpeg's name of an encoder.</param>
    /// <param name="quality">0 to 100, higher is better and larger. Equal numbers give about equal PSNR with every encoder; 100 is lossless where the encoder can. Null takes
    /// <see cref="DefaultQuality"/>, or for encoders whose scale we do not know their own default.</param>
    /// <param name="options">Options of ffmpeg for the encoder, without dash, e.g. preset and slow. They win over ours; <c>x265-params</c> and the like are merged.</param>
    /// <exception cref="ArgumentException">ffmpeg has no such encoder, it does not work here, or the quality or an option does not fit it; the message says what to do.</exception>
    public static VideoEncoder Find(string name, int? quality = null, IReadOnlyList<EncoderOption>? options = null)
    {
        if (quality is < 0 or > Lossless) throw new ArgumentException($"--quality must be 0 to {Lossless}, e.g. {DefaultQuality}; higher is better.", nameof(quality));
        string[] supported = [];
        string? found = (Codecs.TryGetValue(name, out string[]? candidates) ? candidates : [name]).FirstOrDefault(candidate => TryDescribe(candidate, out supported));
        if (found is null) throw new ArgumentException($"The installed ffmpeg has no encoder '{name}'. 'ffmpeg -encoders' lists what it has; libx264 is the usual one.", nameof(name));

        IReadOnlyList<EncoderOption> given = [.. (options ?? []).Select(option => option.Normalized())];
        List<string> remarks = [];
        List<EncoderOption> ours = [.. FixedOptions(found)];
        if (AlwaysLossless.Contains(found))
        {
            if (quality is not null) remarks.Add($"{found} is always lossless; --quality changes nothing");
        }
        else if (!given.Any(option => RateOptions.Contains(option.Name)))
        {
            EncoderOption[]? chosen = QualityOptions(found, quality ?? DefaultQuality, out bool isLossless);
            if (chosen is null && quality is not null)
                throw new ArgumentException($"--quality is not known for the encoder '{found}'. Leave it out and say with --encoder-option how good it should be, or use one of {string.Join(", ", Codecs.Keys)}.", nameof(quality));
            if (quality == Lossless && !isLossless) remarks.Add($"{found} has no lossless mode; this is its best");
            ours.AddRange(chosen ?? []);
        }
        var encoder = new VideoEncoder(found, quality ?? DefaultQuality, supported, Merge(ours, given), remarks);
        if ((given.Count > 0 || encoder.IsHardware) && encoder.FailureWith([]) is { } failure)
            throw new ArgumentException($"The encoder {found} does not start{(given.Count > 0 ? " with these options" : "")} ({failure}). " + (encoder.IsHardware
                ? "It needs its hardware and driver; use an encoder in software, e.g. libx264."
                : $"'ffmpeg -h encoder={found}' lists its options."), nameof(options));
        return encoder;
    }

    /// <summary>The encoder's layout that keeps most of a frame's: colour first, then transparency, depth, RGB and chroma.</summary>
    /// <param name="wanted">What the frames have, or should have.</param>
    /// <param name="width">Columns; half-width chroma needs an even number.</param>
    /// <param name="height">Rows; half-height chroma needs an even number.</param>
    /// <returns>FFmpeg's name of the layout.</returns>
    /// <exception cref="InvalidDataException">It takes no frames of this size.</exception>
    public string PixelFormatFor(PixelFormat wanted, int width, int height) => PixelFormatFor(SampleTraits.Of(wanted), FfmpegPixelFormat.Name(wanted), width, height);

    /// <summary>As <see cref="PixelFormatFor(PixelFormat, int, int)"/>, for what a file holds.</summary>
    internal string PixelFormatFor(SampleTraits wanted, string? wantedName, int width, int height)
    {
        string[] uploaded = ["nv12", "p010le"];
        string[] supported = IsVaapi ? uploaded : _supported;
        return SampleTraits.Nearest(wanted, wantedName, IsTaken)
            ?? throw new InvalidDataException($"The encoder {Name} takes no frames of {width}x{height} with {wantedName} samples. Choose another with --encoder, e.g. ffv1.");

        bool IsTaken(string name, SampleTraits layout)
        {
            if (supported.Length > 0 && !supported.Contains(name)) return false;
            // FFV1 and the like take odd sizes in any layout.
            if (NeedsEvenSize && layout.Chroma is ChromaSamples.HalfWidth or ChromaSamples.HalfWidthAndHeight && width % 2 != 0) return false;
            if (NeedsEvenSize && layout.Chroma == ChromaSamples.HalfWidthAndHeight && height % 2 != 0) return false;
            // What hardware does with RGB is its own secret, and with 10 bits of H.264 it fails.
            return !IsHardware || (!layout.IsRgb && !(layout.Depth > 8 && Name.StartsWith("h264_", StringComparison.Ordinal)));
        }
    }

    /// <summary>ffmpeg's arguments that set the encoder up.</summary>
    /// <param name="stream">FFmpeg's specifier of the stream, e.g. <c>v</c>.</param>
    /// <param name="pixelFormat">FFmpeg's name of the layout that is encoded.</param>
    /// <param name="additional">Options that come from the video; what the user set wins over them.</param>
    internal IReadOnlyList<string> Arguments(string stream, string pixelFormat, params IReadOnlyList<EncoderOption> additional) =>
        [$"-c:{stream}", Name, .. Merge([.. LayoutOptions(pixelFormat), .. additional], _options).SelectMany(option => (string[])[$"-{option.Name}:{stream}", option.Value])];

    /// <summary>Whether the installed encoder knows options: encodes a small frame with them.</summary>
    internal bool Takes(params IReadOnlyList<EncoderOption> additional) => FailureWith(additional) is null;

    /// <summary>Why a small frame cannot be encoded; null if it can.</summary>
    private string? FailureWith(IReadOnlyList<EncoderOption> additional)
    {
        const int side = 256;
        string layout = PixelFormatFor(PixelFormat.Yuv420P8, side, side);
        List<string> arguments =
        [
            "-hide_banner", "-v", "warning", "-nostdin", .. InputArguments, "-f", "lavfi", "-i", $"color=gray:s={side}x{side}:r=25", "-frames:v", "1",
            "-vf", IsVaapi ? $"format={layout},hwupload" : $"format={layout}", .. Arguments("v", layout, additional), "-f", "null", "-",
        ];
        string reason = Trials.GetOrAdd(string.Join('\n', arguments), _ => Try(arguments));
        return reason.Length == 0 ? null : reason;
    }

    private static string Try(List<string> arguments)
    {
        using FfmpegProcess trial = FfmpegProcess.Start("ffmpeg", arguments);
        int exitCode = trial.WaitForExit();
        // ffmpeg goes on without options that the encoder does not have.
        string? unused = trial.ErrorLines.Select(line => UnusedOption().Match(line)).FirstOrDefault(match => match.Success)?.Groups["name"].Value;
        if (unused is not null) return $"it has no option {unused}";
        string? parameter = trial.ErrorLines.FirstOrDefault(line => line.StartsWith("Unknown option:", StringComparison.Ordinal) || line.StartsWith("Error parsing option", StringComparison.Ordinal) || line.StartsWith("Invalid value for", StringComparison.Ordinal));
        return parameter is not null ? parameter.TrimEnd('.', ' ') : exitCode == 0 ? "" : trial.Cause;
    }

    /// <summary>Reads what ffmpeg tells of an encoder.</summary>
    private static bool TryDescribe(string name, out string[] supported)
    {
        using FfmpegProcess help = FfmpegProcess.Start("ffmpeg", ["-hide_banner", "-h", $"encoder={name}"], pipeOutput: true);
        using var reader = new StreamReader(help.Output);
        string[] lines = reader.ReadToEnd().Split('\n');
        help.WaitForExit();
        const string formats = "Supported pixel formats:";
        supported = lines.Select(line => line.Trim()).FirstOrDefault(line => line.StartsWith(formats, StringComparison.Ordinal))?[formats.Length..]
            .Split(' ', StringSplitOptions.RemoveEmptyEntries) ?? [];
        return lines[0].StartsWith("Encoder ", StringComparison.Ordinal);
    }

    /// <summary>Speed against size, the same at every quality.</summary>
    private static EncoderOption[] FixedOptions(string name) => name switch
    {
        "libx264" or "libx264rgb" => [new("preset", "medium")],
        "libx265" => [new("preset", "medium"), new("x265-params", "log-level=error")],
        "libsvtav1" => [new("preset", "8")],
        "libaom-av1" => [new("cpu-used", "6"), new("row-mt", "1")],
        "libvpx-vp9" => [new("deadline", "good"), new("cpu-used", "4"), new("row-mt", "1")],
        "libvpx" => [new("deadline", "good"), new("cpu-used", "4")],
        _ => [],
    };

    /// <summary>How an encoder is told a quality; null if we do not know.</summary>
    private static EncoderOption[]? QualityOptions(string name, int quality, out bool isLossless)
    {
        isLossless = false;
        if (quality == Lossless && LosslessOptions(name) is { } lossless)
        {
            isLossless = true;
            return lossless;
        }
        string codec = name.Split('_')[0];
        QualityScale? scale = codec switch
        {
            "libx264" or "libx264rgb" or "h264" => QualityScale.X264,
            "libx265" or "hevc" => QualityScale.X265,
            "libsvtav1" or "av1" => QualityScale.SvtAv1,
            "libaom-av1" => QualityScale.AomAv1,
            "libvpx-vp9" or "vp9" => QualityScale.Vp9,
            "libvpx" or "vp8" => QualityScale.Vp8,
            _ => null,
        };
        // Its quality is a profile, which the layout has a part in.
        if (name == "prores_ks") return [];
        if (scale is null) return null;
        if (!IsHardwareName(name))
        {
            EncoderOption crf = new("crf", scale.At(quality));
            return name switch
            {
                "libvpx-vp9" or "libaom-av1" => [new("b", "0"), crf],
                // VP8 has no constant quality without a limit of the rate; this one is out of reach.
                "libvpx" => [new("b", "200M"), new("qmin", "0"), crf],
                _ => [crf],
            };
        }
        // Hardware counts like the codec's software, AV1 and VP9 some by the 256 steps of the stream.
        const int largestStep = 255, largestCrf = 63, largestCq = 51;
        bool countsSteps = codec is "av1" or "vp9";
        string quantizer = countsSteps ? scale.At(quality, (double)largestStep / largestCrf) : scale.At(quality, smallest: 1);
        return name.Split('_')[1] switch
        {
            "nvenc" => [new("rc", "vbr"), new("b", "0"), new("cq", countsSteps ? scale.At(quality, (double)largestCq / largestCrf, smallest: 1) : quantizer)],
            "qsv" => [new("global_quality", countsSteps ? scale.At(quality, (double)largestCq / largestCrf, smallest: 1) : quantizer)],
            "vaapi" => countsSteps ? [new("rc_mode", "CQP"), new("global_quality", quantizer)] : [new("rc_mode", "CQP"), new("qp", quantizer)],
            "amf" => [new("rc", "cqp"), new("qp_i", quantizer), new("qp_p", quantizer)],
            "videotoolbox" => [new("q", Math.Max(1, quality).ToString(CultureInfo.InvariantCulture))],
            _ => null,
        };
    }

    /// <summary>What a layout asks for.</summary>
    private EncoderOption[] LayoutOptions(string pixelFormat) => Name switch
    {
        "prores_ks" => [new("profile", QualityScale.ProResProfile(_quality, SampleTraits.OfFfmpeg(pixelFormat)?.Chroma == ChromaSamples.Full))],
        // Frames that are made for prediction alone have no transparency.
        "libvpx" or "libvpx-vp9" when SampleTraits.OfFfmpeg(pixelFormat)?.HasAlpha == true => [new("auto-alt-ref", "0")],
        _ => [],
    };

    private static EncoderOption[]? LosslessOptions(string name) => name switch
    {
        "libx264" or "libx264rgb" => [new("qp", "0")],
        "libx265" => [new("x265-params", "lossless=1")],
        "libvpx-vp9" => [new("lossless", "1")],
        "libaom-av1" => [new("aom-params", "lossless=1")],
        "h264_nvenc" or "hevc_nvenc" => [new("tune", "lossless")],
        _ => null,
    };

    /// <summary>Both lists; where they name the same option the second wins, and lists of parameters follow each other, so that it wins there too.</summary>
    private static List<EncoderOption> Merge(IReadOnlyList<EncoderOption> first, IReadOnlyList<EncoderOption> second)
    {
        List<EncoderOption> merged = [];
        foreach (EncoderOption option in first.Concat(second))
        {
            int at = merged.FindIndex(existing => existing.Name == option.Name);
            if (at < 0) merged.Add(option);
            else merged[at] = ParameterOptions.Contains(option.Name) ? new(option.Name, $"{merged[at].Value}:{option.Value}") : option;
        }
        return merged;
    }

    private static bool IsHardwareName(string name) => name.Split('_') is [_, "nvenc" or "qsv" or "vaapi" or "amf" or "videotoolbox"];

    /// <summary>The first graphics device that renders without a screen.</summary>
    private static string VaapiDevice()
    {
        const string folder = "/dev/dri", usual = "/dev/dri/renderD128";
        return Directory.Exists(folder) ? Directory.GetFiles(folder, "renderD*").Order(StringComparer.Ordinal).FirstOrDefault(usual) : usual;
    }

    [GeneratedRegex(@"^(?:Codec AVOption (?<name>\S+) .* has not been used|Unrecognized option '(?<name>[^':]+))")]
    private static partial Regex UnusedOption();
}
