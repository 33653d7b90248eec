using RealtimeDeblur.Networks;
using RealtimeDeblur.Restoration;
using Xunit;

namespace RealtimeDeblur.Tests.Restoration;

public sealed class RestorationMethodTests
{
    [Fact]
    public void Parse_FilterWithParameters_HasThemAndTheOthersDefaults()
    {
        RestorationMethod method = RestorationMethod.Parse("Unsharp:AMOUNT=1.5");
        Assert.Equal("unsharp:amount=1.5", method.Name);
        Assert.Equal("unsharp", method.Filter!.Name);
        Assert.Equal(1.5, method.Parameters["amount"]);
        Assert.Equal(1, method.Parameters["radius"]);
        Assert.True(method.TakesSigma);
        Assert.Null(method.Network);
    }

    [Theory]
    [InlineData("sharpen", "There is no method 'sharpen'. Methods are unsharp, wiener")]
    [InlineData("", "There is no method ''")]
    [InlineData("wiener:noise=1", "wiener has no parameter 'noise', but ratio.")]
    [InlineData("wiener:ratio", "wiener: ratio must be 0.0001 to 1, e.g. wiener:ratio=0.001.")]
    [InlineData("wiener:ratio=2", "wiener: ratio must be 0.0001 to 1")]
    [InlineData("wiener:ratio=NaN", "wiener: ratio must be 0.0001 to 1")]
    [InlineData("landweber:iterations=1.5", "landweber: iterations must be a whole number of 0 to 500")]
    public void Parse_Nonsense_SaysWhatThereIs(string text, string message) =>
        Assert.StartsWith(message, Assert.Throws<FormatException>(() => RestorationMethod.Parse(text)).Message, StringComparison.Ordinal);

    [Fact]
    public void Filters_All_NameTheirSource()
    {
        Assert.Equal(RestorationMethod.Filters.Count, RestorationMethod.Filters.Select(filter => filter.Name).Distinct().Count());
        Assert.All(RestorationMethod.Filters, filter =>
        {
            Assert.Matches(@"\d{4}", filter.Source);
            Assert.EndsWith(".", filter.Summary, StringComparison.Ordinal);
            Assert.All(filter.Parameters, parameter => Assert.InRange(parameter.Default, parameter.Minimum, parameter.Maximum));
            Assert.NotEqual(SigmaSource.Own, filter.SigmaFrom);
        });
    }

    [Fact]
    public void Network_AsMethod_KeepsNameAndChannels()
    {
        RestorationMethod method = ModelCatalog.Load("tiny");
        Assert.Equal("tiny", method.Name);
        Assert.True(method.TakesSigma);
        Assert.Equal(1, method.C);
        Assert.Null(method.Filter);
    }
}
