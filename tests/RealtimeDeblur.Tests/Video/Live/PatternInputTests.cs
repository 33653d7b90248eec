using System.Diagnostics;
using OpenCvSharp;
using RealtimeDeblur.Imaging;
using RealtimeDeblur.Pipeline;
using RealtimeDeblur.Video.Live;
using Xunit;

namespace RealtimeDeblur.Tests.Video.Live;

/// <summary>The test pattern is the blurred form of a known picture, in real time.</summary>
public sealed class PatternInputTests
{
    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    [Theory]
    [InlineData(640, 480, 1.6, 0)]
    [InlineData(640, 480, 3.0, 427)]      // the strips have wrapped around
    [InlineData(481, 361, 1.0, 75)]
    public void Draw_WithSigma_IsTheSharpPictureBlurred(int width, int height, double sigma, long number)
    {
        byte[] blurred = Draw(width, height, sigma, number);
        byte[] expected = Draw(width, height, 0, number, TestPattern.MarginFor(sigma));
        int reach = (int)Math.Ceiling(4 * sigma), side = 2 * reach + 1;
        using Mat picture = Mat.FromPixelData(height, width, MatType.CV_8UC3, expected);
        Cv2.GaussianBlur(picture, picture, new Size(side, side), sigma);
        int worst = 0;
        for (int y = 0; y < height; y++)
        {
            // At the sides what passes outside the picture blurs into it.
            for (int i = (y * width + reach) * 3; i < ((y + 1) * width - reach) * 3; i++) worst = Math.Max(worst, Math.Abs(expected[i] - blurred[i]));
        }
        Assert.InRange(worst, 0, 1);
    }

    [Fact]
    public void Draw_SameNumber_IsTheSamePicture() => Assert.Equal(Draw(320, 240, 1.6, 12), Draw(320, 240, 1.6, 12));

    [Fact]
    public void Draw_NextNumber_Moves() => Assert.NotEqual(Draw(320, 240, 1.6, 12), Draw(320, 240, 1.6, 13));

    [Theory]
    [InlineData(1, 1)]
    [InlineData(3, 200)]
    [InlineData(200, 3)]
    [InlineData(65, 47)]
    [InlineData(1920, 1080)]
    public void Draw_AnySize_Works(int width, int height) => Assert.Equal(width * height * 3, Draw(width, height, 2, 5).Length);

    [Fact]
    public void TryRead_InRealTime_KeepsTheRate()
    {
        using IFrameSource source = new PatternInput(64, 48, framesPerSecond: 50).Open(Cancellation);
        long begin = Stopwatch.GetTimestamp(), last = -1;
        for (int i = 0; i < 25; i++)
        {
            Assert.True(source.TryRead(out Frame? frame));
            using Frame owned = frame;
            Assert.InRange(frame.Timestamp, last + 1, 20_000_000);
            last = frame.Timestamp;
        }
        Assert.InRange(Stopwatch.GetElapsedTime(begin).TotalSeconds, 0.4, 10);
    }

    [Fact]
    public void TryRead_SlowReader_LeavesFramesOut()
    {
        using IFrameSource source = new PatternInput(64, 48, framesPerSecond: 100).Open(Cancellation);
        Assert.True(source.TryRead(out Frame? frame));
        frame.Dispose();
        Thread.Sleep(300);
        long begin = Stopwatch.GetTimestamp();
        Assert.True(source.TryRead(out frame));
        // At once, and of now.
        Assert.InRange(frame.Timestamp, 290_000, 20_000_000);
        frame.Dispose();
        Assert.True(source.TryRead(out frame));
        frame.Dispose();
        Assert.InRange(Stopwatch.GetElapsedTime(begin).TotalSeconds, 0, 10);
    }

    [Fact]
    public void StopReading_WhileWaiting_WakesTheReader()
    {
        using IFrameSource source = new PatternInput(64, 48, framesPerSecond: 0.01).Open(Cancellation);
        Assert.True(source.TryRead(out Frame? frame));
        frame.Dispose();
        using var stopping = new Timer(_ => source.StopReading(), null, 200, Timeout.Infinite);
        Assert.False(source.TryRead(out _));
    }

    private static byte[] Draw(int width, int height, double sigma, long number, int? margin = null)
    {
        var pattern = new TestPattern(width, height, sigma, margin);
        byte[] bgr = new byte[pattern.Format.SizeBytes];
        pattern.Draw(number, number * 33, bgr);
        return bgr;
    }
}
