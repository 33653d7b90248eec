using System.Runtime.InteropServices;
using RealtimeDeblur.Compute;

namespace RealtimeDeblur.Imaging;

/// <summary>
/// One picture on its way through a pipeline: unmanaged memory, its format, and its time. Whoever holds a frame owns it and disposes it,
/// which hands the memory back to its <see cref="FramePool"/>; methods that take a frame over say so. Not safe for use by two threads at once.
/// </summary>
public sealed unsafe class Frame : IDisposable
{
    /// <summary>Frames start on a page and fill the last one, so that a device which shares the host's memory can use them without a copy.</summary>
    internal const int AlignmentBytes = 4096;

    private readonly FramePool? _pool;
    private readonly long _memoryBytes;
    private readonly PinnedMemory? _pinned;
    private byte* _memory;
    private SharedMemory? _shared;

    /// <summary>Allocates an unpooled frame with undefined contents.</summary>
    public Frame(FrameFormat format) : this(format, pool: null)
    {
    }

    /// <param name="format"/><param name="pool"/>
    /// <param name="pinnedFor">Device with memory of its own that will copy the frame often; null for plain memory.</param>
    internal Frame(FrameFormat format, FramePool? pool, ComputeDevice? pinnedFor = null)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(format.Width, 1, nameof(format));
        ArgumentOutOfRangeException.ThrowIfLessThan(format.Height, 1, nameof(format));
        Format = format;
        _pool = pool;
        _memoryBytes = ((long)format.SizeBytes + AlignmentBytes - 1) / AlignmentBytes * AlignmentBytes;
        _pinned = pinnedFor is null ? null : new PinnedMemory(pinnedFor, _memoryBytes);
        _memory = _pinned is null ? (byte*)NativeMemory.AlignedAlloc((nuint)_memoryBytes, AlignmentBytes) : _pinned.Address;
    }

    /// <summary>Frees the memory of a frame that nobody disposed.</summary>
    ~Frame() => Free();

    /// <summary>Size and layout of the samples.</summary>
    public FrameFormat Format { get; }

    /// <summary>Presentation time in units of the source's time base; a source without times counts frames.</summary>
    public long Timestamp { get; set; }

    /// <summary>When the frame was captured or decoded, as <see cref="System.Diagnostics.Stopwatch.GetTimestamp"/>; latency is measured from it.</summary>
    public long CapturedAt { get; set; }

    /// <summary>All samples, plane after plane; <see cref="FrameFormat.SizeBytes"/> long.</summary>
    public Span<byte> Data
    {
        get
        {
            ObjectDisposedException.ThrowIf(_memory is null, this);
            return new(_memory, Format.SizeBytes);
        }
    }

    /// <summary>Address of <see cref="Data"/>; valid until the frame is disposed.</summary>
    public nint Address
    {
        get
        {
            ObjectDisposedException.ThrowIf(_memory is null, this);
            return (nint)_memory;
        }
    }

    /// <summary>The samples of one plane.</summary>
    public Span<byte> PlaneData(int index)
    {
        PlaneLayout plane = Format.Plane(index);
        return Data.Slice(plane.OffsetBytes, plane.StrideBytes * plane.Height);
    }

    /// <summary>Copies a picture into the frame.</summary>
    /// <param name="picture">Of the frame's format.</param>
    /// <exception cref="ArgumentException">A plane is missing, a stride is shorter than a row, or rows are not all there; nothing was copied.</exception>
    public void CopyFrom(ReadOnlyFrameView picture)
    {
        Format.Check(picture);
        for (int i = 0; i < Format.PlaneCount; i++) CopyPlaneFrom(i, picture);
    }

    /// <summary>Copies the frame into a picture; bytes between its rows are left alone.</summary>
    /// <inheritdoc cref="CopyFrom"/>
    public void CopyTo(FrameView picture)
    {
        Format.Check(picture);
        for (int i = 0; i < Format.PlaneCount; i++) CopyPlaneTo(i, picture);
    }

    /// <summary>Copies one plane of a picture that fits the format.</summary>
    internal void CopyPlaneFrom(int index, ReadOnlyFrameView picture) => Format.CopyRows(index, picture.Rows(index), picture.StrideBytes(index), PlaneData(index), Format.Plane(index).StrideBytes);

    /// <summary>Copies one plane into a picture that fits the format.</summary>
    internal void CopyPlaneTo(int index, FrameView picture) => Format.CopyRows(index, PlaneData(index), Format.Plane(index).StrideBytes, picture.Rows(index), picture.StrideBytes(index));

    /// <summary>Returns the memory to the pool it came from, or frees it. A second call does nothing as long as the pool has not handed the frame out again.</summary>
    public void Dispose()
    {
        if (_memory is null) return;
        if (_pool is not null && _pool.TakeBack(this)) return;
        Free();
        GC.SuppressFinalize(this);
    }

    /// <summary>The frame's memory as a device that shares it sees it. Made once and kept with the frame, also while that lies in its pool.</summary>
    internal SharedMemory SharedWith(ComputeDevice device)
    {
        ObjectDisposedException.ThrowIf(_memory is null, this);
        if (_shared?.Device == device) return _shared;
        _shared?.Dispose();
        return _shared = new(device, _memory, _memoryBytes);
    }

    internal void Free()
    {
        _shared?.Dispose();
        _shared = null;
        if (_pinned is null) NativeMemory.AlignedFree(_memory);
        else if (_memory is not null) _pinned.Dispose();
        _memory = null;
    }
}
