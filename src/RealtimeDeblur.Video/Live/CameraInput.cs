using System.Globalization;
using System.Runtime.InteropServices;
using OpenCvSharp;
using RealtimeDeblur.Imaging;
using RealtimeDeblur.Pipeline;

namespace RealtimeDeblur.Video.Live;

/// <summary>What a camera is asked for. It gives what comes nearest.</summary>
/// <param name="Width">Columns, 1 or more.</param>
/// <param name="Height">Rows, 1 or more.</param>
/// <param name="FramesPerSecond">Rate, above 0.</param>
public readonly record struct CameraRequest(int Width, int Height, double FramesPerSecond)
{
    /// <summary>1280x720 at 30 frames per second.</summary>
    public static readonly CameraRequest Default = new(1280, 720, 30);
}

/// <summary>
/// A camera, through OpenCV. Frames are <see cref="PixelFormat.Bgr24"/>, their timestamps microseconds since opening. A FIFO that an encoder writes into is read like a camera.
/// </summary>
public sealed partial class CameraInput : ILiveInput
{
    private readonly string _camera;
    private readonly CameraRequest? _request;
    private readonly Action<string>? _note;
    private string? _noted;

    /// <param name="camera">Its number, its device (<c>/dev/video0</c>, <c>/dev/v4l/by-id/...</c>), or part of its name.</param>
    /// <param name="request">What to ask it for; null asks for <see cref="CameraRequest.Default"/> and does not mind getting something else.</param>
    /// <param name="note">Told when the camera does not give what was asked for, as a finished sentence; from whatever thread opens it.</param>
    public CameraInput(string camera, CameraRequest? request = null, Action<string>? note = null)
    {
        ArgumentException.ThrowIfNullOrWhiteSpace(camera);
        if (request is { } wanted)
        {
            ArgumentOutOfRangeException.ThrowIfLessThan(wanted.Width, 1, nameof(request));
            ArgumentOutOfRangeException.ThrowIfLessThan(wanted.Height, 1, nameof(request));
            ArgumentOutOfRangeException.ThrowIfNegativeOrZero(wanted.FramesPerSecond, nameof(request));
        }
        _camera = camera;
        _request = request;
        _note = note;
        Name = $"camera {camera}";
    }

    /// <inheritdoc/>
    public string Name { get; }

    /// <inheritdoc/>
    public IFrameSource Open(CancellationToken cancellation)
    {
        string path = FindPath();
        using VideoDevice device = VideoDevice.Open(path, Name, $"{Name} is not there: there is no {path}. Plug it in; 'deblur live --list' shows what there is.");
        if (device.IsPipe)
        {
            // Before a writer is there, OpenCV would wait in a way that nothing can end.
            device.WaitForData(cancellation);
            return CameraSource.Open(Name, () => ConnectPipe(path), cancellation);
        }
        if (!device.IsCamera)
        {
            throw new FileNotFoundException(device.Card.Length > 0
                ? $"{Name} gives no pictures: {path} is another device of {device.Card}. 'deblur live --list' shows the cameras."
                : $"{Name} is no camera: {path} is something else. 'deblur live --list' shows the cameras.");
        }
        return CameraSource.Open(Name, () => Connect(path), cancellation);
    }

    private string FindPath()
    {
        if (_camera.All(char.IsAsciiDigit)) return $"/dev/video{_camera}";
        if (_camera.Contains('/', StringComparison.Ordinal)) return _camera;
        if (CameraList.PathOf(_camera) is { } path) return path;
        string names = string.Join(", ", CameraList.Devices().Select(device => device.Name).Distinct());
        throw new IOException(names.Length > 0
            ? $"No camera has '{_camera}' in its name. There are: {names}."
            : $"There is no camera with '{_camera}' in its name, nor any other. Plug it in.");
    }

    /// <summary>Opens a camera and sets it up; it sends nothing yet.</summary>
    private VideoCapture Connect(string path)
    {
        PrepareOpenCv();
        CameraRequest wanted = _request ?? CameraRequest.Default;
        CameraMode? mode = CameraMode.Choose(CameraList.ModesOf(path) ?? [], wanted.Width, wanted.Height, wanted.FramesPerSecond);
        var capture = new VideoCapture(path, VideoCaptureAPIs.V4L2);
        if (!capture.IsOpened())
        {
            capture.Dispose();
            throw new IOException($"{Name} is in use by another program, or does not work. Close that program, or unplug the camera and plug it in again.");
        }
        // One is filled while the other is decoded; a longer queue would only make pictures older. The format decides which sizes there are, the size which rates.
        capture.Set(VideoCaptureProperties.BufferSize, 2);
        capture.Set(VideoCaptureProperties.FourCC, FourCC.FromString(mode?.Format ?? "MJPG").Value);
        capture.Set(VideoCaptureProperties.FrameWidth, mode?.Width ?? wanted.Width);
        capture.Set(VideoCaptureProperties.FrameHeight, mode?.Height ?? wanted.Height);
        capture.Set(VideoCaptureProperties.Fps, mode?.Rates.FirstOrDefault(wanted.FramesPerSecond) ?? wanted.FramesPerSecond);
        Compare(wanted, capture);
        return capture;
    }

    private void Compare(CameraRequest wanted, VideoCapture capture)
    {
        const double tolerance = 0.5;
        (int width, int height, double rate) = (capture.FrameWidth, capture.FrameHeight, capture.Fps);
        if (_request is null || (width == wanted.Width && height == wanted.Height && (rate <= 0 || Math.Abs(rate - wanted.FramesPerSecond) <= tolerance))) return;
        string text = string.Create(CultureInfo.InvariantCulture, $"{Name} gives {width}x{height} at {rate:0.##} frames/s, not {wanted.Width}x{wanted.Height} at {wanted.FramesPerSecond:0.##}.");
        if (text == _noted) return;
        _noted = text;
        _note?.Invoke(text);
    }

    private VideoCapture ConnectPipe(string path)
    {
        PrepareOpenCv();
        var capture = new VideoCapture(path, VideoCaptureAPIs.FFMPEG);
        if (capture.IsOpened()) return capture;
        capture.Dispose();
        throw new InvalidDataException($"{Name} sends no picture that OpenCV can read. Let the encoder write NUT with JPEG frames (ffmpeg -c:v mjpeg -f nut).");
    }

    /// <summary>Tells OpenCV what it takes from its environment only, some of it when it is loaded. Its defaults: ten seconds until it notices silence, half a second of delay, and log lines on the terminal.</summary>
    private static void PrepareOpenCv()
    {
        _ = SetEnvironment("OPENCV_VIDEOIO_V4L_SELECT_TIMEOUT", "3", overwrite: 0);
        _ = SetEnvironment("OPENCV_FFMPEG_LOGLEVEL", "-8", overwrite: 0);
        _ = SetEnvironment("OPENCV_FFMPEG_CAPTURE_OPTIONS", "probesize;32768|analyzeduration;0", overwrite: 0);
        Cv2.SetLogLevel(LogLevel.SILENT);
    }

    /// <summary>.NET keeps an environment of its own; this is the one that native code sees.</summary>
    [LibraryImport("libc", EntryPoint = "setenv", StringMarshalling = StringMarshalling.Utf8)]
    [DefaultDllImportSearchPaths(DllImportSearchPath.SafeDirectories)]
    private static partial int SetEnvironment(string name, string value, int overwrite);
}
