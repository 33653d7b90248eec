using RealtimeDeblur.Compute;
using RealtimeDeblur.Networks;
using RealtimeDeblur.Tests.Networks;
using RealtimeDeblur.Tests.Reference;
using RealtimeDeblur.Tests.Training.Layers;
using RealtimeDeblur.Training.Data;
using RealtimeDeblur.Training.Layers;
using RealtimeDeblur.Training.Patches;
using Xunit;

namespace RealtimeDeblur.Tests.Training.Patches;

/// <summary>Patches made on the device against plain loops over the same picture.</summary>
public sealed class PatchDegraderTests
{
    private const int Size = 36, Pad = 6, Outer = Size + 2 * Pad, Width = 70, Height = 53;

    [Theory]
    [InlineData(1, 0f, 0)]
    [InlineData(1, 0.5f, 1)]
    [InlineData(1, 1.6f, 6)]
    [InlineData(3, 3f, 3)]
    [InlineData(3, 2f, 4)]
    public void Enqueue_Gaussian_BlursTurnsAndRounds(int C, float sigma, int orientation)
    {
        byte[] picture = Picture(C);
        // The input reaches past the picture on the left and below, where it mirrors.
        PatchPlan plan = PatchSampler.Plan(new(0, Width, Height), -4, 9, orientation, new(sigma), 1, 1);
        (Tensor blurred, Tensor sharp) = Degrade(C, picture, [plan], DegradationKind.Gaussian);

        double[] taps = new double[2 * 12 + 1 + 16];
        int radius = (int)Math.Ceiling(4 * sigma);
        for (int i = -radius; i <= radius; i++) taps[radius + i] = sigma > 0 ? Math.Exp(-i * i / (2.0 * sigma * sigma)) : 1;
        double sum = taps.Sum();
        for (int c = 0; c < C; c++)
        for (int y = 0; y < Outer; y++)
        for (int x = 0; x < Outer; x++)
        {
            double value = 0;
            for (int i = -radius; i <= radius; i++)
            for (int j = -radius; j <= radius; j++)
                value += taps[radius + i] * taps[radius + j] / (sum * sum) * At(picture, c, orientation, y + i, x + j);
            // A value next to a rounding boundary may fall to either side.
            Assert.True(Math.Abs(blurred[0, c, y, x] * 255 - value) <= 0.501, $"c {c}, y {y}, x {x}: {blurred[0, c, y, x] * 255} for {value}");
            Assert.Equal(Math.Round(blurred[0, c, y, x] * 255), blurred[0, c, y, x] * 255, 1e-3);
            if (y < Size && x < Size) Assert.Equal(At(picture, c, orientation, y + Pad, x + Pad), sharp[0, c, y, x] * 255, 1e-3);
        }
    }

    [Fact]
    public void Enqueue_CameraWithoutNoiseAndJpeg_BlursInLinearLight()
    {
        // Left half black, right half white: half the light is code value 188 of sRGB, not 128. In luma, 16 + 219 * 0.735.
        byte[] picture = new byte[Width * Height];
        for (int i = 0; i < picture.Length; i++) picture[i] = i % Width < Width / 2 ? (byte)16 : (byte)235;
        Degradation camera = new(2f) { LinearLight = true };
        (Tensor blurred, _) = Degrade(1, picture, [PatchSampler.Plan(new(0, Width, Height), 10, 2, 0, camera, 1, 1)], DegradationKind.Camera);
        double edge = (blurred[0, 0, 20, Width / 2 - 1 - 10] + blurred[0, 0, 20, Width / 2 - 10]) / 2 * 255;
        Assert.Equal(16 + 219 * 0.735, edge, 3.0);
        Assert.Equal(16, blurred[0, 0, 20, 0] * 255, 0.01);
        Assert.Equal(235, blurred[0, 0, 20, Outer - 1] * 255, 0.01);
    }

    [Fact]
    public void Enqueue_CameraNoise_HasTheStatedDeviationAndRepeats()
    {
        byte[] picture = new byte[Width * Height];
        Array.Fill(picture, (byte)(16 + 219 / 2));      // mid-grey
        Degradation camera = Degradation.Camera(0, noise: 4, jpegQuality: null);
        PatchPlan[] plans = [.. Enumerable.Range(1, 4).Select(seed => PatchSampler.Plan(new(0, Width, Height), 0, 0, 0, camera, 1, seed))];
        (Tensor blurred, _) = Degrade(1, picture, plans, DegradationKind.Camera);
        (Tensor again, _) = Degrade(1, picture, plans, DegradationKind.Camera);
        Assert.Equal(blurred.Values, again.Values);

        double mean = blurred.Values.Average() * 255, deviation = Math.Sqrt(blurred.Values.Average(value => Math.Pow(value * 255 - mean, 2)));
        Assert.Equal(125, mean, 0.5);
        // 4/255 in linear light times the slope of sRGB's curve at mid-grey (1.09) and of luma's range (219/255).
        Assert.Equal(4 * 1.09 * 219 / 255, deviation, 0.2);
        Assert.NotEqual(blurred.Values[..1000], blurred.Values[(Outer * Outer)..(Outer * Outer + 1000)]);
    }

    [Fact]
    public void Enqueue_CameraJpeg_LosesMoreAtLowerQuality()
    {
        byte[] picture = Picture(1);
        double[] errors = [.. new int?[] { null, 95, 80, 30 }.Select(quality =>
        {
            Degradation camera = new(0) { LinearLight = true, JpegQuality = quality };
            (Tensor blurred, Tensor sharp) = Degrade(1, picture, [PatchSampler.Plan(new(0, Width, Height), 8, 4, 0, camera, 1, 1)], DegradationKind.Camera);
            double sum = 0;
            for (int y = 0; y < Size; y++)
            for (int x = 0; x < Size; x++)
                sum += Math.Pow((blurred[0, 0, y + Pad, x + Pad] - sharp[0, 0, y, x]) * 255, 2);
            return Math.Sqrt(sum / (Size * Size));
        })];
        Assert.True(errors[0] < 0.5, $"without JPEG the error is {errors[0]:F2}");
        Assert.True(errors[1] is > 0.3 and < 4, $"at quality 95 the error is {errors[1]:F2}");
        Assert.True(errors[1] < errors[2] && errors[2] < errors[3], $"errors {string.Join(", ", errors.Select(e => e.ToString("F2")))}");
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

    /// <summary>Sample of the patch's input at (y, x), by the documented meaning of orientation and mirroring; left -4, top 9.</summary>
    private static double At(byte[] picture, int c, int orientation, int y, int x)
    {
        // Flips and transposition act on the whole cut, which is symmetric about the input's centre.
        (int u, int v) = (orientation & 4) != 0 ? (y, x) : (x, y);
        if ((orientation & 1) != 0) u = Outer - 1 - u;
        if ((orientation & 2) != 0) v = Outer - 1 - v;
        return picture[c * Width * Height + Mirror(9 + v, Height) * Width + Mirror(-4 + u, Width)];
    }

    private static int Mirror(int i, int size) => i < 0 ? -i : i >= size ? 2 * size - 2 - i : i;

    private static (Tensor Blurred, Tensor Sharp) Degrade(int C, byte[] picture, PatchPlan[] plans, DegradationKind kind)
    {
        using ComputeDevice device = TestDevice.OpenOrSkip();
        using CommandQueue queue = device.CreateQueue();
        Network network = RandomNetwork.Create(NetworkDescription.Dbcnn(C, 9, 16, 1, 16, 5), seed: 1);
        using DeviceTraining run = new(queue, network, plans.Length, Size, LossKind.Mse);
        using DeviceBuffer<byte> samples = device.Allocate<byte>((ReadOnlySpan<byte>)picture);
        using PatchDegrader degrader = new(queue, samples, run.Graph, kind, plans.Max(plan => plan.Sigma), steps: 2);
        degrader.Upload([.. plans, .. plans]);
        degrader.Enqueue(1);
        return (DeviceTraining.Read(queue, run.Graph.Blurred, C), DeviceTraining.Read(queue, run.Graph.Sharp, C));
    }
}
