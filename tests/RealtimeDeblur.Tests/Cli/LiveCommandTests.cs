using System.Text.Json;
using RealtimeDeblur.Compute;
using Xunit;

namespace RealtimeDeblur.Tests.Cli;

/// <summary><c>deblur live</c> without a window.</summary>
public sealed class LiveCommandTests : IDisposable
{
    private static readonly string[] SmallPattern = ["live", "--no-window", "--input", "pattern", "--size", "160x120"];

    private readonly TemporaryFolder _folder = new();

    public LiveCommandTests() => TestDevice.SkipWithoutDevice();

    public void Dispose() => _folder.Dispose();

    [Fact]
    public void Live_PatternWithJson_TellsPicturesLatencyAndStages()
    {
        JsonElement result = CliProcess.Run([.. SmallPattern, "--seconds", "3", "--json"]).Json;

        long captured = result.GetProperty("captured").GetInt64(), shown = result.GetProperty("shown").GetInt64(), dropped = result.GetProperty("dropped").GetInt64();
        Assert.InRange(shown, 10, 100);
        Assert.InRange(captured - shown - dropped, 0, 3);
        Assert.InRange(result.GetProperty("framesPerSecond").GetDouble(), 5, 40);
        Assert.Equal((160, 120), (result.GetProperty("width").GetInt32(), result.GetProperty("height").GetInt32()));
        Assert.True(result.GetProperty("firstRestoredMs").GetDouble() > 0);
        JsonElement latency = result.GetProperty("latencyMs");
        Assert.InRange(latency.GetProperty("median").GetDouble(), 0.01, latency.GetProperty("p99").GetDouble());
        double sum = 0;
        foreach (string stage in (ReadOnlySpan<string>)["wait", "restore", "handOver", "present"])
        {
            JsonElement times = result.GetProperty("stages").GetProperty(stage);
            Assert.InRange(times.GetProperty("median").GetDouble(), 0, times.GetProperty("p99").GetDouble());
            sum += times.GetProperty("median").GetDouble();
        }
        // Medians do not add up exactly.
        Assert.InRange(latency.GetProperty("median").GetDouble(), 0.3 * sum, 3 * sum);
    }

    [Fact]
    public void Live_FileLoopedInRealTime_IsShownAtItsRate()
    {
        Video.Ffmpeg.Run($"{Video.Ffmpeg.TestPicture("96x64", 20, 1)} -c:v libx264 -pix_fmt yuv420p {_folder["clip.mp4"]}");

        JsonElement result = CliProcess.Run(["live", "--no-window", "--input", _folder["clip.mp4"], "--seconds", "4", "--json"]).Json;

        // Four seconds of a clip of one.
        Assert.InRange(result.GetProperty("captured").GetInt64(), 30, 100);
        Assert.Equal(96, result.GetProperty("width").GetInt32());
    }

    [Fact]
    public void Live_Interrupted_PrintsWhatItMeasured()
    {
        using CliProcess process = CliProcess.Start([.. SmallPattern, "--verbose"]);
        process.WaitForStderr("pictures/s");
        process.Interrupt();

        CliResult result = process.Wait();

        Assert.Equal(130, result.ExitCode);
        Assert.Contains("pictures shown", result.Stdout, StringComparison.Ordinal);
        Assert.Contains("latency", result.Stdout, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("choose one", "--url", "http://127.0.0.1:9/x", "--input", "pattern")]
    [InlineData("16 to 8192", "--size", "640")]
    [InlineData("16 to 8192", "--size", "1x99999")]
    [InlineData("--rate must be above 0", "--rate", "0")]
    [InlineData("--seconds must be above 0", "--seconds", "-1")]
    [InlineData("--format must be nut or y4m", "--format", "mp4")]
    [InlineData("--record makes a file", "--output", "out.mp4")]
    [InlineData("800x600+100+50", "--screen", "everything")]
    [InlineData("leave --no-window out", "--input", "pattern", "--compare", "wiener")]
    [InlineData("no such folder", "--input", "pattern", "--watch-kernels", "/no/such/folder")]
    public void Live_OptionsThatMakeNoSense_SaysHowItIsDone(string expected, params string[] options) =>
        Assert.Contains(expected, CliProcess.Run(["live", "--no-window", .. options]).UsageLine, StringComparison.Ordinal);

    [Theory]
    [InlineData("does not exist", "--input", "no-such-file.mp4")]
    [InlineData("no-such-model", "--input", "pattern", "--model", "no-such-model")]
    [InlineData("not the address of a stream", "--url", "camera")]
    public void Live_SourceOrModelThatIsNotThere_FailsAtOnce(string expected, params string[] options) =>
        Assert.Contains(expected, CliProcess.Run(["live", "--no-window", .. options]).FailureLine, StringComparison.Ordinal);

    [Fact]
    public void Live_CameraThatIsNotThere_IsWaitedForAndNamed()
    {
        CliResult result = CliProcess.Run(["live", "--no-window", "--camera", "/dev/video31", "--seconds", "1"]);

        Assert.Equal(0, result.ExitCode);
        Assert.Contains("/dev/video31", result.Stderr, StringComparison.Ordinal);
        Assert.Contains("0 pictures shown", result.Stdout, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("nut")]
    [InlineData("y4m")]
    public void Live_ToStandardOutput_GivesAStreamAndTheResultOnStderr(string format)
    {
        string stream = _folder[$"restored.{format}"], result = _folder["result.json"];
        using var process = System.Diagnostics.Process.Start("bash", ["-c", $"{CliProcess.InShell} {string.Join(' ', SmallPattern)} --seconds 2 --json -o - --format {format} > {stream} 2> {result}"]);
        Assert.True(process.WaitForExit(TimeSpan.FromSeconds(120)));

        int frames = Video.Ffmpeg.FrameTimes(stream).Length;
        long shown = JsonDocument.Parse(File.ReadAllLines(result)[^1]).RootElement.GetProperty("shown").GetInt64();
        Assert.InRange(shown, 5, 70);
        // Y4M has a constant rate: what is missing is repeated.
        if (format == "nut") Assert.Equal(shown, frames);
        else Assert.InRange(frames, 5, 80);
        Assert.Equal("160", Video.Ffmpeg.Property(stream, "v:0", "width"));
    }

    [Fact]
    public void Live_UnknownDevice_SaysWhichThereAre() =>
        Assert.Contains("No OpenCL device matches 'abacus'", CliProcess.Run([.. SmallPattern, "--device", "abacus"]).LastLineOfFailure, StringComparison.Ordinal);

    [Fact]
    public void Live_KernelFileBrokenAndMended_GoesOnThroughout()
    {
        foreach (string file in KernelSource.Files)
        {
            Directory.CreateDirectory(Path.GetDirectoryName(_folder[file])!);
            File.WriteAllText(_folder[file], RawText(file));
        }
        using CliProcess process = CliProcess.Start([.. SmallPattern, "--watch-kernels", _folder.Path, "--model", "fast-camera"]);
        process.WaitForStderr("pictures/s");

        File.AppendAllText(_folder["color/samples.cl"], "\nthis is no OpenCL\n");
        process.WaitForStderr("does not build");
        File.WriteAllText(_folder["color/samples.cl"], RawText("color/samples.cl"));
        process.WaitForStderr("were built again");
        process.Interrupt();

        Assert.Equal(130, process.Wait().ExitCode);
    }

    [Fact]
    public void Live_ThousandsOfFrames_GrowsNowhere()
    {
        using CliProcess process = CliProcess.Start([.. SmallPattern, "--rate", "200", "--model", "tiny-camera"]);
        process.WaitForStderr("pictures/s");
        (long kilobytes, int threads, int files) before = Resources(process.Id);
        Thread.Sleep(TimeSpan.FromSeconds(10));
        (long kilobytes, int threads, int files) after = Resources(process.Id);
        process.Interrupt();
        process.Wait();

        Assert.InRange(after.kilobytes - before.kilobytes, long.MinValue, 20_000);
        Assert.InRange(after.threads - before.threads, -10, 4);
        Assert.InRange(after.files - before.files, -10, 4);
    }

    private static (long Kilobytes, int Threads, int Files) Resources(int processId)
    {
        string[] status = File.ReadAllLines($"/proc/{processId}/status");
        long Value(string name) => long.Parse(status.First(line => line.StartsWith(name + ':', StringComparison.Ordinal)).Split(':')[1].Replace("kB", "", StringComparison.Ordinal), System.Globalization.CultureInfo.InvariantCulture);
        return (Value("VmRSS"), (int)Value("Threads"), Directory.GetFiles($"/proc/{processId}/fd").Length);
    }

    private static string RawText(string file)
    {
        using Stream stream = typeof(ComputeDevice).Assembly.GetManifestResourceStream($"kernels/{file}")!;
        return new StreamReader(stream).ReadToEnd();
    }
}
