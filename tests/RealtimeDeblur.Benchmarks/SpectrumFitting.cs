using System.CommandLine;
using System.Globalization;
using OpenCvSharp;
using RealtimeDeblur.Compute;
using RealtimeDeblur.Imaging;
using RealtimeDeblur.Restoration;
using RealtimeDeblur.Restoration.Methods;
using RealtimeDeblur.Training.Data;
using RealtimeDeblur.Training.Estimation;
using RealtimeDeblur.Training.Evaluation;

namespace RealtimeDeblur.Benchmarks;

/// <summary>
/// Fits <see cref="SpectrumEstimator.SigmaPerAlpha"/> to pictures blurred with known sigma, and prints how far the estimator is off. The factor is the median of sigma/alpha over pictures, sigmas, and
/// noise of 0 and 1/255; more noise reads as more blur.
/// </summary>
internal static class SpectrumFitting
{
    private static readonly float[] Sigmas = [0.5f, 0.7f, 1, 1.6f, 2, 3];

    private static readonly float[] Noises = [0, 1, 2];

    /// <summary>Below, estimates scatter by more than the factor could mend.</summary>
    private const float SmallestFittedSigma = 0.7f;

    private const float LargestFittedNoise = 1;

    public static Command Create(Option<string?> device)
    {
        Argument<string> folder = new("DIR") { Description = "Folder of sharp pictures, or of such folders." };
        Option<int> every = new("--every") { Description = "Takes one picture of so many.", DefaultValueFactory = _ => 1 };
        Command command = new("spectrum-fit", "Fits the spectrum's estimate of sigma to known blur, and prints its bias and spread.") { folder, every, device };
        command.SetAction(parsed =>
        {
            using ComputeDevice opened = ComputeDevice.Open(parsed.GetValue(device));
            foreach (EvaluationSet set in EvaluationSet.Find(parsed.GetValue(folder)!)) Measure(opened, set, parsed.GetValue(every));
        });
        return command;
    }

    private static void Measure(ComputeDevice device, EvaluationSet set, int every)
    {
        List<(float Sigma, float Noise, double Estimate)> found = [];
        foreach (string file in set.Files.Where((_, i) => i % every == 0))
        {
            using Mat? picture = PictureFile.Decode(File.ReadAllBytes(file)).Picture;
            if (picture is null || Math.Min(picture.Width, picture.Height) < SpectrumEstimator.MinimumSide) continue;
            using Mat luma = LumaPlane.Of(picture).ToMat(MatType.CV_8UC1);
            using CommandQueue queue = device.CreateQueue();
            using SpectrumEstimator estimator = new(device, new FrameFormat(PixelFormat.Gray8, luma.Width, luma.Height));
            using DeviceBuffer<byte> frame = device.Allocate<byte>((long)luma.Width * luma.Height);
            foreach (float sigma in Sigmas)
            foreach (float noise in Noises)
            {
                using Mat blurred = new LumaDegradation(sigma, noise, JpegQuality: null).Apply(luma, new SeededRandom(1, FormattableString.Invariant($"{Path.GetFileName(file)}/{sigma}/{noise}")));
                frame.Write(queue, LumaPlane.FromMat(blurred).Samples);
                estimator.Enqueue(queue, frame);
                SigmaEstimate estimate = estimator.Read();
                if (estimate.IsKnown) found.Add((sigma, noise, estimate.Sigma));
            }
        }
        double[] factors = [.. found.Where(one => one.Sigma >= SmallestFittedSigma && one.Noise <= LargestFittedNoise).Select(one => SpectrumEstimator.SigmaPerAlpha * one.Sigma / one.Estimate).Order()];
        Console.WriteLine(string.Create(CultureInfo.InvariantCulture, $"{set.Name}: sigma per alpha {Quantile(factors, 0.5):0.000} (in use {SpectrumEstimator.SigmaPerAlpha}); median estimate [16 %, 84 %], share called sharp"));
        foreach (float noise in Noises)
        {
            Console.WriteLine($"  noise {noise}/255: " + string.Join("  ", Sigmas.Select(sigma =>
            {
                double[] estimates = [.. found.Where(one => one.Sigma == sigma && one.Noise == noise).Select(one => one.Estimate).Order()];
                return string.Create(CultureInfo.InvariantCulture, $"{sigma}: {Quantile(estimates, 0.5):0.00} [{Quantile(estimates, 0.16):0.00}, {Quantile(estimates, 0.84):0.00}] {(double)estimates.Count(one => one < SigmaEstimate.SharpLimit) / estimates.Length:0%}");
            })));
        }
    }

    private static double Quantile(double[] sorted, double share) => sorted[(int)Math.Round(share * (sorted.Length - 1))];
}
