using Silk.NET.OpenCL;

namespace RealtimeDeblur.Compute;

/// <summary>The completion of one command. A plain value, so that the frame loop allocates nothing; whoever received it disposes it once.</summary>
internal readonly unsafe struct ComputeEvent : IDisposable
{
    // The only field: a span of events is passed to OpenCL as its wait list.
    private readonly nint _event;

    internal ComputeEvent(nint value) => _event = value;

    private static CL Cl => OpenClApi.Instance;

    /// <summary>Blocks until the command has completed.</summary>
    /// <exception cref="OpenClException">The command failed.</exception>
    public void Wait()
    {
        nint value = _event;
        OpenClException.ThrowIfFailed(Cl.WaitForEvents(1, &value), "wait for a command");
    }

    /// <summary>Device time from start to end, in milliseconds. The command must have completed, on a queue with profiling.</summary>
    public double DurationMs
    {
        get
        {
            ulong start, end;
            OpenClException.ThrowIfFailed(Cl.GetEventProfilingInfo(_event, ProfilingInfo.Start, sizeof(ulong), &start, null), "read the start time of a command (was the queue made with profiling?)");
            OpenClException.ThrowIfFailed(Cl.GetEventProfilingInfo(_event, ProfilingInfo.End, sizeof(ulong), &end, null), "read the end time of a command");
            return (end - start) * 1e-6;
        }
    }

    public void Dispose()
    {
        if (_event != 0) _ = Cl.ReleaseEvent(_event); // a failing release harms nobody
    }
}
