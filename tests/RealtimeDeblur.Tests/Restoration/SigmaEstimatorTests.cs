using RealtimeDeblur.Compute;
using RealtimeDeblur.Imaging;
using RealtimeDeblur.Networks;
using RealtimeDeblur.Restoration;
using RealtimeDeblur.Tests.Reference;
using Xunit;

namespace RealtimeDeblur.Tests.Restoration;

public sealed class SigmaEstimatorTests
{
    [Theory]
    [InlineData(32, 32, 1)]
    [InlineData(32, 32, 32)]
    [InlineData(67, 49, 1)]
    [InlineData(67, 49, 32)]
    [InlineData(16, 16, 1)]     // mirrored
    [InlineData(17, 40, 32)]
    public void Features_AnySizeAndWorkSize_MatchReference(int W, int H, int lanes)
    {
        using ComputeDevice device = TestDevice.OpenOrSkip();
        double[,] luma = Scene(W, H, seed: 1);
        Compare(luma, Run(device, SampleLayout.Planar(C: 1, W, H), [.. luma.Cast<double>().Select(v => (float)v)], lanes), W, H);
    }

    private static void Compare(double[,] luma, float[] actual, int W, int H)
    {
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

    private static float[] Run<T>(ComputeDevice device, SampleLayout layout, T[] samples, int lanes = 0) where T : unmanaged
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
