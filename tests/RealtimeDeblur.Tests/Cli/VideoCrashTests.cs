using System.Diagnostics;
using System.Globalization;
using System.Runtime.Versioning;
using RealtimeDeblur.Tests.Native;
using RealtimeDeblur.Tests.Scripts;
using RealtimeDeblur.Tests.Video;
using Xunit;

namespace RealtimeDeblur.Tests.Cli;

/// <summary>A clip of six segments and what an uninterrupted run makes of it.</summary>
public sealed class CrashClip : IDisposable
{
    private readonly TemporaryFolder _folder = new();

    public CrashClip()
    {
        TestDevice.SkipWithoutDevice();
        Ffmpeg.Run($"{Ffmpeg.TestPicture("64x48", 10, 60)} {Ffmpeg.Tone(440, 60)} -c:v libx264 -preset ultrafast -g 90 -bf 2 -c:a aac {Path}");
        long start = Stopwatch.GetTimestamp();
        CliResult result = CliProcess.Run(["video", Path, "-o", _folder["whole.mkv"], "--model", "tiny-camera"]);
        Elapsed = Stopwatch.GetElapsedTime(start);
        Assert.True(result.ExitCode == 0, result.ToString());
        Packets = Ffmpeg.PacketHashes(_folder["whole.mkv"], "v:0");
        Bytes = new FileInfo(_folder["whole.mkv"]).Length;
    }

    public string Path => _folder["in.mkv"];

    /// <summary>How long the uninterrupted run took.</summary>
    public TimeSpan Elapsed { get; }

    /// <summary>Times and contents of its video packets.</summary>
    public string Packets { get; }

    /// <summary>Length of its result.</summary>
    public long Bytes { get; }

    public void Dispose() => _folder.Dispose();
}

/// <summary>
/// <c>deblur video</c> killed, interrupted, and left alone by everything it depends on: one line says what happened, nobody sees half a result under its name, and <c>--resume</c> makes the file of an
/// uninterrupted run. The environment variable DEBLUR_TEST_KILLS sets how often it is killed at random moments, 5 times if not given:
/// <code>DEBLUR_TEST_KILLS=20 ./test -class '*VideoCrashTests'</code>
/// </summary>
[SupportedOSPlatform("linux")]
public sealed class VideoCrashTests : IClassFixture<CrashClip>, IDisposable
{
    private const string UsualKills = "5";

    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(60);

    private readonly CrashClip _clip;
    private readonly TemporaryFolder _folder = new();
    private string _output;

    public VideoCrashTests(CrashClip clip)
    {
        _clip = clip;
        _output = _folder["out.mkv"];
        File.Copy(clip.Path, _folder["in.mkv"]);
    }

    private string Work => _output + ".deblur-work";

    public void Dispose() => _folder.Dispose();

    [Fact]
    public void Video_KilledAtRandomMoments_ResumesToTheFileOfAnUninterruptedRun()
    {
        int kills = int.Parse(Environment.GetEnvironmentVariable("DEBLUR_TEST_KILLS") ?? UsualKills, CultureInfo.InvariantCulture);
        var random = new Random(20);
        for (int kill = 0; kill < kills; kill++)
        {
            using CliProcess process = Start("--resume");
            bool ended = SpinWait.SpinUntil(() => process.HasExited, random.NextDouble() * _clip.Elapsed);
            process.KillAlone();
            if (!ended && !File.Exists(_output)) continue;
            AssertIsWhole();
            if (!Directory.Exists(Work)) File.Delete(_output);
        }
        Resume();
    }

    /// <summary>The encoder that a killed run leaves finishes its file. It may do so late, when another run has made the same segment.</summary>
    [Fact]
    public void Video_KilledWhileItsEncodersAreHeld_TheyDisturbNobodyWhenTheyGoOn()
    {
        using CliProcess killed = Start();
        WaitForRecord(1);
        OtherProcess[] encoders = OtherProcess.Find(Work, "pipe:0");
        Assert.NotEmpty(encoders);
        foreach (OtherProcess encoder in encoders) encoder.Send(Signal.Stop);
        killed.KillAlone();
        int open = Directory.GetFiles(Work, "0*.json").Length;

        using CliProcess process = Start("--resume");
        WaitForRecord(open);
        foreach (OtherProcess encoder in encoders) encoder.Send(Signal.Continue);
        CliResult result = process.Wait();
        Assert.True(result.ExitCode == 0, result.ToString());
        AssertIsWhole();
        AssertNothingElseIsThere();
    }

    /// <summary>The ffmpeg that joins the segments needs nothing of a killed run, and goes on.</summary>
    [Fact]
    public void Video_KilledWhileItJoins_TwoJoinsAtOnceDoNotDisturbEachOther()
    {
        string real = Environment.GetEnvironmentVariable("PATH")!.Split(':').Select(folder => Path.Combine(folder, "ffmpeg")).First(File.Exists);
        string bin = Directory.CreateDirectory(_folder["bin"]).FullName, script = Path.Combine(bin, "ffmpeg");
        File.WriteAllText(script, $"#!/bin/sh\ncase \"$*\" in *'-f concat'*) kill -STOP $$ ;; esac\nexec {real} \"$@\"\n");
        File.SetUnixFileMode(script, UnixFileMode.UserRead | UnixFileMode.UserExecute);
        var environment = new Dictionary<string, string?> { ["PATH"] = $"{bin}:{Environment.GetEnvironmentVariable("PATH")}" };

        using CliProcess killed = CliProcess.Start(Arguments(), environment);
        OtherProcess first = WaitForStopped();
        killed.KillAlone();
        Assert.False(File.Exists(_output));

        using CliProcess process = CliProcess.Start(Arguments("--resume"), environment);
        OtherProcess second = WaitForStopped(first.Id);
        first.Send(Signal.Continue);
        WaitFor(() => OtherProcess.Find("-f concat", Work).All(join => join.Id != first.Id), "the first join to end");
        second.Send(Signal.Continue);
        CliResult result = process.Wait();
        Assert.True(result.ExitCode == 0, result.ToString());
        AssertIsWhole();
        Directory.Delete(bin, recursive: true);
        AssertNothingElseIsThere();

        OtherProcess WaitForStopped(int except = 0)
        {
            OtherProcess[] found = [];
            WaitFor(() => (found = [.. OtherProcess.Find("-f concat", Work).Where(join => join.Id != except && join.IsStopped)]).Length > 0, "a join that is held");
            return found[0];
        }
    }

    [Theory]
    [InlineData(Signal.Interrupt)]
    [InlineData(Signal.Terminate)]
    public void Video_Signalled_LeavesAPlayableBeginningAndResumes(Signal signal)
    {
        using CliProcess process = Start();
        WaitForRecord(1);
        process.Send(signal);
        CliResult result = process.Wait();
        Assert.True(result.ExitCode == 130, result.ToString());
        Assert.Contains("out.partial.mkv, and --resume goes on with it.", result.Stderr);
        Assert.EndsWith("Interrupted.\n", result.Stderr);
        Assert.InRange(Ffmpeg.FrameTimes(_folder["out.partial.mkv"]).Length, 200, 599);
        Assert.False(File.Exists(_output));
        Resume();
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void Video_DiskFull_SaysSoAndResumesOnceThereIsSpace(bool inTheJoin)
    {
        const int roomForRecords = 64 << 10;
        using SmallDisk disk = SmallDisk.MountOrSkip(_folder["disk"], kibibytes: (int)(5 * _clip.Bytes >> 10));
        _output = _folder["disk/out.mkv"];
        // Segments and result do not fit both; nor do, for the other case, all the segments.
        long free = inTheJoin ? _clip.Bytes + roomForRecords : _clip.Bytes / 4;
        File.WriteAllBytes(_folder["disk/other"], new byte[5 * _clip.Bytes - free]);
        byte[] source = File.ReadAllBytes(_folder["in.mkv"]);

        string line = Complaint(CliProcess.Run(Arguments()));
        Assert.Contains("no space", line, StringComparison.OrdinalIgnoreCase);
        Assert.Contains($"What is finished of {_output} is kept: add --resume to go on with it.", line);
        Assert.Equal(inTheJoin, File.Exists(Path.Combine(Work, "00005.json")));
        Assert.False(File.Exists(_output));
        Assert.Empty(Directory.GetFiles(Work, ".joined*"));
        Assert.Equal(source, File.ReadAllBytes(_folder["in.mkv"]));

        File.Delete(_folder["disk/other"]);
        CliResult result = CliProcess.Run(Arguments("--resume"));
        Assert.True(result.ExitCode == 0, result.ToString());
        AssertIsWhole();
        Assert.Equal([_output], Directory.GetFileSystemEntries(_folder["disk"]));
    }

    [Theory]
    [InlineData("in.mkv: ffmpeg stopped decoding (it was ended by signal 9).", "in.mkv", "pipe:1")]
    [InlineData("out.mkv: ffmpeg could not write it (it was ended by signal 9).", ".deblur-work", "pipe:0")]
    public void Video_FfmpegKilled_SaysSoAndResumes(string complaint, string file, string pipe)
    {
        using CliProcess process = Start();
        WaitForRecord(1);
        OtherProcess.WaitFor(10, _folder.Path, file, pipe).Send(Signal.Kill);
        string line = Complaint(process.Wait());
        Assert.StartsWith(_folder[complaint], line);
        Assert.EndsWith("add --resume to go on with it.", line);
        Resume();
    }

    [Fact]
    public void Video_InputDeletedWhileItRuns_SaysSoAndResumesOnceItIsBack()
    {
        using CliProcess process = Start();
        WaitForRecord(1);
        File.Move(_folder["in.mkv"], _folder["away.mkv"]);
        string line = Complaint(process.Wait());
        Assert.StartsWith($"{_folder["in.mkv"]} is gone", line);
        Assert.EndsWith("add --resume to go on with it.", line);
        File.Move(_folder["away.mkv"], _folder["in.mkv"]);
        Resume();
    }

    [Fact]
    public void Video_OutputFolderRemovedWhileItRuns_SaysSo()
    {
        Directory.CreateDirectory(_folder["results"]);
        _output = _folder["results/out.mkv"];
        using CliProcess process = Start();
        WaitForRecord(1);
        WaitFor(() => NativeBuild.Run("rm", ["-rf", _folder["results"]]).ExitCode == 0, "the folder to be removed");
        string line = Complaint(process.Wait());
        Assert.StartsWith(_output, line);
        Assert.Contains("gone", line);
        Assert.Equal([_folder["in.mkv"]], Directory.GetFileSystemEntries(_folder.Path));
    }

    /// <summary>A driver fails in one of two places: where a kernel is launched, or where its end is awaited.</summary>
    [Theory]
    [InlineData("enqueue", "Could not launch kernel")]
    [InlineData("wait", "Could not wait for a command (ExecStatusErrorForEventsInWaitList, -14). The device failed at its work")]
    public void Video_DeviceLost_SaysSoAndResumesOnOneThatWorks(string call, string complaint)
    {
        Assert.SkipUnless(File.Exists("/usr/bin/gcc"), "gcc is not installed (apt-get install gcc libc6-dev).");
        string layer = _folder["lost_device.so"];
        (int exitCode, string output) = NativeBuild.Run("gcc", ["-Wall", "-Wextra", "-Werror", "-shared", "-fPIC", "-o", layer, Path.Combine(ScriptTests.FindCheckout(), "tests/native/lost_device.c")]);
        Assert.True(exitCode == 0, output);
        CliResult result = CliProcess.Run(Arguments(), new Dictionary<string, string?> { ["OPENCL_LAYERS"] = layer, ["LOST_AFTER"] = "300", ["LOST_CALL"] = call });
        Assert.SkipWhen(result.ExitCode == 0, "The OpenCL loader of this machine knows no layers.");
        File.Delete(layer);
        string line = Complaint(result);
        Assert.StartsWith(complaint, line);
        Assert.EndsWith("add --resume to go on with it.", line);
        Resume();
    }

    private string[] Arguments(params string[] more) => ["video", _folder["in.mkv"], "-o", _output, "--model", "tiny-camera", .. more];

    private CliProcess Start(params string[] more) => CliProcess.Start(Arguments(more));

    /// <summary>Waits until a segment is finished, or everything is.</summary>
    private void WaitForRecord(int segment) => WaitFor(() => File.Exists(Path.Combine(Work, $"{segment:00000}.json")) || File.Exists(_output), $"segment {segment}");

    private static void WaitFor(Func<bool> condition, string what) => Assert.True(SpinWait.SpinUntil(condition, Patience), $"Waited {Patience.TotalSeconds} s for {what}.");

    /// <summary>The one line, besides those of progress, of a run that failed.</summary>
    private static string Complaint(CliResult result)
    {
        Assert.True(result.ExitCode == 1, $"Exit code 1 expected: {result}");
        return Assert.Single(result.Stderr.TrimEnd('\n').Split('\n'), line => !line.StartsWith("Restoring in.mkv: ", StringComparison.Ordinal));
    }

    private void Resume()
    {
        CliResult result = CliProcess.Run(Arguments("--resume"));
        Assert.True(result.ExitCode == 0, result.ToString());
        AssertIsWhole();
        AssertNothingElseIsThere();
    }

    private void AssertIsWhole() => Assert.Equal(_clip.Packets, Ffmpeg.PacketHashes(_output, "v:0"));

    /// <summary>No file and no process is left, not even those of the ffmpegs whose deblur was killed.</summary>
    private void AssertNothingElseIsThere()
    {
        WaitFor(() => OtherProcess.Find(_folder.Path).Length == 0, "the processes to end");
        Assert.Equal([_folder["in.mkv"], _output], Directory.GetFileSystemEntries(_folder.Path).Order(StringComparer.Ordinal));
        Assert.Equal(File.ReadAllBytes(_clip.Path), File.ReadAllBytes(_folder["in.mkv"]));
    }
}
