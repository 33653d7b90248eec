using System.Diagnostics;
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
/// <param name="QuartileDistance">Between the quartiles of (estimate - sigma) / sigma: how far estimates scatter, bias apart; NaN for sigma 0.</param>
internal sealed record EstimatorResult(
    string Set, string Condition, float Sigma, int Images, double MedianError, double Percentile90Error, double Bias, double MeanSigma, double SharpShare, double Spread, double QuartileDistance)
{
    /// <summary>Which estimator, where several are compared; else null.</summary>
    public SigmaSource? Estimator { get; init; }

    /// <summary>Median time of an estimate per million pixels, from enqueueing it to its result, at the commonest size of the set; null where it was not taken.</summary>
    public double? MsPerMegapixel { get; init; }

    /// <summary>Multiply-accumulates of an estimate per pixel; null likewise.</summary>
    public double? MacPerPixel { get; init; }
}

/// <summary>Measures an estimator of sigma against pictures of known blur, by the protocol of <see cref="Evaluator"/>: luma rounded to 8 bits, blurred, rounded to 8 bits.</summary>
internal static class EstimatorEvaluation
{
    /// <summary>Sigmas that figures are stated for, in pixels.</summary>
    public static IReadOnlyList<float> UsualSigmas { get; } = [0, 0.5f, 0.7f, 1, 1.6f, 2, 3];

    private const int TimedRuns = 5;

    /// <summary>Measures every source of sigma in turn. Blocks; uses the device and all processors.</summary>
    /// <param name="device">Stays the caller's.</param>
    /// <param name="sets">Sets under distinct names.</param>
    /// <param name="kinds">Each is measured under its usual conditions; the learned estimator is the one for the kind.</param>
    /// <param name="sigmas">In pixels, 0 to <see cref="SigmaChoice.Max"/>.</param>
    /// <param name="progress">Told the number of pictures done; every kind and source takes all of them.</param>
    /// <param name="cancellation">Stops after the picture in hand.</param>
    /// <exception cref="IOException">A learned estimator is not installed.</exception>
    /// <exception cref="OperationCanceledException"><paramref name="cancellation"/> was asked for.</exception>
    public static IReadOnlyList<EstimatorResult> Compare(
        ComputeDevice device, IReadOnlyList<EvaluationSet> sets, IReadOnlyList<DegradationKind> kinds, IReadOnlyList<float> sigmas, IProgress<int>? progress = null, CancellationToken cancellation = default)
    {
        List<EstimatorResult> results = [];
        int before = 0;
        foreach (DegradationKind kind in kinds)
        {
            EstimatorWeights learned = EstimatorWeights.Load(kind.Name());
            foreach (SigmaSource source in Sources)
            {
                Func<FrameFormat, ISigmaEstimator> create = format => SigmaEstimators.Create(source, device, format, method: null, learned);
                foreach (EvaluationSet set in sets)
                {
                    OffsetProgress? progressOfSet = progress is null ? null : new(progress, before);
                    IReadOnlyList<EstimatorResult> ofSet = Measure(device, create, [set], EstimatorCondition.Usual(kind), sigmas, progressOfSet, cancellation);
                    before += set.Files.Count;
                    if (ofSet.Count == 0) continue;
                    (double msPerMegapixel, double macPerPixel) = MeasureCost(device, create, CommonestSize(set));
                    results.AddRange(ofSet.Select(one => one with { Estimator = source, MsPerMegapixel = msPerMegapixel, MacPerPixel = macPerPixel }));
                }
            }
        }
        return results;
    }

    /// <summary>The estimators that there are.</summary>
    public static IReadOnlyList<SigmaSource> Sources { get; } = [.. Enum.GetValues<SigmaSource>().Where(source => source != SigmaSource.Own)];

    /// <summary>Measures one estimator. Blocks; uses the device and all processors.</summary>
    /// <param name="device">Stays the caller's.</param>
    /// <param name="create">Makes the estimator to measure for frames of a format.</param>
    /// <param name="sets">Sets under distinct names.</param>
    /// <param name="conditions">Each is measured at every sigma.</param>
    /// <param name="sigmas">In pixels, 0 to <see cref="SigmaChoice.Max"/>.</param>
    /// <param name="progress">Told the number of pictures done.</param>
    /// <param name="cancellation">Stops after the picture in hand.</param>
    /// <returns>By set, condition and sigma. Pictures that cannot be read are left out.</returns>
    /// <exception cref="OperationCanceledException"><paramref name="cancellation"/> was asked for.</exception>
    public static IReadOnlyList<EstimatorResult> Measure(
        ComputeDevice device, Func<FrameFormat, ISigmaEstimator> create, IReadOnlyList<EvaluationSet> sets, IReadOnlyList<EstimatorCondition> conditions, IReadOnlyList<float> sigmas,
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
                    if (picture is not null) estimates[i] = Estimates(device, create, picture, Path.GetFileName(set.Files[i]), conditions, sigmas);
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
            estimates.Average(one => one.Sigma), estimates.Average(one => one.IsSharp ? 1.0 : 0), Percentile([.. estimates.Select(one => (double)one.Spread)], 0.5),
            Percentile(errors, 0.75) - Percentile(errors, 0.25));
    }

    private static (double MsPerMegapixel, double MacPerPixel) MeasureCost(ComputeDevice device, Func<FrameFormat, ISigmaEstimator> create, Size size)
    {
        const double Mega = 1e6;
        byte[] noise = new byte[size.Width * size.Height];
        new Random(1).NextBytes(noise);
        using CommandQueue queue = device.CreateQueue();
        using DeviceBuffer<byte> frame = device.Allocate<byte>(noise);
        using ISigmaEstimator estimator = create(new FrameFormat(PixelFormat.Gray8, size.Width, size.Height));
        var ms = new double[TimedRuns];
        // The first run warms up.
        for (int i = -1; i < TimedRuns; i++)
        {
            long start = Stopwatch.GetTimestamp();
            estimator.Enqueue(queue, frame);
            estimator.Read();
            if (i >= 0) ms[i] = Stopwatch.GetElapsedTime(start).TotalMilliseconds;
        }
        return (Percentile(ms, 0.5) * Mega / noise.Length, estimator.MultiplyAccumulatesPerPixel);
    }

    private static Size CommonestSize(EvaluationSet set) => set.Files.Select(file =>
    {
        (Mat? picture, _) = PictureFile.Decode(File.ReadAllBytes(file));
        using (picture) return picture?.Size() ?? default;
    }).Where(size => size.Width > 0).CountBy(size => size).MaxBy(size => size.Value).Key;

    private static SigmaEstimate[] Estimates(ComputeDevice device, Func<FrameFormat, ISigmaEstimator> create, Mat sharp, string name, IReadOnlyList<EstimatorCondition> conditions, IReadOnlyList<float> sigmas)
    {
        List<SigmaEstimate> estimates = [];
        using Mat luma = LumaPlane.Of(sharp).ToMat(MatType.CV_8UC1);
        using CommandQueue queue = device.CreateQueue();
        using DeviceBuffer<byte> frame = device.Allocate<byte>((long)sharp.Width * sharp.Height);
        using ISigmaEstimator estimator = create(new FrameFormat(PixelFormat.Gray8, sharp.Width, sharp.Height));
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

    private sealed class OffsetProgress(IProgress<int> progress, int before) : IProgress<int>
    {
        public void Report(int value) => progress.Report(before + value);
    }
}
