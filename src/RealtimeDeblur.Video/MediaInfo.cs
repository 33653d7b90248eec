namespace RealtimeDeblur.Video;

/// <summary>What a stream of a media file holds.</summary>
public enum MediaStreamKind
{
    Video,
    Audio,
    Subtitle,

    /// <summary>A file inside the file, such as a font for its subtitles.</summary>
    Attachment,

    /// <summary>A cover picture, which players show beside sound.</summary>
    AttachedPicture,

    /// <summary>Anything else: time codes, sensor readings of phones.</summary>
    Data,
}

/// <summary>One stream of a media file, as ffprobe describes it. Properties that do not apply to its kind, or that the file does not tell, are null or unknown.</summary>
public sealed record MediaStream
{
    /// <summary>Position in the file, from 0: FFmpeg's stream specifier.</summary>
    public required int Index { get; init; }

    public required MediaStreamKind Kind { get; init; }

    /// <summary>FFmpeg's name of the codec; "unknown" if it knows none.</summary>
    public required string Codec { get; init; }

    /// <summary>The container's own name of the kind of data, as ffprobe prints it: <c>avc1</c>, <c>text</c>; null where it has none.</summary>
    public string? Tag { get; init; }

    /// <summary>Stored columns, before rotation.</summary>
    public int Width { get; init; }

    /// <summary>Stored rows, before rotation.</summary>
    public int Height { get; init; }

    /// <summary>FFmpeg's name of the sample layout, e.g. <c>yuv420p10le</c>.</summary>
    public string? PixelFormat { get; init; }

    public ColorTags Color { get; init; } = new();

    /// <summary>Seconds per unit of a timestamp.</summary>
    public Rational TimeBase { get; init; }

    /// <summary>Mean frame rate.</summary>
    public Rational FrameRate { get; init; }

    /// <summary>Presentation time of the first frame.</summary>
    public double? StartSeconds { get; init; }

    public double? DurationSeconds { get; init; }

    /// <summary>Frames as the container counts them; an edit list may hide some.</summary>
    public long? FrameCount { get; init; }

    /// <summary>Clockwise angle in degrees by which players turn the stored picture.</summary>
    public double RotationDegrees { get; init; }

    public int SampleRate { get; init; }

    /// <summary>What the stream is meant for, in FFmpeg's words: <c>default</c>, <c>forced</c>, <c>comment</c>.</summary>
    public IReadOnlyList<string> Dispositions { get; init; } = [];

    /// <summary>Whether players mirror the stored picture, besides turning it.</summary>
    public bool IsMirrored { get; init; }

    /// <summary>Whether frames are two fields of different times, and which of them is shown first.</summary>
    public FieldOrder FieldOrder { get; init; }

    /// <summary>The same as the file says it, in FFmpeg's words, which may tell apart how fields are stored and shown: <c>progressive</c>, <c>tt</c>, <c>tb</c>; null where it says nothing.</summary>
    public string? FieldOrderTag { get; init; }

    /// <summary>The screen that HDR video was graded on; null if the file does not say.</summary>
    public MasteringDisplay? MasteringDisplay { get; init; }

    /// <summary>How bright HDR video gets; null if the file does not say.</summary>
    public ContentLight? ContentLight { get; init; }

    /// <summary>Names of HDR metadata that change from frame to frame and that only the source's encoder could write: "Dolby Vision", "HDR10+".</summary>
    public IReadOnlyList<string> DynamicMetadata { get; init; } = [];

    /// <summary>FFmpeg's decoder that reads what its usual one for the codec leaves out; null where the usual one reads everything.</summary>
    public string? Decoder { get; init; }

    /// <summary>How messages name it: "stream 2 (audio, aac)".</summary>
    public string Label => $"stream {Index} ({Kind switch { MediaStreamKind.AttachedPicture => "cover picture", var kind => kind.ToString().ToLowerInvariant() }}, {Codec})";
}

/// <summary>Whether a frame is one picture or two fields, its even and its odd rows, of different times.</summary>
public enum FieldOrder
{
    /// <summary>One picture.</summary>
    Progressive,

    /// <summary>Two fields; the one with the uppermost row is shown first.</summary>
    TopFirst,

    /// <summary>Two fields; the one without the uppermost row is shown first.</summary>
    BottomFirst,
}

/// <summary>How code values are to be shown, in FFmpeg's words; null where the file does not say.</summary>
public sealed record ColorTags
{
    /// <summary><c>tv</c> or <c>pc</c>.</summary>
    public string? Range { get; init; }

    /// <summary>Matrix between RGB and YCbCr.</summary>
    public string? Matrix { get; init; }

    public string? Primaries { get; init; }

    public string? Transfer { get; init; }

    /// <summary>Where chroma samples lie between luma samples.</summary>
    public string? ChromaLocation { get; init; }
}

/// <summary>A media file, as ffprobe describes it.</summary>
/// <param name="Path">Where it is.</param>
/// <param name="Container">FFmpeg's names of the format, with commas.</param>
/// <param name="StartSeconds">Time of what is shown or heard first; null if the file does not say.</param>
/// <param name="DurationSeconds">Length; null if the file does not say.</param>
/// <param name="Streams">In the file's order.</param>
public sealed record MediaInfo(string Path, string Container, double? StartSeconds, double? DurationSeconds, IReadOnlyList<MediaStream> Streams)
{
    /// <summary>
    /// The video that a viewer means: the largest picture that moves. Phones store a still of higher resolution beside a clip, sound files a cover.
    /// Null without video.
    /// </summary>
    public MediaStream? MainVideo => Streams
        .Where(stream => stream is { Kind: MediaStreamKind.Video, Width: > 0, Height: > 0 })
        .OrderBy(stream => stream.FrameCount == 1)
        .ThenByDescending(stream => (long)stream.Width * stream.Height)
        .FirstOrDefault();
}
