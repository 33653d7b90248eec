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

    /// <summary>Steps of the eigenfunctions' table: far finer than the 0.01 over which Wiener's gain turns at its smallest ratio.</summary>
    private const int Samples = 4096;

    // cos(pi i / Frequencies), a whole turn.
    private static readonly double[] Cosine = [.. Enumerable.Range(0, 2 * Frequencies).Select(i => Math.Cos(Math.PI * i / Frequencies))];

    /// <summary>Square root of the energy of the impulse response that may lie beyond the taps.</summary>
    private const double Tail = 1e-3;

    private readonly double _blurScale;
    private readonly double[] _lambda;
    private readonly double[][] _psi;       // [term][0..Samples], over s = 0 to 1

    /// <param name="gain">g: the restoration's gain where the blur's is t, 0 to 1.</param>
    /// <param name="blurScale">Width of the Gaussian that g is about, as a multiple of the blur's sigma.</param>
    public LinearResponse(Func<double, double> gain, double blurScale = 1)
    {
        _blurScale = blurScale;
        double[] nodes = [.. NodeSigmas.SelectMany(sigma => Enumerable.Range(0, NodesPerSigma).Select(i => BlurTransfer(sigma, Math.PI * (i + 0.5) / NodesPerSigma)))];
        int n = nodes.Length;
        double[,] values = new double[n, n];
        for (int i = 0; i < n; i++)
        for (int j = 0; j < n; j++) values[i, j] = gain(nodes[i] * nodes[j]) / n;
        (double[] lambda, double[][] vectors) = SymmetricEigen.Decompose(values);
        int terms = CountTerms(values, lambda, vectors);
        _lambda = lambda[..terms];
        _psi = [.. _lambda.Select(_ => new double[Samples + 1])];
        for (int i = 0; i <= Samples; i++)
        for (int j = 0; j < n; j++)
        {
            double g = gain(nodes[j] * i / Samples) / Math.Sqrt(n);
            for (int t = 0; t < terms; t++) _psi[t][i] += g * vectors[t][j] / _lambda[t];
        }
    }

    /// <summary>Separable filters in the sum.</summary>
    public int Terms => _lambda.Length;

    /// <summary>The taps for a sigma, of <see cref="Terms"/> terms. A flat picture stays as it is.</summary>
    public SeparableTaps Design(float sigma)
    {
        double[][] half = new double[Terms][];
        double[] responses = new double[Terms], blur = [.. Enumerable.Range(0, Frequencies + 1).Select(f => BlurTransfer(_blurScale * sigma, Math.PI * f / Frequencies))];
        for (int t = 0; t < Terms; t++)
        {
            double[] transfer = [.. blur.Select(s => Interpolate(_psi[t], s))];
            half[t] = new double[SeparableFilter.MaxRadius + 1];
            for (int k = 0; k < half[t].Length; k++)
            {
                double sum = 0.5 * (transfer[0] + transfer[Frequencies] * Cosine[Frequencies * k % Cosine.Length]);
                for (int f = 1; f < Frequencies; f++) sum += transfer[f] * Cosine[f * k % Cosine.Length];
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

    private static double Interpolate(double[] table, double s)
    {
        int below = Math.Min((int)(s * Samples), Samples - 1);
        return table[below] + (s * Samples - below) * (table[below + 1] - table[below]);
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
        double energy = 0;
        for (int R = SeparableFilter.MaxRadius; R > 1; R--)
        {
            // What goes when row and column R are cut off: squares of the sum at (R, y), counted for both axes and all mirror images.
            for (int y = 0; y <= R; y++)
            {
                double value = 0;
                for (int t = 0; t < Terms; t++) value += _lambda[t] * half[t][R] * half[t][y];
                energy += value * value * (y == 0 || y == R ? 4 : 8);
            }
            if (energy > Tail * Tail) return R;
        }
        return 1;
    }
}
