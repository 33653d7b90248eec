using OpenCvSharp;
using RealtimeDeblur.Cli.Demo;
using RealtimeDeblur.Compute;
using RealtimeDeblur.Imaging;
using RealtimeDeblur.Restoration;
using RealtimeDeblur.Tests.Reference;
using Xunit;

namespace RealtimeDeblur.Tests.Restoration.Methods;

/// <summary>Every filter of the catalog as users meet it, through a <see cref="Deblurrer"/>; and those that iterate or mask against their formulas.</summary>
public sealed class FilterTests : IDisposable
{
    private const float Sigma = 1.6f;

    // Largest difference in codes between a golden picture and what comes out, and PSNR in dB: other devices round sums differently.
    private const int GoldenCodes = 2;
    private const double GoldenPsnr = 50;

    private readonly ComputeDevice _device = TestDevice.OpenOrSkip();

    public static TheoryData<string> Filters => [.. RestorationMethod.Filters.Select(filter => filter.Name)];

    public static TheoryData<string, PixelFormat> FiltersAndFormats =>
        new MatrixTheoryData<string, PixelFormat>(RestorationMethod.Filters.Select(filter => filter.Name), [PixelFormat.Gray8, PixelFormat.Yuv420P10, PixelFormat.Nv12, PixelFormat.Rgb24, PixelFormat.Bgra32]);

    private static readonly Rect GoldenPart = new(230, 110, 192, 144);

    private static bool IsWritingGolden => Environment.GetEnvironmentVariable("DEBLUR_WRITE_GOLDEN") == "1";

    public void Dispose() => _device.Dispose();

    [Theory]
    [MemberData(nameof(Filters))]
    public void Process_BlurredPicture_IsTheGoldenOne(string filter)
    {
        string folder = GoldenFolder();
        if (IsWritingGolden) WriteSharp(Path.Combine(folder, "sharp.png"));
        using Mat sharp = Cv2.ImRead(Path.Combine(folder, "sharp.png"), ImreadModes.Grayscale);
        byte[] truth = Samples(sharp), blurred = Blurred(truth, sharp.Width, sharp.Height, Sigma);
        byte[] restored = Restore(filter, blurred, sharp.Width, sharp.Height, Sigma);

        string file = Path.Combine(folder, $"{filter}.png");
        if (IsWritingGolden)
        {
            using Mat picture = Mat.FromPixelData(sharp.Height, sharp.Width, MatType.CV_8UC1, restored);
            Cv2.ImWrite(file, picture);
        }
        Assert.True(Psnr(restored, truth) > Psnr(blurred, truth) + 1, $"{filter}: {Psnr(restored, truth):0.00} dB, blurred {Psnr(blurred, truth):0.00} dB");
        using Mat golden = Cv2.ImRead(file, ImreadModes.Grayscale);
        byte[] expected = Samples(golden);
        Assert.True(Psnr(restored, expected) >= GoldenPsnr, $"{filter}: {Psnr(restored, expected):0.0} dB from the golden picture");
        for (int i = 0; i < expected.Length; i++) Assert.InRange(restored[i], expected[i] - GoldenCodes, expected[i] + GoldenCodes);
    }

    [Theory]
    [MemberData(nameof(FiltersAndFormats))]
    public void Process_AnyFormatAndSize_KeepsFlatFramesAndStrengthZero(string filter, PixelFormat pixels)
    {
        foreach ((int W, int H) in new[] { (1, 1), (3, 5), (641, 37) })
        {
            FrameFormat format = new(pixels, W, H);
            using Deblurrer deblurrer = new(_device, RestorationMethod.Parse(filter), format, new() { Sigma = SigmaSetting.Of(Sigma) });
            using Frame flat = new(format);
            flat.Data.Fill(1);
            byte[] before = flat.Data.ToArray();
            deblurrer.Process(flat);
            Assert.Equal(before, flat.Data);

            using Frame noise = new(format);
            // 10 bits leave the upper ones free.
            for (int i = 0; i < noise.Data.Length; i++) noise.Data[i] = (byte)(format.BitDepth > 8 && i % 2 == 1 ? i / 2 % 4 : i * 37 + i / 11);
            before = noise.Data.ToArray();
            deblurrer.Options = deblurrer.Options with { Strength = 0 };
            deblurrer.Process(noise);
            Assert.Equal(before, noise.Data);
        }
    }

    [Theory]
    [MemberData(nameof(Filters))]
    public void Process_EveryOtherFrame_AllocatesNothing(string filter)
    {
        using Deblurrer deblurrer = new(_device, RestorationMethod.Parse(filter), new(PixelFormat.Gray8, 96, 64));
        using Frame frame = new(deblurrer.Format);
        for (int i = 0; i < frame.Data.Length; i++) frame.Data[i] = (byte)(128 + 60 * Math.Sin(i % 96 * 0.2) * Math.Cos(i / 96 * 0.15));
        for (int i = 0; i < 3; i++) deblurrer.Process(frame);
        AllocationAssert.None(() => deblurrer.Process(frame));
    }

    [Theory]
    [MemberData(nameof(Filters))]
    public void Process_WithEveryEstimate_RestoresWithIt(string filter)
    {
        foreach (SigmaSource source in Enum.GetValues<SigmaSource>())
        {
            using Mat sharp = Cv2.ImRead(Path.Combine(GoldenFolder(), "sharp.png"), ImreadModes.Grayscale);
            byte[] truth = Samples(sharp), blurred = Blurred(truth, sharp.Width, sharp.Height, Sigma);
            FrameFormat format = new(PixelFormat.Gray8, sharp.Width, sharp.Height);
            using Deblurrer deblurrer = new(_device, RestorationMethod.Parse(filter), format, new() { SigmaFrom = source });
            using Frame frame = new(format);
            blurred.CopyTo(frame.Data);
            deblurrer.Process(frame);
            Assert.InRange(deblurrer.LastSigma!.Value, 0.7f, 3.5f);
            Assert.False(frame.Data.SequenceEqual(blurred));
        }
    }

    [Theory]
    [InlineData("unsharp:amount=1.5", 0)]
    [InlineData("van-cittert:iterations=4", 24)]
    [InlineData("landweber:iterations=30", 40)]
    [InlineData("richardson-lucy:iterations=6", 0)]
    public void Process_Formula_IsFollowed(string method, int border)
    {
        const int W = 131, H = 117;
        var random = new Random(5);
        byte[] noise = [.. Enumerable.Range(0, W * H).Select(_ => (byte)random.Next(60, 190))];
        double[] plane = ReferenceFilter.Blur([.. noise.Select(code => code / 255.0)], W, H, 0.8);
        byte[] blurred = [.. plane.Select(value => (byte)Math.Round(255 * value))];
        double[] y = [.. blurred.Select(code => code / 255.0)];
        double[] expected = method.Split(':')[0] switch
        {
            "unsharp" => ReferenceFilter.Unsharp(y, W, H, 1.25, 1.5),
            "van-cittert" => ReferenceFilter.VanCittert(y, W, H, 1.25, 4),
            "landweber" => ReferenceFilter.Landweber(y, W, H, 1.25, 30),
            _ => ReferenceFilter.RichardsonLucy(y, W, H, 1.25, 6),
        };
        byte[] restored = Restore(method, blurred, W, H, 1.25f);
        // One FIR replicates the border once, iterations at every step: what differs lies near the border.
        for (int row = border; row < H - border; row++)
        for (int x = border; x < W - border; x++)
        {
            int i = row * W + x;
            Assert.InRange(restored[i] - Math.Clamp(255 * expected[i], 0, 255), -1.25, 1.25);
        }
    }

    private byte[] Restore(string method, byte[] blurred, int W, int H, float sigma)
    {
        FrameFormat format = new(PixelFormat.Gray8, W, H);
        using Deblurrer deblurrer = new(_device, RestorationMethod.Parse(method), format, new() { Sigma = SigmaSetting.Of(sigma) });
        using Frame frame = new(format);
        blurred.CopyTo(frame.Data);
        deblurrer.Process(frame);
        return frame.Data.ToArray();
    }

    /// <summary>A balloon before the hills: a part of a frame of <c>deblur demo</c>.</summary>
    private static void WriteSharp(string file)
    {
        byte[] bgr = new byte[DemoScene.Width * DemoScene.Height * 3];
        new DemoScene().Draw(number: 20, bgr);
        using Mat scene = Mat.FromPixelData(DemoScene.Height, DemoScene.Width, MatType.CV_8UC3, bgr);
        using Mat luma = scene[GoldenPart].CvtColor(ColorConversionCodes.BGR2GRAY);
        Cv2.ImWrite(file, luma);
    }

    /// <summary>The pictures in the source tree, all made by <c>DEBLUR_WRITE_GOLDEN=1 ./test -class '*FilterTests'</c>.</summary>
    private static string GoldenFolder([System.Runtime.CompilerServices.CallerFilePath] string here = "") => Path.GetFullPath(Path.Combine(Path.GetDirectoryName(here)!, "..", "..", "Golden"));

    private static byte[] Blurred(byte[] samples, int W, int H, double sigma) =>
        [.. ReferenceFilter.Blur([.. samples.Select(code => (double)code)], W, H, sigma).Select(value => (byte)Math.Round(value))];

    private static byte[] Samples(Mat picture)
    {
        Assert.False(picture.Empty(), "There is no golden picture: DEBLUR_WRITE_GOLDEN=1 writes it.");
        byte[] samples = new byte[picture.Width * picture.Height];
        System.Runtime.InteropServices.Marshal.Copy(picture.Data, samples, 0, samples.Length);
        return samples;
    }

    private static double Psnr(byte[] a, byte[] b) => 10 * Math.Log10(255 * 255 / Math.Max(1e-9, a.Zip(b, (p, q) => Math.Pow(p - q, 2)).Average()));
}
