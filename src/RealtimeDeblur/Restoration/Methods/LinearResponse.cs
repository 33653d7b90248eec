namespace RealtimeDeblur.Restoration.Methods;

/// <summary>
/// Designs the FIR filter of a linear, shift-invariant restoration of a Gaussian blur as a short sum of separable filters.
/// </summary>
/// <remarks>
/// <para>
/// Such a restoration has a transfer function that depends on the blur's alone: G(u, v) = g(H(u) H(v)), H being the transfer function of the Gaussian along one axis. So g(s t) as a function of s and t, which is symmetric,
/// has eigenfunctions (found at nodes by Jacobi's method, extended to any s by Nyström's formula), g(s t) = sum of lambda_i psi_i(s) psi_i(t), and the filter is the sum of lambda_i f_i(x) f_i(y), where f_i has the
/// transfer function psi_i(H(u)). The eigenfunctions know nothing of sigma, so that the taps for one more sigma are a few cosine sums. A dozen terms or fewer give g within a hundredth.
/// </para>
/// <para>Eigenvalues: G. Golub and C. Van Loan, "Matrix Computations", 4th ed., section 8.5. Extension: E. Nyström, Acta Mathematica 54 (1930).</para>
/// </remarks>
internal sealed class LinearResponse
{
    /// <summary>Of g, over everything that a blur of these sigmas leaves of a picture's frequencies.</summary>
    private const double Tolerance = 0.005;

    private const int MaxTerms = 12;

    // Nodes: what a mild, a middle and a wide blur leave, so that neither the strong nor the vanishing frequencies are without any.
    private static readonly double[] NodeSigmas = [0.7, 1.5, 4];
    private const int NodesPerSigma = 24;

    // Frequencies of the cosine sums: twice the reach of the taps, so that nothing comes round from the other side.
    private const int Frequencies = 4 * SeparableFilter.MaxRadius;

    /// <summary>Square root of the energy of the impulse response that may lie beyond the taps.</summary>
    private const double Tail = 1e-3;

    private readonly Func<double, double> _gain;
    private readonly double _blurScale;
    private readonly double[] _nodes;
    private readonly double[] _lambda;
    private readonly double[][] _psi;

    /// <param name="gain">g: the restoration's gain where the blur's is t, 0 to 1.</param>
    /// <param name="blurScale">Width of the Gaussian that g is about, as a multiple of the blur's sigma.</param>
    public LinearResponse(Func<double, double> gain, double blurScale = 1)
    {
        (_gain, _blurScale) = (gain, blurScale);
        _nodes = [.. NodeSigmas.SelectMany(sigma => Enumerable.Range(0, NodesPerSigma).Select(i => BlurTransfer(sigma, Math.PI * (i + 0.5) / NodesPerSigma)))];
        int n = _nodes.Length;
        double[,] values = new double[n, n];
        for (int i = 0; i < n; i++)
        for (int j = 0; j < n; j++) values[i, j] = gain(_nodes[i] * _nodes[j]) / n;
        (double[] lambda, double[][] vectors) = SymmetricEigen.Decompose(values);
        int terms = CountTerms(values, lambda, vectors);
        _lambda = lambda[..terms];
        _psi = [.. vectors[..terms].Select(vector => vector.Select(value => value * Math.Sqrt(n)).ToArray())];
    }

    /// <summary>Separable filters in the sum.</summary>
    public int Terms => _lambda.Length;

    /// <summary>The taps for a sigma, of <see cref="Terms"/> terms. A flat picture stays as it is.</summary>
    public SeparableTaps Design(float sigma)
    {
        double[][] half = new double[Terms][];
        double[] responses = new double[Terms];
        double[][] transfer = [.. Enumerable.Range(0, Frequencies + 1).Select(f => Psi(BlurTransfer(_blurScale * sigma, Math.PI * f / Frequencies)))];
        for (int t = 0; t < Terms; t++)
        {
            half[t] = new double[SeparableFilter.MaxRadius + 1];
            for (int k = 0; k < half[t].Length; k++)
            {
                double sum = 0;
                for (int f = 0; f <= Frequencies; f++) sum += (f is 0 or Frequencies ? 0.5 : 1) * transfer[f][t] * Math.Cos(Math.PI * f * k / Frequencies);
                half[t][k] = sum / Frequencies;
            }
        }
        int R = Reach(half);
        for (int t = 0; t < Terms; t++)
        {
            half[t] = half[t][..(R + 1)];
            responses[t] = 2 * half[t].Sum() - half[t][0];
        }
        // What the approximation and the cut tails leave of brightness is a hundredth away from 1.
        double brightness = Enumerable.Range(0, Terms).Sum(t => _lambda[t] * responses[t] * responses[t]);
        return new([.. _lambda.Select(lambda => lambda / brightness)], half);
    }

    /// <summary>Transfer function of the Gaussian blur at an angular frequency.</summary>
    internal static double BlurTransfer(double sigma, double omega)
    {
        double[] half = SeparableTaps.Gaussian(sigma).Half[0];
        double sum = half[0];
        for (int k = 1; k < half.Length; k++) sum += 2 * half[k] * Math.Cos(omega * k);
        // Where the Gaussian was cut off its transfer function swings about 0.
        return Math.Clamp(sum, 0, 1);
    }

    private double[] Psi(double s)
    {
        double[] psi = new double[Terms];
        for (int j = 0; j < _nodes.Length; j++)
        {
            double gain = _gain(s * _nodes[j]) / _nodes.Length;
            for (int t = 0; t < Terms; t++) psi[t] += gain * _psi[t][j];
        }
        for (int t = 0; t < Terms; t++) psi[t] /= _lambda[t];
        return psi;
    }

    /// <summary>How many terms give the function at the nodes within the tolerance.</summary>
    private static int CountTerms(double[,] values, double[] lambda, double[][] vectors)
    {
        int n = lambda.Length;
        double[,] rest = (double[,])values.Clone();
        for (int terms = 1; terms < MaxTerms; terms++)
        {
            double worst = 0;
            for (int i = 0; i < n; i++)
            for (int j = 0; j < n; j++)
            {
                rest[i, j] -= lambda[terms - 1] * vectors[terms - 1][i] * vectors[terms - 1][j];
                worst = Math.Max(worst, Math.Abs(rest[i, j]) * n);
            }
            if (worst < Tolerance) return terms;
        }
        return MaxTerms;
    }

    /// <summary>The smallest radius beyond which the sum of the separable filters has next to no energy.</summary>
    private int Reach(double[][] half)
    {
        for (int R = SeparableFilter.MaxRadius - 1; R >= 1; R--)
        {
            // Energy that goes when row and column R + 1 are cut off: squares of the sum at (R + 1, y), counted for both axes and all mirror images.
            double energy = 0;
            for (int beyond = R + 1; beyond <= SeparableFilter.MaxRadius; beyond++)
            for (int y = 0; y <= beyond; y++)
            {
                double value = 0;
                for (int t = 0; t < Terms; t++) value += _lambda[t] * half[t][beyond] * half[t][y];
                energy += value * value * (y == 0 ? 4 : y == beyond ? 4 : 8);
            }
            if (energy > Tail * Tail) return R + 1;
        }
        return 1;
    }
}
