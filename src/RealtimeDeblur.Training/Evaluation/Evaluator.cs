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
                    using Mat? sharp = Read(file, skipped);
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
                foreach (IGrouping<(string, SigmaMode, float), Measurement> group in measurements.GroupBy(m => (m.Row.Model, m.Row.Mode, m.Row.Sigma)))
                {
                    Row row = group.First().Row;
                    results.Add(new(
                        row.Model, set.Name, row.Sigma, row.Mode == SigmaMode.Given, group.Count(),
                        group.Average(m => m.Psnr), group.Average(m => m.Ssim), group.Average(m => m.PsnrBlurred), group.Average(m => m.SsimBlurred),
                        row.Mode, row.Method?.MacPerPixel, row.Method is null ? null : msPerMegapixel[row.Method],
                        row.Mode == SigmaMode.Auto ? SigmaEstimateSummary.Of(row.Sigma, [.. group.Select(m => (m.Estimate!.Value, m.IsSharp))]) : null));
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

    /// <summary>One picture at one sigma.</summary>
    private sealed record Case(LumaPlane Sharp, LumaPlane Blurred, float Sigma);

    /// <summary>A network and what it knows of sigma.</summary>
    private sealed record Variant(string Model, NetworkMethod Method, SigmaMode Mode, float Strength)
    {
        public DeblurOptions OptionsAt(float sigma) => new()
        {
            Strength = Strength,
            // Beyond what can be set no network has knots.
            Sigma = Mode == SigmaMode.Given ? SigmaSetting.Of(Math.Min(sigma, SigmaSetting.MaxSigma)) : SigmaSetting.Auto,
        };
    }

    /// <summary>What figures are means of: one method at one sigma.</summary>
    /// <param name="Model">Name of network or baseline.</param>
    /// <param name="Mode">What it knows of sigma.</param>
    /// <param name="Sigma">In pixels.</param>
    /// <param name="Method">The network; null for a baseline.</param>
    private sealed record Row(string Model, SigmaMode Mode, float Sigma, NetworkMethod? Method = null);

    private sealed record Measurement(Row Row, double Psnr, double Ssim, double PsnrBlurred, double SsimBlurred)
    {
        public float? Estimate { get; init; }

        public bool IsSharp { get; init; }
    }

    private static IEnumerable<Variant> Variants(EvaluatedNetwork network, NetworkMethod method, EvaluationOptions options) =>
        (network.Network.IsConditioned ? options.SigmaModes.Distinct() : [SigmaMode.Blind]).Select(mode => new Variant(network.Name, method, mode, options.Strength));

    /// <summary>What estimates sigma for a network, found before anything is measured; null where nothing has to.</summary>
    private static EstimatorWeights? EstimatorFor(Network network, EvaluationOptions options)
    {
        const string Advice = "To measure with the true sigma only: --sigma-mode given.";
        if (!network.IsConditioned || !options.SigmaModes.Contains(SigmaMode.Auto)) return null;
        try
        {
            return SigmaFinder.WeightsFor(network);
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

    private static List<Measurement> Measure(Mat sharp, string name, List<Variant> variants, EvaluationOptions options, CancellationToken cancellation)
    {
        LumaPlane truth = LumaPlane.Of(sharp);
        using Mat luma = truth.ToMat(MatType.CV_8UC1);
        List<Func<Measurement>> work = [];
        foreach (float sigma in options.Sigmas)
        {
            // A luma network is judged on blurred luma; an RGB network on luma of what it makes of the blurred picture.
            bool camera = options.Degradation == DegradationKind.Camera;
            SeededRandom random = new(seed: 1, FormattableString.Invariant($"{name}/{sigma}"));
            using Mat? picture = camera ? Degradation.Camera(sigma, options.Noise, options.JpegQuality).Apply(sharp, random)
                : variants.Any(variant => variant.Method.TakesRgb) ? Degradation.GaussianBlur(sharp, sigma) : null;
            LumaPlane? ofPicture = picture is null ? null : LumaPlane.Of(picture);
            using Mat blurredLuma = Degradation.GaussianBlur(luma, sigma);
            LumaPlane blurred = camera ? ofPicture! : LumaPlane.FromMat(blurredLuma);
            Quality given = new(truth, blurred);

            if (options.Baselines)
            {
                foreach (Baseline baseline in Baselines)
                    work.Add(() => new Quality(truth, baseline.Restore(new(truth, blurred, sigma))).Against(given, new(baseline.Name, baseline.KnowsSigma ? SigmaMode.Given : SigmaMode.Blind, sigma)));
            }
            foreach (Variant variant in variants)
            {
                cancellation.ThrowIfCancellationRequested();
                LumaPlane input = variant.Method.TakesRgb ? ofPicture! : blurred;
                RestoredLuma restored = variant.Method.Restore(input, picture, variant.OptionsAt(sigma));
                Quality inputQuality = variant.Method.TakesRgb ? new(truth, input) : given;
                Row row = new(variant.Model, variant.Mode, sigma, variant.Method);
                work.Add(() => new Quality(truth, restored.Luma).Against(inputQuality, row) with { Estimate = restored.Sigma, IsSharp = restored.IsSharp });
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

        public Measurement Against(Quality given, Row row) => new(
            row, _figures.Value.Psnr, _figures.Value.Ssim, given._figures.Value.Psnr, given._figures.Value.Ssim);
    }

    private static EvaluationProtocol Describe(EvaluationOptions options) => new(
        "Y = 16 + (65.481 R + 128.553 G + 24.966 B)/255, rounded to 8 bits",
        options.Degradation == DegradationKind.Camera
            ? FormattableString.Invariant($"Gaussian blur in linear light (sRGB), noise of standard deviation {options.Noise}/255 at mid-grey (a quarter read noise, the rest shot noise), {(options.JpegQuality is { } quality ? $"JPEG quality {quality} with 4:2:0" : "no JPEG")}; then luma")
            : "Gaussian blur of luma (of R, G and B for RGB networks) in floating point, kernel side 2*ceil(4 sigma)+1, border reflect-101, rounded to 8 bits",
        ImageQuality.Border,
        "10 log10(255^2 / max(mean squared error, 0.001)) per picture, mean over the set; 78.13 means identical",
        "11x11 Gaussian window of standard deviation 1.5, K1 0.01, K2 0.03, valid positions only; mean over the set",
        options.Baselines ? Baselines.ToDictionary(baseline => baseline.Name, baseline => baseline.Description) : [],
        SigmaModes, options.Strength);
}
