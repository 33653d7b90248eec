using System.Diagnostics;
using OpenCvSharp;
using RealtimeDeblur.Compute;
using RealtimeDeblur.Imaging;
using RealtimeDeblur.Networks;
using RealtimeDeblur.Restoration;

namespace RealtimeDeblur.Training.Evaluation;

/// <summary>
/// Restores still pictures of any size with the engine's own <see cref="Deblurrer"/>: luma methods get limited-range luma frames, RGB networks the picture in colour. Owns the
/// deblurrers of the few sizes it met last, because the pictures of a set alternate between upright and lying.
/// </summary>
/// <param name="device">Stays the caller's.</param>
/// <param name="method">What restores.</param>
/// <param name="estimator">Our learned estimator of sigma; null takes what is installed, if it is needed.</param>
internal sealed class StillRestorer(ComputeDevice device, RestorationMethod method, EstimatorWeights? estimator = null) : IDisposable
{
    /// <summary>Sizes whose deblurrers are kept. Each holds memory of the device.</summary>
    public const int KeptSizes = 3;

    /// <summary>Runs whose median counts as the time, or fewer where they take longer in all than <see cref="MostSeconds"/>.</summary>
    private const int TimedRuns = 5;
    private const double MostSeconds = 3;

    // The one used last is the last.
    private readonly List<Deblurrer> _deblurrers = [];

    public bool TakesRgb => method.C == 3;

    /// <summary>Deblurrers made so far, so that a test can tell that they are kept.</summary>
    internal int Made { get; private set; }

    /// <param name="luma">Luma of the blurred picture.</param>
    /// <param name="picture">The blurred picture, B, G, R; read by RGB networks only, others take null.</param>
    /// <param name="options">How to restore.</param>
    public unsafe RestoredLuma Restore(LumaPlane luma, Mat? picture, DeblurOptions options)
    {
        FrameFormat format = FormatOf(luma.W, luma.H);
        Deblurrer deblurrer = DeblurrerFor(format, options);
        using Frame frame = new(format);
        if (!TakesRgb)
        {
            luma.Samples.CopyTo(frame.Data);
            deblurrer.Process(frame);
            return new(new(frame.Data.ToArray(), luma.W, luma.H), deblurrer.LastSigma, deblurrer.LastIsSharp);
        }
        int stride = format.Plane(0).StrideBytes;
        for (int y = 0; y < luma.H; y++) new ReadOnlySpan<byte>((void*)picture!.Ptr(y), stride).CopyTo(frame.Data[(y * stride)..]);
        deblurrer.Process(frame);
        using Mat restored = Mat.FromPixelData(luma.H, luma.W, MatType.CV_8UC3, frame.Address);
        return new(LumaPlane.Of(restored), deblurrer.LastSigma, deblurrer.LastIsSharp);
    }

    /// <summary>
    /// Measures what a restoration costs: multiply-accumulates as the method counts them, and the median time from enqueueing it to its end, guard included, estimator and copies not. Networks and filters alike.
    /// </summary>
    /// <param name="W">Columns of the frame, which is noise.</param>
    /// <param name="H">Rows of the frame.</param>
    /// <param name="sigma">Blur that is restored, in pixels.</param>
    public MethodCost MeasureCost(int W, int H, float sigma)
    {
        const double Mega = 1e6;
        FrameFormat format = FormatOf(W, H);
        byte[] noise = new byte[format.SizeBytes];
        new Random(1).NextBytes(noise);
        using DeviceBuffer<byte> frame = device.Allocate<byte>(noise), restored = device.Allocate<byte>(noise.Length);
        using CommandQueue queue = device.CreateQueue();
        using IRestorer restorer = method.Network is { } network
            ? new NetworkRestorer(device, network, format, plan: null, memoryLimitBytes: null)
            : method.Filter!.Create(new(device, SampleLayout.Of(format, C: 1), method.Parameters));
        FrameBlur blur = new(method.TakesSigma ? restorer.NearestSigma(sigma) : null, IsAlone: true);
        // The first run warms up.
        Run();
        List<double> seconds = [];
        while (seconds.Count < TimedRuns && seconds.Sum() < MostSeconds) seconds.Add(Run());
        return new(restorer.MultiplyAccumulatesPerPixel(blur.Sigma ?? sigma), 1000 * EstimatorEvaluation.Percentile([.. seconds], 0.5) * Mega / ((double)W * H));

        double Run()
        {
            long start = Stopwatch.GetTimestamp();
            restorer.Enqueue(queue, frame, restored, blur, DeblurOptions.Default).Dispose();
            queue.Finish();
            return Stopwatch.GetElapsedTime(start).TotalSeconds;
        }
    }

    /// <summary>Another one that differs by its method alone. The caller disposes it.</summary>
    public StillRestorer For(RestorationMethod other) => new(device, other, estimator);

    /// <summary>PSNR in dB of what another luma method makes of a picture.</summary>
    public double QualityAt(RestorationMethod other, LumaPlane truth, LumaPlane blurred, DeblurOptions options)
    {
        using StillRestorer restorer = For(other);
        return ImageQuality.Psnr(truth.Samples, restorer.Restore(blurred, picture: null, options).Luma.Samples, truth.W, truth.H);
    }

    public void Dispose()
    {
        foreach (Deblurrer deblurrer in _deblurrers) deblurrer.Dispose();
        _deblurrers.Clear();
    }

    private FrameFormat FormatOf(int W, int H) => new(TakesRgb ? PixelFormat.Bgr24 : PixelFormat.Gray8, W, H, ColorRange.Limited);

    private Deblurrer DeblurrerFor(FrameFormat format, DeblurOptions options)
    {
        int index = _deblurrers.FindIndex(kept => kept.Format == format);
        Deblurrer deblurrer;
        if (index >= 0)
        {
            deblurrer = _deblurrers[index];
            _deblurrers.RemoveAt(index);
            _deblurrers.Add(deblurrer);
            deblurrer.Options = options;
            return deblurrer;
        }
        if (_deblurrers.Count == KeptSizes)
        {
            _deblurrers[0].Dispose();
            _deblurrers.RemoveAt(0);
        }
        deblurrer = new(device, method, format, options, plan: null, memoryLimitBytes: null, isApart: !device.Info.SharesHostMemory, estimator);
        _deblurrers.Add(deblurrer);
        Made++;
        return deblurrer;
    }
}

/// <summary>What became of one picture.</summary>
/// <param name="Luma">Luma of the restored picture.</param>
/// <param name="Sigma">What it was restored with, or what was estimated where it was left as it was; null where the method does not depend on sigma.</param>
/// <param name="IsSharp">Whether it was called sharp and left as it was.</param>
internal readonly record struct RestoredLuma(LumaPlane Luma, float? Sigma, bool IsSharp);

/// <summary>What a restoration costs.</summary>
internal readonly record struct MethodCost(double MacPerPixel, double MsPerMegapixel);
