using System.Globalization;
using System.Text.RegularExpressions;

namespace RealtimeDeblur.Video.Live;

/// <summary>A sample format and size that a camera offers, or a range of sizes, with the rates that go with it.</summary>
/// <param name="Format">Four characters, as V4L2 names it: <c>MJPG</c>, <c>YUYV</c>.</param>
/// <param name="Width">Columns; the most, where a range of sizes is offered.</param>
/// <param name="Height">Rows; the most, where a range of sizes is offered.</param>
/// <param name="Rates">Frames per second, fastest first; of a range (<see cref="HasRateRange"/>) the two ends. Empty if the camera does not say.</param>
public sealed partial record CameraMode(string Format, int Width, int Height, IReadOnlyList<double> Rates)
{
    /// <summary>A camera says 29.97 and means 30.</summary>
    private const double RateTolerance = 0.5;

    /// <summary>The fewest columns and rows; the same as the most for a fixed size.</summary>
    public (int Width, int Height) Smallest { get; init; } = (Width, Height);

    /// <summary>Columns and rows from one size of the range to the next; 1 or more.</summary>
    public (int Width, int Height) Step { get; init; } = (1, 1);

    /// <summary>Whether every rate between the two in <see cref="Rates"/> is offered.</summary>
    public bool HasRateRange { get; init; }

    /// <summary>As a list shows it: <c>MJPG 1280x720 at 30, 15 frames/s</c>.</summary>
    public override string ToString()
    {
        string size = Smallest == (Width, Height) ? $"{Width}x{Height}" : $"{Smallest.Width}x{Smallest.Height} to {Width}x{Height}";
        string rates = Rates.Count == 0 ? "" : $" at {string.Join(HasRateRange ? " to " : ", ", Rates.Select(rate => rate.ToString("0.##", CultureInfo.InvariantCulture)))} frames/s";
        return $"{Format} {size}{rates}";
    }

    /// <summary>Reads what <c>v4l2-ctl --list-formats-ext</c> prints; lines that it does not know are passed over.</summary>
    public static IReadOnlyList<CameraMode> Parse(string listing)
    {
        List<CameraMode> modes = [];
        string format = "";
        List<double> rates = [];
        foreach (string line in listing.Split('\n'))
        {
            if (FormatLine().Match(line) is { Success: true } formatLine)
            {
                format = formatLine.Groups["format"].Value.TrimEnd();
            }
            else if (SizeLine().Match(line) is { Success: true } size)
            {
                int Number(string name, int otherwise) => size.Groups[name].Success ? int.Parse(size.Groups[name].ValueSpan, CultureInfo.InvariantCulture) : otherwise;
                int width = Number("w", 1), height = Number("h", 1);
                rates = [];
                modes.Add(new(format, Number("w2", width), Number("h2", height), rates) { Smallest = (width, height), Step = (Math.Max(1, Number("sw", 1)), Math.Max(1, Number("sh", 1))) });
            }
            else if (IntervalLine().Match(line) is { Success: true } interval)
            {
                double Rate(string name) => double.Parse(interval.Groups[name].ValueSpan, CultureInfo.InvariantCulture);
                rates.Add(Rate("r"));
                if (interval.Groups["r2"].Success)
                {
                    rates.Add(Rate("r2"));
                    modes[^1] = modes[^1] with { HasRateRange = true };
                }
                rates.Sort((a, b) => b.CompareTo(a));
            }
        }
        return modes;
    }

    /// <summary>Chooses the mode that comes nearest to what is wanted: in size, then in rate. Where several do, samples that were not compressed win over JPEG.</summary>
    /// <param name="modes">What the camera offers.</param>
    /// <param name="width">Wanted columns.</param>
    /// <param name="height">Wanted rows.</param>
    /// <param name="framesPerSecond">Wanted rate. A faster one serves as well, a slower one does not.</param>
    /// <returns>One size at one rate (none if the camera does not say); null if no mode is one that can be read.</returns>
    public static CameraMode? Choose(IEnumerable<CameraMode> modes, int width, int height, double framesPerSecond)
    {
        return modes.Where(mode => mode.Format is "MJPG" or "YUYV")
            .Select(mode => mode.Nearest(width, height, framesPerSecond))
            .OrderBy(mode => Math.Abs(Math.Log((double)mode.Width * mode.Height / ((double)width * height))) + Math.Abs(Math.Log((double)mode.Width * height / ((double)mode.Height * width))))
            .ThenBy(mode => Math.Max(0, framesPerSecond - RateTolerance - mode.Rates.FirstOrDefault(framesPerSecond)))
            .ThenBy(mode => Math.Max(0, mode.Rates.FirstOrDefault(framesPerSecond) - framesPerSecond))
            .ThenBy(mode => mode.Format == "MJPG")
            .FirstOrDefault();
    }

    /// <summary>The nearest size and rate of this mode.</summary>
    private CameraMode Nearest(int width, int height, double framesPerSecond)
    {
        static int Within(int wanted, int smallest, int largest, int step) => smallest + (Math.Clamp(wanted, smallest, largest) - smallest) / step * step;
        int w = Within(width, Smallest.Width, Width, Step.Width), h = Within(height, Smallest.Height, Height, Step.Height);
        if (Rates.Count == 0) return new(Format, w, h, []);
        // Of those that are fast enough the slowest; a range, of which the ends are known, holds the wanted one itself.
        double rate = HasRateRange ? Math.Clamp(framesPerSecond, Rates[^1], Rates[0]) : Rates.LastOrDefault(offered => offered >= framesPerSecond - RateTolerance, Rates[0]);
        return new(Format, w, h, [rate]);
    }

    [GeneratedRegex(@"^\s*\[\d+\]: '(?<format>....)'")]
    private static partial Regex FormatLine();

    [GeneratedRegex(@"^\s*Size: (Discrete|Stepwise|Continuous) (?<w>\d+)x(?<h>\d+)( - (?<w2>\d+)x(?<h2>\d+)( with step (?<sw>\d+)/(?<sh>\d+))?)?")]
    private static partial Regex SizeLine();

    [GeneratedRegex(@"^\s*Interval: .*\((?<r>[\d.]+)(-(?<r2>[\d.]+))? fps\)")]
    private static partial Regex IntervalLine();
}
