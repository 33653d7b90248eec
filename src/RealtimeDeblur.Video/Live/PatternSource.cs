using System.Diagnostics;
using System.Diagnostics.CodeAnalysis;
using RealtimeDeblur.Imaging;
using RealtimeDeblur.Pipeline;

namespace RealtimeDeblur.Video.Live;

/// <summary>The frames of a <see cref="TestPattern"/>, each at its time.</summary>
internal sealed class PatternSource(TestPattern pattern, double framesPerSecond) : IFrameSource
{
    private readonly FramePool _pool = new(pattern.Format);
    private readonly object _lock = new();      // Monitor.Wait needs an object
    private readonly long _openedAt = Stopwatch.GetTimestamp();
    private readonly LiveClock _clock = new();
    private long _next;
    private bool _stopped;

    public FrameFormat Format => pattern.Format;

    public bool TryRead([NotNullWhen(true)] out Frame? frame)
    {
        frame = null;
        // Of the frames that are due only the last one is drawn, like a camera's; before the next one is due there is none.
        long number = Math.Max(_next, (long)(Stopwatch.GetElapsedTime(_openedAt).TotalSeconds * framesPerSecond));
        TimeSpan due = TimeSpan.FromSeconds(number / framesPerSecond);
        lock (_lock)
        {
            while (!_stopped && due - Stopwatch.GetElapsedTime(_openedAt) is { Ticks: > 0 } left) Monitor.Wait(_lock, TimeSpan.FromMilliseconds(Math.Ceiling(left.TotalMilliseconds)));
            if (_stopped) return false;
        }
        frame = _pool.Rent();
        pattern.Draw(number, (long)(number * 1000 / framesPerSecond), frame.Data);
        frame.CapturedAt = Stopwatch.GetTimestamp();
        frame.Timestamp = _clock.Stamp(frame.CapturedAt);
        _next = number + 1;
        return true;
    }

    public void StopReading()
    {
        lock (_lock)
        {
            _stopped = true;
            Monitor.PulseAll(_lock);
        }
    }

    public void Dispose()
    {
        StopReading();
        _pool.Dispose();
    }
}
