using System.Diagnostics.CodeAnalysis;

namespace RealtimeDeblur.Pipeline;

/// <summary>
/// Hands live pictures from one thread to another through a single slot: a new one takes the place of one that nobody has fetched yet, which is disposed and counted.
/// What is taken out is so always the newest, and neither thread waits for a slow one. Owns what lies in it. Allocates nothing.
/// </summary>
public sealed class Mailbox<T> where T : class, IDisposable
{
    private readonly object _lock = new();      // Monitor.Wait needs an object
    private T? _newest;
    private bool _closed;

    /// <summary>Items that were replaced before anyone took them.</summary>
    public long Dropped { get; private set; }

    /// <summary>Puts an item in; takes ownership. A closed mailbox disposes it.</summary>
    /// <returns>False when the mailbox was closed, which tells the producer to stop.</returns>
    public bool Put(T item)
    {
        T? replaced;
        lock (_lock)
        {
            replaced = _closed ? item : _newest;
            if (!_closed) _newest = item;
            if (!_closed && replaced is not null) Dropped++;
            Monitor.PulseAll(_lock);
        }
        replaced?.Dispose();
        return replaced != item;
    }

    /// <summary>Takes the item, waiting for one; the caller owns it.</summary>
    /// <param name="timeout">How long to wait; <see cref="Timeout.InfiniteTimeSpan"/> for ever, zero not at all.</param>
    /// <returns>False when none came in time, or the mailbox was closed.</returns>
    public bool TryTake(TimeSpan timeout, [NotNullWhen(true)] out T? item)
    {
        lock (_lock)
        {
            if (_newest is null && !_closed && timeout != TimeSpan.Zero) Monitor.Wait(_lock, timeout);
            item = _newest;
            _newest = null;
            return item is not null;
        }
    }

    /// <summary>Disposes what lies in it and wakes whoever waits; nothing goes in any more. May be called from any thread.</summary>
    public void Close()
    {
        T? left;
        lock (_lock)
        {
            _closed = true;
            left = _newest;
            _newest = null;
            Monitor.PulseAll(_lock);
        }
        left?.Dispose();
    }
}
