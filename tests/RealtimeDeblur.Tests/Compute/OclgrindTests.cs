using RealtimeDeblur.Compute;
using RealtimeDeblur.Imaging;
using RealtimeDeblur.Networks;
using RealtimeDeblur.Restoration;
using RealtimeDeblur.Tests.Networks;
using RealtimeDeblur.Tests.Reference;
using RealtimeDeblur.Tests.Restoration;
using RealtimeDeblur.Tests.Training.Data;
using RealtimeDeblur.Training;
using RealtimeDeblur.Training.Data;
using RealtimeDeblur.Training.Layers;
using RealtimeDeblur.Training.Optimization;
using RealtimeDeblur.Training.Patches;
using Xunit;

namespace RealtimeDeblur.Tests.Compute;

/// <summary>
/// Our kernels on Oclgrind, a simulated OpenCL device that reports every access outside a buffer and every data race. It is slow, so frames are
/// tiny, and a driver of its own, so it runs in a process that sees no other; its reports go to stderr.
/// </summary>
public sealed class OclgrindTests : IDisposable
{
    private const string Driver = "/usr/lib/oclgrind/liboclgrind-rt-icd.so";    // where Debian's package has it

    private readonly string _folder = Directory.CreateTempSubdirectory("oclgrind-").FullName;

    public void Dispose() => Directory.Delete(_folder, recursive: true);

    [Fact]
    public void KernelsOfInference_OnOclgrind_TouchOnlyTheirMemory() => Assert.Equal("", RunAndReadReports(typeof(InferenceOnOclgrind)));

    [Fact]
    public void KernelsForGpus_OnOclgrind_TouchOnlyTheirMemory() => Assert.Equal("", RunAndReadReports(typeof(GpuKernelsOnOclgrind)));

    [Fact]
    public void KernelsOfTraining_OnOclgrind_TouchOnlyTheirMemory() => Assert.Equal("", RunAndReadReports(typeof(TrainingOnOclgrind)));

    [Fact]
    public void KernelsOfDegradation_OnOclgrind_TouchOnlyTheirMemory() => Assert.Equal("", RunAndReadReports(typeof(DegradationOnOclgrind)));

    [Fact]
    public void KernelsOfFilters_OnOclgrind_TouchOnlyTheirMemory() => Assert.Equal("", RunAndReadReports(typeof(FiltersOnOclgrind)));

    [Fact]
    public void BrokenKernels_OnOclgrind_AreReported()
    {
        string reports = RunAndReadReports(typeof(BrokenKernelsOnOclgrind));
        Assert.Contains("Invalid read of size 4", reports, StringComparison.Ordinal);
        Assert.Contains("data race", reports, StringComparison.Ordinal);
    }

    /// <returns>What Oclgrind complained about.</returns>
    private string RunAndReadReports(Type testClass)
    {
        Assert.SkipUnless(File.Exists(Driver), "Oclgrind is not installed (sudo apt install oclgrind).");
        File.WriteAllText(Path.Combine(_folder, "oclgrind.icd"), Driver);
        // OCLGRIND_UNINITIALIZED is left out: it (21.10) also reports memory that the host has written.
        return ChildProcess.RunExplicitTests(testClass, timeoutSeconds: 900, environment: new Dictionary<string, string>
        {
            ["OCL_ICD_VENDORS"] = _folder,
            ["XDG_CACHE_HOME"] = _folder,
            ["DEBLUR_TEST_DEVICE"] = "Oclgrind",
            // The optimizer makes intrinsics of newer LLVM versions (llvm.abs.i32) that the simulator does not know.
            ["OCLGRIND_BUILD_OPTIONS"] = "-cl-opt-disable",
            ["OCLGRIND_CHECK_API"] = "1",
            ["OCLGRIND_DATA_RACES"] = "1",
        });
    }
}

/// <summary>What <see cref="OclgrindTests"/> runs: the filters of the literature.</summary>
public sealed class FiltersOnOclgrind
{
    [Fact(Explicit = true)]
    public void Deblurrer_EveryFilter_RestoresAFrame()
    {
        using ComputeDevice device = TestDevice.OpenOrSkip();
        // Two frames each: one shorter than a vector, one that ends within a second block. More takes minutes.
        foreach (string filter in (string[])["unsharp", "richardson-lucy:iterations=1", "polyblur", "maxpol"])
        {
            Restore(device, RestorationMethod.Parse(filter), new(PixelFormat.Gray8, 3, 5), SigmaSetting.Of(0.5f));
            Restore(device, RestorationMethod.Parse(filter), new(PixelFormat.Gray8, 21, 9), SigmaSetting.Of(0.5f));
        }
    }

    private static void Restore(ComputeDevice device, RestorationMethod method, FrameFormat format, SigmaSetting sigma)
    {
        using Deblurrer deblurrer = new(device, method, format, new() { Sigma = sigma });
        using Frame frame = new(format);
        for (int i = 0; i < frame.Data.Length; i++) frame.Data[i] = (byte)(128 + 80 * Math.Sin(i % format.Width * 0.4) * Math.Cos(i / format.Width * 0.3));
        deblurrer.Process(frame);
    }
}

/// <summary>What <see cref="OclgrindTests"/> runs: every inference kernel on frames that no tile divides.</summary>
public sealed class InferenceOnOclgrind
{
    [Fact(Explicit = true)]
    public void Session_EveryPlan_EqualsReference()
    {
        using ComputeDevice device = TestDevice.OpenOrSkip();
        using CommandQueue queue = device.CreateQueue();
        foreach (string plan in (string[])["general", "dbcnn WINOGRAD=0 MAPS_W=32 PIXELS=4 TILES=4 SEGMENT=4", "dbcnn WINOGRAD=1 MAPS_W=32 PIXELS=4 TILES=4 SEGMENT=4"])
        {
            foreach (int C in (int[])[1, 3])
            {
                Compare(RandomNetwork.Create(NetworkDescription.Dbcnn(C, f1: 3, n1: 9, n2: 5, f3: 3, globalSkip: C == 1), seed: 1), 33, 7, plan);
            }
        }
        Compare(RandomNetwork.Create(NetworkDescription.HalfResolution(maps: 3, hidden: 1), seed: 1), 9, 7, "general");
        Compare(RandomNetwork.Create(NetworkDescription.HalfResolution(maps: 24, hidden: 1), seed: 1), 35, 13, "chain WINOGRAD=1 STRIP=16 SEGMENT=4");
        Compare(RandomNetwork.Create(NetworkDescription.HalfResolution(maps: 24, hidden: 1), seed: 1), 35, 13, "chain WINOGRAD=0 STRIP=16 SEGMENT=4");
        Compare(RandomNetwork.Create(NetworkDescription.HalfResolution(maps: 16, hidden: 0, C: 3), seed: 1), 51, 13, "chain WINOGRAD=1 STRIP=24 SEGMENT=4");
        Compare(RandomNetwork.Create(NetworkDescription.DbcnnBackProjection(stages: 1, reblurSize: 3, projectSize: 3, f1: 3, n1: 3, n2: 2, f3: 3), seed: 1), 9, 7, "general");
        Compare(RandomNetwork.Create(NetworkDescription.DbcnnBackProjection(stages: 1, reblurSize: 5, projectSize: 3, C: 3, f1: 3, n1: 3, n2: 2, f3: 3), seed: 1), 33, 7, "dbcnn WINOGRAD=1 MAPS_W=32 PIXELS=4 TILES=4 SEGMENT=4");
        Compare(RandomNetwork.Create(NetworkDescription.HalfResolution(maps: 7, hidden: 0, C: 3).WithSigmaKnots([0, 1, 2]), seed: 1), 9, 7, "general");

        void Compare(Network network, int W, int H, string plan)
        {
            Tensor blurred = Tensor.Random(1, network.Description.C, H, W, seed: 2, low: 0);
            using InferenceSession session = new(device, network, W, H, InferencePlan.Parse(plan));
            using DeviceBuffer<float> input = device.Allocate<float>(blurred.ToFloats());
            using DeviceBuffer<float> output = device.Allocate<float>(blurred.Values.Length);
            session.SetSigma(queue, 1.25f);
            session.Run(queue, input, output);
            TensorAssert.Close(ReferenceConvolution.Forward(network.At(1.25f), blurred), output.ToArray(queue), relative: 1e-5, absolute: 1e-5);
        }
    }

    [Theory(Explicit = true)]
    [InlineData(false)]
    [InlineData(true)]
    public void Guard_BothWaysOfSharingWork_EqualsReference(bool isTiled)
    {
        using ComputeDevice device = TestDevice.OpenOrSkip();
        ConfidenceWork work = ConfidenceCheck.Small(isTiled ? ConfidenceWork.Tiles : ConfidenceWork.Rows);
        ConfidenceCheck.AssertRight(device, new(PixelFormat.Gray8, 1, 1), sigma: 1, strength: 1, work);
        ConfidenceCheck.AssertRight(device, new(PixelFormat.Yuv420P10, 45, 37), sigma: 1.3f, strength: 1, work);
        ConfidenceCheck.AssertRight(device, new(PixelFormat.Rgb24, 101, 98), sigma: 2, strength: 0.5f, work);
    }

    [Fact(Explicit = true)]
    public void Deblurrer_EveryPixelFormat_RestoresAFrame()
    {
        using ComputeDevice device = TestDevice.OpenOrSkip();
        Network network = RandomNetwork.Create(NetworkDescription.Dbcnn(f1: 3, n1: 2, n2: 2, f3: 1), seed: 1);
        foreach (PixelFormat pixels in Enum.GetValues<PixelFormat>())
        {
            FrameFormat format = new(pixels, 7, 5, ColorRange.Limited);
            using Deblurrer deblurrer = new(device, network, format);
            using Frame frame = new(format);
            frame.Data.Fill(100);
            deblurrer.Process(frame);
            Assert.NotEqual(-1, frame.Data.IndexOfAnyExcept((byte)100));
        }
    }

    [Theory(Explicit = true)]
    [InlineData(PixelFormat.Gray8, 50, 33, 1)]
    [InlineData(PixelFormat.Rgb24, 16, 17, 1)]
    [InlineData(PixelFormat.Yuv420P10, 37, 32, 32)]
    public void SigmaEstimator_OnAFrame_FindsALevel(PixelFormat pixels, int W, int H, int lanes)
    {
        using ComputeDevice device = TestDevice.OpenOrSkip();
        using CommandQueue queue = device.CreateQueue();
        FrameFormat format = new(pixels, W, H);
        byte[] noise = new byte[format.Plane(0).StrideBytes * H];       // nothing behind plane 0
        new Random(1).NextBytes(noise);
        if (format.BitDepth == 10) for (int i = 1; i < noise.Length; i += 2) noise[i] &= 3;
        using DeviceBuffer<byte> frame = device.Allocate<byte>(noise);
        using SigmaEstimator estimator = new(device, SampleLayout.Of(format, C: 1), RandomEstimator.Create(new(Members: 2, Hidden: 8, Heads: 3, Values: 5, Out: 8)), lanes: lanes);
        estimator.Enqueue(queue, frame);
        Assert.True(estimator.Read().IsKnown);
    }
}

/// <summary>What <see cref="OclgrindTests"/> runs: every kernel for GPUs in every number format, on a frame that no tile divides.</summary>
public sealed class GpuKernelsOnOclgrind
{
    [Fact(Explicit = true)]
    public void Arithmetic_Probes_FindNeither()
    {
        using ComputeDevice device = TestDevice.OpenOrSkip();
        Assert.Equal(new(SupportsHalfArithmetic: false, SupportsTensorCores: false), device.Arithmetic);
        Assert.True(ProbedArithmetic.MultipliesMatrices(device, ""));
    }

    [Theory(Explicit = true)]
    [InlineData("HALF=0 TENSOR=0")]
    [InlineData("HALF=1 TENSOR=0")]
    [InlineData("HALF=2 TENSOR=0")]
    [InlineData("HALF=1 TENSOR=1")]
    public void Session_EveryPrecision_EqualsReference(string precision)
    {
        const string Group = "LOCAL_W=4 LOCAL_H=2 LOCAL_K=2 ROWS=3 FILTERS=4";
        using ComputeDevice device = TestDevice.OpenOrSkip();
        using CommandQueue queue = device.CreateQueue();
        if (!precision.Contains("HALF=2", StringComparison.Ordinal)) Compare(NetworkDescription.Dbcnn(f1: 5, n1: 9, n2: 7, f3: 3), fused: 1);
        Compare(new("chain", [new("a", 1, 17, 3, true), new("b", 17, 18, 3, true), new("c", 35, 17, 1, false) { With = "a", Skip = "a", Subtract = true }, new("d", 17, 1, 5, false)], globalSkip: true), fused: 0);
        if (precision.Contains("TENSOR=1", StringComparison.Ordinal)) return;       // the rest has no layer for them
        Compare(new("graph", [new("a", 12, 5, 3, true), new("b", 17, 12, 3, false) { With = "input", Skip = "input" }], globalSkip: true, scale: 2), fused: 0);

        void Compare(NetworkDescription description, int fused)
        {
            const int W = 7, H = 5;
            Network network = RandomNetwork.Create(description, seed: 1);
            Tensor frame = Tensor.Random(1, description.C, H, W, seed: 2, low: 0);
            InferencePlan plan = InferencePlan.Parse($"gpu {precision} FUSED={fused} {Group}");
            double tolerance = plan["HALF"] switch { 0 => 1e-5, 1 => 1e-2, _ => 2e-2 };     // as GpuFamilyTests has it
            float[] actual = RestoredSamples.Run(device, queue, network, SampleLayout.Planar(description.C, W, H), frame.ToFloats(), float.NaN, plan);
            TensorAssert.Close(ReferenceConvolution.Forward(network, frame), actual, tolerance, tolerance);

            Network conditioned = RandomNetwork.Create(description.WithSigmaKnots([0, 1, 2]), seed: 1);
            using InferenceSession session = new(device, conditioned, W, H, plan);
            using DeviceBuffer<float> input = device.Allocate<float>(frame.ToFloats()), output = device.Allocate<float>(frame.Values.Length);
            session.SetSigma(queue, 1.25f);
            session.Run(queue, input, output);
            TensorAssert.Close(ReferenceConvolution.Forward(conditioned.At(1.25f), frame), output.ToArray(queue), tolerance, tolerance);
        }
    }
}

/// <summary>What <see cref="OclgrindTests"/> runs: every training kernel for two steps and a validation.</summary>
public sealed class TrainingOnOclgrind
{
    [Theory(Explicit = true)]
    [InlineData(1, 1, DegradationKind.Gaussian, LossKind.Mse, OptimizerKind.Adam, true)]
    [InlineData(3, 3, DegradationKind.Camera, LossKind.L1, OptimizerKind.Sgd, false)]
    public void Trainer_TwoSteps_LearnsSomething(int C, int f2, DegradationKind degradation, LossKind loss, OptimizerKind optimizer, bool globalSkip)
    {
        using TestPictures pictures = new();
        pictures.Add("one.png", 33, 47);
        pictures.Add("two.png", 40, 32);
        DatasetBuilder.Build(pictures.Sharp, pictures.PathTo("dataset"), new() { PairsPerPicture = 1, ValidationShare = 0.5 }, cancellation: TestContext.Current.CancellationToken);
        using PackedDataset dataset = PackedDataset.Open(pictures.PathTo("dataset"));
        using ComputeDevice device = TestDevice.OpenOrSkip();
        TrainingOptions options = new()
        {
            C = C, F1 = 3, N1 = 5, F2 = f2, N2 = 3, F3 = 3, GlobalSkip = globalSkip, Degradation = degradation, Loss = loss, Optimizer = optimizer,
            SigmaMin = 0.5f, SigmaMax = 0.5f, SharpShare = 0, BatchSize = 1, PatchSize = 28 - f2 / 2 * 2, Steps = 2, WarmUp = 1,
        };
        using Trainer trainer = new(device, dataset, options);
        float[] before = trainer.Snapshot("before", new Dictionary<string, string>()).Weights[0].Weight;

        TrainingProgress progress = trainer.Run(pictures.PathTo("model.safetensors"), new Dictionary<string, string>(), progress: null, TestContext.Current.CancellationToken);

        Assert.Equal(2, progress.Step);
        Assert.InRange(Assert.Single(progress.Validation).Psnr, 5, 60);
        Assert.NotEqual(before, trainer.Snapshot("after", new Dictionary<string, string>()).Weights[0].Weight);
    }
}

/// <summary>What <see cref="OclgrindTests"/> runs: a batch with every blur, camera and codec, its work divided for CPUs and for GPUs.</summary>
public sealed class DegradationOnOclgrind
{
    [Theory(Explicit = true)]
    [InlineData(1, 1, true)]
    [InlineData(1, 2, false)]
    [InlineData(3, 1, false)]
    [InlineData(3, 2, true)]
    public void Degrader_EveryDegradation_FillsTheMaps(int C, int scale, bool forGpu)
    {
        const int Size = 12, Outer = 24, Width = 14, Height = 17;      // blocks of half-resolution chroma hang over
        using ComputeDevice device = TestDevice.OpenOrSkip();
        using CommandQueue queue = device.CreateQueue();
        Degradation camera = Degradation.Camera(0.5f, noise: 2, jpegQuality: null);
        Degradation[] degradations =
        [
            new(0) { LinearLight = true, JpegQuality = 50 },
            camera with { SharpeningRadius = 1, SharpeningAmount = 0.5f, JpegQuality = 80, JpegFullChroma = true },
            camera with { Shape = BlurShape.Disc, NoiseCorrelation = 0.3f, H264Qp = 25 },
            camera with { Shape = BlurShape.Anisotropic(2, 1) },
        ];
        int N = degradations.Length, cells = C * scale * scale;
        byte[] picture = new byte[C * Width * Height];
        new Random(1).NextBytes(picture);
        using MapTensor blurred = new(queue, N, Outer / scale, Outer / scale, cells), sharp = new(queue, N, Size / scale, Size / scale, cells);
        using DeviceBuffer<float> weights = device.Allocate<float>(N);
        using DeviceBuffer<byte> samples = device.Allocate<byte>((ReadOnlySpan<byte>)picture);
        using PatchDegrader degrader = new(queue, samples, blurred, sharp, weights, scale, DegradationKind.Camera, maxSigma: 0.5f, steps: 1, forGpu ? PatchWork.Gpu : PatchWork.Cpu);
        degrader.Upload([.. degradations.Select((one, i) => PatchSampler.Plan(new(0, Width, Height), left: -3, top: 0, orientation: i, one, weight: 1, noiseSeed: i))]);
        degrader.Enqueue(0);
        Assert.All(blurred.Buffer.ToArray(queue), value => Assert.InRange(value, 0, 1));
        Assert.Contains(sharp.Buffer.ToArray(queue), value => value > 0);
    }
}

/// <summary>What <see cref="OclgrindTests"/> runs to see that Oclgrind is awake.</summary>
public sealed class BrokenKernelsOnOclgrind
{
    private const string Source = """
        __kernel void read_past_the_end(__global const float* in, __global float* out, int count) { out[get_global_id(0)] = in[count]; }
        __kernel void race(__global const float* in, __global float* out, int count) { out[0] = in[get_global_id(0)]; }
        """;

    [Fact(Explicit = true)]
    public void BrokenKernels_Run()
    {
        using ComputeDevice device = TestDevice.OpenOrSkip();
        using CommandQueue queue = device.CreateQueue();
        using KernelProgram program = new(device, "test.cl", Source, "", new ProgramCache(folder: null));
        using DeviceBuffer<float> input = device.Allocate<float>([1, 2, 3, 4]);
        using DeviceBuffer<float> output = device.Allocate<float>(4);
        foreach (string name in (string[])["read_past_the_end", "race"])
        {
            using Kernel kernel = program.CreateKernel(name);
            kernel.Bind(input, output, 4).Enqueue(queue, new(4), WorkSize.Single);
            queue.Finish();
        }
    }
}
