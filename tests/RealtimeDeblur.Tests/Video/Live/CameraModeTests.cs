using RealtimeDeblur.Video.Live;
using Xunit;

namespace RealtimeDeblur.Tests.Video.Live;

/// <summary>What v4l2-ctl prints about cameras, and which of their modes is taken.</summary>
public sealed class CameraModeTests
{
    /// <summary>A camera on USB 2, where uncompressed pictures of high resolution come slowly.</summary>
    private const string Webcam = """
        ioctl: VIDIOC_ENUM_FMT
        	Type: Video Capture

        	[0]: 'MJPG' (Motion-JPEG, compressed)
        		Size: Discrete 1280x720
        			Interval: Discrete 0.033s (30.000 fps)
        			Interval: Discrete 0.040s (25.000 fps)
        		Size: Discrete 1920x1080
        			Interval: Discrete 0.017s (60.000 fps)
        			Interval: Discrete 0.033s (30.000 fps)
        		Size: Discrete 640x480
        			Interval: Discrete 0.033s (30.000 fps)
        	[1]: 'YUYV' (YUYV 4:2:2)
        		Size: Discrete 640x480
        			Interval: Discrete 0.033s (30.000 fps)
        		Size: Discrete 1280x720
        			Interval: Discrete 0.100s (10.000 fps)
        			Interval: Discrete 0.200s (5.000 fps)
        	[2]: 'H264' (H.264, compressed)
        		Size: Discrete 1280x720
        			Interval: Discrete 0.017s (60.000 fps)
        """;

    /// <summary>A driver that scales to whatever is wanted.</summary>
    private const string Scaler = """
        ioctl: VIDIOC_ENUM_FMT
        	Type: Video Capture

        	[0]: 'YU12' (Planar YUV 4:2:0)
        		Size: Stepwise 32x32 - 3280x2464 with step 2/2
        	[1]: 'YUYV' (YUYV 4:2:2)
        		Size: Stepwise 32x32 - 3280x2464 with step 2/2
        			Interval: Stepwise 0.011s - 1.000s with step 0.001s (1.000-90.000 fps)
        	[2]: 'Y16 ' (16-bit Greyscale)
        		Size: Continuous 16x16 - 640x480
        			Interval: Continuous 0.020s - 0.500s (2.000-50.000 fps)
        """;

    [Fact]
    public void Parse_DiscreteSizes_KeepsFormatSizeAndRates()
    {
        IReadOnlyList<CameraMode> modes = CameraMode.Parse(Webcam);
        Assert.Equal(
            ["MJPG 1280x720 at 30, 25 frames/s", "MJPG 1920x1080 at 60, 30 frames/s", "MJPG 640x480 at 30 frames/s", "YUYV 640x480 at 30 frames/s", "YUYV 1280x720 at 10, 5 frames/s", "H264 1280x720 at 60 frames/s"],
            modes.Select(mode => mode.ToString()));
    }

    [Fact]
    public void Parse_RangesOfSizes_KeepsBothEnds()
    {
        IReadOnlyList<CameraMode> modes = CameraMode.Parse(Scaler);
        Assert.Equal(["YU12 32x32 to 3280x2464", "YUYV 32x32 to 3280x2464 at 90 to 1 frames/s", "Y16 16x16 to 640x480 at 50 to 2 frames/s"], modes.Select(mode => mode.ToString()));
        Assert.Equal((2, 2), modes[0].Step);
        Assert.Equal((1, 1), modes[2].Step);
    }

    [Theory]
    [InlineData("")]
    [InlineData("ioctl: VIDIOC_ENUM_FMT\n\tType: Video Capture\n\n")]      // a camera's second device
    [InlineData("Cannot open device /dev/video3, exiting.")]
    public void Parse_NoModes_IsEmpty(string listing) => Assert.Empty(CameraMode.Parse(listing));

    [Theory]
    [InlineData(1280, 720, 30, "MJPG 1280x720 at 30 frames/s")]
    [InlineData(1280, 720, 10, "YUYV 1280x720 at 10 frames/s")]      // uncompressed where it is fast enough
    [InlineData(640, 480, 30, "YUYV 640x480 at 30 frames/s")]
    [InlineData(640, 480, 60, "YUYV 640x480 at 30 frames/s")]        // as fast as it goes
    [InlineData(1280, 720, 20, "MJPG 1280x720 at 25 frames/s")]
    [InlineData(1920, 1080, 60, "MJPG 1920x1080 at 60 frames/s")]
    [InlineData(3840, 2160, 30, "MJPG 1920x1080 at 30 frames/s")]
    [InlineData(320, 240, 30, "YUYV 640x480 at 30 frames/s")]
    public void Choose_FromWebcam_TakesTheNearest(int width, int height, double rate, string expected) =>
        Assert.Equal(expected, CameraMode.Choose(CameraMode.Parse(Webcam), width, height, rate)?.ToString());

    [Theory]
    [InlineData(1280, 720, 30, "YUYV 1280x720 at 30 frames/s")]
    [InlineData(1281, 721, 120, "YUYV 1280x720 at 90 frames/s")]
    [InlineData(8000, 6000, 30, "YUYV 3280x2464 at 30 frames/s")]
    public void Choose_FromRange_StaysInside(int width, int height, double rate, string expected) =>
        Assert.Equal(expected, CameraMode.Choose(CameraMode.Parse(Scaler), width, height, rate)?.ToString());

    [Fact]
    public void Choose_NothingThatCanBeRead_IsNull() => Assert.Null(CameraMode.Choose([new("H264", 640, 480, [30])], 640, 480, 30));

    [Fact]
    public void Devices_FromTheKernelsList_AreSortedByNumber()
    {
        using var folder = new TemporaryFolder();
        foreach ((string device, string name) in (ReadOnlySpan<(string, string)>)[("video10", "Loopback"), ("video2", "USB Camera: Front"), ("v4l-touch0", "Touch")])
        {
            Directory.CreateDirectory(folder[device]);
            File.WriteAllText(Path.Combine(folder[device], "name"), name + "\n");
        }
        Assert.Equal([("/dev/video2", "USB Camera: Front"), ("/dev/video10", "Loopback")], CameraList.Devices(folder.Path).Select(device => (device.Path, device.Name)));
        Assert.Equal("/dev/video2", CameraList.PathOf("front", folder.Path));
        Assert.Null(CameraList.PathOf("back door", folder.Path));
        Assert.Empty(CameraList.Devices(folder["nowhere"]));
    }
}
