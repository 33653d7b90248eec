using RealtimeDeblur.Compute;
using RealtimeDeblur.Imaging;
using RealtimeDeblur.Networks;
using RealtimeDeblur.Restoration;
using RealtimeDeblur.Tests.Networks;
using RealtimeDeblur.Tests.Reference;
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
        return ChildProcess.RunExplicitTests(testClass, timeoutSeconds: 300, environment: new Dictionary<string, string>
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

/// <summary>What <see cref="OclgrindTests"/> runs: every inference kernel on frames that no tile divides.</summary>
public sealed class InferenceOnOclgrind
{
    [Fact(Explicit = true)]
    public void Session_EveryPlan_EqualsReference()
    {
        using ComputeDevice device = TestDevice.OpenOrSkip();
        using CommandQueue queue = device.CreateQueue();
        foreach (InferencePlan plan in Enum.GetValues<InferencePlan>())
        {
            foreach (int C in (int[])[1, 3])
            {
                Network network = RandomNetwork.Create(NetworkDescription.Dbcnn(C, f1: 5, n1: 9, n2: 5, f3: 3, globalSkip: C == 1), seed: 1);
                Tensor blurred = Tensor.Random(1, C, 7, 9, seed: 2, low: 0);
                using InferenceSession session = new(device, network, blurred.W, blurred.H, plan);
                using DeviceBuffer<float> input = device.Allocate<float>(blurred.ToFloats());
                using DeviceBuffer<float> output = device.Allocate<float>(blurred.Values.Length);
                session.Run(queue, input, output);
                TensorAssert.Close(ReferenceConvolution.Forward(network, blurred), output.ToArray(queue), relative: 1e-5, absolute: 1e-5);
            }
        }
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
