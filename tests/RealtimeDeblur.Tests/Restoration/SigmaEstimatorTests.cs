using RealtimeDeblur.Compute;
using RealtimeDeblur.Imaging;
using RealtimeDeblur.Networks;
using RealtimeDeblur.Restoration;
using RealtimeDeblur.Tests.Reference;
using Xunit;

namespace RealtimeDeblur.Tests.Restoration;

public sealed class SigmaEstimatorTests
{
    private static readonly EstimatorShape Shape = new(Members: 2, Hidden: 16, Heads: 3, Values: 5, Out: 8);

    [Theory]
    [InlineData(32, 32, 1)]
    [InlineData(32, 32, 32)]
    [InlineData(67, 49, 1)]
    [InlineData(67, 49, 32)]
    [InlineData(16, 16, 1)]     // mirrored, twice over
    [InlineData(17, 40, 32)]
    [InlineData(40, 31, 1)]
    public void Features_AnySizeAndWorkSize_MatchReference(int W, int H, int lanes)
    {
        using ComputeDevice device = TestDevice.OpenOrSkip();
        double[,] luma = Scene(W, H, seed: 1);
        Compare(luma, Features(device, SampleLayout.Planar(C: 1, W, H), [.. luma.Cast<double>().Select(v => (float)v)], lanes));
    }

    [Theory]
    [InlineData(PixelFormat.Gray8, ColorRange.Limited)]
    [InlineData(PixelFormat.Gray8, ColorRange.Full)]
    [InlineData(PixelFormat.Gray10, ColorRange.Limited)]
    [InlineData(PixelFormat.Gray10, ColorRange.Full)]
    [InlineData(PixelFormat.Yuv420P8, ColorRange.Limited)]
    [InlineData(PixelFormat.Yuv422P10, ColorRange.Limited)]
    [InlineData(PixelFormat.P010, ColorRange.Full)]
    [InlineData(PixelFormat.Rgb24, ColorRange.Full)]
    [InlineData(PixelFormat.Bgr24, ColorRange.Full)]
    [InlineData(PixelFormat.Rgba32, ColorRange.Full)]
    [InlineData(PixelFormat.Rgb48, ColorRange.Full)]
    public void Features_AnyPixelFormat_MatchReference(PixelFormat pixels, ColorRange range)
    {
        using ComputeDevice device = TestDevice.OpenOrSkip();
        FrameFormat format = new(pixels, 51, 35, range);
        int samples = format.SamplesPerPixel;
        double[,] scene = Scene(format.Width * samples, format.Height, seed: 2);
        int[] codes = [.. scene.Cast<double>().Select(value => (int)Math.Round(value * format.MaxValue))];
        double[,] working = new double[format.Height, format.Width];
        for (int y = 0; y < format.Height; y++)
        for (int x = 0; x < format.Width; x++)
        {
            int at = (y * format.Width + x) * samples, red = SampleOrder.Red(pixels);
            double max = format.MaxValue;
            working[y, x] = format.IsRgb ? (16 + 65.481 * codes[at + red] / max + 128.553 * codes[at + 1] / max + 24.966 * codes[at + 2 - red] / max) / 255
                : range == ColorRange.Full ? (format.BitDepth == 8 ? 16 + 219 * codes[at] / max : 64 + 876 * codes[at] / max) / max
                : codes[at] / max;
        }
        SampleLayout layout = SampleLayout.Of(format, C: 1);
        Compare(working, format.BytesPerSample == 1
            ? Features(device, layout, Array.ConvertAll(codes, code => (byte)code))
            : Features(device, layout, Array.ConvertAll(codes, code => (ushort)(code * format.CodeStep))));
    }

    [Fact]
    public void Features_FlatFrame_AreFinite()
    {
        using ComputeDevice device = TestDevice.OpenOrSkip();
        Compare(new double[33, 32], Features(device, SampleLayout.Planar(C: 1, 32, 33), new float[32 * 33]));
    }

    [Theory]
    [InlineData(1)]
    [InlineData(32)]
    public void Levels_RandomWeights_MatchReference(int lanes)
    {
        using ComputeDevice device = TestDevice.OpenOrSkip();
        using CommandQueue queue = device.CreateQueue();
        EstimatorWeights weights = RandomEstimator.Create(Shape);
        SampleLayout layout = SampleLayout.Planar(C: 1, 96, 64);
        float[] luma = [.. Scene(96, 64, seed: 3).Cast<double>().Select(v => (float)v)];
        double[] expected = ReferenceSigmaNetwork.Levels(Shape, weights.Values, Features(device, layout, luma));

        using SigmaEstimator estimator = new(device, layout, weights, lanes: lanes);
        using DeviceBuffer<float> frame = device.Allocate<float>(luma);
        estimator.Enqueue(queue, frame);
        SigmaEstimate estimate = estimator.Read();

        SigmaEstimate reference = SigmaEstimator.Estimate([.. expected.Select(level => (float)level)], Shape.Members);
        Assert.Equal(reference.Sigma, estimate.Sigma, 1e-4f);
        Assert.Equal(reference.Spread, estimate.Spread, 1e-4f);
    }

    [Fact]
    public void Read_SeveralFramesInFlight_KeepsTheirOrder()
    {
        using ComputeDevice device = TestDevice.OpenOrSkip();
        using CommandQueue queue = device.CreateQueue();
        FrameFormat format = new(PixelFormat.Gray8, 48, 40);
        using SigmaEstimator estimator = new(device, format, RandomEstimator.Create(Shape));
        List<DeviceBuffer<byte>> frames = [];
        List<SigmaEstimate> alone = [], together = [];
        for (int i = 0; i < SigmaEstimator.MaxInFlight; i++)
        {
            frames.Add(device.Allocate<byte>([.. Scene(48, 40, seed: 10 + i).Cast<double>().Select(v => (byte)Math.Round(v * 255))]));
            estimator.Enqueue(queue, frames[i]);
            alone.Add(estimator.Read());
        }
        for (int round = 0; round < 2; round++)
        {
            long buffers = device.BuffersCreated;
            foreach (DeviceBuffer<byte> frame in frames) estimator.Enqueue(queue, frame);
            Assert.Equal(SigmaEstimator.MaxInFlight, estimator.InFlight);
            Assert.Contains("read one before", Assert.Throws<InvalidOperationException>(() => estimator.Enqueue(queue, frames[0])).Message, StringComparison.Ordinal);
            together.Clear();
            while (estimator.InFlight > 0) together.Add(estimator.Read());
            Assert.Equal(alone, together);
            Assert.Equal(buffers, device.BuffersCreated);
        }
        Assert.True(alone.Distinct().Count() > 1, "The frames differ, but not their estimates.");
        Assert.Throws<InvalidOperationException>(() => estimator.Read());
        foreach (DeviceBuffer<byte> frame in frames) frame.Dispose();
    }

    [Theory]
    [InlineData(1, 1)]
    [InlineData(15, 100)]
    [InlineData(100, 15)]
    public void Read_FrameTooSmall_IsUnknown(int W, int H)
    {
        using ComputeDevice device = TestDevice.OpenOrSkip();
        using CommandQueue queue = device.CreateQueue();
        using SigmaEstimator estimator = new(device, new FrameFormat(PixelFormat.Gray8, W, H), RandomEstimator.Create(Shape));
        using DeviceBuffer<byte> frame = device.Allocate<byte>((long)W * H);
        estimator.Enqueue(queue, frame);
        SigmaEstimate estimate = estimator.Read();
        Assert.Equal(SigmaEstimate.Unknown, estimate);
        Assert.False(estimate.IsKnown);
        Assert.Equal(0, estimate.Sigma);
    }

    [Fact]
    public void Dispose_WithFramesInFlightAndTwice_IsFine()
    {
        using ComputeDevice device = TestDevice.OpenOrSkip();
        using CommandQueue queue = device.CreateQueue();
        SigmaEstimator estimator = new(device, new FrameFormat(PixelFormat.Gray8, 64, 64), RandomEstimator.Create(Shape));
        using DeviceBuffer<byte> frame = device.Allocate<byte>(64 * 64);
        frame.Fill(queue, 7);
        estimator.Enqueue(queue, frame);
        estimator.Dispose();
        estimator.Dispose();
        Assert.Throws<ObjectDisposedException>(() => estimator.Enqueue(queue, frame));
    }

    [Theory]
    [InlineData(1920, 1080)]
    [InlineData(3840, 2160)]
    [InlineData(1280, 720)]
    [InlineData(768, 512)]
    [InlineData(100_000, 32)]
    [InlineData(32, 100_000)]
    [InlineData(33, 16)]
    public void Grid_AnyFrame_StaysBelowTheLimit(int W, int H)
    {
        (int columns, int rows) = SigmaTiles.Grid(W, H, SigmaTiles.MaxTiles);
        Assert.InRange(columns * rows, 1, SigmaTiles.MaxTiles);
        if (Math.Min(W, H) >= 500) Assert.InRange(columns * rows, SigmaTiles.MaxTiles * 9 / 10, SigmaTiles.MaxTiles);
    }

    [Fact]
    public void MultiplyAccumulates_FullHd_AreFewerThanTenPerPixel()
    {
        using ComputeDevice device = TestDevice.OpenOrSkip();
        using SigmaEstimator estimator = new(device, new FrameFormat(PixelFormat.Gray8, 1920, 1080), RandomEstimator.Create(new(Members: 3)));
        Assert.InRange(estimator.MultiplyAccumulatesPerPixel, 1, 10);
    }

    private static void Compare(double[,] luma, float[] actual)
    {
        (int H, int W) = (luma.GetLength(0), luma.GetLength(1));
        (int columns, int rows) = SigmaTiles.Grid(W, H, SigmaTiles.MaxTiles);
        int F = ReferenceSigmaFeatures.Count;
        Assert.Equal(columns * rows * F, actual.Length);
        for (int row = 0; row < rows; row++)
        for (int column = 0; column < columns; column++)
        {
            double[] expected = ReferenceSigmaFeatures.Of(luma, Start(column, columns, W), Start(row, rows, H));
            for (int i = 0; i < F; i++)
            {
                double found = actual[(row * columns + column) * F + i];
                Assert.True(Math.Abs(found - expected[i]) <= 2e-3, $"{W}x{H}, tile {column},{row}, feature {i}: {found}, the reference says {expected[i]}");
            }
        }

        static int Start(int index, int count, int size) => size <= 32 ? 0 : (count > 1 ? index * (size - 32) / (count - 1) : (size - 32) / 2) / 8 * 8;
    }

    private static float[] Features<T>(ComputeDevice device, SampleLayout layout, T[] samples, int lanes = 0) where T : unmanaged
    {
        using CommandQueue queue = device.CreateQueue();
        using SigmaTiles tiles = new(device, layout, lanes: lanes);
        using DeviceBuffer<T> frame = device.Allocate<T>(samples);
        tiles.Enqueue(queue, frame);
        return tiles.Features.ToArray(queue);
    }

    /// <summary>Shapes with straight and round edges on a gradient, texture in a part: working values on the grid of 8 bits.</summary>
    private static double[,] Scene(int W, int H, int seed)
    {
        Random random = new(seed);
        double[,] luma = new double[H, W];
        for (int y = 0; y < H; y++)
        for (int x = 0; x < W; x++)
        {
            double value = 60 + 0.7 * x + 0.3 * y;
            if ((x / 11 + y / 13) % 2 == 0) value += 50;
            if ((x - 20) * (x - 20) + (y - 12) * (y - 12) < 60) value -= 45;
            if (x > W / 2) value += random.Next(-9, 10);
            luma[y, x] = Math.Clamp(Math.Round(value), 0, 255) / 255;
        }
        return luma;
    }
}
