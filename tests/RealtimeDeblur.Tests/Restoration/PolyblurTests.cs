using RealtimeDeblur.Compute;
using RealtimeDeblur.Imaging;
using RealtimeDeblur.Networks;
using RealtimeDeblur.Restoration;
using RealtimeDeblur.Restoration.Methods;
using RealtimeDeblur.Tests.Reference;
using Xunit;

namespace RealtimeDeblur.Tests.Restoration;

public sealed class PolyblurTests
{
    private const double LeastContrast = 0.3;     // LEAST_CELL_CONTRAST in polyblur_estimate.cl

    [Theory]
    [InlineData(1, 1)]
    [InlineData(3, 5)]
    [InlineData(17, 17)]      // one pixel is far enough from every side
    [InlineData(130, 67)]
    [InlineData(65, 200)]
    public void Estimates_AnySize_MatchReference(int W, int H)
    {
        using ComputeDevice device = TestDevice.OpenOrSkip();
        using CommandQueue queue = device.CreateQueue();
        double[,] plane = Discs(W, H, sigmaX: _ => 1.2, sigmaY: 0.8);
        using DeviceBuffer<float> buffer = device.Allocate<float>(Floats(plane));
        using PolyblurEdges edges = new(device, buffer, W, H);
        for (int run = 0; run < 2; run++) edges.Enqueue(queue, keep: 0.5f, perTile: true);     // the same frame again raises nothing

        (double low, double scale) = ReferencePolyblur.Range(plane);
        TensorAssert.Close([low, scale], edges.Range.ToArray(queue), relative: 1e-5, absolute: 1e-6);
        double[] maxima = ReferencePolyblur.Maxima(plane);
        TensorAssert.Close(maxima, edges.Maxima.ToArray(queue), relative: 1e-5, absolute: 1e-5);
        (double xx, double xy, double yy, double sigma) = ReferencePolyblur.Frame(maxima, LeastContrast);
        TensorAssert.Close([xx, xy, yy, sigma], edges.Estimates.ToArray(queue).AsSpan(0, 4), relative: 1e-3, absolute: 1e-3);
    }

    [Theory]
    [InlineData(1, 1, 1.0, false)]
    [InlineData(3, 5, 2.0, true)]
    [InlineData(67, 35, 0.4, true)]
    [InlineData(67, 35, 1.6, false)]
    [InlineData(130, 41, 3.9, true)]
    public void Enqueue_GivenSigma_MatchesReference(int W, int H, double sigma, bool halo)
    {
        double[,] plane = Noise(W, H);
        double[,] expected = ReferencePolyblur.Restore(plane, ReferencePolyblur.Gaussian(sigma * sigma, 0, sigma * sigma), alpha: 6, beta: 1, halo, prefilter: false);
        TensorAssert.Close(Flat(expected), Restore(plane, $"polyblur:alpha=6:beta=1:halo={(halo ? 1 : 0)}", SigmaSetting.Of((float)sigma)).Restored, relative: 0, absolute: 2e-5);
    }

    [Theory]
    [InlineData(1, 1, false)]
    [InlineData(70, 45, false)]
    [InlineData(129, 66, true)]
    public void Enqueue_ItsOwnEstimate_MatchesReference(int W, int H, bool prefilter)
    {
        double[,] plane = Discs(W, H, sigmaX: _ => 1.6, sigmaY: 0.9);
        (float[] restored, float[] estimate) = Restore(plane, $"polyblur:prefilter={(prefilter ? 1 : 0)}", SigmaSetting.Auto);
        double fade = Math.Clamp((estimate[3] - 0.55) / 0.05, 0, 1);
        fade = fade * fade * (3 - 2 * fade);
        double[,] psf = ReferencePolyblur.Gaussian(estimate[0] * fade, estimate[1] * fade, estimate[2] * fade);
        TensorAssert.Close(Flat(ReferencePolyblur.Restore(plane, psf, alpha: 2, beta: 3, halo: true, prefilter)), restored, relative: 0, absolute: 3e-5);
    }

    [Theory]
    [InlineData(0.9)]
    [InlineData(1.5)]
    [InlineData(2.5)]
    public void Estimate_EdgesInAllDirections_RecoversSigma(double sigma)
    {
        using ComputeDevice device = TestDevice.OpenOrSkip();
        using CommandQueue queue = device.CreateQueue();
        using PolyblurEstimator estimator = new(device, new FrameFormat(PixelFormat.Gray8, 256, 192, ColorRange.Limited));
        using DeviceBuffer<byte> frame = device.Allocate<byte>([.. Flat(Discs(256, 192, _ => sigma, sigma)).Select(value => (byte)Math.Round(255 * value))]);
        estimator.Enqueue(queue, frame);
        SigmaEstimate estimate = estimator.Read();
        Assert.InRange(estimate.Sigma, 0.9 * sigma, 1.1 * sigma);
        Assert.False(estimate.IsSharp);
    }

    [Theory]
    [InlineData(0.0)]
    [InlineData(0.6)]
    [InlineData(1.2)]
    [InlineData(2.4)]
    public void Estimate_BlurOfOneDirection_RecoversTheAngle(double angle)
    {
        using ComputeDevice device = TestDevice.OpenOrSkip();
        using CommandQueue queue = device.CreateQueue();
        (double sin, double cos) = Math.SinCos(angle);
        const double Long = 3 * 3, Short = 1.2 * 1.2;
        double[,] sharp = Discs(192, 192, _ => 0.3, 0.3);
        double[,] plane = ReferencePolyblur.Convolve(sharp, ReferencePolyblur.Gaussian(cos * cos * Long + sin * sin * Short, cos * sin * (Long - Short), sin * sin * Long + cos * cos * Short));
        using DeviceBuffer<float> buffer = device.Allocate<float>(Floats(plane));
        using PolyblurEdges edges = new(device, buffer, 192, 192);
        edges.Enqueue(queue, keep: 0, perTile: false);
        float[] estimate = edges.Estimates.ToArray(queue)[..PolyblurEdges.EstimateFloats];
        double found = Math.Atan2(2 * estimate[1], estimate[0] - estimate[2]) / 2, off = Math.Abs(Math.IEEERemainder(found - angle, Math.PI));
        Assert.True(off < 0.12, $"The angle is {found}, not {angle}.");
        Assert.InRange(estimate[3], 0.85 * Math.Sqrt(3 * 1.2), 1.15 * Math.Sqrt(3 * 1.2));
    }

    [Fact]
    public void Estimate_FlatFrame_IsUnknown()
    {
        using ComputeDevice device = TestDevice.OpenOrSkip();
        using CommandQueue queue = device.CreateQueue();
        using PolyblurEstimator estimator = new(device, new FrameFormat(PixelFormat.Gray8, 64, 48));
        using DeviceBuffer<byte> frame = device.Allocate<byte>([.. Enumerable.Repeat((byte)90, 64 * 48)]);
        estimator.Enqueue(queue, frame);
        Assert.Equal(SigmaEstimate.Unknown, estimator.Read());
        Assert.Throws<InvalidOperationException>(() => estimator.Read());
    }

    /// <summary>
    /// Blur that grows from left to right, a sigma for every column. The error of the whole picture is mostly that of the widest blur, for which a single sigma can be right as well
    /// (restored with the true sigma of every column it gains 0.2 dB over the best single one); the mean over strips shows what happens elsewhere.
    /// </summary>
    [Fact]
    public void Process_BlurThatGrows_IsRestoredBetterByTilesThanByAnySigma()
    {
        const int W = 1280, H = 192, Strip = 128;
        double[,] truth = Rectangles(W, H), picture = new double[H, W];
        for (int x = 0; x < W; x++)
        {
            double sigma = 0.7 + 2.3 * x / W;
            double[,] psf = ReferencePolyblur.Gaussian(sigma * sigma, 0, sigma * sigma);
            int radius = psf.GetLength(0) / 2;
            for (int y = 0; y < H; y++)
            for (int dy = -radius; dy <= radius; dy++)
            for (int dx = -radius; dx <= radius; dx++) picture[y, x] += psf[dy + radius, dx + radius] * truth[Math.Clamp(y + dy, 0, H - 1), Math.Clamp(x + dx, 0, W - 1)];
        }
        byte[] sharp = Codes(truth), blurred = Codes(picture);
        (double tilesAll, double tilesMean) = Quality(Process(blurred, W, H, SigmaSetting.Tiles));
        (double bestAll, double bestMean) = (0, 0);
        for (float sigma = 0.7f; sigma < 3.05f; sigma += 0.1f)
        {
            (double all, double mean) = Quality(Process(blurred, W, H, SigmaSetting.Of(sigma)));
            (bestAll, bestMean) = (Math.Max(bestAll, all), Math.Max(bestMean, mean));
        }
        Assert.True(tilesAll >= bestAll + 0.3 && tilesMean >= bestMean + 0.5, $"Tiles give {tilesAll:F2} dB and {tilesMean:F2} as the mean of strips, the best single sigma {bestAll:F2} and {bestMean:F2}.");

        (double All, double Mean) Quality(byte[] restored)
        {
            double sum = 0;
            for (int left = 0; left < W; left += Strip) sum += Psnr(sharp, restored, W, H, left, left + Strip);
            return (Psnr(sharp, restored, W, H, 0, W), sum * Strip / W);
        }
    }

    /// <summary>A step of the result at the border of two blocks would show as a seam.</summary>
    [Fact]
    public void Process_BlurThatGrows_HasNoSeamsBetweenBlocks()
    {
        const int W = 1280, H = 192, Block = 16;
        double[,] blurred = Discs(W, H, x => 0.7 + 2.3 * x / W, null);
        float[] restored = Restore(blurred, "polyblur", SigmaSetting.Tiles).Restored;
        // What restoration changed, as a step from column to column, over what the picture itself does there.
        double atBorders = 0, inside = 0;
        int borders = 0, others = 0;
        for (int x = 16; x < W - 16; x++)
        {
            double step = 0;
            for (int y = 16; y < H - 16; y++) step += Math.Abs(Bend(y, x));
            if (x % Block == 0) (atBorders, borders) = (atBorders + step, borders + 1);
            else (inside, others) = (inside + step, others + 1);
        }
        Assert.True(atBorders / borders <= 1.2 * inside / others, $"Steps at borders {atBorders / borders}, inside {inside / others}.");

        double Bend(int y, int x) => Change(y, x) - Change(y, x - 1) - (Change(y, x + 1) - Change(y, x - 2)) / 3;
        double Change(int y, int x) => restored[y * W + x] - blurred[y, x];
    }

    [Theory]
    [InlineData(PixelFormat.Gray8, 1, 1)]
    [InlineData(PixelFormat.Gray8, 641, 37)]
    [InlineData(PixelFormat.Yuv420P10, 3, 5)]
    [InlineData(PixelFormat.Yuv420P10, 641, 37)]
    [InlineData(PixelFormat.Rgb24, 3, 5)]
    [InlineData(PixelFormat.Rgb24, 641, 37)]
    public void Process_AnyFormatAndSize_SharpensAndAllocatesNothing(PixelFormat pixels, int W, int H)
    {
        using ComputeDevice device = TestDevice.OpenOrSkip();
        FrameFormat format = new(pixels, W, H, ColorRange.Limited);
        using FramePool pool = new(format);
        double[,] plane = Discs(W, H, _ => 1.5, 1.5);
        foreach (SigmaSetting sigma in (SigmaSetting[])[SigmaSetting.Auto, SigmaSetting.Tiles, SigmaSetting.Of(1.5f)])
        {
            using Deblurrer deblurrer = new(device, RestorationMethod.Parse("polyblur"), format, new() { Sigma = sigma });
            using Frame frame = pool.Rent();
            Fill(frame, plane);
            double before = Steepness(frame);
            byte[] original = frame.Data.ToArray();
            deblurrer.Process(frame);
            if (W > 16) Assert.True(Steepness(frame) > 1.05 * before, $"{sigma}: {Steepness(frame)} after {before}.");
            else if (sigma.IsAuto) Assert.Equal(original, frame.Data.ToArray());
            long buffers = device.BuffersCreated;
            AllocationAssert.None(() => deblurrer.Process(frame));
            Assert.Equal(buffers, device.BuffersCreated);
        }
    }

    /// <summary>A cut to a frame without edges is restored with what the frames before told; who goes on from the saved memory does the same.</summary>
    [Fact]
    public void BlurMemory_SavedAndLoaded_GoesOnIdentically()
    {
        using ComputeDevice device = TestDevice.OpenOrSkip();
        FrameFormat format = new(PixelFormat.Gray8, 160, 96, ColorRange.Limited);
        byte[][] frames = [.. Enumerable.Range(0, 8).Select(i => Codes(Discs(160, 96, _ => i < 3 ? 1.2 : 2.5, i < 3 ? 1.2 : 2.5, phase: i)))];
        using Deblurrer whole = Create(), first = Create(), second = Create(), fresh = Create();
        (byte[] Data, float? Sigma)[] expected = [.. frames.Select(frame => Follow(whole, frame))];
        foreach (byte[] frame in frames[..4]) Follow(first, frame);
        second.BlurMemory = first.BlurMemory;
        foreach (int i in (int[])[4, 5, 6, 7])
        {
            (byte[] data, float? sigma) = Follow(second, frames[i]);
            Assert.Equal(expected[i].Data, data);
            Assert.Equal(expected[i].Sigma, sigma);
            if (i == 4) Assert.NotEqual(sigma, Follow(fresh, frames[i]).Sigma);
        }
        whole.BlurMemory = null;
        fresh.BlurMemory = null;
        Assert.Equal(Follow(fresh, frames[4]).Data, Follow(whole, frames[4]).Data);
        Assert.Throws<ArgumentException>(() => whole.BlurMemory = [1, 2]);

        Deblurrer Create() => new(device, RestorationMethod.Parse("polyblur"), format);
    }

    [Fact]
    public void Options_SigmaGivenAndFoundInTurns_StartsAnew()
    {
        using ComputeDevice device = TestDevice.OpenOrSkip();
        FrameFormat format = new(PixelFormat.Gray8, 160, 96, ColorRange.Limited);
        byte[] mild = Codes(Discs(160, 96, _ => 0.9, 0.9)), wide = Codes(Discs(160, 96, _ => 2, 2));
        using Deblurrer deblurrer = new(device, RestorationMethod.Parse("polyblur"), format);
        float found = Follow(deblurrer, mild).Sigma!.Value;
        Assert.InRange(Follow(deblurrer, wide).Sigma!.Value, 0, 1.2 * found);
        deblurrer.Options = deblurrer.Options with { Sigma = SigmaSetting.Of(1.25f) };
        Assert.Equal(1.25f, Follow(deblurrer, wide).Sigma);
        deblurrer.Options = deblurrer.Options with { Sigma = SigmaSetting.Auto };
        Assert.InRange(Follow(deblurrer, wide).Sigma!.Value, 1.5 * found, SigmaEstimate.MaxSigma);
    }

    private static (byte[] Data, float? Sigma) Follow(Deblurrer deblurrer, byte[] frame)
    {
        byte[] restored = new byte[frame.Length];
        deblurrer.Submit(new ReadOnlyFrameView(frame, deblurrer.Format.Width));
        deblurrer.Collect(new FrameView(restored, deblurrer.Format.Width));
        return (restored, deblurrer.LastSigma);
    }

    private static byte[] Process(byte[] blurred, int W, int H, SigmaSetting sigma)
    {
        using ComputeDevice device = TestDevice.OpenOrSkip();
        using Deblurrer deblurrer = new(device, RestorationMethod.Parse("polyblur"), new(PixelFormat.Gray8, W, H, ColorRange.Limited), new() { Sigma = sigma });
        byte[] restored = new byte[blurred.Length];
        deblurrer.Process(new ReadOnlyFrameView(blurred, W), new FrameView(restored, W));
        return restored;
    }

    /// <summary>Working values restored, without rounding to codes, and what was found.</summary>
    private static (float[] Restored, float[] Estimate) Restore(double[,] plane, string method, SigmaSetting sigma)
    {
        using ComputeDevice device = TestDevice.OpenOrSkip();
        using CommandQueue queue = device.CreateQueue();
        (int H, int W) = (plane.GetLength(0), plane.GetLength(1));
        using var restorer = (PolyblurRestorer)PolyblurRestorer.Description.Create(new(device, SampleLayout.Planar(C: 1, W, H), RestorationMethod.Parse(method).Parameters));
        using DeviceBuffer<float> frame = device.Allocate<float>(Floats(plane)), restored = device.Allocate<float>(plane.Length);
        restorer.Enqueue(queue, frame, restored, new(sigma.Value, IsAlone: true), new() { Sigma = sigma }).Dispose();
        return (restored.ToArray(queue), restorer.Estimates.ToArray(queue));
    }

    /// <summary>
    /// Discs of full contrast in a grid, from black to white but for what saturates: edges in all directions. A radial edge blurred by sigma, exact where the radius is much larger: the Gaussian's integral of the distance to the edge,
    /// with the distance scaled by sigmaX(x) across and sigmaY down (null: the same).
    /// </summary>
    private static double[,] Discs(int W, int H, Func<int, double> sigmaX, double? sigmaY, int phase = 0)
    {
        const double Pitch = 48, Radius = 14, Black = 20 / 255.0, White = 225 / 255.0;
        double[,] plane = new double[H, W];
        for (int y = 0; y < H; y++)
        for (int x = 0; x < W; x++)
        {
            double dx = Math.IEEERemainder(x + 3 * phase - 30.3, Pitch), dy = Math.IEEERemainder(y - 30.7, Pitch), r = Math.Sqrt(dx * dx + dy * dy) + 1e-9;
            double across = sigmaX(x), down = sigmaY ?? across, sigma = Math.Sqrt(dx * dx / (r * r) * across * across + dy * dy / (r * r) * down * down);
            plane[y, x] = Black + (White - Black) * Normal((Radius - r) / sigma);
        }
        return plane;
    }

    /// <summary>Integral of the normal distribution, to 1e-7 (Abramowitz and Stegun 26.2.17).</summary>
    private static double Normal(double x)
    {
        double t = 1 / (1 + 0.2316419 * Math.Abs(x));
        double tail = Math.Exp(-x * x / 2) / Math.Sqrt(2 * Math.PI) * t * (0.319381530 + t * (-0.356563782 + t * (1.781477937 + t * (-1.821255978 + t * 1.330274429))));
        return x >= 0 ? 1 - tail : tail;
    }

    /// <summary>Rectangles over one another, of any size from details to surfaces.</summary>
    private static double[,] Rectangles(int W, int H)
    {
        Random random = new(7);
        double[,] plane = new double[H, W];
        for (int i = 0; i < W * H / 100; i++)
        {
            int w = random.Next(3, 40), h = random.Next(3, 40), left = random.Next(-w, W), top = random.Next(-h, H);
            double level = (random.Next(4) switch { 0 => 20, 1 => 225, _ => random.Next(20, 226) }) / 255.0;
            for (int y = Math.Max(top, 0); y < Math.Min(top + h, H); y++)
            for (int x = Math.Max(left, 0); x < Math.Min(left + w, W); x++) plane[y, x] = level;
        }
        return plane;
    }

    private static double[,] Noise(int W, int H)
    {
        Random random = new(5);
        double[,] plane = new double[H, W];
        for (int y = 0; y < H; y++)
        for (int x = 0; x < W; x++) plane[y, x] = (float)(0.3 + 0.4 * random.NextDouble());
        return plane;
    }

    private static double[] Flat(double[,] plane) => [.. plane.Cast<double>()];

    private static float[] Floats(double[,] plane) => [.. plane.Cast<double>().Select(value => (float)value)];

    private static byte[] Codes(double[,] plane) => [.. plane.Cast<double>().Select(value => (byte)Math.Round(255 * value))];

    /// <summary>Of some columns.</summary>
    private static double Psnr(byte[] truth, byte[] picture, int W, int H, int left, int right)
    {
        const int Cut = 8;
        double sum = 0;
        for (int y = Cut; y < H - Cut; y++)
        for (int x = left; x < right; x++) sum += Math.Pow(truth[y * W + x] - picture[y * W + x], 2);
        return 10 * Math.Log10(255 * 255.0 * (right - left) * (H - 2 * Cut) / sum);
    }

    private static void Fill(Frame frame, double[,] plane)
    {
        frame.Data.Clear();
        int samples = frame.Format.SamplesPerPixel;
        for (int y = 0; y < frame.Format.Height; y++)
        for (int i = 0; i < frame.Format.Width * samples; i++) Set(frame, y, i, (int)Math.Round(plane[y, i / samples] * frame.Format.MaxValue));
    }

    private static void Set(Frame frame, int y, int i, int code)
    {
        int at = y * frame.Format.Plane(0).StrideBytes + i * frame.Format.BytesPerSample;
        Span<byte> data = frame.PlaneData(0);
        data[at] = (byte)code;
        if (frame.Format.BytesPerSample == 2) data[at + 1] = (byte)(code >> 8);
    }

    /// <summary>Steepest step along the rows, as a share of full scale.</summary>
    private static double Steepness(Frame frame)
    {
        int samples = frame.Format.SamplesPerPixel, most = 0;
        for (int y = 0; y < frame.Format.Height; y++)
        for (int x = 1; x < frame.Format.Width; x++) most = Math.Max(most, Math.Abs(Get(y, x * samples) - Get(y, (x - 1) * samples)));
        return (double)most / frame.Format.MaxValue;

        int Get(int y, int i)
        {
            int at = y * frame.Format.Plane(0).StrideBytes + i * frame.Format.BytesPerSample;
            ReadOnlySpan<byte> data = frame.PlaneData(0);
            return frame.Format.BytesPerSample == 2 ? data[at] | data[at + 1] << 8 : data[at];
        }
    }
}
