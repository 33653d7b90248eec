using OpenCvSharp;
using RealtimeDeblur.Tests.Training.Data;
using RealtimeDeblur.Training.Data;
using RealtimeDeblur.Training.Evaluation;
using Xunit;

namespace RealtimeDeblur.Tests.Training.Evaluation;

public sealed class BaselineTests
{
    [Theory]
    [InlineData(40, 33)]
    [InlineData(97, 61)]
    [InlineData(128, 75)]
    public void MirroredSpectrum_TimesTheTransferFunction_IsOpenCvsBlur(int W, int H)
    {
        using Mat picture = TestPictures.Draw(W, H, seed: 5);
        LumaPlane plane = LumaPlane.Of(picture);
        using Mat period = MirroredSpectrum.Extend(plane);
        double[] spectrum = MirroredSpectrum.Forward(period);
        using Mat same = MirroredSpectrum.Inverse(spectrum, W, H);
        using Mat expected = plane.ToMat(MatType.CV_64FC1);
        Assert.Equal(0, Cv2.Norm(expected, same, NormTypes.INF), 9);

        double[] x = MirroredSpectrum.GaussianTransfer(W, 1.3);
        double[] y = MirroredSpectrum.GaussianTransfer(H, 1.3);
        for (int i = 0; i < spectrum.Length; i++) spectrum[i] *= x[i % x.Length] * y[i / x.Length];
        using Mat blurred = MirroredSpectrum.Inverse(spectrum, W, H);
        using Mat byOpenCv = Degradation.GaussianBlur(expected, 1.3);

        // Where the picture was continued to a faster size its far border is reflected a little further out; the blur reaches 6 pixels.
        Rect inner = new(0, 0, W - 7, H - 7);
        using Mat a = blurred[inner];
        using Mat b = byOpenCv[inner];
        Assert.Equal(0, Cv2.Norm(a, b, NormTypes.INF), 9);
    }

    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    public void Baselines_BlurredPicture_ComesNearerToTheTruth(double sigma)
    {
        (LumaPlane sharp, LumaPlane blurred) = Blur(160, 120, sigma);
        double before = Psnr(sharp, blurred);
        WienerFilter wiener = new(blurred, sigma);
        double oracle = Psnr(sharp, wiener.Restore(wiener.BestRatio(sharp)));
        double fixedRatio = Psnr(sharp, wiener.Restore(WienerFilter.FixedRatio));
        double unsharp = Psnr(sharp, UnsharpMask.Restore(blurred, sigma, sharp));
        double polyblur = Psnr(sharp, Polyblur.Restore(blurred));
        string figures = $"blurred {before:0.00}, polyblur {polyblur:0.00}, unsharp {unsharp:0.00}, wiener {fixedRatio:0.00}, oracle {oracle:0.00}";
        Assert.True(polyblur > before + 0.3, figures);
        Assert.True(unsharp > polyblur, figures);
        Assert.True(fixedRatio > unsharp, figures);
        Assert.True(oracle > fixedRatio - 0.1, figures);
    }

    [Fact]
    public void BestRatio_AgainstOtherRatios_IsTheBest()
    {
        (LumaPlane sharp, LumaPlane blurred) = Blur(128, 96, 1.5);
        WienerFilter wiener = new(blurred, 1.5);
        double ratio = wiener.BestRatio(sharp);
        double best = SquaredError(sharp, wiener.Restore(ratio));
        foreach (double factor in (double[])[0.2, 0.5, 2, 5]) Assert.True(best < SquaredError(sharp, wiener.Restore(ratio * factor)), $"ratio {ratio}, factor {factor}");
    }

    [Fact]
    public void UnsharpMask_AgainstOtherAmounts_IsTheBest()
    {
        (LumaPlane sharp, LumaPlane blurred) = Blur(96, 96, 1.5);
        double best = Psnr(sharp, UnsharpMask.Restore(blurred, 1.5, sharp));
        using Mat y = blurred.ToMat(MatType.CV_64FC1);
        using Mat softer = Degradation.GaussianBlur(y, 1.5);
        using Mat masked = new();
        for (double amount = 0; amount <= 6; amount += 0.25)
        {
            Cv2.AddWeighted(y, 1 + amount, softer, -amount, 0, masked);
            Assert.True(Psnr(sharp, LumaPlane.FromMat(masked)) <= best + 0.02, $"amount {amount}");
        }
    }

    [Fact]
    public void UnsharpMask_OfTheBestRadius_IsNeverBehindTheTrueSigma()
    {
        (LumaPlane sharp, LumaPlane blurred) = Blur(96, 96, 1.5);
        double best = SquaredError(sharp, UnsharpMask.RestoreByBestRadius(blurred, 1.5, sharp));
        // A mask of another Gaussian, with its own best amount, is what the same search does with one radius.
        foreach (float factor in UnsharpMask.RadiusFactors) Assert.True(best <= 1.005 * SquaredError(sharp, UnsharpMask.Restore(blurred, 1.5 * factor, sharp)), $"factor {factor}");
        Assert.True(best < 0.999 * SquaredError(sharp, UnsharpMask.Restore(blurred, 1.5, sharp)));
    }

    [Fact]
    public void Baselines_NoBlur_LeaveThePicture()
    {
        (LumaPlane sharp, LumaPlane blurred) = Blur(64, 48, sigma: 0);
        WienerFilter wiener = new(blurred, 0);
        Assert.Equal(sharp.Samples, UnsharpMask.Restore(blurred, 0, sharp).Samples);
        Assert.Equal(sharp.Samples, wiener.Restore(wiener.BestRatio(sharp)).Samples);
    }

    [Fact]
    public void PolyblurEstimate_PictureWithFullContrastEdges_IsNearSigma()
    {
        // The model assumes an edge of full contrast in every direction: a disc has them all.
        using Mat disc = new(200, 200, MatType.CV_8UC3, Scalar.Black);
        Cv2.Circle(disc, new Point(100, 100), 60, Scalar.White, thickness: -1, lineType: LineTypes.AntiAlias);
        foreach (double sigma in (double[])[1, 1.6, 2, 3])
        {
            using Mat blurred = Degradation.GaussianBlur(disc, sigma);
            (double major, double minor, _) = Polyblur.EstimateBlur(LumaPlane.Of(blurred));
            Assert.InRange(major, 0.8 * sigma, 1.2 * sigma);
            Assert.InRange(minor, 0.8 * sigma, 1.2 * sigma);
        }
    }

    private static (LumaPlane Sharp, LumaPlane Blurred) Blur(int W, int H, double sigma)
    {
        using Mat drawn = TestPictures.Draw(W, H, seed: 11);
        // A photograph has less energy at the finest scale than the drawing's noise.
        using Mat picture = Degradation.GaussianBlur(drawn, 0.6);
        LumaPlane sharp = LumaPlane.Of(picture);
        using Mat luma = sharp.ToMat(MatType.CV_8UC1);
        using Mat blurred = Degradation.GaussianBlur(luma, sigma);
        return (sharp, LumaPlane.FromMat(blurred));
    }

    private static double Psnr(LumaPlane truth, LumaPlane plane) => ImageQuality.Psnr(truth.Samples, plane.Samples, truth.W, truth.H);

    private static double SquaredError(LumaPlane truth, LumaPlane plane) => truth.Samples.Zip(plane.Samples, (a, b) => (double)(a - b) * (a - b)).Sum();
}
