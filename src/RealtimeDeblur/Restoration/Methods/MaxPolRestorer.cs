using RealtimeDeblur.Compute;
using RealtimeDeblur.Imaging;
using RealtimeDeblur.Networks;

namespace RealtimeDeblur.Restoration.Methods;

/// <summary>1Shot-MaxPol: the edges that one filter finds are added to the picture, as much as the entropies of both suggest. Kernels: <c>restore/separable.cl</c>, <c>restore/maxpol.cl</c>.</summary>
/// <remarks>
/// Hosseini and Plataniotis, "Convolutional Deblurring for Natural Imaging", IEEE TIP 2019. With the filter D (<see cref="MaxPolDesign"/>) down and across, E = D_v I + D_h I + D_h D_v I = (1 + D)_v (1 + D)_h I - I, two
/// passes of 65 taps; the result is I + g E. We restore luma alone and repeat the border where the authors mirror it.
/// </remarks>
internal sealed class MaxPolRestorer : IRestorer
{
    private const string ShapeParameter = "beta", GainParameter = "gain";

    private const int Bins = 256;       // as in restore/maxpol.cl
    private const int CpuRun = 128, GpuLanes = 256, GpuLocal = 32;

    /// <summary>Work-groups that count, for each compute unit: enough to share the work evenly, and few enough to add up in no time.</summary>
    private const int GroupsPerUnit = 4;

    private readonly SampleLayout _samples;
    private readonly Owned _owned = new();
    private readonly PlaneConversion _conversion;
    private readonly DeviceBuffer<float> _luma;
    private readonly DeviceBuffer<float> _filtered;
    private readonly SeparableFilter _filter;
    private readonly Launch _histograms;
    private readonly Launch _gain;
    private readonly Launch _restore;

    private MaxPolRestorer(FilterSetUp setUp)
    {
        ComputeDevice device = setUp.Device;
        _samples = setUp.Samples;
        (int W, int H) = (_samples.W, _samples.H);
        int pixels = checked(W * H);
        bool isCpu = device.Info.Type == ComputeDeviceType.Cpu;
        int run = isCpu ? CpuRun : 1, lanes = isCpu ? 1 : GpuLanes, local = isCpu ? 1 : GpuLocal;
        try
        {
            _conversion = _owned.Add(new PlaneConversion(device, _samples));
            _luma = _owned.Add(device.Allocate<float>(pixels));
            _filtered = _owned.Add(device.Allocate<float>(pixels));
            double shape = setUp[ShapeParameter];
            _filter = _owned.Add(new SeparableFilter(device, W, H, terms: 1, sigma => new([1], [MaxPolDesign.Filter(sigma, shape)[MaxPolDesign.Radius..]])));

            int groups = (int)Math.Min(GroupsPerUnit * device.Info.ComputeUnits, WorkSize.Tiles(pixels, lanes));
            DeviceBuffer<uint> counts = _owned.Add(device.Allocate<uint>(groups * 2L * Bins));
            DeviceBuffer<float> gain = _owned.Add(device.Allocate<float>(1));
            KernelProgram program = device.Build("restore/maxpol.cl", $"{_samples.Options} -DLANES={lanes} -DRUN={run}");
            _histograms = new(Kernel("maxpol_histograms").Bind(_luma, _filtered, counts, (int)WorkSize.Tiles(pixels, groups), pixels), new((long)groups * lanes), new(lanes));
            _gain = new(Kernel("maxpol_gain").Bind(counts, groups, pixels, setUp[GainParameter], gain), new(lanes), new(lanes));
            Kernel restore = Kernel("maxpol_restore");
            _samples.Bind(restore);
            SampleLayout.BindOrigin(restore, 0, 0);
            SampleLayout.BindKept(restore, 0, 0, W, H);
            restore.BindFrom(SampleLayout.AfterRestored, _luma, _filtered, gain);
            _restore = new(restore, new(Across(run), H), new(local));

            Kernel Kernel(string name) => _owned.Add(program.CreateKernel(name));

            long Across(int columns) => WorkSize.Tiles(WorkSize.Tiles(W, columns), local) * local;
        }
        catch
        {
            _owned.Dispose();
            throw;
        }
    }

    /// <summary>As it is asked for by name.</summary>
    public static FilterDescription Description { get; } = new(
        "maxpol", "1Shot-MaxPol: adds the edges that one filter of derivatives finds, as much as the entropies of picture and edges suggest.",
        "Hosseini and Plataniotis, \"Convolutional Deblurring for Natural Imaging\", IEEE TIP 2019",
        [
            // A Gaussian (2) asks for so much at high frequencies that on Gaussian blur itself the published 1.8 is better by 1.1, 3.7, 4.0 and 1.9 dB at sigma 1, 1.6, 2 and 3 (Set5, sigma known).
            new(ShapeParameter, "Exponent of the blur's shape exp(-|x|^beta): 2 is a Gaussian, less has longer tails.", 1, 2, MaxPolDesign.DefaultShape),
            new(GainParameter, "Share of the found edges, before the entropies' say.", 0, 2, 0.5),
        ],
        setUp => new MaxPolRestorer(setUp))
    {
        SigmaFrom = SigmaSource.Spectrum,
    };

    public double MultiplyAccumulatesPerPixel(float sigma) => _filter.MultiplyAccumulatesPerPixel(sigma);

    public float NearestSigma(float sigma) => Math.Min(InferenceSession.RoundSigma(sigma), (float)MaxPolDesign.MaxScale);

    public ComputeEvent Enqueue(CommandQueue queue, KernelArgument frame, KernelArgument restored, FrameBlur blur, DeblurOptions options, params ReadOnlySpan<ComputeEvent> waitFor)
    {
        _conversion.FromFrame(queue, frame, _luma, waitFor);
        _filter.Enqueue(queue, NearestSigma(blur.Sigma!.Value), _luma, _filtered);
        _histograms.Enqueue(queue);
        _gain.Enqueue(queue);
        SampleLayout.BindFrame(_restore.Kernel, frame);
        _samples.BindRestored(_restore.Kernel, restored, options.Strength);
        return _restore.EnqueueWithEvent(queue);
    }

    public void Dispose() => _owned.Dispose();
}
