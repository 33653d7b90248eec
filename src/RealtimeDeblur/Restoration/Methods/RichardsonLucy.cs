using RealtimeDeblur.Compute;
using RealtimeDeblur.Networks;

namespace RealtimeDeblur.Restoration.Methods;

/// <summary>
/// Richardson-Lucy deconvolution: the likeliest picture under Poisson noise, approached by x_{t+1} = x_t K(y / (K x_t)) from x_0 = y, K being the Gaussian blur. All values stay above 0.
/// Works on gamma-encoded luma, as the other methods do, not on photon counts.
/// </summary>
/// <remarks>W. H. Richardson, "Bayesian-based iterative method of image restoration", JOSA 62 (1972); L. B. Lucy, "An iterative technique for the rectification of observed distributions", The Astronomical Journal 79 (1974).</remarks>
internal sealed class RichardsonLucy : IRestorer
{
    private readonly Owned _owned = new();
    private readonly PlaneConversion _conversion;
    private readonly SeparableFilter _blur;
    private readonly DeviceBuffer<float> _blurred;
    private readonly DeviceBuffer<float> _estimate;
    private readonly DeviceBuffer<float> _ratio;
    private readonly int _iterations;

    private RichardsonLucy(FilterSetUp setUp)
    {
        _iterations = (int)setUp["iterations"];
        (int W, int H) = (setUp.Samples.W, setUp.Samples.H);
        try
        {
            _conversion = _owned.Add(new PlaneConversion(setUp.Device, setUp.Samples));
            _blur = _owned.Add(new SeparableFilter(setUp.Device, W, H, terms: 1, sigma => SeparableTaps.Gaussian(sigma)));
            _blurred = _owned.Add(setUp.Device.Allocate<float>((long)W * H));
            _estimate = _owned.Add(setUp.Device.Allocate<float>((long)W * H));
            _ratio = _owned.Add(setUp.Device.Allocate<float>((long)W * H));
        }
        catch
        {
            _owned.Dispose();
            throw;
        }
    }

    public static FilterDescription Description { get; } = new(
        "richardson-lucy", "Richardson-Lucy deconvolution: multiplies the estimate by the re-blurred ratio of the picture to the re-blurred estimate, over and over.",
        "W. H. Richardson, JOSA 62 (1972); L. B. Lucy, The Astronomical Journal 79 (1974).",
        [new("iterations", "Steps from the blurred picture. More sharpen more, and bring out noise.", 1, 200, 20) { IsWhole = true }],
        setUp => new RichardsonLucy(setUp));

    public float NearestSigma(float sigma) => InferenceSession.RoundSigma(sigma);

    public double MultiplyAccumulatesPerPixel(float sigma) => 2 * _iterations * _blur.MultiplyAccumulatesPerPixel(sigma);

    public ComputeEvent Enqueue(CommandQueue queue, KernelArgument frame, KernelArgument restored, FrameBlur blur, DeblurOptions options, params ReadOnlySpan<ComputeEvent> waitFor)
    {
        float sigma = blur.Sigma!.Value;
        _conversion.FromFrame(queue, frame, _blurred, waitFor);
        _conversion.FromFrame(queue, frame, _estimate);
        for (int i = 0; i < _iterations; i++)
        {
            _blur.Enqueue(queue, sigma, _estimate, _ratio, Combination.Ratio, _blurred);
            _blur.Enqueue(queue, sigma, _ratio, _estimate, Combination.Product, _estimate);
        }
        return _conversion.ToFrame(queue, frame, _estimate, restored, options.Strength);
    }

    public void Dispose() => _owned.Dispose();
}
