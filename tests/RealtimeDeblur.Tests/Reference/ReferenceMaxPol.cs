using RealtimeDeblur.Restoration.Methods;

namespace RealtimeDeblur.Tests.Reference;

/// <summary>1Shot-MaxPol in double precision as its paper writes it: E = D_v I + D_h I + D_h D_v I, g = gain H(I) / (H(E) + 0.5), I + g E. Beyond the picture its border repeats.</summary>
internal static class ReferenceMaxPol
{
    /// <param name="luma">[H][W], 0 to 1.</param>
    /// <param name="filter">D and the identity.</param>
    /// <param name="gain">The parameter.</param>
    public static double[,] Restore(double[,] luma, double[] filter, double gain)
    {
        double[] edgesFilter = [.. filter];
        edgesFilter[MaxPolDesign.Radius] -= 1;
        double[,] down = Columns(luma, edgesFilter), across = Rows(luma, edgesFilter), both = Rows(down, edgesFilter);
        (int H, int W) = (luma.GetLength(0), luma.GetLength(1));
        double[,] edges = new double[H, W], restored = new double[H, W];
        for (int y = 0; y < H; y++)
        for (int x = 0; x < W; x++)
            edges[y, x] = down[y, x] + across[y, x] + both[y, x];
        double g = gain * Entropy(luma) / (Entropy(edges) + 0.5);
        for (int y = 0; y < H; y++)
        for (int x = 0; x < W; x++)
            restored[y, x] = luma[y, x] + g * edges[y, x];
        return restored;
    }

    public static double[,] Rows(double[,] plane, double[] taps)
    {
        (int H, int W) = (plane.GetLength(0), plane.GetLength(1));
        double[,] filtered = new double[H, W];
        for (int y = 0; y < H; y++)
        for (int x = 0; x < W; x++)
        for (int k = 0; k < taps.Length; k++)
            filtered[y, x] += taps[k] * plane[y, Math.Clamp(x + k - taps.Length / 2, 0, W - 1)];
        return filtered;
    }

    public static double[,] Columns(double[,] plane, double[] taps) => Exchange(Rows(Exchange(plane), taps));

    /// <summary>Bits per value of a histogram of 256 bins over 0 to 1.</summary>
    public static double Entropy(double[,] plane)
    {
        double[] counts = new double[256];
        foreach (double value in plane) counts[(int)Math.Round(Math.Clamp(value, 0, 1) * 255)]++;
        return -counts.Where(count => count > 0).Sum(count => count / plane.Length * Math.Log2(count / plane.Length));
    }

    private static double[,] Exchange(double[,] plane)
    {
        double[,] exchanged = new double[plane.GetLength(1), plane.GetLength(0)];
        for (int y = 0; y < plane.GetLength(0); y++)
        for (int x = 0; x < plane.GetLength(1); x++)
            exchanged[x, y] = plane[y, x];
        return exchanged;
    }
}
