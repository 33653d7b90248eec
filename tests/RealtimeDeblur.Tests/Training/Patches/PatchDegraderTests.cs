using OpenCvSharp;
using RealtimeDeblur.Compute;
using RealtimeDeblur.Networks;
using RealtimeDeblur.Tests.Networks;
using RealtimeDeblur.Tests.Reference;
using RealtimeDeblur.Tests.Training.Data;
using RealtimeDeblur.Tests.Training.Layers;
using RealtimeDeblur.Training.Data;
using RealtimeDeblur.Training.Evaluation;
using RealtimeDeblur.Training.Layers;
using RealtimeDeblur.Training.Patches;
using Xunit;

namespace RealtimeDeblur.Tests.Training.Patches;

/// <summary>Patches made on the device against plain loops over the same picture.</summary>
public sealed class PatchDegraderTests
{
    private const int Size = 36, Pad = 6, Outer = Size + 2 * Pad, Width = 70, Height = 53, Left = -4, Top = 9;
    private const float MaxSigma = 3;

    /// <summary>How work is divided: both ways run on any device.</summary>
    public enum Division
    {
        Cpu,
        Gpu,
    }

    [Theory]
    [InlineData(Division.Cpu, 1, 1, 0f, 0)]
    [InlineData(Division.Cpu, 1, 2, 0.5f, 1)]
    [InlineData(Division.Cpu, 1, 1, 1.6f, 6)]
    [InlineData(Division.Cpu, 3, 1, 3f, 3)]
    [InlineData(Division.Cpu, 3, 2, 2f, 4)]
    [InlineData(Division.Gpu, 1, 1, 3f, 5)]
    [InlineData(Division.Gpu, 3, 2, 1.6f, 2)]
    public void Enqueue_Gaussian_BlursTurnsAndRounds(Division division, int C, int scale, float sigma, int orientation)
    {
        byte[] picture = Picture(C);
        // The input reaches past the picture on the left and below, where it mirrors.
        PatchPlan plan = PatchSampler.Plan(new(0, Width, Height), Left, Top, orientation, new(sigma), 1, 1);
        (Tensor blurred, Tensor sharp) = Degrade(division, C, scale, picture, [plan], DegradationKind.Gaussian);
        AssertBlurred(picture, plan, blurred, 0);
        for (int c = 0; c < C; c++)
        for (int y = 0; y < Size; y++)
        for (int x = 0; x < Size; x++)
            Assert.Equal(At(picture, c, orientation, y + Pad, x + Pad), sharp[0, c, y, x] * 255, 1e-3);
    }

    [Theory]
    [InlineData(Division.Cpu, 1)]
    [InlineData(Division.Gpu, 3)]
    public void Enqueue_ShapesInOneBatch_BlurEachPatchByItsOwn(Division division, int C)
    {
        byte[] picture = Picture(C);
        Degradation[] blurs =
        [
            new(1.5f), new(1.5f) { Shape = BlurShape.Disc }, new(0), new(0.25f) { Shape = BlurShape.Disc }, new(1.1f) { Shape = BlurShape.Disc },
            new(2) { Shape = BlurShape.Anisotropic(2, 0.5f) }, new(3) { Shape = BlurShape.Anisotropic(1.3f, 2.2f) }, new(0) { Shape = BlurShape.Anisotropic(2, 1) },
        ];
        PatchPlan[] plans = [.. blurs.Select((blur, i) => PatchSampler.Plan(new(0, Width, Height), Left, Top, i, blur, i, 1))];
        (Tensor blurred, _) = Degrade(division, C, 1, picture, plans, DegradationKind.Gaussian);
        for (int n = 0; n < plans.Length; n++) AssertBlurred(picture, plans[n], blurred, n);
    }

    [Fact]
    public void Shapes_OfOneSigma_HaveTheVarianceOfItsGaussian()
    {
        // The mean of the variances along the two axes; for the ellipse of ratio 2 that is (2 + 1/2)/2 of the square of the geometric mean. The disc's edge adds 0.1, and pixels make it coarse.
        foreach (float sigma in (float[])[1, 1.5f])
        {
            Assert.Equal(sigma * sigma, Variance(new(sigma)), 0.01 * sigma * sigma);
            Assert.Equal(sigma * sigma + 0.1, Variance(new(sigma) { Shape = BlurShape.Disc }), 0.08 * sigma * sigma);
            Assert.Equal(1.25 * sigma * sigma, Variance(new(sigma) { Shape = BlurShape.Anisotropic(2, 0.5f) }), 0.05 * sigma * sigma);
        }

        static double Variance(Degradation degradation)
        {
            double[,] psf = ReferenceDegradation.Psf(degradation);
            int reach = psf.GetLength(0) / 2;
            double sum = 0;
            for (int y = -reach; y <= reach; y++)
            for (int x = -reach; x <= reach; x++)
                sum += psf[y + reach, x + reach] * (x * x + y * y) / 2;
            return sum;
        }
    }

    [Fact]
    public void Enqueue_CameraWithoutNoiseAndCodec_BlursInLinearLight()
    {
        // Left half black, right half white: half the light is code value 188 of sRGB, not 128. In luma, 16 + 219 * 0.735.
        byte[] picture = new byte[Width * Height];
        for (int i = 0; i < picture.Length; i++) picture[i] = i % Width < Width / 2 ? (byte)16 : (byte)235;
        Degradation camera = new(2f) { LinearLight = true };
        (Tensor blurred, _) = Degrade(Division.Cpu, 1, 1, picture, [PatchSampler.Plan(new(0, Width, Height), 10, 2, 0, camera, 1, 1)], DegradationKind.Camera);
        double edge = (blurred[0, 0, 20, Width / 2 - 1 - 10] + blurred[0, 0, 20, Width / 2 - 10]) / 2 * 255;
        Assert.Equal(16 + 219 * 0.735, edge, 3.0);
        Assert.Equal(16, blurred[0, 0, 20, 0] * 255, 0.01);
        Assert.Equal(235, blurred[0, 0, 20, Outer - 1] * 255, 0.01);
    }

    [Theory]
    [InlineData(Division.Cpu, 1, 0f)]
    [InlineData(Division.Cpu, 1, 0.4f)]
    [InlineData(Division.Gpu, 3, 0.25f)]
    public void Enqueue_CameraNoise_HasTheStatedDeviationAndCorrelationAndRepeats(Division division, int C, float correlation)
    {
        // Mid-grey.
        byte[] picture = new byte[C * Width * Height];
        Array.Fill(picture, C == 1 ? (byte)(16 + 219 / 2) : (byte)127);
        Degradation camera = Degradation.Camera(0, noise: 4, jpegQuality: null) with { NoiseCorrelation = correlation };
        PatchPlan[] plans = [.. Enumerable.Range(1, 4).Select(seed => PatchSampler.Plan(new(0, Width, Height), 0, 0, 0, camera, 1, seed * 1_000_003))];
        (Tensor blurred, _) = Degrade(division, C, 1, picture, plans, DegradationKind.Camera);
        (Tensor again, _) = Degrade(division, C, 1, picture, plans, DegradationKind.Camera);
        Assert.Equal(blurred.Values, again.Values);

        double mean = blurred.Values.Average() * 255, variance = blurred.Values.Average(value => Math.Pow(value * 255 - mean, 2));
        Assert.Equal(C == 1 ? 125 : 127, mean, 0.5);
        // 4/255 in linear light times the slope of sRGB's curve at mid-grey (1.09) and, for luma, of its range (219/255).
        Assert.Equal(4 * 1.09 * (C == 1 ? 219 / 255.0 : 1), Math.Sqrt(variance), 0.2);
        double across = 0, down = 0;
        for (int n = 0; n < blurred.N; n++)
        for (int c = 0; c < C; c++)
        for (int y = 1; y < Outer; y++)
        for (int x = 1; x < Outer; x++)
        {
            double here = blurred[n, c, y, x] * 255 - mean;
            across += here * (blurred[n, c, y, x - 1] * 255 - mean);
            down += here * (blurred[n, c, y - 1, x] * 255 - mean);
        }
        double pairs = blurred.N * C * (Outer - 1.0) * (Outer - 1), expected = 2 * correlation / (1 + 2 * correlation * correlation);
        Assert.Equal(expected, across / pairs / variance, 0.05);
        Assert.Equal(expected, down / pairs / variance, 0.05);
        int patch = C * Outer * Outer;
        Assert.NotEqual(blurred.Values[..1000], blurred.Values[patch..(patch + 1000)]);
        if (C == 3) Assert.NotEqual(blurred.Values[..1000], blurred.Values[(Outer * Outer)..(Outer * Outer + 1000)]);
    }

    [Theory]
    [InlineData(Division.Cpu, 1)]
    [InlineData(Division.Gpu, 1)]
    [InlineData(Division.Gpu, 3)]
    public void Enqueue_CameraSharpening_EqualsReferenceAndLeavesOtherPatchesAlone(Division division, int C)
    {
        byte[] picture = Picture(C);
        (float Radius, float Amount)[] masks = [(0, 0), (0.8f, 0.6f), (1.5f, 0.4f)];
        PatchPlan[] plans = [.. masks.Select(mask =>
            PatchSampler.Plan(new(0, Width, Height), Left, Top, 0, new(0) { LinearLight = true, SharpeningRadius = mask.Radius, SharpeningAmount = mask.Amount }, 1, 1))];
        (Tensor blurred, _) = Degrade(division, C, 1, picture, plans, DegradationKind.Camera);
        double[] codes = Codes(picture, C);
        for (int n = 0; n < plans.Length; n++)
        {
            double[] expected = masks[n].Amount > 0 ? ReferenceDegradation.Sharpen(codes, C, Outer, masks[n].Radius, masks[n].Amount) : codes;
            // Rounding, and what the table of the sRGB curve leaves out.
            for (int i = 0; i < expected.Length; i++) Assert.InRange(blurred.Values[n * expected.Length + i] * 255 - expected[i], -0.56, 0.56);
        }
    }

    [Theory]
    [InlineData(Division.Cpu, 1)]
    [InlineData(Division.Gpu, 1)]
    [InlineData(Division.Cpu, 3)]
    [InlineData(Division.Gpu, 3)]
    public void Enqueue_CameraCodecs_EqualReference(Division division, int C)
    {
        byte[] picture = Picture(C);
        Degradation plain = new(0) { LinearLight = true };
        Degradation[] codecs =
        [
            plain, plain with { JpegQuality = 60 }, plain with { JpegQuality = 90, JpegFullChroma = true }, plain with { JpegQuality = 30 }, plain with { H264Qp = 18 }, plain with { H264Qp = 32 },
        ];
        (Tensor blurred, _) = Degrade(division, C, 1, picture, [.. codecs.Select(codec => PatchSampler.Plan(new(0, Width, Height), Left, Top, 0, codec, 1, 1))], DegradationKind.Camera);
        double[] codes = Codes(picture, C);
        for (int n = 0; n < codecs.Length; n++)
        {
            double[] expected = n == 0 ? codes : ReferenceDegradation.Compress(codes, C, Outer, codecs[n]);
            int certain = 0;
            for (int i = 0; i < expected.Length; i++)
            {
                if (double.IsNaN(expected[i])) continue;
                certain++;
                Assert.InRange(blurred.Values[n * expected.Length + i] * 255 - expected[i], -0.51, 0.51);
            }
            Assert.True(certain > expected.Length / 3, $"{codecs[n]}: only {certain} of {expected.Length} values are certain");
        }
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void Enqueue_CameraCodec_LosesMoreAtLowerQuality(bool isH264)
    {
        byte[] picture = Picture(1);
        double[] errors = [.. (isH264 ? new int?[] { null, 18, 25, 34 } : [null, 95, 80, 30]).Select(level =>
        {
            Degradation camera = new(0) { LinearLight = true, JpegQuality = isH264 ? null : level, H264Qp = isH264 ? level : null };
            (Tensor blurred, Tensor sharp) = Degrade(Division.Cpu, 1, 1, picture, [PatchSampler.Plan(new(0, Width, Height), 8, 4, 0, camera, 1, 1)], DegradationKind.Camera);
            double sum = 0;
            for (int y = 0; y < Size; y++)
            for (int x = 0; x < Size; x++)
                sum += Math.Pow((blurred[0, 0, y + Pad, x + Pad] - sharp[0, 0, y, x]) * 255, 2);
            return Math.Sqrt(sum / (Size * Size));
        })];
        Assert.True(errors[0] < 0.5, $"without a codec the error is {errors[0]:F2}");
        Assert.True(errors[1] is > 0.3 and < 4, $"at the best quality the error is {errors[1]:F2}");
        Assert.True(errors[1] < errors[2] && errors[2] < errors[3], $"errors {string.Join(", ", errors.Select(e => e.ToString("F2")))}");
    }

    [Fact]
    public void Enqueue_Camera_AgreesWithTheHost()
    {
        using Mat drawn = TestPictures.Draw(Outer, Outer, seed: 9);
        byte[] picture = Planes(drawn);
        Degradation plain = new(1) { LinearLight = true };
        (Degradation Degradation, double Tolerance)[] cases =
        [
            (plain, 0.1), (plain with { Shape = BlurShape.Disc }, 0.1), (plain with { SharpeningRadius = 1, SharpeningAmount = 0.5f }, 0.1), (plain with { JpegQuality = 75 }, 0.3),
            (plain with { JpegQuality = 75, JpegFullChroma = true }, 0.3), (plain with { H264Qp = 20 }, 1), (plain with { H264Qp = 32 }, 1),
        ];
        (Tensor blurred, _) = Degrade(Division.Cpu, 3, 1, picture, [.. cases.Select(one => PatchSampler.Plan(new(0, Outer, Outer), 0, 0, 0, one.Degradation, 1, 1))], DegradationKind.Camera);
        for (int n = 0; n < cases.Length; n++)
        {
            using Mat degraded = cases[n].Degradation.Apply(drawn, new SeededRandom(1, "none"));
            byte[] onDevice = Array.ConvertAll(blurred.Values[(n * picture.Length)..((n + 1) * picture.Length)], value => (byte)Math.Round(value * 255));
            double host = Psnr(picture, Planes(degraded)), device = Psnr(picture, onDevice);
            Assert.True(Math.Abs(device - host) < cases[n].Tolerance, $"{cases[n].Degradation}: {device:F2} dB on the device, {host:F2} dB on the host");
        }

        static double Psnr(byte[] truth, byte[] planes) => ImageQuality.Psnr(truth, planes, Outer, 3 * Outer, border: 0);
    }

    [Fact]
    public void Draw_Camera_DrawsEveryDegradationAtItsShare()
    {
        using TestDataset data = new();
        TrainingPictures pictures = new(data.Dataset, DatasetSplit.Training, 1, 32);
        PatchSampler sampler = new(pictures, new() { PatchSize = 32, SharpShare = 0.2f, ShapeShare = 0.5f, SigmaMin = 0, SigmaMax = 3, Degradation = DegradationKind.Camera }, pad: 6);
        var plans = new PatchPlan[2000];
        sampler.Draw(1, plans);
        Degradation[] drawn = [.. plans.Select(plan => plan.Degradation)], blurred = [.. drawn.Where(one => one.Sigma > 0)];

        Assert.InRange(blurred.Length, 1520, 1680);
        Share(0.5, blurred, one => one.Shape is not null);
        Share(0.125, blurred, one => one.Shape?.Kind == BlurShapeKind.Disc);        // of half the shapes, those up to radius 3
        Assert.All(drawn, one => Assert.True(one.Shape is null || one.Sigma > 0));
        Assert.All(drawn.Where(one => one.Shape?.Kind == BlurShapeKind.Anisotropic), one => Assert.InRange(one.Shape!.Ratio, 1, 2));
        Assert.All(drawn.Where(one => one.Shape?.Kind == BlurShapeKind.Disc), one => Assert.InRange(one.Sigma, 0, 1.5f));
        Share(0.8, drawn, one => one.ShotNoise > 0);
        Share(0.4, drawn, one => one.NoiseCorrelation > 0);
        Assert.All(drawn, one => Assert.InRange(one.NoiseCorrelation, 0, 0.5f));
        Share(1 / 3.0, drawn, one => one.SharpeningAmount > 0);
        Assert.All(drawn.Where(one => one.SharpeningAmount > 0), one => Assert.InRange(one.SharpeningRadius, 0.8f, 1.5f));
        Share(0.375, drawn, one => one.JpegQuality is >= 60 and <= 98);
        Share(0.375, drawn, one => one.H264Qp is >= 18 and <= 32);
        Assert.All(drawn, one => Assert.True(one.JpegQuality is null || one.H264Qp is null));

        static void Share(double expected, Degradation[] of, Func<Degradation, bool> isOne) => Assert.Equal(expected, of.Count(isOne) / (double)of.Length, 0.04);
    }

    [Fact]
    public void Draw_EqualStep_GivesEqualPatchesInsideThePicture()
    {
        using TestDataset data = new();
        TrainingPictures pictures = new(data.Dataset, DatasetSplit.Training, 1, 32);
        PatchSampler sampler = new(pictures, new() { PatchSize = 32, SharpShare = 0.5f, Degradation = DegradationKind.Camera }, pad: 6);
        var first = new PatchPlan[64];
        var second = new PatchPlan[64];
        sampler.Draw(7, first);
        sampler.Draw(7, second);
        Assert.Equal(first, second);
        sampler.Draw(8, second);
        Assert.NotEqual(first, second);
        Assert.All(first, plan =>
        {
            Assert.InRange(plan.Left + 6, 0, plan.Picture.Width - 32);
            Assert.InRange(plan.Top + 6, 0, plan.Picture.Height - 32);
            Assert.InRange(plan.Sigma, 0, 3.1f);
        });
        Assert.InRange(first.Count(plan => plan.Sigma == 0), 16, 48);
    }

    private static byte[] Picture(int C)
    {
        byte[] picture = new byte[C * Width * Height];
        Random random = new(3);
        for (int i = 0; i < picture.Length; i++) picture[i] = (byte)Math.Clamp(120 + 60 * Math.Sin(i * 0.13) + 40 * Math.Cos(i / Width * 0.4) + random.Next(-20, 20), 16, 235);
        return picture;
    }

    /// <summary>Planes R, G, B of a picture in OpenCV's order.</summary>
    private static byte[] Planes(Mat picture)
    {
        byte[] planes = new byte[3 * Outer * Outer];
        for (int c = 0; c < 3; c++)
        {
            using Mat plane = picture.ExtractChannel(2 - c);
            plane.GetArray(out byte[] samples);
            samples.CopyTo(planes, c * Outer * Outer);
        }
        return planes;
    }

    /// <summary>The patch's input as it is in the picture, planes [C][Outer][Outer], orientation 0.</summary>
    private static double[] Codes(byte[] picture, int C)
    {
        double[] codes = new double[C * Outer * Outer];
        for (int i = 0; i < codes.Length; i++) codes[i] = At(picture, i / (Outer * Outer), 0, i / Outer % Outer, i % Outer);
        return codes;
    }

    private static void AssertBlurred(byte[] picture, PatchPlan plan, Tensor blurred, int n)
    {
        double[,] psf = ReferenceDegradation.Psf(plan.Degradation);
        int reach = psf.GetLength(0) / 2;
        for (int c = 0; c < blurred.C; c++)
        for (int y = 0; y < Outer; y++)
        for (int x = 0; x < Outer; x++)
        {
            double value = 0;
            for (int i = -reach; i <= reach; i++)
            for (int j = -reach; j <= reach; j++)
                value += psf[reach + i, reach + j] * At(picture, c, plan.Orientation, y + i, x + j);
            // A value next to a rounding boundary may fall to either side.
            Assert.True(Math.Abs(blurred[n, c, y, x] * 255 - value) <= 0.501, $"n {n}, c {c}, y {y}, x {x}: {blurred[n, c, y, x] * 255} for {value}");
            Assert.Equal(Math.Round(blurred[n, c, y, x] * 255), blurred[n, c, y, x] * 255, 1e-3);
        }
    }

    /// <summary>Sample of the patch's input at (y, x), by the documented meaning of orientation and mirroring.</summary>
    private static double At(byte[] picture, int c, int orientation, int y, int x)
    {
        // Flips and transposition act on the whole cut, which is symmetric about the input's centre.
        (int u, int v) = (orientation & 4) != 0 ? (y, x) : (x, y);
        if ((orientation & 1) != 0) u = Outer - 1 - u;
        if ((orientation & 2) != 0) v = Outer - 1 - v;
        return picture[c * Width * Height + Mirror(Top + v, Height) * Width + Mirror(Left + u, Width)];
    }

    private static int Mirror(int i, int size) => i < 0 ? -i : i >= size ? 2 * size - 2 - i : i;

    private static (Tensor Blurred, Tensor Sharp) Degrade(Division division, int C, int scale, byte[] picture, PatchPlan[] plans, DegradationKind kind)
    {
        using ComputeDevice device = TestDevice.OpenOrSkip();
        using CommandQueue queue = device.CreateQueue();
        int N = plans.Length, cells = C * scale * scale;
        using MapTensor blurred = new(queue, N, Outer / scale, Outer / scale, cells), sharp = new(queue, N, Size / scale, Size / scale, cells);
        using DeviceBuffer<float> weights = device.Allocate<float>(N);
        using DeviceBuffer<byte> samples = device.Allocate<byte>((ReadOnlySpan<byte>)picture);
        using PatchDegrader degrader = new(queue, samples, blurred, sharp, weights, scale, kind, MaxSigma, steps: 2, division == Division.Gpu ? PatchWork.Gpu : PatchWork.Cpu);
        degrader.Upload([.. plans, .. plans]);
        degrader.Enqueue(1);
        Assert.Equal(plans.Select(plan => plan.Weight), weights.ToArray(queue));
        return (Pixels(DeviceTraining.Read(queue, blurred, cells), C, scale), Pixels(DeviceTraining.Read(queue, sharp, cells), C, scale));
    }

    /// <summary>Cells back to pixels: channel (dy*scale + dx)*C + c of cell (y, x) is channel c of pixel (y*scale + dy, x*scale + dx).</summary>
    private static Tensor Pixels(Tensor cells, int C, int scale)
    {
        Tensor pixels = new(cells.N, C, cells.H * scale, cells.W * scale);
        for (int n = 0; n < cells.N; n++)
        for (int c = 0; c < C; c++)
        for (int y = 0; y < pixels.H; y++)
        for (int x = 0; x < pixels.W; x++)
            pixels[n, c, y, x] = cells[n, (y % scale * scale + x % scale) * C + c, y / scale, x / scale];
        return pixels;
    }
}
