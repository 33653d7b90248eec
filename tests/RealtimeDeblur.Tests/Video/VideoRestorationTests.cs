using RealtimeDeblur.Compute;
using RealtimeDeblur.Imaging;
using RealtimeDeblur.Networks;
using RealtimeDeblur.Pipeline;
using RealtimeDeblur.Restoration;
using RealtimeDeblur.Tests.Networks;
using RealtimeDeblur.Video;
using Xunit;

namespace RealtimeDeblur.Tests.Video;

/// <summary>Whole files through both ffmpeg processes; ffmpeg and ffprobe judge the result.</summary>
public sealed class VideoRestorationTests : IDisposable
{
    private readonly TemporaryFolder _folder = new();
    private readonly ComputeDevice _device = TestDevice.OpenOrSkip();
    private readonly List<string> _notes = [];

    public void Dispose()
    {
        _device.Dispose();
        _folder.Dispose();
    }

    [Theory]
    [InlineData("yuv420p", "64x48", "tv")]
    [InlineData("yuv420p", "65x47", "tv")]       // chroma hangs over the edge
    [InlineData("yuv422p", "64x48", "tv")]
    [InlineData("yuv444p", "65x47", "tv")]
    [InlineData("yuv420p", "64x48", "pc")]
    [InlineData("yuv420p10le", "64x48", "tv")]
    [InlineData("yuv422p10le", "64x48", "pc")]
    [InlineData("yuv444p10le", "33x31", "tv")]
    [InlineData("gray", "64x48", "pc")]
    [InlineData("gray10le", "64x48", "pc")]
    [InlineData("yuva420p", "65x47", "tv")]
    [InlineData("yuva422p", "64x48", "pc")]
    [InlineData("yuva444p10le", "33x31", "tv")]
    public void Run_NetworkThatChangesNothing_KeepsEverySample(string pixelFormat, string size, string range)
    {
        Ffmpeg.Run($"{Ffmpeg.TestPicture(size, 10, 1)} -c:v ffv1 -pix_fmt {pixelFormat} -color_range {range} {_folder["in.mkv"]}");
        Restore("in.mkv", "out.mkv", SmallNetwork.Identity(), "ffv1");
        Assert.Equal(pixelFormat, Ffmpeg.Property(_folder["out.mkv"], "v:0", "pix_fmt"));
        Assert.Equal(range, Ffmpeg.Property(_folder["out.mkv"], "v:0", "color_range"));
        Assert.Equal(Ffmpeg.FrameHashes(_folder["in.mkv"]), Ffmpeg.FrameHashes(_folder["out.mkv"]));
        Assert.Empty(_notes);
    }

    [Fact]
    public void Run_FullRangeH264_KeepsEverySample()
    {
        // ffmpeg calls this layout yuvj420p and would squeeze it into limited range at the first conversion.
        Ffmpeg.Run($"{Ffmpeg.TestPicture("64x48", 10, 1)} -c:v libx264 -crf 0 -pix_fmt yuvj420p {_folder["in.mp4"]}");
        Restore("in.mp4", "out.mkv", SmallNetwork.Identity(), "ffv1");
        Assert.Equal(Ffmpeg.FrameHashes(_folder["in.mp4"]), Ffmpeg.FrameHashes(_folder["out.mkv"]));
    }

    [Fact]
    public void Run_SharpeningNetwork_ChangesLumaAndLeavesChroma()
    {
        Ffmpeg.Run($"{Ffmpeg.TestPicture("64x48", 10, 0.5)} -c:v ffv1 -pix_fmt yuv420p {_folder["in.mkv"]}");
        Restore("in.mkv", "out.mkv", SmallNetwork.Sharpen(), "ffv1");
        foreach (string plane in (string[])["u", "v"])
            Assert.Equal(Ffmpeg.FrameHashes(_folder["in.mkv"], options: $"-vf extractplanes={plane}"), Ffmpeg.FrameHashes(_folder["out.mkv"], options: $"-vf extractplanes={plane}"));
        string[] before = Ffmpeg.FrameHashes(_folder["in.mkv"], options: "-vf extractplanes=y");
        string[] after = Ffmpeg.FrameHashes(_folder["out.mkv"], options: "-vf extractplanes=y");
        Assert.Equal(5, after.Length);
        Assert.All(before.Zip(after), pair => Assert.NotEqual(pair.First, pair.Second));
    }

    [Theory]
    [InlineData("yuv420p", "yuv420p")]
    [InlineData("yuv422p", "yuv422p")]
    [InlineData("yuv444p", "yuv444p")]
    [InlineData("yuv420p10le", "yuv420p10le")]
    [InlineData("nv12", "yuv420p")]
    public void Run_DefaultEncoder_KeepsDepthAndChroma(string pixelFormat, string stored)
    {
        Ffmpeg.Run($"{Ffmpeg.TestPicture("64x48", 10, 0.5)} -c:v {(pixelFormat == "nv12" ? "rawvideo" : "ffv1")} -pix_fmt {pixelFormat} {_folder["in.nut"]}");
        Restore("in.nut", "out.mp4");
        Assert.Equal("h264", Ffmpeg.Property(_folder["out.mp4"], "v:0", "codec_name"));
        Assert.Equal(stored, Ffmpeg.Property(_folder["out.mp4"], "v:0", "pix_fmt"));
        Assert.Equal(5, Ffmpeg.FrameTimes(_folder["out.mp4"]).Length);
    }

    [Fact]
    public void Run_OddSizeInto420Encoder_KeepsSizeWithFullChromaAndSaysSo()
    {
        Ffmpeg.Run($"{Ffmpeg.TestPicture("65x47", 10, 0.5)} -c:v ffv1 -pix_fmt yuv420p {_folder["in.mkv"]}");
        Restore("in.mkv", "out.mp4");
        Assert.Equal(("65", "47", "yuv444p"), (Ffmpeg.Property(_folder["out.mp4"], "v:0", "width"), Ffmpeg.Property(_folder["out.mp4"], "v:0", "height"), Ffmpeg.Property(_folder["out.mp4"], "v:0", "pix_fmt")));
        Assert.Contains("stored as yuv444p", Assert.Single(_notes));
    }

    [Fact]
    public void Run_RgbVideo_IsStoredWithItsColoursAndSaysSo()
    {
        Ffmpeg.Run($"{Ffmpeg.TestPicture("64x48", 10, 0.5)} -c:v ffv1 -pix_fmt bgr0 {_folder["in.mkv"]}");
        Restore("in.mkv", "out.mkv", SmallNetwork.Identity(), "libx264", quality: 100);
        Assert.Equal(("yuv444p", "bt709"), (Ffmpeg.Property(_folder["out.mkv"], "v:0", "pix_fmt"), Ffmpeg.Property(_folder["out.mkv"], "v:0", "color_space")));
        Assert.InRange(Ffmpeg.Psnr(_folder["in.mkv"], _folder["out.mkv"], "gbrp"), 40, 200);
        Assert.Contains("stored as yuv444p", Assert.Single(_notes));
    }

    [Theory]
    [InlineData("bgr0", 1)]
    [InlineData("bgra", 3)]
    [InlineData("gbrp10le", 1)]
    public void Run_RgbVideoIntoRgbEncoder_KeepsEverySample(string pixelFormat, int channels)
    {
        Ffmpeg.Run($"{Ffmpeg.TestPicture("65x47", 10, 0.5)} -c:v ffv1 -pix_fmt {pixelFormat} {_folder["in.mkv"]}");
        Restore("in.mkv", "out.mkv", SmallNetwork.Identity(channels), "ffv1");
        Assert.Equal(pixelFormat, Ffmpeg.Property(_folder["out.mkv"], "v:0", "pix_fmt"));
        Assert.Equal(Ffmpeg.FrameHashes(_folder["in.mkv"]), Ffmpeg.FrameHashes(_folder["out.mkv"]));
        Assert.Empty(_notes);
    }

    [Theory]
    [InlineData("libx264", "mp4")]
    [InlineData("libx264rgb", "mkv")]
    [InlineData("libx265", "mp4")]
    [InlineData("libsvtav1", "mkv")]
    [InlineData("libaom-av1", "mp4")]
    [InlineData("libvpx-vp9", "webm")]
    [InlineData("libvpx", "webm")]
    [InlineData("ffv1", "mkv")]
    [InlineData("prores_ks", "mov")]
    [InlineData("png", "mov")]
    public void Run_FlatColour_ComesOutWithinOneCodeValue(string encoder, string container)
    {
        Ffmpeg.Run($"-f lavfi -i color=0x3A7BC4:s=64x64:r=10:d=0.3 -vf scale=out_color_matrix=bt709:out_range=tv -c:v ffv1 -pix_fmt yuv420p -colorspace bt709 -color_range tv {_folder["in.mkv"]}");
        Restore("in.mkv", $"out.{container}", SmallNetwork.Identity(), encoder);
        byte[] before = Samples("in.mkv"), after = Samples($"out.{container}");
        Assert.Equal(before.Length, after.Length);
        Assert.InRange(before.Zip(after, (expected, found) => Math.Abs(expected - found)).Max(), 0, 1);

        byte[] Samples(string file)
        {
            bool isRgb = Ffmpeg.Property(_folder[file], "v:0", "pix_fmt").Contains("rgb", StringComparison.Ordinal) || Ffmpeg.Property(_folder[file], "v:0", "pix_fmt").Contains("gbr", StringComparison.Ordinal);
            Ffmpeg.Run($"-i {_folder[file]} -frames:v 3 {(isRgb ? "-vf scale=out_color_matrix=bt709:out_range=tv:flags=accurate_rnd+full_chroma_int" : "")} -f rawvideo -pix_fmt yuv420p {_folder["samples"]}");
            return File.ReadAllBytes(_folder["samples"]);
        }
    }

    [Theory]
    [InlineData("tff", "mp4", FieldOrder.TopFirst)]
    [InlineData("bff", "mkv", FieldOrder.BottomFirst)]
    public void Run_InterlacedVideo_StaysInterlaced(string fields, string container, FieldOrder expected)
    {
        MakeInterlaced($"in.{container}", fields);
        Assert.Equal(expected, VideoProbe.Probe(_folder[$"in.{container}"]).MainVideo!.FieldOrder);
        Restore($"in.{container}", $"out.{container}");
        Assert.Equal(expected, VideoProbe.Probe(_folder[$"out.{container}"]).MainVideo!.FieldOrder);
        Assert.Equal(fields == "tff" ? "1,1" : "1,0", Ffmpeg.FirstFrame(_folder[$"out.{container}"], "interlaced_frame,top_field_first"));
        Assert.Empty(_notes);
    }

    [Fact]
    public void Source_Deinterlaced_HandsOutWholePicturesAtTheirTimes()
    {
        MakeInterlaced("in.mkv", "tff");
        Ffmpeg.Run($"-i {_folder["in.mkv"]} -vf bwdif=mode=send_frame:parity=tff:deint=all -c:v rawvideo -pix_fmt yuv420p {_folder["expected.nut"]}");
        MediaInfo media = VideoProbe.Probe(_folder["in.mkv"]), expectedMedia = VideoProbe.Probe(_folder["expected.nut"]);
        using var source = new FfmpegFrameSource(media, media.MainVideo!, deinterlace: true);
        using var expectedSource = new FfmpegFrameSource(expectedMedia, expectedMedia.MainVideo!);
        List<string> times = [];
        while (source.TryRead(out Frame? frame))
        {
            Assert.True(expectedSource.TryRead(out Frame? expected));
            Assert.Equal(expected.Data, frame.Data);
            times.Add((frame.Timestamp * source.RawVideo.TimeBase.Value).ToString("0.000000", System.Globalization.CultureInfo.InvariantCulture));
            frame.Dispose();
            expected.Dispose();
        }
        Assert.Equal(Ffmpeg.FrameTimes(_folder["in.mkv"]), times);
    }

    [Fact]
    public void Run_FrameTimesThatVary_AreNoFrameRateThatTheEncoderRefuses()
    {
        Ffmpeg.Run($"{Ffmpeg.TestPicture("64x64", 25, 0.4)} -vf settb=1/90000,setpts=PTS+911*N*N -fps_mode passthrough -enc_time_base 1/90000 -c:v libx264 -bf 0 -video_track_timescale 90000 {_folder["in.mp4"]}");
        Restore("in.mp4", "out.mp4", encoder: "libsvtav1");
        Assert.Equal(Ffmpeg.FrameTimes(_folder["in.mp4"]), Ffmpeg.FrameTimes(_folder["out.mp4"]));
    }

    [Theory]
    [InlineData("libvpx-vp9")]
    [InlineData("libvpx")]
    public void Run_TransparentWebm_StaysTransparent(string encoder)
    {
        Ffmpeg.Run($"{Ffmpeg.TestPicture("64x48", 10, 0.3)} -vf format=rgba,geq=r=r(X\\,Y):g=g(X\\,Y):b=b(X\\,Y):a=X*2+Y -c:v {encoder} -pix_fmt yuva420p -auto-alt-ref 0 -b:v 2M -metadata:s:v:0 alpha_mode=1 {_folder["in.webm"]}");
        Assert.Equal(("yuva420p", encoder), (VideoProbe.Probe(_folder["in.webm"]).MainVideo!.PixelFormat, VideoProbe.Probe(_folder["in.webm"]).MainVideo!.Decoder));
        Restore("in.webm", "out.mkv", SmallNetwork.Identity(), "ffv1");
        Ffmpeg.Run($"-c:v {encoder} -i {_folder["in.webm"]} -c:v ffv1 {_folder["expected.mkv"]}");
        Assert.Equal("yuva420p", Ffmpeg.Property(_folder["out.mkv"], "v:0", "pix_fmt"));
        Assert.Equal(Ffmpeg.FrameHashes(_folder["expected.mkv"]), Ffmpeg.FrameHashes(_folder["out.mkv"]));
        Assert.Empty(_notes);
    }

    [Theory]
    [InlineData("yuv420p", "bt709", "tv")]
    [InlineData("yuv420p", "smpte170m", "pc")]
    [InlineData("yuv420p10le", "bt2020nc", "tv")]
    public void Run_RgbNetworkOnYuvVideo_ConvertsThereAndBackWithTheFilesMatrix(string pixelFormat, string matrix, string range)
    {
        Ffmpeg.Run($"{Ffmpeg.TestPicture("64x48", 10, 0.5)} -vf gblur=3 -c:v ffv1 -pix_fmt {pixelFormat} -colorspace {matrix} -color_range {range} {_folder["in.mkv"]}");
        Restore("in.mkv", "out.mkv", SmallNetwork.Identity(C: 3), "ffv1");
        Assert.Equal((pixelFormat, matrix, range), (Ffmpeg.Property(_folder["out.mkv"], "v:0", "pix_fmt"), Ffmpeg.Property(_folder["out.mkv"], "v:0", "color_space"), Ffmpeg.Property(_folder["out.mkv"], "v:0", "color_range")));
        // A wrong matrix or range costs far more than the chroma resampling on the way.
        Assert.InRange(Ffmpeg.Psnr(_folder["in.mkv"], _folder["out.mkv"], pixelFormat), 36, 200);
    }

    [Theory]
    [InlineData("mp4")]
    [InlineData("mov")]
    [InlineData("mkv")]
    public void Run_VariableFrameRate_KeepsEveryTimestamp(string container)
    {
        Ffmpeg.Run($"{Ffmpeg.TestPicture("64x48", 30, 2)} -vf select=lt(n\\,10)+not(mod(n\\,3))+eq(n\\,40) -fps_mode vfr -c:v libx264 -preset ultrafast {_folder[$"in.{container}"]}");
        Restore($"in.{container}", $"out.{container}");
        string[] times = Ffmpeg.FrameTimes(_folder[$"in.{container}"]);
        Assert.Equal(times, Ffmpeg.FrameTimes(_folder[$"out.{container}"]));
        Assert.InRange(times.Length, 25, 32);
    }

    [Theory]
    [InlineData("mp4", "aac")]
    [InlineData("mkv", "libopus")]
    [InlineData("mov", "pcm_s16le")]
    [InlineData("ts", "aac")]
    public void Run_SoundBeforePictureAndFirstInTheFile_KeepsBothClocksAndEveryPacket(string container, string audioCodec)
    {
        Ffmpeg.Run($"{Ffmpeg.Tone(440, 2)} {Ffmpeg.Tone(880, 2)} -itsoffset 0.48 {Ffmpeg.TestPicture("64x48", 25, 1)} -map 0:a -map 2:v -map 1:a -c:a {audioCodec} -c:v libx264 -preset ultrafast -b:a 64k {_folder[$"in.{container}"]}");
        Restore($"in.{container}", $"out.{container}");
        Assert.Equal(Ffmpeg.FrameTimes(_folder[$"in.{container}"]), Ffmpeg.FrameTimes(_folder[$"out.{container}"]));
        for (int i = 0; i < 2; i++)
        {
            Assert.Equal(Ffmpeg.PacketHash(_folder[$"in.{container}"], $"a:{i}"), Ffmpeg.PacketHash(_folder[$"out.{container}"], $"a:{i}"));
            Assert.Equal(Ffmpeg.Property(_folder[$"in.{container}"], $"a:{i}", "start_time"), Ffmpeg.Property(_folder[$"out.{container}"], $"a:{i}", "start_time"));
        }
        Assert.Empty(_notes);
    }

    [Fact]
    public void Run_StartFarFromZero_KeepsIt()
    {
        Ffmpeg.Run($"{Ffmpeg.TestPicture("64x48", 25, 1)} {Ffmpeg.Tone(440, 1)} -output_ts_offset 3600 -c:v libx264 -preset ultrafast {_folder["in.mkv"]}");
        Restore("in.mkv", "out.mkv");
        string[] times = Ffmpeg.FrameTimes(_folder["out.mkv"]);
        Assert.StartsWith("3600.0", times[0]);
        Assert.Equal(Ffmpeg.FrameTimes(_folder["in.mkv"]), times);
    }

    [Fact]
    public void Run_ColourTags_AreThoseOfTheSource()
    {
        Ffmpeg.Run($"{Ffmpeg.TestPicture("64x48", 10, 0.5)} -c:v libx265 -x265-params log-level=error -pix_fmt yuv420p10le -color_range tv -colorspace bt2020nc -color_primaries bt2020 -color_trc arib-std-b67 -tag:v hvc1 {_folder["in.mp4"]}");
        Restore("in.mp4", "out.mp4");
        foreach (string tag in (string[])["color_range", "color_space", "color_primaries", "color_transfer", "pix_fmt"])
            Assert.Equal(Ffmpeg.Property(_folder["in.mp4"], "v:0", tag), Ffmpeg.Property(_folder["out.mp4"], "v:0", tag));
    }

    [Theory]
    [InlineData(90)]
    [InlineData(180)]
    [InlineData(270)]
    public void Run_RotatedVideo_IsShownTheSameWay(int degrees)
    {
        Ffmpeg.Run($"{Ffmpeg.TestPicture("64x48", 10, 0.5)} -c:v libx264 -crf 0 -pix_fmt yuv420p {_folder["in.mp4"]}");
        SetRotation(_folder["in.mp4"], degrees);
        MediaInfo media = VideoProbe.Probe(_folder["in.mp4"]);
        Assert.Equal(degrees % 360, (media.MainVideo!.RotationDegrees + 360) % 360);

        Restore("in.mp4", "out.mkv", SmallNetwork.Identity(), "ffv1");
        Assert.Equal(degrees == 180 ? "64" : "48", Ffmpeg.Property(_folder["out.mkv"], "v:0", "width"));
        Assert.Equal(Ffmpeg.FrameHashes(_folder["in.mp4"]), Ffmpeg.FrameHashes(_folder["out.mkv"]));
    }

    [Fact]
    public void Probe_DisplayMatrixWithAFlip_IsMirrored()
    {
        Ffmpeg.Run($"{Ffmpeg.TestPicture("64x48", 10, 0.2)} -c:v libx264 {_folder["in.mp4"]}");
        SetMatrix(_folder["in.mp4"], (0, 1, -1, 0));
        Assert.False(VideoProbe.Probe(_folder["in.mp4"]).MainVideo!.IsMirrored);
        SetMatrix(_folder["in.mp4"], (-1, 0, 0, 1));
        Assert.True(VideoProbe.Probe(_folder["in.mp4"]).MainVideo!.IsMirrored);
    }

    [Fact]
    public void Probe_HdrVideo_TellsOfItsScreenAndBrightness()
    {
        Ffmpeg.Run($"{Ffmpeg.TestPicture("64x48", 10, 0.2)} -c:v libx265 -x265-params log-level=error:master-display=G(13250,34500)B(7500,3000)R(34000,16000)WP(15635,16450)L(10000000,50):max-cll=1000,400 "
            + $"-pix_fmt yuv420p10le -colorspace bt2020nc -color_primaries bt2020 -color_trc smpte2084 {_folder["in.mp4"]}");
        MediaStream video = VideoProbe.Probe(_folder["in.mp4"]).MainVideo!;
        Assert.Equal(new MasteringDisplay(new(0.68, 0.32), new(0.265, 0.69), new(0.15, 0.06), new(0.3127, 0.329), 0.005, 1000), video.MasteringDisplay);
        Assert.Equal(new ContentLight(1000, 400), video.ContentLight);
        Assert.Empty(video.DynamicMetadata);
        Restore("in.mp4", "out.mp4", encoder: "hevc");
        MediaStream restored = VideoProbe.Probe(_folder["out.mp4"]).MainVideo!;
        Assert.Equal((video.MasteringDisplay, video.ContentLight), (restored.MasteringDisplay, restored.ContentLight));
        Assert.Empty(_notes);
    }

    [Fact]
    public void Run_PixelsThatAreNotSquare_KeepTheirShape()
    {
        Ffmpeg.Run($"{Ffmpeg.TestPicture("64x48", 10, 0.5)} -vf setsar=64/45 -c:v libx264 -preset ultrafast {_folder["in.mp4"]}");
        Restore("in.mp4", "out.mp4");
        Assert.Equal("64:45", Ffmpeg.Property(_folder["out.mp4"], "v:0", "sample_aspect_ratio"));
    }

    [Fact]
    public void Run_StillOfHigherResolutionCoverAndSubtitles_RestoresTheMovingPictureAndKeepsTheRest()
    {
        File.WriteAllText(_folder["in.srt"], "1\n00:00:00,100 --> 00:00:00,800\nHello\n");
        Ffmpeg.Run($"{Ffmpeg.TestPicture("160x120", 10, 0.1)} -frames:v 1 {_folder["cover.png"]}");
        Ffmpeg.Run($"{Ffmpeg.TestPicture("32x24", 10, 1)} {Ffmpeg.TestPicture("64x48", 10, 1)} {Ffmpeg.TestPicture("320x240", 10, 0.1)} -i {_folder["cover.png"]} -i {_folder["in.srt"]} "
            + $"-map 0 -map 1 -map 2 -map 3 -map 4 -c:v libx264 -preset ultrafast -c:v:3 png -disposition:v:3 attached_pic -c:s mov_text -metadata:s:s:0 language=deu -metadata title=Garden {_folder["in.mp4"]}");
        Restore("in.mp4", "out.mp4");
        MediaInfo media = VideoProbe.Probe(_folder["out.mp4"]);
        Assert.Equal((64, 48), (media.MainVideo!.Width, media.MainVideo.Height));
        Assert.Equal([MediaStreamKind.Video, MediaStreamKind.Video, MediaStreamKind.Video, MediaStreamKind.Subtitle, MediaStreamKind.AttachedPicture], media.Streams.Select(stream => stream.Kind).Order());
        Assert.Equal(1, media.MainVideo.Index);
        foreach (int other in (int[])[0, 2]) Assert.Equal(Ffmpeg.PacketHash(_folder["in.mp4"], $"{other}"), Ffmpeg.PacketHash(_folder["out.mp4"], $"{other}"));
        Assert.Equal(Ffmpeg.PacketHash(_folder["in.mp4"], "s:0"), Ffmpeg.PacketHash(_folder["out.mp4"], "s:0"));
        Assert.Equal("deu", Ffmpeg.Property(_folder["out.mp4"], "s:0", "index:stream_tags=language").Split('\n')[^1].Trim());
        Assert.Equal(2, _notes.Count);
        Assert.All(_notes, note => Assert.Contains("(video, h264) stays as it is", note));
    }

    [Fact]
    public void Run_StreamsThatTheContainerCannotHold_AreConvertedOrNamed()
    {
        File.WriteAllText(_folder["in.srt"], "1\n00:00:00,100 --> 00:00:00,800\nHello\n");
        Ffmpeg.Run($"{Ffmpeg.TestPicture("64x48", 10, 1)} {Ffmpeg.Tone(440, 1)} {Ffmpeg.Tone(880, 1)} -i {_folder["in.srt"]} -map 0 -map 1 -map 2 -map 3 -c:v ffv1 -c:a:0 pcm_s16le -c:a:1 aac -c:s srt {_folder["in.mkv"]}");
        Restore("in.mkv", "out.mp4");
        Assert.Equal(("aac", "aac"), (Ffmpeg.Property(_folder["out.mp4"], "a:0", "codec_name"), Ffmpeg.Property(_folder["out.mp4"], "a:1", "codec_name")));
        Assert.Equal(Ffmpeg.PacketHash(_folder["in.mkv"], "a:1"), Ffmpeg.PacketHash(_folder["out.mp4"], "a:1"));
        Assert.Contains(_notes, note => note.Contains("stream 1 (audio, pcm_s16le)", StringComparison.Ordinal) && note.Contains("converted to aac", StringComparison.Ordinal));
        Assert.Equal("mov_text", Ffmpeg.Property(_folder["out.mp4"], "s:0", "codec_name"));
        Assert.Contains(_notes, note => note.Contains("stream 3 (subtitle, subrip)", StringComparison.Ordinal) && note.Contains("converted to mov_text", StringComparison.Ordinal));
    }

    [Fact]
    public void Run_WebmOutput_IsEncodedAsVp9()
    {
        Ffmpeg.Run($"{Ffmpeg.TestPicture("64x48", 10, 0.5)} {Ffmpeg.Tone(440, 0.5)} -c:v libvpx -c:a libopus -b:v 500k {_folder["in.webm"]}");
        Restore("in.webm", "out.webm");
        Assert.Equal("vp9", Ffmpeg.Property(_folder["out.webm"], "v:0", "codec_name"));
        Assert.Equal(Ffmpeg.FrameTimes(_folder["in.webm"]), Ffmpeg.FrameTimes(_folder["out.webm"]));
        Assert.Equal(Ffmpeg.PacketHashes(_folder["in.webm"], "a:0"), Ffmpeg.PacketHashes(_folder["out.webm"], "a:0"));
    }

    [Theory]
    [InlineData("mp4")]
    [InlineData("mkv")]
    public void Run_SourceThatIsCutOff_KeepsWhatDecodesUnderThePartialName(string container)
    {
        Ffmpeg.Run($"{Ffmpeg.TestPicture("160x120", 25, 3)} {Ffmpeg.Tone(440, 3)} -c:v libx264 -preset ultrafast -movflags +faststart {_folder[$"whole.{container}"]}");
        byte[] whole = File.ReadAllBytes(_folder[$"whole.{container}"]);
        File.WriteAllBytes(_folder[$"in.{container}"], whole[..(whole.Length * 6 / 10)]);
        VideoRestorationResult result = Restore($"in.{container}", $"out.{container}", expected: VideoRestorationStatus.Truncated);
        Assert.Equal(_folder[$"out.partial.{container}"], result.Output);
        Assert.Contains("ends early", result.Remark);
        Assert.False(File.Exists(_folder[$"out.{container}"]));
        Assert.Equal(result.Report.Frames, Ffmpeg.FrameTimes(result.Output!).Length);
        Assert.InRange(result.Report.Frames, 20, 70);
    }

    [Fact]
    public void Run_WithoutOutput_TellsAsMuchAboutACutOffSource()
    {
        Ffmpeg.Run($"{Ffmpeg.TestPicture("160x120", 25, 3)} -c:v libx264 -preset ultrafast {_folder["whole.mkv"]}");
        byte[] whole = File.ReadAllBytes(_folder["whole.mkv"]);
        File.WriteAllBytes(_folder["in.mkv"], whole[..(whole.Length * 6 / 10)]);
        VideoRestorationResult result = Restore("in.mkv", output: null, expected: VideoRestorationStatus.Truncated);
        Assert.Null(result.Output);
        Assert.Contains("ends early", result.Remark);
        Assert.DoesNotContain("partial", result.Remark);
        Assert.InRange(result.FirstFrame, TimeSpan.FromTicks(1), TimeSpan.FromMinutes(10));
        Assert.Equal(["in.mkv", "whole.mkv"], _folder.Names);
    }

    [Fact]
    public void Run_Cancelled_LeavesAPlayableBeginningUnderThePartialName()
    {
        Ffmpeg.Run($"{Ffmpeg.TestPicture("320x240", 25, 20)} {Ffmpeg.Tone(440, 20)} -c:v libx264 -preset ultrafast {_folder["in.mp4"]}");
        using var cancellation = new CancellationTokenSource();
        var progress = new ActionProgress(value =>
        {
            if (value.Frames == 100) cancellation.Cancel();
        });
        VideoRestorationResult result = Restore("in.mp4", "out.mp4", expected: VideoRestorationStatus.Interrupted, progress: progress, cancellation: cancellation);
        Assert.Equal(["in.mp4", "out.partial.mp4"], _folder.Names);
        string[] times = Ffmpeg.FrameTimes(_folder["out.partial.mp4"]);
        // A few frames may be lost in the pipe between us and ffmpeg.
        Assert.InRange(times.Length, 50, (int)result.Report.Frames);
        Assert.Equal(Ffmpeg.FrameTimes(_folder["in.mp4"])[..times.Length], times);
        Assert.True(VideoProbe.Probe(_folder["out.partial.mp4"]).DurationSeconds < 10);
    }

    [Fact]
    public void Run_EncoderFails_ThrowsAndLeavesNothing()
    {
        Ffmpeg.Run($"{Ffmpeg.TestPicture("64x48", 25, 1)} -c:v ffv1 {_folder["in.mkv"]}");
        // VP9 is nothing that MOV holds.
        IOException error = Assert.ThrowsAny<IOException>(() => Restore("in.mkv", "out.mov", encoder: "libvpx"));
        Assert.Contains("out.mov", error.Message);
        Assert.Equal(["in.mkv"], _folder.Names);
    }

    [Fact]
    public void Constructor_ExistingOutput_IsNotTouchedUnlessAsked()
    {
        Ffmpeg.Run($"{Ffmpeg.TestPicture("64x48", 25, 0.2)} -c:v ffv1 {_folder["in.mkv"]}");
        File.WriteAllText(_folder["out.mkv"], "mine");
        Assert.Contains("--overwrite", Assert.Throws<IOException>(() => Restore("in.mkv", "out.mkv")).Message);
        Assert.Equal("mine", File.ReadAllText(_folder["out.mkv"]));
        Restore("in.mkv", "out.mkv", overwrite: true);
        Assert.Equal(5, Ffmpeg.FrameTimes(_folder["out.mkv"]).Length);
    }

    [Fact]
    public void Constructor_OutputThatIsTheInputThroughALink_IsRefused()
    {
        Ffmpeg.Run($"{Ffmpeg.TestPicture("64x48", 25, 0.2)} -c:v ffv1 {_folder["in.mkv"]}");
        byte[] before = File.ReadAllBytes(_folder["in.mkv"]);
        File.CreateSymbolicLink(_folder["link.mkv"], _folder["in.mkv"]);
        Directory.CreateSymbolicLink(_folder["here"], _folder.Path);
        foreach (string output in (string[])["in.mkv", "link.mkv", "here/in.mkv"])
            Assert.Contains("is the input itself", Assert.Throws<IOException>(() => Restore("in.mkv", output, overwrite: true)).Message);
        Assert.Equal(before, File.ReadAllBytes(_folder["in.mkv"]));
    }

    private VideoRestorationResult Restore(string input, string? output, Network? network = null, string? encoder = null, int? quality = null, bool overwrite = false,
        VideoRestorationStatus expected = VideoRestorationStatus.Done, IProgress<PipelineProgress>? progress = null, CancellationTokenSource? cancellation = null)
    {
        byte[] source = File.ReadAllBytes(_folder[input]);
        var options = new VideoRestorationOptions { Encoder = encoder, Quality = quality, Overwrite = overwrite, Deblur = DeblurOptions.Default };
        using var restoration = new VideoRestoration(_folder[input], output is null ? null : _folder[output], options);
        VideoRestorationResult result = restoration.Run(_device, network ?? SmallNetwork.Sharpen(), _notes.Add, progress ?? new ActionProgress(_ => { }), cancellation?.Token ?? TestContext.Current.CancellationToken);
        Assert.True(expected == result.Status, $"{result.Status}: {result.Remark}");
        Assert.Equal(source, File.ReadAllBytes(_folder[input]));
        return result;
    }

    /// <summary>A clip whose rows are of two times in turns.</summary>
    private void MakeInterlaced(string name, string fields) =>
        Ffmpeg.Run($"{Ffmpeg.TestPicture("64x48", 50, 0.4)} -vf interlace=scan={fields}:lowpass=0 -flags +ildct+ilme -c:v libx264 -pix_fmt yuv420p {_folder[name]}");

    /// <summary>Writes a display matrix into the first track header: what a phone held upright does.</summary>
    private static void SetRotation(string path, int degrees) => SetMatrix(path, degrees switch { 90 => (0, 1, -1, 0), 180 => (-1, 0, 0, -1), _ => (0, -1, 1, 0) });

    private static void SetMatrix(string path, (int A, int B, int C, int D) turn)
    {
        const int matrixOffset = 44;    // After the name: version, two dates, number, duration, reserved words, layer, group, volume.
        byte[] file = File.ReadAllBytes(path);
        int header = file.AsSpan().IndexOf("tkhd"u8);
        int[] matrix = [turn.A << 16, turn.B << 16, 0, turn.C << 16, turn.D << 16, 0, 0, 0, 1 << 30];
        for (int i = 0; i < matrix.Length; i++) System.Buffers.Binary.BinaryPrimitives.WriteInt32BigEndian(file.AsSpan(header + matrixOffset + 4 * i), matrix[i]);
        File.WriteAllBytes(path, file);
    }

    private sealed class ActionProgress(Action<PipelineProgress> action) : IProgress<PipelineProgress>
    {
        public void Report(PipelineProgress value) => action(value);
    }
}
