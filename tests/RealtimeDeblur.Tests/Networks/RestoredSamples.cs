using RealtimeDeblur.Compute;
using RealtimeDeblur.Imaging;
using RealtimeDeblur.Networks;
using RealtimeDeblur.Tests.Reference;
using Xunit;

namespace RealtimeDeblur.Tests.Networks;

/// <summary>Runs a plan on the samples of a frame.</summary>
internal static class RestoredSamples
{
    /// <summary>Restores a frame; <paramref name="untouched"/> is what the result holds where nothing was written.</summary>
    public static T[] Run<T>(ComputeDevice device, CommandQueue queue, Network network, SampleLayout layout, T[] frame, T untouched, InferencePlan plan, long? memoryLimitBytes = null) where T : unmanaged
    {
        using InferenceSession session = new(device, network, layout, plan, memoryLimitBytes);
        using DeviceBuffer<T> input = device.Allocate<T>(frame);
        using DeviceBuffer<T> restored = device.Allocate<T>(frame.Length);
        restored.Fill(queue, untouched);
        session.Enqueue(queue, input, restored, strength: 1).Dispose();
        return restored.ToArray(queue);
    }

    /// <summary>The same samples of 8 bits, but where weights that differ in their last bit moved a change across a half: one code, and rarely.</summary>
    public static void AssertSame(ReadOnlySpan<byte> expected, ReadOnlySpan<byte> actual)
    {
        Assert.Equal(expected.Length, actual.Length);
        int moved = 0;
        for (int i = 0; i < expected.Length; i++)
        {
            Assert.InRange(actual[i], Math.Max(0, expected[i] - 1), expected[i] + 1);
            if (actual[i] != expected[i]) moved++;
        }
        Assert.InRange(moved, 0, 1 + expected.Length / 1000);
    }

    /// <summary>Every sample of a frame of noise must be the old one plus the rounded change that the reference finds.</summary>
    public static void AssertRight(ComputeDevice device, CommandQueue queue, Network network, FrameFormat format, InferencePlan plan)
    {
        int C = network.Description.C;
        Random random = new(7);
        int[] codes = [.. Enumerable.Range(0, format.Width * format.Height * format.SamplesPerPixel).Select(_ => random.Next(format.MaxValue + 1))];
        SampleLayout layout = SampleLayout.Of(format, C);
        int[] restored = format.BytesPerSample == 1
            ? Array.ConvertAll(Run(device, queue, network, layout, Array.ConvertAll(codes, code => (byte)code), (byte)0, plan), code => (int)code)
            : Array.ConvertAll(Run(device, queue, network, layout, Array.ConvertAll(codes, code => (ushort)(code * format.CodeStep)), (ushort)0, plan), word => word / format.CodeStep);

        Tensor working = WorkingValues(format, layout, codes, C);
        Tensor sharp = ReferenceConvolution.Forward(network, working);
        for (int i = 0; i < codes.Length; i++)
        {
            if (SampleOrder.IsAlpha(format, i))
            {
                Assert.Equal(codes[i], restored[i]);
                continue;
            }
            (int c, int y, int x) = Position(format, i, C);
            double change = (sharp[0, c, y, x] - working[0, c, y, x]) * layout.CodesPerUnit;
            // A change that rounding noise moves across a half may become the next code.
            double tolerance = 0.5 + 1e-5 * layout.CodesPerUnit;
            Assert.True(Math.Abs(Math.Clamp(codes[i] + change, 0, format.MaxValue) - restored[i]) <= tolerance, $"{format.Pixels} sample {i}: {codes[i]} with a change of {change:f3} became {restored[i]}");
        }
    }

    private static Tensor WorkingValues(FrameFormat format, SampleLayout layout, int[] codes, int C)
    {
        Tensor working = new(1, C, format.Height, format.Width);
        for (int y = 0; y < format.Height; y++)
        for (int x = 0; x < format.Width; x++)
        for (int c = 0; c < C; c++)
        {
            int pixel = y * format.Width + x;
            int at = pixel * format.SamplesPerPixel, red = SampleOrder.Red(format.Pixels);
            double code = C == 3 ? codes[at + (c == 0 ? red : c == 1 ? 1 : 2 - red)]
                : !format.IsRgb ? codes[at]
                : 65.481 * codes[at + red] + 128.553 * codes[at + 1] + 24.966 * codes[at + 2 - red];
            working[0, c, y, x] = layout.Offset + layout.Scale * format.CodeStep * code;
        }
        return working;
    }

    private static (int C, int Y, int X) Position(FrameFormat format, int i, int C)
    {
        int pixel = i / format.SamplesPerPixel, sample = i % format.SamplesPerPixel;
        int c = C != 3 ? 0 : sample == 1 ? 1 : sample == SampleOrder.Red(format.Pixels) ? 0 : 2;
        return (c, pixel / format.Width, pixel % format.Width);
    }
}
