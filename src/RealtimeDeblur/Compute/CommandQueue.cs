using Silk.NET.OpenCL;

namespace RealtimeDeblur.Compute;

/// <summary>An in-order queue of commands on one device. One thread enqueues at a time; the caller disposes it.</summary>
internal sealed unsafe class CommandQueue : IDisposable
{
    internal CommandQueue(ComputeDevice device, bool profiling)
    {
        Device = device;
        IsProfiling = profiling;
        lock (OpenClApi.SetUp)
        {
            using ClHandle.Borrowed context = device.Context.Use();
            int status;
            nint queue = Cl.CreateCommandQueue(context.Value, device.Device, profiling ? CommandQueueProperties.ProfilingEnable : 0, &status);
            OpenClException.ThrowIfFailed(status, $"create a command queue on {device.Info.Name}");
            Handle = new(queue, Cl.ReleaseCommandQueue);
        }
    }

    public ComputeDevice Device { get; }

    public bool IsProfiling { get; }

    internal ClHandle Handle { get; }

    private static CL Cl => OpenClApi.Instance;

    /// <summary>Hands what was enqueued to the device without waiting. Needed before another queue waits for an event of this one.</summary>
    public void Flush()
    {
        using ClHandle.Borrowed queue = Handle.Use();
        OpenClException.ThrowIfFailed(Cl.Flush(queue.Value), "flush a queue", Device.Info.Name);
    }

    /// <summary>Waits until everything enqueued has completed.</summary>
    public void Finish()
    {
        using ClHandle.Borrowed queue = Handle.Use();
        OpenClException.ThrowIfFailed(Cl.Finish(queue.Value), "finish the commands of a queue", Device.Info.Name);
    }

    public void Dispose() => Handle.Dispose();

    /// <summary>What to throw where this queue meets an object of another device.</summary>
    internal OpenClException Mismatch(string what, ComputeDevice device) =>
        new($"A queue of {Device.Info.Name} cannot be used with {what} of {device.Info.Name}: every object must come from the same opened device.");
}
