using OpenCvSharp;

namespace RealtimeDeblur.Training.Evaluation;

/// <summary>
/// Polyblur, as a baseline that does not know sigma: estimates an anisotropic Gaussian blur from the largest gradients in all directions, and inverts it by a
/// polynomial of the blur.
/// </summary>
/// <remarks>
/// Delbracio, Garcia-Dorado, Choi, Kelly and Milanfar, "Polyblur: removing mild blur by polynomial reblurring", IEEE TCI 2021, with the constants of its published
/// implementation for spectral gradients and one pass of alpha 2, beta 3. Two differences, in its favour: gradients come from the picture continued by reflection, where
/// a periodic one has a false edge at its border that hides the blur; and gradients are interpolated over a full turn. Without the optional halo removal.
/// </remarks>
internal static class Polyblur
{
    private const double C = 0.362;
    private const double B = 0.468;
    private const double Quantile = 1e-4;
    private const double Alpha = 2;
    private const double Beta = 3;
    private const double LeastVariance = 0.3 * 0.3;
    private const double MostVariance = 4 * 4;

    /// <summary>Directions measured over half a turn, and directions interpolated from them.</summary>
    private const int Directions = 6;
    private const int FineDirections = 30;

    private const int KernelReach = 12;

    public static LumaPlane Restore(LumaPlane blurred)
    {
        (double major, double minor, double angle) = EstimateBlur(blurred);
        using Mat kernel = Kernel(major, minor, angle);
        using Mat y = blurred.ToMat(MatType.CV_64FC1);

        // Horner's rule on the polynomial of degree 3 with p(1) = 1, p'(1) = -1, p''(1) = alpha, p(0) = beta.
        double[] coefficients = [Alpha / 2 - Beta + 2, 3 * Beta - Alpha - 6, 5 - 3 * Beta + Alpha / 2, Beta];
        using Mat restored = new();
        y.ConvertTo(restored, MatType.CV_64FC1, coefficients[0]);
        using Mat reblurred = new();
        foreach (double coefficient in coefficients.AsSpan(1))
        {
            Cv2.Filter2D(restored, reblurred, MatType.CV_64FC1, kernel, borderType: BorderTypes.Reflect101);
            Cv2.AddWeighted(reblurred, 1, y, coefficient, 0, restored);
        }
        return LumaPlane.FromMat(restored);
    }

    /// <summary>Standard deviations in pixels along and across the direction of strongest blur, 0.3 to 4, and that direction in radians.</summary>
    internal static (double Major, double Minor, double Angle) EstimateBlur(LumaPlane plane)
    {
        (double[] gradientX, double[] gradientY) = Gradients(plane);
        var strongest = new double[Directions];
        for (int k = 0; k < Directions; k++)
        {
            (double sin, double cos) = Math.SinCos(Math.PI * k / Directions);
            for (int i = 0; i < gradientX.Length; i++) strongest[k] = Math.Max(strongest[k], Math.Abs(cos * gradientX[i] - sin * gradientY[i]));
        }

        var fine = new double[FineDirections];
        for (int i = 0; i < FineDirections; i++) fine[i] = Interpolate(strongest, (double)i * Directions / FineDirections);
        int weakest = Array.IndexOf(fine, fine.Min());
        double along = fine[weakest];
        double across = fine[(weakest + FineDirections / 2) % FineDirections];
        return (Sigma(along), Sigma(across), Math.PI * weakest / FineDirections);

        static double Sigma(double gradient) => Math.Sqrt(Math.Clamp(C * C / (gradient * gradient + 1e-8) - B * B, LeastVariance, MostVariance));
    }

    /// <summary>Spectral derivatives, per pixel, of the plane stretched to 0..1 between its extreme quantiles.</summary>
    private static (double[] X, double[] Y) Gradients(LumaPlane plane)
    {
        byte[] sorted = [.. plane.Samples];
        Array.Sort(sorted);
        double low = At(Quantile);
        double range = Math.Max(At(1 - Quantile) - low, 1);
        using Mat stretched = MirroredSpectrum.Extend(plane);
        stretched.ConvertTo(stretched, MatType.CV_64FC1, 1 / range, -low / range);
        Cv2.Min(stretched, 1.0, stretched);
        Cv2.Max(stretched, 0.0, stretched);
        using Mat spectrum = new();
        Cv2.Dft(stretched, spectrum, DftFlags.ComplexOutput);
        return (Derivative(spectrum, plane, alongX: true), Derivative(spectrum, plane, alongX: false));

        double At(double quantile)
        {
            double position = quantile * (sorted.Length - 1);
            int below = (int)position;
            return sorted[below] + (position - below) * (sorted[Math.Min(below + 1, sorted.Length - 1)] - sorted[below]);
        }
    }

    /// <summary>Inverse transform of the spectrum times 2 pi i f.</summary>
    private static unsafe double[] Derivative(Mat spectrum, LumaPlane plane, bool alongX)
    {
        using Mat product = spectrum.Clone();
        (int rows, int columns) = (product.Rows, product.Cols);
        for (int v = 0; v < rows; v++)
        {
            Span<double> row = new((void*)product.Ptr(v), 2 * columns);
            for (int u = 0; u < columns; u++)
            {
                (int index, int length) = alongX ? (u, columns) : (v, rows);
                double omega = 2 * index == length ? 0 : 2 * Math.PI * (2 * index < length ? index : index - length) / length;
                (row[2 * u], row[2 * u + 1]) = (-omega * row[2 * u + 1], omega * row[2 * u]);
            }
        }
        using Mat derivative = new();
        Cv2.Dft(product, derivative, DftFlags.Inverse | DftFlags.Scale | DftFlags.RealOutput);
        var values = new double[plane.W * plane.H];
        for (int y = 0; y < plane.H; y++) new ReadOnlySpan<double>((void*)derivative.Ptr(y), plane.W).CopyTo(values.AsSpan(y * plane.W));
        return values;
    }

    /// <summary>Keys' cubic interpolation (a = -0.5) in values that repeat.</summary>
    private static double Interpolate(double[] values, double position)
    {
        int floor = (int)position;
        double sum = 0;
        for (int tap = floor - 1; tap <= floor + 2; tap++)
        {
            double d = Math.Abs(position - tap);
            double weight = d <= 1 ? (1.5 * d - 2.5) * d * d + 1 : ((-0.5 * d + 2.5) * d - 4) * d + 2;
            sum += weight * values[(tap + values.Length) % values.Length];
        }
        return sum;
    }

    private static Mat Kernel(double major, double minor, double angle)
    {
        (double sin, double cos) = Math.SinCos(-angle);
        double xx = cos * cos / (major * major) + sin * sin / (minor * minor);
        double xy = sin * cos * (1 / (major * major) - 1 / (minor * minor));
        double yy = sin * sin / (major * major) + cos * cos / (minor * minor);
        using Mat kernel = new(2 * KernelReach + 1, 2 * KernelReach + 1, MatType.CV_64FC1);
        for (int y = -KernelReach; y <= KernelReach; y++)
        {
            for (int x = -KernelReach; x <= KernelReach; x++)
                kernel.Set(y + KernelReach, x + KernelReach, Math.Exp(-0.5 * (xx * x * x + 2 * xy * x * y + yy * y * y)));
        }
        Mat normalised = new();
        kernel.ConvertTo(normalised, MatType.CV_64FC1, 1 / kernel.Sum().Val0);
        return normalised;
    }
}
