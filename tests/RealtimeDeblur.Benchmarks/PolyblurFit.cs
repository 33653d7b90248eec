using System.CommandLine;
using System.Globalization;
using OpenCvSharp;
using RealtimeDeblur.Compute;
using RealtimeDeblur.Networks;
using RealtimeDeblur.Restoration;
using RealtimeDeblur.Restoration.Methods;
using RealtimeDeblur.Training.Data;
using RealtimeDeblur.Training.Evaluation;

namespace RealtimeDeblur.Benchmarks;

/// <summary>
/// Fits the two constants of Polyblur's model, sigma^2 = slope^2 / m^2 - own^2, for the gradients that the device takes (<c>restore/polyblur_estimate.cl</c>), and says how far estimates are off.
/// The published protocol: patches of 400x400, blurred by Gaussians of any direction with sigma0 uniform in [0.3, 4] and sigma1 = max(0.3, sigma0 * u), u uniform in [0.33, 1], noise added; the least sum of |error| of sigma^2.
/// Patches are luma, rounded to 8 bits like frames are. The noise is an option, as it decides what the constants are good for.
/// </summary>
internal static class PolyblurFit
{
    private const int Side = 400, Iterations = 200;
    private const float LeastSigma = 0.3f, MostSigma = 4, LeastRatio = 0.33f;

    public static Command Create(Option<string?> device)
    {
        Argument<string> pictures = new("pictures") { Description = "Folder of sharp pictures of 400x400 or more." };
        Option<int> patches = new("--patches") { Description = "Patches per picture.", DefaultValueFactory = _ => 4 };
        Option<float[]> noise = new("--noise") { Description = "Least and most standard deviation of the noise, in percent of full scale.", AllowMultipleArgumentsPerToken = true, DefaultValueFactory = _ => [0, 1] };
        Command command = new("polyblur-fit", "Fits the constants of Polyblur's estimator on photographs.") { pictures, patches, noise, device };
        command.SetAction(parsed =>
        {
            using ComputeDevice opened = ComputeDevice.Open(parsed.GetValue(device));
            float[] range = parsed.GetValue(noise)!;
            Run(opened, parsed.GetValue(pictures)!, parsed.GetValue(patches), range[0] / 100, range[^1] / 100);
        });
        return command;
    }

    private static void Run(ComputeDevice device, string folder, int patches, float leastNoise, float mostNoise)
    {
        List<(double Variance, double Slope)> samples = [];
        using CommandQueue queue = device.CreateQueue();
        using DeviceBuffer<byte> frame = device.Allocate<byte>(Side * Side);
        using PolyblurEstimator estimator = new(device, SampleLayout.Of(new(Imaging.PixelFormat.Gray8, Side, Side), C: 1));
        Random random = new(1);
        foreach (string file in PictureFile.List(folder))
        {
            (Mat? picture, _) = PictureFile.Decode(File.ReadAllBytes(Path.Combine(folder, file)));
            using (picture)
            {
                if (picture is null || picture.Width < Side || picture.Height < Side) continue;
                for (int i = 0; i < patches; i++)
                {
                    using Mat cut = new(picture, new Rect(random.Next(picture.Width - Side + 1), random.Next(picture.Height - Side + 1), Side, Side));
                    float sigma0 = Between(LeastSigma, MostSigma), sigma1 = MathF.Max(LeastSigma, sigma0 * Between(LeastRatio, 1)), angle = Between(0, MathF.PI);
                    using Mat patch = cut.Clone();
                    using Mat degraded = Blur(patch, sigma0, sigma1, angle);
                    AddNoise(degraded, random, Between(leastNoise, mostNoise));
                    frame.Write(queue, LumaPlane.FromMat(degraded).Samples);
                    estimator.Enqueue(queue, frame);
                    estimator.Read();
                    float[] estimate = new float[PolyblurEdges.EstimateFloats];
                    estimator.Estimates.Read(queue, estimate);
                    // A patch without contrast tells nothing.
                    if (estimate[PolyblurEdges.SmallestSlopeAt] <= 0) continue;
                    samples.Add((sigma0 * sigma0, estimate[PolyblurEdges.SmallestSlopeAt]));
                    samples.Add((sigma1 * sigma1, estimate[PolyblurEdges.SmallestSlopeAt + 1]));
                }
            }
        }
        (double slope, double own) = Fit(samples);
        Console.WriteLine(string.Create(CultureInfo.InvariantCulture, $"{samples.Count / 2} patches, noise {100 * leastNoise} to {100 * mostNoise} %: slope {slope:F4}, own {own:F4}"));
        foreach ((float from, float to) in ((float, float)[])[(LeastSigma, 0.7f), (0.7f, 1.2f), (1.2f, 1.8f), (1.8f, 2.5f), (2.5f, MostSigma)])
        {
            double[] errors = [.. samples.Where(one => one.Variance >= from * from && one.Variance < to * to).Select(one => Math.Sqrt(Math.Clamp(slope * slope / (one.Slope * one.Slope) - own * own, LeastSigma * LeastSigma, MostSigma * MostSigma) / one.Variance) - 1)];
            Console.WriteLine(string.Create(CultureInfo.InvariantCulture,
                $"  sigma {from} to {to}: {errors.Length} axes, relative error: median {EstimatorEvaluation.Percentile(errors, 0.5):F3}, of its size {EstimatorEvaluation.Percentile([.. errors.Select(Math.Abs)], 0.5):F3}, quarters {EstimatorEvaluation.Percentile(errors, 0.25):F3} and {EstimatorEvaluation.Percentile(errors, 0.75):F3}"));
        }

        float Between(float least, float most) => least + (most - least) * random.NextSingle();
    }

    private static Mat Blur(Mat picture, float sigma0, float sigma1, float angle)
    {
        using Mat luma = LumaPlane.Of(picture).ToMat(MatType.CV_32FC1);
        using Mat psf = BlurShape.Anisotropic(sigma0 / sigma1, angle).Psf(MathF.Sqrt(sigma0 * sigma1));
        Mat blurred = new();
        Cv2.Filter2D(luma, blurred, MatType.CV_32F, psf);
        return blurred;
    }

    private static unsafe void AddNoise(Mat luma, Random random, float deviation)
    {
        (int W, int H) = (luma.Width, luma.Height);
        for (int y = 0; y < H; y++)
        {
            Span<float> row = new((void*)luma.Ptr(y), W);
            foreach (ref float value in row) value += 255 * deviation * (float)(Math.Sqrt(-2 * Math.Log(1 - random.NextDouble())) * Math.Cos(2 * Math.PI * random.NextDouble()));
        }
    }

    /// <summary>The slope and intercept of variance against 1 / m^2 with the least sum of |error|, by squares that are weighted anew until they have become that.</summary>
    private static (double Slope, double Own) Fit(List<(double Variance, double Slope)> samples)
    {
        const double Smallest = 1e-6;
        double a = 0, b = 0;
        double[] weights = [.. samples.Select(_ => 1.0)];
        for (int i = 0; i < Iterations; i++)
        {
            double n = 0, sx = 0, sy = 0, sxx = 0, sxy = 0;
            for (int s = 0; s < samples.Count; s++)
            {
                (double x, double y, double w) = (1 / (samples[s].Slope * samples[s].Slope), samples[s].Variance, weights[s]);
                (n, sx, sy, sxx, sxy) = (n + w, sx + w * x, sy + w * y, sxx + w * x * x, sxy + w * x * y);
            }
            a = (n * sxy - sx * sy) / (n * sxx - sx * sx);
            b = (sy - a * sx) / n;
            for (int s = 0; s < samples.Count; s++) weights[s] = 1 / Math.Max(Math.Abs(samples[s].Variance - a / (samples[s].Slope * samples[s].Slope) - b), Smallest);
        }
        return (Math.Sqrt(Math.Max(a, 0)), Math.Sqrt(Math.Max(-b, 0)));
    }
}
