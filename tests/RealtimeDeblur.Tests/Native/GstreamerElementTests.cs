using RealtimeDeblur.Imaging;
using RealtimeDeblur.Restoration;
using Xunit;

namespace RealtimeDeblur.Tests.Native;

/// <summary>The element of samples/gstreamer in gst-launch-1.0: what comes out is what the engine makes of the same samples, in every layout and whatever lies between rows.</summary>
public sealed class GstreamerElementTests : IDisposable
{
    /// <summary>The test in C of samples/gstreamer, which CMake only makes where GStreamer's headers are.</summary>
    public const string Program = "gstreamer_properties";

    private const byte Gap = 0xa5;

    private readonly TemporaryFolder _folder = new();

    public GstreamerElementTests()
    {
        InstalledPlugins.RequireGstreamer("rawparse", "gstreamer1.0-plugins-base");
        if (!Directory.Exists(InstalledPlugins.GstreamerFolder)) Assert.Skip("GStreamer's headers are missing, so the element was left out (Debian package libgstreamer-plugins-base1.0-dev).");
    }

    public void Dispose() => _folder.Dispose();

    [Theory]
    [InlineData("i420", PixelFormat.Yuv420P8)]
    [InlineData("nv12", PixelFormat.Nv12)]
    [InlineData("y42b", PixelFormat.Yuv422P8)]
    [InlineData("y444", PixelFormat.Yuv444P8)]
    [InlineData("i420-10le", PixelFormat.Yuv420P10)]
    [InlineData("p010-10le", PixelFormat.P010)]
    [InlineData("i422-10le", PixelFormat.Yuv422P10)]
    [InlineData("y444-10le", PixelFormat.Yuv444P10)]
    [InlineData("gray8", PixelFormat.Gray8)]
    [InlineData("rgb", PixelFormat.Rgb24)]
    [InlineData("bgr", PixelFormat.Bgr24)]
    [InlineData("rgba", PixelFormat.Rgba32)]
    [InlineData("rgbx", PixelFormat.Rgba32)]
    [InlineData("bgra", PixelFormat.Bgra32)]
    [InlineData("bgrx", PixelFormat.Bgra32)]
    public void Element_EveryLayoutWithGapsBetweenRows_RestoresInPlaceAsTheEngine(string format, PixelFormat pixels)
    {
        // GStreamer takes grey for full range where nothing else is said, and other luma for limited range.
        RawVideo blurred = RawVideo.Blurred(new(pixels, 65, 47, pixels == PixelFormat.Gray8 ? ColorRange.Full : ColorRange.Limited), 3);
        Launch([.. Source(format, blurred, "in.raw", gapBytes: 6), "!", .. Element("strength=0.8", "model=tiny-camera", "sigma=1.6")]);
        byte[] samples = WithoutGaps(blurred.Format, File.ReadAllBytes(_folder["out.raw"]), gapBytes: 6);
        new RawVideo(blurred.Format, samples).AssertEqual(blurred.Restored("tiny-camera", With(0.8f, 1.6f)));
        Assert.False(samples.AsSpan().SequenceEqual(blurred.Samples));
    }

    [Theory]
    [InlineData("2:4:5:1", ColorRange.Limited)]
    [InlineData("1:4:5:1", ColorRange.Full)]
    public void Element_Colorimetry_DecidesTheRange(string colorimetry, ColorRange range)
    {
        InstalledPlugins.RequireGstreamer("debugutilsbad", "gstreamer1.0-plugins-bad");
        RawVideo blurred = RawVideo.Blurred(new(PixelFormat.Yuv420P8, 320, 240, range), 2);
        Launch([.. Source("i420", blurred, "in.raw"), "!", "capssetter", $"caps=video/x-raw,colorimetry={colorimetry}", "!", .. Element("model=fast-camera", "sigma=1.6", "guard=false")]);
        RawVideo expected = blurred.Restored("fast-camera", With(1, 1.6f) with { Guard = false });
        new RawVideo(blurred.Format, File.ReadAllBytes(_folder["out.raw"])).AssertEqual(expected);
        RawVideo other = new RawVideo(blurred.Format with { Range = 1 - range }, blurred.Samples).Restored("fast-camera", With(1, 1.6f) with { Guard = false });
        Assert.False(expected.Samples.AsSpan().SequenceEqual(other.Samples));
    }

    [Fact]
    public void Element_Defaults_FollowTheBlurOfTheVideo()
    {
        RawVideo blurred = RawVideo.Blurred(new(PixelFormat.Yuv420P8, 320, 240), 8);
        Launch([.. Source("i420", blurred, "in.raw"), "!", .. Element()]);
        RawVideo restored = new(blurred.Format, File.ReadAllBytes(_folder["out.raw"]));
        restored.AssertEqual(blurred.Restored("fast-camera", new DeblurOptions()));
        Assert.False(restored.Samples.AsSpan().SequenceEqual(blurred.Samples));
    }

    [Fact]
    public void Element_SizeAndLayoutThatChangeOnTheWay_AreFollowed()
    {
        RawVideo first = RawVideo.Blurred(new(PixelFormat.Yuv420P8, 64, 48), 3), second = RawVideo.Blurred(new(PixelFormat.Bgr24, 160, 32), 2), third = RawVideo.Blurred(new(PixelFormat.Yuv420P10, 64, 48), 3);
        Launch([
            .. Source("i420", first, "first.raw"), "!", "one.",
            .. Source("bgr", second, "second.raw"), "!", "one.",
            .. Source("i420-10le", third, "third.raw"), "!", "one.",
            "concat", "name=one", "!", .. Element("model=tiny-camera", "sigma=1.6"),
        ]);
        byte[] expected = [.. ((RawVideo[])[first, second, third]).SelectMany(video => video.Restored("tiny-camera", With(1, 1.6f)).Samples)];
        Assert.Equal(expected, File.ReadAllBytes(_folder["out.raw"]));
    }

    [Theory]
    [InlineData("model=nosuch", "There is no model 'nosuch'. Choose from")]
    [InlineData("model=/nonexistent/mine.safetensors", "/nonexistent/mine.safetensors")]
    [InlineData("device=nosuch", "No OpenCL device matches 'nosuch'")]
    public void Element_PropertyThatNamesNothing_EndsThePipelineWithOurMessage(string property, string message)
    {
        RawVideo blurred = RawVideo.Blurred(new(PixelFormat.Yuv420P8, 64, 48), 2);
        // A sink that does not wait for its first buffer: gst-launch-1.0 of 1.22 now and then hangs after an error, of any element, while one waits.
        HostResult result = HostProgram.Try("gst-launch-1.0", ["-q", .. Source("i420", blurred, "in.raw"), "!", "realtimedeblur", property, "!", "fakesink", "async=false"]);
        Assert.Equal(1, result.ExitCode);
        string line = result.Stderr.Split('\n').First(line => line.StartsWith("ERROR: from element", StringComparison.Ordinal));
        Assert.Contains("realtimedeblur0: ", line);
        Assert.Contains(message, line);
    }

    [Fact]
    public void Element_PropertiesSetWhileItPlays_CountFromTheNextPicture()
    {
        (int exitCode, string output) = NativeBuild.Run("ctest", ["--test-dir", NativeBuild.FolderOrSkip(), "-R", $"^{Program}$", "--output-on-failure", "--no-tests=error"]);
        Assert.True(exitCode == 0, output);
    }

    [Fact]
    public void Inspect_Element_NamesModelsUnitsAndLayouts()
    {
        string text = HostProgram.Run("gst-inspect-1.0", "realtimedeblur").Stdout;
        foreach (string expected in (string[])["quality-camera", "standard deviation of the Gaussian in pixels", "P010_10LE", "last-sigma", "MIT/X11", "Filter/Effect/Video"]) Assert.Contains(expected, text);
    }

    private static DeblurOptions With(float strength, float sigma) => new() { Strength = strength, Sigma = SigmaSetting.Of(sigma) };

    private string[] Element(params string[] properties) => ["realtimedeblur", .. properties, .. RawVideo.DeviceProperty, "!", "filesink", $"location={_folder["out.raw"]}"];

    private static void Launch(string[] pipeline) => Assert.Equal("", HostProgram.Run("gst-launch-1.0", ["-q", .. pipeline]).Stderr);

    /// <summary>Frames as GStreamer reads them, every row followed by <paramref name="gapBytes"/> bytes that belong to nobody.</summary>
    private string[] Source(string format, RawVideo video, string file, int gapBytes = 0)
    {
        PlaneLayout[] planes = [.. Enumerable.Range(0, video.Format.PlaneCount).Select(video.Format.Plane)];
        List<int> offsets = [];
        int frameBytes = 0;
        foreach (PlaneLayout plane in planes)
        {
            offsets.Add(frameBytes);
            frameBytes += (plane.StrideBytes + gapBytes) * plane.Height;
        }
        byte[] samples = new byte[frameBytes * video.FrameCount];
        Array.Fill(samples, Gap);
        ForEachRow(video.Format, video.FrameCount, gapBytes, (packed, padded, bytes) => video.Samples.AsSpan(packed, bytes).CopyTo(samples.AsSpan(padded)));
        File.WriteAllBytes(_folder[file], samples);
        return [
            "filesrc", $"location={_folder[file]}", "!", "rawvideoparse", $"format={format}", $"width={video.Format.Width}", $"height={video.Format.Height}",
            $"plane-strides=<{string.Join(',', planes.Select(plane => plane.StrideBytes + gapBytes))}>", $"plane-offsets=<{string.Join(',', offsets)}>", $"frame-size={frameBytes}",
        ];
    }

    /// <summary>The samples alone; fails if a byte between rows is another than before.</summary>
    private static byte[] WithoutGaps(FrameFormat format, byte[] padded, int gapBytes)
    {
        int frameBytes = format.SizeBytes + Enumerable.Range(0, format.PlaneCount).Sum(index => format.Plane(index).Height * gapBytes), frames = padded.Length / frameBytes;
        Assert.Equal(frames * frameBytes, padded.Length);
        byte[] samples = new byte[frames * format.SizeBytes];
        ForEachRow(format, frames, gapBytes, (to, from, bytes) =>
        {
            padded.AsSpan(from, bytes).CopyTo(samples.AsSpan(to));
            Assert.Equal(-1, padded.AsSpan(from + bytes, gapBytes).IndexOfAnyExcept(Gap));
        });
        return samples;
    }

    /// <summary>Calls <paramref name="row"/> with a row's place among packed samples, its place among padded ones, and its bytes.</summary>
    private static void ForEachRow(FrameFormat format, int frames, int gapBytes, Action<int, int, int> row)
    {
        int packed = 0, padded = 0;
        for (int frame = 0; frame < frames; frame++)
        {
            for (int index = 0; index < format.PlaneCount; index++)
            {
                PlaneLayout plane = format.Plane(index);
                for (int y = 0; y < plane.Height; y++)
                {
                    row(packed, padded, plane.StrideBytes);
                    packed += plane.StrideBytes;
                    padded += plane.StrideBytes + gapBytes;
                }
            }
        }
    }
}
