using System.Text.Json;
using RealtimeDeblur.Networks;
using RealtimeDeblur.Tests.Networks;
using RealtimeDeblur.Tests.Video;
using Xunit;

namespace RealtimeDeblur.Tests.Cli;

/// <summary><c>deblur video</c> over many files: none stops the others, none is done twice, and it says what became of each.</summary>
public sealed class VideoBatchTests : IDisposable
{
    private readonly TemporaryFolder _folder = new();

    public VideoBatchTests()
    {
        TestDevice.SkipWithoutDevice();
        WeightsFile.Write(_folder["sharpen.safetensors"], SmallNetwork.Sharpen());
        Directory.CreateDirectory(_folder["in/sub"]);
    }

    public void Dispose() => _folder.Dispose();

    [Fact]
    public void Batch_OneBadFileAmongThree_IsReportedAndTheRestRestoredAndSkippedTheNextTime()
    {
        MakeClips("in/b.mkv", "in/sub/c.mp4");
        File.WriteAllText(_folder["in/a.mp4"], "not a video");
        CliResult first = Video("in", "-o", "out", "--jobs", "2", "--log", "log.txt");
        Assert.Equal("1 of 3 files could not be restored; see the lines above.", first.LastLineOfFailure);
        string[] lines = first.Stdout.TrimEnd().Split('\n');
        Assert.Equal(["file", "status", "frames", "seconds", "frames/s", "real", "time", "sigma", "output"], Words(lines[0]));
        Assert.Equal(["in/a.mp4", "failed"], Words(lines[1]));
        Assert.Equal(["in/b.mkv", "restored", "10"], Words(lines[2])[..3]);
        Assert.Equal(["in/sub/c.mp4", "restored", "10"], Words(lines[3])[..3]);
        Assert.Equal("2 restored, 1 failed", lines[4]);
        Assert.StartsWith("  in/a.mp4 is no media file that ffmpeg can read", lines[5], StringComparison.Ordinal);
        Assert.Contains("All: 3 of 3 files (100 %) in ", first.Stderr, StringComparison.Ordinal);
        Assert.Equal(10, Ffmpeg.FrameTimes(_folder["out/b.mkv"]).Length);
        Assert.Equal(10, Ffmpeg.FrameTimes(_folder["out/sub/c.mp4"]).Length);

        string log = File.ReadAllText(_folder["log.txt"]);
        foreach (string entry in (string[])["Z deblur video in -o out", "Z in/b.mkv, to out/b.mkv: sharpen, VideoRestorationOptions {", "Z out/sub/c.mp4: 10 frames in ", "Z in/a.mp4 is no media file", "    System.IO.InvalidDataException: ", "Z 2 restored, 1 failed\n", "Z Ended with exit code 1.\n"])
            Assert.Contains(entry, log, StringComparison.Ordinal);

        // The third comes later: only it is restored.
        File.Delete(_folder["in/a.mp4"]);
        MakeClips("in/a.mp4");
        DateTime written = File.GetLastWriteTimeUtc(_folder["out/b.mkv"]);
        CliResult second = Video("in/**/*.m*", "-o", "out", "--quiet", "--json");
        Assert.Equal("", second.Stderr);
        JsonElement[] files = [.. second.Json.GetProperty("files").EnumerateArray()];
        Assert.Equal([("in/a.mp4", "done"), ("in/b.mkv", "skipped"), ("in/sub/c.mp4", "skipped")], files.Select(file => (file.GetProperty("input").GetString()!, file.GetProperty("status").GetString()!)));
        Assert.Equal(new FileInfo(_folder["out/a.mp4"]).Length, files[0].GetProperty("outputBytes").GetInt64());
        Assert.True(files[0].GetProperty("realTime").GetDouble() > 0);
        Assert.Equal(written, File.GetLastWriteTimeUtc(_folder["out/b.mkv"]));
    }

    [Fact]
    public void Skip_OutputExists_SaysSoAndOverwriteReplacesIt()
    {
        MakeClips("in/a.mp4");
        File.WriteAllText(_folder["out.mp4"], "mine");
        CliResult kept = Video("in/a.mp4", "-o", "out.mp4");
        Assert.Equal((0, "out.mp4 exists, skipped. Add --overwrite to replace it.", ""), (kept.ExitCode, kept.Stdout.TrimEnd(), kept.Stderr));
        Assert.Equal("mine", File.ReadAllText(_folder["out.mp4"]));
        Assert.Equal(0, Video("in/a.mp4", "-o", "out.mp4", "--overwrite").ExitCode);
        Assert.Equal(10, Ffmpeg.FrameTimes(_folder["out.mp4"]).Length);
    }

    [Fact]
    public void Batch_InterruptedWithTwoJobs_StopsBothAndKeepsTheirBeginnings()
    {
        foreach (string name in (string[])["in/a.mp4", "in/b.mp4", "in/c.mp4"])
            Ffmpeg.Run($"{Ffmpeg.TestPicture("640x480", 25, 60)} -c:v libx264 -preset ultrafast {_folder[name]}");
        using CliProcess process = CliProcess.Start(["video", "in", "-o", "out", "--jobs", "2", "--json", "--model", "sharpen.safetensors"], workingDirectory: _folder.Path);
        process.WaitForStderr("Restoring a.mp4: ");
        process.WaitForStderr("Restoring b.mp4: ");
        process.Interrupt();
        CliResult result = process.Wait();
        Assert.True(result.ExitCode == 130, result.ToString());
        Assert.Equal(["interrupted", "interrupted"], JsonDocument.Parse(result.Stdout).RootElement.GetProperty("files").EnumerateArray().Select(file => file.GetProperty("status").GetString()));
        Assert.Equal(["a.partial.mp4", "b.partial.mp4"], Directory.GetFiles(_folder["out"]).Select(file => Path.GetFileName(file)).Order(StringComparer.Ordinal));
    }

    [Fact]
    public void Batch_DeviceThatDoesNotOpen_EndsItWithOneLine()
    {
        MakeClips("in/a.mp4", "in/b.mp4");
        Assert.Contains("'no such device'", Video("in", "--device", "no such device").FailureLine, StringComparison.Ordinal);
        Assert.Contains("'no such device'", Video("in", "--device", "0,no such device").FailureLine, StringComparison.Ordinal);
        Assert.Equal(0, Video("in", "--device", "0,0").ExitCode);
    }

    [Theory]
    [InlineData("0")]
    [InlineData("1000")]
    public void Jobs_OutOfRange_IsWrongUsage(string jobs) => Assert.Equal("--jobs must be 1 to 64, e.g. 2. 'deblur video --help' lists what there is.", Video("in", "--jobs", jobs).UsageLine);

    private static string[] Words(string line) => line.Split(' ', StringSplitOptions.RemoveEmptyEntries);

    private CliResult Video(params string[] arguments) => CliProcess.Run(["video", .. arguments, "--model", "sharpen.safetensors"], workingDirectory: _folder.Path);

    private void MakeClips(params string[] names)
    {
        foreach (string name in names) Ffmpeg.Run($"{Ffmpeg.TestPicture("64x48", 10, 1)} -c:v libx264 -preset ultrafast -pix_fmt yuv420p {_folder[name]}");
    }
}
