using RealtimeDeblur.Compute;
using RealtimeDeblur.Networks;
using RealtimeDeblur.Tests.Reference;
using Xunit;

namespace RealtimeDeblur.Tests.Networks;

/// <summary>The kernels of every plan against the reference, which defines what they compute.</summary>
public sealed class InferenceSessionTests
{
    // A float sum of some thousand terms errs by about 1e-6 of the size of its terms, which is about 1 with random weights.
    private const double Relative = 1e-5, Absolute = 1e-5;

    /// <summary>Shapes that divide nothing, C = 1 and 3, with and without the skip.</summary>
    public static TheoryData<NetworkDescription> Descriptions =>
    [
        NetworkDescription.Dbcnn(n1: 20, n2: 7, f1: 5, f3: 3),
        NetworkDescription.Dbcnn(C: 3, n1: 9, n2: 5, f1: 3, f3: 5, globalSkip: false),
        NetworkDescription.Dbcnn(n1: 3, n2: 2, f1: 3, f2: 3, f3: 7),
        new NetworkDescription("chain", [new("only", 1, 1, 7, false)], globalSkip: false),
        new NetworkDescription("chain", [new("a", 3, 2, 3, true), new("b", 2, 3, 1, false)], globalSkip: true),
        new NetworkDescription("chain", [new("a", 1, 4, 3, true), new("b", 4, 8, 3, true), new("c", 8, 6, 3, false), new("d", 6, 1, 3, false)], globalSkip: true),
    ];

    [Theory]
    [MemberData(nameof(Descriptions))]
    public void Run_GeneralPlanOnSmallFrames_EqualsReference(NetworkDescription description)
    {
        using ComputeDevice device = TestDevice.OpenOrSkip();
        foreach ((int W, int H) in SmallSizes) Compare(device, RandomNetwork.Create(description, seed: 1), W, H, InferencePlan.General);
    }

    [Theory]
    [MemberData(nameof(Descriptions))]
    public void Run_FusedPlanOnSmallFrames_EqualsReference(NetworkDescription description)
    {
        using ComputeDevice device = TestDevice.OpenOrSkip();
        foreach ((int W, int H) in SmallSizes)
        {
            if (FusedLayers.CanRun(description, W, H)) Compare(device, RandomNetwork.Create(description, seed: 1), W, H, InferencePlan.Fused);
            else Assert.Throws<ArgumentException>(() => new InferenceSession(device, RandomNetwork.Create(description, seed: 1), W, H, InferencePlan.Fused));
        }
    }

    [Theory]
    [InlineData(InferencePlan.General)]
    [InlineData(InferencePlan.Fused)]
    public void Run_PaperParameters_EqualsReference(InferencePlan plan)
    {
        using ComputeDevice device = TestDevice.OpenOrSkip();
        Compare(device, RandomNetwork.Create(NetworkDescription.Dbcnn(), seed: 2), 61, 47, plan);
        Compare(device, RandomNetwork.Create(NetworkDescription.Dbcnn(globalSkip: false), seed: 2), 8, 6, plan);
        Compare(device, RandomNetwork.Create(NetworkDescription.Dbcnn(C: 3), seed: 3), 19, 21, plan);
    }

    [Theory]
    [InlineData(InferencePlan.General)]
    [InlineData(InferencePlan.Fused)]
    public void Run_FrameCutIntoTiles_IsIdentical(InferencePlan plan)
    {
        using ComputeDevice device = TestDevice.OpenOrSkip();
        using CommandQueue queue = device.CreateQueue();
        Network network = RandomNetwork.Create(NetworkDescription.Dbcnn(C: 3, n1: 20, n2: 7, f1: 5, f3: 3), seed: 4);
        const int W = 61, H = 97;
        Tensor frame = Tensor.Random(1, 3, H, W, seed: 5, low: 0);
        float[] whole = Run(device, queue, network, frame, plan, memoryLimitBytes: null, out int tiles);
        Assert.Equal(1, tiles);

        foreach (long limit in new long[] { 500_000, 200_000, 100_000 })
        {
            Assert.Equal(whole, Run(device, queue, network, frame, plan, limit, out int more));
            Assert.True(more > tiles, $"{limit} bytes gave {more} tiles");
            tiles = more;
        }
    }

    [Fact]
    public void Constructor_NotEvenATileFits_SaysSo()
    {
        using ComputeDevice device = TestDevice.OpenOrSkip();
        Network network = RandomNetwork.Create(NetworkDescription.Dbcnn(), seed: 6);
        OpenClException e = Assert.Throws<OpenClException>(() => new InferenceSession(device, network, 640, 480, plan: null, memoryLimitBytes: 1000));
        Assert.Contains("random needs more than the 1,000 bytes", e.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Run_BufferTooSmall_Throws()
    {
        using ComputeDevice device = TestDevice.OpenOrSkip();
        using CommandQueue queue = device.CreateQueue();
        using var session = new InferenceSession(device, RandomNetwork.Create(NetworkDescription.Dbcnn(), seed: 7), 8, 4);
        using DeviceBuffer<float> input = device.Allocate<float>(32);
        using DeviceBuffer<float> output = device.Allocate<float>(31);
        Assert.Contains("takes 32 floats", Assert.Throws<ArgumentException>(() => session.Run(queue, input, output)).Message, StringComparison.Ordinal);
    }

    /// <summary>Every size from 1x1 past the supports and tiles, thinned out: all widths at a few heights and the other way round.</summary>
    private static IEnumerable<(int W, int H)> SmallSizes =>
        Enumerable.Range(1, 20).SelectMany(i => new[] { (i, 1), (1, i), (i, 7), (5, i), (i, i) }).Distinct();

    private static void Compare(ComputeDevice device, Network network, int W, int H, InferencePlan plan)
    {
        using CommandQueue queue = device.CreateQueue();
        Tensor frame = Tensor.Random(1, network.Description.C, H, W, seed: W * 1000 + H, low: 0);
        TensorAssert.Close(ReferenceConvolution.Forward(network, frame), Run(device, queue, network, frame, plan, memoryLimitBytes: null, out _), Relative, Absolute);
    }

    private static float[] Run(ComputeDevice device, CommandQueue queue, Network network, Tensor frame, InferencePlan plan, long? memoryLimitBytes, out int tiles)
    {
        using var session = new InferenceSession(device, network, frame.W, frame.H, plan, memoryLimitBytes);
        Assert.Equal(plan, session.Plan);
        tiles = session.Grid.Tiles.Length;
        using DeviceBuffer<float> input = device.Allocate<float>(frame.ToFloats());
        using DeviceBuffer<float> output = device.Allocate<float>(frame.Values.Length);
        output.Fill(queue, float.NaN);
        session.Run(queue, input, output);
        return output.ToArray(queue);
    }
}
