using RealtimeDeblur.Compute;
using RealtimeDeblur.Networks;
using RealtimeDeblur.Tests.Reference;
using RealtimeDeblur.Tests.Training.Layers;
using RealtimeDeblur.Training;
using RealtimeDeblur.Training.Layers;
using RealtimeDeblur.Training.Optimization;
using Xunit;

namespace RealtimeDeblur.Tests.Training;

public sealed class TrainerTests
{
    private static readonly Dictionary<string, string> NoRecord = [];

    /// <summary>Small enough to take a second, large enough to have every part.</summary>
    private static readonly TrainingOptions Small = new() { F1 = 5, N1 = 16, N2 = 16, F3 = 3, PatchSize = 26, BatchSize = 2, Steps = 96, ValidateEvery = 64, WarmUp = 10, LearningRate = 2e-3f };

    [Fact]
    public void Steps_OnOneBatch_Overfit()
    {
        using ComputeDevice device = TestDevice.OpenOrSkip();
        using CommandQueue queue = device.CreateQueue();
        Network start = NetworkInitializer.Create("start", NetworkDescription.Dbcnn(1, 5, 32, 1, 32, 3), seed: 1);
        const int Size = 18;
        int pad = start.Description.Pad, outer = Size + 2 * pad;
        // The blur of a picture of stripes: something that a network can undo.
        Tensor sharp = new(1, 1, outer + 2, outer + 2), blurred = new(1, 1, outer, outer), target = new(1, 1, Size, Size);
        for (int y = 0; y < sharp.H; y++)
        for (int x = 0; x < sharp.W; x++)
            sharp[0, 0, y, x] = (x / 3 + y / 4) % 2 == 0 ? 0.2 : 0.8;
        for (int y = 0; y < outer; y++)
        for (int x = 0; x < outer; x++)
        {
            for (int i = 0; i < 9; i++) blurred[0, 0, y, x] += sharp[0, 0, y + i / 3, x + i % 3] / 9;
            if (y < Size && x < Size) target[0, 0, y, x] = sharp[0, 0, y + 1 + pad, x + 1 + pad];
        }
        using DeviceTraining run = new(queue, start, 1, Size, LossKind.Mse);
        run.Load(blurred, target, [1]);
        using Optimizer optimizer = new(queue, OptimizerKind.Adam, run.Layout, run.Parameters, run.Gradient, [3, 1, 0.3f], zeroMeanFilters: true);
        float first = 0;
        for (int step = 1; step <= 400; step++)
        {
            run.Graph.Forward();
            run.Graph.Backward(0);
            optimizer.Step(step, 2e-3f);
            if (step == 1) first = run.Losses()[0];
        }
        float last = run.Losses()[0];
        Assert.True(last < first / 50, $"the loss fell from {first} to {last} only");
    }

    [Fact]
    public void RunChunk_EqualSeed_RepeatsItsLosses()
    {
        using ComputeDevice device = TestDevice.OpenOrSkip();
        using TestDataset data = new();
        using Trainer one = new(device, data.Dataset, Small), two = new(device, data.Dataset, Small), other = new(device, data.Dataset, Small with { Seed = 2 });
        float[] losses = one.RunChunk();
        Assert.Equal(Trainer.ChunkSteps, losses.Length);
        Assert.Equal(losses, two.RunChunk());
        Assert.NotEqual(losses, other.RunChunk());
    }

    [Theory]
    [InlineData(OptimizerKind.Adam, LossKind.Mse)]
    [InlineData(OptimizerKind.Sgd, LossKind.L1)]
    public void Resume_AfterAnInterruption_ContinuesToTheSameLossesAndWeights(OptimizerKind optimizer, LossKind loss)
    {
        using ComputeDevice device = TestDevice.OpenOrSkip();
        using TestDataset data = new();
        TrainingOptions options = Small with { Optimizer = optimizer, Loss = loss, SigmaBalance = 0.5f };
        string whole = data.PathTo("whole.safetensors"), parts = data.PathTo("parts.safetensors");
        List<double> expected = [], actual = [];
        using (Trainer trainer = new(device, data.Dataset, options)) trainer.Run(whole, NoRecord, state => expected.Add(state.Loss), TestContext.Current.CancellationToken);

        using (CancellationTokenSource stop = new())
        using (Trainer trainer = new(device, data.Dataset, options))
        {
            TrainingProgress stopped = trainer.Run(parts, NoRecord, state => { actual.Add(state.Loss); stop.Cancel(); }, stop.Token);
            Assert.Equal(Trainer.ChunkSteps, stopped.Step);
        }
        Assert.Equal(Trainer.ReadOptions(parts).Steps, options.Steps);
        using (Trainer trainer = new(device, data.Dataset, Trainer.ReadOptions(parts)))
        {
            trainer.Resume(parts);
            TrainingProgress done = trainer.Run(parts, NoRecord, state => actual.Add(state.Loss), TestContext.Current.CancellationToken);
            Assert.Equal(options.Steps, done.Step);
        }
        Assert.Equal(expected, actual);
        Network wholeNetwork = WeightsFile.Read(data.PathTo("whole.last.safetensors")), partsNetwork = WeightsFile.Read(data.PathTo("parts.last.safetensors"));
        Assert.Equal(wholeNetwork.Weights.SelectMany(layer => layer.Weight), partsNetwork.Weights.SelectMany(layer => layer.Weight));
        Assert.Equal(File.ReadAllText(data.PathTo("whole.csv")), File.ReadAllText(data.PathTo("parts.csv")));
    }

    [Fact]
    public void Run_ToTheEnd_WritesTheBestNetworkAndTheRecord()
    {
        using ComputeDevice device = TestDevice.OpenOrSkip();
        using TestDataset data = new();
        string model = data.PathTo("model.safetensors");
        using Trainer trainer = new(device, data.Dataset, Small);
        TrainingProgress done = trainer.Run(model, new Dictionary<string, string> { ["who"] = "test" }, null, TestContext.Current.CancellationToken);
        Assert.Equal([0f, 0.5f, 1f, 1.6f, 2f, 3f], done.Validation.Select(result => result.Sigma));
        Assert.All(done.Validation, result => Assert.InRange(result.Ssim, 0.05, 1));
        Network best = WeightsFile.Read(model);
        Assert.Equal("test", best.TrainingRecord["who"]);
        Assert.Equal(data.Dataset.Sha256, best.TrainingRecord["dataset"]);
        Assert.Contains("PSNR", best.TrainingRecord["validation sigma 1.6"], StringComparison.Ordinal);
        string[] rows = File.ReadAllLines(data.PathTo("model.csv"));
        Assert.Equal("step,loss,learningRate,psnrSigma0,psnrSigma0.5,psnrSigma1,psnrSigma1.6,psnrSigma2,psnrSigma3", rows[0]);
        Assert.Equal(1 + 96 / Trainer.ChunkSteps, rows.Length);
    }

    [Fact]
    public void Resume_DamagedOrForeignState_SaysWhatToDo()
    {
        using ComputeDevice device = TestDevice.OpenOrSkip();
        using TestDataset data = new(), foreign = new(pictures: 4);
        string model = data.PathTo("model.safetensors"), state = data.PathTo("model.state");
        using Trainer trainer = new(device, data.Dataset, Small with { Steps = 32 });
        Assert.Contains("without --resume", Assert.Throws<FileNotFoundException>(() => Trainer.ReadOptions(model)).Message, StringComparison.Ordinal);
        trainer.Run(model, NoRecord, null, TestContext.Current.CancellationToken);

        using (Trainer other = new(device, foreign.Dataset, Small with { Steps = 32 }))
            Assert.Contains("another dataset", Assert.Throws<InvalidDataException>(() => other.Resume(model)).Message, StringComparison.Ordinal);
        using (Trainer other = new(device, data.Dataset, Small with { N1 = 32 }))
            Assert.Contains("another shape", Assert.Throws<InvalidDataException>(() => other.Resume(model)).Message, StringComparison.Ordinal);
        byte[] bytes = File.ReadAllBytes(state);
        bytes[bytes.Length / 2] ^= 1;
        File.WriteAllBytes(state, bytes);
        Assert.Contains("damaged", Assert.Throws<InvalidDataException>(() => Trainer.ReadOptions(model)).Message, StringComparison.Ordinal);
        File.WriteAllBytes(state, []);
        Assert.Contains("damaged", Assert.Throws<InvalidDataException>(() => Trainer.ReadOptions(model)).Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Constructor_PicturesSmallerThanThePatch_SaysSo()
    {
        using ComputeDevice device = TestDevice.OpenOrSkip();
        using TestDataset data = new(pictures: 3, width: 40, height: 40);
        Assert.Contains("smaller --patch", Assert.Throws<InvalidDataException>(() => new Trainer(device, data.Dataset, Small with { PatchSize = 100 })).Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Constructor_StartOfAnotherShape_IsRefused()
    {
        using ComputeDevice device = TestDevice.OpenOrSkip();
        using TestDataset data = new();
        Network start = NetworkInitializer.Create("small", NetworkDescription.Dbcnn(1, 3, 16, 1, 16, 3), seed: 1);
        Assert.Contains("other layers", Assert.Throws<ArgumentException>(() => new Trainer(device, data.Dataset, Small, start)).Message, StringComparison.Ordinal);
    }
}
