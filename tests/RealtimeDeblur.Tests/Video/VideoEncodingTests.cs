using RealtimeDeblur.Imaging;
using RealtimeDeblur.Video;
using Xunit;

namespace RealtimeDeblur.Tests.Video;

/// <summary>What is said of the frames, on the way that they take: raw, encoded into a segment, copied into a container.</summary>
public sealed class VideoEncodingTests : IDisposable
{
    private static readonly MasteringDisplay P3Screen = new(new(0.68, 0.32), new(0.265, 0.69), new(0.15, 0.06), new(0.3127, 0.329), 0.005, 1000);

    private readonly TemporaryFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Theory]
    [InlineData("tv", "smpte170m", "smpte170m", "smpte170m", "left", "yuv420p")]
    [InlineData("pc", "bt709", "bt709", "bt709", "left", "yuv420p")]
    [InlineData("tv", "bt2020nc", "bt2020", "smpte2084", "topleft", "yuv420p10le")]
    [InlineData("tv", "bt2020nc", "bt2020", "arib-std-b67", "topleft", "yuv420p10le")]
    public void Arguments_ColourTags_ArriveWithEveryEncoder(string range, string matrix, string primaries, string transfer, string chromaLocation, string pixelFormat)
    {
        foreach ((string encoder, string container) in ((string, string)[])[("libx264", "mp4"), ("libx265", "mkv"), ("libsvtav1", "mp4"), ("libvpx-vp9", "mkv"), ("ffv1", "mkv"), ("prores_ks", "mov")])
        {
            var video = Video(pixelFormat) with { Color = new() { Range = range, Matrix = matrix, Primaries = primaries, Transfer = transfer, ChromaLocation = chromaLocation } };
            string file = EncodeAndCopy(video, encoder, container);
            MediaStream found = VideoProbe.Probe(file).MainVideo!;
            // ProRes is 4:2:2 and says nothing of range: it is limited.
            ColorTags expected = encoder == "prores_ks" ? video.Color with { Range = found.Color.Range } : video.Color;
            Assert.Equal((encoder, expected with { ChromaLocation = null }), (encoder, found.Color with { ChromaLocation = null }));
            if (encoder is "libx264" or "libx265" or "ffv1") Assert.Equal((encoder, chromaLocation), (encoder, found.Color.ChromaLocation));
        }
    }

    [Theory]
    [InlineData("libx265")]
    [InlineData("libsvtav1")]
    public void Arguments_HdrOfTheScreen_ArrivesInTheStream(string encoder)
    {
        MediaStream video = Hdr10();
        VideoEncoding encoding = VideoEncoding.Make(video, FormatOf(video), loss: null, VideoEncoder.Find(encoder));
        Assert.Empty(encoding.Notes);
        MediaStream found = VideoProbe.Probe(EncodeAndCopy(video, encoder, "mp4")).MainVideo!;
        Assert.Equal(video.ContentLight, found.ContentLight);
        MasteringDisplay display = found.MasteringDisplay!;
        foreach ((Chromaticity expected, Chromaticity actual) in ((Chromaticity, Chromaticity)[])[(P3Screen.Red, display.Red), (P3Screen.Green, display.Green), (P3Screen.Blue, display.Blue), (P3Screen.White, display.White)])
            Assert.Equal((expected.X, expected.Y), (Math.Round(actual.X, 4), Math.Round(actual.Y, 4)));
        Assert.Equal((0.005, 1000), (Math.Round(display.MinLuminance, 4), display.MaxLuminance));
    }

    [Fact]
    public void Notes_HdrThatTheEncoderCannotStore_NameIt()
    {
        MediaStream video = Hdr10() with { DynamicMetadata = ["Dolby Vision"] };
        IReadOnlyList<string> notes = VideoEncoding.Make(video, FormatOf(video), loss: null, VideoEncoder.Find("ffv1")).Notes;
        Assert.Equal(2, notes.Count);
        Assert.Contains("mastering display and content light level", notes[0]);
        Assert.Contains("Dolby Vision", notes[1]);
    }

    [Theory]
    [InlineData(FieldOrder.TopFirst, "libx264", "mp4", "yuv420p")]
    [InlineData(FieldOrder.BottomFirst, "libx264", "mkv", "yuv420p")]
    [InlineData(FieldOrder.TopFirst, "prores_ks", "mov", "yuv422p10le")]
    [InlineData(FieldOrder.BottomFirst, "prores_ks", "mkv", "yuv422p10le")]
    [InlineData(FieldOrder.BottomFirst, "ffv1", "mkv", "yuv420p")]
    [InlineData(FieldOrder.TopFirst, "mpeg2video", "mkv", "yuv420p")]
    public void Arguments_InterlacedVideo_KeepsItsFieldOrder(FieldOrder fields, string encoder, string container, string pixelFormat)
    {
        MediaStream video = Video(pixelFormat) with { FieldOrder = fields };
        Assert.Empty(VideoEncoding.Make(video, FormatOf(video), loss: null, VideoEncoder.Find(encoder)).Notes);
        string file = EncodeAndCopy(video, encoder, container);
        Assert.Equal(fields, VideoProbe.Probe(file).MainVideo!.FieldOrder);
        Assert.Equal(fields == FieldOrder.TopFirst ? "1,1" : "1,0", Ffmpeg.FirstFrame(file, "interlaced_frame,top_field_first"));
    }

    [Fact]
    public void Notes_InterlacedVideoAndEncoderWithoutFields_SaysSo()
    {
        MediaStream video = Video("yuv420p") with { FieldOrder = FieldOrder.TopFirst };
        Assert.Contains("fields as whole frames", Assert.Single(VideoEncoding.Make(video, FormatOf(video), loss: null, VideoEncoder.Find("libx265")).Notes));
    }

    [Theory]
    [InlineData("ffv1", "yuva420p", "mkv", ".nut")]
    [InlineData("ffv1", "yuva444p10le", "mkv", ".nut")]
    [InlineData("prores_ks", "yuva444p10le", "mov", ".nut")]
    [InlineData("qtrle", "rgba", "mov", ".mov")]
    [InlineData("png", "rgba", "mkv", ".nut")]
    [InlineData("libvpx-vp9", "yuva420p", "webm", ".mkv")]
    [InlineData("libvpx", "yuva420p", "webm", ".mkv")]
    public void Arguments_Transparency_ArrivesInTheContainer(string encoder, string pixelFormat, string container, string segment)
    {
        MediaStream video = Video(pixelFormat);
        VideoEncoding encoding = VideoEncoding.Make(video, FormatOf(video), loss: null, VideoEncoder.Find(encoder));
        Assert.Empty(encoding.Notes);
        Assert.Equal(segment, encoding.SegmentExtension);
        string file = EncodeAndCopy(video, encoder, container);
        MediaInfo media = VideoProbe.Probe(file);
        using var before = new FfmpegFrameSource(VideoProbe.Probe(_folder["in.nut"]), VideoProbe.Probe(_folder["in.nut"]).MainVideo!);
        using var after = new FfmpegFrameSource(media, media.MainVideo!);
        int count = 0;
        while (before.TryRead(out Frame? expected))
        {
            Assert.True(after.TryRead(out Frame? actual));
            byte[] a = Alpha(expected), b = Alpha(actual);
            Assert.Equal(a.Length, b.Length);
            Assert.InRange(a.Zip(b, (x, y) => (double)(x - y) * (x - y)).Average(), 0, encoder is "libvpx-vp9" or "libvpx" ? 2 : 0);
            count++;
            expected.Dispose();
            actual.Dispose();
        }
        Assert.Equal(2, count);
    }

    [Fact]
    public void Notes_TransparencyThatTheEncoderDoesNotStore_SaySo()
    {
        MediaStream video = Video("yuva420p");
        VideoEncoding encoding = VideoEncoding.Make(video, FormatOf(video), loss: null, VideoEncoder.Find("libx264"));
        Assert.Equal("yuv420p", encoding.PixelFormat);
        Assert.Contains("loses its transparency", Assert.Single(encoding.Notes));
    }

    [Theory]
    [InlineData("ffv1", "bgr0", "bgr0")]
    [InlineData("ffv1", "gbrp10le", "gbrp10le")]
    [InlineData("ffv1", "bgra", "bgra")]
    [InlineData("utvideo", "gbrp", "gbrp")]
    [InlineData("libx264rgb", "rgb24", "rgb24")]
    [InlineData("libx265", "gbrp", "gbrp")]
    [InlineData("libvpx-vp9", "gbrp", "gbrp")]
    public void Arguments_RgbLossless_StaysRgbToTheSample(string encoder, string pixelFormat, string stored)
    {
        MediaStream video = Video(pixelFormat);
        string file = EncodeAndCopy(video, encoder, "mkv", quality: VideoEncoder.Lossless);
        Assert.Equal(stored, VideoEncoding.Make(video, FormatOf(video), loss: null, VideoEncoder.Find(encoder)).PixelFormat);
        string layout = pixelFormat switch { "bgra" => "-pix_fmt rgba", "gbrp10le" => "-pix_fmt rgb48le", _ => "-pix_fmt rgb24" };
        Assert.Equal(Ffmpeg.FrameHashes(_folder["in.nut"], options: layout), Ffmpeg.FrameHashes(file, options: layout));
    }

    [Fact]
    public void Make_FramesOfNoFile_AreEncodedInTheirLayout()
    {
        VideoEncoder encoder = VideoEncoder.Find("libx264");
        VideoEncoding luma = VideoEncoding.Make(new FrameFormat(PixelFormat.Yuv420P10, 64, 64), encoder), rgb = VideoEncoding.Make(new FrameFormat(PixelFormat.Bgr24, 64, 64), encoder);
        Assert.Equal("yuv420p10le", luma.PixelFormat);
        Assert.Empty(luma.Notes);
        Assert.Empty(luma.TagArguments("0"));
        Assert.Equal("yuv444p", rgb.PixelFormat);
        Assert.Single(rgb.Notes);
        Assert.Contains("bt709", rgb.TagArguments("0"));
    }

    /// <summary>Encodes two frames of a test picture as the restored frames of a stream, and copies the result into a container.</summary>
    private string EncodeAndCopy(MediaStream video, string encoderName, string container, int? quality = null)
    {
        FrameFormat format = FormatOf(video);
        VideoEncoding encoding = VideoEncoding.Make(video, format, loss: null, VideoEncoder.Find(encoderName, encoderName is "mpeg2video" ? null : quality));
        string alpha = video.PixelFormat!.Contains('a', StringComparison.Ordinal) ? ",format=rgba,geq=r=r(X\\,Y):g=g(X\\,Y):b=b(X\\,Y):a=X*2+Y" : "";
        if (!File.Exists(_folder["in.nut"])) Ffmpeg.Run($"-f lavfi -i testsrc2=s=64x64:r=25:d=0.08{alpha},format={video.PixelFormat} -c:v rawvideo -pix_fmt {FfmpegPixelFormat.Name(format.Pixels)} {_folder["in.nut"]}");
        string segment = _folder[$"segment{encoding.SegmentExtension}"], output = _folder[$"{encoderName}.{container}"];
        Ffmpeg.Run($"-f nut -i {_folder["in.nut"]} {string.Join(' ', encoding.Arguments)} {segment}");
        Ffmpeg.Run($"-i {segment} -c copy {string.Join(' ', encoding.TagArguments("0"))} {output}");
        return output;
    }

    private static MediaStream Video(string pixelFormat) => new() { Index = 0, Kind = MediaStreamKind.Video, Codec = "rawvideo", Width = 64, Height = 64, PixelFormat = pixelFormat };

    private static MediaStream Hdr10() => Video("yuv420p10le") with
    {
        Color = new() { Range = "tv", Matrix = "bt2020nc", Primaries = "bt2020", Transfer = "smpte2084" },
        MasteringDisplay = P3Screen,
        ContentLight = new(1000, 400),
    };

    /// <summary>As frames of the stream are handed out.</summary>
    private static FrameFormat FormatOf(MediaStream video) => new(FfmpegPixelFormat.Nearest(video.PixelFormat!, out _), video.Width, video.Height, YuvConversion.RangeOf(video));

    /// <summary>Bytes of transparency.</summary>
    private static byte[] Alpha(Frame frame) => frame.Format.PlaneCount == 4 ? frame.PlaneData(3).ToArray() : [.. frame.Data.ToArray().Where((_, i) => i % 4 == 3)];
}
