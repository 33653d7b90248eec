using RealtimeDeblur.Compute;

namespace RealtimeDeblur.Imaging;

/// <summary>
/// Host memory that a device with the same memory uses in place. It is the host's, except from <see cref="Lend"/> until the event of <see cref="TakeBack"/>:
/// a driver may keep host and device apart by more than good manners, with caches or with a copy of its own.
/// </summary>
internal sealed unsafe class SharedMemory : IDisposable
{
    private readonly DeviceBuffer<byte> _buffer;
    private readonly byte* _host;
    private bool _isMapped;

    /// <param name="device">Shares the host's memory.</param>
    /// <param name="host">Page-aligned; outlives this object.</param>
    /// <param name="sizeBytes">Whole pages: devices copy what ends within one of their cache lines.</param>
    public SharedMemory(ComputeDevice device, byte* host, long sizeBytes)
    {
        Device = device;
        _host = host;
        _buffer = DeviceBuffer<byte>.OverHostMemory(device, host, sizeBytes);
    }

    public ComputeDevice Device { get; }

    /// <summary>Gives the memory to commands that are enqueued after this.</summary>
    /// <param name="queue">In-order queue of the device.</param>
    /// <param name="waitFor">Events after which the host is done with it; the commands have to wait for them too.</param>
    public KernelArgument Lend(CommandQueue queue, params ReadOnlySpan<ComputeEvent> waitFor)
    {
        // What the host wrote before the buffer was made is in it.
        if (_isMapped) _buffer.Unmap(queue, _host, waitFor);
        _isMapped = false;
        return _buffer;
    }

    /// <summary>Takes it back after the commands of the queue; the caller disposes the event.</summary>
    public ComputeEvent TakeBack(CommandQueue queue)
    {
        ComputeEvent mapped = _buffer.MapAsync(queue);
        _isMapped = true;
        return mapped;
    }

    public void Dispose() => _buffer.Dispose();
}
