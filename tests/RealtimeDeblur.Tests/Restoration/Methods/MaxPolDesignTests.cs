using RealtimeDeblur.Restoration.Methods;
using Xunit;

namespace RealtimeDeblur.Tests.Restoration.Methods;

public sealed class MaxPolDesignTests
{
    public static TheoryData<double> Scales => [0.3, 0.75, 1, 1.6, 2, 3, 4];

    [Theory]
    [InlineData(1, 2, new[] { 1.0, -2, 1 })]
    [InlineData(2, 1, new[] { 1 / 12.0, -2 / 3.0, 0, 2 / 3.0, -1 / 12.0 })]
    [InlineData(2, 2, new[] { -1 / 12.0, 4 / 3.0, -5 / 2.0, 4 / 3.0, -1 / 12.0 })]
    [InlineData(2, 4, new[] { 1.0, -4, 6, -4, 1 })]
    [InlineData(3, 2, new[] { 1 / 90.0, -3 / 20.0, 3 / 2.0, -49 / 18.0, 3 / 2.0, -3 / 20.0, 1 / 90.0 })]
    public void CentralDerivatives_SmallStencils_AreTheKnownOnes(int radius, int order, double[] expected)
    {
        double[] actual = MaxPolDesign.CentralDerivatives(radius, order)[order];
        for (int i = 0; i < expected.Length; i++) Assert.Equal(expected[i], actual[i], 12);
    }

    [Fact]
    public void CentralDerivatives_FullLength_DifferentiateCosines()
    {
        double[][] derivatives = MaxPolDesign.CentralDerivatives(MaxPolDesign.Radius, 16);
        foreach (int order in (int[])[2, 4, 8, 16])
        foreach (double w in (double[])[0.5, 1, 2])
        {
            double expected = (order % 4 == 0 ? 1 : -1) * Math.Pow(w, order);
            Assert.InRange(MaxPolDesign.Response(derivatives[order], w), expected - 1e-3 * Math.Abs(expected) - 1e-9, expected + 1e-3 * Math.Abs(expected) + 1e-9);
        }
    }

    [Theory]
    [InlineData(0.5)]
    [InlineData(2.5)]
    public void GeneralizedGaussian_ExponentTwo_IsTheGaussian(double scale)
    {
        double[] actual = MaxPolDesign.GeneralizedGaussian(scale, 2, 20);
        double[] expected = [.. Enumerable.Range(-20, 41).Select(x => Math.Exp(-x * x / (2 * scale * scale)))];
        for (int i = 0; i < expected.Length; i++) Assert.Equal(expected[i] / expected.Sum(), actual[i], 10);
    }

    [Theory]
    [MemberData(nameof(Scales))]
    public void InversePolynomial_OnTheBand_IsTheInverse(double scale)
    {
        (double[] coefficients, double band) = MaxPolDesign.InversePolynomial(scale, MaxPolDesign.DefaultShape);
        double[] psf = MaxPolDesign.GeneralizedGaussian(scale, MaxPolDesign.DefaultShape, 16);
        for (double w = 0; w <= band; w += band / 100) Assert.Equal(1 / MaxPolDesign.Response(psf, w), Polynomial(coefficients, w), 1e-2);
    }

    [Theory]
    [MemberData(nameof(Scales))]
    public void Edges_OnTheBand_HaveThePolynomialAsTransferFunction(double scale)
    {
        (double[] coefficients, double band) = MaxPolDesign.InversePolynomial(scale, MaxPolDesign.DefaultShape);
        double[] edges = MaxPolDesign.Edges(coefficients);
        // Towards half the sampling rate even derivatives of maximal order fall behind.
        for (double w = 0; w <= Math.Min(band, 2); w += 0.05)
        {
            double expected = Polynomial(coefficients, w) / coefficients[0] - 1;
            Assert.InRange(MaxPolDesign.Response(edges, w), expected - 1e-3 * (1 + expected), expected + 1e-3 * (1 + expected));
        }
    }

    /// <summary>What is added at any frequency stays below the published way's at its best scale.</summary>
    [Fact]
    public void Filter_EveryScale_IsBoundedSymmetricAndKeepsFlatPictures()
    {
        for (double scale = 0; scale <= MaxPolDesign.MaxScale; scale += 0.25)
        {
            double[] filter = MaxPolDesign.Filter(scale, MaxPolDesign.DefaultShape);
            Assert.Equal(MaxPolDesign.Taps, filter.Length);
            Assert.Equal(1, filter.Sum(), 12);
            for (int k = 0; k < MaxPolDesign.Radius; k++) Assert.Equal(filter[k], filter[^(k + 1)], 5);
            for (double w = 0; w <= Math.PI; w += 0.02) Assert.InRange(MaxPolDesign.Response(filter, w), 1 - 1e-4, 2.5);
        }
        Assert.All(MaxPolDesign.Filter(0, MaxPolDesign.DefaultShape).Select((tap, i) => (tap, i)), one => Assert.Equal(one.i == MaxPolDesign.Radius ? 1 : 0, one.tap));
    }

    private static double Polynomial(double[] coefficients, double w)
    {
        double sum = 0;
        for (int n = coefficients.Length - 1; n >= 0; n--) sum = sum * w * w + coefficients[n];
        return sum;
    }
}
