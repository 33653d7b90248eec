using RealtimeDeblur.Video;
using RealtimeDeblur.Video.Segments;
using Xunit;

namespace RealtimeDeblur.Tests.Video.Segments;

public sealed class SegmentGridTests
{
    [Theory]
    [InlineData(1920, 1080, 30, 3.2)]
    [InlineData(3840, 2160, 60, 1)]      // not shorter than a second
    [InlineData(320, 240, 25, 10)]       // not longer than ten
    [InlineData(1280, 720, 0, 7.2)]      // a rate that nobody knows counts as 30
    public void For_Video_GivesSegmentsOfAFewSecondsOfWork(int width, int height, int rate, double seconds)
    {
        MediaStream video = new() { Index = 0, Kind = MediaStreamKind.Video, Codec = "h264", Width = width, Height = height, FrameRate = new(rate, rate == 0 ? 0 : 1) };
        Assert.Equal(seconds, SegmentGrid.For(video, 0).LengthMicroseconds / 1e6);
    }

    [Fact]
    public void SegmentOf_FramesAroundABoundary_BelongToTheTimeTheyAreShownIn()
    {
        var grid = new SegmentGrid(1_400_000, 2_000_000);
        var clock = new Rational(1, 30000);
        Assert.Equal(0, grid.SegmentOf(0, clock));             // before the beginning
        Assert.Equal(0, grid.SegmentOf(42_000, clock));        // 1.4 s
        Assert.Equal(0, grid.SegmentOf(101_999, clock));
        Assert.Equal(1, grid.SegmentOf(102_000, clock));       // 3.4 s exactly
        Assert.Equal(1800, grid.SegmentOf(42_000 + 3600L * 30_000, clock));
        Assert.Equal(1.4 + 2 * 7, grid.StartSeconds(7), 6);
    }

    [Fact]
    public void SegmentOf_ClockOfNtsc_IsExactForDays()
    {
        var grid = new SegmentGrid(0, 1_001_000);              // 30 frames of 1001/30000 s
        var clock = new Rational(1001, 30000);
        for (int day = 0; day < 3; day++)
        {
            int segment = day * 86_313;
            Assert.Equal(segment, grid.SegmentOf(30L * segment, clock));
            if (segment > 0) Assert.Equal(segment - 1, grid.SegmentOf(30L * segment - 1, clock));
        }
    }

    [Theory]
    [InlineData(null, 1)]       // not shared where nobody knows the length
    [InlineData(10.0, 1)]
    [InlineData(60.0, 1)]
    [InlineData(61.0, 2)]
    [InlineData(3600.0, 60)]
    public void BlockCount_Length_IsAMinuteEach(double? seconds, int blocks) => Assert.Equal(blocks, new SegmentGrid(0, 6_000_000).BlockCount(seconds));
}
