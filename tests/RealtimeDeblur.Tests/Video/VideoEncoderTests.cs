using RealtimeDeblur.Imaging;
using RealtimeDeblur.Video;
using Xunit;

namespace RealtimeDeblur.Tests.Video;

/// <summary>Encoders of the installed ffmpeg: how they are found, and what quality means.</summary>
public sealed class VideoEncoderTests : IDisposable
{
    private readonly TemporaryFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Theory]
    [InlineData("h264", "libx264")]
    [InlineData("H265", "libx265")]
    [InlineData("hevc", "libx265")]
    [InlineData("av1", "libsvtav1")]
    [InlineData("vp9", "libvpx-vp9")]
    [InlineData("vp8", "libvpx")]
    [InlineData("ffv1", "ffv1")]
    [InlineData("prores", "prores_ks")]
    [InlineData("libaom-av1", "libaom-av1")]
    public void Find_Codec_TakesTheFirstEncoderThatIsInstalled(string name, string expected) => Assert.Equal(expected, VideoEncoder.Find(name).Name);

    [Fact]
    public void Find_UnknownName_SaysWhereToLook() => Assert.Contains("'ffmpeg -encoders'", Assert.Throws<ArgumentException>(() => VideoEncoder.Find("libx999")).Message);

    [Theory]
    [InlineData("libx264", 101, "0 to 100")]
    [InlineData("libx264", -1, "0 to 100")]
    [InlineData("mpeg4", 50, "not known for the encoder 'mpeg4'")]
    public void Find_QualityThatDoesNotFit_SaysWhatDoes(string name, int quality, string expected) =>
        Assert.Contains(expected, Assert.Throws<ArgumentException>(() => VideoEncoder.Find(name, quality)).Message);

    [Theory]
    [InlineData("ffv1", "preset=slow", "no option preset")]
    [InlineData("libx264", "presett=slow", "no option presett")]
    [InlineData("libx264", "preset=snail", "snail")]
    [InlineData("libx265", "x265-params=foo=3", "foo")]
    public void Find_OptionThatTheEncoderLacks_NamesIt(string name, string option, string expected)
    {
        string message = Assert.Throws<ArgumentException>(() => VideoEncoder.Find(name, options: [EncoderOption.Parse(option)])).Message;
        Assert.Contains(expected, message);
        Assert.Contains($"'ffmpeg -h encoder={name}'", message);
    }

    [Theory]
    [InlineData("-i x=3")]
    [InlineData("=slow")]
    [InlineData("preset")]
    public void Find_TextThatIsNoOption_SaysHowOneLooks(string text) =>
        Assert.Contains("write NAME=VALUE", Assert.ThrowsAny<Exception>(() => VideoEncoder.Find("libx264", options: [EncoderOption.Parse(text)])).Message);

    [Theory]
    [InlineData("h264_nvenc")]
    [InlineData("hevc_vaapi")]
    [InlineData("hevc_qsv")]
    public void Find_HardwareThatIsMissing_SaysSo(string name)
    {
        try
        {
            _ = VideoEncoder.Find(name);
            Assert.Skip($"{name} works here.");
        }
        catch (ArgumentException e) when (e.Message.Contains("has no encoder", StringComparison.Ordinal))
        {
            Assert.Skip(e.Message);
        }
        catch (ArgumentException e)
        {
            Assert.StartsWith($"The encoder {name} does not start (", e.Message);
            Assert.DoesNotContain('\n', e.Message);
        }
    }

    [Fact]
    public void Arguments_OptionsOfTheUser_WinOverOursAndJoinOurParameters()
    {
        VideoEncoder encoder = VideoEncoder.Find("libx265", quality: 80, [new("-preset:v", "ultrafast"), new("x265-params", "aq-mode=3")]);
        Assert.Equal(["-c:v", "libx265", "-x265-params:v", "max-cll=1000,400:log-level=error:aq-mode=3", "-preset:v", "ultrafast", "-crf:v", "18.2"],
            encoder.Arguments("v", "yuv420p", new EncoderOption("x265-params", "max-cll=1000,400")));
        Assert.DoesNotContain("-crf:v", VideoEncoder.Find("libx264", options: [new("b", "2M")]).Arguments("v", "yuv420p"));
    }

    [Theory]
    [InlineData("libx264", PixelFormat.Yuv420P8, 64, 48, "yuv420p")]
    [InlineData("libx264", PixelFormat.Nv12, 64, 48, "nv12")]
    [InlineData("libx264", PixelFormat.Yuv420P8, 65, 48, "yuv444p")]
    [InlineData("libx264", PixelFormat.Yuv420P8, 64, 47, "yuv422p")]
    [InlineData("libx264", PixelFormat.Yuv422P10, 64, 48, "yuv422p10le")]
    [InlineData("libx264", PixelFormat.Gray8, 64, 48, "gray")]
    [InlineData("libx264", PixelFormat.Rgb24, 64, 48, "yuv444p")]
    [InlineData("libx264", PixelFormat.Rgb48, 64, 48, "yuv444p10le")]
    [InlineData("libx264rgb", PixelFormat.Rgb24, 64, 48, "rgb24")]
    [InlineData("libx265", PixelFormat.Rgb24, 64, 48, "gbrp")]
    [InlineData("libsvtav1", PixelFormat.Yuv444P10, 64, 48, "yuv420p10le")]
    [InlineData("libvpx-vp9", PixelFormat.Yuva420P8, 64, 48, "yuva420p")]
    [InlineData("prores_ks", PixelFormat.Yuv420P8, 64, 48, "yuv422p10le")]
    [InlineData("prores_ks", PixelFormat.Rgba32, 64, 48, "yuva444p10le")]
    [InlineData("ffv1", PixelFormat.Yuva422P10, 65, 47, "yuva422p10le")]
    [InlineData("ffv1", PixelFormat.Bgra32, 65, 47, "bgra")]
    [InlineData("ffv1", PixelFormat.Rgba64, 65, 47, "rgba64le")]
    [InlineData("qtrle", PixelFormat.Rgba32, 65, 47, "argb")]
    [InlineData("png", PixelFormat.Rgba64, 65, 47, "rgba64be")]
    [InlineData("png", PixelFormat.Yuv420P8, 65, 47, "rgb24")]
    [InlineData("utvideo", PixelFormat.Bgra32, 64, 48, "gbrap")]
    public void PixelFormatFor_Frames_TakesTheLayoutThatKeepsMost(string encoder, PixelFormat frames, int width, int height, string expected) =>
        Assert.Equal(expected, VideoEncoder.Find(encoder).PixelFormatFor(frames, width, height));

    /// <summary>The scales were measured on real pictures; this one has hard edges and noise besides.</summary>
    [Fact]
    public void Quality_EqualNumbers_GiveAboutEqualPsnrThatGrowsWithThem()
    {
        Ffmpeg.Run($"-f lavfi -i testsrc2=s=320x240:r=25:d=0.4,boxblur=1:1,noise=alls=6:allf=t:all_seed=1 -c:v rawvideo -pix_fmt yuv420p {_folder["in.nut"]}");
        string[] codecs = ["h264", "hevc", "av1", "vp9"];
        double[] before = new double[codecs.Length];
        foreach (int quality in (int[])[40, 80])
        {
            double[] psnr = [.. codecs.Select(codec => Psnr(codec, quality))];
            string found = string.Join(", ", codecs.Zip(psnr, (codec, value) => $"{codec} {value:0.0}"));
            Assert.True(psnr.Max() - psnr.Min() < 2, $"quality {quality}: {found}");
            Assert.All(psnr.Zip(before), pair => Assert.True(pair.First > pair.Second + 1, $"quality {quality}: {found}"));
            before = psnr;
        }
    }

    [Theory]
    [InlineData("h264", "yuv420p")]
    [InlineData("h264", "yuv420p10le")]
    [InlineData("hevc", "yuv444p10le")]
    [InlineData("vp9", "yuv422p")]
    [InlineData("libaom-av1", "yuv420p")]
    [InlineData("ffv1", "yuv420p10le")]
    public void Quality_Hundred_IsLossless(string codec, string pixelFormat)
    {
        Ffmpeg.Run($"{Ffmpeg.TestPicture("64x64", 25, 0.08)} -c:v rawvideo -pix_fmt {pixelFormat} {_folder["in.nut"]}");
        Encode(VideoEncoder.Find(codec, VideoEncoder.Lossless), pixelFormat);
        Assert.Equal(Ffmpeg.FrameHashes(_folder["in.nut"]), Ffmpeg.FrameHashes(_folder["out.nut"]));
    }

    [Fact]
    public void Remarks_QualityThatIsNotToBeHad_SaySo()
    {
        Assert.Contains("no lossless mode", Assert.Single(VideoEncoder.Find("libsvtav1", 100).Remarks));
        Assert.Contains("always lossless", Assert.Single(VideoEncoder.Find("ffv1", 50).Remarks));
        Assert.Empty(VideoEncoder.Find("ffv1").Remarks);
        Assert.Empty(VideoEncoder.Find("libx264", 100).Remarks);
    }

    private double Psnr(string codec, int quality)
    {
        Encode(VideoEncoder.Find(codec, quality), "yuv420p");
        return Ffmpeg.Psnr(_folder["in.nut"], _folder["out.nut"], "gray");
    }

    private void Encode(VideoEncoder encoder, string pixelFormat) =>
        Ffmpeg.Run($"-i {_folder["in.nut"]} {string.Join(' ', encoder.Arguments("v", pixelFormat))} -pix_fmt {pixelFormat} {_folder["out.nut"]}");
}
