using ScottPlot;

namespace RealtimeDeblur.Benchmarks;

/// <summary>Time against pixels on logarithmic axes, a line per network and program: where time grows in proportion to the pixels, lines are straight at 45 degrees.</summary>
internal static class TimePlot
{
    private const int Width = 1100, Height = 700;
    private static readonly Color[] ModelColors = [Color.FromHex("#1f77b4"), Color.FromHex("#d62728"), Color.FromHex("#2ca02c"), Color.FromHex("#9467bd"), Color.FromHex("#ff7f0e"), Color.FromHex("#8c564b")];

    public static void Write(IReadOnlyList<Timing> timings, string title, string path)
    {
        using var plot = new Plot();
        string[] models = [.. timings.Select(timing => timing.Model).Distinct()];
        foreach (IGrouping<(string Model, bool IsOurs), Timing> line in timings
            .GroupBy(timing => (timing.Model, timing.W, timing.H, IsOurs: timing.Program.StartsWith("RealtimeDeblur", StringComparison.Ordinal)))
            // Of the others, the fastest.
            .Select(group => group.MinBy(timing => timing.MedianMs)!)
            .GroupBy(timing => (timing.Model, timing.Program.StartsWith("RealtimeDeblur", StringComparison.Ordinal))))
        {
            Timing[] points = [.. line.OrderBy(timing => (long)timing.W * timing.H)];
            ScottPlot.Plottables.Scatter scatter = plot.Add.Scatter(
                points.Select(point => Math.Log10((double)point.W * point.H)).ToArray(), points.Select(point => Math.Log10(point.MedianMs)).ToArray());
            scatter.Color = ModelColors[Array.IndexOf(models, line.Key.Model) % ModelColors.Length];
            scatter.LinePattern = line.Key.IsOurs ? LinePattern.Solid : LinePattern.Dashed;
            scatter.LineWidth = 2;
            scatter.MarkerSize = 8;
            scatter.LegendText = $"{line.Key.Model}, {(line.Key.IsOurs ? "RealtimeDeblur" : "fastest other")}";
        }
        // 30 frames per second.
        ScottPlot.Plottables.HorizontalLine realTime = plot.Add.HorizontalLine(Math.Log10(1000 / 30.0));
        realTime.Color = Colors.Gray;
        realTime.LinePattern = LinePattern.Dotted;
        realTime.LegendText = "30 frames per second";

        plot.Axes.Bottom.TickGenerator = Ticks(timings.Select(timing => ((double)timing.W * timing.H, $"{timing.W}x{timing.H}")).Distinct());
        plot.Axes.Left.TickGenerator = Ticks(Enumerable.Range(0, 15).Select(i => (i % 3 == 0 ? 1 : i % 3 == 1 ? 2 : 5) * Math.Pow(10, i / 3)).Select(value => (value, $"{value:0}")));
        plot.Title(title);
        plot.XLabel("frame size (pixels, logarithmic)");
        plot.YLabel("ms per frame (logarithmic)");
        plot.ShowLegend(Alignment.UpperLeft);
        plot.SavePng(path, Width, Height);

        static ScottPlot.TickGenerators.NumericManual Ticks(IEnumerable<(double Value, string Label)> ticks)
        {
            var generator = new ScottPlot.TickGenerators.NumericManual();
            foreach ((double value, string label) in ticks) generator.AddMajor(Math.Log10(value), label);
            return generator;
        }
    }
}
