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
    private byte* _memory;
    private SharedMemory? _shared;

    /// <summary>Allocates an unpooled frame with undefined contents.</summary>
    public Frame(FrameFormat format) : this(format, pool: null)
    {
    }

    internal Frame(FrameFormat format, FramePool? pool)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(format.Width, 1, nameof(format));
        ArgumentOutOfRangeException.ThrowIfLessThan(format.Height, 1, nameof(format));
        Format = format;
        _pool = pool;
        _memoryBytes = ((long)format.SizeBytes + AlignmentBytes - 1) / AlignmentBytes * AlignmentBytes;
        _memory = (byte*)NativeMemory.AlignedAlloc((nuint)_memoryBytes, AlignmentBytes);
    }

    ~Frame() => Free();

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

    /// <summary>Fills a plane from a picture whose rows may have bytes between them.</summary>
    /// <param name="index">As for <see cref="FrameFormat.Plane"/>.</param>
    /// <param name="rows">The first row comes first. Ends with the last row's samples, or later.</param>
    /// <param name="strideBytes">From the beginning of one row to that of the next, at least the bytes of a row.</param>
    /// <exception cref="ArgumentException">The stride is shorter than a row, or the rows are not all there.</exception>
    public void CopyPlaneFrom(int index, ReadOnlySpan<byte> rows, int strideBytes)
    {
        PlaneLayout plane = CheckedPlane(index, rows, strideBytes);
        Span<byte> samples = PlaneData(index);
        for (int y = 0; y < plane.Height; y++) rows.Slice(y * strideBytes, plane.StrideBytes).CopyTo(samples[(y * plane.StrideBytes)..]);
    }

    /// <summary>Copies a plane into a picture whose rows may have bytes between them; those are left alone.</summary>
    /// <inheritdoc cref="CopyPlaneFrom" path="/param"/>
    /// <inheritdoc cref="CopyPlaneFrom" path="/exception"/>
    public void CopyPlaneTo(int index, Span<byte> rows, int strideBytes)
    {
        PlaneLayout plane = CheckedPlane(index, rows, strideBytes);
        ReadOnlySpan<byte> samples = PlaneData(index);
        for (int y = 0; y < plane.Height; y++) samples.Slice(y * plane.StrideBytes, plane.StrideBytes).CopyTo(rows[(y * strideBytes)..]);
    }

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

    private PlaneLayout CheckedPlane(int index, ReadOnlySpan<byte> rows, int strideBytes)
    {
        PlaneLayout plane = Format.Plane(index);
        if (strideBytes < plane.StrideBytes)
            throw new ArgumentException($"Rows of plane {index} have {plane.StrideBytes} bytes ({plane.Width} samples of {Format.Pixels}); a stride of {strideBytes} is too short.", nameof(strideBytes));
        long needed = (long)strideBytes * (plane.Height - 1) + plane.StrideBytes;
        if (rows.Length < needed) throw new ArgumentException($"{plane.Height} rows with a stride of {strideBytes} take {needed} bytes; there are {rows.Length}.", nameof(rows));
        return plane;
    }

    internal void Free()
    {
        _shared?.Dispose();
        _shared = null;
        NativeMemory.AlignedFree(_memory);
        _memory = null;
    }
}
