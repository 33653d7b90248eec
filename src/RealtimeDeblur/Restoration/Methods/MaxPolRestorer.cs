using RealtimeDeblur.Compute;
using RealtimeDeblur.Imaging;
using RealtimeDeblur.Networks;

namespace RealtimeDeblur.Restoration.Methods;

/// <summary>1Shot-MaxPol: the edges that one filter finds are added to the picture, as much as the entropies of both suggest. Kernels: <c>restore/fir.cl</c>, <c>restore/maxpol.cl</c>.</summary>
/// <remarks>
/// Hosseini and Plataniotis, "Convolutional Deblurring for Natural Imaging", IEEE TIP 2019. With the filter D (<see cref="MaxPolDesign"/>) down and across, E = D_v I + D_h I + D_h D_v I = (1 + D)_v (1 + D)_h I - I, two
/// passes of 65 taps; the result is I + g E. We restore luma alone and repeat the border where the authors mirror it. Filters for every step of sigma are on the device from the start.
/// </remarks>
internal sealed class MaxPolRestorer : IRestorer
{
    private const string ShapeParameter = "beta", GainParameter = "gain";

    // As in restore/fir.cl and restore/maxpol.cl.
    private const int Rows = 8, Pad = Rows - 1, Pitch = 80, Bins = 256;
    private const int CpuVector = 16, CpuRun = 128, GpuLanes = 256, GpuLocal = 32;

    /// <summary>Work-groups that count, for each compute unit: enough to share the work evenly, and few enough to add up in no time.</summary>
    private const int GroupsPerUnit = 4;

    private const int FilterArgument = 2;

    private readonly SampleLayout _samples;
    private readonly Owned _owned = new();
    private readonly PlaneConversion _conversion;
    private readonly DeviceBuffer<float> _luma;
    private readonly Launch _columns;
    private readonly Launch _rows;
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
        int vector = isCpu ? CpuVector : 1, run = isCpu ? CpuRun : 1, lanes = isCpu ? 1 : GpuLanes, local = isCpu ? 1 : GpuLocal;
        try
        {
            _conversion = _owned.Add(new PlaneConversion(device, _samples));
            _luma = _owned.Add(device.Allocate<float>(pixels));
            DeviceBuffer<float> half = _owned.Add(device.Allocate<float>(pixels));
            DeviceBuffer<float> filtered = _owned.Add(device.Allocate<float>(pixels));
            DeviceBuffer<float> filters = _owned.Add(device.Allocate<float>((ReadOnlySpan<float>)Filters(setUp[ShapeParameter])));

            KernelProgram fir = device.Build("restore/fir.cl", $"-DVEC={vector} -DRUN={run}");
            _columns = new(Kernel(fir, "fir_columns").Bind(_luma, filters, 0, 1, half, W, H), new(Across(vector), WorkSize.Tiles(H, Rows)), new(local));
            _rows = new(Kernel(fir, "fir_rows").Bind(half, filters, 0, filtered, W, H), new(Across(run), isCpu ? WorkSize.Tiles(H, Rows) : H), new(local));

            int groups = (int)Math.Min(GroupsPerUnit * device.Info.ComputeUnits, WorkSize.Tiles(pixels, lanes));
            DeviceBuffer<uint> counts = _owned.Add(device.Allocate<uint>(groups * 2L * Bins));
            DeviceBuffer<float> gain = _owned.Add(device.Allocate<float>(1));
            KernelProgram program = device.Build("restore/maxpol.cl", $"{_samples.Options} -DLANES={lanes} -DRUN={run}");
            _histograms = new(Kernel(program, "maxpol_histograms").Bind(_luma, filtered, counts, (int)WorkSize.Tiles(pixels, groups), pixels), new((long)groups * lanes), new(lanes));
            _gain = new(Kernel(program, "maxpol_gain").Bind(counts, groups, pixels, setUp[GainParameter], gain), new(lanes), new(lanes));
            Kernel restore = Kernel(program, "maxpol_restore");
            _samples.Bind(restore);
            SampleLayout.BindOrigin(restore, 0, 0);
            SampleLayout.BindKept(restore, 0, 0, W, H);
            restore.BindFrom(SampleLayout.AfterRestored, _luma, filtered, gain);
            _restore = new(restore, new(Across(run), H), new(local));

            Kernel Kernel(KernelProgram from, string name) => _owned.Add(from.CreateKernel(name));

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

    public bool TakesSigma => true;

    public double MultiplyAccumulatesPerPixel(float sigma) => 2 * MaxPolDesign.Taps;

    public float NearestSigma(float sigma) => Math.Min(InferenceSession.RoundSigma(sigma), (float)MaxPolDesign.MaxScale);

    public ComputeEvent Enqueue(CommandQueue queue, KernelArgument frame, KernelArgument restored, FrameBlur blur, DeblurOptions options, params ReadOnlySpan<ComputeEvent> waitFor)
    {
        int filter = RowOf(NearestSigma(blur.Sigma ?? SigmaSetting.MiddleSigma));
        _columns.Kernel.Bind(FilterArgument, filter);
        _rows.Kernel.Bind(FilterArgument, filter);
        _conversion.FromFrame(queue, frame, _luma, waitFor);
        _columns.Enqueue(queue);
        _rows.Enqueue(queue);
        _histograms.Enqueue(queue);
        _gain.Enqueue(queue);
        SampleLayout.BindFrame(_restore.Kernel, frame);
        _samples.BindRestored(_restore.Kernel, restored, options.Strength);
        return _restore.EnqueueWithEvent(queue);
    }

    public void Dispose() => _owned.Dispose();

    /// <summary>Filters for every step of sigma up to the largest, as <c>restore/fir.cl</c> reads them.</summary>
    private static float[] Filters(double shape)
    {
        float[] table = new float[(RowOf((float)MaxPolDesign.MaxScale) + 1) * Pitch];
        for (int row = 0; row * Pitch < table.Length; row++)
        {
            double[] taps = MaxPolDesign.Filter(row * (double)InferenceSession.SigmaStep, shape);
            for (int k = 0; k < MaxPolDesign.Taps; k++) table[row * Pitch + Pad + k] = (float)taps[k];
        }
        return table;
    }

    private static int RowOf(float sigma) => (int)MathF.Round(sigma / InferenceSession.SigmaStep);
}
