using System.Diagnostics;
using System.Text.Json;
using RealtimeDeblur.Tests.Preview;
using RealtimeDeblur.Video;
using Xunit;

namespace RealtimeDeblur.Tests.Cli;

/// <summary><c>deblur live</c> with its window, on a screen in memory; keys and mouse by xdotool. What the window does by itself is tested in <see cref="PreviewWindowTests"/>.</summary>
public sealed class LiveWindowTests : IDisposable
{
    private readonly TemporaryFolder _folder = new();
    private readonly XvfbDisplay _display;
    private readonly Dictionary<string, string?> _environment;

    public LiveWindowTests()
    {
        TestDevice.SkipWithoutDevice();
        _display = XvfbDisplay.StartOrSkip();
        _environment = _display.Environment.ToDictionary(entry => entry.Key, string? (entry) => entry.Value);
        _environment["XDG_CONFIG_HOME"] = _folder["config"];
    }

    public void Dispose()
    {
        _display.Dispose();
        _folder.Dispose();
    }

    [Fact]
    public void Live_KeysOfTheSession_AreCarriedOut()
    {
        using CliProcess process = Start("--json", "--verbose");
        WaitForWindow();

        // A snapshot needs a picture; until one has come the key does nothing.
        Until(process, "Saved", () => Press("s"), "-restored.png");
        Assert.Equal(2, Directory.GetFiles(_folder.Path, "deblur-*-*-original.png").Length + Directory.GetFiles(_folder.Path, "deblur-*-*-restored.png").Length);

        Press("m");
        process.WaitForStderr("Network: quality-camera");
        Press("shift+m");
        process.WaitForStderr("chosen automatically");
        Press("c");
        process.WaitForStderr("At the left: unsharp");
        // The method before goes on until the next one is built.
        Until(() =>
        {
            Press("s");
            Thread.Sleep(1000);
            return Directory.GetFiles(_folder.Path, "*-compared.png").Length > 0;
        });
        Press("shift+c");
        process.WaitForStderr("At the left: original");
        Press("d");
        process.WaitForStderr("OpenCL device here");
        Press("p");
        process.WaitForStderr("paused");
        Press("p");
        process.WaitForStderr("running");
        XDoTool("mousemove 400 300 click 5");
        process.WaitForStderr("strength 0.");
        // The first pictures may have been shown before there was a network.
        Until(() =>
        {
            Press("s");
            Thread.Sleep(1000);
            return EdgeEnergy(Last("*-restored.png")) > 1.3 * EdgeEnergy(Last("*-original.png"));
        });
        Press("r");
        process.WaitForStderr("Recording to");
        Thread.Sleep(1500);
        Press("r");
        Until(() => process.StderrSoFar.Split("Recording to")[1].Contains("Saved", StringComparison.Ordinal));
        Press("q");
        JsonElement result = process.Wait().Json;

        Assert.True(result.GetProperty("shown").GetInt64() > 0);
        Assert.True(result.GetProperty("firstRestoredMs").GetDouble() > 0);
        string recording = Assert.Single(Directory.GetFiles(_folder.Path, "*.mp4"));
        Assert.InRange(Video.Ffmpeg.FrameTimes(recording).Length, 5, 200);
        Assert.Equal("320", Video.Ffmpeg.Property(recording, "v:0", "width"));
    }

    [Fact]
    public void Live_NextRun_BeginsAsTheLastOneEnded()
    {
        using (CliProcess process = Start("--verbose"))
        {
            WaitForWindow();
            Until(process, "strength 0.", () => Press("Down"));
            Press("Left");
            Press("b");
            Thread.Sleep(300);
            Press("Escape");
            Assert.Equal(0, process.Wait().ExitCode);
        }
        JsonElement saved = JsonDocument.Parse(File.ReadAllBytes(_folder["config/realtimedeblur/live.json"])).RootElement;
        Assert.InRange(saved.GetProperty("strength").GetDouble(), 0.5, 0.99);
        Assert.InRange(saved.GetProperty("split").GetDouble(), 0.3, 0.499);
        Assert.True(saved.GetProperty("isSideBySide").GetBoolean());

        using (CliProcess process = Start("--seconds", "1"))
        {
            Assert.Equal(0, process.Wait().ExitCode);
        }
        JsonElement again = JsonDocument.Parse(File.ReadAllBytes(_folder["config/realtimedeblur/live.json"])).RootElement;
        Assert.Equal(saved.GetProperty("strength").GetDouble(), again.GetProperty("strength").GetDouble());
    }

    [Fact]
    public void Live_CompareFromTheStart_ShowsThatMethodAndGoesOnFromIt()
    {
        using CliProcess process = Start("--compare", "Wiener:ratio=0.01", "--model", "tiny-camera", "--verbose");
        WaitForWindow();
        Until(() =>
        {
            Press("s");
            Thread.Sleep(1000);
            return Directory.GetFiles(_folder.Path, "*-compared.png").Length > 0;
        });
        Assert.True(EdgeEnergy(Last("*-compared.png")) > 0);
        Assert.NotEqual(File.ReadAllBytes(Last("*-compared.png")), File.ReadAllBytes(Last("*-restored.png")));
        // Behind it in the round comes the original.
        Press("c");
        process.WaitForStderr("At the left: original");
        Press("shift+c");
        process.WaitForStderr("At the left: wiener:ratio=0.01");
        Press("q");
        Assert.Equal(0, process.Wait().ExitCode);
    }

    [Fact]
    public void Live_NoScreen_SaysWhatToDo()
    {
        _environment["DISPLAY"] = null;

        using CliProcess process = Start();

        Assert.Contains("DISPLAY is not set", process.Wait().LastLineOfFailure, StringComparison.Ordinal);
    }

    private CliProcess Start(params string[] options) => CliProcess.Start(["live", "--input", "pattern", "--size", "320x240", .. options], _environment, _folder.Path);

    private void WaitForWindow() => XDoTool("search --sync --onlyvisible --name deblur");

    /// <summary>Repeats an action until the process has answered it.</summary>
    private static void Until(CliProcess process, string answer, Action act, string? alsoAnswer = null)
    {
        var clock = Stopwatch.StartNew();
        while (!process.StderrSoFar.Contains(answer, StringComparison.Ordinal) && clock.Elapsed < TimeSpan.FromSeconds(60))
        {
            act();
            Thread.Sleep(500);
        }
        process.WaitForStderr(alsoAnswer ?? answer);
    }

    private string Last(string pattern) => Directory.GetFiles(_folder.Path, pattern).Order(StringComparer.Ordinal).Last();

    private static void Until(Func<bool> isSo) => Assert.True(SpinWait.SpinUntil(isSo, TimeSpan.FromSeconds(60)));

    private void Press(string key) => XDoTool($"key {key}");

    private void XDoTool(string arguments)
    {
        ProcessStartInfo start = new("xdotool", arguments) { RedirectStandardOutput = true };
        foreach ((string name, string value) in _display.Environment) start.Environment[name] = value;
        using Process process = Process.Start(start)!;
        process.StandardOutput.ReadToEnd();
        Assert.True(process.WaitForExit(TimeSpan.FromSeconds(60)), $"xdotool {arguments} did not end.");
    }

    /// <summary>Mean square of the difference of neighbours: the sharper the larger.</summary>
    private static double EdgeEnergy(string path)
    {
        using PictureFile picture = PictureFile.Load(path);
        ReadOnlySpan<byte> samples = picture.Frame.Data;
        const int pixel = 3;
        double sum = 0;
        for (int i = pixel; i < samples.Length; i++) sum += Math.Pow(samples[i] - samples[i - pixel], 2);
        return sum / samples.Length;
    }
}
