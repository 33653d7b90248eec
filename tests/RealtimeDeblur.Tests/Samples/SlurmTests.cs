using System.Globalization;
using System.Runtime.InteropServices;
using System.Runtime.Versioning;
using RealtimeDeblur.Tests.Scripts;
using RealtimeDeblur.Tests.Video;
using Xunit;

namespace RealtimeDeblur.Tests.Samples;

/// <summary>The array job for Slurm, on a cluster of three nodes on this machine, one of which is lost in the middle of its work.</summary>
[SupportedOSPlatform("linux")]
public sealed class SlurmTests : IDisposable
{
    private readonly TemporaryFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Fact]
    public void ArrayJob_NodeLost_AnotherGoesOnAndNoFrameIsMissing()
    {
        TestDevice.SkipWithoutDevice();
        Directory.CreateDirectory(_folder["in"]);
        // Three blocks of a minute, and a file that nobody divides.
        Ffmpeg.Run($"{Ffmpeg.TestPicture("64x48", 10, 170)} -c:v libx264 -preset ultrafast -bf 2 {_folder["in/long.mkv"]}");
        Ffmpeg.Run($"{Ffmpeg.TestPicture("64x48", 10, 20)} {Ffmpeg.Tone(440, 20)} -vf select=not(mod(n\\,3)) -fps_mode vfr -c:v libx264 -preset ultrafast -c:a aac {_folder["in/short.mp4"]}");
        string program = _folder["deblur"], dotnet = Path.GetFullPath(Path.Combine(RuntimeEnvironment.GetRuntimeDirectory(), "../../../dotnet"));
        File.WriteAllText(program, $"#!/bin/sh\nexec '{dotnet}' '{Path.Combine(AppContext.BaseDirectory, "deblur.dll")}' \"$@\"\n");
        File.SetUnixFileMode(program, UnixFileMode.UserRead | UnixFileMode.UserExecute);

        Directory.CreateDirectory(_folder["cluster"]);
        using SlurmCluster cluster = SlurmCluster.StartOrSkip(_folder["cluster"], nodes: 3);
        cluster.Run(_folder.Path, new Dictionary<string, string> { ["DEBLUR"] = program }, "sbatch", "--array=0-3", "--cpus-per-task=1",
            Path.Combine(ScriptTests.FindCheckout(), "samples/slurm/restore.sbatch"), _folder["in"], _folder["out"], "--model", "tiny-camera");

        string work = _folder["out/long.mkv.deblur-work"];
        WaitFor(() => Directory.Exists(work) && Directory.GetFiles(work, "0*.json").Length > 0, "the first segment");
        string? node = null;
        WaitFor(() => (node = OtherProcess.Find(work, "pipe:0").Select(SlurmCluster.NodeOf).FirstOrDefault(name => name is not null)) is not null, "a node at work on the long file");
        cluster.LoseNode(node!);
        WaitFor(() => cluster.Run("squeue", "--noheader").Length == 0, "the jobs to end");

        string jobs = cluster.Run("scontrol", "show", "job", "--oneliner");
        string[] lines = jobs.Split('\n', StringSplitOptions.RemoveEmptyEntries);
        Assert.True(lines.Length == 4 && lines.All(line => line.Contains("JobState=COMPLETED", StringComparison.Ordinal)), $"{jobs}\n{Logs()}");
        Assert.Single(lines, line => line.Contains("Restarts=1", StringComparison.Ordinal));

        Assert.Equal([_folder["out/long.mkv"], _folder["out/short.mp4"]], Directory.GetFileSystemEntries(_folder["out"]).Order(StringComparer.Ordinal));
        foreach (string name in (string[])["long.mkv", "short.mp4"]) Assert.Equal(Ffmpeg.FrameTimes(_folder[$"in/{name}"]), Ffmpeg.FrameTimes(_folder[$"out/{name}"]));
        Assert.Equal(Ffmpeg.PacketHash(_folder["in/short.mp4"], "a:0"), Ffmpeg.PacketHash(_folder["out/short.mp4"], "a:0"));
        TestContext.Current.TestOutputHelper!.WriteLine(string.Create(CultureInfo.InvariantCulture, $"{node} was lost.\n{Logs()}"));

        void WaitFor(Func<bool> condition, string what) => Assert.True(SpinWait.SpinUntil(condition, TimeSpan.FromMinutes(2)), $"Waited too long for {what}.\n{Logs()}{cluster.Log()}");
    }

    /// <summary>What the shares wrote.</summary>
    private string Logs() => string.Concat(Directory.GetFiles(_folder.Path, "deblur-*.log").Order(StringComparer.Ordinal).Select(log => $"{Path.GetFileName(log)}:\n{File.ReadAllText(log)}"));
}
