using OpenCvSharp;
using RealtimeDeblur.Cli.Demo;
using RealtimeDeblur.Compute;
using RealtimeDeblur.Imaging;
using RealtimeDeblur.Networks;
using RealtimeDeblur.Restoration;
using RealtimeDeblur.Tests.Reference;
using Xunit;

namespace RealtimeDeblur.Tests.Restoration;

/// <summary>Blur that changes over the frame.</summary>
public sealed class SigmaTilesRestorationTests : IDisposable
{
    private const int W = 800, H = 400, Border = 8;
    private const double MildSigma = 0.7, WideSigma = 3;

    private readonly ComputeDevice _device = TestDevice.OpenOrSkip();

    public void Dispose() => _device.Dispose();

    [Theory]
    [InlineData("tiny")]
    [InlineData("fast")]
    public void Process_SigmaGrowsFromLeftToRight_IsADecibelBetterThanAnySingleSigma(string method)
    {
        byte[] sharp = Scene(), blurred = Blurred(sharp);
        byte[] tiles = Restored(blurred, method, SigmaSetting.Tiles);
        double best = 0;
        for (float sigma = 0.7f; sigma < 3.05f; sigma += 0.1f) best = Math.Max(best, Psnr(sharp, Restored(blurred, method, SigmaSetting.Of(sigma))));
        Assert.True(Psnr(sharp, tiles) >= best + 1, $"tiles {Psnr(sharp, tiles):0.00} dB, one sigma {best:0.00} dB, blurred {Psnr(sharp, blurred):0.00} dB, auto {Psnr(sharp, Restored(blurred, method, SigmaSetting.Auto)):0.00} dB");
    }

    [Fact]
    public void Process_HalfSharp_LeavesThatHalfAlone()
    {
        byte[] sharp = Scene(), blurred = Blurred(sharp), half = [.. sharp];
        for (int i = 0; i < half.Length; i++) if (i % W >= W / 2) half[i] = blurred[i];
        byte[] restored = Restored(half, "fast", SigmaSetting.Tiles);
        // The parts whose estimates reach over the border begin half a part before it.
        const int Alone = W / 2 - PartGrid.Side;
        for (int i = 0; i < half.Length; i++) if (i % W < Alone) Assert.Equal(half[i], restored[i]);
        Assert.True(Psnr(sharp, restored) > Psnr(sharp, half), $"{Psnr(sharp, restored):0.00} dB of {Psnr(sharp, half):0.00} dB");
    }

    [Fact]
    public void Process_EvenBlur_IsAsGoodAsOneSigmaAndHasNoSeams()
    {
        byte[] sharp = Scene();
        byte[] blurred = [.. ReferenceFilter.Blur([.. sharp.Select(code => (double)code)], W, H, 1.6).Select(value => (byte)Math.Round(value))];
        byte[] one = Restored(blurred, "fast", SigmaSetting.Auto), tiles = Restored(blurred, "fast", SigmaSetting.Tiles);
        Assert.True(Psnr(sharp, tiles) > Psnr(sharp, one) - 0.5, $"tiles {Psnr(sharp, tiles):0.00} dB, one {Psnr(sharp, one):0.00} dB");
        // Between the two there is a smooth difference in sigma, and no column where it jumps: as the tiles of the network end every 200 pixels or so, such a column would stand out.
        double[] jumps = [.. Enumerable.Range(1, W - 1).Select(x => Enumerable.Range(0, H).Average(y => Math.Abs(tiles[y * W + x] - one[y * W + x] - tiles[y * W + x - 1] + one[y * W + x - 1])))];
        Assert.True(jumps.Max() < 4 * jumps.Average() + 0.5, $"largest {jumps.Max():0.00}, mean {jumps.Average():0.00}");
    }

    [Fact]
    public void BlurMemory_GoneOnWith_RestoresTheSameFrames()
    {
        byte[] blurred = Blurred(Scene());
        FrameFormat format = new(PixelFormat.Gray8, W, H);
        DeblurOptions options = new() { Sigma = SigmaSetting.Tiles };
        using Deblurrer whole = new(_device, ModelCatalog.Load("tiny"), format, options), first = new(_device, ModelCatalog.Load("tiny"), format, options), second = new(_device, ModelCatalog.Load("tiny"), format, options);
        for (int i = 0; i < 3; i++) Assert.Equal(Follow(whole, blurred, shift: i), Follow(first, blurred, shift: i));
        // As at the end of a segment: saving waits for what is under way, here and in the run that is not interrupted.
        float[] saved = first.BlurMemory!;
        Assert.Equal(saved, whole.BlurMemory!);
        second.BlurMemory = saved;
        for (int i = 3; i < 8; i++) Assert.Equal(Follow(whole, blurred, shift: i), Follow(second, blurred, shift: i));
    }

    private static byte[] Follow(Deblurrer deblurrer, byte[] picture, int shift)
    {
        Frame frame = new(deblurrer.Format);
        for (int i = 0; i < picture.Length; i++) frame.Data[i] = picture[(i + shift * 7) % picture.Length];
        deblurrer.Submit(frame);
        using Frame restored = deblurrer.Collect();
        return restored.Data.ToArray();
    }

    private byte[] Restored(byte[] blurred, string method, SigmaSetting sigma)
    {
        using Deblurrer deblurrer = new(_device, RestorationMethod.Load(method), new(PixelFormat.Gray8, W, H), new() { Sigma = sigma });
        using Frame frame = new(deblurrer.Format);
        blurred.CopyTo(frame.Data);
        deblurrer.Process(frame);
        return frame.Data.ToArray();
    }

    /// <summary>Luma of a part of the demo's flight, full of detail.</summary>
    private static byte[] Scene()
    {
        byte[] bgr = new byte[DemoScene.Width * DemoScene.Height * 3];
        new DemoScene().Draw(number: 20, bgr);
        using Mat scene = Mat.FromPixelData(DemoScene.Height, DemoScene.Width, MatType.CV_8UC3, bgr);
        using Mat part = scene[new Rect(240, 260, W, H)].CvtColor(ColorConversionCodes.BGR2GRAY);
        byte[] luma = new byte[W * H];
        System.Runtime.InteropServices.Marshal.Copy(part.Data, luma, 0, luma.Length);
        return luma;
    }

    /// <summary>Every column blurred by a Gaussian of its own.</summary>
    private static byte[] Blurred(byte[] sharp)
    {
        byte[] blurred = new byte[sharp.Length];
        Parallel.For(0, W, x =>
        {
            double[] taps = ReferenceFilter.Gaussian(MildSigma + (WideSigma - MildSigma) * x / (W - 1));
            int radius = taps.Length / 2;
            double[] rows = new double[H];
            for (int y = 0; y < H; y++)
            for (int k = 0; k < taps.Length; k++) rows[y] += taps[k] * sharp[y * W + Math.Clamp(x + k - radius, 0, W - 1)];
            for (int y = 0; y < H; y++)
            {
                double sum = 0;
                for (int k = 0; k < taps.Length; k++) sum += taps[k] * rows[Math.Clamp(y + k - radius, 0, H - 1)];
                blurred[y * W + x] = (byte)Math.Round(sum);
            }
        });
        return blurred;
    }

    private static double Psnr(byte[] truth, byte[] picture)
    {
        double sum = 0;
        for (int y = Border; y < H - Border; y++)
        for (int x = Border; x < W - Border; x++) sum += Math.Pow(truth[y * W + x] - picture[y * W + x], 2);
        return 10 * Math.Log10(255 * 255 * (double)(W - 2 * Border) * (H - 2 * Border) / sum);
    }
}
