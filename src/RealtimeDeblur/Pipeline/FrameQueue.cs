using System.Diagnostics.CodeAnalysis;
using RealtimeDeblur.Imaging;

namespace RealtimeDeblur.Pipeline;

/// <summary>
/// Hands frames from one thread to another, in order and without loss: a full queue makes the producer wait, an empty one the consumer.
/// Owns the frames inside it. Allocates nothing after construction, which the queues of the class library do not promise.
/// </summary>
/// <param name="capacity">Frames it holds, 1 or more. Every frame waiting here adds to the latency, so it is small.</param>
internal sealed class FrameQueue(int capacity)
{
    private readonly Frame?[] _ring = new Frame?[capacity];    // Also the lock.
    private int _head;
    private int _count;
    private bool _ended;
    private bool _closed;

    /// <summary>Appends a frame, waiting for room. Takes ownership; when the queue was closed the frame is disposed.</summary>
    /// <returns>False when the queue was closed, which tells the producer to stop.</returns>
    public bool Add(Frame frame)
    {
        lock (_ring)
        {
            while (_count == capacity && !_closed) Monitor.Wait(_ring);
            if (_closed)
            {
                frame.Dispose();
                return false;
            }
            _ring[(_head + _count++) % capacity] = frame;
            Monitor.PulseAll(_ring);
            return true;
        }
    }

    /// <summary>Takes the oldest frame, waiting for one; the caller owns it.</summary>
    /// <returns>False once the queue has ended and is empty, or was closed.</returns>
    public bool Take([NotNullWhen(true)] out Frame? frame)
    {
        lock (_ring)
        {
            while (_count == 0 && !_ended && !_closed) Monitor.Wait(_ring);
            return TryTake(out frame);
        }
    }

    /// <summary>Takes the oldest frame if one is there; never waits.</summary>
    public bool TryTake([NotNullWhen(true)] out Frame? frame)
    {
        lock (_ring)
        {
            frame = null;
            if (_count == 0) return false;
            frame = _ring[_head]!;
            _ring[_head] = null;
            _head = (_head + 1) % capacity;
            _count--;
            Monitor.PulseAll(_ring);
            return true;
        }
    }

    /// <summary>The producer's last call: what is inside may still be taken, then <see cref="Take"/> returns false.</summary>
    public void End()
    {
        lock (_ring)
        {
            _ended = true;
            Monitor.PulseAll(_ring);
        }
    }

    /// <summary>Disposes what is inside and wakes both threads; from here on nothing goes in or comes out. May be called from any thread.</summary>
    public void Close()
    {
        lock (_ring)
        {
            _closed = true;
            while (TryTake(out Frame? frame)) frame.Dispose();
            Monitor.PulseAll(_ring);
        }
    }
}
