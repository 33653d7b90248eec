using OpenCvSharp;
using RealtimeDeblur.Compute;
using RealtimeDeblur.Imaging;
using RealtimeDeblur.Networks;
using RealtimeDeblur.Restoration;
using RealtimeDeblur.Training.Data;
using RealtimeDeblur.Training.Estimation;

namespace RealtimeDeblur.Training.Evaluation;

/// <summary>What is done to the sharp pictures besides the blur.</summary>
/// <param name="Kind">Gaussian: blur, noise and JPEG of luma. Camera: of the picture, blur and noise in linear light, see <see cref="Degradation.Camera"/>.</param>
/// <param name="Noise">Standard deviation in 1/255 of full scale, 0 for none.</param>
/// <param name="JpegQuality">1 to 100; null for none.</param>
internal sealed record EstimatorCondition(DegradationKind Kind, float Noise = 0, int? JpegQuality = null)
{
    /// <summary>The conditions that figures are stated for.</summary>
    public static IReadOnlyList<EstimatorCondition> Usual(DegradationKind kind) => kind == DegradationKind.Camera
        ? [new(kind), new(kind, Noise: 2, JpegQuality: 85), new(kind, Noise: 4, JpegQuality: 75)]
        : [new(kind), new(kind, Noise: 2), new(kind, JpegQuality: 80)];

    /// <summary>"gaussian, noise 2, JPEG 80".</summary>
    public override string ToString() => Kind.Name() + (Noise > 0 ? FormattableString.Invariant($", noise {Noise}") : "") + (JpegQuality is { } quality ? $", JPEG {quality}" : "");
}

/// <summary>Errors of an estimator on one set at one sigma.</summary>
/// <param name="Set">Name of the set.</param>
/// <param name="Condition">As <see cref="EstimatorCondition"/> says it.</param>
/// <param name="Sigma">Truth in pixels.</param>
/// <param name="Images">Number of pictures.</param>
/// <param name="MedianError">Of |estimate - sigma| / sigma; NaN for sigma 0.</param>
/// <param name="Percentile90Error">Likewise.</param>
/// <param name="Bias">Median of (estimate - sigma) / sigma; NaN for sigma 0.</param>
/// <param name="MeanSigma">Mean estimate in pixels.</param>
/// <param name="SharpShare">Share of pictures called sharp.</param>
/// <param name="Spread">Median of the uncertainty that the estimator states.</param>
internal sealed record EstimatorResult(string Set, string Condition, float Sigma, int Images, double MedianError, double Percentile90Error, double Bias, double MeanSigma, double SharpShare, double Spread);

/// <summary>Measures an estimator of sigma against pictures of known blur, by the protocol of <see cref="Evaluator"/>: luma rounded to 8 bits, blurred, rounded to 8 bits.</summary>
internal static class EstimatorEvaluation
{
    /// <summary>Sigmas that figures are stated for, in pixels.</summary>
    public static IReadOnlyList<float> UsualSigmas { get; } = [0, 0.5f, 0.7f, 1, 1.6f, 2, 3];

    /// <summary>Measures. Blocks; uses the device and all processors.</summary>
    /// <param name="device">Stays the caller's.</param>
    /// <param name="weights">What to measure.</param>
    /// <param name="sets">Sets under distinct names.</param>
    /// <param name="conditions">Each is measured at every sigma.</param>
    /// <param name="sigmas">In pixels, 0 to <see cref="SigmaChoice.Max"/>.</param>
    /// <param name="progress">Told the number of pictures done.</param>
    /// <param name="cancellation">Stops after the picture in hand.</param>
    /// <returns>By set, condition and sigma. Pictures that cannot be read are left out.</returns>
    /// <exception cref="OperationCanceledException"><paramref name="cancellation"/> was asked for.</exception>
    public static IReadOnlyList<EstimatorResult> Measure(
        ComputeDevice device, EstimatorWeights weights, IReadOnlyList<EvaluationSet> sets, IReadOnlyList<EstimatorCondition> conditions, IReadOnlyList<float> sigmas,
        IProgress<int>? progress = null, CancellationToken cancellation = default)
    {
        List<EstimatorResult> results = [];
        int done = 0;
        foreach (EvaluationSet set in sets)
        {
            // [picture][condition and sigma]; a picture that cannot be read stays null.
            var estimates = new SigmaEstimate[set.Files.Count][];
            EveryProcessor.For(set.Files.Count, i =>
            {
                (Mat? picture, _) = PictureFile.Decode(File.ReadAllBytes(set.Files[i]));
                using (picture)
                {
                    if (picture is not null) estimates[i] = Estimates(device, weights, picture, Path.GetFileName(set.Files[i]), conditions, sigmas);
                }
                progress?.Report(Interlocked.Increment(ref done));
            }, cancellation);
            SigmaEstimate[][] read = [.. estimates.Where(one => one is not null)];
            if (read.Length == 0) continue;
            for (int c = 0; c < conditions.Count; c++)
            for (int s = 0; s < sigmas.Count; s++)
                results.Add(Summarize(set.Name, conditions[c], sigmas[s], [.. read.Select(one => one[c * sigmas.Count + s])]));
        }
        return results;
    }

    /// <summary>Errors of estimates of one sigma.</summary>
    internal static EstimatorResult Summarize(string set, EstimatorCondition condition, float sigma, IReadOnlyList<SigmaEstimate> estimates)
    {
        double[] errors = [.. estimates.Select(one => sigma > 0 ? (one.Sigma - sigma) / (double)sigma : double.NaN)];
        double[] sizes = [.. errors.Select(Math.Abs)];
        return new(set, condition.ToString(), sigma, estimates.Count, Percentile(sizes, 0.5), Percentile(sizes, 0.9), Percentile(errors, 0.5),
            estimates.Average(one => one.Sigma), estimates.Average(one => one.IsSharp ? 1.0 : 0), Percentile([.. estimates.Select(one => (double)one.Spread)], 0.5));
    }

    private static SigmaEstimate[] Estimates(ComputeDevice device, EstimatorWeights weights, Mat sharp, string name, IReadOnlyList<EstimatorCondition> conditions, IReadOnlyList<float> sigmas)
    {
        List<SigmaEstimate> estimates = [];
        using Mat luma = LumaPlane.Of(sharp).ToMat(MatType.CV_8UC1);
        using CommandQueue queue = device.CreateQueue();
        using DeviceBuffer<byte> frame = device.Allocate<byte>((long)sharp.Width * sharp.Height);
        using SigmaEstimator estimator = new(device, new FrameFormat(PixelFormat.Gray8, sharp.Width, sharp.Height), weights);
        foreach (EstimatorCondition condition in conditions)
        foreach (float sigma in sigmas)
        {
            SeededRandom random = new(seed: 1, FormattableString.Invariant($"{name}/{sigma}/{condition}"));
            frame.Write(queue, Degrade(sharp, luma, condition, sigma, random).Samples);
            estimator.Enqueue(queue, frame);
            estimates.Add(estimator.Read());
        }
        return [.. estimates];
    }

    private static LumaPlane Degrade(Mat sharp, Mat luma, EstimatorCondition condition, float sigma, SeededRandom random)
    {
        if (condition.Kind == DegradationKind.Camera)
        {
            using Mat picture = Degradation.Camera(sigma, condition.Noise, condition.JpegQuality).Apply(sharp, random);
            return LumaPlane.Of(picture);
        }
        using Mat degraded = new LumaDegradation(sigma, condition.Noise, condition.JpegQuality).Apply(luma, random);
        return LumaPlane.FromMat(degraded);
    }

    /// <summary>Interpolated between the two nearest values.</summary>
    internal static double Percentile(double[] values, double share)
    {
        double[] sorted = [.. values.Order()];
        double at = share * (sorted.Length - 1);
        int below = (int)at;
        return sorted[below] + (at - below) * (sorted[Math.Min(below + 1, sorted.Length - 1)] - sorted[below]);
    }
}
