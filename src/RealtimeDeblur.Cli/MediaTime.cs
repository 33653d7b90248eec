using System.Diagnostics.CodeAnalysis;
using System.Globalization;
using System.Text.RegularExpressions;

namespace RealtimeDeblur.Cli;

/// <summary>Times within a video as people write them: <c>90</c> and <c>90s</c> are seconds, <c>1:30</c> and <c>0:01:30.5</c> count minutes and hours too, and so do <c>1.5m</c> and <c>2h</c>.</summary>
internal static partial class MediaTime
{
    private const double MaxSeconds = 1000 * 3600;

    /// <summary>Reads one. False if it is none, or below zero.</summary>
    public static bool TryParse([NotNullWhen(true)] string? text, out TimeSpan time)
    {
        time = TimeSpan.Zero;
        if (text is null || Form().Match(text.Trim()) is not { Success: true } parts) return false;
        double seconds = Number("seconds") * (parts.Groups["unit"].Value switch { "ms" => 0.001, "m" or "min" => 60, "h" => 3600, _ => 1 }) + 60 * Number("minutes") + 3600 * Number("hours");
        if (!(seconds <= MaxSeconds)) return false;
        time = TimeSpan.FromSeconds(seconds);
        return true;

        double Number(string name) => parts.Groups[name] is { Success: true } number ? double.Parse(number.Value, NumberStyles.AllowDecimalPoint, CultureInfo.InvariantCulture) : 0;
    }

    [GeneratedRegex(@"^((?<seconds>\d+(\.\d+)?) ?(?<unit>ms|s|m|min|h)?|((?<hours>\d+):)?(?<minutes>\d+):(?<seconds>\d+(\.\d+)?))$", RegexOptions.ExplicitCapture)]
    private static partial Regex Form();
}
