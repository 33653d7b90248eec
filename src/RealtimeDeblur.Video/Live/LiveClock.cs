using System.Diagnostics;

namespace RealtimeDeblur.Video.Live;

/// <summary>Turns moments into timestamps: microseconds from a beginning, each later than the one before.</summary>
internal sealed class LiveClock
{
    private readonly long _beganAt;
    private long _last = -1;

    /// <summary>Begins now.</summary>
    public LiveClock() : this(Stopwatch.GetTimestamp())
    {
    }

    /// <param name="beganAt">The beginning, as <see cref="Stopwatch.GetTimestamp"/>.</param>
    public LiveClock(long beganAt) => _beganAt = beganAt;

    /// <summary>The timestamp of a moment given as <see cref="Stopwatch.GetTimestamp"/>; at least 1 more than the last one, at least 0.</summary>
    public long Stamp(long moment)
    {
        long elapsed = (long)Stopwatch.GetElapsedTime(_beganAt, moment).TotalMicroseconds;
        return _last = Math.Max(elapsed, _last + 1);
    }
}
