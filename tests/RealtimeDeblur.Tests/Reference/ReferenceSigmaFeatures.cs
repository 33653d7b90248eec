using System.Numerics;

namespace RealtimeDeblur.Tests.Reference;

/// <summary>
/// The definition of the statistics that <c>restore/sigma_features.cl</c> computes, in double precision: one plain loop per sum of its head comment.
/// </summary>
internal static class ReferenceSigmaFeatures
{
    public const int Side = 32, Count = 30;

    /// <summary>Statistics of the tile whose corner is (<paramref name="left"/>, <paramref name="top"/>).</summary>
    /// <param name="luma">Working space, 0 to 1, [H][W].</param>
    public static double[] Of(double[,] luma, int left, int top)
    {
        double[,] p = new double[Side, Side];
        for (int y = 0; y < Side; y++)
        for (int x = 0; x < Side; x++)
            p[y, x] = 255 * luma[Mirror(top + y, luma.GetLength(0)), Mirror(left + x, luma.GetLength(1))];

        List<double> features = [];
        foreach (double band in Bands(p)) features.Add(Math.Log(band + 0.05));

        double[,] exchanged = new double[Side, Side];
        for (int y = 0; y < Side; y++)
        for (int x = 0; x < Side; x++)
            exchanged[y, x] = p[x, y];
        Edges edges = new();
        edges.Add(p);
        edges.Add(exchanged);
        for (int k = 1; k <= 6; k++) features.Add(Math.Log(Math.Clamp(1 - edges.Profile[k] / (edges.S4 + 1), 0.005, 4)));
        features.Add(Math.Log(edges.S4 / (edges.S3 + 1) + 0.5));
        double m0 = p.Cast<double>().Max() - p.Cast<double>().Min();
        features.Add(Math.Log(edges.M1 + 0.5));
        features.Add(Math.Log((edges.M2 + 0.5) / (edges.M1 + 0.5)));
        features.Add(Math.Log((edges.M3 + 0.5) / (edges.M2 + 0.5)));
        features.Add(Math.Log((m0 + 0.5) / (edges.M1 + 0.5)));
        features.Add(Math.Log((Steps(p, exchanged, blocksOnly: true) + 0.1) / (Steps(p, exchanged, blocksOnly: false) + 0.1)));
        features.Add(p.Cast<double>().Average() / 64);
        features.Add(edges.Tilt / (edges.S4 + 1));
        return [.. features];
    }

    /// <summary>Position without the frame's border repeated, however far outside.</summary>
    private static int Mirror(int i, int size)
    {
        while (i < 0 || i >= size) i = i < 0 ? -i : 2 * (size - 1) - i;
        return i;
    }

    private static IEnumerable<double> Bands(double[,] p)
    {
        double mean = p.Cast<double>().Average();
        double[] sums = new double[18], counts = new double[18];
        Complex[,] rows = new Complex[31, Side];
        for (int u = -15; u <= 15; u++)
        for (int y = 0; y < Side; y++)
        for (int x = 0; x < Side; x++)
            rows[u + 15, y] += Hann(x) * (p[y, x] - mean) * Wave(u * x);
        for (int v = -15; v <= 15; v++)
        for (int u = -15; u <= 15; u++)
        {
            Complex sum = 0;
            for (int y = 0; y < Side; y++) sum += Hann(y) * rows[u + 15, y] * Wave(v * y);
            int radius = Math.Min((int)Math.Round(Math.Sqrt(u * u + v * v)), 17);
            sums[radius] += sum.Magnitude * sum.Magnitude / 144;
            counts[radius]++;
        }
        for (int r = 2; r <= 17; r++) yield return sums[r] / counts[r];
    }

    private static Complex Wave(int turns) => Complex.FromPolarCoordinates(1, -2 * Math.PI * turns / Side);

    private static double Hann(int i) => (1 - Math.Cos(2 * Math.PI * i / Side)) / 2;

    /// <summary>Mean limited step between neighbours, of all or of those across the grid of 8.</summary>
    private static double Steps(double[,] p, double[,] exchanged, bool blocksOnly)
    {
        List<double> steps = [];
        foreach (double[,] one in (double[][,])[p, exchanged])
        for (int y = 0; y < Side; y++)
        for (int x = 0; x < Side - 1; x++)
            if (!blocksOnly || x % 8 == 7) steps.Add(Math.Min(Math.Abs(one[y, x + 1] - one[y, x]), 6));
        return steps.Average();
    }

    /// <summary>Sums over the edges across x.</summary>
    private sealed class Edges
    {
        public double S4, S3, Tilt, M1, M2, M3;
        public double[] Profile = new double[7];

        public void Add(double[,] p)
        {
            for (int y = 4; y < Side - 4; y++)
            for (int x = 8; x < Side - 8; x++)
            {
                double D(int k) => Smooth(p, y, x + k + 1) - Smooth(p, y, x + k);
                double d0 = D(0), size = Math.Abs(d0);
                M1 = Math.Max(M1, size);
                M2 = Math.Max(M2, Math.Abs(D(1) - d0));
                M3 = Math.Max(M3, Math.Abs(D(1) - 2 * d0 + D(-1)));
                double along = (Smooth(p, y + 1, x) + Smooth(p, y + 1, x + 1) - Smooth(p, y - 1, x) - Smooth(p, y - 1, x + 1)) / 4;
                if (size < Math.Abs(D(-1)) || size < Math.Abs(D(1)) || Math.Abs(along) > 0.4 * size) continue;
                S4 += Math.Pow(d0, 4);
                S3 += Math.Pow(size, 3);
                for (int k = 1; k <= 6; k++) Profile[k] += Math.Pow(d0, 3) * (D(k) + D(-k)) / 2;
                Tilt += Math.Pow(size, 3) * (D(2) - D(-2)) / 2;
            }
        }

        private static double Smooth(double[,] p, int y, int x) => (p[y - 1, x] + 2 * p[y, x] + p[y + 1, x]) / 4;
    }
}
