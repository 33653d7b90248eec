using RealtimeDeblur.Restoration.Methods;
using Xunit;

namespace RealtimeDeblur.Tests.Restoration.Methods;

/// <summary>FIR filters as designed, by their transfer functions.</summary>
public sealed class LinearResponseTests
{
    private const int Frequencies = 32;

    public static TheoryData<double, float> WienerFilters => new MatrixTheoryData<double, float>([1e-3, 1e-2, 0.1], [0.25f, 0.7f, 1f, 1.6f, 2f, 3f, 4f]);

    [Theory]
    [MemberData(nameof(WienerFilters))]
    public void Design_Wiener_HasItsTransferFunction(double ratio, float sigma)
    {
        double largestGain = 0.5 / Math.Sqrt(ratio);
        AssertTransfer(t => t / (t * t + ratio), sigma, within: 0.01 * largestGain + 0.05);
    }

    [Theory]
    [InlineData(5, 1f)]
    [InlineData(12, 2f)]
    [InlineData(50, 3f)]
    public void Design_VanCittert_HasItsTransferFunction(int iterations, float sigma) =>
        AssertTransfer(t => Enumerable.Range(0, iterations + 1).Sum(j => Math.Pow(1 - t, j)), sigma, within: 0.02 * (iterations + 1));

    [Theory]
    [InlineData(10, 1f)]
    [InlineData(200, 2f)]
    [InlineData(200, 4f)]
    public void Design_Landweber_HasItsTransferFunction(int iterations, float sigma) =>
        AssertTransfer(t => t < 1e-9 ? 1 : (1 - Math.Pow(1 - t * t, iterations) * (1 - t)) / t, sigma, within: 0.2);

    [Fact]
    public void Design_Unsharp_IsExactWithTwoTerms()
    {
        LinearResponse response = new(t => 1 + 2 * (1 - t));
        Assert.Equal(2, response.Terms);
        AssertTransfer(t => 1 + 2 * (1 - t), sigma: 1.3f, within: 0.01);
    }

    [Theory]
    [InlineData(0f)]
    [InlineData(1f)]
    [InlineData(4f)]
    public void Design_AnySigma_KeepsBrightness(float sigma)
    {
        SeparableTaps taps = new LinearResponse(t => t / (t * t + 1e-3)).Design(sigma);
        Assert.Equal(1, Transfer(taps, 0, 0), 1e-9);
        Assert.InRange(taps.Radius, 1, SeparableFilter.MaxRadius);
    }

    [Fact]
    public void Decompose_SymmetricMatrix_GivesItBack()
    {
        const int N = 9;
        var random = new Random(3);
        double[,] matrix = new double[N, N];
        for (int i = 0; i < N; i++)
        for (int j = 0; j <= i; j++) matrix[i, j] = matrix[j, i] = random.NextDouble() - 0.5;
        (double[] values, double[][] vectors) = SymmetricEigen.Decompose(matrix);
        for (int i = 0; i < N; i++)
        for (int j = 0; j < N; j++)
        {
            Assert.Equal(matrix[i, j], Enumerable.Range(0, N).Sum(k => values[k] * vectors[k][i] * vectors[k][j]), 1e-12);
            Assert.Equal(i == j ? 1 : 0, Enumerable.Range(0, N).Sum(k => vectors[i][k] * vectors[j][k]), 1e-12);
        }
        Assert.Equal(values.OrderByDescending(Math.Abs), values);
    }

    private static void AssertTransfer(Func<double, double> gain, float sigma, double within)
    {
        SeparableTaps taps = new LinearResponse(gain).Design(sigma);
        double atZero = gain(1);
        for (int v = 0; v <= Frequencies; v++)
        for (int u = 0; u <= Frequencies; u++)
        {
            (double omegaU, double omegaV) = (Math.PI * u / Frequencies, Math.PI * v / Frequencies);
            double blur = LinearResponse.BlurTransfer(sigma, omegaU) * LinearResponse.BlurTransfer(sigma, omegaV);
            Assert.InRange(Transfer(taps, omegaU, omegaV) - gain(blur) / atZero, -within, within);
        }
    }

    private static double Transfer(SeparableTaps taps, double u, double v) =>
        Enumerable.Range(0, taps.Gains.Length).Sum(t => taps.Gains[t] * Along(taps.Half[t], u) * Along(taps.Half[t], v));

    private static double Along(double[] half, double omega) => half[0] + 2 * Enumerable.Range(1, half.Length - 1).Sum(k => half[k] * Math.Cos(omega * k));
}
