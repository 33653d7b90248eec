using RealtimeDeblur.Cli;
using Xunit;

namespace RealtimeDeblur.Tests.Cli;

public sealed class MediaTimeTests
{
    [Theory]
    [InlineData("90", 90)]
    [InlineData("0.5", 0.5)]
    [InlineData("10s", 10)]
    [InlineData("250ms", 0.25)]
    [InlineData("1.5m", 90)]
    [InlineData("2 min", 120)]
    [InlineData("2h", 7200)]
    [InlineData("1:30", 90)]
    [InlineData("0:01:30.25", 90.25)]
    [InlineData("100:00:00", 360000)]
    public void TryParse_Time_GivesSeconds(string text, double seconds)
    {
        Assert.True(MediaTime.TryParse(text, out TimeSpan time));
        Assert.Equal(seconds, time.TotalSeconds, 6);
    }

    [Theory]
    [InlineData("")]
    [InlineData("-1")]
    [InlineData("1:2:3:4")]
    [InlineData("soon")]
    [InlineData("1,5")]
    [InlineData("99999999999h")]
    [InlineData(null)]
    public void TryParse_NoTime_IsRefused(string? text) => Assert.False(MediaTime.TryParse(text, out _));
}
