using OpenCvSharp;

namespace RealtimeDeblur.Training.Evaluation;

/// <summary>
/// Pictures whose left half is sharp and whose right half is blurred, as where only the background is out of focus: what is restored must leave the one alone and help the other. Between the halves the
/// sharp picture turns into the blurred one, linearly over <see cref="FadeColumns"/> columns, which are not measured, nor is what the <see cref="ImageQuality.Border"/> cuts off.
/// </summary>
internal static class HalfBlurred
{
    public const int FadeColumns = 16;

    /// <summary>Columns of the narrowest picture: eight remain to be measured of either half.</summary>
    public const int MinimumWidth = 2 * (ImageQuality.Border + 8) + FadeColumns;

    /// <summary>Share of the blurred picture in a column: 0 left of the fade, 1 right of it.</summary>
    public static double BlurredShare(int x, int W) => Math.Clamp((x + 0.5 - (W / 2 - FadeColumns / 2)) / FadeColumns, 0, 1);

    /// <summary>Rounded to 8 bits where they mix.</summary>
    public static LumaPlane Join(LumaPlane sharp, LumaPlane blurred)
    {
        var joined = new byte[sharp.Samples.Length];
        Join(sharp.Samples, blurred.Samples, joined, sharp.W, C: 1);
        return new(joined, sharp.W, sharp.H);
    }

    /// <summary>Of pictures with B, G, R. The caller disposes the result.</summary>
    public static unsafe Mat Join(Mat sharp, Mat blurred)
    {
        const int C = 3;
        Mat joined = new(sharp.Size(), MatType.CV_8UC3);
        (int W, int H) = (sharp.Width, sharp.Height);
        for (int y = 0; y < H; y++) Join(new((void*)sharp.Ptr(y), W * C), new((void*)blurred.Ptr(y), W * C), new((void*)joined.Ptr(y), W * C), W, C);
        return joined;
    }

    /// <summary>PSNR of the sharp half in dB.</summary>
    public static double SharpPsnr(LumaPlane truth, LumaPlane restored) => ImageQuality.Psnr(truth, restored, ImageQuality.Border, FadeStart(truth.W));

    /// <summary>PSNR of the blurred half in dB.</summary>
    public static double BlurredPsnr(LumaPlane truth, LumaPlane restored) => ImageQuality.Psnr(truth, restored, FadeStart(truth.W) + FadeColumns, truth.W - ImageQuality.Border);

    private static int FadeStart(int W) => W / 2 - FadeColumns / 2;

    private static void Join(ReadOnlySpan<byte> sharp, ReadOnlySpan<byte> blurred, Span<byte> joined, int W, int C)
    {
        for (int i = 0; i < joined.Length; i++) joined[i] = (byte)Math.Round(sharp[i] + BlurredShare(i / C % W, W) * (blurred[i] - sharp[i]));
    }
}
