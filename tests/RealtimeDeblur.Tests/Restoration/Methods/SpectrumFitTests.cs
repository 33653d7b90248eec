using RealtimeDeblur.Restoration.Methods;
using Xunit;

namespace RealtimeDeblur.Tests.Restoration.Methods;

public sealed class SpectrumFitTests
{
    [Theory]
    [InlineData(1, 0.5, 0, 0)]
    [InlineData(1.5, 1, 0.02, 0.1)]
    [InlineData(4, 1.6, 0.01, 0.3)]
    [InlineData(3, 2.2, 0.05, 0)]
    [InlineData(4, 3.5, 0.002, 0.05)]
    [InlineData(0.8, 5, 0.01, 0.4)]
    public void FitAlpha_RatioOfTheModel_RecoversIt(double amplitude, double alpha, double c1, double c2)
    {
        double[] ratio = [.. Enumerable.Range(0, SpectrumFit.Bins).Select(bin => SpectrumFit.Ratio(SpectrumFit.Frequency(bin), amplitude, alpha, c1, c2))];
        Assert.InRange(SpectrumFit.FitAlpha(ratio), 0.99 * alpha, 1.01 * alpha);
    }

    [Fact]
    public void FitAlpha_AnyRatio_StaysWithinBoundsAndAllocatesNothing()
    {
        Random random = new(1);
        double[] ratio = new double[SpectrumFit.Bins];
        for (int round = 0; round < 200; round++)
        {
            for (int bin = 0; bin < ratio.Length; bin++) ratio[bin] = Math.Pow(10, random.NextDouble() * 8 - 4);
            Assert.InRange(SpectrumFit.FitAlpha(ratio), 0.1, 6);
        }
        AllocationAssert.None(() => SpectrumFit.FitAlpha(ratio));
    }
}
