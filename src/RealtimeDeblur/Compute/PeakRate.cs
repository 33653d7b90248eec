namespace RealtimeDeblur.Compute;

/// <summary>The rate of fused multiply-adds that a device reaches on nothing but registers: the ceiling that a share of peak is measured against.</summary>
internal static class PeakRate
{
    private const int Rounds = 100_000;

    /// <summary>float8 accumulators of <c>common/fma_peak.cl</c>, 12 of them.</summary>
    private const int MacPerRound = 12 * 8;

    /// <summary>Enough to fill any GPU; a CPU runs a few per core.</summary>
    private const int GpuItems = 1 << 16, CpuItemsPerUnit = 8;

    private const int Runs = 5;

    /// <summary>Measures for a fraction of a second and blocks. Only comparable with what runs at about the same time: processors change their clock, and other programs take their share.</summary>
    /// <returns>Multiply-accumulates per second, of the best of a few runs.</returns>
    public static double MeasureMacPerSecond(ComputeDevice device)
    {
        bool isCpu = device.Info.Type == ComputeDeviceType.Cpu;
        int items = isCpu ? CpuItemsPerUnit * Math.Max(1, device.Info.ComputeUnits) : GpuItems;
        var global = new WorkSize(items);
        WorkSize local = isCpu ? WorkSize.Single : new(64);

        using CommandQueue queue = device.CreateQueue(profiling: true);
        using DeviceBuffer<float> sums = device.Allocate<float>(items);
        using Kernel kernel = device.Build("common/fma_peak.cl", $"-DROUNDS={Rounds}").CreateKernel("fma_peak");
        kernel.Bind(sums, 0.999f, 0.001f);
        double best = double.PositiveInfinity;
        for (int run = 0; run <= Runs; run++)
        {
            using ComputeEvent done = kernel.EnqueueWithEvent(queue, global, local);
            done.Wait();
            if (run > 0) best = Math.Min(best, done.DurationMs); // the first run builds
        }
        return (double)items * Rounds * MacPerRound / (best * 1e-3);
    }
}
