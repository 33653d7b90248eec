using System.Diagnostics.CodeAnalysis;

namespace RealtimeDeblur.Pipeline;

/// <summary>
/// Hands live pictures from one thread to another: where nobody fetches them in time the oldest gives way to the new one, is disposed and counted. With one place, as is usual,
/// what is taken out is always the newest. The producer never waits. Owns what lies in it. Allocates nothing after construction.
/// </summary>
/// <param name="capacity">Items it holds, 1 or more. More than one smooths a consumer that is fast enough on average, at the price of latency.</param>
internal sealed class Mailbox<T>(int capacity = 1) where T : class, IDisposable
{
    private readonly T?[] _ring = new T?[capacity];     // Also the lock.
    private int _head;
    private int _count;
    private long _dropped;
    private bool _closed;

    /// <summary>Items that gave way before anyone took them.</summary>
    public long Dropped => Interlocked.Read(ref _dropped);

    /// <summary>Puts an item in; takes ownership. A closed mailbox disposes it.</summary>
    /// <returns>False when the mailbox was closed, which tells the producer to stop.</returns>
    public bool Put(T item)
    {
        T? leaving = null;
        bool isClosed;
        lock (_ring)
        {
            isClosed = _closed;
            if (isClosed)
            {
                leaving = item;
            }
            else
            {
                if (_count == _ring.Length)
                {
                    leaving = RemoveOldest();
                    Interlocked.Increment(ref _dropped);
                }
                _ring[(_head + _count++) % _ring.Length] = item;
                Monitor.Pulse(_ring);
            }
        }
        leaving?.Dispose();
        return !isClosed;
    }

    /// <summary>Takes the oldest item, waiting for one; the caller owns it.</summary>
    /// <param name="timeout">How long to wait; <see cref="Timeout.InfiniteTimeSpan"/> for ever, zero not at all.</param>
    /// <returns>False when none came in time, or the mailbox was closed.</returns>
    public bool TryTake(TimeSpan timeout, [NotNullWhen(true)] out T? item)
    {
        lock (_ring)
        {
            if (_count == 0 && !_closed && timeout != TimeSpan.Zero) Monitor.Wait(_ring, timeout);
            item = _count == 0 ? null : RemoveOldest();
            return item is not null;
        }
    }

    /// <summary>Disposes what lies in it and wakes whoever waits; nothing goes in any more. May be called from any thread.</summary>
    public void Close()
    {
        lock (_ring)
        {
            _closed = true;
            while (_count > 0) RemoveOldest().Dispose();
            Monitor.PulseAll(_ring);
        }
    }

    private T RemoveOldest()
    {
        T oldest = _ring[_head]!;
        _ring[_head] = null;
        _head = (_head + 1) % _ring.Length;
        _count--;
        return oldest;
    }
}
