using RealtimeDeblur.Compute;
using RealtimeDeblur.Restoration.Methods;
using RealtimeDeblur.Tests.Reference;
using Xunit;

namespace RealtimeDeblur.Tests.Restoration.Methods;

/// <summary>The kernels of <c>restore/separable.cl</c> against their definition, shared out as for CPUs and as for GPUs.</summary>
public sealed class SeparableFilterTests
{
    // Sums of 2 (2R + 1) products per term, each rounded to float.
    private const double Relative = 1e-5, Absolute = 2e-6;

    [Theory]
    [InlineData(1, 1, 1)]
    [InlineData(2, 3, 1)]
    [InlineData(5, 9, 2)]
    [InlineData(16, 8, 1)]
    [InlineData(17, 33, 3)]
    [InlineData(63, 5, 2)]
    [InlineData(130, 41, 5)]
    [InlineData(311, 70, 2)]
    public void Enqueue_AnySize_EqualsReference(int W, int H, int terms)
    {
        using ComputeDevice device = TestDevice.OpenOrSkip();
        foreach (SeparableWork work in new[] { SeparableWork.Cpu, SeparableWork.Gpu, new(Vector: 4, Run: 8, Rows: 3, Local: 2) })
        foreach (float sigma in new[] { 0f, 0.5f, 2.015625f, 4f })
        {
            double[] input = Noise(W * H, seed: 1), with = Noise(W * H, seed: 2);
            double[] sum = new double[W * H];
            SeparableTaps taps = Design(sigma, terms);
            for (int t = 0; t < terms; t++)
            {
                double[] full = [.. taps.Half[t].Skip(1).Reverse(), .. taps.Half[t]];
                double[] one = ReferenceFilter.Separable(input, W, H, full);
                for (int i = 0; i < sum.Length; i++) sum[i] += taps.Gains[t] * one[i];
            }
            using SeparableFilter filter = new(device, W, H, terms, wanted => Design(wanted, terms), work);
            TensorAssert.Close(sum, Run(device, filter, sigma, input, with, Combination.Plain), Relative, Absolute);
            TensorAssert.Close([.. sum.Zip(with, (s, w) => w / Math.Max(s, 1e-6))], Run(device, filter, sigma, input, with, Combination.Ratio), 10 * Relative, Absolute);
            TensorAssert.Close([.. sum.Zip(with, (s, w) => w * s)], Run(device, filter, sigma, input, with, Combination.Product), Relative, Absolute);
        }
    }

    [Fact]
    public void MultiplyAccumulates_WiderBlur_AreMore()
    {
        using ComputeDevice device = TestDevice.OpenOrSkip();
        using SeparableFilter filter = new(device, 8, 8, terms: 1, sigma => SeparableTaps.Gaussian(sigma));
        Assert.Equal(2 * 9, filter.MultiplyAccumulatesPerPixel(1));
        Assert.Equal(2 * 33, filter.MultiplyAccumulatesPerPixel(4));
    }

    /// <summary>Terms that differ: a Gaussian, and others of gain 1/2, -1/3 ... a little wider each.</summary>
    private static SeparableTaps Design(float sigma, int terms)
    {
        double[][] half = [.. Enumerable.Range(0, terms).Select(t => SeparableTaps.Gaussian(sigma + 0.5 * t).Half[0])];
        int longest = half.Max(one => one.Length);
        return new([.. Enumerable.Range(0, terms).Select(t => (t == 2 ? -1.0 : 1) / (t + 1))], [.. half.Select(one => one.Concat(new double[longest - one.Length]).ToArray())]);
    }

    private static float[] Run(ComputeDevice device, SeparableFilter filter, float sigma, double[] input, double[] with, Combination combination)
    {
        using CommandQueue queue = device.CreateQueue();
        using DeviceBuffer<float> from = device.Allocate<float>([.. input.Select(value => (float)value)]);
        using DeviceBuffer<float> to = device.Allocate<float>([.. with.Select(value => (float)value)]);
        filter.Enqueue(queue, sigma, from, to, combination, to);
        return to.ToArray(queue);
    }

    private static double[] Noise(int count, int seed)
    {
        var random = new Random(seed);
        return [.. Enumerable.Range(0, count).Select(_ => (double)(0.1f + 0.9f * random.NextSingle()))];
    }
}
