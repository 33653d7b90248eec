using OpenCvSharp;
using RealtimeDeblur.Compute;
using RealtimeDeblur.Imaging;
using RealtimeDeblur.Restoration;
using RealtimeDeblur.Tests.Training.Data;
using RealtimeDeblur.Training.Data;
using RealtimeDeblur.Training.Estimation;
using RealtimeDeblur.Training.Evaluation;
using Xunit;

namespace RealtimeDeblur.Tests.Training.Estimation;

public sealed class EstimatorTrainerTests : IDisposable
{
    private readonly TestPictures _pictures = new();

    public void Dispose() => _pictures.Dispose();

    [Theory]
    [InlineData(DegradationKind.Gaussian)]
    [InlineData(DegradationKind.Camera)]
    public void Train_AHandfulOfPictures_LearnsToOrderBlurs(DegradationKind degradation)
    {
        using ComputeDevice device = TestDevice.OpenOrSkip();
        for (int i = 0; i < 6; i++) _pictures.Add($"p{i}.png", 256, 192, seed: i + 1);
        (EstimatorWeights weights, _) = EstimatorTrainer.Train(device, _pictures.Sharp, new() { Degradation = degradation, SamplesPerPicture = 60, Epochs = 12, Members = 1 }, cancellation: TestContext.Current.CancellationToken);
        Assert.Equal(degradation.Name(), weights.TrainingRecord["degradation"]);

        using Mat sharp = TestPictures.Draw(256, 192, seed: 99);
        float last = -1;
        foreach (float sigma in (float[])[0.7f, 1.2f, 2, 3.3f])
        {
            float found = Estimate(device, weights, sharp, sigma).Sigma;
            Assert.InRange(found, last, 4);
            Assert.InRange(found, 0.6f * sigma, 1.5f * sigma);
            last = found;
        }
        Assert.InRange(Estimate(device, weights, sharp, sigma: 0).Sigma, 0, 0.7f);
    }

    [Fact]
    public void Train_EqualSeeds_GiveEqualWeights()
    {
        using ComputeDevice device = TestDevice.OpenOrSkip();
        _pictures.Add("a.png", 128, 128);
        _pictures.Add("b.png", 128, 160);
        EstimatorOptions options = new() { SamplesPerPicture = 4, Epochs = 2, Members = 2, Seed = 5 };
        float[] first = Train(options), second = Train(options), other = Train(options with { Seed = 6 });
        Assert.Equal(first, second);
        Assert.NotEqual(first, other);

        float[] Train(EstimatorOptions with) => EstimatorTrainer.Train(device, _pictures.Sharp, with, cancellation: TestContext.Current.CancellationToken).Weights.Values;
    }

    [Fact]
    public void Train_PicturesThatCannotBeUsed_AreSkippedWithTheReason()
    {
        using ComputeDevice device = TestDevice.OpenOrSkip();
        _pictures.Add("good.png", 64, 64);
        _pictures.Add("small.png", 31, 64);
        _pictures.AddFile("broken.png", [1, 2, 3]);
        (_, IReadOnlyList<SkippedPicture> skipped) = EstimatorTrainer.Train(device, _pictures.Sharp, new() { SamplesPerPicture = 2, Epochs = 1, Members = 1 }, cancellation: TestContext.Current.CancellationToken);
        Assert.Equal(2, skipped.Count);
        Assert.Contains(skipped, one => one.Reason.Contains("31x64 is too small", StringComparison.Ordinal));
    }

    [Fact]
    public void Train_NothingToLearnFrom_SaysSo()
    {
        using ComputeDevice device = TestDevice.OpenOrSkip();
        Assert.Throws<DirectoryNotFoundException>(() => EstimatorTrainer.Train(device, _pictures.PathTo("nowhere"), new(), cancellation: TestContext.Current.CancellationToken));
        _pictures.AddFile("broken.png", [1]);
        Assert.Contains("broken.png", Assert.Throws<InvalidDataException>(() => EstimatorTrainer.Train(device, _pictures.Sharp, new(), cancellation: TestContext.Current.CancellationToken)).Message, StringComparison.Ordinal);
        Assert.Throws<ArgumentException>(() => EstimatorTrainer.Train(device, _pictures.Sharp, new() { Members = 9 }, cancellation: TestContext.Current.CancellationToken));
    }

    [Fact]
    public void DrawSigma_ManyTimes_CoversTheRange()
    {
        SeededRandom random = new(1, "sigma");
        float[] drawn = [.. Enumerable.Range(0, 4000).Select(_ => EstimatorSampler.DrawSigma(random))];
        Assert.All(drawn, sigma => Assert.InRange(sigma, 0, SigmaEstimate.MaxSigma));
        Assert.InRange(drawn.Count(sigma => sigma == 0) / 4000.0, 0.08, 0.12);
        Assert.InRange(drawn.Count(sigma => sigma < 0.5) / 4000.0, 0.22, 0.28);
        Assert.InRange(drawn.Count(sigma => sigma > 2) / 4000.0, 0.22, 0.28);
    }

    [Fact]
    public void Measure_RandomWeights_HasEverySetConditionAndSigma()
    {
        using ComputeDevice device = TestDevice.OpenOrSkip();
        _pictures.Add("one/a.png");
        _pictures.Add("one/b.png");
        _pictures.AddFile("one/broken.png", [1]);
        _pictures.Add("two/c.png");
        EstimatorWeights weights = Tests.Restoration.RandomEstimator.Create(new(Members: 1));
        IReadOnlyList<EstimatorResult> results = EstimatorEvaluation.Measure(
            device, format => new SigmaEstimator(device, format, weights), EvaluationSet.Find(_pictures.Sharp), EstimatorCondition.Usual(DegradationKind.Camera), [0, 1, 2], cancellation: TestContext.Current.CancellationToken);
        Assert.Equal(2 * 3 * 3, results.Count);
        Assert.All(results, one => Assert.Equal(one.Set == "one" ? 2 : 1, one.Images));
        Assert.All(results, one => Assert.Equal(one.Sigma == 0, double.IsNaN(one.MedianError)));
        Assert.Contains(results, one => one.Condition == "camera, noise 2, JPEG 85");
    }

    [Fact]
    public void Summarize_KnownEstimates_GivesTheirErrors()
    {
        SigmaEstimate[] estimates = [.. ((float[])[1.8f, 1.9f, 2f, 2.1f, 2.4f]).Select(sigma => new SigmaEstimate(sigma, Spread: 0.1f, IsSharp: sigma < 1.85f))];
        EstimatorResult result = EstimatorEvaluation.Summarize("set", new(DegradationKind.Gaussian, Noise: 2), sigma: 2, estimates);
        Assert.Equal("gaussian, noise 2", result.Condition);
        Assert.Equal(0.05, result.MedianError, 1e-6);
        Assert.Equal(0.16, result.Percentile90Error, 1e-6);     // between 0.1 and 0.2
        Assert.Equal(0, result.Bias, 1e-6);
        Assert.Equal(2.04, result.MeanSigma, 1e-6);
        Assert.Equal(0.2, result.SharpShare, 1e-6);
        Assert.Equal(0.1, result.QuartileDistance, 1e-6);       // from -0.05 to 0.05
    }

    private static SigmaEstimate Estimate(ComputeDevice device, EstimatorWeights weights, Mat sharp, float sigma)
    {
        using Mat blurred = Degradation.GaussianBlur(sharp, sigma);
        LumaPlane luma = LumaPlane.Of(blurred);
        using CommandQueue queue = device.CreateQueue();
        using DeviceBuffer<byte> frame = device.Allocate<byte>(luma.Samples);
        using SigmaEstimator estimator = new(device, new FrameFormat(PixelFormat.Gray8, luma.W, luma.H), weights);
        estimator.Enqueue(queue, frame);
        return estimator.Read();
    }
}
