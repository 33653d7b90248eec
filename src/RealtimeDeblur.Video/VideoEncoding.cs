using RealtimeDeblur.Imaging;

namespace RealtimeDeblur.Video;

/// <summary>How restored frames are encoded: what ffmpeg needs between raw frames and a file.</summary>
public sealed record VideoEncoding
{
    private VideoEncoding(VideoEncoder encoder, string pixelFormat)
    {
        Encoder = encoder;
        PixelFormat = pixelFormat;
    }

    public VideoEncoder Encoder { get; }

    /// <summary>FFmpeg's name of the layout that is encoded.</summary>
    public string PixelFormat { get; }

    /// <summary>What changes for the samples, one clause each.</summary>
    public IReadOnlyList<string> Notes { get; private init; } = [];

    /// <summary>Ending of a file that holds the encoded video alone and keeps everything.</summary>
    public string SegmentExtension { get; private init; } = ".nut";

    /// <summary>ffmpeg's options before the input.</summary>
    public IReadOnlyList<string> InputArguments { get; private init; } = [];

    /// <summary>Tags of the stream, as ffmpeg's options: a container has to be told them too where the encoded frames do not carry them.</summary>
    public IReadOnlyList<(string Option, string Value)> Tags { get; private init; } = [];

    /// <summary>ffmpeg's options between the input and the output.</summary>
    public IReadOnlyList<string> Arguments { get; private init; } = [];

    public static VideoEncoding Make(MediaStream video, FrameFormat frames, string? loss, VideoEncoder encoder)
    {
        List<string> notes = [];
        PixelFormat stored = FfmpegPixelFormat.Nearest(video.PixelFormat!, out _);
        string pixelFormat = encoder.PixelFormatFor(stored, frames.Width, frames.Height);
        bool isStoredRgb = new FrameFormat(stored, 1, 1).IsRgb;
        if (loss is not null) notes.Add($"the {video.PixelFormat} video loses {loss}");
        else if (isStoredRgb) notes.Add($"the {video.PixelFormat} video is stored as {pixelFormat}");
        else if (FfmpegPixelFormat.Nearest(pixelFormat, out _) != stored) notes.Add($"the {video.PixelFormat} video is stored as {pixelFormat}, because {encoder.Name} does not take {frames.Width}x{frames.Height} frames of it");
        if (video.IsInterlaced) notes.Add("the video is interlaced; it is restored and stored as whole frames");
        string matrix = isStoredRgb ? "bt709" : YuvConversion.MatrixOf(video);
        ColorRange storedRange = isStoredRgb ? ColorRange.Limited : frames.Range;
        string? range = isStoredRgb ? "tv" : video.Color.Range ?? (frames.Range == ColorRange.Full ? "pc" : null);
        return new(encoder, pixelFormat)
        {
            Notes = notes,
            Tags = [.. new (string Option, string? Value)[] { ("-color_range", range), ("-colorspace", isStoredRgb ? matrix : video.Color.Matrix), ("-color_primaries", video.Color.Primaries), ("-color_trc", TransferOption(video.Color.Transfer)), ("-chroma_sample_location", video.Color.ChromaLocation) }.Where(tag => tag.Value is not null).Select(tag => (tag.Option, tag.Value!))],
            Arguments = ArgumentsFor(encoder, pixelFormat, frames.IsRgb ? YuvConversion.FromRgb(matrix, storedRange) : null,
                [("-color_range", range), ("-colorspace", isStoredRgb ? matrix : video.Color.Matrix), ("-color_primaries", video.Color.Primaries), ("-color_trc", TransferOption(video.Color.Transfer)), ("-chroma_sample_location", video.Color.ChromaLocation)]),
        };
    }

    public static VideoEncoding Make(FrameFormat frames, VideoEncoder encoder)
    {
        const string matrix = "bt709";
        string pixelFormat = encoder.PixelFormatFor(frames.Pixels, frames.Width, frames.Height);
        return new(encoder, pixelFormat)
        {
            Notes = frames.IsRgb ? [$"the {frames.Pixels} video is stored as {pixelFormat}"] : [],
            Arguments = ArgumentsFor(encoder, pixelFormat, frames.IsRgb ? YuvConversion.FromRgb(matrix, ColorRange.Limited) : null, frames.IsRgb ? [("-color_range", "tv"), ("-colorspace", matrix)] : []),
        };
    }

    private static string[] ArgumentsFor(VideoEncoder encoder, string pixelFormat, string? filter, (string Option, string? Value)[] color) =>
        [.. encoder.Arguments, "-pix_fmt", pixelFormat, .. filter is null ? Array.Empty<string>() : ["-vf", filter], .. color.Where(tag => tag.Value is not null).SelectMany(tag => new[] { tag.Option, tag.Value! })];

    private static string? TransferOption(string? transfer) => transfer switch
    {
        "bt470m" => "gamma22",
        "bt470bg" => "gamma28",
        _ => transfer,
    };
}
