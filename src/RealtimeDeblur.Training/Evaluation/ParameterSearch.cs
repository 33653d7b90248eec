using RealtimeDeblur.Restoration;

namespace RealtimeDeblur.Training.Evaluation;

/// <summary>
/// Finds the value of a filter's parameter that brings a picture nearest to its truth: the best of a logarithmic grid, then halves of the grid's step beside the best. Nobody can choose as well without the truth.
/// </summary>
internal static class ParameterSearch
{
    /// <summary>Points of the grid in a factor of ten.</summary>
    private const int PointsPerDecade = 2;

    /// <summary>How often the step is halved: the value is found to 4 %, far finer than PSNR tells apart near its peak.</summary>
    private const int Refinements = 5;

    /// <summary>Where a parameter may be 0, the grid begins at this share of its default, or of its maximum if that is 0 as well.</summary>
    private const double LeastShare = 1e-3;

    /// <summary>The value of the largest quality.</summary>
    /// <param name="parameter">Its range is searched; whole numbers only where no others are meant.</param>
    /// <param name="quality">Asked once for every value that is tried.</param>
    public static double Best(FilterParameter parameter, Func<double, double> quality)
    {
        double low = parameter.Minimum > 0 ? parameter.Minimum : LeastShare * (parameter.Default > 0 ? parameter.Default : parameter.Maximum);
        if (parameter.IsWhole) low = Math.Max(low, 1);
        (double logLow, double logHigh) = (Math.Log10(low), Math.Log10(parameter.Maximum));
        int steps = Math.Max(1, (int)Math.Ceiling(PointsPerDecade * (logHigh - logLow)));
        double step = (logHigh - logLow) / steps;

        Dictionary<double, double> tried = [];
        double best = logLow, bestQuality = double.NegativeInfinity;
        for (int i = 0; i <= steps; i++) Try(logLow + i * step);
        for (int i = 0; i < Refinements; i++)
        {
            step /= 2;
            double centre = best;
            Try(centre - step);
            Try(centre + step);
        }
        return parameter.Minimum <= 0 && QualityOf(parameter.Minimum) > bestQuality ? parameter.Minimum : Value(best);

        void Try(double log)
        {
            if (log < logLow || log > logHigh || QualityOf(Value(log)) is var found && !(found > bestQuality)) return;
            (best, bestQuality) = (log, found);
        }

        double Value(double log) => Math.Clamp(parameter.IsWhole ? Math.Round(Math.Pow(10, log)) : Math.Pow(10, log), parameter.Minimum, parameter.Maximum);

        double QualityOf(double value) => tried.TryGetValue(value, out double known) ? known : tried[value] = quality(value);
    }
}
