using RealtimeDeblur.Imaging;
using RealtimeDeblur.Pipeline;

namespace RealtimeDeblur.Video.Live;

/// <summary>
/// Feeds a camera that exists only in software (v4l2loopback), for programs that take pictures from cameras: 4:2:0, BT.601, limited range. The first frame fixes the size; later ones of another size are fitted into it.
/// </summary>
public sealed class VirtualCameraSink : IFrameSink
{
    private readonly string _device;
    private Letterbox? _letterbox;
    private LiveClock? _clock;
    private FfmpegEncoder? _encoder;

    /// <summary>Checks the device; it is taken with the first frame.</summary>
    /// <param name="device">E.g. <c>/dev/video10</c>.</param>
    /// <exception cref="IOException">It is missing, in use, or no output device; the message says which and what to do.</exception>
    public VirtualCameraSink(string device)
    {
        _device = device;
        const string load = "sudo modprobe v4l2loopback exclusive_caps=1";
        using VideoDevice found = VideoDevice.Open(device, $"virtual camera {device}",
            $"There is no {device}. Load the driver of virtual cameras ({load}; package v4l2loopback-dkms), and see 'v4l2-ctl --list-devices' for its number.");
        if (found.IsOutput) return;
        // Told to look like a camera, the driver is one while a program feeds it.
        throw new IOException(found.IsCamera
            ? $"{device} ({found.Card}) takes no pictures: it is a real camera, or another program feeds it. Close that program, or name another device."
            : $"{device} is no virtual camera. Make one with '{load}'.");
    }

    public void Write(Frame frame)
    {
        using Frame owned = frame;
        _letterbox ??= new(frame.Format, makesEven: true);
        _clock ??= new(frame.CapturedAt);
        _encoder ??= new(_letterbox.RawStream,
        [
            "-hide_banner", "-v", "error", "-nostdin", "-probesize", "32", "-analyzeduration", "0", "-f", "nut", "-i", "pipe:0",
            "-vf", YuvConversion.FromRgb("bt601", ColorRange.Limited), "-fps_mode", "passthrough", "-pix_fmt", "yuv420p",
            // With more threads ffmpeg holds a frame back until the next one comes.
            "-threads", "1", "-f", "v4l2", _device,
        ], cause => $"virtual camera {_device}: ffmpeg could not feed it ({cause}). Close other programs that feed it, and those that take pictures of another size from it.");
        _encoder.WriteFrame(_clock.Stamp(frame.CapturedAt), _letterbox.Fit(frame));
    }

    public void Complete() => _encoder?.Complete();

    public void Dispose()
    {
        _encoder?.Dispose();
        _letterbox?.Dispose();
    }
}
