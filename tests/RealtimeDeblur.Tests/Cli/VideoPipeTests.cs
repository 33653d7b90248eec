using System.Diagnostics;
using System.Text.Json;
using RealtimeDeblur.Networks;
using RealtimeDeblur.Tests.Networks;
using RealtimeDeblur.Tests.Video;
using Xunit;

namespace RealtimeDeblur.Tests.Cli;

/// <summary><c>deblur video</c> between other programs: raw frames on standard input and output.</summary>
public sealed class VideoPipeTests : IDisposable
{
    /// <summary>Without these ffmpeg forces frames into a constant rate.</summary>
    private const string KeepTimes = "-fps_mode passthrough -enc_time_base -1";

    private readonly TemporaryFolder _folder = new();
    private readonly string _options;

    public VideoPipeTests()
    {
        TestDevice.SkipWithoutDevice();
        WeightsFile.Write(_folder["sharpen.safetensors"], SmallNetwork.Sharpen());
        _options = $"--model {_folder["sharpen.safetensors"]}";
    }

    public void Dispose() => _folder.Dispose();

    [Theory]
    [InlineData("yuv420p", "64x48")]
    [InlineData("yuv420p", "65x47")]
    [InlineData("yuv422p10le", "64x48")]
    [InlineData("yuv444p10le", "65x47")]
    [InlineData("gray", "64x48")]
    [InlineData("gray10le", "64x48")]
    public void Pipe_FromFfmpegToFfmpeg_GivesWhatTheFileGives(string pixelFormat, string size)
    {
        // A rate that varies, and sound: what the program between must not disturb.
        Ffmpeg.Run($"{Ffmpeg.TestPicture(size, 30, 1)} {Ffmpeg.Tone(440, 1)} -vf select=lt(n\\,10)+not(mod(n\\,3))+eq(n\\,20) -fps_mode vfr -c:v ffv1 -pix_fmt {pixelFormat} -c:a pcm_s16le {_folder["in.mkv"]}");
        CliProcess.Run(["video", _folder["in.mkv"], "-o", _folder["file.mkv"], "--encoder", "ffv1", .. _options.Split(' ')]);
        Shell($"ffmpeg -v error -i in.mkv -an {KeepTimes} -c:v rawvideo -f nut - | deblur video - -o - {_options}"
            + $" | ffmpeg -v error -f nut -i - -i in.mkv -map 0:v -map 1:a {KeepTimes} -c:v ffv1 -c:a copy pipe.mkv");

        Assert.Equal(pixelFormat, Ffmpeg.Property(_folder["pipe.mkv"], "v:0", "pix_fmt"));
        Assert.Equal(Ffmpeg.FrameHashes(_folder["file.mkv"]), Ffmpeg.FrameHashes(_folder["pipe.mkv"]));
        Assert.Equal(Ffmpeg.FrameTimes(_folder["in.mkv"]), Ffmpeg.FrameTimes(_folder["pipe.mkv"]));
        Assert.Equal(Ffmpeg.PacketHash(_folder["in.mkv"], "a"), Ffmpeg.PacketHash(_folder["pipe.mkv"], "a"));
        Assert.NotEqual(Ffmpeg.FrameHashes(_folder["in.mkv"]), Ffmpeg.FrameHashes(_folder["pipe.mkv"]));
    }

    [Theory]
    [InlineData("rgb24", "bgr24", "rgb24")]
    [InlineData("rgb24", "rgba", "rgb24")]
    [InlineData("rgb24", "bgra", "rgb24")]
    [InlineData("yuv420p", "nv12", "yuv420p")]
    public void Pipe_SamePictureInAnotherOrder_GivesTheSame(string first, string second, string compared)
    {
        foreach (string pixelFormat in (string[])[first, second])
        {
            Ffmpeg.Run($"{Ffmpeg.TestPicture("65x47", 10, 0.3)} -c:v rawvideo -pix_fmt {first} {_folder["in.nut"]}");
            Shell($"ffmpeg -v error -i in.nut -c:v rawvideo -pix_fmt {pixelFormat} -f nut - | deblur video - -o - {_options} > {pixelFormat}.nut");
        }
        string[] restored = Ffmpeg.FrameHashes(_folder[$"{second}.nut"], options: $"-pix_fmt {compared}");
        Assert.Equal(second, Ffmpeg.Property(_folder[$"{second}.nut"], "v:0", "pix_fmt"));
        Assert.Equal(Ffmpeg.FrameHashes(_folder[$"{first}.nut"], options: $"-pix_fmt {compared}"), restored);
        Assert.NotEqual(Ffmpeg.FrameHashes(_folder["in.nut"], options: $"-pix_fmt {compared}"), restored);
    }

    [Fact]
    public void Pipe_FileToStandardOutput_GivesWhatTheFileGivesAndTheResultOnStderr()
    {
        MakeClip("clip.mkv", "-c:v ffv1");
        CliProcess.Run(["video", _folder["clip.mkv"], "-o", _folder["file.mkv"], "--encoder", "ffv1", .. _options.Split(' ')]);
        string stderr = Shell($"deblur video clip.mkv -o - {_options} --json > pipe.nut");
        Assert.Equal(Ffmpeg.FrameHashes(_folder["file.mkv"]), Ffmpeg.FrameHashes(_folder["pipe.nut"]));
        Assert.Equal(Ffmpeg.FrameTimes(_folder["clip.mkv"]), Ffmpeg.FrameTimes(_folder["pipe.nut"]));
        JsonElement file = Assert.Single(JsonDocument.Parse(stderr.TrimEnd().Split('\n')[^1]).RootElement.GetProperty("files").EnumerateArray().ToArray());
        Assert.Equal(("-", "done", 10), (file.GetProperty("output").GetString(), file.GetProperty("status").GetString(), file.GetProperty("frames").GetInt32()));
    }

    [Theory]
    [InlineData("yuv420p10le", "yuv420p10le")]
    [InlineData("nv12", "yuv420p")]
    public void Pipe_StandardInputToFile_EncodesIt(string pixelFormat, string stored)
    {
        MakeClip("clip.nut", $"-c:v rawvideo -pix_fmt {pixelFormat}");
        Shell($"deblur video - -o encoded.mkv {_options} < clip.nut");
        Shell($"deblur video - -o lossless.mkv --encoder ffv1 {_options} < clip.nut");
        Shell($"deblur video - -o - {_options} < clip.nut > pipe.nut");
        Assert.Equal(("h264", stored), (Ffmpeg.Property(_folder["encoded.mkv"], "v:0", "codec_name"), Ffmpeg.Property(_folder["encoded.mkv"], "v:0", "pix_fmt")));
        Assert.Equal(Ffmpeg.FrameTimes(_folder["clip.nut"]), Ffmpeg.FrameTimes(_folder["encoded.mkv"]));
        Assert.Equal(Ffmpeg.FrameHashes(_folder["pipe.nut"], options: $"-pix_fmt {stored}"), Ffmpeg.FrameHashes(_folder["lossless.mkv"]));
    }

    [Fact]
    public void Pipe_RgbToFile_KeepsItsColours()
    {
        MakeClip("clip.nut", "-c:v rawvideo -pix_fmt rgb24");
        Shell($"deblur video - -o out.mkv --encoder ffv1 --strength 0 {_options} < clip.nut");
        Assert.Equal(("bgr0", "gbr"), (Ffmpeg.Property(_folder["out.mkv"], "v:0", "pix_fmt"), Ffmpeg.Property(_folder["out.mkv"], "v:0", "color_space")));
        Assert.Equal(Ffmpeg.FrameHashes(_folder["clip.nut"]), Ffmpeg.FrameHashes(_folder["out.mkv"], options: "-pix_fmt rgb24"));
    }

    [Theory]
    [InlineData("yuv420p", "64x48", "")]
    [InlineData("yuv420p", "65x47", "")]
    [InlineData("yuv422p10le", "64x47", "-strict -1")]    // ffmpeg 5.1 drops half a chroma sample of odd rows with 10 bits
    [InlineData("yuv444p", "33x31", "")]
    [InlineData("gray", "64x48", "")]
    public void Pipe_Yuv4Mpeg_IsAnsweredInKind(string pixelFormat, string size, string strict)
    {
        Ffmpeg.Run($"{Ffmpeg.TestPicture(size, 10, 1)} -c:v ffv1 -pix_fmt {pixelFormat} {_folder["in.mkv"]}");
        CliProcess.Run(["video", _folder["in.mkv"], "-o", _folder["file.mkv"], "--encoder", "ffv1", .. _options.Split(' ')]);
        Shell($"ffmpeg -v error -i in.mkv {strict} -f yuv4mpegpipe in.y4m; deblur video - -o - {_options} < in.y4m > out.y4m; deblur video - -o out.mkv --encoder ffv1 {_options} < in.y4m");
        Assert.Equal(File.ReadLines(_folder["in.y4m"]).First(), File.ReadLines(_folder["out.y4m"]).First());
        foreach (string result in (string[])["out.y4m", "out.mkv"])
        {
            Assert.Equal(Ffmpeg.FrameHashes(_folder["file.mkv"]), Ffmpeg.FrameHashes(_folder[result]));
            Assert.Equal(Ffmpeg.FrameTimes(_folder["in.mkv"]), Ffmpeg.FrameTimes(_folder[result]));
        }
    }

    [Fact]
    public void Pipe_Yuv4MpegCutOffOrWrong_SaysSo()
    {
        Ffmpeg.Run($"{Ffmpeg.TestPicture("64x48", 10, 1)} -pix_fmt yuv420p -f yuv4mpegpipe {_folder["in.y4m"]}");
        Assert.Contains("ends early (inside a frame)", Fail($"head -c 20000 in.y4m | deblur video - -o - {_options} > out.y4m"));
        Assert.Contains("carries 411 samples", Fail($"sed '1s/C420[a-z0-9]*/C411/' in.y4m | deblur video - -o - {_options} > out.y4m"));
        Assert.Contains("gives no size", Fail($"sed '1s/W64//' in.y4m | deblur video - -o - {_options} > out.y4m"));
        Assert.Contains("does not begin where it should", Fail($"sed '1s/W64/W60/' in.y4m | deblur video - -o - {_options} > out.y4m"));
    }

    [Fact]
    public void Pipe_SoundInTheStream_IsLeftOutAndMentioned()
    {
        Ffmpeg.Run($"{Ffmpeg.TestPicture("64x48", 10, 1)} {Ffmpeg.Tone(440, 1)} -c:v rawvideo -c:a pcm_s16le {_folder["clip.nut"]}");
        string stderr = Shell($"deblur video - -o - --strength 0 {_options} < clip.nut > out.nut");
        Assert.Contains("sound and the rest are left out", stderr);
        Assert.Equal(Ffmpeg.FrameHashes(_folder["clip.nut"]), Ffmpeg.FrameHashes(_folder["out.nut"]));
        Assert.Equal(Ffmpeg.FrameTimes(_folder["clip.nut"]), Ffmpeg.FrameTimes(_folder["out.nut"]));
    }

    [Fact]
    public void Pipe_Text_SaysWhatToSend()
    {
        string line = Fail("echo 'Dear diary' | deblur video - -o - > out.nut");
        Assert.StartsWith("standard input cannot be read: it does not begin as NUT. Send raw video as NUT, as 'ffmpeg ", line);
        Assert.Equal(0, new FileInfo(_folder["out.nut"]).Length);
    }

    [Fact]
    public void Pipe_Nothing_SaysSo() => Assert.StartsWith("standard input ends before the first frame.", Fail("deblur video - -o - < /dev/null > out.nut"));

    [Theory]
    [InlineData("-c:v libx264 -preset ultrafast -pix_fmt yuv420p", "H264")]
    [InlineData("-c:v rawvideo -pix_fmt yuv420p12le", "Y3[11][12]")]
    public void Pipe_CompressedOrUnknownLayout_NamesItAndSaysWhatToSend(string codec, string name)
    {
        MakeClip("clip.nut", codec);
        string line = Fail("deblur video - -o - < clip.nut > out.nut");
        Assert.StartsWith($"standard input carries {name} video,", line);
        Assert.Contains("-c:v rawvideo", line);
    }

    [Fact]
    public void Pipe_CutInsideAFrame_PassesTheWholeOnesOnAndFails()
    {
        MakeClip("clip.nut", "-c:v rawvideo -pix_fmt yuv420p");
        const int headers = 1000, frame = 64 * 48 * 3 / 2;
        string cut = $"head -c {headers + 4 * frame} clip.nut";
        Assert.StartsWith("standard input ends early (inside a frame).", Fail($"{cut} | deblur video - -o - {_options} > out.nut"));
        Assert.Equal(4, Ffmpeg.FrameTimes(_folder["out.nut"]).Length);

        Assert.Contains($"; the 4 frames it has are in {_folder["out.partial.mkv"]}.", Fail($"{cut} | deblur video - -o out.mkv {_options}"));
        Assert.Equal(4, Ffmpeg.FrameTimes(_folder["out.partial.mkv"]).Length);
        Assert.False(File.Exists(_folder["out.mkv"]));
    }

    [Fact]
    public void Pipe_ReaderGone_FailsAndSaysSo()
    {
        MakeClip("clip.nut", "-c:v rawvideo -s 640x480");
        Assert.Equal("standard output: the program that read the pictures is gone (Broken pipe). Start it again.", Fail($"deblur video - -o - {_options} < clip.nut | head -c 1000 > out.nut"));
    }

    [Fact]
    public void Pipe_DiskFull_SaysSo()
    {
        MakeClip("clip.nut", "-c:v rawvideo");
        Assert.StartsWith("standard output cannot be written: no space is left on the device.", Fail($"deblur video - -o - {_options} < clip.nut > /dev/full"));
    }

    [Theory]
    [InlineData("")]                                // before the headers
    [InlineData("head -c 20000 clip.nut >&3;")]     // inside a frame
    public void Pipe_InterruptedWhileNothingComes_Ends(string send)
    {
        // The shell itself holds the sending end open: the pipe neither ends nor brings anything more.
        MakeClip("clip.nut", "-c:v rawvideo");
        (int exitCode, string stderr) = Run($"mkfifo stalled; exec 3<>stalled; {send} {CliProcess.InShell} video - -o - --verbose {_options} < stalled > out.nut 3<&- & program=$!;"
            + " until grep -q Device: stderr; do sleep 0.1; done; sleep 1; kill -TERM $program; wait $program");
        Assert.True(exitCode == 130, stderr);
        Assert.EndsWith("Interrupted.", stderr.TrimEnd());
    }

    [Theory]
    [InlineData("deblur video - < clip.nut", "name a file with -o")]
    [InlineData("deblur video - -o folder/ < clip.nut", "name a file with -o")]
    [InlineData("deblur video - clip.nut -o - < clip.nut | cat", "one by one")]
    [InlineData("deblur video clip.nut clip.nut -o - | cat", "one by one")]
    [InlineData("deblur video . -o - | cat", "is a folder")]
    [InlineData("deblur video clip.nut -o - --quality 20 | cat", "are raw")]
    public void Pipe_OptionsThatDoNotFit_AreWrongUsage(string command, string expected)
    {
        MakeClip("clip.nut", "-c:v rawvideo");
        (int exitCode, string stderr) = Run(command);
        Assert.Equal(2, exitCode);
        Assert.Contains(expected, Assert.Single(stderr.TrimEnd().Split('\n')));
        Assert.False(Directory.Exists(_folder["folder"]));
    }

    private void MakeClip(string name, string options) => Ffmpeg.Run($"{Ffmpeg.TestPicture("64x48", 10, 1)} {options} {_folder[name]}");

    /// <summary>Runs commands that have to succeed, and gives what they wrote to stderr.</summary>
    private string Shell(string commands)
    {
        (int exitCode, string stderr) = Run(commands);
        Assert.True(exitCode == 0, $"{commands}\n{stderr}");
        return stderr;
    }

    /// <summary>The last line on stderr of commands that have to fail with exit code 1.</summary>
    private string Fail(string commands)
    {
        (int exitCode, string stderr) = Run(commands);
        Assert.True(exitCode == 1, $"{commands} ended with {exitCode}\n{stderr}");
        return stderr.TrimEnd().Split('\n')[^1];
    }

    /// <summary>Runs commands in the test's folder, <c>deblur</c> among them. A pipe fails if one of its commands does.</summary>
    private (int ExitCode, string Stderr) Run(string commands)
    {
        ProcessStartInfo start = new("bash", ["-c", $"set -o pipefail; exec > /dev/null 2> stderr; deblur() {{ {CliProcess.InShell} \"$@\"; }}; {commands}"]) { WorkingDirectory = _folder.Path };
        using Process shell = Process.Start(start)!;
        if (!shell.WaitForExit(TimeSpan.FromSeconds(120)))
        {
            shell.Kill(entireProcessTree: true);
            Assert.Fail($"{commands} did not end within 120 s: {File.ReadAllText(_folder["stderr"])}");
        }
        return (shell.ExitCode, File.ReadAllText(_folder["stderr"]));
    }
}
