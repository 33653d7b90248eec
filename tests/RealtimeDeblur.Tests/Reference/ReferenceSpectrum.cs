using System.Numerics;

namespace RealtimeDeblur.Tests.Reference;

/// <summary>The amplitude spectra of <c>restore/spectrum.cl</c> in double precision: one plain loop per sum of its head comment.</summary>
internal static class ReferenceSpectrum
{
    private const int Side = 32, Bins = 13;

    /// <summary>Root mean square amplitudes by bin, over columns x rows tiles.</summary>
    /// <param name="luma">Working space, 0 to 1, [H][W].</param>
    public static double[] Amplitudes(double[,] luma, int columns, int rows)
    {
        (int H, int W) = (luma.GetLength(0), luma.GetLength(1));
        double[] powers = new double[Bins];
        for (int row = 0; row < rows; row++)
        for (int column = 0; column < columns; column++)
        {
            double[] one = Powers(luma, Start(column, columns, W), Start(row, rows, H));
            for (int b = 0; b < Bins; b++) powers[b] += one[b];
        }
        return [.. powers.Select(power => Math.Sqrt(power / (columns * rows)))];
    }

    /// <summary>Low-passed and halved twice, with one filter.</summary>
    public static double[,] Quarter(double[,] luma)
    {
        int[] half = [-1, 0, 9, 16, 9, 0, -1];
        double[] taps = new double[19];
        for (int i = 0; i < 7; i++)
        for (int j = 0; j < 7; j++)
            taps[i + 2 * j] += half[i] * half[j] / 1024.0;
        double[,] smooth = ReferenceMaxPol.Columns(ReferenceMaxPol.Rows(luma, taps), taps);
        double[,] quarter = new double[(luma.GetLength(0) + 3) / 4, (luma.GetLength(1) + 3) / 4];
        for (int y = 0; y < quarter.GetLength(0); y++)
        for (int x = 0; x < quarter.GetLength(1); x++)
            quarter[y, x] = smooth[4 * y, 4 * x];
        return quarter;
    }

    private static double[] Powers(double[,] luma, int left, int top)
    {
        double[,] p = new double[Side, Side];
        for (int y = 0; y < Side; y++)
        for (int x = 0; x < Side; x++)
            p[y, x] = 255 * luma[Mirror(top + y, luma.GetLength(0)), Mirror(left + x, luma.GetLength(1))];
        double mean = p.Cast<double>().Average();
        Complex[,] rows = new Complex[31, Side];
        for (int u = -15; u <= 15; u++)
        for (int y = 0; y < Side; y++)
        for (int x = 0; x < Side; x++)
            rows[u + 15, y] += Hann(x) * (p[y, x] - mean) * Wave(u * x);
        double[] sums = new double[Bins];
        int[] counts = new int[Bins];
        for (int v = -15; v <= 15; v++)
        for (int u = -15; u <= 15; u++)
        {
            // Squares keep what lies on a border of bins from depending on rounding.
            int b = 0;
            while (169 * (u * u + v * v) > 256 * (b + 1) * (b + 1)) b++;
            if (b >= Bins || u == 0 && v == 0) continue;
            Complex sum = 0;
            for (int y = 0; y < Side; y++) sum += Hann(y) * rows[u + 15, y] * Wave(v * y);
            sums[b] += sum.Magnitude * sum.Magnitude / 144;
            counts[b]++;
        }
        return [.. sums.Zip(counts, (sum, count) => sum / count)];
    }

    private static int Start(int index, int count, int size) => size <= Side ? 0 : (count > 1 ? index * (size - Side) / (count - 1) : (size - Side) / 2) / 8 * 8;

    private static int Mirror(int i, int size)
    {
        while (i < 0 || i >= size) i = i < 0 ? -i : 2 * (size - 1) - i;
        return i;
    }

    private static Complex Wave(int turns) => Complex.FromPolarCoordinates(1, -2 * Math.PI * turns / Side);

    private static double Hann(int i) => (1 - Math.Cos(2 * Math.PI * i / Side)) / 2;
}
