using RealtimeDeblur.Compute;
using RealtimeDeblur.Imaging;
using RealtimeDeblur.Networks;
using RealtimeDeblur.Restoration;
using Xunit;

namespace RealtimeDeblur.Tests.Restoration;

/// <summary>What the guard is for, on pictures made here: fallen leaves (discs of any size and grey on top of each other), whose spectrum is that of photographs.</summary>
public sealed class GuardedRestorationTests : IDisposable
{
    private const int W = 320, H = 192, Margin = 8;
    private const double Black = 16, White = 235;

    private static readonly Network Wiener = WienerNetwork.Create();

    private readonly ComputeDevice _device = TestDevice.OpenOrSkip();

    public static TheoryData<float> Sigmas => [.. WienerNetwork.Sigmas];

    public void Dispose() => _device.Dispose();

    [Theory]
    [InlineData(1.6f)]
    [InlineData(2f)]
    public void Process_LeftHalfSharp_KeepsItAndRestoresTheRight(float sigma)
    {
        double[] sharp = Leaves(seed: 1), blurred = Blur(sharp, sigma);
        byte[] input = ToCodes([.. sharp.Select((value, i) => i % W < W / 2 ? value : blurred[i])]);
        byte[] guarded = Restore(input, sigma, guard: true), unguarded = Restore(input, sigma, guard: false);
        double[] before = [.. input.Select(code => (double)code)];
        Assert.InRange(Psnr(before, guarded, 0, W / 2), 40, double.PositiveInfinity);
        Assert.InRange(Psnr(before, unguarded, 0, W / 2), 0, 20);       // or the test would not show anything
        Assert.InRange(Psnr(sharp, guarded, W / 2, W), Psnr(sharp, unguarded, W / 2, W) - 0.15, double.PositiveInfinity);
    }

    [Theory]
    [MemberData(nameof(Sigmas))]
    public void Process_BlurredEverywhere_IsAsGoodAsWithoutGuard(float sigma)
    {
        double[] sharp = Leaves(seed: 2);
        byte[] input = ToCodes(Blur(sharp, sigma));
        double without = Psnr(sharp, Restore(input, sigma, guard: false), 0, W);
        Assert.InRange(Psnr(sharp, Restore(input, sigma, guard: true), 0, W), without - 0.1, double.PositiveInfinity);
        Assert.InRange(without, Psnr(sharp, input, 0, W) + 1, double.PositiveInfinity);
    }

    [Theory]
    [MemberData(nameof(Sigmas))]
    public void Process_NoisyAndBlurred_IsNoWorseThanWithoutGuard(float sigma)
    {
        double[] sharp = Leaves(seed: 3);
        byte[] input = ToCodes(WithNoise(Blur(sharp, sigma), 2, new(1)));
        Assert.InRange(Psnr(sharp, Restore(input, sigma, guard: true), 0, W), Psnr(sharp, Restore(input, sigma, guard: false), 0, W) - 0.05, double.PositiveInfinity);
    }

    /// <summary>Lamps brighter than a camera can tell: their edges are steeper than those of a blurred disc.</summary>
    [Theory]
    [InlineData(1.6f, 12, 600)]
    [InlineData(2f, 25, 1500)]
    [InlineData(2f, 5, 900)]
    [InlineData(3f, 30, 2000)]
    public void Process_ClippedLamp_HasNoDarkRing(float sigma, int radius, double brightness)
    {
        const int RingW = 22;       // as far as the network's support reaches
        double[] background = [.. Enumerable.Range(0, W * H).Select(i => 50 + 10 * Math.Sin(i % W / 9.0) * Math.Sin(i / W / 7.0))];
        double[] distance = [.. Enumerable.Range(0, W * H).Select(i => Math.Sqrt(Math.Pow(i % W - W / 2, 2) + Math.Pow(i / W - H / 2, 2)))];
        byte[] input = ToCodes(Blur([.. background.Zip(distance, (value, d) => d < radius ? brightness : value)], sigma));
        Assert.InRange(RingDepth(guard: false), 40, 255);
        Assert.InRange(RingDepth(guard: true), -255, 8);

        // How far anything round the lamp falls below the scene.
        double RingDepth(bool guard) => Restore(input, sigma, guard).Select((code, i) => distance[i] >= radius && distance[i] < radius + RingW ? background[i] - code : 0).Max();
    }

    [Fact]
    public void Process_StillClipWithNoise_FlickersNoMoreThanWithoutGuard()
    {
        const int Frames = 12;
        const float Sigma = 2;
        double[] sharp = Leaves(seed: 4), soft = Blur(sharp, Sigma);
        // Sharp, soft and empty parts, and the borders between them.
        double[] scene = [.. soft.Select((value, i) => i % W < W / 3 ? sharp[i] : i % W < 2 * W / 3 ? value : 100)];
        var random = new Random(2);
        byte[][] clip = [.. Enumerable.Range(0, Frames).Select(_ => ToCodes(WithNoise(scene, 2, random)))];
        double[] input = Variance(clip), guarded = Variance(Restore(clip, guard: true)), unguarded = Variance(Restore(clip, guard: false));
        Assert.True(guarded.Average() < unguarded.Average() / 2, $"variance {guarded.Average():f1} with guard, {unguarded.Average():f1} without");
        // Nowhere, in blocks of 16 x 16, more than the network alone or the noise itself.
        for (int block = 0; block < W / 16 * (H / 16); block++)
        {
            int from = block / (W / 16) * 16 * W + block % (W / 16) * 16;
            double Mean(double[] variance) => Enumerable.Range(0, 256).Average(i => variance[from + i / 16 * W + i % 16]);
            Assert.InRange(Mean(guarded), 0, 1.1 * Math.Max(Mean(unguarded), Mean(input)));
        }

        byte[][] Restore(byte[][] frames, bool guard)
        {
            using Deblurrer deblurrer = Open(Sigma, guard);
            return [.. frames.Select(codes => Process(deblurrer, codes))];
        }
    }

    [Fact]
    public void Process_GuardOff_IsTheNetworkAlone()
    {
        byte[] input = ToCodes(Blur(Leaves(seed: 5), 1.6f));
        byte[] alone;
        using (var deblurrer = new Deblurrer(_device, Wiener.At(1.6f), new(PixelFormat.Gray8, W, H))) alone = Process(deblurrer, input);
        // Weights at a knot come to within a rounding.
        Assert.All(alone.Zip(Restore(input, 1.6f, guard: false)), pair => Assert.InRange(pair.Second - pair.First, -1, 1));
        Assert.NotEqual(alone, Restore(input, 1.6f, guard: true));
    }

    /// <summary>The network works in steps; so must the guard on what it left.</summary>
    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void Submit_SeveralInFlight_EqualsOneByOne(bool isApart)
    {
        byte[][] clip = [.. Enumerable.Range(0, 6).Select(seed => ToCodes(WithNoise(Blur(Leaves(seed), 2), 1, new(seed))))];
        using var deblurrer = new Deblurrer(_device, Wiener, new(PixelFormat.Gray8, W, H), new() { Sigma = SigmaSetting.Of(2) }, plan: null, memoryLimitBytes: null, isApart);
        for (int i = 0; i < clip.Length + Deblurrer.MaxInFlight; i++)
        {
            if (i >= Deblurrer.MaxInFlight)
            {
                using Frame collected = deblurrer.Collect();
                Assert.Equal(Restore(clip[i - Deblurrer.MaxInFlight], 2, guard: true), collected.Data);
            }
            if (i < clip.Length) deblurrer.Submit(ToFrame(clip[i]));
        }
    }

    [Fact]
    public void Process_StrengthZero_LeavesEverySample()
    {
        byte[] input = ToCodes(Blur(Leaves(seed: 6), 1.6f));
        using var deblurrer = new Deblurrer(_device, Wiener, new(PixelFormat.Gray8, W, H), new() { Sigma = SigmaSetting.Of(1.6f), Strength = 0 });
        Assert.Equal(input, Process(deblurrer, input));
    }

    private byte[] Restore(byte[] codes, float sigma, bool guard)
    {
        using Deblurrer deblurrer = Open(sigma, guard);
        return Process(deblurrer, codes);
    }

    private Deblurrer Open(float sigma, bool guard) => new(_device, Wiener, new(PixelFormat.Gray8, W, H), new() { Sigma = SigmaSetting.Of(sigma), Guard = guard });

    private static byte[] Process(Deblurrer deblurrer, byte[] codes)
    {
        using Frame frame = ToFrame(codes);
        deblurrer.Process(frame);
        return frame.Data.ToArray();
    }

    private static Frame ToFrame(byte[] codes)
    {
        var frame = new Frame(new(PixelFormat.Gray8, W, H));
        codes.CopyTo(frame.Data);
        return frame;
    }

    private static byte[] ToCodes(double[] luma) => [.. luma.Select(value => (byte)Math.Round(Math.Clamp(value, Black, White)))];

    /// <summary>Discs whose radius has a density of 1 / r^3, edges one pixel wide.</summary>
    private static double[] Leaves(int seed)
    {
        var random = new Random(seed);
        double[] scene = new double[W * H];
        Array.Fill(scene, 120);
        for (int n = 0; n < 4000; n++)
        {
            double radius = 1.2 / Math.Sqrt(1 - random.NextDouble() * 0.9995), grey = 30 + 190 * random.NextDouble();
            (double centreX, double centreY) = (random.NextDouble() * W, random.NextDouble() * H);
            for (int y = Math.Max(0, (int)(centreY - radius - 1)); y < Math.Min(H, centreY + radius + 2); y++)
            for (int x = Math.Max(0, (int)(centreX - radius - 1)); x < Math.Min(W, centreX + radius + 2); x++)
            {
                double inside = Math.Clamp(radius + 0.5 - Math.Sqrt((x - centreX) * (x - centreX) + (y - centreY) * (y - centreY)), 0, 1);
                scene[y * W + x] += inside * (grey - scene[y * W + x]);
            }
        }
        return scene;
    }

    private static double[] WithNoise(double[] scene, double deviation, Random random) =>
        [.. scene.Select(value => value + deviation * Math.Sqrt(-2 * Math.Log(1 - random.NextDouble())) * Math.Cos(2 * Math.PI * random.NextDouble()))];

    /// <summary>Gaussian to four sigmas, borders replicated.</summary>
    private static double[] Blur(double[] scene, float sigma)
    {
        int radius = (int)Math.Ceiling(4 * sigma);
        double[] taps = [.. Enumerable.Range(-radius, 2 * radius + 1).Select(k => Math.Exp(-k * k / (2.0 * sigma * sigma)))];
        double sum = taps.Sum();
        double[] down = new double[scene.Length], both = new double[scene.Length];
        for (int i = 0; i < scene.Length; i++)
        for (int k = -radius; k <= radius; k++)
            down[i] += taps[k + radius] / sum * scene[Math.Clamp(i / W + k, 0, H - 1) * W + i % W];
        for (int i = 0; i < scene.Length; i++)
        for (int k = -radius; k <= radius; k++)
            both[i] += taps[k + radius] / sum * down[i / W * W + Math.Clamp(i % W + k, 0, W - 1)];
        return both;
    }

    /// <summary>Over the columns of a part, a margin of the frame left out.</summary>
    private static double Psnr(double[] expected, byte[] actual, int left, int right)
    {
        double sum = 0, count = 0;
        for (int y = Margin; y < H - Margin; y++)
        for (int x = Math.Max(left, Margin); x < Math.Min(right, W - Margin); x++, count++)
            sum += Math.Pow(expected[y * W + x] - actual[y * W + x], 2);
        return 10 * Math.Log10(255.0 * 255 / (sum / count));
    }

    private static double[] Variance(byte[][] frames) => [.. Enumerable.Range(0, W * H).Select(i =>
    {
        double mean = frames.Average(frame => frame[i]);
        return frames.Average(frame => Math.Pow(frame[i] - mean, 2));
    })];
}
