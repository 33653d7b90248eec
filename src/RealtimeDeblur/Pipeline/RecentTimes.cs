using System.Diagnostics;

namespace RealtimeDeblur.Pipeline;

/// <summary>How long something took for the last pictures, in milliseconds.</summary>
/// <param name="Median">What half of them did not exceed.</param>
/// <param name="P99">What 99 of 100 did not exceed.</param>
public readonly record struct RecentDuration(double Median, double P99);

/// <summary>Rate, latency and stages of the last pictures, for a display that follows what happens now. Safe for use from several threads; allocates nothing after construction.</summary>
internal sealed class RecentTimes
{
    private const int Remembered = 256;

    /// <summary>Over which everything is taken: long enough to be steady to the eye.</summary>
    private static readonly TimeSpan Window = TimeSpan.FromSeconds(1.5);

    private readonly LiveMoments[] _pictures = new LiveMoments[Remembered];
    private readonly long[] _sorted = new long[Remembered];
    private long _count;

    /// <summary>Takes a picture.</summary>
    public void Add(LiveMoments picture)
    {
        lock (_pictures) _pictures[_count++ % Remembered] = picture;
    }

    /// <summary>Pictures that were presented lately, and how many per second that makes; zeros where there were none.</summary>
    /// <param name="now">As <see cref="Stopwatch.GetTimestamp"/>.</param>
    public (int Count, double PerSecond) Rate(long now)
    {
        lock (_pictures)
        {
            int available = (int)Math.Min(_count, Remembered);
            int recent = 0;
            while (recent < available && Stopwatch.GetElapsedTime(Back(recent).Presented, now) <= Window) recent++;
            if (recent < 2) return (recent, 0);
            TimeSpan span = Stopwatch.GetElapsedTime(Back(recent - 1).Presented, Back(0).Presented);
            return (recent, span > TimeSpan.Zero ? (recent - 1) / span.TotalSeconds : 0);
        }
    }

    /// <summary>A stage of the last pictures; zeros without any.</summary>
    /// <param name="count">How many pictures, at most those that <see cref="Rate"/> told of.</param>
    /// <param name="ticksOf">The stage, in ticks of the <see cref="Stopwatch"/>.</param>
    public RecentDuration Stage(int count, Func<LiveMoments, long> ticksOf)
    {
        lock (_pictures)
        {
            if (count == 0) return default;
            for (int i = 0; i < count; i++) _sorted[i] = ticksOf(Back(i));
            _sorted.AsSpan(0, count).Sort();
            return new(Milliseconds(_sorted[count / 2]), Milliseconds(_sorted[(int)(0.99 * (count - 1) + 0.5)]));
        }
    }

    private LiveMoments Back(int back) => _pictures[(_count - 1 - back) % Remembered];

    private static double Milliseconds(long ticks) => ticks * 1000.0 / Stopwatch.Frequency;
}

/// <summary>The moments a live picture passed, as <see cref="Stopwatch.GetTimestamp"/>.</summary>
internal readonly record struct LiveMoments(long Captured, long Taken, long Restored, long Fetched, long Presented);
