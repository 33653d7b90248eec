using System.Globalization;
using RealtimeDeblur.Imaging;
using RealtimeDeblur.Restoration;
using RealtimeDeblur.Tests.Cli;
using RealtimeDeblur.Tests.Video;
using Xunit;

namespace RealtimeDeblur.Tests.Native;

/// <summary>The frei0r plugin in the programs that people run it in: each restores what the engine restores, bit for bit.</summary>
public sealed class Frei0rHostTests : IDisposable
{
    private readonly TemporaryFolder _folder = new();

    public Frei0rHostTests()
    {
        InstalledPlugins.Require();
        HostProgram.Require("ffmpeg", "ffmpeg");
    }

    public void Dispose() => _folder.Dispose();

    [Theory]
    [InlineData(64, 48)]
    [InlineData(16, 1)]
    [InlineData(48, 3)]
    [InlineData(2064, 64)]      // wider than frei0r's specification asks of plugins
    [InlineData(720, 1280)]
    public void Ffmpeg_WidthsOfMultiplesOf16_AreRestoredAsByTheEngine(int W, int H)
    {
        RawVideo blurred = RawVideo.Blurred(Rgba(W, H), 3);
        Through($"{Plugin("0.8", "tiny-camera", sigma: "0.4")}", blurred).AssertEqual(blurred.Restored("tiny-camera", With(0.8f, 1.6f)));
    }

    [Theory]
    [InlineData(65, 47)]
    [InlineData(1080, 1920)]
    [InlineData(854, 48)]
    public void Ffmpeg_OtherWidths_NeedPadding(int W, int H)
    {
        RawVideo blurred = RawVideo.Blurred(Rgba(W, H), 2);
        // Without the guard, which looks at the whole picture and so sees the columns that are added.
        DeblurOptions options = With(1, 1.6f) with { Guard = false };
        RawVideo expected = blurred.Restored("tiny-camera", options);
        string plugin = Plugin("1", "tiny-camera", sigma: "0.4", guard: "n");
        int padded = (W + 15) / 16 * 16;

        // ffmpeg pads rows and does not tell: the last rows are never written, the others are restored as if they were shifted.
        Assert.InRange(LargestDifference(Through(plugin, blurred), expected), 40, 255);

        // Repeated columns are what the network assumes beyond the border of the picture, and nearly what its layers assume beyond that of their maps.
        RawVideo repaired = Through($"pad={padded}:ih,fillborders=right={padded - W}:mode=smear,{plugin},crop={W}:ih:0:0", blurred);
        int[] columns = [.. Enumerable.Range(0, repaired.Samples.Length).Where(i => repaired.Samples[i] != expected.Samples[i]).Select(i => i / 4 % W)];
        Assert.InRange(columns.Append(W - 1).Min(), W - 32, W - 1);
        Assert.InRange(columns.Length, 0, repaired.Samples.Length / 50);
        Assert.InRange(LargestDifference(repaired, expected), 0, 12);

        // Nothing else is between ffmpeg and the engine.
        RawVideo wide = new(Rgba(padded, H), Ffmpeg($"pad={padded}:ih", blurred));
        new RawVideo(wide.Format, Ffmpeg($"pad={padded}:ih,{plugin}", blurred)).AssertEqual(wide.Restored("tiny-camera", options));
    }

    [Theory]
    [InlineData("0", "fast-camera", "0", "y")]
    [InlineData("1", "fast-camera", "0", "y")]
    [InlineData("0.5", "tiny", "0.25", "y")]
    [InlineData("1", "tiny", "0.25", "n")]
    [InlineData("1", "quality-camera", "0.6", "n")]
    public void Ffmpeg_Parameters_Arrive(string strength, string model, string sigma, string guard)
    {
        RawVideo blurred = RawVideo.Blurred(Rgba(320, 240), 4);
        float sigmaPixels = float.Parse(sigma, CultureInfo.InvariantCulture) * SigmaSetting.MaxSigma;
        DeblurOptions options = new()
        {
            Strength = float.Parse(strength, CultureInfo.InvariantCulture),
            Sigma = sigmaPixels == 0 ? SigmaSetting.Auto : SigmaSetting.Of(sigmaPixels),
            Guard = guard == "y",
        };
        RawVideo restored = Through(Plugin(strength, model, sigma, guard), blurred);
        restored.AssertEqual(blurred.Restored(model, options));
        Assert.Equal(strength == "0", restored.Samples.AsSpan().SequenceEqual(blurred.Samples));
    }

    [Fact]
    public void Ffmpeg_Picture_IsThatOfDeblurImage()
    {
        Tests.Video.Ffmpeg.Run($"-f lavfi -i testsrc2=s=320x240,gblur=1.6 -frames:v 1 -pix_fmt rgb24 {_folder["soft.png"]}");
        Assert.Equal(0, CliProcess.Run(["image", _folder["soft.png"], "-o", _folder["cli.png"], .. DeviceOption()]).ExitCode);
        HostProgram.Run("ffmpeg", ["-v", "error", "-nostdin", "-i", _folder["soft.png"], "-vf", Plugin("1", "fast-camera"), "-pix_fmt", "rgb24", _folder["ffmpeg.png"]]);
        Assert.Equal(Tests.Video.Ffmpeg.FrameHashes(_folder["cli.png"], options: "-pix_fmt rgb24"), Tests.Video.Ffmpeg.FrameHashes(_folder["ffmpeg.png"], options: "-pix_fmt rgb24"));
    }

    [Fact]
    public void Ffmpeg_TwoFiltersInOneProcess_DoNotDisturbEachOther()
    {
        RawVideo blurred = RawVideo.Blurred(Rgba(64, 48), 6);
        string graph = $"split[a][b];[a]{Plugin("1", "tiny-camera")}[c];[b]{Plugin("0.5", "fast-camera", sigma: "0.4")}[d];[c][d]vstack";
        RawVideo both = new(Rgba(64, 96), Ffmpeg(graph, blurred));
        RawVideo first = blurred.Restored("tiny-camera", new DeblurOptions()), second = blurred.Restored("fast-camera", With(0.5f, 1.6f));
        byte[] expected = [.. Enumerable.Range(0, 6).SelectMany(n => Frame(first, n).Concat(Frame(second, n)))];
        both.AssertEqual(new(both.Format, expected));
    }

    [Fact]
    public void Ffmpeg_SizeThatChangesOnTheWay_MakesFiltersAnew()
    {
        // ffmpeg takes the filter down, closes the library, and loads it again for the new size.
        int[] widths = [64, 160, 64, 320];
        foreach (int width in widths.Distinct()) Tests.Video.Ffmpeg.Run($"-f lavfi -i testsrc2=s={width}x48:r=10,gblur=1.2 -frames:v 3 -c:v libx264 -crf 0 -bf 0 -pix_fmt yuv444p -f h264 {_folder[$"{width}.h264"]}");
        using (FileStream all = File.Create(_folder["all.h264"]))
        {
            foreach (int width in widths) all.Write(File.ReadAllBytes(_folder[$"{width}.h264"]));
        }
        string[] Hashes(string file) => [.. HostProgram.Run("ffmpeg", ["-v", "error", "-nostdin", "-i", file, "-vf", Plugin("1", "tiny-camera", sigma: "0.4"), "-autoscale", "0", "-pix_fmt", "rgba", "-f", "framehash", "-hash", "md5", "-"])
            .Stdout.Split('\n').Where(line => line.Length > 0 && line[0] != '#').Select(line => line.Split(',')[^1].Trim())];
        Assert.Equal(widths.SelectMany(width => Hashes(_folder[$"{width}.h264"])), Hashes(_folder["all.h264"]));
    }

    [Theory]
    [InlineData("nosuch", "", "There is no model 'nosuch'")]
    [InlineData("fast", "no such device", "No OpenCL device matches 'no such device'")]
    public void Ffmpeg_PluginThatCannotWork_PassesFramesAndSaysWhyOnce(string model, string device, string reason)
    {
        RawVideo blurred = RawVideo.Blurred(Rgba(64, 48), 5);
        string plugin = $"frei0r=filter_name=realtimedeblur:filter_params=1|{model}|{device}";
        HostResult result = RunFfmpeg($"{plugin},{plugin}", blurred);
        new RawVideo(blurred.Format, File.ReadAllBytes(_folder["out.raw"])).AssertEqual(blurred);
        string line = Assert.Single(result.Stderr.Split('\n', StringSplitOptions.RemoveEmptyEntries));
        Assert.StartsWith($"realtimedeblur: {reason}", line);
        Assert.EndsWith("Frames pass unchanged.", line);
    }

    [Theory]
    [InlineData(64, 48, "")]
    [InlineData(1, 1, "")]
    [InlineData(3, 5, "")]
    [InlineData(65, 47, "")]
    [InlineData(1080, 1920, "")]
    [InlineData(2500, 40, "")]
    [InlineData(320, 240, "auto")]
    public void Gstreamer_EverySize_IsRestoredAsByTheEngine(int W, int H, string sigma)
    {
        InstalledPlugins.RequireGstreamer("frei0r", "gstreamer1.0-plugins-bad");
        RawVideo blurred = RawVideo.Blurred(Rgba(W, H), 3);
        RawVideo restored = new(blurred.Format, Gstreamer(blurred, ["strength=0.8", "model=tiny-camera", sigma == "auto" ? "sigma=0" : "sigma=0.4", .. RawVideo.DeviceProperty]).Samples);
        restored.AssertEqual(blurred.Restored("tiny-camera", sigma == "auto" ? new DeblurOptions { Strength = 0.8f } : With(0.8f, 1.6f)));
    }

    [Fact]
    public void Gstreamer_PluginThatCannotWork_PassesFramesAndSaysWhyOnce()
    {
        InstalledPlugins.RequireGstreamer("frei0r", "gstreamer1.0-plugins-bad");
        RawVideo blurred = RawVideo.Blurred(Rgba(64, 48), 5);
        (byte[] samples, HostResult result) = Gstreamer(blurred, "model=nosuch");
        new RawVideo(blurred.Format, samples).AssertEqual(blurred);
        Assert.Single(result.Stderr.Split('\n', StringSplitOptions.RemoveEmptyEntries), line => line.StartsWith("realtimedeblur: There is no model 'nosuch'", StringComparison.Ordinal));
    }

    [Theory]
    [InlineData("-1", "0.4")]
    [InlineData("-1", "0")]
    [InlineData("-4", "0.4")]       // four threads, each with an instance of its own
    public void Melt_Frames_AreRestoredAsByTheEngine(string realTime, string sigma)
    {
        HostProgram.Require("melt", "melt");
        RawVideo blurred = RawVideo.Blurred(Rgba(320, 240), 12);
        RawVideo restored = Melt(blurred, realTime, ["strength=0.8", "model=tiny-camera", $"sigma={sigma}", .. RawVideo.DeviceProperty]).Video;
        restored.AssertEqual(blurred.Restored("tiny-camera", sigma == "0" ? new DeblurOptions { Strength = 0.8f } : With(0.8f, 1.6f)));
    }

    [Fact]
    public void Melt_FourThreadsThatCannotWork_PassFramesAndSayWhyOnce()
    {
        HostProgram.Require("melt", "melt");
        RawVideo blurred = RawVideo.Blurred(Rgba(320, 240), 12);
        (RawVideo passed, HostResult result) = Melt(blurred, "-4", "model=nosuch");
        passed.AssertEqual(blurred);
        Assert.Equal(2, result.Stderr.Split("realtimedeblur: There is no model 'nosuch'").Length);
    }

    private static FrameFormat Rgba(int W, int H) => new(PixelFormat.Rgba32, W, H);

    private static DeblurOptions With(float strength, float sigma) => new() { Strength = strength, Sigma = SigmaSetting.Of(sigma) };

    /// <summary>The filter of ffmpeg with parameters by position.</summary>
    private static string Plugin(string strength, string model, string sigma = "0", string guard = "y") =>
        $"frei0r=filter_name=realtimedeblur:filter_params={strength}|{model}|{RawVideo.Device}|{sigma}|{guard}";

    private static string[] DeviceOption() => RawVideo.Device.Length == 0 ? [] : ["--device", RawVideo.Device];

    private static IEnumerable<byte> Frame(RawVideo video, int index) => video.Samples.Skip(index * video.Format.SizeBytes).Take(video.Format.SizeBytes);

    private static int LargestDifference(RawVideo a, RawVideo b)
    {
        Assert.Equal(a.Samples.Length, b.Samples.Length);
        int largest = 0;
        for (int i = 0; i < a.Samples.Length; i++) largest = Math.Max(largest, Math.Abs(a.Samples[i] - b.Samples[i]));
        return largest;
    }

    private RawVideo Through(string filters, RawVideo video) => new(video.Format, Ffmpeg(filters, video));

    private byte[] Ffmpeg(string filters, RawVideo video)
    {
        HostResult result = RunFfmpeg(filters, video);
        Assert.Equal("", result.Stderr);
        return File.ReadAllBytes(_folder["out.raw"]);
    }

    private HostResult RunFfmpeg(string filters, RawVideo video)
    {
        File.WriteAllBytes(_folder["in.raw"], video.Samples);
        return HostProgram.Run("ffmpeg", ["-v", "error", "-nostdin", "-y", "-f", "rawvideo", "-pix_fmt", "rgba", "-s", $"{video.Format.Width}x{video.Format.Height}", "-r", "10", "-i", _folder["in.raw"],
            "-filter_complex", filters, "-pix_fmt", "rgba", "-f", "rawvideo", _folder["out.raw"]]);
    }

    private (byte[] Samples, HostResult Result) Gstreamer(RawVideo video, params string[] properties)
    {
        File.WriteAllBytes(_folder["in.raw"], video.Samples);
        HostResult result = HostProgram.Run("gst-launch-1.0", ["-q", "filesrc", $"location={_folder["in.raw"]}", "!", "rawvideoparse", "format=rgba", $"width={video.Format.Width}", $"height={video.Format.Height}", "!",
            "frei0r-filter-realtimedeblur", .. properties, "!", "filesink", $"location={_folder["out.raw"]}"]);
        return (File.ReadAllBytes(_folder["out.raw"]), result);
    }

    private (RawVideo Video, HostResult Result) Melt(RawVideo video, string realTime, params string[] properties)
    {
        File.WriteAllBytes(_folder["in.raw"], video.Samples);
        Tests.Video.Ffmpeg.Run($"-f rawvideo -pix_fmt rgba -s {video.Format.Width}x{video.Format.Height} -r 25 -i {_folder["in.raw"]} -c:v ffv1 -pix_fmt bgr0 {_folder["in.mkv"]}");
        HostResult Start() => HostProgram.Run("melt", ["-silent", _folder["in.mkv"], "-filter", "frei0r.realtimedeblur", .. properties,
            "-consumer", $"avformat:{_folder["out.nut"]}", "vcodec=rawvideo", "pix_fmt=rgba", "mlt_image_format=rgba", "an=1", $"real_time={realTime}"]);
        HostResult result = Start();
        // With several threads MLT 7.12 now and then writes an empty file and reports success, where a filter (any that sleeps) is slow with its first frame.
        for (int attempt = 0; realTime != "-1" && attempt < 5 && new FileInfo(_folder["out.nut"]).Length == 0; attempt++) result = Start();
        Tests.Video.Ffmpeg.Run($"-i {_folder["out.nut"]} -f rawvideo -pix_fmt rgba {_folder["out.raw"]}");
        return (new(video.Format, File.ReadAllBytes(_folder["out.raw"])), result);
    }
}
