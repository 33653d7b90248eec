namespace RealtimeDeblur.Restoration;

/// <summary>
/// What <c>restore/confidence.cl</c> needs to know of every sigma: the taps of two low-pass filters, and how strong white noise and a sharp photograph are in what they take away.
/// A row per <see cref="Step"/>, so that another sigma is only another row.
/// </summary>
internal static class ConfidenceTable
{
    /// <summary>Widest blur, in pixels; a wider one counts as this.</summary>
    public const float MaxSigma = 4;

    /// <summary>Sigmas are rounded to multiples of it, in pixels.</summary>
    public const float Step = 1 / 64f;

    /// <summary>Layout of a row, as the kernels have it: TABLE_ROW, TABLE_G and what follows.</summary>
    public const int MaxRadius = 12, Row = 32, TapsG = MaxRadius + 1, NoiseT = 26, NoiseH = 27, Sharp = 28;

    /// <summary>Below the first sigma a blurred picture has as much fine detail as a sharp one, and nothing can be told; from the second on the comparison counts in full.</summary>
    public const double BlindSigma = 0.7, TellingSigma = 1.1;

    /// <summary>From the first sigma to the second the comparison becomes stricter by this factor: the wider the blur, the more frequencies it leaves empty, and the surer they tell.</summary>
    public const double StricterFromSigma = 1.5, StricterToSigma = 2, Strictness = 1.4;

    private const int Reach = 3;            // sigmas that the filters reach to either side
    private const double Ratio = 1e-3;      // noise to signal of the Wiener filter whose pass band divides the two
    private const int Frequencies = 256;    // of the spectra, from 0 to 2 pi

    /// <summary>Taps of the filters to either side of the centre.</summary>
    public static int Radius(int row) => Math.Clamp((int)Math.Ceiling(Reach * row * Step), 1, MaxRadius);

    /// <summary>The row of a sigma, in pixels, 0 or more.</summary>
    public static int RowOf(float sigma) => (int)MathF.Round(Math.Min(sigma, MaxSigma) / Step);

    /// <summary>All rows.</summary>
    public static float[] Create()
    {
        int rows = RowOf(MaxSigma) + 1;
        float[] table = new float[rows * Row];
        double[] cosines = [.. Enumerable.Range(0, Frequencies).Select(i => Math.Cos(2 * Math.PI * i / Frequencies))];
        for (int row = 0; row < rows; row++) Fill(table.AsSpan(row * Row, Row), row, cosines);
        return table;
    }

    private static void Fill(Span<float> row, int index, double[] cosines)
    {
        int radius = Radius(index);
        double sigma = Math.Max(index, 1) * Step;
        double[] g = Normalised(k => Math.Exp(-k * k / (2 * sigma * sigma)), radius);
        double[] spectrumG = Spectrum(g, cosines);
        double[] pass = [.. spectrumG.Select(value => value * value / (value * value + Ratio))];
        double[] l = Normalised(k => Math.Cos(Math.PI * k / (2 * (radius + 1))) * Taps(pass, k, cosines), radius);
        double[] spectrumL = Spectrum(l, cosines);

        // Sums over a quarter of the plane of frequencies; those on its inner edges stand for fewer than the others.
        const int Half = Frequencies / 2;
        double noiseT = 0, noiseH = 0, sharpT = 0, sharpH = 0;
        for (int v = 0; v <= Half; v += 2)
        {
            for (int u = 0; u <= Half; u += 2)
            {
                double weight = (u is 0 or Half ? 1 : 2) * (v is 0 or Half ? 1 : 2);
                double t = 1 - spectrumL[u] * spectrumL[v], h = 1 - spectrumG[u] * spectrumG[v];
                (noiseT, noiseH) = (noiseT + weight * t * t, noiseH + weight * h * h);
                if (u + v == 0) continue;
                double power = weight / (u * u + v * v);
                (sharpT, sharpH) = (sharpT + power * t * t, sharpH + power * h * h);
            }
        }
        for (int k = 0; k <= radius; k++) (row[k], row[TapsG + k]) = ((float)l[k], (float)g[k]);
        row[NoiseT] = (float)(noiseT / (Half * Half));
        // At sigmas near 0 the filters pass everything.
        row[NoiseH] = (float)(Half * Half / Math.Max(noiseH, 1e-6));
        row[Sharp] = (float)(SmoothStep(BlindSigma, TellingSigma, sigma) * (1 + (Strictness - 1) * SmoothStep(StricterFromSigma, StricterToSigma, sigma)) * sharpH / Math.Max(sharpT, 1e-9));
    }

    private static double SmoothStep(double low, double high, double x)
    {
        double t = Math.Clamp((x - low) / (high - low), 0, 1);
        return t * t * (3 - 2 * t);
    }

    /// <summary>Taps from the centre outwards of a symmetric filter that keeps a constant as it is.</summary>
    private static double[] Normalised(Func<int, double> tap, int radius)
    {
        double[] taps = [.. Enumerable.Range(0, radius + 1).Select(tap)];
        double sum = taps[0] + 2 * taps[1..].Sum();
        return [.. taps.Select(value => value / sum)];
    }

    /// <summary>What the filter passes of every frequency up to pi.</summary>
    private static double[] Spectrum(double[] taps, double[] cosines)
    {
        double[] spectrum = new double[Frequencies / 2 + 1];
        for (int i = 0; i < spectrum.Length; i++)
        {
            spectrum[i] = taps[0];
            for (int k = 1; k < taps.Length; k++) spectrum[i] += 2 * taps[k] * cosines[i * k % Frequencies];
        }
        return spectrum;
    }

    /// <summary>Tap <paramref name="k"/> of the filter that passes so much of every frequency.</summary>
    private static double Taps(double[] pass, int k, double[] cosines)
    {
        double sum = 0;
        for (int i = 0; i < pass.Length; i++) sum += (i is 0 or Frequencies / 2 ? 1 : 2) * pass[i] * cosines[i * k % Frequencies];
        return sum / Frequencies;
    }
}
