using RealtimeDeblur.Imaging;
using RealtimeDeblur.Video;
using Xunit;

namespace RealtimeDeblur.Tests.Video;

public sealed class NutFrameSourceTests
{
    [Theory]
    [InlineData("gray", PixelFormat.Gray8)]
    [InlineData("gray10le", PixelFormat.Gray10)]
    [InlineData("yuv420p", PixelFormat.Yuv420P8)]
    [InlineData("yuvj420p", PixelFormat.Yuv420P8)]
    [InlineData("yuv422p", PixelFormat.Yuv422P8)]
    [InlineData("yuv444p", PixelFormat.Yuv444P8)]
    [InlineData("yuv420p10le", PixelFormat.Yuv420P10)]
    [InlineData("yuv422p10le", PixelFormat.Yuv422P10)]
    [InlineData("yuv444p10le", PixelFormat.Yuv444P10)]
    [InlineData("nv12", PixelFormat.Nv12)]
    [InlineData("rgb24", PixelFormat.Rgb24)]
    [InlineData("bgr24", PixelFormat.Bgr24)]
    [InlineData("rgba", PixelFormat.Rgba32)]
    [InlineData("rgb0", PixelFormat.Rgba32)]
    [InlineData("bgra", PixelFormat.Bgra32)]
    [InlineData("bgr0", PixelFormat.Bgra32)]
    [InlineData("rgb48le", PixelFormat.Rgb48)]
    [InlineData("rgba64le", PixelFormat.Rgba64)]
    [InlineData("yuva420p", PixelFormat.Yuva420P8)]
    [InlineData("yuva422p", PixelFormat.Yuva422P8)]
    [InlineData("yuva444p", PixelFormat.Yuva444P8)]
    [InlineData("yuva420p10le", PixelFormat.Yuva420P10)]
    [InlineData("yuva422p10le", PixelFormat.Yuva422P10)]
    [InlineData("yuva444p10le", PixelFormat.Yuva444P10)]
    public void SourceThenSink_EveryLayoutOfFfmpeg_KeepsFramesTimesAndLayout(string pixelFormat, PixelFormat expected)
    {
        using var folder = new TemporaryFolder();
        Ffmpeg.Run($"{Ffmpeg.TestPicture("65x47", 25, 0.2)} -vf setpts=PTS+N*N,setsar=16/11 -c:v rawvideo -pix_fmt {pixelFormat} -fps_mode passthrough {folder["in.nut"]}");
        using (var source = new NutFrameSource(File.OpenRead(folder["in.nut"]), "in.nut"))
        using (FileStream stream = File.Create(folder["out.nut"]))
        using (var sink = new NutFrameSink(stream, "out.nut", source.RawVideo))
        {
            Assert.Equal(new FrameFormat(expected, 65, 47, pixelFormat.StartsWith("gray", StringComparison.Ordinal) ? ColorRange.Full : ColorRange.Limited), source.Format);
            while (source.TryRead(out Frame? frame)) sink.Write(frame);
            sink.Complete();
            Assert.Null(source.EarlyEnd);
        }
        Assert.Equal(Ffmpeg.FrameHashes(folder["in.nut"]), Ffmpeg.FrameHashes(folder["out.nut"]));
        Assert.Equal(Ffmpeg.FrameTimes(folder["in.nut"]), Ffmpeg.FrameTimes(folder["out.nut"]));
        foreach (string property in (string[])["codec_tag_string", "time_base", "sample_aspect_ratio"])
            Assert.Equal(Ffmpeg.Property(folder["in.nut"], "v:0", property), Ffmpeg.Property(folder["out.nut"], "v:0", property));
    }

    [Fact]
    public void Read_StreamCutInsideAFrame_GivesTheWholeOnesAndSaysSo()
    {
        using var source = new NutFrameSource(new MemoryStream(Gray4x3(12, 12, 12)[..^1]), "the stream");
        Assert.Equal(2, CountFrames(source));
        Assert.Equal("inside a frame", source.EarlyEnd);
    }

    [Fact]
    public void Read_FrameOfAnotherSize_SaysSo()
    {
        using var source = new NutFrameSource(new MemoryStream(Gray4x3(12, 20)), "the stream");
        Assert.StartsWith("the stream: a frame has 20 bytes instead of the 12 of 4x3 Gray8.", Assert.Throws<InvalidDataException>(() => CountFrames(source)).Message);
    }

    [Fact]
    public void StopReading_BeforeTheEnd_EndsTheStreamWithoutComplaint()
    {
        using var source = new NutFrameSource(new MemoryStream(Gray4x3(12, 12, 12)), "the stream");
        Assert.True(source.TryRead(out Frame? frame));
        frame.Dispose();
        source.StopReading();
        source.StopReading();
        Assert.False(source.TryRead(out _));
        Assert.Null(source.EarlyEnd);
    }

    [Fact]
    public void Open_FramesLargerThanMemory_SaysSo()
    {
        using var stream = new MemoryStream();
        _ = new NutWriter(stream, new(1 << 20, 1 << 20, new(1, 25), default, FourCc: 0x30303859));
        // A syncpoint, which ends the headers.
        stream.Write([0x4E, 0x4B, 0xE4, 0xAD, 0xEE, 0xCA, 0x45, 0x69, 6, 0, 0, 0, 0, 0, 0]);
        stream.Position = 0;
        Assert.Equal("the stream: frames of 1048576x1048576 are too large.", Assert.Throws<InvalidDataException>(() => new NutFrameSource(stream, "the stream")).Message);
    }

    private static int CountFrames(NutFrameSource source)
    {
        int count = 0;
        for (; source.TryRead(out Frame? frame); count++) frame.Dispose();
        return count;
    }

    private static byte[] Gray4x3(params int[] frameBytes)
    {
        using var stream = new MemoryStream();
        var writer = new NutWriter(stream, new(4, 3, new(1, 25), new(1, 1), FourCc: 0x30303859));
        for (int i = 0; i < frameBytes.Length; i++) writer.WriteFrame(i, new byte[frameBytes[i]]);
        return stream.ToArray();
    }
}
