using System.Globalization;
using System.Text.Json.Nodes;
using OpenCvSharp;
using RealtimeDeblur.Networks;
using RealtimeDeblur.Tests.Browser;
using RealtimeDeblur.Tests.Networks;
using RealtimeDeblur.Tests.Training.Data;
using Xunit;

namespace RealtimeDeblur.Tests.Cli.Report;

/// <summary>The page that <c>deblur eval --report</c> writes, in a real browser.</summary>
public sealed class HtmlReportTests : IDisposable
{
    /// <summary>Pages of few pictures stay far below what a browser opens at once.</summary>
    private const int MostBytes = 10_000_000;

    private readonly TestPictures _pictures = new();

    public void Dispose() => _pictures.Dispose();

    [Fact]
    public async Task Page_InChromium_NeedsNoNetworkAndItsSliderDividesThePictures()
    {
        Uri page = MakeReport();
        using Chromium chromium = await Chromium.StartOrSkip();
        await chromium.Open(page);

        await chromium.Evaluate("document.querySelector('.stage').scrollIntoView()");
        await chromium.Evaluate("Promise.all([...document.images].map(image => image.decode()))");
        Assert.Equal("inset(0px 50% 0px 0px)", await Clip());
        using (Mat before = await Screenshot())
        {
            await chromium.Evaluate("document.querySelector('.stage input').focus()");
            for (int i = 0; i < 10; i++) await chromium.Press("ArrowRight", 39);
            Assert.Equal("inset(0px 45% 0px 0px)", await Clip());
            using Mat after = await Screenshot();
            Assert.True(Changed(before, after) > 100);
        }

        (double left, double top, double width, double height) = await Stage();
        await chromium.Drag((left + width * 0.55, top + height / 2), (left + width * 0.2, top + height / 2));
        Assert.Equal(20, (double)(await chromium.Evaluate("Number(document.querySelector('.stage input').value)"))!, tolerance: 1.0);
Assert.True((bool)(await chromium.Evaluate("document.querySelector('.stage .line').style.left === document.querySelector('.stage input').value + '%'"))!);

        // The other way of choosing: which picture is under the line.
        using (Mat before = await Screenshot())
        {
            string source = (string)(await chromium.Evaluate("document.querySelector('.stage img.right').src"))!;
            await chromium.Evaluate("(() => { const choice = document.querySelector('select.right'); choice.value = choice.options.length - 1; choice.dispatchEvent(new Event('change')); })()");
            Assert.NotEqual(source, (string)(await chromium.Evaluate("document.querySelector('.stage img.right').src"))!);
            await chromium.Evaluate("document.querySelector('.stage img.right').decode()");
            using Mat after = await Screenshot();
            Assert.True(Changed(before, after) > 100);
        }

        Assert.Empty(chromium.Errors);
        Assert.All(chromium.Requests, request => Assert.True(request.StartsWith("data:", StringComparison.Ordinal) || request == page.AbsoluteUri, request));

        async Task<string> Clip() => (string)(await chromium.Evaluate("getComputedStyle(document.querySelector('.stage img.left')).clipPath"))!;

        async Task<Mat> Screenshot() => Cv2.ImDecode(await chromium.Screenshot(), ImreadModes.Color);

        async Task<(double, double, double, double)> Stage()
        {
            JsonNode at = (await chromium.Evaluate("(() => { const r = document.querySelector('.stage').getBoundingClientRect(); return [r.left, r.top, r.width, r.height]; })()"))!;
            return ((double)at[0]!, (double)at[1]!, (double)at[2]!, (double)at[3]!);
        }
    }

    [Theory]
    [InlineData("light")]
    [InlineData("dark")]
    public async Task Page_InEitherScheme_ShowsEverySectionWithinItsWidthAndCanBeRead(string scheme)
    {
        Uri page = MakeReport();
        using Chromium chromium = await Chromium.StartOrSkip();
        await chromium.Prefer(scheme);
        await chromium.Open(page);
        string headings = (string)(await chromium.Evaluate("[...document.querySelectorAll('h2')].map(h => h.textContent).join()"))!;
        Assert.Equal("Verdict,Pictures,Quality and cost,Quality and blur,Tables,Estimators of sigma,How this was measured", headings);
        Assert.Equal(scheme == "dark", await Brightness("document.body", "backgroundColor") < 0.2);
        foreach (string element in (string[])["'h1'", "'td'", "'.plot .tick'", "'figcaption'", "'.plot text.s0'", "'.plot text.s2'"])
        {
            double ground = await Brightness("document.body", "backgroundColor"), ink = await Brightness($"document.querySelector({element})", element.Contains("plot", StringComparison.Ordinal) ? "fill" : "color");
            // Contrast as WCAG 2.1 defines it; 4.5 is its limit for small text.
            double contrast = (Math.Max(ground, ink) + 0.05) / (Math.Min(ground, ink) + 0.05);
            Assert.True(contrast >= 4.5, string.Create(CultureInfo.InvariantCulture, $"{element} has a contrast of {contrast:0.0}"));
        }
        Assert.False((bool)(await chromium.Evaluate("document.documentElement.scrollWidth > document.documentElement.clientWidth"))!);
        // No name in a plot is cut off or lies on another.
        string wrong = (string)(await chromium.Evaluate("""
            [...document.querySelectorAll('svg.plot')].flatMap(plot => {
              const frame = plot.getBoundingClientRect();
              const names = [...plot.querySelectorAll('text.name')].map(text => [text.textContent, text.getBoundingClientRect()]).filter(([text]) => text);
              return names.filter(([, r], i) => r.left < frame.left || r.right > frame.right + 1 || names.some(([, o], j) =>
                j < i && Math.min(r.right, o.right) - Math.max(r.left, o.left) > 2 && Math.min(r.bottom, o.bottom) - Math.max(r.top, o.top) > 4)).map(([text]) => text);
            }).join()
            """))!;
        Assert.Equal("", wrong);

        async Task<double> Brightness(string element, string property) => (double)(await chromium.Evaluate($$"""
            (() => {
              const [r, g, b] = getComputedStyle({{element}}).{{property}}.match(/[0-9.]+/g).map(c => c / 255).map(c => c <= 0.04045 ? c / 12.92 : ((c + 0.055) / 1.055) ** 2.4);
              return 0.2126 * r + 0.7152 * g + 0.0722 * b;
            })()
            """))!;
    }

    /// <summary>What the command makes of two pictures.</summary>
    private Uri MakeReport()
    {
        TestDevice.SkipWithoutDevice();
        _pictures.Add("a.png", 150, 110);
        _pictures.Add("b.png", 150, 110);
        string model = _pictures.PathTo("sharpen.safetensors"), page = _pictures.PathTo("report.html");
        WeightsFile.Write(model, SmallNetwork.Sharpen());
        CliResult result = CliProcess.Run(
            ["eval", model, "--images", _pictures.Sharp, "--sigma", "0.7,1.6", "--method", "unsharp,wiener,wiener:ratio=best,richardson-lucy", "--psf", "gaussian,disc", "--estimators", "--report", page]);
        Assert.True(result.ExitCode == 0, result.ToString());
        Assert.InRange(new FileInfo(page).Length, 10_000, MostBytes);
        return new Uri(page);
    }

    /// <summary>Samples that differ visibly.</summary>
    private static int Changed(Mat before, Mat after)
    {
        using Mat difference = new();
        Cv2.Absdiff(before, after, difference);
        using Mat visible = difference.Reshape(1).GreaterThan(8);
        return Cv2.CountNonZero(visible);
    }
}
