using RealtimeDeblur.Compute;
using RealtimeDeblur.Imaging;
using RealtimeDeblur.Networks;
using RealtimeDeblur.Restoration;
using RealtimeDeblur.Restoration.Methods;
using RealtimeDeblur.Tests.Reference;
using Xunit;

namespace RealtimeDeblur.Tests.Restoration.Methods;

public sealed class MaxPolRestorerTests
{
    public static TheoryData<int, int> Sizes => new() { { 1, 1 }, { 3, 5 }, { 17, 9 }, { 128, 16 }, { 200, 1 }, { 1, 70 }, { 641, 37 } };

    /// <summary>Both passes, the entropies and the gain.</summary>
    [Theory]
    [MemberData(nameof(Sizes))]
    public void Enqueue_FloatPlane_MatchesReference(int W, int H)
    {
        using ComputeDevice device = TestDevice.OpenOrSkip();
        using CommandQueue queue = device.CreateQueue();
        RestorationMethod method = RestorationMethod.Parse("maxpol:beta=1.9:gain=0.4");
        double[,] luma = new double[H, W];
        Random random = new(3);
        for (int y = 0; y < H; y++)
        for (int x = 0; x < W; x++)
            luma[y, x] = (float)(0.5 + 0.2 * Math.Sin(0.2 * x + 0.3 * y) + 0.2 * random.NextDouble());
        using IRestorer restorer = method.Filter!.Create(new(device, SampleLayout.Planar(C: 1, W, H), method.Parameters));
        using DeviceBuffer<float> frame = device.Allocate<float>([.. luma.Cast<double>().Select(value => (float)value)]), restored = device.Allocate<float>((long)W * H);
        long buffers = device.BuffersCreated;
        foreach (float sigma in (float[])[0, 0.7f, 1.6f, 4])
        {
            restorer.Enqueue(queue, frame, restored, new(sigma, IsAlone: true), DeblurOptions.Default).Dispose();
            double[,] expected = ReferenceMaxPol.Restore(luma, MaxPolDesign.Filter(restorer.NearestSigma(sigma), 1.9), 0.4);
            // A pixel on the border of two bins counts in one or the other: at most a few thousandths of the gain.
            TensorAssert.Close([.. expected.Cast<double>()], restored.ToArray(queue), relative: 0, absolute: 1e-3);
        }
        Assert.Equal(buffers, device.BuffersCreated);
    }

    [Theory]
    [InlineData(PixelFormat.Gray8, 1, 1)]
    [InlineData(PixelFormat.Gray8, 3, 5)]
    [InlineData(PixelFormat.Gray8, 641, 37)]
    [InlineData(PixelFormat.Yuv420P10, 3, 5)]
    [InlineData(PixelFormat.Yuv420P10, 641, 37)]
    [InlineData(PixelFormat.Rgb24, 1, 1)]
    [InlineData(PixelFormat.Rgb24, 641, 37)]
    public void Process_AnyFormat_EqualsReference(PixelFormat pixels, int W, int H)
    {
        using ComputeDevice device = TestDevice.OpenOrSkip();
        FrameFormat format = new(pixels, W, H);
        using Deblurrer deblurrer = new(device, RestorationMethod.Parse("maxpol"), format, new() { Sigma = SigmaSetting.Of(1.5f) });
        using Frame frame = RandomFrame(format), before = RandomFrame(format);
        double[,] luma = Working(frame), expected = ReferenceMaxPol.Restore(luma, MaxPolDesign.Filter(1.5, MaxPolDesign.DefaultShape), 0.5);
        deblurrer.Process(frame);
        Assert.Equal(1.5f, deblurrer.LastSigma);
        double codesPerUnit = format.IsRgb ? format.MaxValue * 255.0 / 219 : format.MaxValue;
        for (int y = 0; y < H; y++)
        for (int x = 0; x < W; x++)
        for (int s = 0; s < format.SamplesPerPixel; s++)
        {
            double exact = Math.Clamp(Code(before, x, y, s) + codesPerUnit * (expected[y, x] - luma[y, x]), 0, format.MaxValue);
            Assert.InRange(Code(frame, x, y, s), exact - 0.5 - format.MaxValue * 1e-3, exact + 0.5 + format.MaxValue * 1e-3);
        }
    }

    [Theory]
    [InlineData(PixelFormat.Gray8, 1, 1)]
    [InlineData(PixelFormat.Gray8, 3, 5)]
    [InlineData(PixelFormat.Rgb24, 641, 37)]
    public void Process_TooSmallForAnEstimate_LeavesTheFrame(PixelFormat pixels, int W, int H)
    {
        using ComputeDevice device = TestDevice.OpenOrSkip();
        FrameFormat format = new(pixels, W, H);
        using Deblurrer deblurrer = new(device, RestorationMethod.Parse("maxpol"), format);
        using Frame frame = RandomFrame(format), before = RandomFrame(format);
        deblurrer.Process(frame);
        Assert.Equal(before.Data, frame.Data);
    }

    [Fact]
    public void Process_EstimatedBlur_RestoresAndAllocatesNothing()
    {
        using ComputeDevice device = TestDevice.OpenOrSkip();
        FrameFormat format = new(PixelFormat.Gray8, 160, 128);
        using Deblurrer deblurrer = new(device, RestorationMethod.Parse("maxpol"), format);
        using Frame frame = Squares(format, sigma: 1.6), before = Squares(format, sigma: 1.6), sharp = Squares(format, sigma: 0);
        deblurrer.Process(frame);
        Assert.True(Error(frame, sharp) < 0.8 * Error(before, sharp), $"sigma {deblurrer.LastSigma}: squared error {Error(frame, sharp)}, blurred {Error(before, sharp)}");
        AllocationAssert.None(() => deblurrer.Process(frame));
    }

    internal static Frame RandomFrame(FrameFormat format)
    {
        Random random = new(7);
        Frame frame = new(format);
        for (int i = 0; i < frame.Data.Length; i += format.BytesPerSample)
        {
            int code = (int)((0.3 + 0.4 * random.NextDouble()) * format.MaxValue) * format.CodeStep;
            frame.Data[i] = (byte)code;
            if (format.BytesPerSample == 2) frame.Data[i + 1] = (byte)(code >> 8);
        }
        return frame;
    }

    /// <summary>Working values of luma, [H][W].</summary>
    internal static double[,] Working(Frame frame)
    {
        FrameFormat format = frame.Format;
        double max = format.MaxValue, black = 16 * (max + 1) / 256, span = 219 * (max + 1) / 256;
        double[,] luma = new double[format.Height, format.Width];
        for (int y = 0; y < format.Height; y++)
        for (int x = 0; x < format.Width; x++)
            luma[y, x] = format.IsRgb ? (16 + (65.481 * Code(frame, x, y, 0) + 128.553 * Code(frame, x, y, 1) + 24.966 * Code(frame, x, y, 2)) / max) / 255
                : format.Range == ColorRange.Full ? (black + span * Code(frame, x, y, 0) / max) / max : Code(frame, x, y, 0) / max;
        return luma;
    }

    private static double Code(Frame frame, int x, int y, int sample)
    {
        FrameFormat format = frame.Format;
        int at = y * format.Plane(0).StrideBytes + (x * format.SamplesPerPixel + sample) * format.BytesPerSample;
        Span<byte> plane = frame.PlaneData(0);
        return format.BytesPerSample == 2 ? (plane[at] | plane[at + 1] << 8) / (double)format.CodeStep : plane[at];
    }

    /// <summary>Squares of many sizes and greys, blurred.</summary>
    private static Frame Squares(FrameFormat format, double sigma)
    {
        Random random = new(11);
        double[,] luma = new double[format.Height, format.Width];
        for (int i = 0; i < 300; i++)
        {
            int side = (int)Math.Pow(2, 1 + 4 * random.NextDouble()), left = random.Next(format.Width), top = random.Next(format.Height);
            double grey = 40 + 170 * random.NextDouble();
            for (int y = top; y < Math.Min(top + side, format.Height); y++)
            for (int x = left; x < Math.Min(left + side, format.Width); x++)
                luma[y, x] = grey;
        }
        if (sigma > 0)
        {
            double[] psf = MaxPolDesign.GeneralizedGaussian(sigma, 2, 8);
            luma = ReferenceMaxPol.Columns(ReferenceMaxPol.Rows(luma, psf), psf);
        }
        Frame frame = new(format);
        for (int i = 0; i < luma.Length; i++) frame.Data[i] = (byte)Math.Round(luma[i / format.Width, i % format.Width]);
        return frame;
    }

    private static double Error(Frame a, Frame b)
    {
        double sum = 0;
        for (int i = 0; i < a.Data.Length; i++) sum += (a.Data[i] - b.Data[i]) * (a.Data[i] - b.Data[i]);
        return sum / a.Data.Length;
    }
}
