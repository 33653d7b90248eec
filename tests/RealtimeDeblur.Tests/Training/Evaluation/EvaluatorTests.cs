using OpenCvSharp;
using RealtimeDeblur.Compute;
using RealtimeDeblur.Networks;
using RealtimeDeblur.Restoration;
using RealtimeDeblur.Tests.Networks;
using RealtimeDeblur.Tests.Restoration;
using RealtimeDeblur.Tests.Training.Data;
using RealtimeDeblur.Training.Data;
using RealtimeDeblur.Training.Evaluation;
using Xunit;

namespace RealtimeDeblur.Tests.Training.Evaluation;

public sealed class EvaluatorTests : IDisposable
{
    private readonly TestPictures _pictures = new();

    public void Dispose() => _pictures.Dispose();

    [Theory]
    [InlineData(DegradationKind.Gaussian)]
    [InlineData(DegradationKind.Camera)]
    public void Evaluate_NetworkThatChangesNothing_GivesTheBlurredFiguresExactly(DegradationKind degradation)
    {
        AddTwoSets();
        using ComputeDevice device = TestDevice.OpenOrSkip();
        EvaluationReport report = Evaluate(device, [new("identity", Identity(C: 1)), new("identity-rgb", Identity(C: 3))], new() { Sigmas = [0, 1.6f], Degradations = [degradation] });
        List<EvaluationResult> identities = [.. report.Results.Where(result => result.Model.StartsWith("identity", StringComparison.Ordinal))];
        Assert.Equal(8, identities.Count);
        foreach (EvaluationResult result in identities)
        {
            Assert.Equal((result.PsnrBlurred, result.SsimBlurred), (result.Psnr, result.Ssim));
            if (result.Model != "identity") continue;
            EvaluationResult blurred = Assert.Single(report.Results, other => other.Model == "blurred" && other.Set == result.Set && other.Sigma == result.Sigma);
            Assert.Equal((blurred.Psnr, blurred.Ssim), (result.Psnr, result.Ssim));
        }
    }

    [Fact]
    public void Evaluate_BlurredInput_FollowsTheProtocolStepByStep()
    {
        AddTwoSets();
        EvaluationReport report = Evaluate(null, [], new() { Sigmas = [1.6f] });
        List<double> expected = [];
        foreach (string file in Directory.GetFiles(Path.Combine(_pictures.Sharp, "second")))
        {
            using Mat picture = Cv2.ImRead(file);
            (int W, int H) = (picture.Width, picture.Height);
            using Mat luma = new(picture.Size(), MatType.CV_32FC1);
            for (int y = 0; y < H; y++)
            {
                for (int x = 0; x < W; x++)
                {
                    Vec3b pixel = picture.At<Vec3b>(y, x);
                    luma.Set(y, x, (float)Math.Round(16 + (65.481 * pixel.Item2 + 128.553 * pixel.Item1 + 24.966 * pixel.Item0) / 255));
                }
            }
            using Mat blurred = new();
            Cv2.GaussianBlur(luma, blurred, new Size(15, 15), 1.6, 1.6, BorderTypes.Reflect101);
            double sum = 0;
            for (int y = 8; y < H - 8; y++)
            {
                for (int x = 8; x < W - 8; x++) sum += Math.Pow(Math.Round(blurred.At<float>(y, x)) - luma.At<float>(y, x), 2);
            }
            expected.Add(10 * Math.Log10(255 * 255 / (sum / ((W - 16) * (H - 16)))));
        }
        EvaluationResult result = Assert.Single(report.Results, result => result is { Model: "blurred", Set: "second" });
        Assert.Equal(2, result.Images);
        Assert.Equal(expected.Average(), result.Psnr, 9);
        Assert.Equal(8, report.Protocol.BorderPixels);
    }

    [Fact]
    public void Evaluate_Filters_StandBesideTheInputAndHelp()
    {
        AddTwoSets();
        using ComputeDevice device = TestDevice.OpenOrSkip();
        EvaluatedMethod[] methods = [.. ((string[])["unsharp", "wiener:ratio=best"]).Select(EvaluatedMethod.Parse)];
        EvaluationReport report = Evaluate(device, methods, new() { Sigmas = [0, 1], SigmaModes = [SigmaMode.Given] });
        Assert.Equal(["blurred", "unsharp", "wiener:ratio=best"], report.Results.Select(result => result.Model).Distinct());
        Assert.Equal(["first", "second"], report.Results.Select(result => result.Set).Distinct());
        Assert.Equal(report.Results.Select(result => result.Model).Distinct(), report.Protocol.Methods.Keys);
        Assert.Contains("oracle", report.Protocol.Methods["wiener:ratio=best"], StringComparison.Ordinal);
        Assert.All(report.Results.Where(result => result is { Sigma: 1, Kind: MethodKind.Filter }), result => Assert.True(result.Psnr > result.PsnrBlurred, $"{result}"));
        Assert.All(report.Results, result => Assert.Equal(result.Model == "wiener:ratio=best", result.BestValue is not null));
        Assert.All(report.Results, result => Assert.Equal(result.Model == "unsharp", result is { MacPerPixel: > 0, MsPerMegapixel: > 0 }));
        Assert.Null(report.Verdict);
    }

    [Fact]
    public void Evaluate_BestValue_IsAheadOfOthers()
    {
        _pictures.Add("a.png", 96, 80);
        using ComputeDevice device = TestDevice.OpenOrSkip();
        string[] ratios = ["best", "0.0003", "0.003", "0.03", "0.3"];
        EvaluationReport report = Evaluate(device, [.. ratios.Select(ratio => EvaluatedMethod.Parse($"wiener:ratio={ratio}"))], new() { Sigmas = [1.6f], SigmaModes = [SigmaMode.Given] });
        EvaluationResult best = report.Results.Single(result => result.BestValue is not null);
        Assert.All(report.Results, result => Assert.True(best.Psnr >= result.Psnr - 0.02, $"{result} {best}"));
    }

    [Fact]
    public void Evaluate_SeveralBlursAndEstimators_MeasuresEach()
    {
        _pictures.Add("a.png", 160, 120);
        using ComputeDevice device = TestDevice.OpenOrSkip();
        EvaluationOptions options = new()
        {
            Sigmas = [1], SigmaModes = [SigmaMode.Auto], SigmaFrom = [SigmaSource.Own, SigmaSource.Ours, SigmaSource.Spectrum], Shapes = [null, BlurShape.Disc],
            Degradations = [DegradationKind.Gaussian, DegradationKind.Camera], KeepExamples = true,
        };
        EvaluationReport report = Evaluate(device, [EvaluatedMethod.Parse("unsharp")], options);
        Assert.Equal(4 * 3, report.Results.Count);
        Assert.Equal(4, report.Results.Select(result => (result.Degradation, result.Psf)).Distinct().Count());
        Assert.Equal(4, report.Results.Where(result => result.Kind == MethodKind.Input).Select(result => result.Psnr).Distinct().Count());
        foreach (EvaluationResult result in report.Results.Where(result => result.Kind == MethodKind.Filter))
        {
            Assert.NotNull(result.SigmaEstimate);
            Assert.Equal(result.SigmaFrom == SigmaSource.Ours, result.IsOwnEstimator);
        }
        Assert.Contains("; or: ", report.Protocol.Degradation, StringComparison.Ordinal);
        Assert.Equal("gaussian,disc", report.Protocol.Psf);
        Assert.Equal(4, report.Examples.Count);
        Assert.All(report.Examples, example => Assert.Equal(["blurred", "unsharp", "unsharp"], example.Restored.Select(one => one.Model)));
        // One picture is the whole set.
        Assert.Equal(report.Results.Select(result => result.Psnr), report.Examples.SelectMany(example => example.Restored).Select(one => one.Psnr));
    }

    [Fact]
    public void Evaluate_Camera_IsTheSameEveryTimeAndHarderWithNoise()
    {
        _pictures.Add("a.png", 96, 80);
        EvaluationOptions options = new() { Sigmas = [1], Degradations = [DegradationKind.Camera] };
        EvaluationReport first = Evaluate(null, [], options);
        Assert.Equal(first.Results, Evaluate(null, [], options).Results);
        EvaluationReport clean = Evaluate(null, [], options with { Noise = 0, JpegQuality = null });
        EvaluationReport noisy = Evaluate(null, [], options with { Noise = 20, JpegQuality = null });
        Assert.True(clean.Results[0].Psnr > noisy.Results[0].Psnr + 1);
        Assert.Contains("JPEG quality 85", first.Protocol.Degradation, StringComparison.Ordinal);
    }

    [Fact]
    public void Evaluate_OtherShapesAndH264_AreDoneAndNamed()
    {
        _pictures.Add("a.png", 96, 80);
        EvaluationOptions options = new() { Sigmas = [1.5f] };
        Dictionary<string, EvaluationReport> reports = new()
        {
            ["Gaussian blur of luma"] = Evaluate(null, [], options),
            ["disc of radius 2 sigma"] = Evaluate(null, [], options with { Shapes = [BlurShape.Disc] }),
            ["ratio 2, long axis at 30 degrees"] = Evaluate(null, [], options with { Shapes = [BlurShape.Anisotropic(2, MathF.PI / 6)] }),
            ["JPEG quality 85"] = Evaluate(null, [], options with { Degradations = [DegradationKind.Camera], Noise = 0 }),
            ["intra frame of QP 40"] = Evaluate(null, [], options with { Degradations = [DegradationKind.Camera], Noise = 0, H264Qp = 40 }),
        };
        Assert.All(reports, report => Assert.Contains(report.Key, report.Value.Protocol.Degradation, StringComparison.Ordinal));
        Assert.Equal(reports.Count, reports.Values.Select(report => report.Results[0].Psnr).Distinct().Count());
    }

    [Fact]
    public void Evaluate_UnusablePicture_IsListedAndLeftOut()
    {
        _pictures.Add("good.png", 60, 50);
        _pictures.Add("small.png", 60, 26);
        _pictures.AddFile("broken.png", [1, 2, 3]);
        EvaluationReport report = Evaluate(null, [], new() { Sigmas = [1] });
        Assert.Equal(["broken.png", "small.png"], report.Skipped.Select(picture => Path.GetFileName(picture.Source)));
        Assert.All(report.Results, result => Assert.Equal(1, result.Images));
    }

    [Fact]
    public void Evaluate_NothingUsable_NamesThePictureAndTheReason()
    {
        _pictures.AddFile("broken.png", [1, 2, 3]);
        Assert.Contains("broken.png: not a picture", Assert.Throws<InvalidDataException>(() => Evaluate(null, [], new())).Message, StringComparison.Ordinal);
        Assert.Throws<ArgumentException>(() => Evaluate(null, [], new() { Sigmas = [-1] }));
    }

    [Fact]
    public void Evaluate_SigmaGivenAtAKnot_EqualsTheNetworkOfThatKnot()
    {
        AddTwoSets();
        using ComputeDevice device = TestDevice.OpenOrSkip();
        NetworkDescription description = new("small", [new("first", 1, 4, 3, Relu: true), new("last", 4, 1, 3, Relu: false)], globalSkip: true, sigmaKnots: [0.5f, 1, 2]);
        Network network = RandomNetwork.Create(description, seed: 3);
        EvaluationOptions options = new() { Sigmas = [1, 2, 5], SigmaModes = [SigmaMode.Given], Guards = [false] };
        EvaluationReport report = Evaluate(device, [new("told", network), new("at1", network.At(1)), new("at2", network.At(2))], options);
        Assert.All(Methods(report), result => Assert.Equal(result.Model == "told" ? SigmaMode.Given : SigmaMode.Blind, result.SigmaMode));
        Assert.Equal(3 * 2 * 3, Methods(report).Count);
        foreach (EvaluationResult told in report.Results.Where(result => result.Model == "told"))
        {
            EvaluationResult same = Assert.Single(report.Results, other => other.Model == (told.Sigma == 1 ? "at1" : "at2") && other.Set == told.Set && other.Sigma == told.Sigma);
            // Weights that are interpolated on the device may round differently, which moves a pixel by one in rare cases.
            Assert.Equal(same.Psnr, told.Psnr, 0.01);
            Assert.True(told.KnowsSigma);
            Assert.False(same.KnowsSigma);
            Assert.Null(told.SigmaEstimate);
        }
    }

    [Fact]
    public void Evaluate_SigmaFromAnEstimator_ReportsItsErrors()
    {
        _pictures.AddFile("gray.png", FlatPicture(BrightnessEstimator.Mild));
        using ComputeDevice device = TestDevice.OpenOrSkip();
        EvaluatedMethod network = new("dial", SmallNetwork.Dial()) { Estimator = BrightnessEstimator.Create() };
        EvaluationReport report = Evaluate(device, [network], new() { Sigmas = [0, 0.5f, 1, 2] });
        Assert.Equal([SigmaMode.Given, SigmaMode.Auto], Methods(report).Select(result => result.SigmaMode).Distinct());
        foreach (EvaluationResult result in Methods(report))
        {
            Assert.Equal(result.SigmaMode == SigmaMode.Auto, result.SigmaEstimate is not null);
            if (result.SigmaEstimate is not { } estimate) continue;
            // A flat picture stays what it is, and is taken for one of sigma 1, see BrightnessEstimator; estimates come in steps of 1/64.
            Assert.Equal(1, estimate.Median, 0.04);
            Assert.Equal(1 - result.Sigma, estimate.Bias, 0.04);
            Assert.Equal(0, estimate.SharpShare);
            Assert.Equal(estimate.MedianErrorPercent, estimate.P90ErrorPercent);
            if (result.Sigma == 0) Assert.Equal(double.NaN, estimate.MedianErrorPercent);
            else Assert.Equal(100 * Math.Abs(1 - result.Sigma) / result.Sigma, estimate.MedianErrorPercent, 100 * 0.04 / result.Sigma);
        }
    }

    [Fact]
    public void Evaluate_PictureFoundSharp_IsLeftAsItWas()
    {
        _pictures.AddFile("dark.png", FlatPicture(gray: 40));
        using ComputeDevice device = TestDevice.OpenOrSkip();
        EvaluatedMethod network = new("dial", SmallNetwork.Dial()) { Estimator = BrightnessEstimator.Create() };
        EvaluationResult result = Assert.Single(Methods(Evaluate(device, [network], new() { Sigmas = [2], SigmaModes = [SigmaMode.Auto] })));
        Assert.Equal((result.PsnrBlurred, result.SsimBlurred), (result.Psnr, result.Ssim));
        Assert.Equal(1, result.SigmaEstimate!.SharpShare);
    }

    [Fact]
    public void Evaluate_GuardOnAndOff_MeasuresEither()
    {
        _pictures.Add("a.png", 160, 120);
        using ComputeDevice device = TestDevice.OpenOrSkip();
        EvaluationOptions options = new() { Sigmas = [2], SigmaModes = [SigmaMode.Given], Guards = [true, false], SharpHalf = true };
        EvaluationReport report = Evaluate(device, [new("dial", SmallNetwork.Dial()), new("sharpen", SmallNetwork.Sharpen())], options);
        Assert.Equal(["dial", "dial", "sharpen"], Methods(report).Select(result => result.Model));
        EvaluationResult guarded = Methods(report)[0], bare = Methods(report)[1], blind = Methods(report)[2];
        Assert.Equal((true, false, false), (guarded.Guard, bare.Guard, blind.Guard));
        Assert.Equal(guarded.PsnrBlurred, bare.PsnrBlurred);
        // The guard keeps what is sharp.
        Assert.True(guarded.SharpHalf!.PsnrSharpHalf > bare.SharpHalf!.PsnrSharpHalf + 1, $"{guarded.SharpHalf} {bare.SharpHalf}");
        Assert.Equal(bare.SharpHalf, blind.SharpHalf);
        Assert.Throws<ArgumentException>(() => Evaluate(device, [], new() { Guards = [] }));
    }

    [Theory]
    [InlineData(DegradationKind.Gaussian)]
    [InlineData(DegradationKind.Camera)]
    public void Evaluate_SharpHalf_MeasuresBothHalvesApart(DegradationKind degradation)
    {
        AddTwoSets();
        using ComputeDevice device = TestDevice.OpenOrSkip();
        EvaluationOptions options = new() { Sigmas = [2], SharpHalf = true, Degradations = [degradation], Noise = 0, JpegQuality = null };
        EvaluationReport report = Evaluate(device, [new("identity", Identity(C: 1)), new("identity-rgb", Identity(C: 3)), new("sharpen", SmallNetwork.Sharpen())], options);
        foreach (EvaluationResult result in report.Results)
        {
            SharpHalfSummary halves = result.SharpHalf!;
            Assert.Null(halves.SigmaEstimate);
            if (result.Model is "blurred" or "identity" or "identity-rgb")
            {
                Assert.Equal(78.13, halves.PsnrSharpHalf, 2);
                Assert.Equal(halves.PsnrBlurredHalfAllOver, halves.PsnrBlurredHalf);
                Assert.InRange(halves.PsnrBlurredHalf, result.Psnr - 6, result.Psnr + 6);
            }
            else if (result.Model == "sharpen")
            {
                Assert.True(halves.PsnrSharpHalf < 50);
                Assert.True(halves.PsnrBlurredHalf > Assert.Single(report.Results, other => other.Model == "blurred" && other.Set == result.Set).SharpHalf!.PsnrBlurredHalf);
            }
        }
        Assert.NotNull(report.Protocol.SharpHalf);
    }

    [Fact]
    public void Evaluate_SharpHalfFoundByTheEstimator_StaysAsItWas()
    {
        _pictures.AddFile("dark.png", FlatPicture(gray: 40));
        using ComputeDevice device = TestDevice.OpenOrSkip();
        EvaluatedMethod network = new("dial", SmallNetwork.Dial()) { Estimator = BrightnessEstimator.Create() };
        EvaluationResult result = Assert.Single(Methods(Evaluate(device, [network], new() { Sigmas = [2], SigmaModes = [SigmaMode.Auto], SharpHalf = true })));
        Assert.Equal(78.13, result.SharpHalf!.PsnrSharpHalf, 2);
        Assert.Equal(1, result.SharpHalf.SigmaEstimate!.SharpShare);
    }

    [Fact]
    public void Evaluate_WithoutSharpHalf_LeavesItOut()
    {
        _pictures.Add("narrow.png", HalfBlurred.MinimumWidth - 1, 40);
        EvaluationReport report = Evaluate(null, [], new() { Sigmas = [1] });
        Assert.Null(report.Protocol.SharpHalf);
        Assert.All(report.Results, result => Assert.Null(result.SharpHalf));
        Assert.Contains("48x27 is the least", Assert.Throws<InvalidDataException>(() => Evaluate(null, [], new() { Sigmas = [1], SharpHalf = true })).Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Join_BlackAndWhite_FadesOverSixteenColumns()
    {
        const int W = 50, H = 30;
        LumaPlane joined = HalfBlurred.Join(new LumaPlane(new byte[W * H], W, H), new LumaPlane([.. Enumerable.Repeat((byte)255, W * H)], W, H));
        byte[] row = joined.Samples[..W];
        Assert.All(row[..17], sample => Assert.Equal(0, sample));
        Assert.All(row[33..], sample => Assert.Equal(255, sample));
        for (int x = 17; x < 33; x++) Assert.Equal((byte)Math.Round(255 * (x - 16.5) / 16), row[x]);
        Assert.Equal(row, joined.Samples[^W..]);

        using Mat black = new(H, W, MatType.CV_8UC3, Scalar.Black), white = new(H, W, MatType.CV_8UC3, Scalar.White);
        using Mat colour = HalfBlurred.Join(black, white);
        for (int x = 0; x < W; x++) Assert.Equal(new Vec3b(row[x], row[x], row[x]), colour.At<Vec3b>(H - 1, x));
    }

    [Fact]
    public void Evaluate_EstimatorMissing_SaysSoBeforeMeasuring()
    {
        AddTwoSets();
        using ComputeDevice device = TestDevice.OpenOrSkip();
        EvaluatedMethod silent = new("dial", SmallNetwork.Dial()), unknown = new("dial", SmallNetwork.Dial(new() { ["degradation"] = "rain" }));
        InvalidDataException noDegradation = Assert.Throws<InvalidDataException>(() => Evaluate(device, [silent], new() { Sigmas = [1] }));
        Assert.Contains("does not say what blur it was trained on", noDegradation.Message, StringComparison.Ordinal);
        Assert.EndsWith("--sigma-mode given.", noDegradation.Message, StringComparison.Ordinal);
        FileNotFoundException noEstimator = Assert.Throws<FileNotFoundException>(() => Evaluate(device, [unknown], new() { Sigmas = [1] }));
        Assert.Contains("no estimator of its sigma is installed", noEstimator.Message, StringComparison.Ordinal);
        Assert.EndsWith("--sigma-mode given.", noEstimator.Message, StringComparison.Ordinal);
        Assert.All(Methods(Evaluate(device, [unknown], new() { Sigmas = [1], SigmaModes = [SigmaMode.Given] })), result => Assert.Equal(SigmaMode.Given, result.SigmaMode));
    }

    [Fact]
    public void Evaluate_Networks_StateWorkAndTime()
    {
        AddTwoSets();
        using ComputeDevice device = TestDevice.OpenOrSkip();
        EvaluationReport report = Evaluate(device, [new("sharpen", SmallNetwork.Sharpen())], new() { Sigmas = [1] });
        foreach (EvaluationResult result in report.Results)
        {
            Assert.Equal(result.Model == "sharpen" ? 9 : (double?)null, result.MacPerPixel);
            Assert.Equal(result.Model == "sharpen", result.MsPerMegapixel is > 0);
            Assert.Equal(result.KnowsSigma ? SigmaMode.Given : SigmaMode.Blind, result.SigmaMode);
        }
    }

    [Fact]
    public void Evaluate_NoStrength_ChangesNothing()
    {
        AddTwoSets();
        using ComputeDevice device = TestDevice.OpenOrSkip();
        EvaluationReport report = Evaluate(device, [new("sharpen", SmallNetwork.Sharpen())], new() { Sigmas = [1], Strength = 0 });
        Assert.All(report.Results, result => Assert.Equal(result.PsnrBlurred, result.Psnr));
        Assert.Equal(0, report.Protocol.Strength);
        Assert.Throws<ArgumentException>(() => Evaluate(device, [], new() { Strength = 1.5f }));
        Assert.Throws<ArgumentException>(() => Evaluate(device, [], new() { SigmaModes = [] }));
    }

    [Fact]
    public void Restore_SizesThatAlternate_KeepTheirDeblurrers()
    {
        using ComputeDevice device = TestDevice.OpenOrSkip();
        using StillRestorer method = new(device, SmallNetwork.Sharpen());
        foreach (int round in (int[])[1, 2])
        {
            for (int W = 20; W < 20 + StillRestorer.KeptSizes; W++) Restore(W);
            Assert.Equal(StillRestorer.KeptSizes, method.Made);
        }
        Restore(19);
        Restore(21);
        Assert.Equal(StillRestorer.KeptSizes + 1, method.Made);
        Restore(20);
        Assert.Equal(StillRestorer.KeptSizes + 2, method.Made);

        void Restore(int W) => Assert.Equal(W, method.Restore(new(new byte[W * 30], W, 30), null, DeblurOptions.Default).Luma.W);
    }

    [Fact]
    public void Summary_KnownEstimates_HasTheirPercentiles()
    {
        SigmaEstimateSummary summary = SigmaEstimateSummary.Of(2, [(1.5f, false), (2, false), (2.25f, false), (2.5f, true)]);
        Assert.Equal(2.125, summary.Median, 6);
        Assert.Equal(18.75, summary.MedianErrorPercent, 6);     // errors are 0, 12.5, 25 and 25
        Assert.Equal(25, summary.P90ErrorPercent, 6);
        Assert.Equal(0.0625, summary.Bias, 6);
        Assert.Equal(0.25, summary.SharpShare, 6);
    }

    [Fact]
    public void Find_FolderWithoutPictures_IsRefused()
    {
        Directory.CreateDirectory(_pictures.Sharp);
        Assert.Throws<InvalidDataException>(() => EvaluationSet.Find(_pictures.Sharp));
        Assert.Throws<DirectoryNotFoundException>(() => EvaluationSet.Find(_pictures.PathTo("nowhere")));
    }

    private EvaluationReport Evaluate(ComputeDevice? device, IReadOnlyList<EvaluatedMethod> methods, EvaluationOptions options) =>
        Evaluator.Evaluate(device, methods, EvaluationSet.Find(_pictures.Sharp), options, cancellation: TestContext.Current.CancellationToken);

    /// <summary>What is no blurred input.</summary>
    private static List<EvaluationResult> Methods(EvaluationReport report) => [.. report.Results.Where(result => result.Kind != MethodKind.Input)];

    private void AddTwoSets()
    {
        _pictures.Add("first/a.png", 64, 51);
        _pictures.Add("second/b.png", 49, 64);
        _pictures.Add("second/c.bmp", 64, 51);
    }

    /// <summary>A PNG file of one gray.</summary>
    private static byte[] FlatPicture(int gray)
    {
        using Mat picture = new(60, 80, MatType.CV_8UC3, Scalar.All(gray));
        return picture.ImEncode(".png");
    }

    /// <summary>One 1x1 convolution with the identity matrix.</summary>
    private static Network Identity(int C)
    {
        var weight = new float[C * C];
        for (int c = 0; c < C; c++) weight[c * C + c] = 1;
        return new("identity", new NetworkDescription("identity", [new("same", C, C, 1, Relu: false)], globalSkip: false), [new(weight, new float[C])]);
    }
}
