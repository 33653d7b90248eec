using System.Text.Json.Serialization;
using OpenCvSharp;

namespace RealtimeDeblur.Training.Data;

/// <summary>The kinds of point-spread function besides the isotropic Gaussian.</summary>
public enum BlurShapeKind
{
    /// <summary>A Gaussian with a long and a short axis, as astigmatism or slight motion leaves it.</summary>
    Anisotropic,

    /// <summary>A disc, as a lens out of focus leaves it.</summary>
    Disc,
}

/// <summary>
/// Shape of a blur that is no isotropic Gaussian. Its width is the sigma beside it, the value that a network's dial gets for it: the geometric mean of an anisotropic
/// Gaussian's two standard deviations, and half of a disc's radius, which gives the disc the Gaussian's variance (its edge, one pixel wide, adds 0.1). Every shape is cut at ceil(4 sigma) pixels to each side, as
/// the isotropic Gaussian is.
/// </summary>
/// <param name="Kind">The kind of shape.</param>
/// <param name="Ratio">Anisotropic: long standard deviation over short, 1 or more. Discs: 0.</param>
/// <param name="Angle">Anisotropic: direction of the long axis in radians, from right towards down. Discs: 0.</param>
internal sealed record BlurShape(
    BlurShapeKind Kind,
    [property: JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingDefault)] float Ratio = 0,
    [property: JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingDefault)] float Angle = 0)
{
    /// <summary>A disc of radius 2 sigma; its edge is one pixel wide.</summary>
    public static BlurShape Disc { get; } = new(BlurShapeKind.Disc);

    /// <summary>Standard deviations sigma*sqrt(ratio) along the axis and sigma/sqrt(ratio) across.</summary>
    public static BlurShape Anisotropic(float ratio, float angle) => new(BlurShapeKind.Anisotropic, ratio, angle);

    /// <summary>Pixels that a blur of any shape reaches beside its centre.</summary>
    public static int ReachOf(float sigma) => (int)MathF.Ceiling(4 * sigma);

    /// <summary>Radius of the disc of a sigma, in pixels.</summary>
    public static float RadiusOf(float sigma) => 2 * sigma;

    /// <summary>The point-spread function, sum 1, as OpenCV's filters take it. The caller disposes it.</summary>
    internal Mat Psf(float sigma)
    {
        int reach = ReachOf(sigma);
        Mat psf = new(2 * reach + 1, 2 * reach + 1, MatType.CV_32FC1);
        (double xx, double xy, double yy) = Kind == BlurShapeKind.Anisotropic ? Precision(sigma) : default;
        for (int y = -reach; y <= reach; y++)
        {
            for (int x = -reach; x <= reach; x++)
            {
                double weight = Kind == BlurShapeKind.Disc ? Math.Clamp(RadiusOf(sigma) + 0.5 - Math.Sqrt(x * x + y * y), 0, 1) : Math.Exp(-0.5 * (xx * x * x + 2 * xy * x * y + yy * y * y));
                psf.Set(y + reach, x + reach, (float)weight);
            }
        }
        double sum = psf.Sum().Val0;
        psf.ConvertTo(psf, MatType.CV_32F, 1 / sum);
        return psf;
    }

    /// <summary>The inverse covariance matrix of an anisotropic Gaussian.</summary>
    /// <param name="sigma">Geometric mean of the standard deviations, above 0.</param>
    internal (double XX, double XY, double YY) Precision(double sigma)
    {
        (double sin, double cos) = Math.SinCos(Angle);
        double along = 1 / (sigma * sigma * Ratio), across = Ratio / (sigma * sigma);
        return (cos * cos * along + sin * sin * across, sin * cos * (along - across), sin * sin * along + cos * cos * across);
    }
}
