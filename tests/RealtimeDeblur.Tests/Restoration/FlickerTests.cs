using RealtimeDeblur.Compute;
using RealtimeDeblur.Imaging;
using RealtimeDeblur.Networks;
using RealtimeDeblur.Restoration;
using RealtimeDeblur.Tests.Training.Data;
using OpenCvSharp;
using Xunit;

namespace RealtimeDeblur.Tests.Restoration;

/// <summary>What ships for real video, on a still scene: neither the estimate nor the picture may flicker.</summary>
public sealed class FlickerTests
{
    private const int W = 192, H = 128, FrameCount = 24;

    /// <summary>Deviation of the noise, independent from frame to frame, in code values.</summary>
    private const double Noise = 2;

    [Fact]
    public void SubmitAndCollect_StillNoisyClip_ShimmersHardlyMoreThanItsNoise()
    {
        using ComputeDevice device = TestDevice.OpenOrSkip();
        FrameFormat format = new(PixelFormat.Gray8, W, H, ColorRange.Limited);
        using Deblurrer deblurrer = new(device, ModelCatalog.Load("fast-camera"), format);
        byte[] scene = Scene();
        var random = new Random(1);
        List<byte[]> given = [], restored = [];
        List<float> sigmas = [];
        for (int i = 0; i < FrameCount; i++)
        {
            Frame frame = new(format);
            for (int j = 0; j < scene.Length; j++) frame.Data[j] = (byte)Math.Clamp(Math.Round(scene[j] + Noise * Gaussian(random)), 0, 255);
            given.Add(frame.Data.ToArray());
            deblurrer.Submit(frame);
            if (deblurrer.InFlight == Deblurrer.MaxInFlight) Collect();
        }
        while (deblurrer.InFlight > 0) Collect();

        // The first second aside, in which the estimate settles.
        float[] settled = [.. sigmas.Skip(FrameCount / 2)];
        Assert.InRange(settled.Average(), 0.9f, 2.5f);
        Assert.True(settled.Max() - settled.Min() < 0.05f * settled.Average(), $"The estimate moves from {settled.Min()} to {settled.Max()} on a still scene.");
        double before = Variance([.. given.Skip(FrameCount / 2)]), after = Variance([.. restored.Skip(FrameCount / 2)]);
        Assert.InRange(before, 3, 5);
        // Unsharp masking of this radius and amount 1 would multiply it by 2^2 - 4 g(0) + sum of g^2 = 3.8.
        Assert.True(after <= 1.2 * before, $"The variance over time grew from {before:f2} to {after:f2}.");

        void Collect()
        {
            using Frame frame = deblurrer.Collect();
            restored.Add(frame.Data.ToArray());
            sigmas.Add(deblurrer.LastSigma ?? 0);
        }
    }

    /// <summary>Mean over all pixels of the variance over the frames.</summary>
    private static double Variance(byte[][] frames)
    {
        double sum = 0;
        for (int i = 0; i < frames[0].Length; i++)
        {
            double mean = frames.Average(frame => frame[i]);
            sum += frames.Sum(frame => (frame[i] - mean) * (frame[i] - mean)) / (frames.Length - 1);
        }
        return sum / frames[0].Length;
    }

    /// <summary>Edges, gradients, print and texture, blurred with a Gaussian of sigma 1.6.</summary>
    private static byte[] Scene()
    {
        using Mat colour = TestPictures.Draw(W, H, seed: 7);
        using Mat luma = new(), soft = new();
        Cv2.CvtColor(colour, luma, ColorConversionCodes.BGR2GRAY);
        luma.ConvertTo(soft, MatType.CV_32F, 0.7, 40);
        Cv2.GaussianBlur(soft, soft, new Size(15, 15), 1.6);
        soft.ConvertTo(luma, MatType.CV_8U);
        luma.GetArray(out byte[] codes);
        return codes;
    }

    private static double Gaussian(Random random) => Math.Sqrt(-2 * Math.Log(1 - random.NextDouble())) * Math.Cos(2 * Math.PI * random.NextDouble());
}
