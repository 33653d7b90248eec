using RealtimeDeblur.Compute;
using RealtimeDeblur.Imaging;
using RealtimeDeblur.Networks;
using RealtimeDeblur.Tests.Reference;
using Xunit;

namespace RealtimeDeblur.Tests.Networks;

/// <summary>
/// The plans of <see cref="GpuFamily"/>, <c>conv/gpu_*.cl</c>, against the reference. They run on any device; work-groups are small here, because a CPU runs their work-items one after the other.
/// Where a device has no half arithmetic or no tensor cores, the plain twins of those lines run.
/// </summary>
public sealed class GpuFamilyTests : IDisposable
{
    private const string Group = "LOCAL_W=8 LOCAL_H=2 LOCAL_K=1 ROWS=2 FILTERS=8", OtherGroup = "LOCAL_W=4 LOCAL_H=2 LOCAL_K=2 ROWS=3 FILTERS=4";
    private const string Float = $"gpu HALF=0 TENSOR=0 FUSED=0 {Group}", FloatFused = $"gpu HALF=0 TENSOR=0 FUSED=1 {Group}", OtherFloat = $"gpu HALF=0 TENSOR=0 FUSED=0 {OtherGroup}";
    private const string OtherFloatFused = $"gpu HALF=0 TENSOR=0 FUSED=1 {OtherGroup}";
    private const string HalfMaps = $"gpu HALF=1 TENSOR=0 FUSED=0 {OtherGroup}", HalfMapsFused = $"gpu HALF=1 TENSOR=0 FUSED=1 {Group}", HalfArithmetic = $"gpu HALF=2 TENSOR=0 FUSED=0 {Group}";
    private const string TensorCores = $"gpu HALF=1 TENSOR=1 FUSED=0 {Group}", TensorCoresFused = $"gpu HALF=1 TENSOR=1 FUSED=1 {Group}", OtherTensorCoresFused = $"gpu HALF=1 TENSOR=1 FUSED=1 {OtherGroup}";

    private static readonly NetworkDescription
        Pair = NetworkDescription.Dbcnn(n1: 20, n2: 7, f1: 9, f3: 3),
        PairOfRgb = NetworkDescription.Dbcnn(C: 3, f1: 5, n1: 38, n2: 33, f3: 3, globalSkip: false),
        Wide = new("chain", [new("a", 3, 17, 3, true), new("b", 17, 33, 5, true), new("c", 50, 17, 1, false) { With = "a", Skip = "a" }, new("d", 17, 3, 3, false)], globalSkip: true),
        Half = NetworkDescription.HalfResolution(maps: 18, hidden: 1),
        BackProjection = NetworkDescription.DbcnnBackProjection(stages: 1, reblurSize: 5, projectSize: 3, f1: 3, n1: 5, n2: 3, f3: 3),
        Graph = new("graph", [new("a", 12, 4, 3, true), new("b", 16, 4, 3, false) { With = "input", Skip = "a" }, new("c", 8, 12, 1, true) { With = "a", Skip = "input", Subtract = true }], globalSkip: false, scale: 2);

    private static readonly DeviceInfo Gpu = new(0, "one", "platform", ComputeDeviceType.Gpu, "driver", 8, 1 << 30, 1 << 28, 1 << 15, 256, SupportsFp16: false, SharesHostMemory: false);

    private readonly ComputeDevice _device = TestDevice.OpenOrSkip();
    private readonly CommandQueue _queue;

    public GpuFamilyTests() => _queue = _device.CreateQueue();

    public static TheoryData<NetworkDescription> Descriptions => InferenceSessionTests.Descriptions;

    public void Dispose()
    {
        _queue.Dispose();
        _device.Dispose();
    }

    [Theory]
    [MemberData(nameof(Descriptions))]
    public void Forward_Float_EqualsReference(NetworkDescription description)
    {
        foreach ((int W, int H) in SmallSizes) Compare(description, W, H, Float);
    }

    /// <summary>Fused pairs, and another share of work.</summary>
    [Fact]
    public void Forward_OtherFloatPlans_EqualReference()
    {
        foreach ((int W, int H) in SmallSizes)
        {
            Compare(Pair, W, H, FloatFused);
            Compare(Pair, W, H, OtherFloatFused);
            Compare(PairOfRgb, W, H, OtherFloatFused);
            Compare(BackProjection, W, H, FloatFused);
            Compare(Wide, W, H, OtherFloat);
        }
    }

    [Fact]
    public void Forward_HalfMapsAndHalfArithmetic_EqualReferenceWithinTheirTolerance()
    {
        foreach ((int W, int H) in SmallSizes)
        {
            Compare(Pair, W, H, HalfMapsFused);
            Compare(BackProjection, W, H, HalfMaps);
            Compare(Graph, W, H, HalfMaps);
            Compare(Half, W, H, HalfArithmetic);
            Compare(Graph, W, H, HalfArithmetic);
        }
    }

    [Fact]
    public void Forward_TensorCores_EqualReferenceWithinTheirTolerance()
    {
        foreach ((int W, int H) in SmallSizes)
        {
            Compare(Pair, W, H, TensorCoresFused);
            Compare(PairOfRgb, W, H, OtherTensorCoresFused);
            Compare(Wide, W, H, TensorCores);
            Compare(Half, W, H, TensorCores);
        }
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
        RestoredSamples.AssertRight(_device, _queue, RandomNetwork.Create(NetworkDescription.Dbcnn(C, f1: 3, n1: 9, n2: 5, f3: 3), seed: 6), new(pixels, 33, 19, range), InferencePlan.Parse(FloatFused));
        RestoredSamples.AssertRight(_device, _queue, RandomNetwork.Create(NetworkDescription.HalfResolution(maps: 5, hidden: 0, C), seed: 6), new(pixels, 33, 19, range), InferencePlan.Parse(Float));
    }

    [Fact]
    public void Forward_FrameCutIntoTiles_IsIdentical()
    {
        const int W = 29, H = 117;
        foreach ((NetworkDescription description, string text) in (IEnumerable<(NetworkDescription, string)>)[(Pair, FloatFused), (Half, Float), (BackProjection, FloatFused)])
        {
            Network network = RandomNetwork.Create(description, seed: 4);
            SampleLayout layout = SampleLayout.Planar(1, W, H);
            InferencePlan plan = InferencePlan.Parse(text);
            float[] frame = Tensor.Random(1, 1, H, W, seed: 5, low: 0).ToFloats();
            float[] whole = RestoredSamples.Run(_device, _queue, network, layout, frame, float.NaN, plan);
            (int columns, int rows) = KernelFamilies.Cells(description, W, H);
            long all = new GpuFamily().Memory(plan, description, columns, rows).TotalBytes;
            foreach (long limit in (long[])[all * 3 / 4, all / 2]) Assert.Equal(whole, RestoredSamples.Run(_device, _queue, network, layout, frame, float.NaN, plan, limit));
        }
    }

    /// <summary>Supports whose tiles fill local memory: groups become smaller instead.</summary>
    [Fact]
    public void Forward_LargestSupport_EqualsReference() =>
        Compare(new("chain", [new("a", 1, 2, 1, true), new("b", 2, 1, NetworkDescription.MaxSize, false)], globalSkip: true), 37, 9, "gpu HALF=0 TENSOR=0 FUSED=0 LOCAL_W=32 LOCAL_H=4 LOCAL_K=2 ROWS=4 FILTERS=8");

    /// <summary>Accuracy is not traded for speed: halves and tensor cores keep the PSNR of the shipped networks within 0.02 dB.</summary>
    [Theory]
    [InlineData("dbcnn", FloatFused)]
    [InlineData("dbcnn", HalfMapsFused)]
    [InlineData("dbcnn", HalfArithmetic)]
    [InlineData("dbcnn", TensorCoresFused)]
    [InlineData("dbcnn-camera", HalfMapsFused)]
    [InlineData("dbcnn-camera", HalfArithmetic)]
    [InlineData("dbcnn-camera", TensorCoresFused)]
    public void Forward_ShippedNetworks_KeepThePsnr(string model, string plan)
    {
        const int W = 64, H = 48;
        Network shipped = ModelCatalog.Load(model), network = shipped;
        foreach ((double sigma, int bits) in (IEnumerable<(double, int)>)[(1, 8), (1.6, 8), (2, 8), (1, 10)])
        {
            network = shipped.At((float)sigma);
            (Tensor sharp, Tensor blurred) = Picture(W, H, sigma, bits);
            Tensor expected = ReferenceConvolution.Forward(network, blurred);
            Tensor actual = new(1, 1, H, W, Array.ConvertAll(Run(network, blurred, plan), value => (double)value));
            double psnr = Psnr(sharp, actual), reference = Psnr(sharp, expected);
            Assert.True(reference > 25, $"A picture of {reference:0.00} dB hides errors.");
            Assert.True(Math.Abs(psnr - reference) <= 0.02, $"Sigma {sigma}, {bits} bits: {psnr:0.0000} dB instead of {reference:0.0000} dB.");
        }
        // What tuning asks of a plan before it times it.
        Assert.InRange(InferenceSession.MeasureError(_device, network, W, H, InferencePlan.Parse(plan)), 0, InferenceSession.Tolerance(InferencePlan.Parse(plan), network.Description, W, H));
    }

    [Fact]
    public void Plans_OnAGpu_BeginInFloatAndHaveHalvesWhereTheyWork()
    {
        NetworkDescription dbcnn = NetworkDescription.Dbcnn();
        InferencePlan[] PlansWith(bool half, bool tensorCores) => [.. new GpuFamily().Plans(dbcnn, Gpu, new(half, tensorCores), 640, 480)];

        InferencePlan[] plain = PlansWith(half: false, tensorCores: false), all = PlansWith(half: true, tensorCores: true);
        Assert.Equal("gpu HALF=0 TENSOR=0 FUSED=1 LOCAL_W=32 LOCAL_H=4 LOCAL_K=1 ROWS=4 FILTERS=8", plain[0].ToString());
        Assert.DoesNotContain(plain, plan => plan["HALF"] == 2 || plan["TENSOR"] == 1);
        Assert.Contains(plain, plan => plan["HALF"] == 1);     // stored halves work everywhere
        Assert.Equal(plain, all.Where(plan => plan["HALF"] != 2 && plan["TENSOR"] != 1));
        Assert.Contains(all, plan => plan["HALF"] == 2);
        Assert.Contains(all, plan => plan["TENSOR"] == 1);
        Assert.Equal(all, all.Distinct());
        Assert.InRange(all.Length, 10, 30);
    }

    [Theory]
    [MemberData(nameof(Descriptions))]
    public void Choose_OnGpuAndAccelerator_TakesGpuKernelsInFloat(NetworkDescription description)
    {
        TuningFile nothing = new(folder: null);
        foreach (ComputeDeviceType type in Enum.GetValues<ComputeDeviceType>())
        {
            InferencePlan plan = KernelFamilies.Choose(description, Gpu with { Type = type }, 33, 19, nothing);
            Assert.Equal(type is ComputeDeviceType.Gpu or ComputeDeviceType.Accelerator, plan.Kernels == "gpu");
            if (plan.Kernels == "gpu") Assert.Equal(0, plan["HALF"]);
        }
    }

    [Theory]
    [InlineData("gpu HALF=0", "is missing or not possible")]
    [InlineData("gpu HALF=3 TENSOR=0 FUSED=0 LOCAL_W=8 LOCAL_H=2 LOCAL_K=1 ROWS=2 FILTERS=8", "is missing or not possible")]
    [InlineData("gpu HALF=0 TENSOR=0 FUSED=0 LOCAL_W=8 LOCAL_H=2 LOCAL_K=1 ROWS=2 FILTERS=6", "is missing or not possible")]
    [InlineData("gpu HALF=0 TENSOR=1 FUSED=0 LOCAL_W=8 LOCAL_H=2 LOCAL_K=1 ROWS=2 FILTERS=8", "tensor cores need HALF=1")]
    [InlineData("gpu HALF=1 TENSOR=1 FUSED=0 LOCAL_W=8 LOCAL_H=2 LOCAL_K=1 ROWS=2 FILTERS=8", "no layer has 16 or more channels")]
    [InlineData("gpu HALF=0 TENSOR=0 FUSED=1 LOCAL_W=8 LOCAL_H=2 LOCAL_K=1 ROWS=2 FILTERS=8", "FUSED needs a network that begins with two plain layers")]
    public void Plan_ThatTheKernelsCannotFollow_IsRefused(string plan, string reason)
    {
        Network network = RandomNetwork.Create(NetworkDescription.HalfResolution(maps: 8, hidden: 1), seed: 1);
        Assert.Contains(reason, Assert.Throws<ArgumentException>(() => new InferenceSession(_device, network, 9, 9, InferencePlan.Parse(plan))).Message, StringComparison.Ordinal);
    }

    private void Compare(NetworkDescription description, int W, int H, string plan)
    {
        Network network = RandomNetwork.Create(description, seed: 1);
        Tensor frame = Tensor.Random(1, description.C, H, W, seed: W * 1000 + H, low: 0);
        // A float sum of some thousand terms errs by about 1e-6 of the size of its terms, which is about 1 with random weights; halves, by up to 2^-12 of every input, weight and map.
        double tolerance = InferencePlan.Parse(plan)["HALF"] switch { 0 => 1e-5, 1 => 1e-2, _ => 2e-2 };
        TensorAssert.Close(ReferenceConvolution.Forward(network, frame), Run(network, frame, plan), tolerance, tolerance);
    }

    private float[] Run(Network network, Tensor frame, string plan) =>
        RestoredSamples.Run(_device, _queue, network, SampleLayout.Planar(frame.C, frame.W, frame.H), frame.ToFloats(), float.NaN, InferencePlan.Parse(plan));

    /// <summary>Smaller than supports and tiles, and sizes that they do not divide.</summary>
    private static IEnumerable<(int W, int H)> SmallSizes => [(1, 1), (2, 1), (1, 3), (4, 5), (9, 5), (17, 3), (7, 19), (33, 18)];

    /// <summary>Soft shading with a disc and a fine texture, and the same blurred with a Gaussian (none with sigma 0), both rounded to code values.</summary>
    private static (Tensor Sharp, Tensor Blurred) Picture(int W, int H, double sigma, int bits)
    {
        int maxCode = (1 << bits) - 1;
        Tensor sharp = new(1, 1, H, W);
        Random random = new(1);
        for (int y = 0; y < H; y++)
        {
            for (int x = 0; x < W; x++)
            {
                double shading = 0.45 + 0.12 * Math.Sin(x / 11.0 + y / 17.0), disc = (x - 20) * (x - 20) + (y - 18) * (y - 18) < 100 ? 0.15 : 0, texture = 0.03 * (random.NextDouble() - 0.5);
                sharp[0, 0, y, x] = Round(shading + disc + texture);
            }
        }
        if (sigma == 0) return (sharp, sharp);
        int radius = (int)Math.Ceiling(4 * sigma);
        Tensor gaussian = new(1, 1, 2 * radius + 1, 2 * radius + 1);
        for (int y = -radius; y <= radius; y++)
        {
            for (int x = -radius; x <= radius; x++) gaussian[0, 0, y + radius, x + radius] = Math.Exp(-(x * x + y * y) / (2 * sigma * sigma));
        }
        double sum = gaussian.Values.Sum();
        for (int i = 0; i < gaussian.Values.Length; i++) gaussian.Values[i] /= sum;
        Tensor blurred = ReferenceConvolution.Forward(sharp, gaussian, [0]);
        return (sharp, new(1, 1, H, W, Array.ConvertAll(blurred.Values, Round)));

        double Round(double value) => (float)(Math.Round(value * maxCode) / maxCode);
    }

    private static double Psnr(Tensor expected, Tensor actual) => -10 * Math.Log10(expected.Values.Zip(actual.Values, (a, b) => (a - b) * (a - b)).Average());
}
