using RealtimeDeblur.Compute;
using RealtimeDeblur.Networks;

namespace RealtimeDeblur.Restoration.Methods;

/// <summary>A linear filter that undoes a Gaussian blur of known sigma, as one FIR.</summary>
internal sealed class LinearRestorer : IRestorer
{
    private readonly Owned _owned = new();
    private readonly PlaneConversion _conversion;
    private readonly SeparableFilter _filter;
    private readonly DeviceBuffer<float> _blurred;
    private readonly DeviceBuffer<float> _restored;

    /// <param name="setUp">Device and layout.</param>
    /// <param name="response">What the filter does to frequencies.</param>
    public LinearRestorer(FilterSetUp setUp, LinearResponse response)
    {
        (int W, int H) = (setUp.Samples.W, setUp.Samples.H);
        try
        {
            _conversion = _owned.Add(new PlaneConversion(setUp.Device, setUp.Samples));
            _filter = _owned.Add(new SeparableFilter(setUp.Device, W, H, response.Terms, response.Design));
            _blurred = _owned.Add(setUp.Device.Allocate<float>((long)W * H));
            _restored = _owned.Add(setUp.Device.Allocate<float>((long)W * H));
        }
        catch
        {
            _owned.Dispose();
            throw;
        }
    }

    public float NearestSigma(float sigma) => InferenceSession.RoundSigma(sigma);

    public double MultiplyAccumulatesPerPixel(float sigma) => _filter.MultiplyAccumulatesPerPixel(sigma);

    public ComputeEvent Enqueue(CommandQueue queue, KernelArgument frame, KernelArgument restored, FrameBlur blur, DeblurOptions options, params ReadOnlySpan<ComputeEvent> waitFor)
    {
        _conversion.FromFrame(queue, frame, _blurred, waitFor);
        _filter.Enqueue(queue, blur.Sigma!.Value, _blurred, _restored);
        return _conversion.ToFrame(queue, frame, _restored, restored, options.Strength);
    }

    public void Dispose() => _owned.Dispose();
}
