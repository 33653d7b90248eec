using System.Globalization;
using System.Text.Json;

namespace RealtimeDeblur.Video;

/// <summary>Asks ffprobe what a file holds.</summary>
public static class VideoProbe
{
    /// <summary>Describes a media file.</summary>
    /// <exception cref="FileNotFoundException">There is no such file, or no ffprobe.</exception>
    /// <exception cref="InvalidDataException">The file is empty or nothing that ffprobe knows.</exception>
    public static MediaInfo Probe(string path)
    {
        if (Directory.Exists(path)) throw new InvalidDataException($"{path} is a folder, not a file.");
        if (!File.Exists(path)) throw new FileNotFoundException($"{path} does not exist. Check the spelling.");
        if (new FileInfo(path) is { Length: 0, LinkTarget: null }) throw new InvalidDataException($"{path} is empty. Copy or record it again.");
        JsonElement root = Query(["-show_format", "-show_streams", FfmpegProcess.FileArgument(path)], cause => $"{path} is no media file that ffmpeg can read ({cause}).");
        JsonElement format = root.GetProperty("format");
        return new(path, Text(format, "format_name") ?? "", Number(format, "start_time"), Number(format, "duration"), [.. root.GetProperty("streams").EnumerateArray().Select(stream => ParseStream(path, stream))]);
    }

    /// <summary>Describes a file and checks that it is a video: something with a picture that moves.</summary>
    /// <exception cref="InvalidDataException">It is not; the message says what it is.</exception>
    public static MediaInfo ProbeVideo(string path)
    {
        MediaInfo media = Probe(path);
        if (media.Container.Split(',').Any(name => name == "image2" || name.EndsWith("_pipe", StringComparison.Ordinal)))
            throw new InvalidDataException($"{path} is a picture, not a video. Restore it with 'deblur image'.");
        if (media.MainVideo is not null) return media;
        throw new InvalidDataException(media.Streams.Any(stream => stream.Kind == MediaStreamKind.Audio)
            ? $"{path} holds sound but no video. There is nothing to restore."
            : $"{path} holds no video. There is nothing to restore.");
    }

    /// <summary>Runs ffprobe and reads its JSON.</summary>
    internal static JsonElement Query(IEnumerable<string> arguments, Func<string, string> describeFailure)
    {
        using FfmpegProcess probe = FfmpegProcess.Start("ffprobe", ["-v", "error", "-print_format", "json", .. arguments], pipeOutput: true);
        using var json = new MemoryStream();
        probe.Output.CopyTo(json);
        if (probe.WaitForExit() != 0) throw new InvalidDataException(describeFailure(probe.Cause));
        using JsonDocument document = JsonDocument.Parse(json.ToArray());
        return document.RootElement.Clone();
    }

    private static MediaStream ParseStream(string path, JsonElement stream)
    {
        bool hasDisposition = stream.TryGetProperty("disposition", out JsonElement disposition);
        bool IsMarked(string name) => hasDisposition && disposition.TryGetProperty(name, out JsonElement value) && value.GetInt32() != 0;
        JsonElement[] sideData = SideData(stream);
        // The alpha plane of VP8 and VP9 is a second stream beside the first; ffmpeg's own decoders do not look at it.
        string? decoder = (Text(stream, "codec_name"), Tag(stream, "alpha_mode")) switch { ("vp9", "1") => "libvpx-vp9", ("vp8", "1") => "libvpx", _ => null };
        var described = new MediaStream
        {
            Index = stream.GetProperty("index").GetInt32(),
            Kind = Text(stream, "codec_type") switch
            {
                "video" => IsMarked("attached_pic") || IsMarked("still_image") || IsMarked("timed_thumbnails") ? MediaStreamKind.AttachedPicture : MediaStreamKind.Video,
                "audio" => MediaStreamKind.Audio,
                "subtitle" => MediaStreamKind.Subtitle,
                "attachment" => MediaStreamKind.Attachment,
                _ => MediaStreamKind.Data,
            },
            Codec = Text(stream, "codec_name") ?? "unknown",
            Tag = Text(stream, "codec_tag_string"),
            Width = (int)(Number(stream, "width") ?? 0),
            Height = (int)(Number(stream, "height") ?? 0),
            PixelFormat = Text(stream, "pix_fmt") is "yuv420p" && decoder is not null ? "yuva420p" : Text(stream, "pix_fmt"),
            Decoder = decoder,
            Color = new()
            {
                Range = Text(stream, "color_range"),
                Matrix = Text(stream, "color_space"),
                Primaries = Text(stream, "color_primaries"),
                Transfer = Text(stream, "color_transfer"),
                ChromaLocation = Text(stream, "chroma_location"),
            },
            TimeBase = Rational.Parse(Text(stream, "time_base")),
            FrameRate = Rational.Parse(Text(stream, "avg_frame_rate")),
            StartSeconds = Number(stream, "start_time"),
            DurationSeconds = Number(stream, "duration"),
            FrameCount = (long?)Number(stream, "nb_frames"),
            RotationDegrees = sideData.Select(entry => -Number(entry, "rotation") ?? 0).FirstOrDefault(degrees => degrees != 0),
            IsMirrored = sideData.Any(entry => Text(entry, "displaymatrix") is { } matrix && IsMirroring(matrix)),
            SampleRate = (int)(Number(stream, "sample_rate") ?? 0),
            Dispositions = hasDisposition ? [.. disposition.EnumerateObject().Where(entry => entry.Value.GetInt32() != 0).Select(entry => entry.Name)] : [],
            // The second letter tells of the storage in some containers and of the display in others; ffmpeg's decoders go by the first.
            FieldOrderTag = Text(stream, "field_order"),
            FieldOrder = Text(stream, "field_order") switch { "tt" or "tb" => FieldOrder.TopFirst, "bb" or "bt" => FieldOrder.BottomFirst, _ => FieldOrder.Progressive },
        };
        if (described.Kind != MediaStreamKind.Video) return described;
        // Containers tell of HDR, or the first frame does.
        bool mayBeHdr = described.Color.Transfer is "smpte2084" or "arib-std-b67" || (described.Codec is "hevc" or "av1" && described.PixelFormat is { } pixels && pixels.Contains("10", StringComparison.Ordinal));
        if (mayBeHdr) sideData = [.. sideData, .. FirstFrameSideData(path, described.Index)];
        return described with
        {
            MasteringDisplay = sideData.Select(ParseMasteringDisplay).FirstOrDefault(display => display is not null),
            ContentLight = sideData.Select(ParseContentLight).FirstOrDefault(light => light is not null),
            DynamicMetadata = [.. sideData.Select(DynamicMetadataName).OfType<string>().Distinct()],
        };
    }

    private static JsonElement[] SideData(JsonElement element) => element.TryGetProperty("side_data_list", out JsonElement list) ? [.. list.EnumerateArray()] : [];

    private static JsonElement[] FirstFrameSideData(string path, int stream)
    {
        try
        {
            JsonElement root = Query(["-select_streams", stream.ToString(CultureInfo.InvariantCulture), "-show_frames", "-read_intervals", "%+#1", FfmpegProcess.FileArgument(path)], cause => cause);
            return [.. root.GetProperty("frames").EnumerateArray().SelectMany(SideData)];
        }
        catch (InvalidDataException)
        {
            // A stream that does not decode fails where it is read, with its reason.
            return [];
        }
    }

    private static MasteringDisplay? ParseMasteringDisplay(JsonElement entry)
    {
        if (Text(entry, "side_data_type") != "Mastering display metadata") return null;
        Chromaticity? Point(string name) => Fraction(entry, $"{name}_x") is { } x && Fraction(entry, $"{name}_y") is { } y ? new(x, y) : null;
        return Point("red") is { } red && Point("green") is { } green && Point("blue") is { } blue && Point("white_point") is { } white
            && Fraction(entry, "min_luminance") is { } min && Fraction(entry, "max_luminance") is { } max
            ? new(red, green, blue, white, min, max)
            : null;
    }

    private static ContentLight? ParseContentLight(JsonElement entry) =>
        Text(entry, "side_data_type") == "Content light level metadata" ? new((int)(Number(entry, "max_content") ?? 0), (int)(Number(entry, "max_average") ?? 0)) : null;

    private static string? DynamicMetadataName(JsonElement entry) => Text(entry, "side_data_type") switch
    {
        { } type when type.StartsWith("DOVI", StringComparison.Ordinal) || type.StartsWith("Dolby Vision", StringComparison.Ordinal) => "Dolby Vision",
        { } type when type.Contains("2094-40", StringComparison.Ordinal) => "HDR10+",
        _ => null,
    };

    /// <summary>Whether a display matrix, as ffprobe prints it, turns the picture over: its determinant is below 0.</summary>
    private static bool IsMirroring(string displayMatrix)
    {
        long[][] rows = [.. displayMatrix.Split('\n', StringSplitOptions.RemoveEmptyEntries).Select(row =>
            row[(row.IndexOf(':', StringComparison.Ordinal) + 1)..].Split(' ', StringSplitOptions.RemoveEmptyEntries).Select(value => long.Parse(value, CultureInfo.InvariantCulture)).ToArray())];
        return rows is [[var a, var b, ..], [var c, var d, ..], ..] && a * d - b * c < 0;
    }

    private static string? Tag(JsonElement stream, string name) =>
        stream.TryGetProperty("tags", out JsonElement tags) ? tags.EnumerateObject().FirstOrDefault(tag => tag.Name.Equals(name, StringComparison.OrdinalIgnoreCase)) is { Value.ValueKind: JsonValueKind.String } tag ? tag.Value.GetString() : null : null;

    private static double? Fraction(JsonElement element, string name) => Text(element, name)?.Split('/') is [var numerator, var denominator]
        && double.TryParse(numerator, NumberStyles.Float, CultureInfo.InvariantCulture, out double n) && double.TryParse(denominator, NumberStyles.Float, CultureInfo.InvariantCulture, out double d) && d != 0 ? n / d : null;

    /// <summary>A property as text; null when it is missing or says that it is not known.</summary>
    private static string? Text(JsonElement element, string name) =>
        element.TryGetProperty(name, out JsonElement value) && value.ToString() is { Length: > 0 } text && text is not ("unknown" or "unspecified" or "reserved" or "N/A") ? text : null;

    private static double? Number(JsonElement element, string name) =>
        double.TryParse(Text(element, name), NumberStyles.Float, CultureInfo.InvariantCulture, out double number) ? number : null;
}
