using RealtimeDeblur.Compute;
using RealtimeDeblur.Imaging;
using RealtimeDeblur.Networks;
using RealtimeDeblur.Restoration;
using RealtimeDeblur.Restoration.Methods;
using RealtimeDeblur.Tests.Reference;
using Xunit;

namespace RealtimeDeblur.Tests.Restoration.Methods;

public sealed class SpectrumEstimatorTests
{
    private const int MaxTiles = 128;

    [Theory]
    [InlineData(64, 64, 1)]         // the quarter is mirrored
    [InlineData(65, 83, 32)]
    [InlineData(131, 150, 1)]
    [InlineData(301, 131, 32)]
    [InlineData(641, 77, 1)]
    public void Amplitudes_AnySizeAndWorkSize_MatchReference(int W, int H, int lanes)
    {
        using ComputeDevice device = TestDevice.OpenOrSkip();
        double[,] luma = new double[H, W];
        Random random = new(1);
        for (int y = 0; y < H; y++)
        for (int x = 0; x < W; x++)
            luma[y, x] = (float)Math.Clamp(0.5 + 0.3 * Math.Sin(0.05 * x * y / 7) + 0.1 * random.NextDouble(), 0, 1);
        Compare(device, luma, SampleLayout.Planar(C: 1, W, H), luma.Cast<double>().Select(value => (float)value).ToArray(), lanes);
    }

    [Theory]
    [InlineData(PixelFormat.Gray8, ColorRange.Full)]
    [InlineData(PixelFormat.Yuv420P10, ColorRange.Limited)]
    [InlineData(PixelFormat.Rgb24, ColorRange.Full)]
    public void Amplitudes_AnyPixelFormat_MatchReference(PixelFormat pixels, ColorRange range)
    {
        using ComputeDevice device = TestDevice.OpenOrSkip();
        FrameFormat format = new(pixels, 97, 70, range);
        using Frame frame = MaxPolRestorerTests.RandomFrame(format);
        double[,] luma = MaxPolRestorerTests.Working(frame);
        Compare(device, luma, SampleLayout.Of(format, C: 1), frame.PlaneData(0).ToArray(), SigmaTiles.Lanes(device));
    }

    /// <summary>From sigma 1 on: milder blur reads low.</summary>
    [Theory]
    [InlineData(1)]
    [InlineData(1.6)]
    [InlineData(2)]
    [InlineData(3)]
    public void Read_SceneWithFallingSpectrum_TellsItsBlur(double sigma)
    {
        using ComputeDevice device = TestDevice.OpenOrSkip();
        Assert.InRange(Estimate(device, Waves(256, sigma), 256, 256).Sigma, 0.85 * sigma, 1.15 * sigma);
    }

    [Theory]
    [InlineData(1, 1)]
    [InlineData(63, 200)]
    [InlineData(200, 63)]
    [InlineData(128, 128)]
    public void Read_TooSmallOrFlat_IsUnknown(int W, int H)
    {
        using ComputeDevice device = TestDevice.OpenOrSkip();
        byte[] flat = new byte[W * H];
        Array.Fill(flat, (byte)90);
        Assert.Equal(SigmaEstimate.Unknown, Estimate(device, flat, W, H));
    }

    [Fact]
    public void Read_SeveralFramesInFlight_KeepsTheirOrderAndAllocatesNothing()
    {
        using ComputeDevice device = TestDevice.OpenOrSkip();
        using CommandQueue queue = device.CreateQueue();
        using SpectrumEstimator estimator = new(device, new FrameFormat(PixelFormat.Gray8, 128, 128));
        using DeviceBuffer<byte> mild = device.Allocate<byte>((ReadOnlySpan<byte>)Waves(128, 1)), wide = device.Allocate<byte>((ReadOnlySpan<byte>)Waves(128, 2.5));
        long buffers = device.BuffersCreated;
        for (int i = 0; i < ISigmaEstimator.MaxInFlight; i++) estimator.Enqueue(queue, i % 2 == 0 ? mild : wide);
        Assert.Throws<InvalidOperationException>(() => estimator.Enqueue(queue, mild));
        for (int i = 0; i < ISigmaEstimator.MaxInFlight; i++) Assert.InRange(estimator.Read().Sigma, i % 2 == 0 ? 0.6 : 1.9, i % 2 == 0 ? 1.4 : 3.1);
        Assert.Throws<InvalidOperationException>(() => estimator.Read());
        Assert.Equal(buffers, device.BuffersCreated);
        estimator.Enqueue(queue, wide);
        estimator.Dispose();
        estimator.Dispose();
        Assert.Throws<ObjectDisposedException>(() => estimator.Enqueue(queue, mild));
    }

    private static SigmaEstimate Estimate(ComputeDevice device, byte[] luma, int W, int H)
    {
        using CommandQueue queue = device.CreateQueue();
        using SpectrumEstimator estimator = new(device, new FrameFormat(PixelFormat.Gray8, W, H));
        using DeviceBuffer<byte> frame = device.Allocate<byte>((ReadOnlySpan<byte>)luma);
        estimator.Enqueue(queue, frame);
        return estimator.Read();
    }

    private static void Compare<T>(ComputeDevice device, double[,] luma, SampleLayout layout, T[] samples, int lanes) where T : unmanaged
    {
        using CommandQueue queue = device.CreateQueue();
        using SpectrumEstimator estimator = new(device, layout, lanes);
        using DeviceBuffer<T> frame = device.Allocate<T>((ReadOnlySpan<T>)samples);
        estimator.Enqueue(queue, frame);
        estimator.Read();
        double[,] quarter = ReferenceSpectrum.Quarter(luma);
        double[] expected = [.. Of(luma), .. Of(quarter)];
        TensorAssert.Close(expected, estimator.Amplitudes!.ToArray(queue), relative: 1e-3, absolute: 1e-3);

        static double[] Of(double[,] plane)
        {
            (int columns, int rows) = SigmaTiles.Grid(plane.GetLength(1), plane.GetLength(0), MaxTiles);
            return ReferenceSpectrum.Amplitudes(plane, columns, rows);
        }
    }

    /// <summary>A sum of waves in all directions whose amplitude falls as one over frequency, as in photographs, blurred by a Gaussian: 8 bits.</summary>
    private static byte[] Waves(int side, double sigma)
    {
        const int count = 3000;
        const double lowest = 0.02, highest = 4.4, contrast = 40;
        Random random = new(5);
        double[] sum = new double[side * side];
        double[] cosines = new double[side], sines = new double[side];
        for (int i = 0; i < count; i++)
        {
            // As many waves in every octave: the density in the plane of frequencies falls as their square.
            double w = lowest * Math.Pow(highest / lowest, random.NextDouble()), angle = 2 * Math.PI * random.NextDouble(), phase = 2 * Math.PI * random.NextDouble();
            double amplitude = contrast * Math.Sqrt(2.0 / count) * Math.Exp(-sigma * sigma * w * w / 2), u = w * Math.Cos(angle), v = w * Math.Sin(angle);
            // Beyond half the sampling rate a camera sees nothing.
            if (Math.Max(Math.Abs(u), Math.Abs(v)) > Math.PI) continue;
            for (int x = 0; x < side; x++) (sines[x], cosines[x]) = Math.SinCos(u * x);
            for (int y = 0; y < side; y++)
            {
                (double s, double c) = Math.SinCos(v * y + phase);
                for (int x = 0; x < side; x++) sum[y * side + x] += amplitude * (c * cosines[x] - s * sines[x]);
            }
        }
        return [.. sum.Select(value => (byte)Math.Clamp(Math.Round(128 + value), 0, 255))];
    }
}
