using OpenCvSharp;
using RealtimeDeblur.Training.Data;

namespace RealtimeDeblur.Training.Evaluation;

/// <summary>
/// Unsharp masking at its best, as a baseline: restored = y + amount (y - G*y), with the Gaussian G of the true sigma and, for each picture, the amount that
/// comes nearest to the truth in the least-squares sense. Nobody can choose the amount that well without the truth.
/// </summary>
internal static class UnsharpMask
{
    public static LumaPlane Restore(LumaPlane blurred, double sigma, LumaPlane sharp)
    {
        using Mat y = blurred.ToMat(MatType.CV_64FC1);
        using Mat softer = Degradation.GaussianBlur(y, sigma);
        using Mat truth = sharp.ToMat(MatType.CV_64FC1);
        using Mat detail = new();
        using Mat missing = new();
        Cv2.Subtract(y, softer, detail);
        Cv2.Subtract(truth, y, missing);

        Rect measured = new(ImageQuality.Border, ImageQuality.Border, blurred.W - 2 * ImageQuality.Border, blurred.H - 2 * ImageQuality.Border);
        using Mat measuredDetail = detail[measured];
        using Mat measuredMissing = missing[measured];
        double energy = measuredDetail.Dot(measuredDetail);
        double amount = energy > 0 ? measuredMissing.Dot(measuredDetail) / energy : 0;
        using Mat restored = new();
        Cv2.AddWeighted(y, 1, detail, amount, 0, restored);
        return LumaPlane.FromMat(restored);
    }
}
