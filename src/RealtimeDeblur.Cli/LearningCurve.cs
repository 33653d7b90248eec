using System.Globalization;
using ScottPlot;

namespace RealtimeDeblur.Cli;

/// <summary>Draws the file of losses that a training writes: the loss above, PSNR per blur below.</summary>
internal static class LearningCurve
{
    private const int Width = 1000, Height = 800;

    /// <param name="csvPath">Columns step, loss, learningRate, then PSNR per sigma in rows that were validated. Nothing is drawn when it does not exist yet.</param>
    /// <param name="pngPath">Replaced.</param>
    public static void Draw(string csvPath, string pngPath)
    {
        if (!File.Exists(csvPath)) return;
        string[] lines = File.ReadAllLines(csvPath);
        string[] names = lines[0].Split(',');
        double[][] rows = [.. lines.Skip(1).Select(line => line.Split(',').Select(cell => double.Parse(cell, CultureInfo.InvariantCulture)).ToArray())];
        if (rows.Length == 0) return;

        Multiplot figure = new();
        figure.AddPlots(2);
        Plot loss = figure.GetPlot(0), quality = figure.GetPlot(1);
        var curve = loss.Add.Scatter(rows.Select(row => row[0]).ToArray(), Smooth([.. rows.Select(row => Math.Log10(row[1]))]));
        curve.MarkerSize = 0;
        loss.YLabel("log10 loss, running mean");
        for (int column = 3; column < names.Length; column++)
        {
            double[][] validated = [.. rows.Where(row => row.Length > column)];
            var line = quality.Add.Scatter(validated.Select(row => row[0]).ToArray(), validated.Select(row => row[column]).ToArray());
            line.LegendText = names[column].Replace("psnrSigma", "sigma ", StringComparison.Ordinal);
        }
        quality.YLabel("validation PSNR, dB");
        quality.XLabel("step");
        quality.ShowLegend(Alignment.UpperLeft);
        figure.SavePng(pngPath, Width, Height);
    }

    /// <summary>Exponential mean: single batches differ by more than an hour of training changes.</summary>
    private static double[] Smooth(double[] values)
    {
        const double Keep = 0.95;
        double[] smooth = new double[values.Length];
        double mean = values[0];
        for (int i = 0; i < values.Length; i++) smooth[i] = mean = Keep * mean + (1 - Keep) * values[i];
        return smooth;
    }
}
