using System.Text.Json;
using RealtimeDeblur.Networks;
using RealtimeDeblur.Tests.Networks;
using RealtimeDeblur.Tests.Video;
using Xunit;

namespace RealtimeDeblur.Tests.Cli;

/// <summary><c>deblur video</c> as a user meets it: results, and one line for everything that can be wrong with the input.</summary>
public sealed class VideoCommandTests : IDisposable
{
    private readonly TemporaryFolder _folder = new();
    private readonly string _model;

    public VideoCommandTests()
    {
        TestDevice.SkipWithoutDevice();
        _model = _folder["sharpen.safetensors"];
        WeightsFile.Write(_model, SmallNetwork.Sharpen());
    }

    public void Dispose() => _folder.Dispose();

    [Fact]
    public void Video_OneFile_WritesItBesideTheInputAndReportsIt()
    {
        string input = MakeClip("clip.mp4");
        JsonElement file = Assert.Single(CliProcess.Run(["video", input, "--model", _model, "--json"]).Json.GetProperty("files").EnumerateArray().ToArray());
        Assert.Equal(_folder["clip-restored.mp4"], file.GetProperty("output").GetString());
        Assert.Equal(("done", 10), (file.GetProperty("status").GetString(), file.GetProperty("frames").GetInt32()));
        Assert.True(file.GetProperty("seconds").GetDouble() > 0 && file.GetProperty("framesPerSecond").GetDouble() > 0);
        Assert.InRange(file.GetProperty("firstFrameMs").GetDouble(), 1, 600_000);
        Assert.Equal(JsonValueKind.Null, file.GetProperty("error").ValueKind);
        Assert.Equal(Ffmpeg.FrameTimes(input), Ffmpeg.FrameTimes(_folder["clip-restored.mp4"]));
        Assert.Equal(["clip-restored.mp4", "clip.mp4", "sharpen.safetensors"], _folder.Names);
    }

    [Fact]
    public void Video_NullOutput_WritesNothingAndReportsTheSpeed()
    {
        string input = MakeClip("clip.mp4");
        JsonElement file = Assert.Single(CliProcess.Run(["video", input, "-o", "null", "--model", _model, "--json"]).Json.GetProperty("files").EnumerateArray().ToArray());
        Assert.Equal(JsonValueKind.Null, file.GetProperty("output").ValueKind);
        Assert.Equal(("done", 10), (file.GetProperty("status").GetString(), file.GetProperty("frames").GetInt32()));
        Assert.True(file.GetProperty("framesPerSecond").GetDouble() > 0);
        Assert.StartsWith($"{input}: 10 frames in ", CliProcess.Run(["video", input, "-o", "null", "--model", _model]).Stdout);
        Assert.Equal(["clip.mp4", "sharpen.safetensors"], _folder.Names);
        Assert.False(File.Exists("null") || Directory.Exists("null"));
    }

    [Fact]
    public void Video_Preview_TakesTheMiddleAndIsNotTakenForTheResult()
    {
        Ffmpeg.Run($"{Ffmpeg.TestPicture("64x48", 10, 6)} {Ffmpeg.Tone(440, 6)} -c:v libx264 -preset ultrafast -c:a aac {_folder["clip.mp4"]}");
        CliProcess.Run(["video", _folder["clip.mp4"], "--preview", "2s", "--model", _model, "--strength", "0", "--encoder", "libx264", "--quality", "100"]);
        string[] slice = Ffmpeg.FrameHashes(_folder["clip-preview.mp4"]);
        Assert.Equal(Ffmpeg.FrameHashes(_folder["clip.mp4"])[20..40], slice);
        Assert.Equal("0.000000", Ffmpeg.FrameTimes(_folder["clip-preview.mp4"])[0]);
        // Into a folder it has its own name too: the whole is still to be made.
        CliProcess.Run(["video", _folder["clip.mp4"], "-o", _folder["out/"], "--start", "0:01", "--preview", "1s", "--model", _model]);
        Assert.True(File.Exists(_folder["out/clip-preview.mp4"]));
        Assert.Equal(10, Ffmpeg.FrameTimes(_folder["out/clip-preview.mp4"]).Length);
    }

    [Theory]
    [InlineData("side", 128)]
    [InlineData("split", 64)]
    public void Video_Compare_ShowsTheOriginalToo(string comparison, int width)
    {
        string input = MakeClip("clip.mp4");
        CliProcess.Run(["video", input, "--compare", comparison, "--encoder", "ffv1", "-o", _folder["out.mkv"], "--model", _model]);
        CliProcess.Run(["video", input, "--encoder", "ffv1", "-o", _folder["restored.mkv"], "--model", _model]);
        Assert.Equal($"{width}", Ffmpeg.Property(_folder["out.mkv"], "v:0", "width"));
        Assert.Equal(Ffmpeg.FrameTimes(input), Ffmpeg.FrameTimes(_folder["out.mkv"]));
        string left = "-vf crop=32:48:0:0", right = "-vf crop=28:48:36:0";
        Assert.Equal(Ffmpeg.FrameHashes(input, options: left), Ffmpeg.FrameHashes(_folder["out.mkv"], options: left));
        Assert.Equal(Ffmpeg.FrameHashes(_folder["restored.mkv"], options: right), Ffmpeg.FrameHashes(_folder["out.mkv"], options: comparison == "side" ? "-vf crop=28:48:100:0" : right));
    }

    [Fact]
    public void Video_CompareWith_ShowsThatMethodAtTheLeft()
    {
        string input = MakeClip("clip.mp4");
        CliProcess.Run(["video", input, "--compare", "side", "--compare-with", "wiener:ratio=0.01", "--encoder", "ffv1", "-o", _folder["out.mkv"], "--model", _model]);
        CliProcess.Run(["video", input, "--encoder", "ffv1", "-o", _folder["left.mkv"], "--method", "wiener:ratio=0.01"]);
        CliProcess.Run(["video", input, "--encoder", "ffv1", "-o", _folder["right.mkv"], "--model", _model]);
        Assert.Equal(Ffmpeg.FrameHashes(_folder["left.mkv"]), Ffmpeg.FrameHashes(_folder["out.mkv"], options: "-vf crop=64:48:0:0"));
        Assert.Equal(Ffmpeg.FrameHashes(_folder["right.mkv"]), Ffmpeg.FrameHashes(_folder["out.mkv"], options: "-vf crop=64:48:64:0"));
    }

    [Theory]
    [InlineData("add --compare split", "--compare-with", "wiener")]
    [InlineData("--compare-with: wiener has no parameter 'width'", "--compare", "side", "--compare-with", "wiener:width=3")]
    public void Video_CompareWithThatCannotBe_SaysHowItIsDone(string expected, params string[] options) =>
        Assert.Contains(expected, CliProcess.Run(["video", MakeClip("clip.mp4"), "--model", _model, .. options]).UsageLine, StringComparison.Ordinal);

    [Theory]
    [InlineData("soon", "--start must be a time, e.g. 90, 10s, 1:30 or 0:01:30.5.")]
    [InlineData("99", "there is nothing from 99.0 s on")]
    public void Video_StartThatIsNoTimeInIt_SaysSo(string start, string expected)
    {
        CliResult result = CliProcess.Run(["video", MakeClip("clip.mp4"), "--start", start, "--model", _model]);
        Assert.True(result.ExitCode is 1 or 2);
        Assert.Contains(expected, result.Stderr, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("3/2")]
    [InlineData("auto")]
    public void Video_ShardThatIsNone_SaysHowOneLooks(string shard) =>
        Assert.Contains("--shard 3/16", CliProcess.Run(["video", MakeClip("clip.mp4"), "--shard", shard, "--model", _model]).UsageLine.Replace("e.g. 3/16", "e.g. --shard 3/16"), StringComparison.Ordinal);

    [Fact]
    public void Video_ModelWithADial_SaysWhichSigmaItRestored()
    {
        string input = MakeClip("clip.mp4"), dial = _folder["dial.safetensors"];
        WeightsFile.Write(dial, SmallNetwork.Dial());
        JsonElement file = Assert.Single(CliProcess.Run(["video", input, "-o", "null", "--model", dial, "--sigma", "1.5", "--json"]).Json.GetProperty("files").EnumerateArray().ToArray());
        Assert.Equal(("done", 1.5), (file.GetProperty("status").GetString(), file.GetProperty("sigma").GetDouble()));
        Assert.EndsWith("x real time, sigma 1.00", CliProcess.Run(["video", input, "-o", "null", "--model", dial, "--sigma", "off"]).Stdout.TrimEnd());
    }

    [Fact]
    public void Video_FolderWithOneBadFile_RestoresTheRestAndFails()
    {
        Directory.CreateDirectory(_folder["in/sub"]);
        MakeClip("in/b.mkv");
        MakeClip("in/sub/c.mp4");
        File.WriteAllText(_folder["in/a.mp4"], "not a video");
        CliResult result = CliProcess.Run(["video", _folder["in"], "-o", _folder["out"], "--model", _model]);
        Assert.Equal("1 of 3 files could not be restored; see the lines above.", result.LastLineOfFailure);
        Assert.Contains("a.mp4 is no media file that ffmpeg can read", result.Stderr);
        Assert.Equal(10, Ffmpeg.FrameTimes(_folder["out/b.mkv"]).Length);
        Assert.Equal(10, Ffmpeg.FrameTimes(_folder["out/sub/c.mp4"]).Length);
        Assert.False(File.Exists(_folder["out/a.mp4"]));
    }

    [Fact]
    public void Video_StrengthZero_ChangesNothing()
    {
        string input = MakeClip("clip.mkv", "-c:v ffv1");
        CliResult result = CliProcess.Run(["video", input, "-o", _folder["out.mkv"], "--model", _model, "--strength", "0", "--encoder", "ffv1"]);
        Assert.True(result.ExitCode == 0, result.ToString());
        Assert.Equal(Ffmpeg.FrameHashes(input), Ffmpeg.FrameHashes(_folder["out.mkv"]));
    }

    [Fact]
    public void Video_Interrupted_KeepsAPlayableBeginningUnderThePartialName()
    {
        Ffmpeg.Run($"{Ffmpeg.TestPicture("640x480", 25, 60)} {Ffmpeg.Tone(440, 60)} -c:v libx264 -preset ultrafast {_folder["clip.mp4"]}");
        using CliProcess process = CliProcess.Start(["video", _folder["clip.mp4"], "-o", _folder["out.mp4"], "--model", _model]);
        process.WaitForStderr("frames/s");
        process.Interrupt();
        CliResult result = process.Wait();
        Assert.True(result.ExitCode == 130, result.ToString());
        Assert.Contains("out.partial.mp4", result.Stderr);
        Assert.Equal(["clip.mp4", "out.partial.mp4", "sharpen.safetensors"], _folder.Names);
        Assert.InRange(Ffmpeg.FrameTimes(_folder["out.partial.mp4"]).Length, 1, 60 * 25 - 1);
    }

    [Fact]
    public void Video_MissingFile_SaysSo() => Assert.Equal($"{_folder["clip.mp4"]} does not exist. Check the spelling.", Fail(_folder["clip.mp4"]));

    [Fact]
    public void Video_EmptyFile_SaysSo()
    {
        File.WriteAllText(_folder["clip.mp4"], "");
        Assert.Equal($"{_folder["clip.mp4"]} is empty. Copy or record it again.", Fail(_folder["clip.mp4"]));
    }

    [Fact]
    public void Video_TextNamedAsVideo_SaysSo()
    {
        File.WriteAllText(_folder["clip.mp4"], "Dear diary, today I filmed nothing.");
        Assert.StartsWith($"{_folder["clip.mp4"]} is no media file that ffmpeg can read (", Fail(_folder["clip.mp4"]));
    }

    [Fact]
    public void Video_CutOffBeforeItsIndex_SaysSo()
    {
        byte[] whole = File.ReadAllBytes(MakeClip("whole.mp4"));
        File.WriteAllBytes(_folder["clip.mp4"], whole[..(whole.Length / 2)]);
        Assert.Contains("moov atom not found", Fail(_folder["clip.mp4"]));
    }

    [Fact]
    public void Video_Picture_PointsToTheImageCommand()
    {
        Ffmpeg.Run($"{Ffmpeg.TestPicture("64x48", 1, 1)} -frames:v 1 {_folder["photo.png"]}");
        Assert.Contains("'deblur image'", Fail(_folder["photo.png"]));
    }

    [Fact]
    public void Video_SoundOnly_SaysSo()
    {
        Ffmpeg.Run($"{Ffmpeg.Tone(440, 0.5)} {_folder["song.m4a"]}");
        Assert.Contains("holds sound but no video", Fail(_folder["song.m4a"]));
    }

    [Fact]
    public void Video_FolderWithoutVideos_SaysSo()
    {
        Directory.CreateDirectory(_folder["empty"]);
        Assert.StartsWith($"The folder {_folder["empty"]} holds no videos (mp4, ", Fail(_folder["empty"]));
    }

    [Fact]
    public void Video_ModelThatIsNone_SaysSo()
    {
        File.WriteAllText(_folder["model.safetensors"], "no weights here");
        Assert.Contains("model.safetensors", Fail(MakeClip("clip.mp4"), ["--model", _folder["model.safetensors"]]));
        Assert.False(File.Exists(_folder["clip-restored.mp4"]));
    }

    [Fact]
    public void Video_OutputWhereNothingCanBeWritten_SaysSo()
    {
        // Below a file: refused to root as well.
        string input = MakeClip("clip.mp4");
        string line = Fail(input, ["-o", _folder["clip.mp4/out.mp4"]]);
        Assert.StartsWith($"Cannot write to {_folder["clip.mp4"]}", line);
        Assert.EndsWith("Choose another place with -o.", line);
    }

    [Theory]
    [InlineData("mp4")]
    [InlineData("mkv")]    // ffmpeg reports success here
    public void Video_FullDisk_SaysSoAndLeavesNothing(string container)
    {
        using SmallDisk disk = SmallDisk.MountOrSkip(_folder["disk"], kibibytes: 64);
        Ffmpeg.Run($"{Ffmpeg.TestPicture("320x240", 25, 3)} -vf noise=alls=60:allf=t -c:v libx264 -preset ultrafast {_folder["clip.mp4"]}");
        CliResult result = CliProcess.Run(["video", _folder["clip.mp4"], "-o", _folder[$"disk/out.{container}"], "--model", _model]);
        Assert.Contains("no space is left on the device", result.LastLineOfFailure);
        Assert.Empty(Directory.GetFiles(_folder["disk"]));
    }

    [Fact]
    public void Video_WithoutFfmpeg_SaysHowToInstallIt()
    {
        CliResult result = CliProcess.Run(["video", MakeClip("clip.mp4"), "--model", _model], new Dictionary<string, string?> { ["PATH"] = "" });
        Assert.Contains("apt-get install ffmpeg", result.FailureLine);
    }

    [Fact]
    public void Video_OutputIsTheInput_IsRefused() =>
        Assert.Contains("is the input itself", Fail(MakeClip("clip.mp4"), ["-o", _folder["clip.mp4"], "--overwrite"]));

    [Fact]
    public void Video_UnknownEncoder_SaysWhereToLook() => Assert.Contains("'ffmpeg -encoders'", Fail(MakeClip("clip.mp4"), ["--encoder", "libx999"]));

    [Theory]
    [InlineData("--strength", "2")]
    [InlineData("--strength", "NaN")]
    [InlineData("--quality", "-1")]
    [InlineData("--quality", "101")]
    public void Video_OptionOutOfRange_IsWrongUsage(string option, string value) =>
        Assert.StartsWith($"{option} must be", CliProcess.Run(["video", "clip.mp4", option, value]).UsageLine);

    [Fact]
    public void Video_EncoderOptionWithoutValue_IsWrongUsage() =>
        Assert.StartsWith("--encoder-option takes NAME=VALUE", CliProcess.Run(["video", "clip.mp4", "--encoder-option", "slow"]).UsageLine);

    [Fact]
    public void Video_OneOutputFileForTwoInputs_IsWrongUsage()
    {
        string clip = MakeClip("clip.mp4");
        Assert.Contains("name a folder", CliProcess.Run(["video", clip, clip, "-o", clip]).UsageLine);
    }

    /// <summary>The one line of a run that fails; makes sure that it changed no file and added none.</summary>
    private string Fail(string input, params string[] options)
    {
        Dictionary<string, byte[]> before = _folder.Names.ToDictionary(name => name, name => File.ReadAllBytes(_folder[name]));
        string line = CliProcess.Run(["video", input, .. options.Contains("--model") ? [] : (string[])["--model", _model], .. options]).FailureLine;
        Assert.Equal(before.Keys.Order(StringComparer.Ordinal), _folder.Names);
        Assert.All(before, file => Assert.Equal(file.Value, File.ReadAllBytes(_folder[file.Key])));
        return line;
    }

    private string MakeClip(string name, string options = "-c:v libx264 -preset ultrafast")
    {
        Ffmpeg.Run($"{Ffmpeg.TestPicture("64x48", 10, 1)} {options} {_folder[name]}");
        return _folder[name];
    }
}
