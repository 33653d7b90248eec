using RealtimeDeblur.Compute;

namespace RealtimeDeblur.Imaging;

/// <summary>
/// Reuses the memory of frames of one format, so that a running pipeline allocates nothing. Safe for use from several threads.
/// Frames still out when the pool is disposed free themselves on their own disposal.
/// </summary>
public sealed class FramePool : IDisposable
{
    private readonly ComputeDevice? _pinnedFor;
    private readonly Stack<Frame> _idle = new();
    private readonly HashSet<Frame> _out = new(ReferenceEqualityComparer.Instance);
    private bool _disposed;

    /// <summary>Makes an empty pool.</summary>
    /// <param name="format">Of every frame.</param>
    public FramePool(FrameFormat format) => Format = format;

    /// <param name="format"/>
    /// <param name="pinnedFor">As for a frame.</param>
    internal FramePool(FrameFormat format, ComputeDevice? pinnedFor) : this(format) => _pinnedFor = pinnedFor;

    /// <summary>Of every frame of the pool.</summary>
    public FrameFormat Format { get; }

    /// <summary>Hands out a frame with undefined contents; the caller owns it and disposes it.</summary>
    public Frame Rent()
    {
        lock (_idle)
        {
            ObjectDisposedException.ThrowIf(_disposed, this);
            Frame frame = _idle.Count > 0 ? _idle.Pop() : new Frame(Format, this, _pinnedFor);
            _out.Add(frame);
            return frame;
        }
    }

    /// <returns>False when the pool is gone and the frame has to free itself.</returns>
    internal bool TakeBack(Frame frame)
    {
        lock (_idle)
        {
            if (_disposed) return false;
            if (_out.Remove(frame)) _idle.Push(frame);
            return true;
        }
    }

    /// <summary>Frees the frames that are not out. Those free themselves when they are disposed.</summary>
    public void Dispose()
    {
        lock (_idle)
        {
            if (_disposed) return;
            _disposed = true;
            while (_idle.Count > 0) _idle.Pop().Free();
            _out.Clear();
        }
    }
}
