using OpenCvSharp;
using RealtimeDeblur.Compute;
using RealtimeDeblur.Training.Data;

namespace RealtimeDeblur.Training.Evaluation;

/// <summary>
/// Measures restoration against ground truth, always by the same protocol: luma rounded to 8 bits; blurred with a Gaussian of the stated sigma and rounded to 8 bits; restored and
/// rounded to 8 bits; PSNR and SSIM after cutting 8 pixels off each side; mean over the pictures of a set.
/// </summary>
public static class Evaluator
{
    /// <summary>Smallest side of a picture that can be measured: SSIM's window must fit into what the cut leaves.</summary>
    public const int MinimumSide = 2 * ImageQuality.Border + ImageQuality.WindowSide;

    private static readonly Baseline[] Baselines =
    [
        new("blurred", KnowsSigma: false, "the input itself", c => c.Blurred),
        new("unsharp", KnowsSigma: true, "unsharp masking with the true sigma and, per picture, the amount of least squared error (an oracle)", c => UnsharpMask.Restore(c.Blurred, c.Sigma, c.Sharp)),
        new("wiener-fixed", KnowsSigma: true, "Wiener filter with the true sigma and noise-to-signal ratio 0.001", c => new WienerFilter(c.Blurred, c.Sigma).Restore(WienerFilter.FixedRatio)),
        new("wiener", KnowsSigma: true, "Wiener filter with the true sigma and, per picture, the noise-to-signal ratio of least squared error (an oracle)", c =>
        {
            WienerFilter filter = new(c.Blurred, c.Sigma);
            return filter.Restore(filter.BestRatio(c.Sharp));
        }),
        new("polyblur", KnowsSigma: false, "Polyblur, blind, one pass of alpha 2, beta 3, gradients without wrap-around", c => Polyblur.Restore(c.Blurred)),
    ];

    private static readonly Baseline UnsharpOfAnyRadius = new("unsharp-best", KnowsSigma: true,
        $"unsharp masking with, per picture, the radius ({string.Join(", ", UnsharpMask.RadiusFactors.Select(factor => FormattableString.Invariant($"{factor}")))} times sigma) and amount of least squared error (an oracle)",
        c => UnsharpMask.RestoreByBestRadius(c.Blurred, c.Sigma, c.Sharp));

    /// <summary>Measures networks and baselines on sets of pictures. Blocks; uses the device and all processors.</summary>
    /// <param name="device">Runs the networks; may be null if there are none. Stays the caller's.</param>
    /// <param name="networks">Blind networks under distinct names.</param>
    /// <param name="sets">Sets under distinct names.</param>
    /// <param name="options">What to measure.</param>
    /// <param name="progress">Told the number of pictures done, skipped ones included.</param>
    /// <param name="cancellation">Stops after the picture in hand.</param>
    /// <exception cref="ArgumentException">An option is out of range.</exception>
    /// <exception cref="InvalidDataException">No picture of a set can be measured.</exception>
    /// <exception cref="IOException">A picture cannot be read from disk.</exception>
    /// <exception cref="OperationCanceledException"><paramref name="cancellation"/> was asked for.</exception>
    public static EvaluationReport Evaluate(
        ComputeDevice? device, IReadOnlyList<EvaluatedNetwork> networks, IReadOnlyList<EvaluationSet> sets, EvaluationOptions options,
        IProgress<int>? progress = null, CancellationToken cancellation = default)
    {
        if (networks.Count > 0) ArgumentNullException.ThrowIfNull(device);
        foreach (float sigma in options.Sigmas)
        {
            if (sigma is not (>= 0 and <= SigmaChoice.Max)) throw new ArgumentException(FormattableString.Invariant($"Sigma must be 0 to {SigmaChoice.Max} pixels, not {sigma}."));
        }

        List<EvaluationResult> results = [];
        List<SkippedPicture> skipped = [];
        List<NetworkMethod> methods = [.. networks.Select(network => new NetworkMethod(device!, network.Network))];
        try
        {
            int done = 0;
            foreach (EvaluationSet set in sets)
            {
                List<Measurement> measurements = [];
                foreach (string file in set.Files)
                {
                    cancellation.ThrowIfCancellationRequested();
                    using Mat? sharp = Read(file, skipped);
                    if (sharp is not null) measurements.AddRange(Measure(sharp, $"{set.Name}/{Path.GetFileName(file)}", networks, methods, options, cancellation));
                    progress?.Report(++done);
                }
                if (measurements.Count == 0) throw new InvalidDataException($"None of the {set.Files.Count} pictures of {set.Name} can be measured; {skipped[^1].Source}: {skipped[^1].Reason}.");
                results.AddRange(measurements.GroupBy(m => (m.Model, m.Sigma, m.KnowsSigma)).Select(group => new EvaluationResult(
                    group.Key.Model, set.Name, group.Key.Sigma, group.Key.KnowsSigma, group.Count(),
                    group.Average(m => m.Psnr), group.Average(m => m.Ssim), group.Average(m => m.PsnrBlurred), group.Average(m => m.SsimBlurred))));
            }
        }
        finally
        {
            foreach (NetworkMethod method in methods) method.Dispose();
        }
        return new(Describe(options), results, skipped);
    }

    /// <summary>A classical method that stands beside the networks.</summary>
    private sealed record Baseline(string Name, bool KnowsSigma, string Description, Func<Case, LumaPlane> Restore);

    /// <summary>With noise and a codec the true sigma is no longer the best radius of an unsharp mask.</summary>
    private static IEnumerable<Baseline> BaselinesFor(EvaluationOptions options) =>
        !options.Baselines ? [] : options.Degradation == DegradationKind.Camera ? Baselines.SelectMany(one => one.Name == "unsharp" ? (Baseline[])[one, UnsharpOfAnyRadius] : [one]) : Baselines;

    /// <summary>What the options do to a picture at a sigma.</summary>
    private static Degradation DegradationAt(float sigma, EvaluationOptions options) => options.Degradation == DegradationKind.Camera
        ? Degradation.Camera(sigma, options.Noise, options.H264Qp is null ? options.JpegQuality : null) with { Shape = options.Shape, H264Qp = options.H264Qp }
        : new(sigma) { Shape = options.Shape };

    /// <summary>One picture at one sigma.</summary>
    private sealed record Case(LumaPlane Sharp, LumaPlane Blurred, float Sigma);

    private sealed record Measurement(string Model, float Sigma, bool KnowsSigma, double Psnr, double Ssim, double PsnrBlurred, double SsimBlurred);

    private static Mat? Read(string file, List<SkippedPicture> skipped)
    {
        (Mat? picture, string reason) = PictureFile.Decode(File.ReadAllBytes(file));
        if (picture is not null && Math.Min(picture.Width, picture.Height) < MinimumSide)
        {
            reason = $"{picture.Width}x{picture.Height} is too small, {MinimumSide}x{MinimumSide} is the least";
            picture.Dispose();
            picture = null;
        }
        if (picture is null) skipped.Add(new(file, reason));
        return picture;
    }

    private static List<Measurement> Measure(
        Mat sharp, string name, IReadOnlyList<EvaluatedNetwork> networks, List<NetworkMethod> methods, EvaluationOptions options, CancellationToken cancellation)
    {
        LumaPlane truth = LumaPlane.Of(sharp);
        using Mat luma = truth.ToMat(MatType.CV_8UC1);
        List<Func<Measurement>> work = [];
        foreach (float sigma in options.Sigmas)
        {
            // A luma network is judged on blurred luma; an RGB network on luma of what it makes of the blurred picture.
            bool camera = options.Degradation == DegradationKind.Camera;
            Degradation degradation = DegradationAt(sigma, options);
            SeededRandom random = new(seed: 1, FormattableString.Invariant($"{name}/{sigma}"));
            using Mat? picture = camera || methods.Any(method => method.TakesRgb) ? degradation.Apply(sharp, random) : null;
            LumaPlane? ofPicture = picture is null ? null : LumaPlane.Of(picture);
            using Mat blurredLuma = degradation.Blur(luma);
            LumaPlane blurred = camera ? ofPicture! : LumaPlane.FromMat(blurredLuma);
            Quality given = new(truth, blurred);

            foreach (Baseline baseline in BaselinesFor(options))
                work.Add(() => new Quality(truth, baseline.Restore(new(truth, blurred, sigma))).Against(given, baseline.Name, sigma, baseline.KnowsSigma));
            for (int i = 0; i < methods.Count; i++)
            {
                cancellation.ThrowIfCancellationRequested();
                LumaPlane input = methods[i].TakesRgb ? ofPicture! : blurred;
                LumaPlane restored = methods[i].Restore(input, picture!);
                Quality inputQuality = methods[i].TakesRgb ? new(truth, input) : given;
                string model = networks[i].Name;
                work.Add(() => new Quality(truth, restored).Against(inputQuality, model, sigma, knowsSigma: false));
            }
        }

        var measurements = new Measurement[work.Count];
        EveryProcessor.For(work.Count, i => measurements[i] = work[i](), cancellation);
        return [.. measurements];
    }

    /// <summary>How near one plane comes to the truth; worked out when first asked for.</summary>
    private sealed class Quality(LumaPlane truth, LumaPlane plane)
    {
        private readonly Lazy<(double Psnr, double Ssim)> _figures = new(() => (
            ImageQuality.Psnr(truth.Samples, plane.Samples, truth.W, truth.H),
            ImageQuality.Ssim(truth.Samples, plane.Samples, truth.W, truth.H)));

        public Measurement Against(Quality given, string model, float sigma, bool knowsSigma) => new(
            model, sigma, knowsSigma, _figures.Value.Psnr, _figures.Value.Ssim, given._figures.Value.Psnr, given._figures.Value.Ssim);
    }

    private static EvaluationProtocol Describe(EvaluationOptions options) => new(
        "Y = 16 + (65.481 R + 128.553 G + 24.966 B)/255, rounded to 8 bits",
        options.Degradation == DegradationKind.Camera
            ? FormattableString.Invariant($"{DescribeBlur(options.Shape)} in linear light (sRGB), noise of standard deviation {options.Noise}/255 at mid-grey (a quarter read noise, the rest shot noise), {DescribeCodec(options)}; then luma")
            : $"{DescribeBlur(options.Shape)} of luma (of R, G and B for RGB networks) in floating point, kernel side 2*ceil(4 sigma)+1, border reflect-101, rounded to 8 bits",
        ImageQuality.Border,
        "10 log10(255^2 / max(mean squared error, 0.001)) per picture, mean over the set; 78.13 means identical",
        "11x11 Gaussian window of standard deviation 1.5, K1 0.01, K2 0.03, valid positions only; mean over the set",
        BaselinesFor(options).ToDictionary(baseline => baseline.Name, baseline => baseline.Description));

    private static string DescribeBlur(BlurShape? shape) => shape switch
    {
        null => "Gaussian blur",
        { Kind: BlurShapeKind.Disc } => "Blur by a disc of radius 2 sigma (methods that know sigma take it for a Gaussian)",
        _ => FormattableString.Invariant($"Anisotropic Gaussian blur, ratio {shape.Ratio}, long axis at {shape.Angle * 180 / MathF.PI:0} degrees, geometric mean sigma (methods that know sigma take it for isotropic)"),
    };

    private static string DescribeCodec(EvaluationOptions options) =>
        options.H264Qp is { } qp ? FormattableString.Invariant($"an H.264 intra frame of QP {qp} (libx264)")
        : options.JpegQuality is { } quality ? FormattableString.Invariant($"JPEG quality {quality} with 4:2:0") : "no JPEG";
}
