using RealtimeDeblur.Networks;

namespace RealtimeDeblur.Training.Evaluation;

/// <summary>How well the sigma of a set's pictures was estimated, as the network was told it: in steps of <see cref="InferenceSession.SigmaStep"/>, and no further out than its knots.</summary>
/// <param name="Median">Of the estimates, in pixels.</param>
/// <param name="MedianErrorPercent">Of |estimate - sigma| / sigma; NaN for sigma 0.</param>
/// <param name="P90ErrorPercent">90th percentile of the same.</param>
/// <param name="Bias">Mean estimate less sigma, in pixels.</param>
/// <param name="SharpShare">Share of the pictures, 0 to 1, that were called sharp and left as they were.</param>
internal sealed record SigmaEstimateSummary(double Median, double MedianErrorPercent, double P90ErrorPercent, double Bias, double SharpShare)
{
    /// <summary>Sums up the estimates of one sigma.</summary>
    /// <param name="sigma">The truth in pixels.</param>
    /// <param name="estimates">One or more, in pixels, each with whether the picture was called sharp.</param>
    internal static SigmaEstimateSummary Of(float sigma, IReadOnlyList<(float Sigma, bool IsSharp)> estimates)
    {
        double[] sigmas = [.. estimates.Select(one => (double)one.Sigma)];
        double[] errorsPercent = [.. sigmas.Select(estimate => sigma > 0 ? 100 * Math.Abs(estimate - sigma) / sigma : double.NaN)];
        return new(
            EstimatorEvaluation.Percentile(sigmas, 0.5), EstimatorEvaluation.Percentile(errorsPercent, 0.5), EstimatorEvaluation.Percentile(errorsPercent, 0.9),
            sigmas.Average() - sigma, estimates.Average(one => one.IsSharp ? 1.0 : 0));
    }
}
