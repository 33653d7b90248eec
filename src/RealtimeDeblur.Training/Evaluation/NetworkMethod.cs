using OpenCvSharp;
using RealtimeDeblur.Compute;
using RealtimeDeblur.Imaging;
using RealtimeDeblur.Networks;
using RealtimeDeblur.Restoration;

namespace RealtimeDeblur.Training.Evaluation;

/// <summary>
/// Restores still pictures of any size with the engine's own <see cref="Deblurrer"/>: luma networks get limited-range luma frames, RGB networks the picture in colour. Owns the
/// deblurrer for the size it met last.
/// </summary>
internal sealed class NetworkMethod(ComputeDevice device, Network network) : IDisposable
{
    private Deblurrer? _deblurrer;

    public bool TakesRgb => network.Description.C == 3;

    /// <param name="luma">Luma of the blurred picture.</param>
    /// <param name="picture">The blurred picture, B, G, R; read by RGB networks only.</param>
    /// <returns>Luma of the restored picture.</returns>
    public unsafe LumaPlane Restore(LumaPlane luma, Mat picture)
    {
        FrameFormat format = new(TakesRgb ? PixelFormat.Bgr24 : PixelFormat.Gray8, luma.W, luma.H, ColorRange.Limited);
        if (_deblurrer?.Format != format)
        {
            _deblurrer?.Dispose();
            _deblurrer = null;
            _deblurrer = new Deblurrer(device, network, format);
        }

        using Frame frame = new(format);
        if (!TakesRgb)
        {
            luma.Samples.CopyTo(frame.Data);
            _deblurrer.Process(frame);
            return new(frame.Data.ToArray(), luma.W, luma.H);
        }
        int stride = format.Plane(0).StrideBytes;
        for (int y = 0; y < luma.H; y++) new ReadOnlySpan<byte>((void*)picture.Ptr(y), stride).CopyTo(frame.Data[(y * stride)..]);
        _deblurrer.Process(frame);
        using Mat restored = Mat.FromPixelData(luma.H, luma.W, MatType.CV_8UC3, frame.Address);
        return LumaPlane.Of(restored);
    }

    public void Dispose() => _deblurrer?.Dispose();
}
