using RealtimeDeblur.Compute;
using RealtimeDeblur.Networks;
using RealtimeDeblur.Pipeline;
using RealtimeDeblur.Restoration;
using RealtimeDeblur.Tests.Networks;
using RealtimeDeblur.Video;
using Xunit;

namespace RealtimeDeblur.Tests.Video.Segments;

/// <summary>Work that is broken off and gone on with: the result is that of a run that was never interrupted.</summary>
public sealed class ResumeTests : IDisposable
{
    private readonly TemporaryFolder _folder = new();
    private readonly ComputeDevice _device = TestDevice.OpenOrSkip();
    private readonly List<string> _notes = [];
    private readonly List<PipelineProgress> _progress = [];

    public void Dispose()
    {
        _device.Dispose();
        _folder.Dispose();
    }

    /// <summary>Several segments of ten seconds each, with gaps, with sound, from 1.4 s on.</summary>
    private void MakeClip(string name, int seconds = 35, string codec = "libx264 -preset ultrafast -g 90 -bf 2", string blur = "null") =>
        Ffmpeg.Run($"{Ffmpeg.TestPicture("64x48", 10, seconds)} {Ffmpeg.Tone(440, seconds)} -vf {blur},select=lt(n\\,120)+not(mod(n\\,3)) -fps_mode vfr -output_ts_offset 1.4 -c:v {codec} -c:a aac -metadata title=Garden {_folder[name]}");

    [Theory]
    [InlineData("mp4", "libx264 -preset ultrafast -g 90 -bf 2", "libx264")]
    [InlineData("mkv", "libx264 -preset ultrafast -x264-params open-gop=1:keyint=40:bframes=3", "ffv1")]
    [InlineData("ts", "mpeg2video -g 15 -bf 2 -b:v 2M", "libx264")]
    [InlineData("mov", "libx265 -preset ultrafast -x265-params log-level=error:keyint=30", "libx265")]
    public void Run_BrokenOffAndResumed_GivesTheFileOfAnUninterruptedRun(string container, string codec, string encoder)
    {
        MakeClip($"in.{container}", codec: codec);
        Network network = ModelCatalog.Load("tiny-camera");
        Assert.Equal(VideoRestorationStatus.Done, Restore($"in.{container}", $"whole.{container}", network, new() { Encoder = encoder }).Status);

        VideoRestorationResult result = Restore($"in.{container}", $"out.{container}", network, new() { Encoder = encoder }, stopAfter: 110);
        Assert.Equal(VideoRestorationStatus.Interrupted, result.Status);
        Assert.EndsWith("--resume goes on with it.", result.Remark);
        result = Restore($"in.{container}", $"out.{container}", network, new() { Encoder = encoder, Resume = true }, stopAfter: 160);
        Assert.Equal(VideoRestorationStatus.Interrupted, result.Status);
        _progress.Clear();
        result = Restore($"in.{container}", $"out.{container}", network, new() { Encoder = encoder, Resume = true });
        Assert.Equal(VideoRestorationStatus.Done, result.Status);

        Assert.Equal(TimeSpan.Zero, _progress[0].Elapsed);
        Assert.InRange(_progress[0].Frames, 140, 159);
        Assert.Equal(_progress[0].Frames + result.Report.Frames, _progress[^1].Frames);
        Assert.Equal([$"in.{container}", $"out.{container}", $"whole.{container}"], _folder.Names);
        Assert.False(Directory.Exists(_folder[$"out.{container}.deblur-work"]));
        Assert.Equal(Ffmpeg.FrameTimes(_folder[$"in.{container}"]), Ffmpeg.FrameTimes(_folder[$"out.{container}"]));
        Assert.Equal(Ffmpeg.FrameHashes(_folder[$"whole.{container}"]), Ffmpeg.FrameHashes(_folder[$"out.{container}"]));
        Assert.Equal(Ffmpeg.PacketHashes(_folder[$"whole.{container}"], "v:0"), Ffmpeg.PacketHashes(_folder[$"out.{container}"], "v:0"));
        Assert.Equal(Ffmpeg.PacketHash(_folder[$"in.{container}"], "a:0"), Ffmpeg.PacketHash(_folder[$"out.{container}"], "a:0"));
    }

    /// <summary>Both methods follow the blur, each by itself: the left one has an estimator of its own.</summary>
    [Fact]
    public void Run_ComparisonBrokenOffAndResumed_GivesTheFileOfAnUninterruptedRun()
    {
        // Blurrer from 8 s on: behind the break, at 10 s, what is remembered of the blur is not what the frames there say alone.
        MakeClip("in.mkv", blur: "gblur=1.2,gblur=1.6:enable=gte(t\\,8)");
        Network network = ModelCatalog.Load("tiny-camera");
        VideoRestorationOptions options = new() { Encoder = "ffv1", Comparison = VideoComparison.Side, ComparedMethod = RestorationMethod.Parse("wiener") };
        Assert.Equal(VideoRestorationStatus.Done, Restore("in.mkv", "whole.mkv", network, options).Status);
        Assert.Equal(VideoRestorationStatus.Interrupted, Restore("in.mkv", "out.mkv", network, options, stopAfter: 110).Status);
        Assert.Contains("its comparison was side with wiener and is side", Assert.ThrowsAny<IOException>(() => Restore("in.mkv", "out.mkv", network, options with { Resume = true, ComparedMethod = null })).Message);

        Assert.Equal(VideoRestorationStatus.Done, Restore("in.mkv", "out.mkv", network, options with { Resume = true }).Status);

        Assert.Equal(Ffmpeg.FrameHashes(_folder["whole.mkv"]), Ffmpeg.FrameHashes(_folder["out.mkv"]));
    }

    [Fact]
    public void Run_ThreeShares_LastOneJoinsAndFramesAreThoseOfTheSource()
    {
        MakeClip("in.mp4", seconds: 150);
        int joined = 0;
        for (int number = 1; number <= 3; number++)
        {
            VideoRestorationResult result = Restore("in.mp4", "out.mp4", SmallNetwork.Identity(), new() { Encoder = "ffv1", Shard = new(number, 3) }, output: "out.mkv");
            if (result.Status == VideoRestorationStatus.Done) joined++;
            else Assert.Equal(VideoRestorationStatus.ShareDone, result.Status);
            Assert.Equal(number == 3, File.Exists(_folder["out.mkv"]));
        }
        Assert.Equal(1, joined);
        Assert.False(Directory.Exists(_folder["out.mkv.deblur-work"]));
        string[] before = Ffmpeg.FrameTimes(_folder["in.mp4"]), after = Ffmpeg.FrameTimes(_folder["out.mkv"]);
        Assert.Equal(before.Length, after.Length);
        Assert.All(before.Zip(after), pair => Assert.Equal(double.Parse(pair.First), double.Parse(pair.Second), 0.00051));
        Assert.Equal(Ffmpeg.FrameHashes(_folder["in.mp4"]), Ffmpeg.FrameHashes(_folder["out.mkv"]));
    }

    /// <summary>As a run leaves it that is killed when the result has its name, or one that was to replace an older result.</summary>
    [Fact]
    public void Run_ResumedBesideAResult_ReplacesIt()
    {
        MakeClip("in.mkv");
        Restore("in.mkv", "out.mkv", SmallNetwork.Identity(), new() { Encoder = "ffv1" }, stopAfter: 130);
        File.WriteAllText(_folder["out.mkv"], "older");
        Assert.Contains("--overwrite", Assert.ThrowsAny<IOException>(() => Restore("in.mkv", "out.mkv", SmallNetwork.Identity(), new() { Encoder = "ffv1" })).Message);
        Assert.Equal(VideoRestorationStatus.Done, Restore("in.mkv", "out.mkv", SmallNetwork.Identity(), new() { Encoder = "ffv1", Resume = true }).Status);
        Assert.Equal(Ffmpeg.FrameHashes(_folder["in.mkv"]), Ffmpeg.FrameHashes(_folder["out.mkv"]));
        Assert.Equal(["in.mkv", "out.mkv"], _folder.Names);
    }

    [Fact]
    public void Run_ShareAfterTheOthersAreDone_FindsTheResultAndLeavesNothing()
    {
        MakeClip("in.mkv", seconds: 2);
        int starts = 0;
        for (int number = 1; number <= 4; number++)
        {
            // What a run that is killed while it deletes its work leaves.
            if (number == 4) File.WriteAllText(Path.Combine(Directory.CreateDirectory(_folder["out.mkv.done.deblur-work"]).FullName, "00000.nut"), "");
            VideoRestorationResult result = Restore("in.mkv", "out.mkv", SmallNetwork.Identity(), new() { Shard = new(number, 4) });
            if (result.Report.Frames > 0) starts++;
        }
        Assert.Equal(1, starts);
        Assert.Equal([_folder["in.mkv"], _folder["out.mkv"]], Directory.GetFileSystemEntries(_folder.Path).Order(StringComparer.Ordinal));
    }

    [Fact]
    public void Run_WorkBegunBefore_IsRefusedUnlessResumedOrOverwritten()
    {
        MakeClip("in.mkv");
        Restore("in.mkv", "out.mkv", SmallNetwork.Identity(), new(), stopAfter: 130);
        Assert.True(Directory.Exists(_folder["out.mkv.deblur-work"]));

        string message = Assert.ThrowsAny<IOException>(() => Restore("in.mkv", "out.mkv", SmallNetwork.Identity(), new())).Message;
        Assert.Contains("was begun before", message);
        Assert.Contains("--resume", message);
        Assert.True(Directory.Exists(_folder["out.mkv.deblur-work"]));

        Assert.Equal(VideoRestorationStatus.Done, Restore("in.mkv", "out.mkv", SmallNetwork.Identity(), new() { Overwrite = true }).Status);
        Assert.Equal(0, _progress[0].Frames);
        Assert.Equal(["in.mkv", "out.mkv", "out.partial.mkv"], _folder.Names);
        Assert.False(Directory.Exists(_folder["out.mkv.deblur-work"]));
    }

    [Fact]
    public void Run_WorkOfOtherSettings_IsRefusedWithTheDifference()
    {
        MakeClip("in.mkv");
        Restore("in.mkv", "out.mkv", SmallNetwork.Identity(), new(), stopAfter: 130);
        Assert.Contains("its method was", Refusal(SmallNetwork.Sharpen(), new() { Resume = true }));
        Assert.Contains("its strength was 1 and is 0.5", Refusal(SmallNetwork.Identity(), new() { Resume = true, Deblur = new() { Strength = 0.5f } }));
        Assert.Contains("its encoding was", Refusal(SmallNetwork.Identity(), new() { Resume = true, Encoder = "ffv1" }));
        Assert.Contains("its slice was", Refusal(SmallNetwork.Identity(), new() { Resume = true, Start = TimeSpan.FromSeconds(1) }));
        File.SetLastWriteTimeUtc(_folder["in.mkv"], DateTime.UtcNow.AddMinutes(1));
        Assert.Contains("its input was", Refusal(SmallNetwork.Identity(), new() { Resume = true }));

        string Refusal(Network network, VideoRestorationOptions options) => Assert.ThrowsAny<IOException>(() => Restore("in.mkv", "out.mkv", network, options)).Message;
    }

    [Fact]
    public void Run_FolderThatIsNotOurs_IsRefusedAndLeftAlone()
    {
        MakeClip("in.mkv", seconds: 1);
        Directory.CreateDirectory(_folder["out.mkv.deblur-work"]);
        File.WriteAllText(_folder["out.mkv.deblur-work/thesis.txt"], "mine");
        foreach (VideoRestorationOptions options in (VideoRestorationOptions[])[new(), new() { Resume = true }, new() { Overwrite = true }])
            Assert.Contains("no work folder of ours", Assert.ThrowsAny<IOException>(() => Restore("in.mkv", "out.mkv", SmallNetwork.Identity(), options)).Message);
        Assert.Equal("mine", File.ReadAllText(_folder["out.mkv.deblur-work/thesis.txt"]));
    }

    [Fact]
    public void Run_SegmentDamagedOnDisk_IsMadeAgain()
    {
        MakeClip("in.mkv");
        Restore("in.mkv", "whole.mkv", SmallNetwork.Sharpen(), new());
        Restore("in.mkv", "out.mkv", SmallNetwork.Sharpen(), new(), stopAfter: 155);
        string segment = _folder["out.mkv.deblur-work/00000.mp4"];
        byte[] damaged = File.ReadAllBytes(segment);
        damaged[damaged.Length / 2] ^= 0x55;
        File.WriteAllBytes(segment, damaged);
        Restore("in.mkv", "out.mkv", SmallNetwork.Sharpen(), new() { Resume = true });
        Assert.Equal(Ffmpeg.PacketHashes(_folder["whole.mkv"], "v:0"), Ffmpeg.PacketHashes(_folder["out.mkv"], "v:0"));
    }

    [Fact]
    public void Run_InputGoneBeforeTheEnd_SaysSoAndCanBeResumed()
    {
        MakeClip("in.mp4");
        IOException error = Assert.ThrowsAny<IOException>(() => Restore("in.mp4", "out.mp4", SmallNetwork.Identity(), new(), onFrame: frame =>
        {
            if (frame == 125) File.Move(_folder["in.mp4"], _folder["away.mp4"]);
        }));
        Assert.Contains("in.mp4 is gone", error.Message);
        Assert.Contains("add --resume", error.Message);
        File.Move(_folder["away.mp4"], _folder["in.mp4"]);
        VideoRestorationResult result = Restore("in.mp4", "out.mp4", SmallNetwork.Identity(), new() { Resume = true });
        Assert.Equal((VideoRestorationStatus.Done, 0), (result.Status, result.Report.Frames));
        Assert.Equal(Ffmpeg.FrameTimes(_folder["in.mp4"]), Ffmpeg.FrameTimes(_folder["out.mp4"]));
    }

    [Fact]
    public void Run_OutputFolderRemoved_SaysSo()
    {
        MakeClip("in.mp4");
        Directory.CreateDirectory(_folder["results"]);
        IOException error = Assert.ThrowsAny<IOException>(() => Restore("in.mp4", "results/out.mp4", SmallNetwork.Identity(), new(), onFrame: frame =>
        {
            if (frame == 125) Directory.Delete(_folder["results"], recursive: true);
        }));
        Assert.Contains("results/out.mp4", error.Message);
        Assert.Contains("gone", error.Message);
        Assert.Equal(["in.mp4"], _folder.Names);
    }

    [Fact]
    public void Run_TwoAtOnceOnOneOutput_SecondIsRefused()
    {
        MakeClip("in.mp4");
        IOException? refusal = null;
        VideoRestorationResult result = Restore("in.mp4", "out.mp4", SmallNetwork.Identity(), new(), onFrame: frame =>
        {
            if (frame == 50) refusal = Assert.ThrowsAny<IOException>(() => Restore("in.mp4", "out.mp4", SmallNetwork.Identity(), new() { Resume = true }));
            if (frame == 60) Assert.ThrowsAny<IOException>(() => Restore("in.mp4", "out.mp4", SmallNetwork.Identity(), new() { Overwrite = true }));
        });
        Assert.Contains("Another deblur is at work", refusal!.Message);
        Assert.Equal(VideoRestorationStatus.Done, result.Status);
    }

    [Theory]
    [InlineData("mp4")]
    [InlineData("mkv")]
    public void Run_Slice_BeginsAtZeroWithItsSound(string container)
    {
        Ffmpeg.Run($"{Ffmpeg.TestPicture("64x48", 25, 20)} {Ffmpeg.Tone(440, 20)} -output_ts_offset 3 -c:v libx264 -preset ultrafast -g 100 -c:a aac {_folder[$"in.{container}"]}");
        Restore($"in.{container}", "out.mkv", SmallNetwork.Identity(), new() { Encoder = "ffv1", Start = TimeSpan.FromSeconds(7.3), Duration = TimeSpan.FromSeconds(2.5) });
        string[] source = Ffmpeg.FrameHashes(_folder[$"in.{container}"]), slice = Ffmpeg.FrameHashes(_folder["out.mkv"]);
        int first = Array.IndexOf(source, slice[0]);
        Assert.Equal(source[first..(first + slice.Length)], slice);
        Assert.InRange(first, 182, 184);        // 7.3 s at 25 frames/s, less what the container begins before the video
        Assert.InRange(slice.Length, 62, 63);
        Assert.InRange(double.Parse(Ffmpeg.FrameTimes(_folder["out.mkv"])[0]), 0, 0.041);
        MediaStream sound = VideoProbe.Probe(_folder["out.mkv"]).Streams[1];
        Assert.InRange(sound.StartSeconds!.Value, -0.03, 0.03);
        Assert.InRange(Ffmpeg.PacketHashes(_folder["out.mkv"], "a:0").Split('\n').Count(line => line.StartsWith('0')), 105, 112);     // 1024 samples of 44100 each
    }

    [Theory]
    [InlineData("libx264")]
    [InlineData("libx265")]
    [InlineData("libsvtav1")]
    [InlineData("libvpx-vp9")]
    [InlineData("ffv1")]
    public void Run_SegmentsOfFewFrames_KeepTheirTimes(string encoder)
    {
        // Ten seconds each: one, three, none, two and one frame, on a clock that is finer than microseconds.
        Ffmpeg.Run($"-f lavfi -i testsrc2=s=64x64:r=1:d=60 -vf select=eq(n\\,5)+between(n\\,15\\,17)+between(n\\,36\\,37)+eq(n\\,46),settb=1/23040000,setpts=PTS+N*1234567 -fps_mode passthrough -enc_time_base 1/23040000 "
            + $"-c:v libx264 -preset ultrafast -video_track_timescale 23040000 {_folder["in.mp4"]}");
        string output = encoder == "ffv1" ? "out.mkv" : "out.mp4";
        Restore("in.mp4", output, SmallNetwork.Identity(), new() { Encoder = encoder });
        string[] expected = Ffmpeg.FrameTimes(_folder["in.mp4"]), times = Ffmpeg.FrameTimes(_folder[output]);
        if (encoder == "ffv1") Assert.All(expected.Zip(times), pair => Assert.Equal(double.Parse(pair.First), double.Parse(pair.Second), 0.00051));
        else Assert.Equal(expected, times);
        Assert.Equal(7, times.Length);
    }

    [Fact]
    public void Run_StreamByNumber_RestoresThatOne()
    {
        Ffmpeg.Run($"{Ffmpeg.TestPicture("32x24", 10, 1)} {Ffmpeg.TestPicture("64x48", 10, 1)} -map 0 -map 1 -c:v ffv1 {_folder["in.mkv"]}");
        Restore("in.mkv", "out.mkv", SmallNetwork.Sharpen(), new() { Encoder = "ffv1", Stream = 0 });
        Assert.Equal("32", Ffmpeg.Property(_folder["out.mkv"], "v:0", "width"));
        Assert.NotEqual(Ffmpeg.PacketHash(_folder["in.mkv"], "0"), Ffmpeg.PacketHash(_folder["out.mkv"], "0"));
        Assert.Equal(Ffmpeg.PacketHash(_folder["in.mkv"], "1"), Ffmpeg.PacketHash(_folder["out.mkv"], "1"));
        Assert.Contains("--stream 1 (64x48)", Assert.ThrowsAny<InvalidDataException>(() => Restore("in.mkv", "other.mkv", SmallNetwork.Sharpen(), new() { Stream = 7 })).Message);
    }

    private VideoRestorationResult Restore(string input, string outputName, Network network, VideoRestorationOptions options, int stopAfter = int.MaxValue, Action<long>? onFrame = null, string? output = null)
    {
        byte[] source = File.ReadAllBytes(_folder[input]);
        using var cancellation = new CancellationTokenSource();
        using var restoration = new VideoRestoration(_folder[input], _folder[output ?? outputName], options with { Deblur = options.Deblur });
        _progress.Clear();
        VideoRestorationResult result = restoration.Run(_device, network, _notes.Add, new ActionProgress(value =>
        {
            _progress.Add(value);
            onFrame?.Invoke(value.Frames);
            if (value.Frames == stopAfter && value.Elapsed > TimeSpan.Zero) cancellation.Cancel();
        }), cancellation.Token);
        if (File.Exists(_folder[input])) Assert.Equal(source, File.ReadAllBytes(_folder[input]));
        return result;
    }

    private sealed class ActionProgress(Action<PipelineProgress> action) : IProgress<PipelineProgress>
    {
        public void Report(PipelineProgress value) => action(value);
    }
}
