using System.Globalization;
using RealtimeDeblur.Imaging;
using RealtimeDeblur.Pipeline;
using RealtimeDeblur.Video.Live;
using Xunit;

namespace RealtimeDeblur.Tests.Video.Live;

/// <summary>What live outputs write, read back by ffmpeg.</summary>
public sealed class LiveOutputTests : IDisposable
{
    /// <summary>Uneven, and with a gap as when a camera is plugged in again.</summary>
    private static readonly long[] Times = [0, 33_000, 70_000, 90_000, 400_000, 433_000];

    private readonly TemporaryFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Theory]
    [InlineData(64, 48)]
    [InlineData(65, 47)]
    public void Nut_FramesOfOtherSizes_KeepsSizeTimesAndColors(int width, int height)
    {
        WriteStream("out.nut", LiveStreamFormat.Nut, width, height);
        Check("out.nut", width, height, Times, tolerance: 0);
        CheckLetterbox("out.nut", width, height);
    }

    [Theory]
    [InlineData(64, 48)]
    [InlineData(65, 47)]
    public void Yuv4Mpeg_UnevenTimes_GivesConstantRate(int width, int height)
    {
        WriteStream("out.y4m", LiveStreamFormat.Yuv4Mpeg, width, height);
        // At 20 per second the frames belong to ticks 0, 1, 1, 2, 8, 9 and 10.
        Check("out.y4m", width, height, [.. Enumerable.Range(0, 11).Select(tick => tick * 50_000L)], tolerance: 3);
        Assert.Equal("tv", Ffmpeg.Property(_folder["out.y4m"], "v:0", "color_range"));
    }

    [Theory]
    [InlineData("out.mp4", 64, 48, "smpte170m")]
    [InlineData("out.mkv", 65, 47, "smpte170m")]
    [InlineData("out.mp4", 1279, 721, "bt709")]
    [InlineData("out.mkv", 1, 1, "smpte170m")]
    public void Recording_FramesOfOtherSizes_KeepsSizeTimesAndColors(string name, int width, int height, string matrix)
    {
        using (var sink = new RecordingSink(_folder[name]))
        {
            WriteAll(sink, width, height);
            sink.Complete();
            Assert.Equal(Times.Length + 1, sink.FrameCount);
        }
        Check(name, width + width % 2, height + height % 2, Times, tolerance: 4);
        Assert.Equal(("h264", "yuv420p", "tv", matrix), (Property(name, "codec_name"), Property(name, "pix_fmt"), Property(name, "color_range"), Property(name, "color_space")));
    }

    [Theory]
    [InlineData("out.mp4")]
    [InlineData("out.mkv")]
    public void Recording_GivenUp_KeepsWhatWasRecorded(string name)
    {
        using (var sink = new RecordingSink(_folder[name])) WriteAll(sink, 64, 48);
        Assert.Equal(Times.Length + 1, Ffmpeg.FrameTimes(_folder[name]).Length);
    }

    [Fact]
    public void Recording_CutOff_IsPlayable()
    {
        using (var sink = new RecordingSink(_folder["out.mp4"]))
        {
            for (int i = 0; i < 200; i++) sink.Write(FlatPicture.Frame(64, 48, i * 33_000));
            sink.Complete();
        }
        byte[] whole = File.ReadAllBytes(_folder["out.mp4"]);
        File.WriteAllBytes(_folder["cut.mp4"], whole[..(whole.Length * 3 / 4)]);
        Assert.InRange(Ffmpeg.FrameTimes(_folder["cut.mp4"]).Length, 60, 180);
    }

    [Fact]
    public void Recording_NoFrames_LeavesNoFile()
    {
        using (var sink = new RecordingSink(_folder["out.mp4"])) sink.Complete();
        Assert.Empty(_folder.Names);
    }

    [Fact]
    public void Recording_NameThatCannotBe_IsRefused()
    {
        Assert.Throws<ArgumentException>(() => new RecordingSink(_folder["out.avi"]));
        File.WriteAllText(_folder["out.mp4"], "mine");
        Assert.Contains("--overwrite", Assert.Throws<IOException>(() => new RecordingSink(_folder["out.mp4"])).Message, StringComparison.Ordinal);
        Assert.Equal("mine", File.ReadAllText(_folder["out.mp4"]));
        Assert.Throws<IOException>(() => new RecordingSink(_folder["out.mp4/inside.mp4"]));
    }

    [Theory]
    [InlineData(LiveStreamFormat.Nut)]
    [InlineData(LiveStreamFormat.Yuv4Mpeg)]
    public void Stream_ReaderThatGoesAway_SaysSo(LiveStreamFormat format)
    {
        using var reader = new System.IO.Pipes.AnonymousPipeServerStream(System.IO.Pipes.PipeDirection.Out);
        // Its other end is never opened by anybody.
        reader.ClientSafePipeHandle.Dispose();
        using var sink = new LiveStreamSink(reader, "standard output", format);
        IOException e = Assert.Throws<IOException>(() => sink.Write(FlatPicture.Frame(64, 48)));
        Assert.StartsWith("standard output: the program that read the pictures is gone", e.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void VirtualCamera_MissingOrNone_SaysWhatToDo()
    {
        Assert.Contains("modprobe v4l2loopback exclusive_caps=1", Assert.Throws<IOException>(() => new VirtualCameraSink("/dev/video63")).Message, StringComparison.Ordinal);
        Assert.Contains("is no virtual camera", Assert.Throws<IOException>(() => new VirtualCameraSink("/dev/null")).Message, StringComparison.Ordinal);
    }

    private void WriteStream(string name, LiveStreamFormat format, int width, int height)
    {
        using var file = new FileStream(_folder[name], FileMode.CreateNew);
        using var sink = new LiveStreamSink(file, name, format, framesPerSecond: 20);
        WriteAll(sink, width, height);
        sink.Complete();
    }

    /// <summary>Frames of one size, and at the end one that is twice as wide.</summary>
    private static void WriteAll(IFrameSink sink, int width, int height)
    {
        const long opened = 1_000_000_000;
        foreach (long time in Times) sink.Write(FlatPicture.Frame(width, height, opened + time));
        sink.Write(FlatPicture.Frame(2 * width, height, opened + Times[^1] + 50_000));
    }

    private void Check(string name, int width, int height, long[] times, int tolerance)
    {
        Assert.Equal((width.ToString(CultureInfo.InvariantCulture), height.ToString(CultureInfo.InvariantCulture)), (Property(name, "width"), Property(name, "height")));
        // Matroska counts milliseconds.
        long[] read = [.. Ffmpeg.FrameTimes(_folder[name]).Select(time => (long)Math.Round(double.Parse(time, CultureInfo.InvariantCulture) * 1e6))];
        Assert.Equal(name.EndsWith(".y4m", StringComparison.Ordinal) ? times.Length : times.Length + 1, read.Length);
        for (int i = 0; i < times.Length; i++) Assert.InRange(read[i], times[i] - 1000, times[i] + 1000);

        byte[] pixels = Pixels(name);
        FlatPicture.CheckPixels(pixels.AsSpan(0, width * height * 3), tolerance);
    }

    /// <summary>The frame that was twice as wide fills half of the last picture's rows; the rest is black.</summary>
    private void CheckLetterbox(string name, int width, int height)
    {
        byte[] pixels = Pixels(name);
        ReadOnlySpan<byte> last = pixels.AsSpan(pixels.Length - width * height * 3);
        int filled = (int)Math.Round(height / 2.0), top = (height - filled) / 2;
        Assert.False(last[..(top * width * 3)].ContainsAnyExcept((byte)0));
        FlatPicture.CheckPixels(last.Slice(top * width * 3, filled * width * 3), tolerance: 0);
        Assert.False(last[((top + filled) * width * 3)..].ContainsAnyExcept((byte)0));
    }

    /// <summary>All frames as B, G, R.</summary>
    private byte[] Pixels(string name)
    {
        Ffmpeg.Run($"-i {_folder[name]} -fps_mode passthrough -vf scale=flags=accurate_rnd+full_chroma_int -pix_fmt bgr24 -f rawvideo {_folder[name + ".raw"]}");
        return File.ReadAllBytes(_folder[name + ".raw"]);
    }

    private string Property(string name, string property) => Ffmpeg.Property(_folder[name], "v:0", property);
}
