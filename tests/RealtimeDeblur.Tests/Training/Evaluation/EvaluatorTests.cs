using OpenCvSharp;
using RealtimeDeblur.Compute;
using RealtimeDeblur.Networks;
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
        EvaluationReport report = Evaluate(device, [new("identity", Identity(C: 1)), new("identity-rgb", Identity(C: 3))], new() { Sigmas = [0, 1.6f], Degradation = degradation });
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
    public void Evaluate_AllBaselines_StandBesideTheBlurredInput()
    {
        AddTwoSets();
        EvaluationReport report = Evaluate(null, [], new() { Sigmas = [0, 1] });
        Assert.Equal(["blurred", "unsharp", "wiener-fixed", "wiener", "polyblur"], report.Results.Select(result => result.Model).Distinct());
        Assert.Equal(["first", "second"], report.Results.Select(result => result.Set).Distinct());
        Assert.Equal(report.Results.Select(result => result.Model).Distinct(), report.Protocol.Methods.Keys);
        Assert.All(report.Results.Where(result => result.Sigma == 0 && result.KnowsSigma && result.Model != "wiener-fixed"), result => Assert.Equal(78.13, result.Psnr, 2));
        Assert.All(report.Results.Where(result => result is { Sigma: 1, Model: "wiener" or "unsharp" }), result => Assert.True(result.Psnr > result.PsnrBlurred));
    }

    [Fact]
    public void Evaluate_Camera_IsTheSameEveryTimeAndHarderWithNoise()
    {
        _pictures.Add("a.png", 96, 80);
        EvaluationOptions options = new() { Sigmas = [1], Degradation = DegradationKind.Camera, Baselines = true };
        EvaluationReport first = Evaluate(null, [], options);
        Assert.Equal(first.Results, Evaluate(null, [], options).Results);
        EvaluationReport clean = Evaluate(null, [], options with { Noise = 0, JpegQuality = null });
        EvaluationReport noisy = Evaluate(null, [], options with { Noise = 20, JpegQuality = null });
        Assert.True(clean.Results[0].Psnr > noisy.Results[0].Psnr + 1);
        Assert.Contains("JPEG quality 85", first.Protocol.Degradation, StringComparison.Ordinal);
    }

    [Fact]
    public void Evaluate_Camera_HasAnUnsharpMaskOfTheBestRadius()
    {
        _pictures.Add("a.png", 96, 80);
        EvaluationReport report = Evaluate(null, [], new() { Sigmas = [1.6f], Degradation = DegradationKind.Camera });
        Assert.Equal(["blurred", "unsharp", "unsharp-best", "wiener-fixed", "wiener", "polyblur"], report.Results.Select(result => result.Model));
        Assert.Contains("oracle", report.Protocol.Methods["unsharp-best"], StringComparison.Ordinal);
        Assert.True(report.Results[2].Psnr >= report.Results[1].Psnr - 0.01);
    }

    [Fact]
    public void Evaluate_OtherShapesAndH264_AreDoneAndNamed()
    {
        _pictures.Add("a.png", 96, 80);
        EvaluationOptions options = new() { Sigmas = [1.5f] };
        Dictionary<string, EvaluationReport> reports = new()
        {
            ["Gaussian blur of luma"] = Evaluate(null, [], options),
            ["disc of radius 2 sigma"] = Evaluate(null, [], options with { Shape = BlurShape.Disc }),
            ["ratio 2, long axis at 30 degrees"] = Evaluate(null, [], options with { Shape = BlurShape.Anisotropic(2, MathF.PI / 6) }),
            ["JPEG quality 85"] = Evaluate(null, [], options with { Degradation = DegradationKind.Camera, Noise = 0 }),
            ["intra frame of QP 40"] = Evaluate(null, [], options with { Degradation = DegradationKind.Camera, Noise = 0, H264Qp = 40 }),
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
    public void Find_FolderWithoutPictures_IsRefused()
    {
        Directory.CreateDirectory(_pictures.Sharp);
        Assert.Throws<InvalidDataException>(() => EvaluationSet.Find(_pictures.Sharp));
        Assert.Throws<DirectoryNotFoundException>(() => EvaluationSet.Find(_pictures.PathTo("nowhere")));
    }

    private EvaluationReport Evaluate(ComputeDevice? device, IReadOnlyList<EvaluatedNetwork> networks, EvaluationOptions options) =>
        Evaluator.Evaluate(device, networks, EvaluationSet.Find(_pictures.Sharp), options, cancellation: TestContext.Current.CancellationToken);

    private void AddTwoSets()
    {
        _pictures.Add("first/a.png", 64, 51);
        _pictures.Add("second/b.png", 49, 64);
        _pictures.Add("second/c.bmp", 64, 51);
    }

    /// <summary>One 1x1 convolution with the identity matrix.</summary>
    private static Network Identity(int C)
    {
        var weight = new float[C * C];
        for (int c = 0; c < C; c++) weight[c * C + c] = 1;
        return new("identity", new NetworkDescription("identity", [new("same", C, C, 1, Relu: false)], globalSkip: false), [new(weight, new float[C])]);
    }
}
