using System.Text.Json.Serialization;

namespace RealtimeDeblur.Video.Segments;

/// <summary>What is written down about a finished segment: enough to trust it, and to go on behind it.</summary>
/// <param name="Frames">Frames in it; 0 where nothing is shown in its time, and then there is no file.</param>
/// <param name="FirstTimestamp">Of its first frame, in units of <paramref name="TimeBase"/>.</param>
/// <param name="LastTimestamp">Of its last frame; without one, of the last frame before it.</param>
/// <param name="TimeBase">What timestamps count in, as a fraction of a second.</param>
/// <param name="Bytes">Length of its file.</param>
/// <param name="Hash">XXH128 of its file, as hexadecimal digits.</param>
/// <param name="IsLast">Whether the video ends here.</param>
/// <param name="EarlyEnd">Whether it ends before its end, and what shows it.</param>
/// <param name="BlurMemory">What was known of the blur at its end.</param>
/// <param name="ComparedBlurMemory">What the method that it is compared with knew.</param>
internal sealed record SegmentRecord(long Frames, long FirstTimestamp, long LastTimestamp, Rational TimeBase, long Bytes, string Hash, bool IsLast, string? EarlyEnd, float[]? BlurMemory, float[]? ComparedBlurMemory = null)
{
    /// <summary>Time of its last frame, in seconds on the source's clock.</summary>
    [JsonIgnore]
    public double LastSeconds => LastTimestamp * TimeBase.Value;

    /// <summary>A time in which nothing is shown.</summary>
    public static SegmentRecord Empty(long lastTimestamp, Rational timeBase, bool isLast, string? earlyEnd, float[]? blurMemory, float[]? comparedBlurMemory) => new(0, 0, lastTimestamp, timeBase, 0, "", isLast, earlyEnd, blurMemory, comparedBlurMemory);
}

/// <summary>What a work folder is for: everything that the pictures in it depend on.</summary>
/// <param name="Version">Of the folder's layout.</param>
/// <param name="Settings">Names and values, as people read them.</param>
internal sealed record WorkManifest(int Version, IReadOnlyDictionary<string, string> Settings);

/// <summary>The files' form: indented, for people who look into them.</summary>
[JsonSourceGenerationOptions(WriteIndented = true, PropertyNamingPolicy = JsonKnownNamingPolicy.CamelCase)]
[JsonSerializable(typeof(SegmentRecord))]
[JsonSerializable(typeof(WorkManifest))]
internal sealed partial class SegmentJson : JsonSerializerContext;
