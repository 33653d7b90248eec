using System.Diagnostics.CodeAnalysis;
using OpenCvSharp;
using RealtimeDeblur.Imaging;
using RealtimeDeblur.Pipeline;
using RealtimeDeblur.Training.Evaluation;

namespace RealtimeDeblur.Cli.Demo;

/// <summary>A clip in memory: every frame sharp, as luma, and blurred, as it goes through the pipeline. Owns the blurred frames.</summary>
internal sealed class DemoClip : IDisposable
{
    public static readonly FrameFormat Format = new(PixelFormat.Yuv420P8, DemoScene.Width, DemoScene.Height);

    private readonly List<byte[]> _sharpLuma = [];
    private readonly List<Frame> _blurred = [];
    private readonly DemoScene _scene = new();
    private readonly byte[] _bgr = new byte[3 * DemoScene.Width * DemoScene.Height];
    private readonly double _sigma;

    /// <param name="sigma">Standard deviation of the Gaussian in pixels, above 0.</param>
    public DemoClip(double sigma) => _sigma = sigma;

    public int FrameCount => _blurred.Count;

    /// <summary>Sharp luma of a frame, [H][W], limited range.</summary>
    public byte[] SharpLuma(int number) => _sharpLuma[number];

    /// <summary>The blurred frame; stays the clip's.</summary>
    public Frame Blurred(int number) => _blurred[number];

    /// <summary>Computes the next frame and blurs it.</summary>
    public void AddFrame()
    {
        _scene.Draw(FrameCount, _bgr);
        Frame frame = ToFrame(_bgr);
        frame.Timestamp = FrameCount;
        _sharpLuma.Add(frame.PlaneData(0).ToArray());
        // Chroma planes have half the size, so the same blur is half as wide there.
        Blur(frame, plane: 0, _sigma);
        Blur(frame, plane: 1, _sigma / 2);
        Blur(frame, plane: 2, _sigma / 2);
        _blurred.Add(frame);
    }

    /// <summary>The sharp frame as a picture with B, G, R, for comparison with what the pipeline gives. The caller disposes it.</summary>
    public Mat SharpPicture(int number)
    {
        _scene.Draw(number, _bgr);
        using Frame frame = ToFrame(_bgr);
        return ToPicture(frame);
    }

    /// <summary>A frame of the clip's format as a picture with B, G, R. The caller disposes it.</summary>
    public static Mat ToPicture(Frame frame)
    {
        using Mat planes = Mat.FromPixelData(frame.Format.Height * 3 / 2, frame.Format.Width, MatType.CV_8UC1, frame.Address);
        Mat picture = new();
        Cv2.CvtColor(planes, picture, ColorConversionCodes.YUV2BGR_I420);
        return picture;
    }

    public void Dispose()
    {
        foreach (Frame frame in _blurred) frame.Dispose();
        _blurred.Clear();
    }

    /// <summary>Converts B, G, R to limited-range BT.601: luma by the formula that quality is measured with, chroma as the mean of four pixels.</summary>
    private static Frame ToFrame(byte[] bgr)
    {
        Frame frame = new(Format);
        Span<byte> luma = frame.PlaneData(0), cb = frame.PlaneData(1), cr = frame.PlaneData(2);
        const int W = DemoScene.Width, H = DemoScene.Height;
        for (int i = 0; i < W * H; i++) luma[i] = LumaPlane.Of(bgr[3 * i + 2], bgr[3 * i + 1], bgr[3 * i]);
        for (int y = 0; y < H / 2; y++)
        {
            for (int x = 0; x < W / 2; x++)
            {
                float b = 0, g = 0, r = 0;
                foreach (int offset in (ReadOnlySpan<int>)[0, 3, 3 * W, 3 * W + 3])
                {
                    int i = 3 * (2 * y * W + 2 * x) + offset;
                    b += bgr[i];
                    g += bgr[i + 1];
                    r += bgr[i + 2];
                }
                cb[y * (W / 2) + x] = (byte)(128.5f + (112 * b - 74.203f * g - 37.797f * r) / (4 * 255));
                cr[y * (W / 2) + x] = (byte)(128.5f + (112 * r - 93.786f * g - 18.214f * b) / (4 * 255));
            }
        }
        return frame;
    }

    private static void Blur(Frame frame, int plane, double sigma)
    {
        PlaneLayout layout = frame.Format.Plane(plane);
        using Mat samples = Mat.FromPixelData(layout.Height, layout.Width, MatType.CV_8UC1, frame.Address + layout.OffsetBytes);
        int side = 2 * (int)Math.Ceiling(4 * sigma) + 1;
        Cv2.GaussianBlur(samples, samples, new Size(side, side), sigma, sigma, BorderTypes.Reflect101);
    }
}

/// <summary>Feeds the blurred frames of a clip to a pipeline, as copies.</summary>
internal sealed class DemoSource(DemoClip clip) : IFrameSource
{
    private readonly FramePool _pool = new(DemoClip.Format);
    private volatile bool _stopped;
    private int _next;

    public FrameFormat Format => DemoClip.Format;

    public bool TryRead([NotNullWhen(true)] out Frame? frame)
    {
        frame = null;
        if (_stopped || _next == clip.FrameCount) return false;
        Frame blurred = clip.Blurred(_next++);
        frame = _pool.Rent();
        blurred.Data.CopyTo(frame.Data);
        frame.Timestamp = blurred.Timestamp;
        frame.CapturedAt = System.Diagnostics.Stopwatch.GetTimestamp();
        return true;
    }

    public void StopReading() => _stopped = true;

    public void Dispose() => _pool.Dispose();
}

/// <summary>Measures restored frames on their way to another sink, before anything is encoded. Owns that sink.</summary>
internal sealed class MeasuringSink(DemoClip clip, IFrameSink next, int shown) : IFrameSink
{
    private double _sumBlurred;
    private double _sumRestored;
    private int _count;

    /// <summary>Mean over the frames in dB; the protocol cuts 8 pixels off each side.</summary>
    public double PsnrBlurred => _sumBlurred / _count;

    public double PsnrRestored => _sumRestored / _count;

    /// <summary>The restored frame <c>shown</c> as a picture, once it has come by. The caller disposes it.</summary>
    public Mat? Shown { get; private set; }

    public void Write(Frame frame)
    {
        int number = (int)frame.Timestamp;
        byte[] sharp = clip.SharpLuma(number);
        _sumBlurred += ImageQuality.Psnr(sharp, clip.Blurred(number).PlaneData(0), DemoScene.Width, DemoScene.Height);
        _sumRestored += ImageQuality.Psnr(sharp, frame.PlaneData(0), DemoScene.Width, DemoScene.Height);
        _count++;
        if (number == shown) Shown = DemoClip.ToPicture(frame);
        next.Write(frame);
    }

    public void Complete() => next.Complete();

    public void Dispose() => next.Dispose();
}
