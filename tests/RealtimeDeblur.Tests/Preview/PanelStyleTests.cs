using System.Diagnostics;
using RealtimeDeblur.Preview.Drawing;
using SkiaSharp;
using Xunit;

namespace RealtimeDeblur.Tests.Preview;

public sealed class PanelStyleTests : IDisposable
{
    private readonly SKTypeface _typeface = SKTypeface.FromFile(FontFile.Find());
    private readonly PanelStyle _style;

    public PanelStyleTests() => _style = new(_typeface, 1);

    public void Dispose()
    {
        _style.Dispose();
        _typeface.Dispose();
    }

    [Fact]
    public void Wrap_ShortLines_KeepsThem() => Assert.Equal(["one", "  two", "", "three"], PanelStyle.Wrap("one\r\n\ttwo\n\nthree\n".Replace("\t", "  ", StringComparison.Ordinal), _style.Body, 500, 10));

    [Fact]
    public void Wrap_LongLine_BreaksBetweenWordsAndLosesNone()
    {
        string text = string.Join(' ', Enumerable.Range(1, 100).Select(i => $"word{i}"));
        IReadOnlyList<string> lines = PanelStyle.Wrap(text, _style.Body, 300, 100);
        Assert.Equal(text, string.Join(' ', lines));
        Assert.All(lines, line => Assert.InRange(_style.Body.MeasureText(line), 1, 300));
    }

    [Fact]
    public void Wrap_WordWiderThanTheLine_IsBrokenInside()
    {
        string word = new('x', 200);
        IReadOnlyList<string> lines = PanelStyle.Wrap(word, _style.Body, 300, 100);
        Assert.Equal(word, string.Concat(lines));
        Assert.All(lines, line => Assert.InRange(_style.Body.MeasureText(line), 1, 300));
    }

    [Fact]
    public void Wrap_NoWidthAtAll_GivesACharacterPerLine() => Assert.Equal(["a", "b", "😀"], PanelStyle.Wrap("ab😀", _style.Body, 0, 10));

    [Fact]
    public void Wrap_TooManyLines_SaysThatThereIsMore()
    {
        IReadOnlyList<string> lines = PanelStyle.Wrap("one\ntwo\nthree", _style.Body, 300, 2);
        Assert.Equal(["one", "two…"], lines);
    }

    [Fact]
    public void Wrap_HugeLog_IsQuick()
    {
        Stopwatch watch = Stopwatch.StartNew();
        Assert.Equal(5, PanelStyle.Wrap(new string('x', 1_000_000), _style.Body, 300, 5).Count);
        Assert.InRange(watch.Elapsed.TotalSeconds, 0, 5);       // measured character by character it would take hours
    }

    [Fact]
    public void Wrap_ControlCharacters_AreLeftOut() => Assert.Equal(["[31merror"], PanelStyle.Wrap("\u001b[31merror\a", _style.Body, 300, 5));

    [Fact]
    public void Shorten_LongText_FitsAndEndsInAnEllipsis()
    {
        string shortened = PanelStyle.Shorten("a device with a name that is too long", _style.Body, 150);
        Assert.EndsWith("…", shortened, StringComparison.Ordinal);
        Assert.InRange(_style.Body.MeasureText(shortened), 100, 151);
        Assert.Equal("short", PanelStyle.Shorten("short", _style.Body, 150));
    }
}
