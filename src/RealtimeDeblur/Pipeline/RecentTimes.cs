using System.Diagnostics;

namespace RealtimeDeblur.Pipeline;

/// <summary>Rate and latency of the last pictures, for a display that follows what happens now. Safe for use from several threads; allocates nothing after construction.</summary>
internal sealed class RecentTimes
{
    private const int Remembered = 128;

    /// <summary>Over which the rate is taken: long enough to be steady to the eye.</summary>
    private static readonly TimeSpan RateWindow = TimeSpan.FromSeconds(1.5);

    private readonly long[] _at = new long[Remembered];
    private readonly long[] _latency = new long[Remembered];
    private readonly long[] _sorted = new long[Remembered];
    private long _count;

    /// <param name="at">When a picture was presented, as <see cref="Stopwatch.GetTimestamp"/>.</param>
    /// <param name="latency">Its age then, in the same ticks.</param>
    public void Add(long at, long latency)
    {
        lock (_at)
        {
            (_at[_count % Remembered], _latency[_count % Remembered]) = (at, latency);
            _count++;
        }
    }

    /// <summary>Pictures per second and the median and 99th percentile of the latency of the last pictures, in milliseconds; zeros where none were presented lately.</summary>
    /// <param name="now">As <see cref="Stopwatch.GetTimestamp"/>.</param>
    public (double FramesPerSecond, double MedianMs, double P99Ms) Read(long now)
    {
        lock (_at)
        {
            int available = (int)Math.Min(_count, Remembered);
            int recent = 0;
            while (recent < available && Stopwatch.GetElapsedTime(At(recent), now) <= RateWindow)
            {
                _sorted[recent] = _latency[(_count - 1 - recent) % Remembered];
                recent++;
            }
            if (recent == 0) return (0, 0, 0);
            _sorted.AsSpan(0, recent).Sort();
            TimeSpan span = Stopwatch.GetElapsedTime(At(recent - 1), At(0));
            return (span > TimeSpan.Zero ? (recent - 1) / span.TotalSeconds : 0, Milliseconds(_sorted[recent / 2]), Milliseconds(_sorted[(int)(0.99 * (recent - 1) + 0.5)]));
        }
    }

    private long At(int back) => _at[(_count - 1 - back) % Remembered];

    private static double Milliseconds(long ticks) => ticks * 1000.0 / Stopwatch.Frequency;
}
