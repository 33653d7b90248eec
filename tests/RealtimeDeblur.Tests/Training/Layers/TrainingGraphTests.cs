using RealtimeDeblur.Compute;
using RealtimeDeblur.Networks;
using RealtimeDeblur.Tests.Networks;
using RealtimeDeblur.Tests.Reference;
using RealtimeDeblur.Training.Layers;
using Xunit;

namespace RealtimeDeblur.Tests.Training.Layers;

/// <summary>The trainer's kernels against the reference, layer by layer and through whole networks. The reference's gradients are checked against central differences elsewhere.</summary>
public sealed class TrainingGraphTests
{
    // Sums of up to 100 x 100 x 2 products in float: relative to the largest term, errors stay far below this.
    private const double Relative = 1e-5;

    /// <summary>The kernels for GPUs in tiles that a CPU's compiler gets through quickly.</summary>
    private static readonly GpuTile Small = new(4, 1, 4);

    public static TheoryData<int, int, int, int, int, int, bool, int, int, LossKind> Shapes => new()
    {
        // C, f1, n1, f2, n2, f3, skip, N, size, loss
        { 1, 9, 64, 1, 32, 5, true, 2, 28, LossKind.Mse },      // the paper's network
        { 1, 9, 64, 1, 32, 5, true, 1, 12, LossKind.L1 },
        { 3, 9, 64, 1, 32, 5, false, 1, 9, LossKind.Mse },      // RGB, the paper's form without skip
        { 1, 5, 20, 3, 7, 3, true, 3, 8, LossKind.Mse },        // maps that fill no vector, a 3x3 mapping, the smallest patch
        { 3, 3, 1, 1, 17, 7, true, 2, 11, LossKind.L1 },        // one map; 17 just past a vector
        { 1, 1, 16, 1, 16, 1, false, 2, 8, LossKind.Mse },      // no neighbourhood at all
        { 1, 5, 16, 1, 16, 3, true, 1, 71, LossKind.Mse },      // rows past one segment of 64 pixels, odd halves
    };

    [Theory]
    [MemberData(nameof(Shapes))]
    public void ForwardAndBackward_AnyShape_MatchReference(int C, int f1, int n1, int f2, int n2, int f3, bool skip, int N, int size, LossKind loss)
    {
        using ComputeDevice device = TestDevice.OpenOrSkip();
        using CommandQueue queue = device.CreateQueue();
        Network network = RandomNetwork.Create(NetworkDescription.Dbcnn(C, f1, n1, f2, n2, f3, skip), seed: 5);
        Tensor blurred = Tensor.Random(N, C, size + 2 * network.Description.Pad, size + 2 * network.Description.Pad, seed: 6, low: 0);
        Tensor sharp = Tensor.Random(N, C, size, size, seed: 7, low: 0);
        double[] patchWeights = [.. Enumerable.Range(0, N).Select(n => 1 + 0.5 * n)];

        ReferenceTraining expected = ReferenceTraining.Run(network, blurred, sharp, patchWeights, loss);
        // Without the gradient of the input, which training does not need, a 1x1 second layer shares its backward pass with the first.
        AssertStep(queue, network, N, size, loss, withInputGradient: false, blurred, sharp, patchWeights, expected);
        AssertStep(queue, network, N, size, loss, withInputGradient: true, blurred, sharp, patchWeights, expected);
        AssertStep(queue, network, N, size, loss, withInputGradient: false, blurred, sharp, patchWeights, expected, Small);
    }

    public static TheoryData<NetworkDescription, int> Graphs => new()
    {
        { NetworkDescription.HalfResolution(16, 2), 16 },
        { NetworkDescription.HalfResolution(20, 1, C: 3), 22 },
        { NetworkDescription.DbcnnBackProjection(stages: 2, reblurSize: 5, projectSize: 3, f1: 5, n1: 16, n2: 16, f3: 3), 13 },
        { NetworkDescription.DbcnnBackProjection(stages: 1, reblurSize: 3, projectSize: 3, combineSize: 1, C: 3, f1: 3, n1: 7, n2: 5, f3: 3), 9 },
        // Wide maps that are read twice, added to and subtracted from.
        { new("dense", [new("a", 1, 16, 3, true), new("b", 16, 16, 3, false) { Skip = "a" }, new("c", 32, 16, 3, true) { With = "a" }, new("d", 16, 16, 1, false) { Skip = "b", Subtract = true }, new("e", 16, 1, 3, false)], globalSkip: true), 15 },
        { new("dense at half", [new("a", 4, 16, 3, true), new("b", 20, 4, 3, false) { With = "input", Skip = "input" }, new("c", 4, 4, 3, true), new("d", 20, 4, 1, false) { With = "a", Skip = "b" }], globalSkip: false, scale: 2), 16 },
    };

    [Fact]
    public void ForwardAndBackward_TileOfGpus_MatchesReference()
    {
        using ComputeDevice device = TestDevice.OpenOrSkip();
        using CommandQueue queue = device.CreateQueue();
        Network network = RandomNetwork.Create(NetworkDescription.HalfResolution(32, 1), seed: 5);
        int outer = 16 + 2 * network.Description.Pad;
        Tensor blurred = Tensor.Random(2, 1, outer, outer, seed: 6, low: 0), sharp = Tensor.Random(2, 1, 16, 16, seed: 7, low: 0);
        ReferenceTraining expected = ReferenceTraining.Run(network, blurred, sharp, [1, 1], LossKind.Mse);
        AssertStep(queue, network, 2, 16, LossKind.Mse, withInputGradient: true, blurred, sharp, [1, 1], expected, GpuTile.Default);
    }

    [Theory]
    [MemberData(nameof(Graphs))]
    public void ForwardAndBackward_AnyGraph_MatchReference(NetworkDescription description, int size)
    {
        using ComputeDevice device = TestDevice.OpenOrSkip();
        using CommandQueue queue = device.CreateQueue();
        const int N = 3;
        double[] sigmas = [0.25, 1.9, 5], patchWeights = [1, 0.5, 2];
        foreach (NetworkDescription shape in (NetworkDescription[])[description, description.WithSigmaKnots([0, 1, 2.5f])])
        {
            Network network = RandomNetwork.Create(shape, seed: 5);
            int outer = size + 2 * shape.Pad;
            Tensor blurred = Tensor.Random(N, shape.C, outer, outer, seed: 6, low: 0), sharp = Tensor.Random(N, shape.C, size, size, seed: 7, low: 0);
            ReferenceTraining expected = ReferenceTraining.Run(network, blurred, sharp, patchWeights, LossKind.Mse, sigmas);
            foreach (GpuTile? gpu in (GpuTile?[])[null, Small])
            foreach (bool withInputGradient in (bool[])[false, true])
                AssertStep(queue, network, N, size, LossKind.Mse, withInputGradient, blurred, sharp, patchWeights, expected, gpu, sigmas);
        }
    }

    [Theory]
    [InlineData(1, 3, 32, 3, 8)]      // 3x3 chain, the smallest patch: 32 maps walk in groups of six
    [InlineData(3, 3, 16, 1, 13)]     // 1x1 layers after the first, and one before the last
    [InlineData(1, 7, 48, 5, 9)]
    public void ForwardAndBackward_ChainOfFive_MatchReference(int C, int f1, int maps, int f, int size)
    {
        using ComputeDevice device = TestDevice.OpenOrSkip();
        using CommandQueue queue = device.CreateQueue();
        NetworkDescription description = new("chain",
            [new("a", C, maps, f1, true), new("b", maps, maps, f, false), new("c", maps, maps, 1, true), new("d", maps, 16, f, true), new("e", 16, C, 3, false)], globalSkip: true);
        Network network = RandomNetwork.Create(description, seed: 5);
        Tensor blurred = Tensor.Random(2, C, size + 2 * description.Pad, size + 2 * description.Pad, seed: 6, low: 0);
        Tensor sharp = Tensor.Random(2, C, size, size, seed: 7, low: 0);
        ReferenceTraining expected = ReferenceTraining.Run(network, blurred, sharp, [1, 1], LossKind.Mse);
        AssertStep(queue, network, 2, size, LossKind.Mse, withInputGradient: false, blurred, sharp, [1, 1], expected);
        AssertStep(queue, network, 2, size, LossKind.Mse, withInputGradient: true, blurred, sharp, [1, 1], expected);
        AssertStep(queue, network, 2, size, LossKind.Mse, withInputGradient: true, blurred, sharp, [1, 1], expected, Small);
    }

    [Theory]
    [InlineData(64, 32, 1, true)]       // the paper's network
    [InlineData(64, 32, 3, false)]      // not 1x1
    [InlineData(512, 256, 1, false)]    // sums that no cache holds
    public void CanShare_FirstTwoLayers_OnlyWithASmallOneByOne(int n1, int n2, int f2, bool can)
    {
        ParameterLayout layout = new(NetworkDescription.Dbcnn(n1: n1, n2: n2, f2: f2));
        Assert.Equal(can, ConvolutionTraining.CanShare(layout.Layers[0].Blocks[0], layout.Layers[1].Blocks[0]));
        Assert.False(ConvolutionTraining.CanShare(layout.Layers[1].Blocks[0], layout.Layers[2].Blocks[0]));
    }

    private static void AssertStep(CommandQueue queue, Network network, int N, int size, LossKind loss, bool withInputGradient, Tensor blurred, Tensor sharp, double[] patchWeights,
        ReferenceTraining expected, GpuTile? gpu = null, double[]? sigmas = null)
    {
        using DeviceTraining run = new(queue, network, N, size, loss, withInputGradient, gpu);
        run.Load(blurred, sharp, patchWeights, sigmas);
        run.Graph.Forward();
        run.Graph.Backward(historySlot: 0);     // a second pass finds what the first left behind
        run.Graph.Forward();
        run.Graph.Backward(historySlot: 1);

        for (int layer = 0; layer < expected.Outputs.Length; layer++)
            Close(expected.Outputs[layer], DeviceTraining.Read(queue, run.Graph.LayerOutput(layer), expected.Outputs[layer].C));
        Assert.Equal(expected.Loss, run.Losses()[1], Relative * expected.Loss);
        for (int set = 0; set < expected.Gradients.Length; set++)
        {
            IReadOnlyList<LayerWeights> gradients = run.Gradients(set);
            for (int layer = 0; layer < gradients.Count; layer++)
            {
                (double[] dWeight, double[] dBias) = expected.Gradients[set][layer];
                Close(new(1, 1, 1, dWeight.Length, dWeight), Tensor.From(1, 1, 1, gradients[layer].Weight.Length, gradients[layer].Weight));
                Close(new(1, 1, 1, dBias.Length, dBias), Tensor.From(1, 1, 1, gradients[layer].Bias.Length, gradients[layer].Bias));
            }
        }
        if (withInputGradient) Close(expected.DBlurred, DeviceTraining.Read(queue, run.Graph.DBlurred!, expected.DBlurred.C));
        else Assert.Null(run.Graph.DBlurred);
    }

    [Fact]
    public void Backward_WholeNetwork_MatchesCentralDifferencesOfItsLoss()
    {
        using ComputeDevice device = TestDevice.OpenOrSkip();
        using CommandQueue queue = device.CreateQueue();
        Network network = RandomNetwork.Create(NetworkDescription.Dbcnn(1, 5, 16, 1, 16, 3), seed: 9);
        int outer = 10 + 2 * network.Description.Pad;
        Tensor blurred = Tensor.Random(1, 1, outer, outer, seed: 1, low: 0), sharp = Tensor.Random(1, 1, 10, 10, seed: 2, low: 0);
        using DeviceTraining run = new(queue, network, 1, 10, LossKind.Mse);
        run.Load(blurred, sharp, [1]);
        run.Graph.Forward();
        run.Graph.Backward(0);
        IReadOnlyList<LayerWeights> gradients = run.Gradients();

        const double Step = 1e-4;   // in double precision: truncation error 1e-8, rounding 1e-12
        for (int layer = 0; layer < 3; layer++)
        {
            int weight = network.Weights[layer].Weight.Length / 2;
            AssertDifference(layer, network.Weights[layer].Weight, weight, gradients[layer].Weight[weight]);
            AssertDifference(layer, network.Weights[layer].Bias, 0, gradients[layer].Bias[0]);
        }

        void AssertDifference(int layer, float[] values, int index, double gradient)
        {
            float middle = values[index];
            values[index] = (float)(middle + Step);
            double up = ReferenceTraining.Run(network, blurred, sharp, [1], LossKind.Mse).Loss, upAt = values[index];
            values[index] = (float)(middle - Step);
            double down = ReferenceTraining.Run(network, blurred, sharp, [1], LossKind.Mse).Loss, downAt = values[index];
            values[index] = middle;
            double difference = (up - down) / (upAt - downAt);
            Assert.True(Math.Abs(difference - gradient) <= 1e-3 * Math.Abs(difference) + 1e-6, $"layer {layer}: central difference {difference:G6}, kernel {gradient:G6}");
        }
    }

    [Fact]
    public void Constructor_SingleLayer_SaysThatTwoAreNeeded()
    {
        NetworkDescription single = new("one", [new("only", 1, 1, 3, false)], globalSkip: true);
        Assert.Contains("two layers", Assert.Throws<ArgumentException>(() => new ParameterLayout(single)).Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Constructor_ReluAndSkipInOneLayer_SaysWhatToDo()
    {
        NetworkDescription both = new("both", [new("a", 1, 16, 3, true), new("b", 16, 16, 3, true) { Skip = "a" }, new("c", 16, 1, 3, false)], globalSkip: true);
        Assert.Contains("'b' is both", Assert.Throws<ArgumentException>(() => new ParameterLayout(both)).Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Unpack_PackedGraphWithKnots_ReturnsItsWeights()
    {
        Network network = RandomNetwork.Create(NetworkDescription.DbcnnBackProjection(stages: 1).WithSigmaKnots([0, 1, 2]), seed: 3);
        ParameterLayout layout = new(network.Description);
        LayerWeights[] back = layout.Unpack(layout.Pack(network.Weights));
        for (int i = 0; i < back.Length; i++)
        {
            TensorAssert.Close(Array.ConvertAll(network.Weights[i].Weight, value => (double)value), back[i].Weight, 1e-6, 1e-6);
            TensorAssert.Close(Array.ConvertAll(network.Weights[i].Bias, value => (double)value), back[i].Bias, 1e-6, 1e-6);
        }
    }

    [Theory]
    [InlineData(1, 64, 32)]
    [InlineData(3, 5, 17)]
    public void Unpack_PackedWeights_ReturnsThem(int C, int n1, int n2)
    {
        Network network = RandomNetwork.Create(NetworkDescription.Dbcnn(C, 9, n1, 3, n2, 5), seed: 3);
        ParameterLayout layout = new(network.Description);
        LayerWeights[] back = layout.Unpack(layout.Pack(network.Weights));
        for (int i = 0; i < back.Length; i++)
        {
            Assert.Equal(network.Weights[i].Weight, back[i].Weight);
            Assert.Equal(network.Weights[i].Bias, back[i].Bias);
        }
    }

    /// <summary>Within 1e-5 of the largest value: single small values are differences of large ones.</summary>
    private static void Close(Tensor expected, Tensor actual) =>
        TensorAssert.Close(new Tensor(1, 1, 1, expected.Values.Length, expected.Values), new Tensor(1, 1, 1, actual.Values.Length, actual.Values),
            Relative, Relative * expected.Values.Max(Math.Abs));
}
