using RealtimeDeblur.Pipeline;
using Xunit;

namespace RealtimeDeblur.Tests.Pipeline;

public sealed class SigmaHistogramTests
{
    [Theory]
    [InlineData(new float[] { }, null)]
    [InlineData(new[] { 0f }, 0f)]
    [InlineData(new[] { 4f, 0.5f, 1.59375f }, 1.59375f)]
    [InlineData(new[] { 3f, 1f, 2f, 4f }, 2f)]
    [InlineData(new[] { 9f }, 4f)]      // beyond what can be set
    public void Median_Sigmas_IsTheOneInTheMiddle(float[] sigmas, float? median)
    {
        SigmaHistogram histogram = new();
        foreach (float sigma in sigmas) histogram.Add(sigma);
        Assert.Equal(median, histogram.Median);
    }
}
