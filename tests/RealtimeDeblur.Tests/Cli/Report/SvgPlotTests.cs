using System.Xml.Linq;
using RealtimeDeblur.Cli.Report;
using Xunit;

namespace RealtimeDeblur.Tests.Cli.Report;

public sealed class SvgPlotTests
{
    [Theory]
    [InlineData(27.3, 40.2)]
    [InlineData(-1.4, 5.6)]
    [InlineData(0.001, 0.0042)]
    [InlineData(30, 30)]
    public void Ticks_AnyRange_AreRoundFewAndEncloseIt(double low, double high)
    {
        double[] ticks = SvgPlot.Ticks(low, high);
        Assert.InRange(ticks.Length, 2, 9);
        Assert.True(ticks[0] <= low && ticks[^1] >= high, string.Join(' ', ticks));
    }

    [Theory]
    [InlineData(true, true)]
    [InlineData(false, false)]
    public void Write_ManyNames_IsXmlWithinItsFrameAndNamesDoNotOverlap(bool isLogX, bool namesAtEnd)
    {
        SvgPlot plot = new("A <plot> & more", "x", "y")
        {
            IsLogX = isLogX,
            NamesAtEnd = namesAtEnd,
            Reference = (30, "blurred input"),
            Series = [.. Enumerable.Range(0, 12).Select(i => new PlotSeries($"method {i}", [(1 + i % 3, 30.1 + 0.3 * i), (namesAtEnd ? 100 : 1 + i % 3, 31 + 0.01 * i)], i))],
        };
        XElement svg = XElement.Parse(plot.Write());
        (double X, double Y)[] names = [.. svg.Elements("text").Where(text => ((string?)text.Attribute("class"))!.StartsWith("name s", StringComparison.Ordinal)).Select(text => ((double)text.Attribute("x")!, (double)text.Attribute("y")!))];
        Assert.Equal(12, names.Length);
        Assert.All(names, name => Assert.True(name is { X: > 0 and < 560, Y: > 0 and < 360 }, $"{name}"));
        foreach ((double x, double y) in names) Assert.Single(names, other => Math.Abs(other.Y - y) < 8 && Math.Abs(other.X - x) < 40);
    }

    [Fact]
    public void Write_NothingFinite_IsNothing() => Assert.Equal("", new SvgPlot("", "", "") { Series = [new("nan", [(1, double.NaN)], 0)] }.Write());
}
