using System.Runtime.CompilerServices;
using Silk.NET.OpenCL;

namespace RealtimeDeblur.Compute;

/// <summary>Memory on a device for <see cref="Count"/> elements. The caller disposes it; commands that use it and are already enqueued still complete.</summary>
internal sealed unsafe class DeviceBuffer<T> : IDisposable where T : unmanaged
{
    private readonly ComputeDevice _device;
    private readonly ClHandle _memory;

    internal DeviceBuffer(ComputeDevice device, long count) : this(device, count, MemFlags.ReadWrite, null)
    {
    }

    internal DeviceBuffer(ComputeDevice device, ReadOnlySpan<T> contents)
    {
        fixed (T* p = contents) (_device, Count, _memory) = (device, contents.Length, Create(device, contents.Length, MemFlags.ReadWrite | MemFlags.CopyHostPtr, p));
    }

    private DeviceBuffer(ComputeDevice device, long count, MemFlags flags, T* host) =>
        (_device, Count, _memory) = (device, count, Create(device, count, flags, host));

    /// <summary>Elements.</summary>
    public long Count { get; }

    public long SizeBytes => Count * sizeof(T);

    private static CL Cl => OpenClApi.Instance;

    public static implicit operator KernelArgument(DeviceBuffer<T> buffer) => KernelArgument.Buffer(buffer._memory);

    /// <summary>Makes host memory visible to the device without a copy where both share memory. The memory must be page-aligned and outlive the buffer.</summary>
    internal static DeviceBuffer<T> OverHostMemory(ComputeDevice device, T* host, long count) => new(device, count, MemFlags.ReadWrite | MemFlags.UseHostPtr, host);

    /// <summary>Memory of the host that the driver allocates so that the device copies from and to it directly. For <see cref="Map"/>.</summary>
    internal static DeviceBuffer<T> InHostMemory(ComputeDevice device, long count) => new(device, count, MemFlags.ReadWrite | MemFlags.AllocHostPtr, null);

    /// <summary>Copies <paramref name="source"/> to the start of the buffer (or to <paramref name="offset"/>) and waits for the copy.</summary>
    public void Write(CommandQueue queue, ReadOnlySpan<T> source, long offset = 0)
    {
        CheckRange(offset, source.Length);
        fixed (T* p = source) Write(queue, p, source.Length, offset, blocking: true, [], null);
    }

    /// <summary>Copies the start of the buffer (or from <paramref name="offset"/>) to <paramref name="destination"/> and waits for the copy.</summary>
    public void Read(CommandQueue queue, Span<T> destination, long offset = 0)
    {
        CheckRange(offset, destination.Length);
        fixed (T* p = destination) Read(queue, p, destination.Length, offset, blocking: true, [], null);
    }

    /// <summary>Reads the whole buffer; waits.</summary>
    public T[] ToArray(CommandQueue queue)
    {
        T[] all = new T[Count];
        Read(queue, all);
        return all;
    }

    /// <summary>Starts a copy from memory that stays valid until the returned event; the caller disposes the event.</summary>
    internal ComputeEvent WriteAsync(CommandQueue queue, T* source, long count, long offset = 0, params ReadOnlySpan<ComputeEvent> waitFor)
    {
        CheckRange(offset, count);
        nint signal;
        Write(queue, source, count, offset, blocking: false, waitFor, &signal);
        return new(signal);
    }

    /// <summary>Starts a copy to memory that stays valid until the returned event; the caller disposes the event.</summary>
    internal ComputeEvent ReadAsync(CommandQueue queue, T* destination, long count, long offset = 0, params ReadOnlySpan<ComputeEvent> waitFor)
    {
        CheckRange(offset, count);
        nint signal;
        Read(queue, destination, count, offset, blocking: false, waitFor, &signal);
        return new(signal);
    }

    /// <summary>Starts to make the buffer's memory the host's own again, with what the device wrote; the caller disposes the event. Only for memory of the host.</summary>
    internal ComputeEvent MapAsync(CommandQueue queue)
    {
        CheckDevice(queue);
        using ClHandle.Borrowed handle = queue.Handle.Use();
        using ClHandle.Borrowed memory = _memory.Use();
        nint signal;
        int status;
        Cl.EnqueueMapBuffer(handle.Value, memory.Value, false, MapFlags.Read | MapFlags.Write, 0, (nuint)SizeBytes, 0, null, &signal, &status);
        OpenClException.ThrowIfFailed(status, "map a buffer", _device.Info.Name);
        return new(signal);
    }

    /// <summary>Gives the address of the buffer's memory on the host, which is the host's until <see cref="Unmap"/>; waits.</summary>
    internal T* Map(CommandQueue queue)
    {
        CheckDevice(queue);
        using ClHandle.Borrowed handle = queue.Handle.Use();
        using ClHandle.Borrowed memory = _memory.Use();
        int status;
        void* address = Cl.EnqueueMapBuffer(handle.Value, memory.Value, true, MapFlags.Read | MapFlags.Write, 0, (nuint)SizeBytes, 0, null, null, &status);
        OpenClException.ThrowIfFailed(status, "map a buffer", _device.Info.Name);
        return (T*)address;
    }

    /// <summary>Enqueues the end of what <see cref="Map"/> or <see cref="MapAsync"/> began: the memory is the device's.</summary>
    /// <param name="queue">In-order queue of the buffer's device.</param>
    /// <param name="host">Where the memory is.</param>
    /// <param name="waitFor">Events that must have happened before.</param>
    internal void Unmap(CommandQueue queue, T* host, params ReadOnlySpan<ComputeEvent> waitFor)
    {
        CheckDevice(queue);
        using ClHandle.Borrowed handle = queue.Handle.Use();
        using ClHandle.Borrowed memory = _memory.Use();
        fixed (ComputeEvent* events = waitFor)
        {
            OpenClException.ThrowIfFailed(Cl.EnqueueUnmapMemObject(handle.Value, memory.Value, host, (uint)waitFor.Length, (nint*)events, null), "unmap a buffer", _device.Info.Name);
        }
    }

    /// <summary>Enqueues setting every element to <paramref name="value"/>.</summary>
    public void Fill(CommandQueue queue, T value)
    {
        CheckDevice(queue);
        using ClHandle.Borrowed handle = queue.Handle.Use();
        using ClHandle.Borrowed memory = _memory.Use();
        int status = Cl.EnqueueFillBuffer(handle.Value, memory.Value, &value, (nuint)sizeof(T), 0, (nuint)SizeBytes, 0, null, null);
        OpenClException.ThrowIfFailed(status, "fill a buffer", _device.Info.Name);
    }

    /// <summary>Enqueues a copy of this whole buffer to the start of another.</summary>
    public void CopyTo(CommandQueue queue, DeviceBuffer<T> destination)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(destination.Count, Count, nameof(destination));
        CheckDevice(queue);
        using ClHandle.Borrowed handle = queue.Handle.Use();
        using ClHandle.Borrowed from = _memory.Use();
        using ClHandle.Borrowed to = destination._memory.Use();
        int status = Cl.EnqueueCopyBuffer(handle.Value, from.Value, to.Value, 0, 0, (nuint)SizeBytes, 0, null, null);
        OpenClException.ThrowIfFailed(status, "copy a buffer", _device.Info.Name);
    }

    public void Dispose() => _memory.Dispose();

    private static ClHandle Create(ComputeDevice device, long count, MemFlags flags, void* host)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(count, 1);
        long bytes = checked(count * sizeof(T));
        int status;
        nint memory;
        lock (OpenClApi.SetUp)
        {
            device.BuffersCreated++;
            using ClHandle.Borrowed context = device.Context.Use();
            memory = Cl.CreateBuffer(context.Value, flags, (nuint)bytes, host, &status);
        }
        OpenClException.ThrowIfFailed(status, $"allocate {bytes:N0} bytes on {device.Info.Name}");
        return new(memory, Cl.ReleaseMemObject);
    }

    private void Write(CommandQueue queue, T* source, long count, long offset, bool blocking, ReadOnlySpan<ComputeEvent> waitFor, nint* signal)
    {
        if (count == 0) return;
        CheckDevice(queue);
        using ClHandle.Borrowed handle = queue.Handle.Use();
        using ClHandle.Borrowed memory = _memory.Use();
        fixed (ComputeEvent* events = waitFor)
        {
            int status = Cl.EnqueueWriteBuffer(handle.Value, memory.Value, blocking, (nuint)(offset * sizeof(T)), (nuint)(count * sizeof(T)), source, (uint)waitFor.Length, (nint*)events, signal);
            OpenClException.ThrowIfFailed(status, "write to a buffer", _device.Info.Name);
        }
    }

    private void Read(CommandQueue queue, T* destination, long count, long offset, bool blocking, ReadOnlySpan<ComputeEvent> waitFor, nint* signal)
    {
        if (count == 0) return;
        CheckDevice(queue);
        using ClHandle.Borrowed handle = queue.Handle.Use();
        using ClHandle.Borrowed memory = _memory.Use();
        fixed (ComputeEvent* events = waitFor)
        {
            int status = Cl.EnqueueReadBuffer(handle.Value, memory.Value, blocking, (nuint)(offset * sizeof(T)), (nuint)(count * sizeof(T)), destination, (uint)waitFor.Length, (nint*)events, signal);
            OpenClException.ThrowIfFailed(status, "read from a buffer", _device.Info.Name);
        }
    }

    private void CheckDevice(CommandQueue queue)
    {
        if (queue.Device != _device) throw queue.Mismatch("a buffer", _device);
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private void CheckRange(long offset, long count)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(offset);
        ArgumentOutOfRangeException.ThrowIfNegative(count);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(offset, Count);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(count, Count - offset);
    }
}
