using System.Text.RegularExpressions;

namespace RealtimeDeblur.Video;

/// <summary>An option of ffmpeg for an encoder.</summary>
/// <param name="Name">As ffmpeg names it, e.g. <c>preset</c>; a dash before it and <c>:v</c> behind it change nothing.</param>
/// <param name="Value">As ffmpeg takes it.</param>
public sealed partial record EncoderOption(string Name, string Value)
{
    /// <summary>Reads <c>NAME=VALUE</c>; the value may hold more equals signs.</summary>
    /// <exception cref="FormatException">There is no name or no equals sign.</exception>
    public static EncoderOption Parse(string text)
    {
        int at = text.IndexOf('=', StringComparison.Ordinal);
        if (at <= 0) throw new FormatException($"'{text}' is no option: write NAME=VALUE, e.g. preset=slow.");
        return new(text[..at], text[(at + 1)..]);
    }

    /// <summary>Under the bare name.</summary>
    /// <exception cref="ArgumentException">The name has characters that no option has.</exception>
    internal EncoderOption Normalized()
    {
        string bare = Name.TrimStart('-');
        if (bare.EndsWith(":v", StringComparison.Ordinal)) bare = bare[..^2];
        if (!Bare().IsMatch(bare)) throw new ArgumentException($"'{Name}' is no option of an encoder: write NAME=VALUE, e.g. preset=slow.");
        return new(bare, Value);
    }

    [GeneratedRegex("^[A-Za-z0-9_-]+$")]
    private static partial Regex Bare();
}
