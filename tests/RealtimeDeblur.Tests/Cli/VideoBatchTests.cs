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
    public void DryRun_FolderWithABadFileAndAResult_TellsWhatWouldBeDoneAndDoesNothing()
    {
        MakeClips("in/b.mp4", "in/c.mp4");
        File.WriteAllText(_folder["in/a.mp4"], "not a video");
        File.WriteAllText(_folder["in/c-restored.mp4"], "mine");
        string[] before = Directory.GetFiles(_folder.Path, "*", SearchOption.AllDirectories);
        CliResult text = Video("in", "--dry-run", "--device", "no such device");
        Assert.Equal("1 of 3 files cannot be restored; see the lines above.", text.LastLineOfFailure);
        string[] lines = text.Stdout.TrimEnd().Split('\n');
        Assert.Equal(["in/a.mp4", "  output  in/a-restored.mp4"], lines[..2]);
        Assert.StartsWith("  fail    in/a.mp4 is no media file", lines[2], StringComparison.Ordinal);
        Assert.Equal(
            [
                "in/b.mp4",
                "  input   mov,mp4,m4a,3gp,3g2,mj2, stream 0: h264, 64x48, 10 frames/s, yuv420p, 0:00:01.0",
                "  output  in/b-restored.mp4, libx264, yuv420p",
                "  restore",
            ],
            lines[3..7]);
        Assert.Equal("  skip    the output exists; --overwrite replaces it", lines[^1]);
        JsonElement file = Assert.Single(Video("in/b.mp4", "-o", "null", "--dry-run", "--json").Json.GetProperty("files").EnumerateArray().ToArray());
        Assert.Equal(("restore", JsonValueKind.Null, 1.0), (file.GetProperty("action").GetString(), file.GetProperty("output").ValueKind, file.GetProperty("durationSeconds").GetDouble()));
        Assert.Equal((64, 10.0, "yuv420p"), (file.GetProperty("video").GetProperty("width").GetInt32(), file.GetProperty("video").GetProperty("frameRate").GetDouble(), file.GetProperty("video").GetProperty("pixelFormat").GetString()));
        Assert.Equal(before, Directory.GetFiles(_folder.Path, "*", SearchOption.AllDirectories));
    }

    [Fact]
    public void Batch_InterruptedWithTwoJobs_StopsBothAndKeepsTheirBeginnings()
    {
        foreach (string name in (string[])["in/a.mp4", "in/b.mp4", "in/c.mp4"])
            Ffmpeg.Run($"{Ffmpeg.TestPicture("640x480", 25, 60)} -c:v libx264 -preset ultrafast {_folder[name]}");
        using CliProcess process = CliProcess.Start(["video", "in", "-o", "out", "--jobs", "2", "--json", "--model", "sharpen.safetensors"], workingDirectory: _folder.Path);
        // Both have frames in their file.
        Assert.True(SpinWait.SpinUntil(() => Directory.Exists(_folder["out"]) && Directory.GetFiles(_folder["out"], "00000.*", SearchOption.AllDirectories).Count(file => new FileInfo(file).Length > 20_000) == 2, TimeSpan.FromSeconds(60)), process.StderrSoFar);
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
