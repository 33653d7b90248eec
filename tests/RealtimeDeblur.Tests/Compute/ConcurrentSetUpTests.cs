using RealtimeDeblur.Compute;
using Xunit;

namespace RealtimeDeblur.Tests.Compute;

/// <summary>PoCL 3.1 crashes when two threads open devices or build programs at once; ours must not let it. In a process of its own, because a crash would take the other tests along.</summary>
public sealed class ConcurrentSetUpTests
{
    [Fact]
    public void OpenBuildRun_FromManyThreads_WorksInAProcessThatSurvives()
    {
        TestDevice.SkipWithoutDevice();
        string cache = Directory.CreateTempSubdirectory("pocl-").FullName;
        try
        {
            // Without PoCL's own cache every build compiles.
            ChildProcess.RunExplicitTests(typeof(ConcurrentSetUp), new Dictionary<string, string> { ["POCL_CACHE_DIR"] = cache }, timeoutSeconds: 240);
        }
        finally
        {
            Directory.Delete(cache, recursive: true);
        }
    }
}

/// <summary>What <see cref="ConcurrentSetUpTests"/> runs.</summary>
public sealed class ConcurrentSetUp
{
    private const int Threads = 8;
    private const int Rounds = 2;

    [Fact(Explicit = true)]
    public void OpenBuildRun_FromManyThreads_ComputesOnAll()
    {
        for (int round = 0; round < Rounds; round++)
        {
            using Barrier start = new(Threads);
            float[][] results = new float[Threads][];
            List<Exception> failures = [];
            Thread[] threads = [.. Enumerable.Range(0, Threads).Select(i => new Thread(() =>
            {
                try
                {
                    start.SignalAndWait();
                    results[i] = OpenBuildRun($"-DOFFSET={round * Threads + i}.0f");
                }
                catch (Exception e)
                {
                    lock (failures) failures.Add(e);
                }
            }))];
            foreach (Thread thread in threads) thread.Start();
            foreach (Thread thread in threads) thread.Join();
            Assert.Empty(failures);
            for (int i = 0; i < Threads; i++) Assert.Equal([2f + round * Threads + i, 4f + round * Threads + i], results[i]);
        }
    }

    private static float[] OpenBuildRun(string options)
    {
        using ComputeDevice device = ComputeDevice.Open(Environment.GetEnvironmentVariable("DEBLUR_TEST_DEVICE"));
        using KernelProgram program = new(device, "test.cl", KernelProgramTests.Scale, options, new ProgramCache(folder: null));
        using Kernel kernel = program.CreateKernel("scale");
        using CommandQueue queue = device.CreateQueue();
        using DeviceBuffer<float> input = device.Allocate<float>([1, 2]);
        using DeviceBuffer<float> output = device.Allocate<float>(2);
        kernel.Bind(input, output, 2f).Enqueue(queue, new(2), WorkSize.Single);
        return output.ToArray(queue);
    }
}
