using System.Diagnostics;
using RealtimeDeblur.Pipeline;
using Xunit;

namespace RealtimeDeblur.Tests.Pipeline;

public sealed class DurationHistogramTests
{
    [Fact]
    public void Percentiles_OfKnownDurations_AreRightWithinOnePercent()
    {
        var histogram = new DurationHistogram();
        foreach (int milliseconds in Enumerable.Range(1, 1000).Reverse()) histogram.Add(milliseconds * Stopwatch.Frequency / 1000);
        Assert.Equal(1000, histogram.Count);
        Assert.Equal(500.5, histogram.MeanMs, 0.01);
        Assert.InRange(histogram.MedianMs, 495, 505);
        Assert.InRange(histogram.P99Ms, 980, 1000);
        Assert.InRange(histogram.PercentileMs(0), 0.99, 1.01);
        Assert.InRange(histogram.PercentileMs(1), 990, 1010);
    }

    [Fact]
    public void Percentiles_WithoutEntries_AreZero() => Assert.Equal(0, new DurationHistogram().P99Ms);

    [Theory]
    [InlineData(0)]
    [InlineData(-5)]
    [InlineData(long.MaxValue)]
    public void Add_OutsideRange_CountsAtItsEnd(long ticks)
    {
        var histogram = new DurationHistogram();
        histogram.Add(ticks);
        Assert.InRange(histogram.MedianMs, 0.0009, 1.02e6);
    }
}
