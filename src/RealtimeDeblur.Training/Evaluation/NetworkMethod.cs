using OpenCvSharp;
using RealtimeDeblur.Compute;
using RealtimeDeblur.Imaging;
using RealtimeDeblur.Networks;
using RealtimeDeblur.Restoration;

namespace RealtimeDeblur.Training.Evaluation;

/// <summary>
/// Restores still pictures of any size with the engine's own <see cref="Deblurrer"/>: luma networks get limited-range luma frames, RGB networks the picture in colour. Owns the
/// deblurrers of the few sizes it met last, because the pictures of a set alternate between upright and lying.
/// </summary>
/// <param name="device">Stays the caller's.</param>
/// <param name="network">What restores.</param>
/// <param name="estimator">What estimates sigma; null takes what is installed, if it is needed.</param>
internal sealed class NetworkMethod(ComputeDevice device, Network network, EstimatorWeights? estimator = null) : IDisposable
{
    /// <summary>Sizes whose deblurrers are kept. Each holds memory of the device.</summary>
    public const int KeptSizes = 3;

    private const int TimedRuns = 5;

    // The one used last is the last.
    private readonly List<Deblurrer> _deblurrers = [];

    public bool TakesRgb => network.Description.C == 3;

    public int MacPerPixel => network.Description.MacPerPixel;

    /// <summary>Deblurrers made so far, so that a test can tell that they are kept.</summary>
    internal int Made { get; private set; }

    /// <param name="luma">Luma of the blurred picture.</param>
    /// <param name="picture">The blurred picture, B, G, R; read by RGB networks only, others take null.</param>
    /// <param name="options">How to restore.</param>
    public unsafe RestoredLuma Restore(LumaPlane luma, Mat? picture, DeblurOptions options)
    {
        FrameFormat format = new(TakesRgb ? PixelFormat.Bgr24 : PixelFormat.Gray8, luma.W, luma.H, ColorRange.Limited);
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

    /// <summary>Median device time of the network's kernels alone, per million pixels of pictures of a size.</summary>
    public double MeasureMsPerMegapixel(int W, int H)
    {
        const double Mega = 1e6;
        // The first run builds and warms up.
        double[] ms = [.. InferenceSession.MeasureDeviceMs(device, network, W, H).Skip(1).Take(TimedRuns).Order()];
        return ms[TimedRuns / 2] * Mega / ((double)W * H);
    }

    public void Dispose()
    {
        foreach (Deblurrer deblurrer in _deblurrers) deblurrer.Dispose();
        _deblurrers.Clear();
    }

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
        deblurrer = new(device, network, format, options, plan: null, memoryLimitBytes: null, isApart: !device.Info.SharesHostMemory, estimator);
        _deblurrers.Add(deblurrer);
        Made++;
        return deblurrer;
    }
}

/// <summary>What became of one picture.</summary>
/// <param name="Luma">Luma of the restored picture.</param>
/// <param name="Sigma">What it was restored with, or what was estimated where it was left as it was; null where the network is not conditioned on sigma.</param>
/// <param name="IsSharp">Whether it was called sharp and left as it was.</param>
internal readonly record struct RestoredLuma(LumaPlane Luma, float? Sigma, bool IsSharp);
