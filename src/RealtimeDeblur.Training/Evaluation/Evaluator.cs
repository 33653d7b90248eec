using OpenCvSharp;
using RealtimeDeblur.Compute;
using RealtimeDeblur.Networks;
using RealtimeDeblur.Restoration;
using RealtimeDeblur.Training.Data;

namespace RealtimeDeblur.Training.Evaluation;

/// <summary>
/// Measures restoration against ground truth, always by the same protocol: luma rounded to 8 bits; blurred with a Gaussian of the stated sigma and rounded to 8 bits; restored and
/// rounded to 8 bits; PSNR and SSIM after cutting 8 pixels off each side; mean over the pictures of a set.
/// </summary>
internal static class Evaluator
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

    private static readonly IReadOnlyDictionary<SigmaMode, string> SigmaModes = new Dictionary<SigmaMode, string>
    {
        [SigmaMode.Blind] = "the network restores every blur alike",
        [SigmaMode.Given] = FormattableString.Invariant($"the network was told the true sigma, up to {SigmaSetting.MaxSigma} pixels"),
        [SigmaMode.Auto] = "the network was told what was estimated from each blurred picture by itself; pictures found sharp were left as they were",
    };

    /// <summary>Measures networks and baselines on sets of pictures. Blocks; uses the device and all processors.</summary>
    /// <param name="device">Runs the networks; may be null if there are none. Stays the caller's.</param>
    /// <param name="networks">Under distinct names. Those conditioned on sigma are measured in every mode that the options ask for.</param>
    /// <param name="sets">Sets under distinct names.</param>
    /// <param name="options">What to measure.</param>
    /// <param name="progress">Told the number of pictures done, skipped ones included.</param>
    /// <param name="cancellation">Stops after the picture in hand.</param>
    /// <exception cref="ArgumentException">An option is out of range.</exception>
    /// <exception cref="InvalidDataException">No picture of a set can be measured; or sigma is to be estimated, and a network does not say for which blur.</exception>
    /// <exception cref="IOException">A picture cannot be read from disk; or sigma is to be estimated, and the estimator for a network's blur is not installed.</exception>
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

        if (options.SigmaModes.Count == 0 || options.SigmaModes.Contains(SigmaMode.Blind)) throw new ArgumentException("Networks conditioned on sigma are measured with sigma given, estimated, or both.");
        if (options.Guards.Count == 0) throw new ArgumentException("Networks conditioned on sigma are measured with the guard, without it, or both.");
        if (options.Strength is not (>= 0 and <= 1)) throw new ArgumentException(FormattableString.Invariant($"The strength must be 0 to 1, not {options.Strength}."));

        List<EvaluationResult> results = [];
        List<SkippedPicture> skipped = [];
        List<NetworkMethod> methods = [.. networks.Select(network => new NetworkMethod(device!, network.Network, network.Estimator ?? EstimatorFor(network.Network, options)))];
        List<Variant> variants = [.. networks.Zip(methods).SelectMany(pair => Variants(pair.First, pair.Second, options))];
        try
        {
            int done = 0;
            foreach (EvaluationSet set in sets)
            {
                List<Measurement> measurements = [];
                List<Size> sizes = [];
                foreach (string file in set.Files)
                {
                    cancellation.ThrowIfCancellationRequested();
                    using Mat? sharp = Read(file, options, skipped);
                    if (sharp is not null)
                    {
                        measurements.AddRange(Measure(sharp, $"{set.Name}/{Path.GetFileName(file)}", variants, options, cancellation));
                        sizes.Add(sharp.Size());
                    }
                    progress?.Report(++done);
                }
                if (measurements.Count == 0) throw new InvalidDataException($"None of the {set.Files.Count} pictures of {set.Name} can be measured; {skipped[^1].Source}: {skipped[^1].Reason}.");
                Size commonest = sizes.CountBy(size => size).MaxBy(size => size.Value).Key;
                Dictionary<NetworkMethod, double> msPerMegapixel = methods.ToDictionary(method => method, method => method.MeasureMsPerMegapixel(commonest.Width, commonest.Height));
                foreach (IGrouping<Row, Measurement> group in measurements.GroupBy(m => m.Row))
                {
                    Row row = group.Key;
                    results.Add(new(
                        row.Model, set.Name, row.Sigma, row.Mode == SigmaMode.Given, group.Count(),
                        group.Average(m => m.Psnr), group.Average(m => m.Ssim), group.Average(m => m.PsnrBlurred), group.Average(m => m.SsimBlurred),
                        row.Mode, row.Guard, row.Method?.MacPerPixel, row.Method is null ? null : msPerMegapixel[row.Method],
                        Summarize(row, group.Select(m => m.Estimate)), options.SharpHalf ? Summarize(row, [.. group.Select(m => m.Halves!)]) : null));
                }
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

    /// <summary>A network, what it knows of sigma, and whether it is guarded.</summary>
    private sealed record Variant(string Model, NetworkMethod Method, SigmaMode Mode, bool Guard, float Strength)
    {
        public DeblurOptions OptionsAt(float sigma) => new()
        {
            Strength = Strength,
            Guard = Guard,
            // Beyond what can be set no network has knots.
            Sigma = Mode == SigmaMode.Given ? SigmaSetting.Of(Math.Min(sigma, SigmaSetting.MaxSigma)) : SigmaSetting.Auto,
        };
    }

    /// <summary>What figures are means of: one method at one sigma.</summary>
    /// <param name="Model">Name of network or baseline.</param>
    /// <param name="Mode">What it knows of sigma.</param>
    /// <param name="Sigma">In pixels.</param>
    /// <param name="Guard">Whether it is guarded.</param>
    /// <param name="Method">The network; null for a baseline.</param>
    private sealed record Row(string Model, SigmaMode Mode, float Sigma, bool Guard = false, NetworkMethod? Method = null);

    private sealed record Measurement(Row Row, double Psnr, double Ssim, double PsnrBlurred, double SsimBlurred, Estimate? Estimate, Halves? Halves);

    /// <summary>Sigma as estimated of one picture, and whether it was called sharp.</summary>
    private readonly record struct Estimate(float Sigma, bool IsSharp)
    {
        public static Estimate? Of(RestoredLuma restored) => restored.Sigma is { } sigma ? new(sigma, restored.IsSharp) : null;
    }

    /// <summary>PSNR of the halves of a picture of which one was blurred, and of the same half where all was.</summary>
    private sealed record Halves(double Sharp, double Blurred, double BlurredAllOver, Estimate? Estimate)
    {
        public static Halves Of(LumaPlane truth, LumaPlane ofHalf, LumaPlane ofAll, Estimate? estimate) =>
            new(HalfBlurred.SharpPsnr(truth, ofHalf), HalfBlurred.BlurredPsnr(truth, ofHalf), HalfBlurred.BlurredPsnr(truth, ofAll), estimate);
    }

    private static SigmaEstimateSummary? Summarize(Row row, IEnumerable<Estimate?> estimates) =>
        row.Mode == SigmaMode.Auto ? SigmaEstimateSummary.Of(row.Sigma, [.. estimates.Select(one => (one!.Value.Sigma, one.Value.IsSharp))]) : null;

    private static SharpHalfSummary Summarize(Row row, List<Halves> pictures) => new(
        pictures.Average(one => one.Sharp), pictures.Average(one => one.Blurred), pictures.Average(one => one.BlurredAllOver), Summarize(row, pictures.Select(one => one.Estimate)));

    private static IEnumerable<Variant> Variants(EvaluatedNetwork network, NetworkMethod method, EvaluationOptions options) =>
        !network.Network.IsConditioned ? [new(network.Name, method, SigmaMode.Blind, Guard: false, options.Strength)]
        : options.SigmaModes.Distinct().SelectMany(mode => options.Guards.Distinct().Select(guard => new Variant(network.Name, method, mode, guard, options.Strength)));

    /// <summary>What estimates sigma for a network, found before anything is measured; null where nothing has to.</summary>
    private static EstimatorWeights? EstimatorFor(Network network, EvaluationOptions options)
    {
        const string Advice = "To measure with the true sigma only: --sigma-mode given.";
        if (!network.IsConditioned || !options.SigmaModes.Contains(SigmaMode.Auto)) return null;
        try
        {
            return SigmaEstimators.WeightsFor(network);
        }
        catch (FileNotFoundException e)
        {
            throw new FileNotFoundException($"{e.Message} {Advice}", e);
        }
        catch (InvalidDataException e)
        {
            throw new InvalidDataException($"{e.Message} {Advice}", e);
        }
    }

    private static Mat? Read(string file, EvaluationOptions options, List<SkippedPicture> skipped)
    {
        (Mat? picture, string reason) = PictureFile.Decode(File.ReadAllBytes(file));
        int minimumWidth = options.SharpHalf ? HalfBlurred.MinimumWidth : MinimumSide;
        if (picture is not null && (picture.Width < minimumWidth || picture.Height < MinimumSide))
        {
            reason = $"{picture.Width}x{picture.Height} is too small, {minimumWidth}x{MinimumSide} is the least";
            picture.Dispose();
            picture = null;
        }
        if (picture is null) skipped.Add(new(file, reason));
        return picture;
    }

    private static List<Measurement> Measure(Mat sharp, string name, List<Variant> variants, EvaluationOptions options, CancellationToken cancellation)
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
            using Mat? picture = camera || variants.Any(variant => variant.Method.TakesRgb) ? degradation.Apply(sharp, random) : null;
            LumaPlane? ofPicture = picture is null ? null : LumaPlane.Of(picture);
            using Mat blurredLuma = degradation.Blur(luma);
            LumaPlane blurred = camera ? ofPicture! : LumaPlane.FromMat(blurredLuma);
            Quality given = new(truth, blurred);

            // What is sharp in a camera's picture has its noise and compression all the same.
            using Mat? clear = options.SharpHalf && camera ? DegradationAt(0, options).Apply(sharp, new SeededRandom(seed: 1, FormattableString.Invariant($"{name}/sharp"))) : null;
            using Mat? halfPicture = options.SharpHalf && picture is not null ? HalfBlurred.Join(clear ?? sharp, picture) : null;
            LumaPlane? half = !options.SharpHalf ? null : camera ? LumaPlane.Of(halfPicture!) : HalfBlurred.Join(truth, blurred);
            LumaPlane? ofHalfPicture = halfPicture is null ? null : LumaPlane.Of(halfPicture);

            foreach (Baseline baseline in BaselinesFor(options))
            {
                Row row = new(baseline.Name, baseline.KnowsSigma ? SigmaMode.Given : SigmaMode.Blind, sigma);
                work.Add(() =>
                {
                    LumaPlane restored = baseline.Restore(new(truth, blurred, sigma));
                    Halves? halves = half is null ? null : Halves.Of(truth, baseline.Restore(new(truth, half, sigma)), restored, estimate: null);
                    return new Quality(truth, restored).Against(given, row, estimate: null, halves);
                });
            }
            foreach (Variant variant in variants)
            {
                cancellation.ThrowIfCancellationRequested();
                LumaPlane input = variant.Method.TakesRgb ? ofPicture! : blurred;
                RestoredLuma restored = variant.Method.Restore(input, picture, variant.OptionsAt(sigma));
                RestoredLuma? restoredHalf = half is null ? null : variant.Method.Restore(variant.Method.TakesRgb ? ofHalfPicture! : half, halfPicture, variant.OptionsAt(sigma));
                Quality inputQuality = variant.Method.TakesRgb ? new(truth, input) : given;
                Row row = new(variant.Model, variant.Mode, sigma, variant.Guard, variant.Method);
                work.Add(() => new Quality(truth, restored.Luma).Against(
                    inputQuality, row, Estimate.Of(restored), restoredHalf is { } one ? Halves.Of(truth, one.Luma, restored.Luma, Estimate.Of(one)) : null));
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

        public Measurement Against(Quality given, Row row, Estimate? estimate, Halves? halves) => new(
            row, _figures.Value.Psnr, _figures.Value.Ssim, given._figures.Value.Psnr, given._figures.Value.Ssim, estimate, halves);
    }

    private static EvaluationProtocol Describe(EvaluationOptions options) => new(
        "Y = 16 + (65.481 R + 128.553 G + 24.966 B)/255, rounded to 8 bits",
        options.Degradation == DegradationKind.Camera
            ? FormattableString.Invariant($"{DescribeBlur(options.Shape)} in linear light (sRGB), noise of standard deviation {options.Noise}/255 at mid-grey (a quarter read noise, the rest shot noise), {DescribeCodec(options)}; then luma")
            : $"{DescribeBlur(options.Shape)} of luma (of R, G and B for RGB networks) in floating point, kernel side 2*ceil(4 sigma)+1, border reflect-101, rounded to 8 bits",
        ImageQuality.Border,
        "10 log10(255^2 / max(mean squared error, 0.001)) per picture, mean over the set; 78.13 means identical",
        "11x11 Gaussian window of standard deviation 1.5, K1 0.01, K2 0.03, valid positions only; mean over the set",
        BaselinesFor(options).ToDictionary(baseline => baseline.Name, baseline => baseline.Description),
        SigmaModes, options.Strength,
        options.SharpHalf ? $"left half sharp (with the noise and compression of the camera, if any), right half blurred, {HalfBlurred.FadeColumns} columns of linear cross-fade between, which are not measured; PSNR against the sharp picture" : null,
        options.Shape?.Kind.ToString().ToLowerInvariant() ?? "gaussian");

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
