using RealtimeDeblur.Compute;
using RealtimeDeblur.Imaging;
using RealtimeDeblur.Networks;
using RealtimeDeblur.Tests.Reference;
using Xunit;

namespace RealtimeDeblur.Tests.Networks;

/// <summary>The plans of <see cref="ChainFamily"/>, <c>conv/conv3x3_chain.cl</c>, against the reference.</summary>
public sealed class ChainFamilyTests : IDisposable
{
    // Winograd's transform adds about as much rounding as the sums have themselves: 1e-6 of the size of their terms, which is about 1 with random weights.
    private const double Relative = 1e-5, Absolute = 1e-5;

    private readonly ComputeDevice _device = TestDevice.OpenOrSkip();
    private readonly CommandQueue _queue;

    public ChainFamilyTests() => _queue = _device.CreateQueue();

    public void Dispose()
    {
        _queue.Dispose();
        _device.Dispose();
    }

    /// <summary>One, two and three groups of eight maps side by side and more of them one after the other; C = 1 and 3; no hidden layer and several; full and half resolution.</summary>
    public static TheoryData<NetworkDescription> Descriptions =>
    [
        NetworkDescription.HalfResolution(maps: 16, hidden: 3),
        NetworkDescription.HalfResolution(maps: 24, hidden: 2),
        NetworkDescription.HalfResolution(maps: 5, hidden: 1),
        NetworkDescription.HalfResolution(maps: 29, hidden: 1),
        NetworkDescription.HalfResolution(maps: 40, hidden: 0),
        NetworkDescription.HalfResolution(maps: 15, hidden: 1, C: 3),
        NetworkDescription.HalfResolution(maps: 48, hidden: 0, C: 3),
        new NetworkDescription("chain", [new("a", 1, 16, 3, true), new("b", 16, 16, 3, true), new("c", 16, 1, 3, false)], globalSkip: true),
        new NetworkDescription("chain", [new("a", 12, 13, 3, true), new("b", 13, 12, 3, false)], globalSkip: false, scale: 2),
    ];

    [Theory]
    [MemberData(nameof(Descriptions))]
    public void Forward_AnySize_EqualsReference(NetworkDescription description)
    {
        Network network = RandomNetwork.Create(description, seed: 1);
        foreach ((int W, int H) in (IEnumerable<(int, int)>)[(1, 1), (2, 1), (1, 3), (4, 4), (7, 5), (9, 18), (31, 17), (48, 16), (97, 7), (101, 43), (5, 61)])
        {
            Tensor frame = Tensor.Random(1, description.C, H, W, seed: W * 1000 + H, low: 0);
            Tensor expected = ReferenceConvolution.Forward(network, frame);
            foreach (int winograd in (int[])[0, 1])
                TensorAssert.Close(expected, Run(network, SampleLayout.Planar(description.C, W, H), frame.ToFloats(), float.NaN, winograd: winograd), Relative, Absolute);
        }
    }

    [Fact]
    public void Forward_OtherStripsAndSegments_IsIdentical()
    {
        const int W = 311, H = 83;
        Network network = RandomNetwork.Create(NetworkDescription.HalfResolution(maps: 16, hidden: 3), seed: 2);
        SampleLayout layout = SampleLayout.Planar(1, W, H);
        float[] frame = Tensor.Random(1, 1, H, W, seed: 3, low: 0).ToFloats();
        float[] expected = Run(network, layout, frame, float.NaN, strip: 24, segment: 44);
        foreach ((int strip, int segment) in (IEnumerable<(int, int)>)[(24, 4), (28, 12), (44, 20), (48, 40), (240, 80)])
            Assert.Equal(expected, Run(network, layout, frame, float.NaN, strip, segment));
    }

    [Theory]
    [InlineData(20, 4)]
    [InlineData(26, 4)]
    [InlineData(24, 6)]
    [InlineData(1000, 4)]
    public void Plan_StripOrSegmentThatTheKernelCannotTake_IsRefused(int strip, int segment)
    {
        Network network = RandomNetwork.Create(NetworkDescription.HalfResolution(maps: 16, hidden: 1), seed: 2);
        ArgumentException e = Assert.Throws<ArgumentException>(() => new InferenceSession(_device, network, 99, 99, Plan(strip, segment)));
        Assert.Contains("STRIP a multiple of 4 from 24 to 240", e.Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(PixelFormat.Gray8, ColorRange.Limited, 1)]
    [InlineData(PixelFormat.Gray10, ColorRange.Full, 1)]
    [InlineData(PixelFormat.Bgr24, ColorRange.Full, 1)]
    [InlineData(PixelFormat.Rgba32, ColorRange.Full, 1)]
    [InlineData(PixelFormat.Bgra32, ColorRange.Full, 3)]
    [InlineData(PixelFormat.Rgb24, ColorRange.Full, 3)]
    [InlineData(PixelFormat.Rgb48, ColorRange.Full, 3)]
    public void Forward_Samples_AreRestoredToTheRoundedChange(PixelFormat pixels, ColorRange range, int C)
    {
        Network network = RandomNetwork.Create(NetworkDescription.HalfResolution(maps: 16, hidden: 1, C), seed: 6);
        RestoredSamples.AssertRight(_device, _queue, network, new(pixels, 53, 29, range), Plan(48, 8));
    }

    [Fact]
    public void Forward_NetworkThatFindsNothing_LeavesSamplesAsTheyWere()
    {
        NetworkDescription description = NetworkDescription.HalfResolution(maps: 16, hidden: 1);
        Network zero = new("zero", description, [.. description.Layers.Select(layer => new LayerWeights(new float[layer.WeightCount], new float[layer.K]))]);
        FrameFormat format = new(PixelFormat.Gray10, 37, 19, ColorRange.Full);
        ushort[] frame = [.. Enumerable.Range(0, 37 * 19).Select(i => (ushort)(i * 7 % 1024))];
        Assert.Equal(frame, Run(zero, SampleLayout.Of(format, 1), frame, (ushort)0));
    }

    private static InferencePlan Plan(int strip, int segment, int winograd = 1) => new("chain", ("WINOGRAD", winograd), ("STRIP", strip), ("SEGMENT", segment));

    /// <summary>Restores a frame; <paramref name="untouched"/> is what the result holds where nothing was written.</summary>
    private T[] Run<T>(Network network, SampleLayout layout, T[] frame, T untouched, int strip = 48, int segment = 8, int winograd = 1) where T : unmanaged =>
        RestoredSamples.Run(_device, _queue, network, layout, frame, untouched, Plan(strip, segment, winograd));
}
