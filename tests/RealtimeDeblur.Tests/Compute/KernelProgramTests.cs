using RealtimeDeblur.Compute;
using Xunit;

namespace RealtimeDeblur.Tests.Compute;

public sealed class KernelProgramTests : IDisposable
{
    internal const string Scale = """
        #ifndef OFFSET
        #define OFFSET 0.0f
        #endif
        __kernel void scale(__global const float* restrict in, __global float* restrict out, float factor) {
            size_t i = get_global_id(0);
            out[i] = in[i] * factor + OFFSET;
        }
        """;

    private static readonly ProgramCache NoCache = new(folder: null);

    private readonly ComputeDevice _device = TestDevice.OpenOrSkip();
    private readonly CommandQueue _queue;

    public KernelProgramTests() => _queue = _device.CreateQueue(profiling: true);

    public void Dispose()
    {
        _queue.Dispose();
        _device.Dispose();
    }

    public static TheoryData<string> KernelFiles() => [.. KernelSource.Files];

    [Theory]
    [MemberData(nameof(KernelFiles))]
    public void Build_EveryKernelFileAlone_SucceedsWithItsDefaults(string file)
    {
        using KernelProgram program = new(_device, file, KernelSource.Read(file), options: "-Werror", NoCache);
        Assert.False(program.CameFromCache);
    }

    [Fact]
    public void Files_OfTheAssembly_AreThere() => Assert.NotEmpty(KernelSource.Files);

    [Fact]
    public void Build_UnknownFile_ListsTheKnownOnes()
    {
        ArgumentException e = Assert.Throws<ArgumentException>(() => _device.Build("conv/none.cl"));
        Assert.StartsWith("There is no kernel file 'conv/none.cl'; there are ", e.Message, StringComparison.Ordinal);
        Assert.Contains("common/fma_peak.cl", e.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Build_SameFileAndOptions_GivesTheSameProgram()
    {
        KernelProgram program = _device.Build("common/fma_peak.cl", "-DROUNDS=1");
        Assert.Same(program, _device.Build("common/fma_peak.cl", "-DROUNDS=1"));
        Assert.NotSame(program, _device.Build("common/fma_peak.cl", "-DROUNDS=2"));
    }

    [Fact]
    public void Build_BrokenSource_NamesFileDeviceOptionsAndCompilerLog()
    {
        OpenClException e = Assert.Throws<OpenClException>(() => Build("__kernel void broken() { no_such_function(); }", "-DTILE_W=16"));
        Assert.StartsWith($"kernels/test.cl does not build on {_device.Info.Name} (BuildProgramFailure, -11) with options '-DTILE_W=16'. The compiler says:\n", e.Message, StringComparison.Ordinal);
        Assert.Contains("no_such_function", e.Message, StringComparison.Ordinal);
        Assert.Equal(-11, e.Status);
    }

    [Fact]
    public void CreateKernel_UnknownName_NamesKernelAndFile()
    {
        using KernelProgram program = Build(Scale);
        OpenClException e = Assert.Throws<OpenClException>(() => program.CreateKernel("scale2"));
        Assert.StartsWith($"Could not find kernel 'scale2' in kernels/test.cl on {_device.Info.Name} (InvalidKernelName, -46).", e.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Enqueue_BoundKernel_ComputesWithOptionsAndArguments()
    {
        using KernelProgram program = Build(Scale, "-DOFFSET=0.5f");
        using Kernel kernel = program.CreateKernel("scale");
        using DeviceBuffer<float> input = _device.Allocate<float>([1, 2, 3]);
        using DeviceBuffer<float> output = _device.Allocate<float>(3);
        kernel.Bind(input, output, 2f).Enqueue(_queue, new(3), WorkSize.Single);
        Assert.Equal([2.5f, 4.5f, 6.5f], output.ToArray(_queue));
        kernel.Bind(2, -1f);
        kernel.Enqueue(_queue, new(3), WorkSize.Single);
        Assert.Equal([-0.5f, -1.5f, -2.5f], output.ToArray(_queue));
    }

    [Fact]
    public void EnqueueWithEvent_ProfilingQueue_GivesTimesThatGrowWithTheWork()
    {
        using Kernel kernel = _device.Build("common/fma_peak.cl", "-DROUNDS=20000").CreateKernel("fma_peak");
        using Kernel longer = _device.Build("common/fma_peak.cl", "-DROUNDS=400000").CreateKernel("fma_peak");
        using DeviceBuffer<float> output = _device.Allocate<float>(1);
        kernel.Bind(output, 0.5f, 0.25f);
        longer.Bind(output, 0.5f, 0.25f);
        // Other programs can only make a run longer: the shortest of several is the kernel's own.
        double shortest = double.MaxValue, shortestOfLonger = double.MaxValue;
        for (int run = 0; run < 20; run++)
        {
            using ComputeEvent first = kernel.EnqueueWithEvent(_queue, WorkSize.Single, WorkSize.Single);
            using ComputeEvent second = longer.EnqueueWithEvent(_queue, WorkSize.Single, WorkSize.Single, first);
            second.Wait();
            first.Wait();
            shortest = Math.Min(shortest, first.DurationMs);
            shortestOfLonger = Math.Min(shortestOfLonger, second.DurationMs);
        }
        Assert.InRange(shortest, 1e-6, 60_000);
        Assert.True(shortestOfLonger > shortest, $"20 times the work took {shortestOfLonger} ms after {shortest} ms");
        // The fixed point of s = 0.5 s + 0.25 is 0.5, in 96 sums.
        Assert.Equal(48f, output.ToArray(_queue)[0], tolerance: 1e-3f);
    }

    [Fact]
    public void DurationMs_QueueWithoutProfiling_SaysWhatIsMissing()
    {
        using CommandQueue plain = _device.CreateQueue();
        using Kernel kernel = _device.Build("common/fma_peak.cl", "-DROUNDS=1").CreateKernel("fma_peak");
        using DeviceBuffer<float> output = _device.Allocate<float>(1);
        using ComputeEvent done = kernel.Bind(output, 0.5f, 0.25f).EnqueueWithEvent(plain, WorkSize.Single, WorkSize.Single);
        done.Wait();
        OpenClException e = Assert.Throws<OpenClException>(() => done.DurationMs);
        Assert.Contains("was the queue made with profiling?", e.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Enqueue_ArgumentMissing_NamesKernelFileAndDevice()
    {
        using KernelProgram program = Build(Scale);
        using Kernel kernel = program.CreateKernel("scale");
        OpenClException e = Assert.Throws<OpenClException>(() => kernel.Enqueue(_queue, new(3), WorkSize.Single));
        Assert.StartsWith($"Could not launch kernel 'scale' of kernels/test.cl with 3x1x1 work-items on {_device.Info.Name} (InvalidKernelArgs, -52).", e.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Bind_ArgumentTooMany_NamesItsPositionAndTheKernel()
    {
        using KernelProgram program = Build(Scale);
        using Kernel kernel = program.CreateKernel("scale");
        OpenClException e = Assert.Throws<OpenClException>(() => kernel.Bind(3, 1f));
        Assert.StartsWith("Could not set argument 3 of kernel 'scale' in kernels/test.cl (InvalidArgIndex, -49).", e.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Enqueue_QueueOfAnotherDevice_NamesBoth()
    {
        using ComputeDevice other = TestDevice.OpenOrSkip();
        using CommandQueue foreign = other.CreateQueue();
        using Kernel kernel = _device.Build("common/fma_peak.cl", "-DROUNDS=1").CreateKernel("fma_peak");
        using DeviceBuffer<float> output = _device.Allocate<float>(1);
        kernel.Bind(output, 0.5f, 0.25f);
        OpenClException e = Assert.Throws<OpenClException>(() => kernel.Enqueue(foreign, WorkSize.Single, WorkSize.Single));
        Assert.Equal($"A queue of {other.Info.Name} cannot be used with kernel 'fma_peak' of {_device.Info.Name}: every object must come from the same opened device.", e.Message);
    }

    [Fact]
    public void Dispose_KernelTwice_IsHarmlessAndLaterUseSaysDisposed()
    {
        using KernelProgram program = Build(Scale);
        Kernel kernel = program.CreateKernel("scale");
        kernel.Dispose();
        kernel.Dispose();
        Assert.Throws<ObjectDisposedException>(() => kernel.Bind(2, 1f));
        program.Dispose();
        program.Dispose();
        Assert.Throws<ObjectDisposedException>(() => program.CreateKernel("scale"));
    }

    private KernelProgram Build(string source, string options = "") => new(_device, "test.cl", source, options, NoCache);
}
