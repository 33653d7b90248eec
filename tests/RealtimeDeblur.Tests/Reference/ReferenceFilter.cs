namespace RealtimeDeblur.Tests.Reference;

/// <summary>Filters of planes as their formulas say, in double precision; borders replicate.</summary>
internal static class ReferenceFilter
{
    /// <summary>Taps of a Gaussian, cut off at 4 sigma, of sum 1.</summary>
    public static double[] Gaussian(double sigma)
    {
        if (sigma == 0) return [1];
        int radius = (int)Math.Ceiling(4 * sigma);
        double[] taps = [.. Enumerable.Range(-radius, 2 * radius + 1).Select(k => Math.Exp(-k * k / (2 * sigma * sigma)))];
        double sum = taps.Sum();
        return [.. taps.Select(tap => tap / sum)];
    }

    /// <summary>out(y, x) = sum over ky, kx of taps[ky] taps[kx] in(y + ky - R, x + kx - R).</summary>
    public static double[] Separable(double[] plane, int W, int H, double[] taps)
    {
        int radius = taps.Length / 2;
        double[] rows = new double[plane.Length], both = new double[plane.Length];
        for (int y = 0; y < H; y++)
        for (int x = 0; x < W; x++)
        for (int k = 0; k < taps.Length; k++)
            rows[y * W + x] += taps[k] * plane[y * W + Math.Clamp(x + k - radius, 0, W - 1)];
        for (int y = 0; y < H; y++)
        for (int x = 0; x < W; x++)
        for (int k = 0; k < taps.Length; k++)
            both[y * W + x] += taps[k] * rows[Math.Clamp(y + k - radius, 0, H - 1) * W + x];
        return both;
    }

    public static double[] Blur(double[] plane, int W, int H, double sigma) => Separable(plane, W, H, Gaussian(sigma));

    /// <summary>x += y - K x, over and over, from x = y.</summary>
    public static double[] VanCittert(double[] blurred, int W, int H, double sigma, int iterations)
    {
        double[] estimate = [.. blurred];
        for (int i = 0; i < iterations; i++)
        {
            double[] reblurred = Blur(estimate, W, H, sigma);
            for (int p = 0; p < estimate.Length; p++) estimate[p] += blurred[p] - reblurred[p];
        }
        return estimate;
    }

    /// <summary>x += K(y - K x), over and over, from x = y.</summary>
    public static double[] Landweber(double[] blurred, int W, int H, double sigma, int iterations)
    {
        double[] estimate = [.. blurred];
        for (int i = 0; i < iterations; i++)
        {
            double[] reblurred = Blur(estimate, W, H, sigma);
            double[] step = Blur([.. blurred.Zip(reblurred, (y, k) => y - k)], W, H, sigma);
            for (int p = 0; p < estimate.Length; p++) estimate[p] += step[p];
        }
        return estimate;
    }

    /// <summary>x *= K(y / K x), over and over, from x = y.</summary>
    public static double[] RichardsonLucy(double[] blurred, int W, int H, double sigma, int iterations)
    {
        double[] estimate = [.. blurred];
        for (int i = 0; i < iterations; i++)
        {
            double[] reblurred = Blur(estimate, W, H, sigma);
            double[] factor = Blur([.. blurred.Zip(reblurred, (y, k) => y / Math.Max(k, 1e-6))], W, H, sigma);
            for (int p = 0; p < estimate.Length; p++) estimate[p] *= factor[p];
        }
        return estimate;
    }

    /// <summary>x + amount (x - blur of x).</summary>
    public static double[] Unsharp(double[] blurred, int W, int H, double sigma, double amount)
    {
        double[] mask = Blur(blurred, W, H, sigma);
        return [.. blurred.Zip(mask, (x, m) => x + amount * (x - m))];
    }
}
