namespace RealtimeDeblur.Training.Evaluation;

/// <summary>How near a picture comes to the truth: PSNR and SSIM of 8-bit planes.</summary>
internal static class ImageQuality
{
    /// <summary>Pixels cut off each side before measuring: there, restoration depends on how a picture is continued beyond its border.</summary>
    public const int Border = 8;

    /// <summary>
    /// Least mean squared error that counts, so that means over pictures stay finite: identical pictures get 10 log10(255^2 / 0.001) = 78.13 dB. One wrong
    /// sample by one level in a picture of 1000 samples is the same.
    /// </summary>
    public const double SmallestError = 1e-3;

    /// <summary>Side of SSIM's window, its standard deviation, and its constants for 8 bits, as Wang et al. give them.</summary>
    internal const int WindowSide = 11;
    internal const double WindowSigma = 1.5;
    internal const double C1 = 0.01 * 255 * 0.01 * 255;
    internal const double C2 = 0.03 * 255 * 0.03 * 255;

    /// <summary>Peak signal-to-noise ratio in dB, peak 255; 78.13 for identical planes (see <see cref="SmallestError"/>).</summary>
    /// <param name="truth">[H][W].</param>
    /// <param name="plane">[H][W].</param>
    /// <param name="W">Columns.</param>
    /// <param name="H">Rows.</param>
    /// <param name="border">Pixels to cut off each side; something must remain.</param>
    public static double Psnr(ReadOnlySpan<byte> truth, ReadOnlySpan<byte> plane, int W, int H, int border = Border)
    {
        Check(truth, plane, W, H, border, leastSide: 1);
        return Psnr(truth, plane, W, top: border, bottom: H - border, left: border, right: W - border);
    }

    /// <summary>PSNR of some columns: <see cref="Border"/> cut off above and below.</summary>
    /// <param name="truth">At least one pixel higher than what is cut off.</param>
    /// <param name="plane">Of the same size.</param>
    /// <param name="left">First column.</param>
    /// <param name="right">Column after the last.</param>
    internal static double Psnr(LumaPlane truth, LumaPlane plane, int left, int right) => Psnr(truth.Samples, plane.Samples, truth.W, Border, truth.H - Border, left, right);

    private static double Psnr(ReadOnlySpan<byte> truth, ReadOnlySpan<byte> plane, int W, int top, int bottom, int left, int right)
    {
        long sum = 0;
        for (int y = top; y < bottom; y++)
        {
            for (int x = left; x < right; x++)
            {
                int difference = truth[y * W + x] - plane[y * W + x];
                sum += difference * difference;
            }
        }
        double meanSquaredError = (double)sum / ((long)(right - left) * (bottom - top));
        return 10 * Math.Log10(255.0 * 255.0 / Math.Max(meanSquaredError, SmallestError));
    }

    /// <summary>Structural similarity, 1 for identical planes: the mean over all positions where the window lies inside what remains after the cut.</summary>
    /// <param name="truth">[H][W].</param>
    /// <param name="plane">[H][W].</param>
    /// <param name="W">Columns.</param>
    /// <param name="H">Rows.</param>
    /// <param name="border">Pixels to cut off each side; at least 11x11 must remain.</param>
    /// <remarks>Wang, Bovik, Sheikh, Simoncelli, "Image quality assessment: from error visibility to structural similarity", IEEE TIP 13 (2004): Gaussian window, K1 0.01, K2 0.03.</remarks>
    public static double Ssim(ReadOnlySpan<byte> truth, ReadOnlySpan<byte> plane, int W, int H, int border = Border)
    {
        Check(truth, plane, W, H, border, leastSide: WindowSide);
        int columns = W - 2 * border;
        int validColumns = columns - WindowSide + 1;
        int validRows = H - 2 * border - WindowSide + 1;
        double[] window = Window();

        // The window is separable. Rows are filtered as they come, into a ring of as many rows as the window has; each fills five sums per position.
        const int Sums = 5;
        var ring = new double[WindowSide * Sums * validColumns];
        Span<double> sums = new double[Sums * validColumns];
        double total = 0;
        for (int row = 0; row < H - 2 * border; row++)
        {
            int start = (row + border) * W + border;
            FilterRow(truth.Slice(start, columns), plane.Slice(start, columns), window, ring.AsSpan(row % WindowSide * sums.Length, sums.Length));
            if (row < WindowSide - 1) continue;

            sums.Clear();
            for (int tap = 0; tap < WindowSide; tap++)
            {
                ReadOnlySpan<double> filtered = ring.AsSpan((row - WindowSide + 1 + tap) % WindowSide * sums.Length, sums.Length);
                for (int i = 0; i < sums.Length; i++) sums[i] += window[tap] * filtered[i];
            }
            for (int x = 0; x < validColumns; x++)
            {
                ReadOnlySpan<double> s = sums.Slice(Sums * x, Sums);
                double varianceA = s[2] - s[0] * s[0];
                double varianceB = s[3] - s[1] * s[1];
                double covariance = s[4] - s[0] * s[1];
                total += (2 * s[0] * s[1] + C1) * (2 * covariance + C2) / ((s[0] * s[0] + s[1] * s[1] + C1) * (varianceA + varianceB + C2));
            }
        }
        return total / ((double)validColumns * validRows);
    }

    internal static double[] Window()
    {
        var window = new double[WindowSide];
        for (int i = 0; i < WindowSide; i++)
        {
            double distance = i - WindowSide / 2;
            window[i] = Math.Exp(-distance * distance / (2 * WindowSigma * WindowSigma));
        }
        double sum = window.Sum();
        for (int i = 0; i < WindowSide; i++) window[i] /= sum;
        return window;
    }

    /// <summary>Filters a, b, a*a, b*b and a*b of one row with the window, to [validColumns][5].</summary>
    private static void FilterRow(ReadOnlySpan<byte> a, ReadOnlySpan<byte> b, double[] window, Span<double> filtered)
    {
        for (int x = 0; x + WindowSide <= a.Length; x++)
        {
            double meanA = 0, meanB = 0, squareA = 0, squareB = 0, product = 0;
            for (int tap = 0; tap < WindowSide; tap++)
            {
                double weight = window[tap];
                double sampleA = a[x + tap];
                double sampleB = b[x + tap];
                meanA += weight * sampleA;
                meanB += weight * sampleB;
                squareA += weight * sampleA * sampleA;
                squareB += weight * sampleB * sampleB;
                product += weight * sampleA * sampleB;
            }
            Span<double> to = filtered.Slice(5 * x, 5);
            (to[0], to[1], to[2], to[3], to[4]) = (meanA, meanB, squareA, squareB, product);
        }
    }

    private static void Check(ReadOnlySpan<byte> truth, ReadOnlySpan<byte> plane, int W, int H, int border, int leastSide)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(border);
        ArgumentOutOfRangeException.ThrowIfLessThan(W, 2 * border + leastSide);
        ArgumentOutOfRangeException.ThrowIfLessThan(H, 2 * border + leastSide);
        if (truth.Length != W * H || plane.Length != W * H)
            throw new ArgumentException($"Planes of {truth.Length} and {plane.Length} samples cannot both be {W}x{H}.", nameof(plane));
    }
}
