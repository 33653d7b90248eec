using RealtimeDeblur.Compute;
using RealtimeDeblur.Imaging;
using RealtimeDeblur.Restoration;
using RealtimeDeblur.Tests.Training.Data;
using RealtimeDeblur.Training.Data;
using RealtimeDeblur.Training.Evaluation;
using OpenCvSharp;
using Xunit;

namespace RealtimeDeblur.Tests.Restoration;

/// <summary>The weights that ship, on pictures drawn here: nothing they were trained on, and no photographs either, so that only rough figures can be asked for.</summary>
public sealed class ShippedEstimatorTests
{
    [Theory]
    [InlineData("gaussian")]
    [InlineData("camera")]
    public void Load_ShippedName_IsTrainedForIt(string name)
    {
        EstimatorWeights weights = EstimatorWeights.Load(name);
        Assert.Equal(name, weights.TrainingRecord["degradation"]);
        Assert.True(weights.Shape.Members >= 1);
    }

    [Theory]
    [InlineData("gaussian", 1f)]
    [InlineData("gaussian", 1.6f)]
    [InlineData("gaussian", 2f)]
    [InlineData("gaussian", 3f)]
    [InlineData("camera", 1f)]
    [InlineData("camera", 1.6f)]
    [InlineData("camera", 2f)]
    [InlineData("camera", 3f)]
    public void Read_SyntheticPictureOfKnownBlur_IsRoughlyRight(string name, float sigma)
    {
        using ComputeDevice device = TestDevice.OpenOrSkip();
        using SyntheticScene scene = new(device, name);
        SigmaEstimate estimate = scene.Estimate(sigma);
        Assert.InRange(estimate.Sigma, 0.8f * sigma, 1.2f * sigma);
        Assert.False(estimate.IsSharp);
        Assert.InRange(estimate.Spread, 0, 0.5f);
    }

    [Theory]
    [InlineData("gaussian")]
    [InlineData("camera")]
    public void Read_SharpSyntheticPicture_IsSharp(string name)
    {
        using ComputeDevice device = TestDevice.OpenOrSkip();
        using SyntheticScene scene = new(device, name);
        Assert.True(scene.Estimate(0).IsSharp);
        Assert.False(scene.Estimate(0.8f).IsSharp);
    }

    /// <summary>Overlapping shapes of fractal texture with edges that are sharp to the pixel, in B, G, R.</summary>
    private sealed class SyntheticScene(ComputeDevice device, string weights) : IDisposable
    {
        private const int W = 480, H = 360;

        private readonly Mat _sharp = Draw();

        public SigmaEstimate Estimate(float sigma)
        {
            using Mat blurred = (weights == "camera" ? Degradation.Camera(sigma, noise: 1, jpegQuality: 90) : new Degradation(sigma)).Apply(_sharp, new(1, "noise"));
            LumaPlane luma = LumaPlane.Of(blurred);
            using CommandQueue queue = device.CreateQueue();
            using DeviceBuffer<byte> frame = device.Allocate<byte>(luma.Samples);
            using SigmaEstimator estimator = new(device, new FrameFormat(PixelFormat.Gray8, W, H), EstimatorWeights.Load(weights));
            estimator.Enqueue(queue, frame);
            return estimator.Read();
        }

        public void Dispose() => _sharp.Dispose();

        private static Mat Draw()
        {
            const int Fine = 3;     // drawn larger and averaged, as a sensor's pixels do
            RNG random = new(5);
            using Mat large = Fractal(random);
            for (int i = 0; i < 60; i++)
            {
                using Mat texture = Fractal(random);
                using Mat mask = new(large.Size(), MatType.CV_8UC1, Scalar.Black);
                Point centre = new(random.Uniform(0, W * Fine), random.Uniform(0, H * Fine));
                Size size = new(random.Uniform(20, 300), random.Uniform(20, 200));
                if (i % 2 == 0) Cv2.Ellipse(mask, centre, size, random.Uniform(0, 180), 0, 360, Scalar.White, thickness: -1);
                else Cv2.FillConvexPoly(mask, [.. new RotatedRect(new(centre.X, centre.Y), new(size.Width, size.Height), random.Uniform(0, 180)).Points().Select(p => new Point((int)p.X, (int)p.Y))], Scalar.White);
                texture.CopyTo(large, mask);
            }
            Mat sharp = new();
            Cv2.Resize(large, sharp, new Size(W, H), interpolation: InterpolationFlags.Area);
            return sharp;

            // Noise of every size, each as strong as its size: the spectrum of photographs.
            Mat Fractal(RNG numbers)
            {
                using Mat sum = new(H * Fine, W * Fine, MatType.CV_32FC3, Scalar.All(numbers.Uniform(30, 220)));
                for (int cell = 2; cell <= 256; cell *= 2)
                {
                    using Mat noise = new(H * Fine / cell + 2, W * Fine / cell + 2, MatType.CV_32FC3);
                    Cv2.Randn(noise, Scalar.All(0), Scalar.All(1.5 * Math.Sqrt(cell)));
                    using Mat stretched = new();
                    Cv2.Resize(noise, stretched, sum.Size(), interpolation: InterpolationFlags.Cubic);
                    Cv2.Add(sum, stretched, sum);
                }
                Mat texture = new();
                sum.ConvertTo(texture, MatType.CV_8UC3);
                return texture;
            }
        }
    }
}
