using System.Diagnostics;

namespace RealtimeDeblur.Pipeline;

/// <summary>
/// Percentiles of any number of durations in fixed memory: buckets that grow by 1 % from one microsecond to a quarter of an hour, so that a percentile
/// is right within 1 %. Not safe for use by two threads at once.
/// </summary>
public sealed class DurationHistogram
{
    private const double SmallestMs = 1e-3;
    private const double LargestMs = 1e6;
    private const double Growth = 1.01;

    private static readonly double LogGrowth = Math.Log(Growth);
    private readonly long[] _buckets = new long[(int)Math.Ceiling(Math.Log(LargestMs / SmallestMs) / LogGrowth) + 1];
    private double _totalMs;

    /// <summary>Durations so far.</summary>
    public long Count { get; private set; }

    /// <summary>Mean in milliseconds; 0 without entries.</summary>
    public double MeanMs => Count == 0 ? 0 : _totalMs / Count;

    /// <summary>Half of the durations are shorter, in milliseconds.</summary>
    public double MedianMs => PercentileMs(0.5);

    /// <summary>99 of 100 durations are shorter, in milliseconds.</summary>
    public double P99Ms => PercentileMs(0.99);

    /// <param name="ticks">Difference of two <see cref="Stopwatch.GetTimestamp"/> values.</param>
    internal void Add(long ticks)
    {
        double milliseconds = ticks * 1000.0 / Stopwatch.Frequency;
        _totalMs += milliseconds;
        Count++;
        double clamped = Math.Clamp(milliseconds, SmallestMs, LargestMs);
        _buckets[Math.Min((int)(Math.Log(clamped / SmallestMs) / LogGrowth), _buckets.Length - 1)]++;
    }

    /// <summary>Takes over the entries of another one.</summary>
    internal void Add(DurationHistogram other)
    {
        _totalMs += other._totalMs;
        Count += other.Count;
        for (int i = 0; i < _buckets.Length; i++) _buckets[i] += other._buckets[i];
    }

    /// <summary>The duration in milliseconds that the given share of entries does not exceed; 0 without entries.</summary>
    /// <param name="share">0 to 1.</param>
    public double PercentileMs(double share)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(share, 0);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(share, 1);
        long wanted = Math.Max(1, (long)Math.Ceiling(share * Count));
        long seen = 0;
        for (int i = 0; i < _buckets.Length; i++)
        {
            seen += _buckets[i];
            if (seen >= wanted) return SmallestMs * Math.Pow(Growth, i + 0.5);
        }
        return 0;
    }
}
