using OpenCvSharp;
using RealtimeDeblur.Training.Data;

namespace RealtimeDeblur.Training.Evaluation;

/// <summary>
/// Unsharp masking at its best, as a baseline: restored = y + amount (y - G*y), with a Gaussian G and, for each picture, the amount that comes nearest to the truth in the
/// least-squares sense. Nobody can choose the amount that well without the truth.
/// </summary>
internal static class UnsharpMask
{
    /// <summary>Standard deviations that <see cref="RestoreByBestRadius"/> tries, in units of the true sigma.</summary>
    public static IReadOnlyList<float> RadiusFactors { get; } = [0.5f, 0.75f, 1, 1.5f, 2, 2.5f, 3];

    /// <summary>With the Gaussian of the true sigma.</summary>
    public static LumaPlane Restore(LumaPlane blurred, double sigma, LumaPlane sharp) => Restore(blurred, sharp, [sigma]);

    /// <summary>With the Gaussian that does best: noise and compression move it away from the true sigma.</summary>
    public static LumaPlane RestoreByBestRadius(LumaPlane blurred, double sigma, LumaPlane sharp) => Restore(blurred, sharp, [.. RadiusFactors.Select(factor => factor * sigma)]);

    private static LumaPlane Restore(LumaPlane blurred, LumaPlane sharp, IReadOnlyList<double> radii)
    {
        using Mat y = blurred.ToMat(MatType.CV_64FC1);
        using Mat truth = sharp.ToMat(MatType.CV_64FC1);
        using Mat missing = new();
        Cv2.Subtract(truth, y, missing);
        Rect measured = new(ImageQuality.Border, ImageQuality.Border, blurred.W - 2 * ImageQuality.Border, blurred.H - 2 * ImageQuality.Border);
        using Mat measuredMissing = missing[measured];

        (double amount, double radius, double gain) = (0, 0, 0);
        foreach (double tried in radii)
        {
            using Mat detail = Detail(y, tried);
            using Mat measuredDetail = detail[measured];
            double energy = measuredDetail.Dot(measuredDetail);
            if (energy == 0) continue;
            // The best amount is <missing, detail>/<detail, detail>; it lowers the squared error by <missing, detail>^2/<detail, detail>.
            double product = measuredMissing.Dot(measuredDetail);
            if (product * product / energy > gain) (amount, radius, gain) = (product / energy, tried, product * product / energy);
        }
        using Mat chosen = Detail(y, radius);
        using Mat restored = new();
        Cv2.AddWeighted(y, 1, chosen, amount, 0, restored);
        return LumaPlane.FromMat(restored);
    }

    /// <summary>y - G*y.</summary>
    private static Mat Detail(Mat y, double radius)
    {
        using Mat softer = Degradation.GaussianBlur(y, radius);
        Mat detail = new();
        Cv2.Subtract(y, softer, detail);
        return detail;
    }
}
