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
        return new(path, Text(format, "format_name") ?? "", Number(format, "start_time"), Number(format, "duration"), [.. root.GetProperty("streams").EnumerateArray().Select(ParseStream)]);
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

    private static MediaStream ParseStream(JsonElement stream)
    {
        bool hasDisposition = stream.TryGetProperty("disposition", out JsonElement disposition);
        bool IsMarked(string name) => hasDisposition && disposition.TryGetProperty(name, out JsonElement value) && value.GetInt32() != 0;
        return new()
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
            Width = (int)(Number(stream, "width") ?? 0),
            Height = (int)(Number(stream, "height") ?? 0),
            PixelFormat = Text(stream, "pix_fmt"),
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
            RotationDegrees = stream.TryGetProperty("side_data_list", out JsonElement sideData)
                ? sideData.EnumerateArray().Select(entry => -Number(entry, "rotation") ?? 0).FirstOrDefault(degrees => degrees != 0)
                : 0,
            SampleRate = (int)(Number(stream, "sample_rate") ?? 0),
            Dispositions = hasDisposition ? [.. disposition.EnumerateObject().Where(entry => entry.Value.GetInt32() != 0).Select(entry => entry.Name)] : [],
            IsInterlaced = Text(stream, "field_order") is "tt" or "bb" or "tb" or "bt",
        };
    }

    /// <summary>A property as text; null when it is missing or says that it is not known.</summary>
    private static string? Text(JsonElement element, string name) =>
        element.TryGetProperty(name, out JsonElement value) && value.ToString() is { Length: > 0 } text && text is not ("unknown" or "unspecified" or "reserved" or "N/A") ? text : null;

    private static double? Number(JsonElement element, string name) =>
        double.TryParse(Text(element, name), NumberStyles.Float, CultureInfo.InvariantCulture, out double number) ? number : null;
}
