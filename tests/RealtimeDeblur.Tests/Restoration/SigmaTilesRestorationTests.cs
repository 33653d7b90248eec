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

    [Fact]
    public void Process_SigmaGrowsFromLeftToRight_IsADecibelBetterThanAnySingleSigma()
    {
        byte[] sharp = Scene(), blurred = Blurred(sharp);
        byte[] tiles = Varying(blurred, "fast");
        double best = 0;
        for (float sigma = 0.7f; sigma <= 3; sigma += 0.1f) best = Math.Max(best, Psnr(sharp, Restored(blurred, "fast", SigmaSetting.Of(sigma))));
        Assert.True(Psnr(sharp, tiles) >= best + 1, $"tiles {Psnr(sharp, tiles):0.00} dB, one sigma {best:0.00} dB, blurred {Psnr(sharp, blurred):0.00} dB, auto {Psnr(sharp, Restored(blurred, "fast", SigmaSetting.Auto)):0.00} dB");
    }

    private byte[] Varying(byte[] blurred, string model)
    {
        using VaryingNetwork network = new(_device, ModelCatalog.Load(model), new(PixelFormat.Gray8, W, H), null);
        using CommandQueue queue = _device.CreateQueue();
        using DeviceBuffer<byte> frame = _device.Allocate<byte>(blurred), restored = _device.Allocate<byte>(blurred.Length);
        network.Enqueue(queue, frame, restored, isAlone: true, new(), []).Dispose();
        return restored.ToArray(queue);
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
