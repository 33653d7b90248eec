using RealtimeDeblur.Training.Evaluation;
using Xunit;

namespace RealtimeDeblur.Tests.Training.Evaluation;

public sealed class ImageQualityTests
{
    [Theory]
    [InlineData(0, 0, 0, 16)]
    [InlineData(255, 255, 255, 235)]
    [InlineData(255, 0, 0, 81)]      // 16 + 65.481
    [InlineData(0, 255, 0, 145)]     // 16 + 128.553
    [InlineData(0, 0, 255, 41)]      // 16 + 24.966
    [InlineData(128, 128, 128, 126)] // 16 + 219 * 128/255 = 125.93
    public void LumaOf_KnownColours_AreLimitedRange(byte r, byte g, byte b, byte luma) => Assert.Equal(luma, LumaPlane.Of(r, g, b));

    [Fact]
    public void Psnr_OneLevelEverywhere_Is48Point13() => Assert.Equal(20 * Math.Log10(255), ImageQuality.Psnr(Flat(20, 20, 100), Flat(20, 20, 101), 20, 20, border: 0), 10);

    [Fact]
    public void Psnr_OneSampleOff_IsWorkedOutByHand()
    {
        byte[] plane = Flat(20, 18, 100);
        plane[9 * 20 + 9] = 110;
        // 100 over the 4 x 2 samples that the cut of 8 leaves.
        Assert.Equal(10 * Math.Log10(255 * 255 / (100 / 8.0)), ImageQuality.Psnr(Flat(20, 18, 100), plane, 20, 18), 10);
    }

    [Fact]
    public void PsnrAndSsim_DifferenceInTheBorderOnly_DoesNotCount()
    {
        byte[] truth = Noise(40, 34, seed: 1);
        byte[] plane = [.. truth];
        for (int y = 0; y < 34; y++)
        {
            for (int x = 0; x < 40; x++)
            {
                if (y < 8 || y >= 34 - 8 || x < 8 || x >= 40 - 8) plane[y * 40 + x] ^= 0xFF;
            }
        }
        Assert.Equal(78.13, ImageQuality.Psnr(truth, plane, 40, 34), 2);
        Assert.Equal(1, ImageQuality.Ssim(truth, plane, 40, 34), 12);
        Assert.True(ImageQuality.Psnr(truth, plane, 40, 34, border: 7) < 30);
        Assert.True(ImageQuality.Ssim(truth, plane, 40, 34, border: 0) < 0.9);
    }

    [Fact]
    public void Ssim_FlatPlanes_ComparesTheirBrightness()
    {
        const double C1 = 6.5025;
        double expected = (2.0 * 100 * 120 + C1) / (100.0 * 100 + 120.0 * 120 + C1);
        Assert.Equal(expected, ImageQuality.Ssim(Flat(30, 30, 100), Flat(30, 30, 120), 30, 30), 9);
    }

    [Theory]
    [InlineData(11, 11, 0)]
    [InlineData(27, 27, 8)]
    [InlineData(33, 18, 3)]
    [InlineData(19, 40, 0)]
    public void Ssim_AnySize_MatchesNestedLoops(int W, int H, int border)
    {
        byte[] truth = Noise(W, H, seed: 3);
        byte[] plane = [.. truth.Select((sample, i) => (byte)Math.Clamp(sample * 3 / 4 + i % 7 * 9, 0, 255))];
        Assert.Equal(ReferenceSsim(truth, plane, W, H, border), ImageQuality.Ssim(truth, plane, W, H, border), 10);
    }

    [Fact]
    public void PsnrAndSsim_TooSmallForTheCut_Throw()
    {
        byte[] plane = Flat(26, 26, 1);
        Assert.Throws<ArgumentOutOfRangeException>(() => ImageQuality.Ssim(plane, plane, 26, 26));
        Assert.Throws<ArgumentOutOfRangeException>(() => ImageQuality.Psnr(Flat(16, 16, 1), Flat(16, 16, 1), 16, 16));
        Assert.Throws<ArgumentException>(() => ImageQuality.Psnr(plane, Flat(26, 27, 1), 26, 26));
    }

    /// <summary>
    /// SSIM = mean over window positions of (2 ma mb + C1)(2 cab + C2) / ((ma^2 + mb^2 + C1)(va + vb + C2)), with weights w(i, j) ~ exp(-(i^2 + j^2) / (2 * 1.5^2)) over 11 x 11.
    /// </summary>
    private static double ReferenceSsim(byte[] a, byte[] b, int W, int H, int border)
    {
        const double C1 = 6.5025, C2 = 58.5225;
        double weights = 0;
        for (int j = -5; j <= 5; j++)
        {
            for (int i = -5; i <= 5; i++) weights += Math.Exp(-(i * i + j * j) / 4.5);
        }
        double total = 0;
        int positions = 0;
        for (int y = border + 5; y < H - border - 5; y++)
        {
            for (int x = border + 5; x < W - border - 5; x++)
            {
                double meanA = 0, meanB = 0, varianceA = 0, varianceB = 0, covariance = 0;
                for (int j = -5; j <= 5; j++)
                {
                    for (int i = -5; i <= 5; i++)
                    {
                        double w = Math.Exp(-(i * i + j * j) / 4.5) / weights;
                        meanA += w * a[(y + j) * W + x + i];
                        meanB += w * b[(y + j) * W + x + i];
                    }
                }
                for (int j = -5; j <= 5; j++)
                {
                    for (int i = -5; i <= 5; i++)
                    {
                        double w = Math.Exp(-(i * i + j * j) / 4.5) / weights;
                        double da = a[(y + j) * W + x + i] - meanA;
                        double db = b[(y + j) * W + x + i] - meanB;
                        varianceA += w * da * da;
                        varianceB += w * db * db;
                        covariance += w * da * db;
                    }
                }
                total += (2 * meanA * meanB + C1) * (2 * covariance + C2) / ((meanA * meanA + meanB * meanB + C1) * (varianceA + varianceB + C2));
                positions++;
            }
        }
        return total / positions;
    }

    private static byte[] Flat(int W, int H, byte value)
    {
        var plane = new byte[W * H];
        Array.Fill(plane, value);
        return plane;
    }

    private static byte[] Noise(int W, int H, int seed)
    {
        var plane = new byte[W * H];
        new Random(seed).NextBytes(plane);
        return plane;
    }
}
