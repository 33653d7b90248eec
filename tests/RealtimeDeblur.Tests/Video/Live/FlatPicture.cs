using OpenCvSharp;
using RealtimeDeblur.Imaging;
using Xunit;

namespace RealtimeDeblur.Tests.Video.Live;

/// <summary>Pictures of one colour, which every conversion on the way should leave alone.</summary>
internal static class FlatPicture
{
    public const byte B = 60, G = 120, R = 180;

    /// <summary>A frame captured a number of microseconds after some moment.</summary>
    public static Frame Frame(int width, int height, long microseconds = 0)
    {
        var frame = new Frame(new FrameFormat(PixelFormat.Bgr24, width, height, ColorRange.Full));
        for (int i = 0; i < frame.Data.Length; i += 3) (frame.Data[i], frame.Data[i + 1], frame.Data[i + 2]) = (B, G, R);
        frame.CapturedAt = microseconds * (System.Diagnostics.Stopwatch.Frequency / 1_000_000);
        return frame;
    }

    public static byte[] Jpeg(int width, int height)
    {
        using var picture = new Mat(height, width, MatType.CV_8UC3, new Scalar(B, G, R));
        Cv2.ImEncode(".jpg", picture, out byte[] jpeg);
        return jpeg;
    }

    /// <summary>Asserts the size and that every pixel has the colour.</summary>
    public static void Check(Frame frame, int width, int height, int tolerance)
    {
        Assert.Equal(new FrameFormat(PixelFormat.Bgr24, width, height, ColorRange.Full), frame.Format);
        CheckPixels(frame.Data, tolerance);
    }

    public static void CheckPixels(ReadOnlySpan<byte> bgr, int tolerance)
    {
        for (int i = 0; i < bgr.Length; i += 3)
        {
            if (Math.Abs(bgr[i] - B) > tolerance || Math.Abs(bgr[i + 1] - G) > tolerance || Math.Abs(bgr[i + 2] - R) > tolerance)
                Assert.Fail($"Pixel {i / 3} is B {bgr[i]} G {bgr[i + 1]} R {bgr[i + 2]}, not {B} {G} {R} within {tolerance}.");
        }
    }
}
