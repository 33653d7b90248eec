using RealtimeDeblur.Imaging;

namespace RealtimeDeblur.Video;

/// <summary>How restored frames become a video stream: encoder, layout of the samples, and everything that is said about them.</summary>
public sealed record VideoEncoding
{
    private const string Rgb = "rgb";

    private readonly IReadOnlyList<EncoderOption> _fromVideo;
    private readonly IReadOnlyList<string> _filters;
    private readonly IReadOnlyList<(string Option, string? Value)> _tags;
    private readonly bool _codesFields;

    private VideoEncoding(VideoEncoder encoder, string pixelFormat, IReadOnlyList<EncoderOption> fromVideo, IReadOnlyList<string> filters, IReadOnlyList<(string, string?)> tags, bool codesFields)
    {
        Encoder = encoder;
        PixelFormat = pixelFormat;
        _fromVideo = fromVideo;
        _filters = filters;
        _tags = tags;
        _codesFields = codesFields;
    }

    public VideoEncoder Encoder { get; }

    /// <summary>FFmpeg's name of the layout that is encoded.</summary>
    public string PixelFormat { get; }

    /// <summary>What changes for the samples, and what is said about them that gets lost: one lower-case clause each.</summary>
    public IReadOnlyList<string> Notes { get; private init; } = [];

    /// <summary>ffmpeg's arguments before its input.</summary>
    public IReadOnlyList<string> InputArguments => Encoder.InputArguments;

    /// <summary>ffmpeg's arguments between the raw frames and an output with one video stream: encoder, filters, tags.</summary>
    public IReadOnlyList<string> Arguments => ArgumentsFor("v");

    /// <summary>
    /// Ending of a file that holds the stream alone and loses nothing of it: <c>.nut</c>, which keeps every timestamp, wherever it can; <c>.mp4</c> where frames are stored in another order than they are shown in, because
    /// NUT does not tell when each is to be decoded.
    /// </summary>
    public string SegmentExtension => HasAlphaLayer ? ".mkv" : Encoder.Name == "qtrle" ? ".mov" : Encoder.ReordersFrames ? ".mp4" : ".nut";

    /// <summary>Whether transparency travels as a second stream beside the first, as VP8 and VP9 do it.</summary>
    private bool HasAlphaLayer => Encoder.Name is "libvpx" or "libvpx-vp9" && SampleTraits.OfFfmpeg(PixelFormat)?.HasAlpha == true;

    /// <summary>Decides how to encode the restored frames of a file.</summary>
    /// <param name="video">The stream that they come from, as its frames are handed out.</param>
    /// <param name="frames">Their format.</param>
    /// <param name="loss">What it could not hold of the stream's samples; null if nothing.</param>
    /// <param name="encoder">Encoder.</param>
    /// <exception cref="InvalidDataException">The encoder cannot take the frames.</exception>
    public static VideoEncoding Make(MediaStream video, FrameFormat frames, string? loss, VideoEncoder encoder)
    {
        List<string> notes = [.. encoder.Remarks];
        string name = video.PixelFormat!;
        SampleTraits held = SampleTraits.Of(FfmpegPixelFormat.Nearest(name, out _));
        // RGB of 10 or 12 bits goes through frames of 16.
        SampleTraits wanted = SampleTraits.OfFfmpeg(name) is { } own && own.IsRgb == held.IsRgb ? held with { Depth = Math.Min(own.Depth, held.Depth) } : held;
        string pixelFormat = encoder.PixelFormatFor(wanted, name, frames.Width, frames.Height);
        SampleTraits stored = SampleTraits.OfFfmpeg(pixelFormat)!.Value;
        if (loss is not null) notes.Add($"the {name} video loses {loss}");
        if (held.HasAlpha && !stored.HasAlpha) notes.Add($"the {name} video loses its transparency, which {encoder.Name} does not store; ffv1, prores and, in .webm and .mkv, vp9 do");
        if (stored with { HasAlpha = wanted.HasAlpha } != wanted) notes.Add($"the {name} video is stored as {pixelFormat}, because {encoder.Name} does not take {frames.Width}x{frames.Height} frames of it");

        // RGB has no matrix and full range; stored as YCbCr it gets what every player understands.
        bool gainsMatrix = held.IsRgb && !stored.IsRgb;
        string matrix = gainsMatrix ? "bt709" : YuvConversion.MatrixOf(video);
        ColorRange range = gainsMatrix ? ColorRange.Limited : frames.Range;
        ColorTags tags = stored.IsRgb ? video.Color with { Range = "pc", Matrix = Rgb, ChromaLocation = null }
            : gainsMatrix ? video.Color with { Range = "tv", Matrix = matrix, ChromaLocation = null }
            : video.Color with
            {
                Range = video.Color.Range ?? (frames.Range == ColorRange.Full ? "pc" : null),
                ChromaLocation = stored.Chroma == wanted.Chroma ? video.Color.ChromaLocation : null,
            };

        FieldOrder fields = video.FieldOrder;
        // Half-height chroma of each field must have whole rows.
        bool codesFields = fields != FieldOrder.Progressive && encoder.CodesFields && (stored.Chroma != ChromaSamples.HalfWidthAndHeight || frames.Height % 4 == 0);
        if (fields != FieldOrder.Progressive && !codesFields) notes.Add($"the video is interlaced; {encoder.Name} stores its fields as whole frames");

        List<EncoderOption> fromVideo = [.. HdrOptions(video, encoder, notes)];
        if (video.DynamicMetadata.Count > 0) notes.Add($"its {string.Join(" and ", video.DynamicMetadata)} metadata is lost");
        return new(encoder, pixelFormat, fromVideo, Filters(SampleTraits.Of(frames.Pixels), frames, stored, pixelFormat, matrix, range, fields, tags, encoder), Tags(tags, video.FieldOrderTag ?? fields switch { FieldOrder.TopFirst => "tt", FieldOrder.BottomFirst => "bb", _ => null }), codesFields) { Notes = notes };
    }

    /// <summary>As <see cref="Make(MediaStream, FrameFormat, string?, VideoEncoder)"/>, for frames that come from no file: YCbCr is not said to be of any matrix.</summary>
    /// <param name="frames">Their format.</param>
    /// <param name="encoder">Encoder.</param>
    /// <exception cref="InvalidDataException">The encoder cannot take the frames.</exception>
    public static VideoEncoding Make(FrameFormat frames, VideoEncoder encoder)
    {
        SampleTraits wanted = SampleTraits.Of(frames.Pixels);
        string pixelFormat = encoder.PixelFormatFor(frames.Pixels, frames.Width, frames.Height);
        SampleTraits stored = SampleTraits.OfFfmpeg(pixelFormat)!.Value;
        List<string> notes = [.. encoder.Remarks];
        if (stored != wanted) notes.Add($"the {frames.Pixels} video is stored as {pixelFormat}");
        const string matrix = "bt709";
        bool gainsMatrix = wanted.IsRgb && !stored.IsRgb;
        ColorTags tags = stored.IsRgb ? new() { Range = "pc", Matrix = Rgb } : gainsMatrix ? new() { Range = "tv", Matrix = matrix } : new();
        string filterMatrix = gainsMatrix ? matrix : YuvConversion.UsualMatrix(frames.Width, frames.Height);
        ColorRange range = gainsMatrix ? ColorRange.Limited : frames.Range;
        return new(encoder, pixelFormat, [], Filters(wanted, frames, stored, pixelFormat, filterMatrix, range, FieldOrder.Progressive, tags, encoder), Tags(tags, null), codesFields: false) { Notes = notes };
    }

    /// <summary>As <see cref="Arguments"/>, for a stream that is not the only one.</summary>
    /// <param name="stream">FFmpeg's specifier of it.</param>
    internal IReadOnlyList<string> ArgumentsFor(string stream) =>
    [
        .. Encoder.Arguments(stream, PixelFormat, _fromVideo),
        // Hardware's own layout is settled by the filter.
        .. Encoder.IsVaapi ? Array.Empty<string>() : [$"-pix_fmt:{stream}", PixelFormat],
        .. _filters.Count > 0 ? [$"-filter:{stream}", string.Join(',', _filters)] : Array.Empty<string>(),
        .. _codesFields ? [$"-flags:{stream}", "+ildct+ilme"] : Array.Empty<string>(),
        .. TagArguments(stream),
    ];

    /// <summary>
    /// ffmpeg's arguments for an output that takes the encoded stream with <c>-c copy</c>: the tags again, for containers that keep them beside streams which do not hold them, such as FFV1's.
    /// </summary>
    /// <param name="stream">FFmpeg's specifier of it.</param>
    internal IReadOnlyList<string> TagArguments(string stream) =>
    [
        .. _tags.Where(tag => tag.Value is not null).SelectMany(tag => (string[])[$"{tag.Option}:{stream}", tag.Value!]),
        .. HasAlphaLayer ? [$"-metadata:s:{stream}", "alpha_mode=1"] : Array.Empty<string>(),
    ];

    /// <summary>Conversion to what is stored, and what frames say of themselves: some encoders look there, not at options.</summary>
    private static List<string> Filters(SampleTraits given, FrameFormat frames, SampleTraits stored, string pixelFormat, string matrix, ColorRange range, FieldOrder fields, ColorTags tags, VideoEncoder encoder)
    {
        List<string> filters = [];
        if (fields != FieldOrder.Progressive) filters.Add($"setfield={(fields == FieldOrder.TopFirst ? "tff" : "bff")}");
        if (given.IsRgb && !stored.IsRgb) filters.Add(YuvConversion.FromRgb(matrix, range));
        else if (!given.IsRgb && stored.IsRgb) filters.Add(YuvConversion.ToRgb(matrix, range));
        else if (!given.IsRgb && stored != given) filters.Add(YuvConversion.KeepRange(range));
        if (encoder.IsVaapi || pixelFormat != FfmpegPixelFormat.Name(frames.Pixels)) filters.Add($"format={pixelFormat}");
        (string Name, string? Value)[] said = [("range", tags.Range), ("colorspace", tags.Matrix == Rgb ? "gbr" : tags.Matrix), ("color_primaries", tags.Primaries), ("color_trc", tags.Transfer)];
        string parameters = string.Join(':', said.Where(tag => tag.Value is not null).Select(tag => $"{tag.Name}={tag.Value}"));
        if (parameters.Length > 0) filters.Add($"setparams={parameters}");
        if (encoder.IsVaapi) filters.Add("hwupload");
        return filters;
    }

    /// <summary>Tags as ffmpeg's options; null values are left out.</summary>
    private static (string, string?)[] Tags(ColorTags tags, string? fields) =>
    [
        ("-color_range", tags.Range),
        ("-colorspace", tags.Matrix),
        ("-color_primaries", tags.Primaries),
        ("-color_trc", TransferOption(tags.Transfer)),
        ("-chroma_sample_location", tags.ChromaLocation),
        ("-field_order", fields),
    ];

    /// <summary>ffprobe and ffmpeg's options have different names for the two old transfer curves.</summary>
    private static string? TransferOption(string? transfer) => transfer switch
    {
        "bt470m" => "gamma22",
        "bt470bg" => "gamma28",
        _ => transfer,
    };

    /// <summary>What the encoder is told of the screen that HDR video was graded on; a note where it cannot store that.</summary>
    private static List<EncoderOption> HdrOptions(MediaStream video, VideoEncoder encoder, List<string> notes)
    {
        if (video.MasteringDisplay is null && video.ContentLight is null) return [];
        (string Option, string Display, string Light)? names = encoder.Name switch
        {
            "libx265" => ("x265-params", "master-display", "max-cll"),
            "libx264" => ("x264-params", "mastering-display", "cll"),
            "libsvtav1" => ("svtav1-params", "mastering-display", "content-light"),
            _ => null,
        };
        if (names is { } known)
        {
            List<string> parameters = [];
            if (video.MasteringDisplay is { } display) parameters.Add($"{known.Display}={(encoder.Name == "libsvtav1" ? display.InPlainNumbers : display.InStreamUnits)}");
            if (video.ContentLight is { } light) parameters.Add($"{known.Light}={light.Text}");
            EncoderOption option = new(known.Option, string.Join(':', parameters));
            // Older versions of the libraries do not know them.
            if (encoder.Takes(option)) return [option];
        }
        string lost = string.Join(" and ", new[] { video.MasteringDisplay is null ? null : "mastering display", video.ContentLight is null ? null : "content light level" }.OfType<string>());
        notes.Add($"the {lost} values of its HDR are lost, because {encoder.Name} does not store them; libx265 and libsvtav1 do");
        return [];
    }
}
