using OpenCvSharp;
using RealtimeDeblur.Compute;
using RealtimeDeblur.Imaging;
using RealtimeDeblur.Networks;
using RealtimeDeblur.Restoration;
using RealtimeDeblur.Training.Data;
using RealtimeDeblur.Training.Evaluation;

namespace RealtimeDeblur.Training.Estimation;

/// <summary>What the device saw in a picture of known blur.</summary>
/// <param name="Sigma">The truth, in pixels.</param>
/// <param name="Features">[tiles][<see cref="EstimatorShape.Features"/>].</param>
internal sealed record EstimatorSample(float Sigma, float[] Features)
{
    public int Tiles => Features.Length / EstimatorShape.Features;
}

/// <summary>Statistics of planes of 8-bit luma, by the kernels that will make them at run time. Safe for use by several threads; the caller disposes it.</summary>
internal sealed class LumaFeatures(ComputeDevice device) : IDisposable
{
    private readonly Lock _lock = new();
    private readonly CommandQueue _queue = device.CreateQueue();
    private readonly Dictionary<(int W, int H), (SigmaTiles Tiles, DeviceBuffer<byte> Frame)> _bySize = [];

    /// <summary>[tiles][features] of a plane of limited range.</summary>
    public float[] Of(LumaPlane luma)
    {
        lock (_lock)
        {
            if (!_bySize.TryGetValue((luma.W, luma.H), out (SigmaTiles Tiles, DeviceBuffer<byte> Frame) made))
            {
                made = (new(device, SampleLayout.Of(new(PixelFormat.Gray8, luma.W, luma.H), C: 1)), device.Allocate<byte>(luma.Samples.Length));
                _bySize.Add((luma.W, luma.H), made);
            }
            made.Frame.Write(_queue, luma.Samples);
            made.Tiles.Enqueue(_queue, made.Frame);
            return made.Tiles.Features.ToArray(_queue);
        }
    }

    public void Dispose()
    {
        foreach ((SigmaTiles tiles, DeviceBuffer<byte> frame) in _bySize.Values)
        {
            tiles.Dispose();
            frame.Dispose();
        }
        _queue.Dispose();
    }
}

/// <summary>Draws samples from sharp pictures: scaled, cropped, mirrored, degraded.</summary>
internal static class EstimatorSampler
{
    // Multiples of 64, so that few kernels and buffers are needed; sides up to the training pictures'.
    private const int CropStep = 64, SmallestCrop = 128, LargestCrop = 768;

    // Many pictures of the world are sharpened, which looks like less blur; those that training begins with are hardly.
    private const double SharpenedShare = 0.4;

    /// <summary>All samples of a picture; the same for the same seed and name.</summary>
    /// <param name="features">Runs the statistics.</param>
    /// <param name="sharp">B, G, R of 8 bits.</param>
    /// <param name="name">Of the picture.</param>
    /// <param name="options">What to draw.</param>
    public static List<EstimatorSample> Draw(LumaFeatures features, Mat sharp, string name, EstimatorOptions options)
    {
        SeededRandom random = new((ulong)options.Seed, name);
        List<EstimatorSample> samples = [];
        for (int i = 0; i < options.SamplesPerPicture; i++)
        {
            using Mat crop = Crop(sharp, random);
            float sigma = DrawSigma(random);
            samples.Add(new(sigma, features.Of(options.Degradation == DegradationKind.Camera ? ByCamera(crop, sigma, random) : ByGaussian(crop, sigma, random))));
        }
        return samples;
    }

    /// <summary>One in ten is sharp, one in seven nearly so; the others spread evenly over the logarithm, which gives the small ones weight.</summary>
    internal static float DrawSigma(SeededRandom random)
    {
        double kind = random.NextDouble(), u = random.NextDouble();
        return kind < 0.1 ? 0 : kind < 0.25 ? (float)(0.1 + 0.4 * u) : (float)(0.5 * Math.Pow(SigmaEstimate.MaxSigma / 0.5, u));
    }

    /// <summary>
    /// A part of the picture, at its size or scaled down to as little as half: many pictures are not sharp to the pixel themselves, and their smaller copies are.
    /// Every method of scaling has its own sharpness.
    /// </summary>
    private static Mat Crop(Mat sharp, SeededRandom random)
    {
        double scale = random.NextDouble() < 0.5 ? 1 : 0.5 + 0.45 * random.NextDouble();
        InterpolationFlags method = random.NextInt(0, 3) switch { 0 => InterpolationFlags.Area, 1 => InterpolationFlags.Cubic, 2 => InterpolationFlags.Lanczos4, _ => InterpolationFlags.Linear };
        Mat scaled = new();
        try
        {
            if (scale < 1 && Math.Min(sharp.Width, sharp.Height) * scale >= SmallestCrop) Cv2.Resize(sharp, scaled, default, scale, scale, method);
            else sharp.CopyTo(scaled);
            if (random.NextDouble() < SharpenedShare) Sharpen(scaled, random);
            int W = Side(scaled.Width, random), H = Side(scaled.Height, random);
            using Mat part = new(scaled, new Rect(random.NextInt(0, scaled.Width - W), random.NextInt(0, scaled.Height - H), W, H));
            Mat crop = new();
            if (random.NextDouble() < 0.5) Cv2.Flip(part, crop, FlipMode.Y);
            else part.CopyTo(crop);
            return crop;
        }
        finally
        {
            scaled.Dispose();
        }
    }

    /// <summary>Unsharp masking, as cameras, scanners and retouchers do.</summary>
    private static void Sharpen(Mat picture, SeededRandom random)
    {
        double amount = 0.1 + 0.8 * random.NextDouble(), radius = 0.5 + 1.5 * random.NextDouble();
        using Mat blurred = Degradation.GaussianBlur(picture, radius);
        Cv2.AddWeighted(picture, 1 + amount, blurred, -amount, 0, picture);
    }

    private static int Side(int available, SeededRandom random)
    {
        int most = Math.Min(available, LargestCrop);
        return most <= SmallestCrop ? most : random.NextInt(SmallestCrop / CropStep, most / CropStep) * CropStep;
    }

    private static LumaPlane ByCamera(Mat crop, float sigma, SeededRandom random)
    {
        using Mat degraded = Degradation.RandomCamera(sigma, shapeShare: 0, random).Apply(crop, random);
        return LumaPlane.Of(degraded);
    }

    /// <summary>Blur alone in two of five samples; noise, JPEG or both on top of it in the others: what was trained on clean pictures alone is wrong by half on others.</summary>
    private static LumaPlane ByGaussian(Mat crop, float sigma, SeededRandom random)
    {
        double kind = random.NextDouble();
        float noise = kind is >= 0.4 and < 0.7 ? (float)(0.2 + 2.8 * random.NextDouble()) : 0;
        int? quality = kind >= 0.6 ? random.NextInt(70, 98) : null;
        using Mat luma = LumaPlane.Of(crop).ToMat(MatType.CV_8UC1);
        using Mat degraded = new LumaDegradation(sigma, noise, quality).Apply(luma, random);
        return LumaPlane.FromMat(degraded);
    }
}
