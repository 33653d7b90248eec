using RealtimeDeblur.Restoration;
using RealtimeDeblur.Training.Evaluation;
using Xunit;

namespace RealtimeDeblur.Tests.Training.Evaluation;

public sealed class ParameterSearchTests
{
    [Theory]
    [InlineData(1e-4)]
    [InlineData(0.0037)]
    [InlineData(0.8)]
    [InlineData(1)]
    public void Best_OnePeak_IsFoundWithinFourPercent(double peak)
    {
        FilterParameter parameter = new("ratio", "", 1e-4, 1, 1e-3);
        Assert.InRange(ParameterSearch.Best(parameter, value => -Math.Abs(Math.Log(value / peak))), 0.96 * peak, 1.04 * peak);
    }

    [Theory]
    [InlineData(1)]
    [InlineData(7)]
    [InlineData(200)]
    public void Best_WholeNumbers_AreTriedOnceEach(int peak)
    {
        FilterParameter parameter = new("iterations", "", 1, 200, 20) { IsWhole = true };
        List<double> tried = [];
        double best = ParameterSearch.Best(parameter, value =>
        {
            tried.Add(value);
            return -Math.Abs(Math.Log(value / peak));
        });
        Assert.Equal(peak, best);
        Assert.All(tried, value => Assert.Equal(Math.Floor(value), value));
        Assert.Equal(tried.Distinct(), tried);
    }

    [Fact]
    public void Best_NothingHelps_IsNothing() => Assert.Equal(0, ParameterSearch.Best(new("amount", "", 0, 10, 2), amount => -amount));
}
