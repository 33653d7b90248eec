using RealtimeDeblur.Restoration.Methods;

namespace RealtimeDeblur.Tests.Reference;

/// <summary>Definition of <c>restore/polyblur_estimate.cl</c> and <c>restore/polyblur.cl</c>: nested loops in double precision. Planes are [H, W].</summary>
internal static class ReferencePolyblur
{
    public const int Directions = 6, CellFloats = 8, Border = 8;
    private const int Bins = 1024, Fine = 30, MaxRadius = 12;
    private const double Quantile = 1e-4, LeastContrast = 0.02, Black = 16 / 255.0, White = 235 / 255.0, Saturated = Black + 0.99 * (White - Black);
    private const double MinSigma = 0.3, MaxSigma = 4, Smallest = 1e-4, NoSlope = 1e-8;

    private static readonly double[] Smooth = [1 / 16.0, 4 / 16.0, 6 / 16.0, 4 / 16.0, 1 / 16.0];
    private static readonly double[] Slope = [-1 / 8.0, -2 / 8.0, 0, 2 / 8.0, 1 / 8.0];

    /// <summary>Lowest level that counts and the reciprocal of the contrast; 0 for none.</summary>
    public static (double Low, double Scale) Range(double[,] plane)
    {
        int[] bins = new int[Bins];
        foreach (double value in plane) bins[Math.Clamp((int)(value * Bins), 0, Bins - 1)]++;
        double outside = Quantile * plane.Length;
        int low = Enumerable.Range(0, Bins).First(bin => bins.Take(bin + 1).Sum() > outside), high = Enumerable.Range(0, Bins).Last(bin => bins.Skip(bin).Sum() > outside);
        double contrast = (double)(high - low) / Bins;
        return ((low + 0.5) / Bins, contrast >= LeastContrast ? 1 / contrast : 0);
    }

    /// <summary>[cell][m_0..m_5, 1 - lowest, highest], row by row.</summary>
    public static double[] Maxima(double[,] plane)
    {
        (int H, int W) = (plane.GetLength(0), plane.GetLength(1));
        int cellsW = (W + PolyblurEdges.Cell - 1) / PolyblurEdges.Cell, cellsH = (H + PolyblurEdges.Cell - 1) / PolyblurEdges.Cell;
        double[] maxima = new double[cellsW * cellsH * CellFloats];
        (double low, double scale) = Range(plane);
        if (scale == 0) return maxima;
        for (int y = Border; y < H - Border; y++)
        for (int x = Border; x < W - Border; x++)
        {
            double gx = 0, gy = 0, level = 0, brightest = 0;
            for (int i = 0; i < 5; i++)
            for (int j = 0; j < 5; j++)
            {
                double raw = plane[y + i - 2, x + j - 2], u = Math.Clamp((raw - low) * scale, 0, 1);
                gx += Smooth[i] * Slope[j] * u;
                gy += Slope[i] * Smooth[j] * u;
                if (j == 2) level += Smooth[i] * u;
                brightest = Math.Max(brightest, raw);
            }
            if (brightest > Saturated) continue;
            int cell = (y / PolyblurEdges.Cell * cellsW + x / PolyblurEdges.Cell) * CellFloats;
            for (int k = 0; k < Directions; k++)
            {
                (double sin, double cos) = Math.SinCos(k * Math.PI / Directions);
                maxima[cell + k] = Math.Max(maxima[cell + k], Math.Abs(cos * gx + sin * gy));
            }
            maxima[cell + 6] = Math.Max(maxima[cell + 6], 1 - level);
            maxima[cell + 7] = Math.Max(maxima[cell + 7], level);
        }
        return maxima;
    }

    /// <summary>Of the frame: covariance and geometric mean of the sigmas, from the maxima of its cells.</summary>
    public static (double XX, double XY, double YY, double Sigma) Frame(double[] maxima, double leastContrast)
    {
        double[] m = new double[Directions];
        for (int cell = 0; cell < maxima.Length; cell += CellFloats)
        for (int k = 0; k < Directions; k++) m[k] = Math.Max(m[k], maxima[cell + k] / Math.Max(maxima[cell + 6] + maxima[cell + 7] - 1, leastContrast));
        double[] fine = new double[Fine];
        for (int j = 0; j < Fine; j++)
        {
            double at = (double)j * Directions / Fine, sum = 0;
            for (int i = (int)at - 1; i <= (int)at + 2; i++) sum += Keys(at - i) * m[(i + Directions) % Directions];
            fine[j] = sum;
        }
        int least = Array.IndexOf(fine, fine.Min()), across = (least + Fine / 2) % Fine;
        (double sin, double cos) = Math.SinCos(least * Math.PI / Fine);
        double a = Variance(fine[least]), b = Variance(fine[across]);
        return (cos * cos * a + sin * sin * b, cos * sin * (a - b), sin * sin * a + cos * cos * b, fine[across] > 0 ? Math.Sqrt(Math.Sqrt(a * b)) : 0);

        static double Keys(double t)
        {
            t = Math.Abs(t);
            return t <= 1 ? (1.5 * t - 2.5) * t * t + 1 : t < 2 ? ((-0.5 * t + 2.5) * t - 4) * t + 2 : 0;
        }

        static double Variance(double m) => Math.Clamp(PolyblurEdges.Slope * PolyblurEdges.Slope / Math.Max(m * m, 1e-8) - PolyblurEdges.Own * PolyblurEdges.Own, MinSigma * MinSigma, MaxSigma * MaxSigma);
    }

    /// <summary>A Gaussian by its covariance, [dy + radius, dx + radius], sum 1.</summary>
    public static double[,] Gaussian(double xx, double xy, double yy)
    {
        (xx, yy) = (Math.Max(xx, Smallest), Math.Max(yy, Smallest));
        double det = xx * yy - xy * xy, widest = (xx + yy) / 2 + Math.Sqrt((xx - yy) * (xx - yy) / 4 + xy * xy);
        int radius = xx <= Smallest ? 0 : Math.Min((int)Math.Ceiling(3 * Math.Sqrt(widest) - 1e-6), MaxRadius);
        double[,] psf = new double[2 * radius + 1, 2 * radius + 1];
        double sum = 0;
        for (int y = -radius; y <= radius; y++)
        for (int x = -radius; x <= radius; x++) sum += psf[y + radius, x + radius] = Math.Exp(-0.5 * (yy * x * x - 2 * xy * x * y + xx * y * y) / det);
        for (int y = 0; y <= 2 * radius; y++)
        for (int x = 0; x <= 2 * radius; x++) psf[y, x] /= sum;
        return psf;
    }

    /// <summary>Convolution with a symmetric psf; borders replicate.</summary>
    public static double[,] Convolve(double[,] plane, double[,] psf)
    {
        (int H, int W, int radius) = (plane.GetLength(0), plane.GetLength(1), psf.GetLength(0) / 2);
        double[,] result = new double[H, W];
        for (int y = 0; y < H; y++)
        for (int x = 0; x < W; x++)
        for (int dy = -radius; dy <= radius; dy++)
        for (int dx = -radius; dx <= radius; dx++) result[y, x] += psf[dy + radius, dx + radius] * At(plane, y + dy, x + dx);
        return result;
    }

    /// <summary>The polynomial in the blur, without halos if that is asked for, and what a bilateral filter takes away kept as it is.</summary>
    public static double[,] Restore(double[,] plane, double[,] psf, double alpha, double beta, bool halo, bool prefilter)
    {
        (int H, int W) = (plane.GetLength(0), plane.GetLength(1));
        double[,] v = prefilter ? Bilateral(plane) : plane, once = Convolve(v, psf), twice = Convolve(once, psf), thrice = Convolve(twice, psf), w = new double[H, W], result = new double[H, W];
        for (int y = 0; y < H; y++)
        for (int x = 0; x < W; x++) w[y, x] = (alpha / 2 - beta + 2) * thrice[y, x] + (3 * beta - alpha - 6) * twice[y, x] + (5 - 3 * beta + alpha / 2) * once[y, x] + beta * v[y, x];
        for (int y = 0; y < H; y++)
        for (int x = 0; x < W; x++)
        {
            double vx = (At(v, y, x + 1) - At(v, y, x - 1)) / 2, vy = (At(v, y + 1, x) - At(v, y - 1, x)) / 2, wx = (At(w, y, x + 1) - At(w, y, x - 1)) / 2, wy = (At(w, y + 1, x) - At(w, y - 1, x)) / 2;
            double m = Math.Max(-(vx * wx + vy * wy), 0), z = halo && m > 0 ? m / (vx * vx + vy * vy + m + NoSlope) : 0;
            result[y, x] = Math.Clamp(z * v[y, x] + (1 - z) * w[y, x] + plane[y, x] - v[y, x], 0, 1);
        }
        return result;
    }

    private static double[,] Bilateral(double[,] plane)
    {
        double[,] result = new double[plane.GetLength(0), plane.GetLength(1)];
        for (int y = 0; y < plane.GetLength(0); y++)
        for (int x = 0; x < plane.GetLength(1); x++)
        {
            double sum = 0, total = 0;
            for (int dy = -2; dy <= 2; dy++)
            for (int dx = -2; dx <= 2; dx++)
            {
                double value = At(plane, y + dy, x + dx), step = value - plane[y, x], weight = Math.Exp(-step * step / (2 * 0.1 * 0.1) - (dx * dx + dy * dy) / (2 * 5.0 * 5.0));
                sum += weight * value;
                total += weight;
            }
            result[y, x] = sum / total;
        }
        return result;
    }

    private static double At(double[,] plane, int y, int x) => plane[Math.Clamp(y, 0, plane.GetLength(0) - 1), Math.Clamp(x, 0, plane.GetLength(1) - 1)];
}
