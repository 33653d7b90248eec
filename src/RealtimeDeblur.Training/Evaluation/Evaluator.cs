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

    /// <summary>What results call the blurred input.</summary>
    public const string InputName = "blurred";

    private static readonly IReadOnlyDictionary<SigmaMode, string> SigmaModes = new Dictionary<SigmaMode, string>
    {
        [SigmaMode.Blind] = "every blur is restored alike",
        [SigmaMode.Given] = FormattableString.Invariant($"the method was told the true sigma, up to {SigmaSetting.MaxSigma} pixels"),
        [SigmaMode.Auto] = "the method was told what was estimated from each blurred picture by itself; pictures found sharp were left as they were",
    };

    /// <summary>Measures methods on sets of pictures, and the blurred input beside them. Blocks; uses the device and all processors.</summary>
    /// <param name="device">Runs the methods; may be null if there are none. Stays the caller's.</param>
    /// <param name="methods">Under distinct names. Those that depend on sigma are measured in every mode that the options ask for; those with a parameter to search are told the truth.</param>
    /// <param name="sets">Sets under distinct names.</param>
    /// <param name="options">What to measure.</param>
    /// <param name="progress">Told the number of pictures done, skipped ones included; every degradation and shape takes all of them.</param>
    /// <param name="cancellation">Stops after the picture in hand.</param>
    /// <exception cref="ArgumentException">An option is out of range.</exception>
    /// <exception cref="InvalidDataException">No picture of a set can be measured; or sigma is to be estimated, and a network does not say for which blur.</exception>
    /// <exception cref="IOException">A picture cannot be read from disk; or sigma is to be estimated, and the estimator for a network's blur is not installed.</exception>
    /// <exception cref="OperationCanceledException"><paramref name="cancellation"/> was asked for.</exception>
    public static EvaluationReport Evaluate(
        ComputeDevice? device, IReadOnlyList<EvaluatedMethod> methods, IReadOnlyList<EvaluationSet> sets, EvaluationOptions options,
        IProgress<int>? progress = null, CancellationToken cancellation = default)
    {
        if (methods.Count > 0) ArgumentNullException.ThrowIfNull(device);
        foreach (float sigma in options.Sigmas)
        {
            if (sigma is not (>= 0 and <= SigmaChoice.Max)) throw new ArgumentException(FormattableString.Invariant($"Sigma must be 0 to {SigmaChoice.Max} pixels, not {sigma}."));
        }

        if (options.SigmaModes.Count == 0 || options.SigmaModes.Contains(SigmaMode.Blind)) throw new ArgumentException("Methods that depend on sigma are measured with sigma given, estimated, or both.");
        if (options.Guards.Count == 0) throw new ArgumentException("Networks conditioned on sigma are measured with the guard, without it, or both.");
        if (options.SigmaFrom.Count == 0 || options.Degradations.Count == 0 || options.Shapes.Count == 0) throw new ArgumentException("There has to be an estimator, a degradation and a shape of the blur.");
        if (options.Strength is not (>= 0 and <= 1)) throw new ArgumentException(FormattableString.Invariant($"The strength must be 0 to 1, not {options.Strength}."));

        List<EvaluationResult> results = [];
        List<SkippedPicture> skipped = [];
        List<ExamplePicture> examples = [];
        Dictionary<CostKey, MethodCost> costs = [];
        int done = 0;
        foreach (Blur blur in options.Degradations.SelectMany(kind => options.Shapes.Select(shape => new Blur(kind, shape, options))))
        {
            List<Variant> variants = [];
            try
            {
                foreach (EvaluatedMethod method in methods) variants.AddRange(Variants(device!, method, blur));
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
                            List<ExamplePicture>? kept = options.KeepExamples && measurements.Count == 0 ? examples : null;
                            measurements.AddRange(Measure(sharp, set.Name, Path.GetFileName(file), variants, blur, kept, cancellation));
                            sizes.Add(sharp.Size());
                        }
                        progress?.Report(++done);
                    }
                    if (measurements.Count == 0) throw new InvalidDataException($"None of the {set.Files.Count} pictures of {set.Name} can be measured; {skipped[^1].Source}: {skipped[^1].Reason}.");
                    Size commonest = sizes.CountBy(size => size).MaxBy(size => size.Value).Key;
                    results.AddRange(measurements.GroupBy(m => m.Row).Select(group => Summarize(group.Key, [.. group], set.Name, blur, CostOf(costs, group.Key, commonest))));
                }
            }
            finally
            {
                foreach (StillRestorer restorer in variants.Select(variant => variant.Restorer).Distinct()) restorer.Dispose();
            }
        }
        return new(Describe(device, methods, options), results, [.. skipped.Distinct()], Verdict.Of(results)) { Examples = examples };
    }

    /// <summary>One way of blurring, and the options.</summary>
    private sealed record Blur(DegradationKind Kind, BlurShape? Shape, EvaluationOptions Options)
    {
        public bool IsCamera => Kind == DegradationKind.Camera;

        /// <summary>gaussian, anisotropic or disc.</summary>
        public string Psf => NameOf(Shape);

        /// <summary>What is done to a picture at a sigma.</summary>
        public Degradation At(float sigma) => IsCamera
            ? Degradation.Camera(sigma, Options.Noise, Options.H264Qp is null ? Options.JpegQuality : null) with { Shape = Shape, H264Qp = Options.H264Qp }
            : new(sigma) { Shape = Shape };
    }

    /// <summary>A method, what it knows of sigma and from where, and whether it is guarded.</summary>
    private sealed record Variant(EvaluatedMethod Evaluated, StillRestorer Restorer, SigmaMode Mode, SigmaSource From, bool Guard, float Strength)
    {
        public DeblurOptions OptionsAt(float sigma) => new()
        {
            Strength = Strength,
            Guard = Guard,
            // Beyond what can be set no network has knots.
            Sigma = Mode == SigmaMode.Given ? SigmaSetting.Of(Math.Min(sigma, SigmaSetting.MaxSigma)) : SigmaSetting.Auto,
            SigmaFrom = From,
        };
    }

    /// <summary>What figures are means of: one method at one sigma.</summary>
    /// <param name="Sigma">In pixels.</param>
    /// <param name="Variant">The method; null for the input.</param>
    private sealed record Row(float Sigma, Variant? Variant)
    {
        public string Model => Variant?.Evaluated.Name ?? InputName;

        public MethodKind Kind => Variant is null ? MethodKind.Input : Variant.Evaluated.Method.Network is null ? MethodKind.Filter : MethodKind.Network;

        public SigmaMode Mode => Variant?.Mode ?? SigmaMode.Blind;

        public bool Guard => Variant?.Guard ?? false;

        public SigmaSource? SigmaFrom => Mode == SigmaMode.Auto ? Variant!.From : null;

        public bool IsOwnEstimator => SigmaFrom is { } from && from == SigmaEstimators.Resolve(SigmaSource.Own, Variant!.Evaluated.Method);
    }

    private sealed record Measurement(Row Row, double Psnr, double Ssim, double PsnrBlurred, double SsimBlurred, Estimate? Estimate, Halves? Halves, double? BestValue);

    /// <summary>What the time of a restoration depends on.</summary>
    private readonly record struct CostKey(string Model, Size Size, float Sigma);

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

    /// <summary>gaussian, anisotropic or disc.</summary>
    internal static string NameOf(BlurShape? shape) => shape?.Kind.ToString().ToLowerInvariant() ?? "gaussian";

    private static EvaluationResult Summarize(Row row, Measurement[] pictures, string set, Blur blur, MethodCost? cost)
    {
        double[] bestValues = [.. pictures.Where(m => m.BestValue is not null).Select(m => m.BestValue!.Value)];
        return new(
            row.Model, set, row.Sigma, row.Mode == SigmaMode.Given, pictures.Length,
            pictures.Average(m => m.Psnr), pictures.Average(m => m.Ssim), pictures.Average(m => m.PsnrBlurred), pictures.Average(m => m.SsimBlurred),
            row.Mode, row.Guard, cost?.MacPerPixel, cost?.MsPerMegapixel,
            Summarize(row, pictures.Select(m => m.Estimate)), blur.Options.SharpHalf ? Summarize(row, [.. pictures.Select(m => m.Halves!)]) : null,
            row.Kind, blur.Kind, blur.Psf, row.SigmaFrom, row.IsOwnEstimator, bestValues.Length == 0 ? null : EstimatorEvaluation.Percentile(bestValues, 0.5),
            row.Variant?.Evaluated.Method.Network?.TrainingRecord.GetValueOrDefault("degradation"));
    }

    private static SigmaEstimateSummary? Summarize(Row row, IEnumerable<Estimate?> estimates) =>
        row.Mode == SigmaMode.Auto ? SigmaEstimateSummary.Of(row.Sigma, [.. estimates.Select(one => (one!.Value.Sigma, one.Value.IsSharp))]) : null;

    private static SharpHalfSummary Summarize(Row row, List<Halves> pictures) => new(
        pictures.Average(one => one.Sharp), pictures.Average(one => one.Blurred), pictures.Average(one => one.BlurredAllOver), Summarize(row, pictures.Select(one => one.Estimate)));

    /// <summary>Measured when first asked for, while nothing else runs. Of a network, every sigma costs the same.</summary>
    private static MethodCost? CostOf(Dictionary<CostKey, MethodCost> costs, Row row, Size size)
    {
        if (row.Variant is not { Evaluated.Searched: null } variant) return null;
        float sigma = row.Kind == MethodKind.Network ? ExamplePicture.UsualSigma : row.Sigma;
        CostKey key = new(row.Model, size, sigma);
        if (!costs.TryGetValue(key, out MethodCost cost)) costs[key] = cost = variant.Restorer.MeasureCost(size.Width, size.Height, sigma);
        return cost;
    }

    /// <summary>All ways in which a method is measured; they share a restorer, which the caller disposes.</summary>
    private static List<Variant> Variants(ComputeDevice device, EvaluatedMethod evaluated, Blur blur)
    {
        EvaluationOptions options = blur.Options;
        RestorationMethod method = evaluated.Method;
        List<(SigmaMode Mode, SigmaSource From)> ways = [];
        if (!method.TakesSigma) ways.Add((SigmaMode.Blind, SigmaSource.Own));
        else if (evaluated.Searched is not null) ways.Add((SigmaMode.Given, SigmaSource.Own));
        else foreach (SigmaMode mode in options.SigmaModes.Distinct())
        {
            if (mode == SigmaMode.Given) ways.Add((mode, SigmaSource.Own));
            else ways.AddRange(options.SigmaFrom.Select(from => SigmaEstimators.Resolve(from, method)).Distinct().Select(from => (mode, from)));
        }
        bool isEstimated = ways.Any(way => way is { Mode: SigmaMode.Auto, From: SigmaSource.Ours });
        StillRestorer restorer = new(device, method, evaluated.Estimator ?? (isEstimated ? EstimatorFor(method, blur.Kind) : null));
        IReadOnlyList<bool> guards = method.Network is { IsConditioned: true } ? [.. options.Guards.Distinct()] : [false];
        return [.. ways.SelectMany(way => guards.Select(guard => new Variant(evaluated, restorer, way.Mode, way.From, guard, options.Strength)))];
    }

    /// <summary>What estimates sigma, found before anything is measured: for a network what learned its blur, for a filter what learned the blur in hand.</summary>
    private static EstimatorWeights EstimatorFor(RestorationMethod method, DegradationKind kind)
    {
        const string Advice = "To measure with the true sigma only: --sigma-mode given.";
        try
        {
            return method.Network is { } network ? SigmaEstimators.WeightsFor(network) : EstimatorWeights.Load(kind.Name());
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

    /// <param name="sharp">The truth.</param>
    /// <param name="set">Name of its set.</param>
    /// <param name="name">Of its file.</param>
    /// <param name="variants">What is measured.</param>
    /// <param name="blur">What is done to it.</param>
    /// <param name="examples">Gets what became of the picture at one sigma; null where nobody wants it.</param>
    /// <param name="cancellation">Stops after the method in hand.</param>
    private static Measurement[] Measure(Mat sharp, string set, string name, List<Variant> variants, Blur blur, List<ExamplePicture>? examples, CancellationToken cancellation)
    {
        EvaluationOptions options = blur.Options;
        float shown = options.Sigmas.MinBy(sigma => Math.Abs(sigma - ExamplePicture.UsualSigma));
        LumaPlane truth = LumaPlane.Of(sharp);
        using Mat luma = truth.ToMat(MatType.CV_8UC1);
        List<Func<Measurement>> work = [];
        List<(Row Row, LumaPlane Luma)> kept = [];
        foreach (float sigma in options.Sigmas)
        {
            // A luma method is judged on blurred luma; an RGB network on luma of what it makes of the blurred picture.
            Degradation degradation = blur.At(sigma);
            SeededRandom random = new(seed: 1, FormattableString.Invariant($"{set}/{name}/{sigma}"));
            using Mat? picture = blur.IsCamera || variants.Any(variant => variant.Restorer.TakesRgb) ? degradation.Apply(sharp, random) : null;
            LumaPlane? ofPicture = picture is null ? null : LumaPlane.Of(picture);
            using Mat blurredLuma = degradation.Blur(luma);
            LumaPlane blurred = blur.IsCamera ? ofPicture! : LumaPlane.FromMat(blurredLuma);
            Quality given = new(truth, blurred);

            // What is sharp in a camera's picture has its noise and compression all the same.
            using Mat? clear = options.SharpHalf && blur.IsCamera ? blur.At(0).Apply(sharp, new SeededRandom(seed: 1, FormattableString.Invariant($"{set}/{name}/sharp"))) : null;
            using Mat? halfPicture = options.SharpHalf && picture is not null ? HalfBlurred.Join(clear ?? sharp, picture) : null;
            LumaPlane? half = !options.SharpHalf ? null : blur.IsCamera ? LumaPlane.Of(halfPicture!) : HalfBlurred.Join(truth, blurred);
            LumaPlane? ofHalfPicture = halfPicture is null ? null : LumaPlane.Of(halfPicture);

            Row inputRow = new(sigma, null);
            work.Add(() => given.Against(given, inputRow, estimate: null, half is null ? null : Halves.Of(truth, half, blurred, estimate: null), bestValue: null));
            if (sigma == shown) kept.Add((inputRow, blurred));
            foreach (Variant variant in variants)
            {
                cancellation.ThrowIfCancellationRequested();
                Row row = new(sigma, variant);
                DeblurOptions how = variant.OptionsAt(sigma);
                LumaPlane input = variant.Restorer.TakesRgb ? ofPicture! : blurred;
                LumaPlane? halfInput = variant.Restorer.TakesRgb ? ofHalfPicture : half;
                double? bestValue = variant.Evaluated.Searched is { } parameter ? ParameterSearch.Best(parameter, value => variant.Restorer.QualityAt(variant.Evaluated.At(value), truth, input, how)) : null;
                using StillRestorer? best = bestValue is { } found ? variant.Restorer.For(variant.Evaluated.At(found)) : null;
                StillRestorer restorer = best ?? variant.Restorer;
                RestoredLuma restored = restorer.Restore(input, picture, how);
                RestoredLuma? restoredHalf = halfInput is null ? null : restorer.Restore(halfInput, halfPicture, how);
                Quality inputQuality = variant.Restorer.TakesRgb ? new(truth, input) : given;
                work.Add(() => new Quality(truth, restored.Luma).Against(
                    inputQuality, row, Estimate.Of(restored), restoredHalf is { } one ? Halves.Of(truth, one.Luma, restored.Luma, Estimate.Of(one)) : null, bestValue));
                if (sigma == shown) kept.Add((row, restored.Luma));
            }
        }

        var measurements = new Measurement[work.Count];
        EveryProcessor.For(work.Count, i => measurements[i] = work[i](), cancellation);
        examples?.Add(new(set, name, blur.Kind, blur.Psf, shown, truth, [.. kept.Select(one => new RestoredExample(
            one.Row.Model, one.Row.Kind, one.Row.Mode, one.Row.Guard, one.Row.SigmaFrom, one.Row.IsOwnEstimator, one.Luma, measurements.First(m => m.Row == one.Row).Psnr))]));
        return measurements;
    }

    /// <summary>How near one plane comes to the truth; worked out when first asked for.</summary>
    private sealed class Quality(LumaPlane truth, LumaPlane plane)
    {
        private readonly Lazy<(double Psnr, double Ssim)> _figures = new(() => (
            ImageQuality.Psnr(truth.Samples, plane.Samples, truth.W, truth.H),
            ImageQuality.Ssim(truth.Samples, plane.Samples, truth.W, truth.H)));

        public Measurement Against(Quality given, Row row, Estimate? estimate, Halves? halves, double? bestValue) => new(
            row, _figures.Value.Psnr, _figures.Value.Ssim, given._figures.Value.Psnr, given._figures.Value.Ssim, estimate, halves, bestValue);
    }

    private static EvaluationProtocol Describe(ComputeDevice? device, IReadOnlyList<EvaluatedMethod> methods, EvaluationOptions options) => new(
        "Y = 16 + (65.481 R + 128.553 G + 24.966 B)/255, rounded to 8 bits",
        string.Join("; or: ", options.Degradations.SelectMany(kind => options.Shapes.Select(shape => Describe(kind, shape, options)))),
        ImageQuality.Border,
        "10 log10(255^2 / max(mean squared error, 0.001)) per picture, mean over the set; 78.13 means identical",
        "11x11 Gaussian window of standard deviation 1.5, K1 0.01, K2 0.03, valid positions only; mean over the set",
        new Dictionary<string, string>([new(InputName, "the input itself"), .. methods.Select(method => new KeyValuePair<string, string>(method.Name, Describe(method)))]),
        SigmaModes, options.Strength,
        options.SharpHalf ? $"left half sharp (with the noise and compression of the camera, if any), right half blurred, {HalfBlurred.FadeColumns} columns of linear cross-fade between, which are not measured; PSNR against the sharp picture" : null,
        string.Join(',', options.Shapes.Select(NameOf)),
        "median time from enqueueing a restoration to its end, guard included, estimator and copies not, at the commonest size of the set; MAC: multiply-accumulates of the same",
        device?.Info.Name);

    private static string Describe(EvaluatedMethod method)
    {
        if (method.Method.Filter is not { } filter) return $"network of {method.Method.Network!.Description.MacPerPixel:N0} multiplications per pixel";
        return $"{filter.Summary.TrimEnd('.')} ({filter.Source.TrimEnd('.')}){(method.Searched is { } parameter ? $"; told sigma and, per picture, the {parameter.Name} of the largest PSNR (an oracle)" : "")}";
    }

    private static string Describe(DegradationKind kind, BlurShape? shape, EvaluationOptions options) => kind == DegradationKind.Camera
        ? FormattableString.Invariant($"{DescribeBlur(shape)} in linear light (sRGB), noise of standard deviation {options.Noise}/255 at mid-grey (a quarter read noise, the rest shot noise), {DescribeCodec(options)}; then luma")
        : $"{DescribeBlur(shape)} of luma (of R, G and B for RGB networks) in floating point, kernel side 2*ceil(4 sigma)+1, border reflect-101, rounded to 8 bits";

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
