namespace RealtimeDeblur.Tests.Reference;

/// <summary>The definition of the confidence map of <c>restore/confidence.cl</c>, in double precision.</summary>
internal sealed class ReferenceConfidence
{
    private const int Cell = 4, Block = 4, Frequencies = 256;

    private readonly int _W, _H;

    /// <param name="luma">[H][W], in codes of 8 bits: 16 for black, 235 for white.</param>
    /// <param name="W">Columns.</param>
    /// <param name="H">Rows.</param>
    /// <param name="sigma">Of the blur, pixels.</param>
    public ReferenceConfidence(double[] luma, int W, int H, double sigma)
    {
        (_W, _H, CellsW, CellsH) = (W, H, (W + Cell - 1) / Cell, (H + Cell - 1) / Cell);
        sigma = Math.Max(Math.Round(sigma * 64), 1) / 64;
        int radius = Math.Clamp((int)Math.Ceiling(3 * sigma), 1, 12);

        // Filters [-radius..radius] in each direction: G, a Gaussian; L, which passes g^2 / (g^2 + 0.001) of every frequency, under half a cosine.
        double[] g = Normalised(radius, k => Math.Exp(-k * k / (2 * sigma * sigma)));
        double[] spectrumG = Spectrum(g);
        double[] l = Normalised(radius, k => Math.Cos(Math.PI * k / (2 * (radius + 1)))
            * Enumerable.Range(0, Frequencies).Average(i => spectrumG[i] * spectrumG[i] / (spectrumG[i] * spectrumG[i] + 1e-3) * Math.Cos(2 * Math.PI * i * k / Frequencies)));
        double[] spectrumL = Spectrum(l);
        double noiseT = 0, noiseH = 0, sharpT = 0, sharpH = 0, count = 0;
        for (int v = -Frequencies / 2; v < Frequencies / 2; v += 2)
        {
            for (int u = -Frequencies / 2; u < Frequencies / 2; u += 2)
            {
                double t = 1 - spectrumL[u & 255] * spectrumL[v & 255], h = 1 - spectrumG[u & 255] * spectrumG[v & 255];
                (noiseT, noiseH, count) = (noiseT + t * t, noiseH + h * h, count + 1);
                if ((u, v) != (0, 0)) (sharpT, sharpH) = (sharpT + t * t / (u * u + v * v), sharpH + h * h / (u * u + v * v));
            }
        }
        // Near sigma 0 the filters pass everything.
        (noiseT, noiseH, sharpT) = (noiseT / count, Math.Max(noiseH / count, 1e-10), Math.Max(sharpT, 1e-20));

        double[] passedL = Filter(luma, l, radius), passedG = Filter(luma, g, radius);
        EnergyT = CellMeans(i => Math.Pow(luma[i] - passedL[i], 2));
        EnergyH = CellMeans(i => Math.Pow(luma[i] - passedG[i], 2));
        Clipped = CellMeans(i => luma[i] >= 230.7 ? 1 : 0);
        NoiseVariance = Noise(noiseT);
        double[] meanT = SmoothFive(EnergyT), meanH = SmoothFive(EnergyH), meanA = SmoothFive(Clipped);
        double telling = SmoothStep(0.7, 1.1, sigma) * (1 + 0.4 * SmoothStep(1.5, 2, sigma));
        double[] soft = new double[CellsW * CellsH], spread = new double[soft.Length];
        for (int i = 0; i < soft.Length; i++)
        {
            double rho = Math.Max(0, meanT[i] - 1.3 * NoiseVariance * noiseT) / (meanH[i] + 3) * telling * sharpH / sharpT;
            double clip = Math.Min(1, meanA[i] / 0.05);
            soft[i] = 1 - SmoothStep(0.14, 0.21, rho * (1 + 3 * clip));
            spread[i] = (1 - soft[i]) * clip;
        }
        Confidence = [.. Enumerable.Range(0, soft.Length).Select(i =>
        {
            double largest = 0;
            for (int y = Math.Max(0, i / CellsW - 2); y <= Math.Min(CellsH - 1, i / CellsW + 2); y++)
            for (int x = Math.Max(0, i % CellsW - 2); x <= Math.Min(CellsW - 1, i % CellsW + 2); x++)
                largest = Math.Max(largest, spread[y * CellsW + x]);
            return soft[i] * (1 - largest) * SmoothStep(1.2, 2, meanH[i] / (NoiseVariance * noiseH));
        })];
    }

    public int CellsW { get; }

    public int CellsH { get; }

    public double[] EnergyT { get; }

    public double[] EnergyH { get; }

    public double[] Clipped { get; }

    public double NoiseVariance { get; }

    /// <summary>[CellsH][CellsW], before smoothing.</summary>
    public double[] Confidence { get; }

    /// <summary>Confidence at a pixel.</summary>
    public double At(int y, int x)
    {
        double sum = 0;
        (double cellY, double cellX) = ((y + 0.5) / Cell - 0.5, (x + 0.5) / Cell - 0.5);
        for (int j = (int)Math.Floor(cellY); j <= Math.Floor(cellY) + 1; j++)
        for (int i = (int)Math.Floor(cellX); i <= Math.Floor(cellX) + 1; i++)
        {
            double weight = (1 - Math.Abs(cellY - j)) * (1 - Math.Abs(cellX - i));
            (int atY, int atX) = (Math.Clamp(j, 0, CellsH - 1), Math.Clamp(i, 0, CellsW - 1));
            for (int dy = -1; dy <= 1; dy++)
            for (int dx = -1; dx <= 1; dx++)
                sum += weight * (2 - Math.Abs(dy)) * (2 - Math.Abs(dx)) / 16.0 * Confidence[Math.Clamp(atY + dy, 0, CellsH - 1) * CellsW + Math.Clamp(atX + dx, 0, CellsW - 1)];
        }
        return sum;
    }

    private static double[] Normalised(int radius, Func<int, double> tap)
    {
        double[] taps = [.. Enumerable.Range(-radius, 2 * radius + 1).Select(tap)];
        double sum = taps.Sum();
        return [.. taps.Select(value => value / sum)];
    }

    private static double[] Spectrum(double[] taps) =>
        [.. Enumerable.Range(0, Frequencies).Select(i => taps.Select((tap, k) => tap * Math.Cos(2 * Math.PI * i * (k - taps.Length / 2) / Frequencies)).Sum())];

    private static double SmoothStep(double low, double high, double x)
    {
        double t = Math.Clamp((x - low) / (high - low), 0, 1);
        return t * t * (3 - 2 * t);
    }

    /// <summary>In both directions, borders replicated.</summary>
    private double[] Filter(double[] luma, double[] taps, int radius)
    {
        double[] down = new double[luma.Length], both = new double[luma.Length];
        for (int y = 0; y < _H; y++)
        for (int x = 0; x < _W; x++)
        for (int k = -radius; k <= radius; k++)
            down[y * _W + x] += taps[k + radius] * luma[Math.Clamp(y + k, 0, _H - 1) * _W + x];
        for (int y = 0; y < _H; y++)
        for (int x = 0; x < _W; x++)
        for (int k = -radius; k <= radius; k++)
            both[y * _W + x] += taps[k + radius] * down[y * _W + Math.Clamp(x + k, 0, _W - 1)];
        return both;
    }

    /// <summary>Means over the pixels of every second row of each cell, as far as they lie in the frame.</summary>
    private double[] CellMeans(Func<int, double> value)
    {
        double[] sums = new double[CellsW * CellsH], counts = new double[CellsW * CellsH];
        for (int y = 0; y < _H; y += 2)
        for (int x = 0; x < _W; x++)
        {
            sums[y / Cell * CellsW + x / Cell] += value(y * _W + x);
            counts[y / Cell * CellsW + x / Cell]++;
        }
        return [.. sums.Zip(counts, (sum, count) => sum / count)];
    }

    private double[] SmoothFive(double[] cells)
    {
        double[] weights = [1, 4, 6, 4, 1], smooth = new double[cells.Length];
        for (int y = 0; y < CellsH; y++)
        for (int x = 0; x < CellsW; x++)
        for (int dy = -2; dy <= 2; dy++)
        for (int dx = -2; dx <= 2; dx++)
            smooth[y * CellsW + x] += weights[dy + 2] * weights[dx + 2] / 256 * cells[Math.Clamp(y + dy, 0, CellsH - 1) * CellsW + Math.Clamp(x + dx, 0, CellsW - 1)];
        return smooth;
    }

    /// <summary>The tenth percentile of blocks' variances, by a histogram of eight bins per octave that begins at a quarter of the variance of rounding.</summary>
    private double Noise(double share)
    {
        int blocksW = CellsW / Block, blocks = blocksW * (CellsH / Block);
        if (blocks < 32) return 1 / 12.0;
        int[] histogram = new int[80];
        for (int b = 0; b < blocks; b++)
        {
            double mean = Enumerable.Range(0, Block * Block).Average(i => EnergyT[(b / blocksW * Block + i / Block) * CellsW + b % blocksW * Block + i % Block]);
            histogram[(int)Math.Clamp(8 * Math.Log2(1.2 * mean / share * 48), 0, 79)]++;
        }
        double wanted = blocks / 10.0;
        int below = 0, bin = 0;
        while (bin < 79 && below + histogram[bin] < wanted) below += histogram[bin++];
        return Math.Clamp(Math.Pow(2, (bin + (wanted - below) / Math.Max(histogram[bin], 1)) / 8) / 48, 1 / 12.0, 9);
    }
}
