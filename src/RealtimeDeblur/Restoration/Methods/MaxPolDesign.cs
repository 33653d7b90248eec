namespace RealtimeDeblur.Restoration.Methods;

/// <summary>The one-dimensional filter of 1Shot-MaxPol for a blur of known scale, in double precision on the host.</summary>
/// <remarks>
/// Hosseini and Plataniotis, "Convolutional Deblurring for Natural Imaging", IEEE TIP 2019, section on Gaussian blur: the inverse of the blur's spectrum as an even polynomial of frequency, fitted where it is below
/// <see cref="MaxAmplification"/>; every power of frequency as a central derivative filter of maximal order (MaxPol, full band); all of it smoothed against noise.
/// We differ in the smoothing. As published it is a generalised Gaussian of the blur's own exponent, 1.8. Such a filter's spectrum falls off as a power, while the polynomial grows as frequency to the 16th beyond the band where
/// it was fitted: from scale 2 on its response there is 78 and more (46,000 at scale 3), which destroys every picture (Set5 at sigma 2: 6 instead of 28 dB). A plain Gaussian of the same width keeps the response below 1.5 for every
/// scale up to 4. The polynomial is fitted in Chebyshev's basis, which powers of frequency are too ill-conditioned for.
/// </remarks>
internal static class MaxPolDesign
{
    /// <summary>Half length of the filter, as published.</summary>
    public const int Radius = 32;

    /// <summary>Taps of the filter.</summary>
    public const int Taps = 2 * Radius + 1;

    /// <summary>Widest blur for which there is a filter, in pixels: beyond, derivatives of order 16 scale up to where double precision ends (at 5 the response at rest is wrong by 4e-4).</summary>
    public const double MaxScale = SigmaEstimate.MaxSigma;

    /// <summary>The blur's exponent as published for Gaussian blur: 2 is a Gaussian, less has a sharper peak and longer tails.</summary>
    public const double DefaultShape = 1.8;

    // All as published.
    private const int Degree = 16;                  // of the polynomial
    private const int Terms = Degree / 2 + 1;
    private const double MaxAmplification = 30;     // of frequencies that count for the fit
    private const int BlurRadius = 16;              // of the sampled blur
    private const int Frequencies = 512;            // 0 to pi, of a transform of 1024 points
    private const double NoiseScale = 0.85;         // of the smoothing, in scales of the blur

    /// <summary>Far enough for the smoothing's tail to vanish in double precision even at the largest scale.</summary>
    private const int NoiseRadius = 64;

    /// <summary>Central derivatives of order 0, 2, 4..16: [n][tap].</summary>
    private static readonly double[][] Derivatives = [.. CentralDerivatives(Radius, Degree).Where((_, order) => order % 2 == 0)];

    /// <summary>The identity plus the deblurring filter.</summary>
    /// <param name="scale">Standard deviation of the blur in pixels, 0 to <see cref="MaxScale"/>.</param>
    /// <param name="shape">The blur's exponent, about 2.</param>
    /// <returns>[<see cref="Taps"/>], symmetric, of sum 1.</returns>
    public static double[] Filter(double scale, double shape)
    {
        double[] taps = new double[Taps];
        if (scale > 0)
        {
            double[] edges = Edges(InversePolynomial(scale, shape).Coefficients), smoothing = GeneralizedGaussian(NoiseScale * scale, 2, NoiseRadius);
            for (int i = 0; i < Taps; i++)
            for (int k = 0; k < Taps; k++)
                taps[i] += edges[k] * smoothing[i - k + NoiseRadius];
            // A flat picture has no edges; rounding, of derivatives as large as 1e9, leaves up to 3e-6.
            taps[Radius] -= taps.Sum();
        }
        taps[Radius] += 1;
        return taps;
    }

    /// <summary>Least squares fit of 1/|spectrum of the blur| by an even polynomial over the band where that is below <see cref="MaxAmplification"/>.</summary>
    /// <returns>Coefficients of w^0, w^2 ... w^16, and where the band ends, in radians per pixel.</returns>
    public static (double[] Coefficients, double Band) InversePolynomial(double scale, double shape)
    {
        double[] psf = GeneralizedGaussian(scale, shape, BlurRadius);
        List<double> frequencies = [], inverse = [];
        for (int i = 0; i < Frequencies; i++)
        {
            double w = Math.PI * i / Frequencies, response = Math.Abs(Response(psf, w));
            if (response * MaxAmplification <= 1) break;
            frequencies.Add(w);
            inverse.Add(1 / response);
        }
        double band = frequencies[^1];

        // Columns are Chebyshev polynomials of u = 2 (w/band)^2 - 1, made orthonormal one after another.
        int points = frequencies.Count;
        double[][] basis = new double[Terms][];
        double[] fitted = new double[Terms];
        double[,] triangle = new double[Terms, Terms];
        for (int n = 0; n < Terms; n++)
        {
            double[] column = basis[n] = [.. frequencies.Select(w => Chebyshev(n, 2 * w * w / (band * band) - 1))];
            for (int m = 0; m < n; m++)
            {
                triangle[m, n] = Dot(basis[m], column);
                for (int i = 0; i < points; i++) column[i] -= triangle[m, n] * basis[m][i];
            }
            triangle[n, n] = Math.Sqrt(Dot(column, column));
            for (int i = 0; i < points; i++) column[i] /= triangle[n, n];
            fitted[n] = Dot(column, inverse);
        }
        for (int n = Terms - 1; n >= 0; n--)
        {
            for (int m = n + 1; m < Terms; m++) fitted[n] -= triangle[n, m] * fitted[m];
            fitted[n] /= triangle[n, n];
        }
        return (PowersOf(fitted, band), band);
    }

    /// <summary>The polynomial without its constant term, over that term, as a filter: minus w^2 is a second derivative.</summary>
    /// <returns>[<see cref="Taps"/>], symmetric.</returns>
    public static double[] Edges(double[] coefficients)
    {
        double[] edges = new double[Taps];
        for (int n = 1; n < coefficients.Length; n++)
        {
            double share = (n % 2 == 0 ? 1 : -1) * coefficients[n] / coefficients[0];
            for (int i = 0; i < Taps; i++) edges[i] += share * Derivatives[n][i];
        }
        return edges;
    }

    /// <summary>Filters for the derivatives at the middle of 2 <paramref name="radius"/> + 1 samples, exact for polynomials of degree 2 <paramref name="radius"/>.</summary>
    /// <returns>[order 0..<paramref name="maxOrder"/>][tap].</returns>
    /// <remarks>Fornberg, "Generation of finite difference formulas on arbitrarily spaced grids", Math. Comp. 51 (1988); samples are added from the middle outwards, which keeps the recursion stable.</remarks>
    public static double[][] CentralDerivatives(int radius, int maxOrder)
    {
        int count = 2 * radius + 1;
        int[] at = [.. Enumerable.Range(0, count).Select(i => i % 2 == 1 ? (i + 1) / 2 : -i / 2)];
        double[][] weights = [.. Enumerable.Range(0, maxOrder + 1).Select(_ => new double[count])];
        weights[0][radius] = 1;
        double previous = 1;
        for (int i = 1; i < count; i++)
        {
            double product = 1;
            for (int j = 0; j < i; j++) product *= at[i] - at[j];
            int here = at[i] + radius, before = at[i - 1] + radius;
            for (int order = Math.Min(i, maxOrder); order >= 0; order--)
            {
                double lower = order > 0 ? order * weights[order - 1][before] : 0;
                weights[order][here] = previous / product * (lower - at[i - 1] * weights[order][before]);
            }
            for (int j = 0; j < i; j++)
            {
                int there = at[j] + radius;
                for (int order = Math.Min(i, maxOrder); order >= 0; order--)
                {
                    double lower = order > 0 ? order * weights[order - 1][there] : 0;
                    weights[order][there] = (at[i] * weights[order][there] - lower) / (at[i] - at[j]);
                }
            }
            previous = product;
        }
        return weights;
    }

    /// <summary>exp(-|x/A|^shape) with A such that the standard deviation is <paramref name="scale"/>, of sum 1: [2 <paramref name="radius"/> + 1].</summary>
    public static double[] GeneralizedGaussian(double scale, double shape, int radius)
    {
        double width = scale * Math.Exp((LogGamma(1 / shape) - LogGamma(3 / shape)) / 2);
        double[] values = [.. Enumerable.Range(-radius, 2 * radius + 1).Select(x => Math.Exp(-Math.Pow(Math.Abs(x) / width, shape)))];
        double sum = values.Sum();
        return [.. values.Select(value => value / sum)];
    }

    /// <summary>What a symmetric filter makes of a cosine of frequency <paramref name="w"/>, in radians per pixel.</summary>
    public static double Response(double[] taps, double w)
    {
        int radius = taps.Length / 2;
        double sum = taps[radius];
        for (int k = 1; k <= radius; k++) sum += 2 * taps[radius + k] * Math.Cos(k * w);
        return sum;
    }

    /// <summary>From a sum of Chebyshev polynomials of 2 (w/band)^2 - 1 to one of even powers of w.</summary>
    private static double[] PowersOf(double[] chebyshev, double band)
    {
        double scale = 2 / (band * band);
        double[] sum = new double[Terms], one = new double[Terms], next = new double[Terms];
        one[0] = 1;             // T0
        (next[0], next[1]) = (-1, scale);
        for (int n = 0; n < Terms; n++)
        {
            for (int i = 0; i < Terms; i++) sum[i] += chebyshev[n] * one[i];
            // T(n+2) = 2 u T(n+1) - T(n)
            double[] after = new double[Terms];
            for (int i = 0; i < Terms; i++) after[i] = 2 * ((i > 0 ? scale * next[i - 1] : 0) - next[i]) - one[i];
            (one, next) = (next, after);
        }
        return sum;
    }

    private static double Chebyshev(int n, double u) => Math.Cos(n * Math.Acos(Math.Clamp(u, -1, 1)));

    private static double Dot(double[] a, IReadOnlyList<double> b)
    {
        double sum = 0;
        for (int i = 0; i < a.Length; i++) sum += a[i] * b[i];
        return sum;
    }

    /// <summary>ln of the gamma function above 0, by Stirling's series after steps upwards; right to 1e-12.</summary>
    private static double LogGamma(double x)
    {
        const double FarEnough = 10;    // where four terms of the series do
        double steps = 0;
        for (; x < FarEnough; x++) steps += Math.Log(x);
        double square = x * x;
        return (x - 0.5) * Math.Log(x) - x + Math.Log(2 * Math.PI) / 2 + (1 / 12.0 - (1 / 360.0 - (1 / 1260.0 - 1 / (1680 * square)) / square) / square) / x - steps;
    }
}
