using RealtimeDeblur.Compute;

namespace RealtimeDeblur.Imaging;

/// <summary>Host memory from and to which a device with memory of its own copies directly, at the full speed of the bus. Drivers copy other memory twice.</summary>
internal sealed unsafe class PinnedMemory : IDisposable
{
    private readonly CommandQueue _queue;
    private readonly DeviceBuffer<byte> _buffer;

    /// <param name="device">That copies.</param>
    /// <param name="sizeBytes">1 or more.</param>
    /// <exception cref="OpenClException">There is too little memory that can be pinned.</exception>
    public PinnedMemory(ComputeDevice device, long sizeBytes)
    {
        _queue = device.CreateQueue();
        try
        {
            _buffer = DeviceBuffer<byte>.InHostMemory(device, sizeBytes);
            Address = _buffer.Map(_queue);
        }
        catch
        {
            _buffer?.Dispose();
            _queue.Dispose();
            throw;
        }
    }

    /// <summary>Aligned to a page. Valid until disposal.</summary>
    public byte* Address { get; }

    public void Dispose()
    {
        _buffer.Unmap(_queue, Address);
        _queue.Finish();
        _buffer.Dispose();
        _queue.Dispose();
    }
}
