using System.Globalization;
using System.Net;
using System.Text;

namespace RealtimeDeblur.Cli.Report;

/// <summary>A line of a plot, or a point, or points joined.</summary>
/// <param name="Name">What stands beside it; null for none.</param>
/// <param name="Points">In the units of the axes; what is not finite is left out.</param>
/// <param name="Style">Number of its colour and marker; series of equal numbers look alike.</param>
internal sealed record PlotSeries(string? Name, IReadOnlyList<(double X, double Y)> Points, int Style)
{
    /// <summary>Whether it is dashed, with hollow markers.</summary>
    public bool IsOpen { get; init; }

    /// <summary>Whether it is drawn heavier than the others.</summary>
    public bool IsHeavy { get; init; }
}

/// <summary>
/// A plot as SVG that follows the page: colours are classes <c>s0</c> to <c>s7</c> of its style sheet, so that it reads on light and dark ground. Series are named where they end, or beside their points; names never overlap.
/// </summary>
/// <param name="Title">Above the plot.</param>
/// <param name="XLabel">Below it, with its unit.</param>
/// <param name="YLabel">Beside the axis, with its unit.</param>
internal sealed record SvgPlot(string Title, string XLabel, string YLabel)
{
    private const int Width = 560, Height = 360, Left = 52, Top = 34, Bottom = 44;
    private const int ColorCount = 8, TextHeight = 13;

    /// <summary>Width of a letter of the labels, a little more than their mean.</summary>
    private const double LetterWidth = 6.2;

    public IReadOnlyList<PlotSeries> Series { get; init; } = [];

    /// <summary>Whether x is logarithmic.</summary>
    public bool IsLogX { get; init; }

    /// <summary>Whether names stand in a column at the right, where lines end, instead of beside single points.</summary>
    public bool NamesAtEnd { get; init; } = true;

    /// <summary>Least y that is drawn; null for whatever there is.</summary>
    public double? LeastY { get; init; }

    /// <summary>A horizontal line, such as the value without any method; null for none.</summary>
    public (double Y, string Name)? Reference { get; init; }

    public string Write()
    {
        (double X, double Y)[] points = [.. Series.SelectMany(series => series.Points).Where(IsFinite)];
        if (points.Length == 0) return "";
        int right = NamesAtEnd ? Width - 20 - (int)Math.Ceiling(LetterWidth * Series.Max(series => series.Name?.Length ?? 0)) : Width - 16;
        double[] ys = [.. points.Select(point => point.Y), .. Reference is { } reference ? (double[])[reference.Y] : []];
        (double lowX, double highX) = IsLogX
            ? (Math.Log10(points.Min(point => point.X)) - 0.25, Math.Log10(points.Max(point => point.X)) + (NamesAtEnd ? 0.1 : 0.6))
            : (points.Min(point => point.X), points.Max(point => point.X));
        if (highX - lowX < 1e-9) (lowX, highX) = (lowX - 1, highX + 1);
        double[] ticksY = Ticks(Math.Max(ys.Min(), LeastY ?? double.NegativeInfinity), ys.Max());
        (double lowY, double highY) = (ticksY[0], ticksY[^1]);

        StringBuilder svg = new();
        svg.Append(CultureInfo.InvariantCulture, $"<svg class=\"plot\" viewBox=\"0 0 {Width} {Height}\" role=\"img\" aria-label=\"{Encode(Title)}\">");
        Text(Left, 16, Title, "title", "start");
        foreach (double tick in ticksY)
        {
            Line(Left, Y(tick), right, Y(tick), "grid");
            Text(Left - 7, Y(tick) + 4, Format(tick), "tick", "end");
        }
        foreach (double tick in IsLogX ? LogTicks(lowX, highX) : [.. points.Select(point => point.X).Distinct().Order()])
        {
            Line(X(tick), Height - Bottom, X(tick), Height - Bottom + 4, "axis");
            Text(X(tick), Height - Bottom + 17, FormatX(tick), "tick", "middle");
        }
        Line(Left, Height - Bottom, right, Height - Bottom, "axis");
        Text((Left + right) / 2.0, Height - 8, XLabel, "label", "middle");
        svg.Append(CultureInfo.InvariantCulture, $"<text class=\"label\" text-anchor=\"middle\" transform=\"translate(12 {(Top + Height - Bottom) / 2}) rotate(-90)\">{Encode(YLabel)}</text>");

        List<Box> taken = [];
        if (Reference is { } line)
        {
            Line(Left, Y(line.Y), right, Y(line.Y), "reference");
            Text(right - 4, Y(line.Y) - 4, line.Name, "name", "end");
            taken.Add(new(right - 4 - LetterWidth * line.Name.Length, Y(line.Y) - 16, right - 4, Y(line.Y) + 2));
        }
        foreach (PlotSeries series in Series) Draw(series);
        if (NamesAtEnd) NameAtEnds();
        else NameBesidePoints();
        return svg.Append("</svg>").ToString();

        double X(double x) => Left + (right - Left) * ((IsLogX ? Math.Log10(x) : x) - lowX) / (highX - lowX);
        double Y(double y) => Height - Bottom - (Height - Bottom - Top) * (Math.Max(y, lowY) - lowY) / (highY - lowY);
        void Line(double x1, double y1, double x2, double y2, string of) => svg.Append(CultureInfo.InvariantCulture, $"<line class=\"{of}\" x1=\"{x1:0.#}\" y1=\"{y1:0.#}\" x2=\"{x2:0.#}\" y2=\"{y2:0.#}\"/>");
        void Text(double x, double y, string text, string of, string anchor) => svg.Append(CultureInfo.InvariantCulture, $"<text class=\"{of}\" x=\"{x:0.#}\" y=\"{y:0.#}\" text-anchor=\"{anchor}\">{Encode(text)}</text>");

        void Draw(PlotSeries series)
        {
            (double X, double Y)[] drawn = [.. series.Points.Where(IsFinite)];
            string looks = $"s{series.Style % ColorCount}{(series.IsOpen ? " open" : "")}{(series.IsHeavy ? " heavy" : "")}";
            if (drawn.Length > 1)
            {
                string path = string.Join(' ', drawn.Select(point => string.Create(CultureInfo.InvariantCulture, $"{X(point.X):0.#},{Y(point.Y):0.#}")));
                svg.Append(CultureInfo.InvariantCulture, $"<polyline class=\"curve {looks}\" points=\"{path}\"/>");
            }
            foreach ((double x, double y) in drawn)
            {
                (double cx, double cy) = (X(x), Y(y));
                taken.Add(new(cx - 5, cy - 5, cx + 5, cy + 5));
                svg.Append(CultureInfo.InvariantCulture, $"<path class=\"marker {looks}\" d=\"{Marker(series.Style / ColorCount, cx, cy)}\"><title>{Encode(series.Name ?? "")} {y:0.00}</title></path>");
            }
        }

        // From top to bottom, each at its line's end or, where that is taken, as near below as possible; then the lowest are pushed up into the plot.
        void NameAtEnds()
        {
            (PlotSeries Series, double Y, double X)[] ends = [.. Series
                .Where(series => series.Name is not null && series.Points.Any(IsFinite))
                .Select(series => series.Points.Last(IsFinite) is var end ? (series, Y(end.Y), X(end.X)) : default)
                .OrderBy(end => end.Item2)];
            double[] at = [.. ends.Select(end => end.Y)];
            for (int i = 1; i < at.Length; i++) at[i] = Math.Max(at[i], at[i - 1] + TextHeight);
            double bottom = Height - Bottom + 4;
            for (int i = at.Length - 1; i >= 0; i--)
            {
                at[i] = Math.Min(at[i], bottom);
                bottom = at[i] - TextHeight;
            }
            for (int i = 0; i < at.Length; i++)
            {
                Line(ends[i].X + 5, ends[i].Y, right + 10, at[i], $"leader s{ends[i].Series.Style % ColorCount}");
                Text(right + 13, at[i] + 4, ends[i].Series.Name!, $"name s{ends[i].Series.Style % ColorCount}", "start");
            }
        }

        void NameBesidePoints()
        {
            foreach (PlotSeries series in Series.Where(series => series.Name is not null && series.Points.Any(IsFinite)))
            {
                (double x, double y) = series.Points.Where(IsFinite).MaxBy(point => point.Y);
                (double cx, double cy, double width) = (X(x), Y(y), LetterWidth * series.Name!.Length);
                Box best = default;
                double leastOverlap = double.PositiveInfinity;
                // Right, left, above and below first, then further away.
                foreach (double away in (double[])[8, 18, 30, 44, 60])
                foreach ((double dx, double dy) in ((double, double)[])[(away, 0), (-away - width, 0), (-width / 2, -away), (-width / 2, away), (away, -away), (away, away), (-away - width, -away), (-away - width, away)])
                {
                    Box box = new(cx + dx, cy + dy - TextHeight / 2.0, cx + dx + width, cy + dy + TextHeight / 2.0);
                    if (box.Left < Left || box.Right > Width - 2 || box.Top < Top - 8 || box.Bottom > Height - Bottom) continue;
                    double overlap = taken.Sum(box.Overlap) + 0.01 * away;
                    if (overlap < leastOverlap) (leastOverlap, best) = (overlap, box);
                }
                taken.Add(best);
                string color = $"s{series.Style % ColorCount}";
                double nearX = Math.Clamp(cx, best.Left, best.Right), nearY = Math.Clamp(cy, best.Top, best.Bottom);
                if (Math.Abs(nearX - cx) + Math.Abs(nearY - cy) > 14) Line(cx, cy, nearX, nearY, $"leader {color}");
                Text(best.Left, best.Bottom - 3, series.Name!, $"name {color}", "start");
            }
        }
    }

    /// <summary>Round numbers that enclose a range, at most eight.</summary>
    internal static double[] Ticks(double low, double high)
    {
        const int Most = 7;
        if (high - low < 1e-6) (low, high) = (low - 0.5, high + 0.5);
        double step = Math.Pow(10, Math.Floor(Math.Log10((high - low) / Most)));
        foreach (double factor in (double[])[1, 2, 5, 10])
        {
            if ((high - low) / (step * factor) > Most) continue;
            step *= factor;
            break;
        }
        long first = (long)Math.Floor(low / step + 1e-9), last = (long)Math.Ceiling(high / step - 1e-9);
        return [.. Enumerable.Range(0, (int)(last - first) + 1).Select(i => (first + i) * step)];
    }

    /// <summary>Powers of ten, with 2 and 5 between where there are few.</summary>
    private static double[] LogTicks(double low, double high)
    {
        double[] factors = high - low > 2.5 ? [1] : [1, 2, 5];
        return [.. Enumerable.Range((int)Math.Floor(low), (int)(Math.Ceiling(high) - Math.Floor(low)) + 1).SelectMany(power => factors.Select(factor => factor * Math.Pow(10, power))).Where(tick => Math.Log10(tick) >= low && Math.Log10(tick) <= high)];
    }

    private static string Marker(int shape, double x, double y) => (shape % 3) switch
    {
        0 => string.Create(CultureInfo.InvariantCulture, $"M{x - 3.5:0.#} {y:0.#}a3.5 3.5 0 1 0 7 0a3.5 3.5 0 1 0 -7 0"),
        1 => string.Create(CultureInfo.InvariantCulture, $"M{x - 3.2:0.#} {y - 3.2:0.#}h6.4v6.4h-6.4z"),
        _ => string.Create(CultureInfo.InvariantCulture, $"M{x - 4:0.#} {y + 3.2:0.#}h8l-4 -7z"),
    };

    private static bool IsFinite((double X, double Y) point) => double.IsFinite(point.X) && double.IsFinite(point.Y);

    private static string Format(double value) => Math.Round(value, 6).ToString("0.######", CultureInfo.InvariantCulture);

    private static string FormatX(double value) => value >= 1000 ? value.ToString("#,0", CultureInfo.InvariantCulture) : Format(value);

    private static string Encode(string text) => WebUtility.HtmlEncode(text);

    private readonly record struct Box(double Left, double Top, double Right, double Bottom)
    {
        public double Overlap(Box other) => Math.Max(0, Math.Min(Right, other.Right) - Math.Max(Left, other.Left)) * Math.Max(0, Math.Min(Bottom, other.Bottom) - Math.Max(Top, other.Top));
    }
}
