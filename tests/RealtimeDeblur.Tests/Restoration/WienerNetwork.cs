using RealtimeDeblur.Networks;

namespace RealtimeDeblur.Tests.Restoration;

/// <summary>
/// A network of one linear layer that inverts a Gaussian as a Wiener filter does, as far as 25 x 25 taps reach. It stands for trained ones where a test must not depend on training: it brings back
/// what can be brought back, and rings badly where the picture was not blurred that way.
/// </summary>
internal static class WienerNetwork
{
    private const int Size = 25, Radius = Size / 2, Frequencies = 128;
    private const double Ratio = 1e-3;      // noise to signal

    /// <summary>Sigmas that the network was made for; between them it mixes two inverses.</summary>
    public static IReadOnlyList<float> Sigmas { get; } = [1, 1.6f, 2, 3];

    public static Network Create() =>
        new("wiener", new("wiener", [new("inverse", 1, 1, Size, Relu: false)], globalSkip: false, sigmaKnots: Sigmas), [new([.. Sigmas.SelectMany(Taps)], new float[Sigmas.Count])]);

    private static float[] Taps(float sigma)
    {
        int reach = (int)Math.Ceiling(4 * sigma);
        double[] gaussian = [.. Enumerable.Range(-reach, 2 * reach + 1).Select(k => Math.Exp(-k * k / (2.0 * sigma * sigma)))];
        double sum = gaussian.Sum();
        double[] spectrum = [.. Enumerable.Range(0, Frequencies).Select(i => gaussian.Select((value, k) => value / sum * Math.Cos(2 * Math.PI * i * (k - reach) / Frequencies)).Sum())];
        // Rows first: a sum over columns for every row of frequencies, then over rows.
        double[,] rows = new double[Frequencies, Radius + 1];
        double[,] cosines = new double[Frequencies, Radius + 1];
        for (int i = 0; i < Frequencies; i++)
        for (int k = 0; k <= Radius; k++)
            cosines[i, k] = Math.Cos(2 * Math.PI * i * k / Frequencies);
        for (int v = 0; v < Frequencies; v++)
        for (int k = 0; k <= Radius; k++)
        for (int u = 0; u < Frequencies; u++)
        {
            double blur = spectrum[u] * spectrum[v];
            rows[v, k] += blur / (blur * blur + Ratio) * cosines[u, k];
        }
        double[] taps = new double[Size * Size];
        for (int y = -Radius; y <= Radius; y++)
        for (int x = -Radius; x <= Radius; x++)
        {
            double value = 0;
            for (int v = 0; v < Frequencies; v++) value += rows[v, Math.Abs(x)] * cosines[v, Math.Abs(y)];
            taps[(y + Radius) * Size + x + Radius] = value * Math.Cos(Math.PI * y / (Size + 1)) * Math.Cos(Math.PI * x / (Size + 1));
        }
        double gain = taps.Sum();
        return [.. taps.Select(value => (float)(value / gain))];
    }
}
