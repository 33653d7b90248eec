using RealtimeDeblur.Compute;
using RealtimeDeblur.Imaging;
using RealtimeDeblur.Networks;
using RealtimeDeblur.Restoration;
using RealtimeDeblur.Tests.Reference;
using Xunit;

namespace RealtimeDeblur.Tests.Restoration;

/// <summary>The kernels of <see cref="ConfidenceGuard"/> against their definition, in both configurations of work.</summary>
public sealed class ConfidenceGuardTests
{
    public static TheoryData<PixelFormat, ColorRange> Formats
    {
        get
        {
            TheoryData<PixelFormat, ColorRange> formats = [];
            foreach (PixelFormat pixels in Enum.GetValues<PixelFormat>()) formats.Add(pixels, ColorRange.Limited);
            formats.Add(PixelFormat.Yuv420P8, ColorRange.Full);
            formats.Add(PixelFormat.Yuv420P10, ColorRange.Full);
            return formats;
        }
    }

    [Theory]
    [InlineData(1, 1, 1.6f)]
    [InlineData(3, 2, 2f)]
    [InlineData(5, 9, 1f)]
    [InlineData(16, 16, 0f)]
    [InlineData(33, 17, 0.8f)]
    [InlineData(129, 65, 1.3f)]
    [InlineData(258, 37, 2f)]
    [InlineData(301, 150, 4f)]
    [InlineData(160, 127, 9f)]
    public void Enqueue_AnySizeAndSigma_EqualsReference(int W, int H, float sigma)
    {
        using ComputeDevice device = TestDevice.OpenOrSkip();
        ConfidenceCheck.AssertRight(device, new(PixelFormat.Gray8, W, H), sigma, strength: 1, ConfidenceCheck.Small(ConfidenceWork.Rows));
        ConfidenceCheck.AssertRight(device, new(PixelFormat.Gray8, W, H), sigma, strength: 1, ConfidenceCheck.Small(ConfidenceWork.Tiles));
    }

    [Theory]
    [MemberData(nameof(Formats))]
    public void Enqueue_AnyFormat_EqualsReference(PixelFormat pixels, ColorRange range)
    {
        using ComputeDevice device = TestDevice.OpenOrSkip();
        foreach (ConfidenceWork work in new[] { ConfidenceWork.Rows, ConfidenceWork.Tiles })
        {
            ConfidenceCheck.AssertRight(device, new(pixels, 203, 121, range), sigma: 1.6f, strength: 0.7f, work);
        }
    }

    [Theory]
    [InlineData(0f)]
    [InlineData(1e-40f)]
    public void Deblurrer_NoiseAtSigmaZero_StaysAsItIs(float sigma)
    {
        using ComputeDevice device = TestDevice.OpenOrSkip();
        using Deblurrer deblurrer = new(device, ModelCatalog.Load("tiny-camera"), new(PixelFormat.Yuv420P8, 40, 40, ColorRange.Limited)) { Options = DeblurOptions.Default with { Sigma = SigmaSetting.Of(sigma) } };
        using Frame frame = new(deblurrer.Format);
        for (int seed = 0; seed < 20; seed++)
        {
            new Random(seed).NextBytes(frame.Data);
            byte[] before = frame.Data.ToArray();
            deblurrer.Process(frame);
            for (int i = 0; i < before.Length; i++) Assert.InRange(frame.Data[i] - before[i], -20, 20);
        }
    }

    [Fact]
    public void Enqueue_SigmaChanges_UsesTheLatest()
    {
        using ComputeDevice device = TestDevice.OpenOrSkip();
        using CommandQueue queue = device.CreateQueue();
        var format = new FrameFormat(PixelFormat.Gray8, 150, 90);
        using var guard = new ConfidenceGuard(device, format, ConfidenceWork.Rows);
        foreach (float sigma in new[] { 1f, 2.5f, 1.6f, 1f }) ConfidenceCheck.AssertRight(queue, guard, device, format, sigma, strength: 1);
    }

    [Fact]
    public void Enqueue_ViewOfConfidence_WritesTheMap()
    {
        using ComputeDevice device = TestDevice.OpenOrSkip();
        using CommandQueue queue = device.CreateQueue();
        foreach (PixelFormat pixels in new[] { PixelFormat.Gray10, PixelFormat.Rgb24, PixelFormat.Bgra32 })
        {
            var format = new FrameFormat(pixels, 150, 90);
            using var guard = new ConfidenceGuard(device, format);
            ConfidenceCheck.AssertRight(queue, guard, device, format, sigma: 1.6f, strength: 1, DeblurView.Confidence);
        }
    }

    [Fact]
    public void Dispose_Twice_DoesNothing()
    {
        using ComputeDevice device = TestDevice.OpenOrSkip();
        var guard = new ConfidenceGuard(device, new(PixelFormat.Gray8, 9, 9));
        guard.Dispose();
        guard.Dispose();
    }
}

/// <summary>Runs the guard and compares everything it computes with <see cref="ReferenceConfidence"/>.</summary>
internal static class ConfidenceCheck
{
    /// <summary>The same kernels with less work for each item, so that small frames have several.</summary>
    public static ConfidenceWork Small(ConfidenceWork work) => work.IsTiled
        ? work with { LocalW = 8, LocalH = 4, TileW = 16, TileH = 8, LocalBlocks = 32, FactorCells = 1, ApplyCells = 1, CellsLocalW = 4, CellsLocalH = 2 }
        : work with { Strip = 32, FactorCells = 8, ApplyCells = 8 };

    public static void AssertRight(ComputeDevice device, FrameFormat format, float sigma, float strength, ConfidenceWork work)
    {
        using CommandQueue queue = device.CreateQueue();
        using var guard = new ConfidenceGuard(device, format, work);
        AssertRight(queue, guard, device, format, sigma, strength);
    }

    public static void AssertRight(CommandQueue queue, ConfidenceGuard guard, ComputeDevice device, FrameFormat format, float sigma, float strength, DeblurView view = DeblurView.Restored)
    {
        int[] frame = Codes(format, seed: 1), restored = Codes(format, seed: 2);
        // No network changes it.
        for (int i = 0; i < frame.Length; i++) if (SampleOrder.IsAlpha(format, i)) restored[i] = frame[i];
        int[] output = format.BytesPerSample == 1
            ? Array.ConvertAll(Run(Array.ConvertAll(frame, code => (byte)code), Array.ConvertAll(restored, code => (byte)code)), code => (int)code)
            : Array.ConvertAll(Run(Array.ConvertAll(frame, Word), Array.ConvertAll(restored, Word)), word => word / format.CodeStep);

        var expected = new ReferenceConfidence(Luma(format, frame), format.Width, format.Height, Math.Min(sigma, 4));
        float[] energy = guard.Energy.ToArray(queue);
        int cells = expected.EnergyT.Length;
        // Detail is a small difference of large numbers: an error of 1e-4 codes in it.
        Close(expected.EnergyT, energy.AsSpan(0, cells), relative: 1e-4, absolute: 2e-3, "T");
        Close(expected.EnergyH, energy.AsSpan(cells, cells), relative: 1e-4, absolute: 2e-3, "H");
        Close(expected.Clipped, energy.AsSpan(2 * cells, cells), relative: 1e-5, absolute: 1e-5, "A");
        Close([expected.NoiseVariance], guard.Noise.ToArray(queue), relative: 0.02, absolute: 0, "noise");
        // Rounding in the detail, multiplied by the slopes of the two steps.
        Close(expected.Confidence, guard.Confidence.ToArray(queue), relative: 0, absolute: 0.03, "confidence");
        int samples = format.SamplesPerPixel;
        for (int i = 0; i < output.Length; i++)
        {
            double confidence = expected.At(i / samples / format.Width, i / samples % format.Width);
            if (SampleOrder.IsAlpha(format, i))
            {
                Assert.Equal(frame[i], output[i]);
                continue;
            }
            double exact = view == DeblurView.Confidence ? format.MaxValue * confidence : frame[i] + strength * confidence * (restored[i] - frame[i]);
            double tolerance = 0.5 + 0.03 * (view == DeblurView.Confidence ? format.MaxValue : Math.Abs(restored[i] - frame[i]));
            Assert.True(Math.Abs(exact - output[i]) <= tolerance, $"{format} sigma {sigma}: sample {i} of {frame[i]}, {restored[i]} with confidence {confidence:f3} became {output[i]}");
        }

        ushort Word(int code) => (ushort)(code * format.CodeStep);

        T[] Run<T>(T[] before, T[] after) where T : unmanaged
        {
            using DeviceBuffer<T> input = device.Allocate<T>(before);
            using DeviceBuffer<T> network = device.Allocate<T>(after);
            using DeviceBuffer<T> result = device.Allocate<T>(before.Length);
            guard.Enqueue(queue, input, network, result, sigma, strength, view).Dispose();
            return result.ToArray(queue);
        }
    }

    private static void Close(double[] expected, ReadOnlySpan<float> actual, double relative, double absolute, string what)
    {
        for (int i = 0; i < expected.Length; i++)
        {
            Assert.True(Math.Abs(expected[i] - actual[i]) <= absolute + relative * Math.Abs(expected[i]), $"{what} of cell {i} of {expected.Length}: {actual[i]} instead of {expected[i]}");
        }
    }

    /// <summary>A scene with everything that the map tells apart: smooth and textured parts, soft and sharp edges, noise, clipping.</summary>
    private static int[] Codes(FrameFormat format, int seed)
    {
        var random = new Random(seed);
        int samples = format.SamplesPerPixel;
        int[] codes = new int[format.Width * format.Height * samples];
        for (int i = 0; i < codes.Length; i++)
        {
            (int y, int x, int s) = (i / samples / format.Width, i / samples % format.Width, i % samples);
            double value = 0.4 + 0.25 * Math.Sin(x / 9.0 + s) * Math.Cos(y / 7.0);
            if ((x / 40 + y / 40) % 3 == 0) value += 0.2 * (random.NextDouble() - 0.5);
            if ((x / 32 + y / 24) % 4 == 1) value += (x / 3 + y / 5) % 2 * 0.3;
            if ((x / 50 + y / 50) % 5 == 2) value = 1.2;
            value += 0.004 * (random.NextDouble() - 0.5);
            codes[i] = (int)Math.Round(Math.Clamp(value, 0, 1) * format.MaxValue);
        }
        return codes;
    }

    /// <summary>In codes of 8 bits, 16 for black and 235 for white.</summary>
    private static double[] Luma(FrameFormat format, int[] codes)
    {
        double max = format.MaxValue, depth = (max + 1) / 256;
        if (!format.IsRgb) return [.. codes.Select(code => format.Range == ColorRange.Full ? (16 * depth + code * 219 * depth / max) * 255 / max : code * 255 / max)];
        int red = SampleOrder.Red(format.Pixels), step = format.SamplesPerPixel;
        return [.. Enumerable.Range(0, codes.Length / step).Select(i => 16 + (65.481 * codes[step * i + red] + 128.553 * codes[step * i + 1] + 24.966 * codes[step * i + 2 - red]) / max)];
    }
}
