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

    private const string General = "general";
    private const string Direct = "dbcnn WINOGRAD=0 MAPS_W=32 PIXELS=4 TILES=4 SEGMENT=5";
    private const string Winograd = "dbcnn WINOGRAD=1 MAPS_W=32 PIXELS=4 TILES=4 SEGMENT=5";

    /// <summary>Shapes that divide nothing, C = 1 and 3, with and without the skip, chains and graphs, full and half resolution.</summary>
    public static TheoryData<NetworkDescription> Descriptions =>
    [
        NetworkDescription.Dbcnn(n1: 20, n2: 7, f1: 9, f3: 3),
        NetworkDescription.Dbcnn(C: 3, n1: 9, n2: 5, f1: 3, f3: 5, globalSkip: false),
        NetworkDescription.Dbcnn(n1: 3, n2: 33, f1: 5, f3: 7),
        NetworkDescription.Dbcnn(n1: 3, n2: 2, f1: 3, f2: 3, f3: 7),
        new NetworkDescription("chain", [new("only", 1, 1, 7, false)], globalSkip: false),
        new NetworkDescription("chain", [new("a", 3, 2, 3, true), new("b", 2, 3, 1, false)], globalSkip: true),
        new NetworkDescription("chain", [new("a", 1, 4, 3, true), new("b", 4, 8, 3, true), new("c", 8, 6, 3, false), new("d", 6, 1, 3, false)], globalSkip: true),
        NetworkDescription.HalfResolution(maps: 5, hidden: 2),
        NetworkDescription.HalfResolution(maps: 8, hidden: 1, C: 3),
        NetworkDescription.DbcnnBackProjection(stages: 2, reblurSize: 5, projectSize: 3, f1: 3, n1: 4, n2: 3, f3: 3),
        NetworkDescription.DbcnnBackProjection(stages: 1, reblurSize: 3, projectSize: 5, C: 3, f1: 3, n1: 4, n2: 3, f3: 3),
        new NetworkDescription("graph", [new("a", 12, 4, 3, true), new("b", 16, 4, 3, false) { With = "input", Skip = "a" }, new("c", 8, 12, 1, true) { With = "a", Skip = "input", Subtract = true }], globalSkip: false, scale: 2),
    ];

    [Theory]
    [MemberData(nameof(Descriptions))]
    public void Run_AnyPlanOnSmallFrames_EqualsReferenceOrIsRefused(NetworkDescription description)
    {
        using ComputeDevice device = TestDevice.OpenOrSkip();
        Network network = RandomNetwork.Create(description, seed: 1);
        foreach (InferencePlan plan in Plans)
        {
            foreach ((int W, int H) in SmallSizes)
            {
                (int columns, int rows) = KernelFamilies.Cells(description, W, H);
                if (KernelFamilies.All.Single(family => family.Name == plan.Kernels).Refusal(plan, description, columns, rows) is null) Compare(device, network, W, H, plan);
                else Assert.Throws<ArgumentException>(() => new InferenceSession(device, network, W, H, plan));
            }
        }
    }

    [Theory]
    [InlineData(General)]
    [InlineData(Direct)]
    [InlineData(Winograd)]
    public void Run_PaperParameters_EqualsReference(string plan)
    {
        using ComputeDevice device = TestDevice.OpenOrSkip();
        Compare(device, RandomNetwork.Create(NetworkDescription.Dbcnn(), seed: 2), 61, 47, InferencePlan.Parse(plan));
        Compare(device, RandomNetwork.Create(NetworkDescription.Dbcnn(globalSkip: false), seed: 2), 32, 6, InferencePlan.Parse(plan));
        Compare(device, RandomNetwork.Create(NetworkDescription.Dbcnn(C: 3), seed: 3), 33, 21, InferencePlan.Parse(plan));
    }

    [Fact]
    public void Run_EveryPlanOfTheDevice_EqualsReference()
    {
        using ComputeDevice device = TestDevice.OpenOrSkip();
        foreach (NetworkDescription description in (NetworkDescription[])[NetworkDescription.Dbcnn(n1: 16, n2: 32), NetworkDescription.DbcnnBackProjection(n1: 16, n2: 16), NetworkDescription.HalfResolution(maps: 16, hidden: 1)])
        {
            Network network = RandomNetwork.Create(description, seed: 2);
            foreach (InferencePlan plan in InferenceSession.ListPlans(device, description, 170, 67)) Compare(device, network, 170, 67, plan);
        }
    }

    [Fact]
    public void Run_FrameCutIntoTiles_IsIdentical()
    {
        using ComputeDevice device = TestDevice.OpenOrSkip();
        using CommandQueue queue = device.CreateQueue();
        foreach (NetworkDescription description in (NetworkDescription[])[NetworkDescription.Dbcnn(C: 3, n1: 20, n2: 7, f1: 5, f3: 3), NetworkDescription.HalfResolution(maps: 44, hidden: 1)])
        {
            Network network = RandomNetwork.Create(description, seed: 4);
            const int W = 61, H = 97;
            Tensor frame = Tensor.Random(1, description.C, H, W, seed: 5, low: 0);
            InferencePlan plan = InferencePlan.Parse(General);
            float[] whole = Run(device, queue, network, frame, plan, memoryLimitBytes: null, out int tiles);
            Assert.Equal(1, tiles);

            foreach (long limit in new long[] { 500_000, 200_000, 115_000 })
            {
                Assert.Equal(whole, Run(device, queue, network, frame, plan, limit, out int more));
                Assert.True(more > tiles, $"{limit} bytes gave {more} tiles");
                tiles = more;
            }
        }
    }

    [Fact]
    public void Constructor_PlanOfUnknownKernels_NamesThoseThatAreThere()
    {
        using ComputeDevice device = TestDevice.OpenOrSkip();
        ArgumentException e = Assert.Throws<ArgumentException>(() => new InferenceSession(device, RandomNetwork.Create(NetworkDescription.Dbcnn(), seed: 1), 8, 8, new("none")));
        Assert.StartsWith("There are no kernels 'none'; there are ", e.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Constructor_NotEvenATileFits_SaysSo()
    {
        using ComputeDevice device = TestDevice.OpenOrSkip();
        Network network = RandomNetwork.Create(NetworkDescription.Dbcnn(), seed: 6);
        OpenClException e = Assert.Throws<OpenClException>(() => new InferenceSession(device, network, SampleLayout.Planar(1, 640, 480), InferencePlan.Parse(General), memoryLimitBytes: 1000));
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

    private static IEnumerable<InferencePlan> Plans => new[] { General, Direct, Winograd }.Select(InferencePlan.Parse);

    /// <summary>Every size from 1x1 past the supports and tiles, thinned out: all widths at a few heights and the other way round.</summary>
    private static IEnumerable<(int W, int H)> SmallSizes =>
        Enumerable.Range(1, 20).SelectMany(i => new[] { (i, 1), (1, i), (i, 7), (5, i), (i, i) }).Concat([(32, 4), (32, 6), (33, 7), (45, 13), (70, 11)]).Distinct();

    private static void Compare(ComputeDevice device, Network network, int W, int H, InferencePlan plan)
    {
        using CommandQueue queue = device.CreateQueue();
        Tensor frame = Tensor.Random(1, network.Description.C, H, W, seed: W * 1000 + H, low: 0);
        TensorAssert.Close(ReferenceConvolution.Forward(network, frame), Run(device, queue, network, frame, plan, memoryLimitBytes: null, out _), Relative, Absolute);
    }

    private static float[] Run(ComputeDevice device, CommandQueue queue, Network network, Tensor frame, InferencePlan plan, long? memoryLimitBytes, out int tiles)
    {
        using var session = new InferenceSession(device, network, SampleLayout.Planar(frame.C, frame.W, frame.H), plan, memoryLimitBytes);
        Assert.Equal(plan, session.Plan);
        tiles = session.Grid.Tiles.Length;
        using DeviceBuffer<float> input = device.Allocate<float>(frame.ToFloats());
        using DeviceBuffer<float> output = device.Allocate<float>(frame.Values.Length);
        output.Fill(queue, float.NaN);
        session.Run(queue, input, output);
        return output.ToArray(queue);
    }
}
