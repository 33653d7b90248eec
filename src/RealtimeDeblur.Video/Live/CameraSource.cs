using System.Diagnostics;
using System.Diagnostics.CodeAnalysis;
using System.Runtime.ExceptionServices;
using OpenCvSharp;
using RealtimeDeblur.Imaging;
using RealtimeDeblur.Pipeline;

namespace RealtimeDeblur.Video.Live;

/// <summary>
/// One connection of a <see cref="CameraInput"/>. A thread of its own does everything that OpenCV may take its time for, because nothing can interrupt it there; whoever gives up on it leaves it behind,
/// and it cleans up once OpenCV lets go.
/// </summary>
internal sealed class CameraSource : IFrameSource
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(5);

    /// <summary>So long an end is awaited, for the device to be free when it is opened again: longer than the interval of slow cameras.</summary>
    private static readonly TimeSpan ClosingPatience = TimeSpan.FromMilliseconds(500);

    /// <summary>Damaged pictures in a row; single ones are common on a USB cable.</summary>
    private const int MaxDamaged = 30;

    private readonly string _name;
    private readonly Mailbox<Frame> _newest = new();
    private readonly ManualResetEventSlim _begun = new();
    private readonly LiveClock _clock = new();
    private readonly Thread _thread;
    private FramePool? _pool;
    private volatile bool _stopped;
    private volatile Exception? _failure;
    private volatile bool _ended;

    private CameraSource(string name, Func<VideoCapture> connect)
    {
        _name = name;
        // In the background: one that OpenCV does not let go must not keep the process alive.
        _thread = new(() => Capture(connect)) { IsBackground = true, Name = "deblur camera" };
        _thread.Start();
    }

    /// <summary>Connects and waits for the first picture.</summary>
    /// <param name="name">What messages call the camera.</param>
    /// <param name="connect">Opens it, on a thread of its own.</param>
    /// <param name="cancellation">Gives up waiting.</param>
    public static CameraSource Open(string name, Func<VideoCapture> connect, CancellationToken cancellation)
    {
        var source = new CameraSource(name, connect);
        try
        {
            if (!source._begun.Wait(Patience, cancellation)) throw source.Silent();
            if (source._pool is null && source._failure is { } failure) ExceptionDispatchInfo.Throw(failure);
            return source;
        }
        catch
        {
            source.Dispose();
            throw;
        }
    }

    public FrameFormat Format { get; private set; }

    public bool TryRead([NotNullWhen(true)] out Frame? frame)
    {
        if (_newest.TryTake(Patience, out frame))
        {
            frame.Timestamp = _clock.Stamp(frame.CapturedAt);
            return true;
        }
        if (_stopped) return false;
        if (!_ended) throw Silent();
        if (_failure is { } failure) ExceptionDispatchInfo.Throw(failure);
        return false;
    }

    public void StopReading()
    {
        _stopped = true;
        _newest.Close();
    }

    public void Dispose()
    {
        StopReading();
        _thread.Join(ClosingPatience);
    }

    private void Capture(Func<VideoCapture> connect)
    {
        try
        {
            using VideoCapture capture = connect();
            using var picture = new Mat();
            int damaged = 0;
            while (!_stopped)
            {
                if (!capture.Grab()) throw _pool is null ? Silent() : new IOException($"{_name} sends no more pictures: it was unplugged, or another program took it. Plug it in again.");
                long capturedAt = Stopwatch.GetTimestamp();
                if (!TryDecode(capture, picture))
                {
                    if (++damaged >= MaxDamaged) throw new InvalidDataException($"{_name} sends damaged pictures. Try another cable or port, or a smaller size.");
                    continue;
                }
                damaged = 0;
                if (picture.Channels() == 1) Cv2.CvtColor(picture, picture, ColorConversionCodes.GRAY2BGR);
                if (picture.Type() != MatType.CV_8UC3) throw new InvalidDataException($"{_name} sends pictures of type {picture.Type()}, not of 8 bits. Choose another camera.");
                if (_pool is null)
                {
                    Format = new(PixelFormat.Bgr24, picture.Cols, picture.Rows, ColorRange.Full);
                    _pool = new FramePool(Format);
                }
                else if (picture.Cols != Format.Width || picture.Rows != Format.Height)
                {
                    break;
                }
                Frame frame = _pool.Rent();
                Copy(picture, frame);
                frame.CapturedAt = capturedAt;
                bool isWanted = _newest.Put(frame);
                _begun.Set();
                if (!isWanted) break;
            }
        }
        catch (OpenCVException e)
        {
            _failure = new IOException($"{_name} cannot be read: {e.Message.TrimEnd('.')}. Unplug it and plug it in again.", e);
        }
        catch (Exception e)
        {
            // Thrown again where somebody waits for a picture.
            _failure = e;
        }
        _ended = true;
        _newest.Close();
        _begun.Set();
        _pool?.Dispose();
    }

    private static bool TryDecode(VideoCapture capture, Mat picture)
    {
        try
        {
            return capture.Retrieve(picture) && !picture.Empty();
        }
        catch (OpenCVException)
        {
            return false;
        }
    }

    /// <summary>Row by row, because OpenCV may leave gaps.</summary>
    private static unsafe void Copy(Mat picture, Frame frame)
    {
        PlaneLayout plane = frame.Format.Plane(0);
        for (int y = 0; y < plane.Height; y++) new ReadOnlySpan<byte>((byte*)picture.Ptr(y), plane.StrideBytes).CopyTo(frame.Data[(y * plane.StrideBytes)..]);
    }

    private IOException Silent() => new($"{_name} sends no pictures. Unplug it and plug it in again, or choose a smaller size.");
}
