using RealtimeDeblur.Compute;
using RealtimeDeblur.Imaging;
using RealtimeDeblur.Networks;
using RealtimeDeblur.Restoration;
using RealtimeDeblur.Tests.Video;
using Xunit;

namespace RealtimeDeblur.Tests.Native;

/// <summary>Frames one after another, without gaps, as ffmpeg's rawvideo has them.</summary>
internal sealed record RawVideo(FrameFormat Format, byte[] Samples)
{
    public int FrameCount => Samples.Length / Format.SizeBytes;

    /// <summary>The device that the tests run on, as plugins take it; "" is the first.</summary>
    public static string Device => Environment.GetEnvironmentVariable("DEBLUR_TEST_DEVICE") ?? "";

    /// <summary>The same as a property on a command line; nothing for the first device.</summary>
    public static string[] DeviceProperty => Device.Length == 0 ? [] : [$"device={Device}"];

    /// <summary>A picture as sharp as one of a camera, of 320x240 and ten frames a second, that moves and that estimates of sigma take for real: as a source of ffmpeg's filters.</summary>
    public const string Detail = "mandelbrot=s=960x720:r=10:start_scale=0.02:start_x=-0.743:start_y=-0.131:maxiter=400,scale=320:240,hue=s=0.3";

    /// <summary>The same, blurred and of any size.</summary>
    public static RawVideo Blurred(FrameFormat format, int frames)
    {
        string pixels = format.Pixels switch
        {
            PixelFormat.Gray8 => "gray", PixelFormat.Yuv420P8 => "yuv420p", PixelFormat.Yuv422P8 => "yuv422p", PixelFormat.Yuv444P8 => "yuv444p",
            PixelFormat.Yuv420P10 => "yuv420p10le", PixelFormat.Yuv422P10 => "yuv422p10le", PixelFormat.Yuv444P10 => "yuv444p10le", PixelFormat.Nv12 => "nv12", PixelFormat.P010 => "p010le",
            PixelFormat.Rgb24 => "rgb24", PixelFormat.Bgr24 => "bgr24", PixelFormat.Rgba32 => "rgba", PixelFormat.Bgra32 => "bgra",
            _ => throw new ArgumentOutOfRangeException(nameof(format)),
        };
        string file = Path.GetTempFileName();
        try
        {
            Ffmpeg.Run($"-f lavfi -i {Detail},gblur=2.2,scale={format.Width}:{format.Height}:flags=bilinear -frames:v {frames} -pix_fmt {pixels} -f rawvideo {file}");
            return new(format, File.ReadAllBytes(file));
        }
        finally
        {
            File.Delete(file);
        }
    }

    /// <summary>As the engine restores the frames of a video: what every host has to end up with.</summary>
    public RawVideo Restored(string model, DeblurOptions options)
    {
        using ComputeDevice device = TestDevice.OpenOrSkip();
        using Deblurrer deblurrer = new(device, ModelCatalog.Load(model), Format, options);
        byte[] restored = new byte[Samples.Length];
        for (int offset = 0; offset < Samples.Length; offset += Format.SizeBytes)
        {
            deblurrer.Submit(ReadOnlyFrameView.Packed(Format, Samples.AsSpan(offset, Format.SizeBytes)));
            deblurrer.Collect(FrameView.Packed(Format, restored.AsSpan(offset, Format.SizeBytes)));
        }
        return new(Format, restored);
    }

    /// <summary>Fails unless every sample is that of <paramref name="expected"/>, and says where the first difference is.</summary>
    public void AssertEqual(RawVideo expected)
    {
        Assert.Equal(expected.Samples.Length, Samples.Length);
        int first = Samples.AsSpan().CommonPrefixLength(expected.Samples);
        if (first == Samples.Length) return;
        int differing = Samples.Zip(expected.Samples).Count(pair => pair.First != pair.Second), inFrame = first % Format.SizeBytes;
        Assert.Fail($"{differing} of {Samples.Length} bytes differ. The first is byte {inFrame} of frame {first / Format.SizeBytes} ({Format.Width}x{Format.Height} {Format.Pixels}): {expected.Samples[first]} expected, {Samples[first]} found.");
    }
}
