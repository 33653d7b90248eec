using System.Runtime.InteropServices;
using RealtimeDeblur.Compute;
using RealtimeDeblur.Imaging;
using RealtimeDeblur.Networks;

namespace RealtimeDeblur.Restoration.Methods;

/// <summary>Sigma from the ratio of a frame's amplitude spectrum to that of its quarter-size copy (<see cref="SpectrumFit"/>). Spectra: <c>restore/spectrum.cl</c>, of tiles spread over both; the fit is the host's.</summary>
/// <remarks>
/// Hosseini and Plataniotis, "Convolutional Deblurring for Natural Imaging", IEEE TIP 2019. Frames smaller than <see cref="MinimumSide"/> and those without detail give <see cref="SigmaEstimate.Unknown"/>.
/// </remarks>
internal sealed unsafe class SpectrumEstimator : ISigmaEstimator
{
    /// <summary>Smallest side of a frame, in pixels: the quarter's is what tiles need.</summary>
    public const int MinimumSide = Scale * SigmaTiles.MinimumSide;

    /// <summary>
    /// Sigma over the fitted alpha. Alpha reads low on clean pictures and high on noisy ones; 1.08 is the median over 231 photographs with noise of 0 and 1/255 and sigmas of 0.7 to 3, rounded. With it the median
    /// estimate at sigma 2 is 1.87 without noise, 2.11 and 2.37 with 1 and 2/255. The program <c>spectrum-fit</c> of tests/RealtimeDeblur.Benchmarks refits it.
    /// </summary>
    internal const double SigmaPerAlpha = 1.1;

    // As in restore/spectrum.cl.
    private const int Scale = 4, QuarterTaps = 19, Bins = SpectrumFit.Bins, CpuRun = 128;

    /// <summary>Tiles of each scale: 5 multiply-accumulates per pixel of a 1280x720 frame.</summary>
    private const int MaxTiles = 128;

    /// <summary>Amplitude in the lowest bin, in steps of 8 bits, below which a frame is flat: rounding to 8 bits alone gives 0.3.</summary>
    private const float SmallestAmplitude = 1;

    /// <summary>Relative uncertainty: bias and scatter over pictures with noise of 0 to 2/255, for sigmas from 1 on. Milder blur is hardly told apart.</summary>
    private const float Spread = 0.2f;

    private readonly Owned _owned = new();
    private readonly Kernel? _down;
    private readonly Launch _downLaunch;
    private readonly Launch _across;
    private readonly Kernel? _frameTiles;
    private readonly Launch _frameTilesLaunch;
    private readonly Launch _quarterTiles;
    private readonly Launch _mean;
    private readonly DeviceBuffer<float>? _amplitudes;
    private readonly ComputeEvent[] _arrivals = new ComputeEvent[ISigmaEstimator.MaxInFlight];
    private readonly float* _results;
    private int _oldest;
    private bool _disposed;

    /// <param name="device">Stays the caller's and must outlive the estimator.</param>
    /// <param name="format">Of every frame.</param>
    /// <exception cref="OpenClException">The device has too little memory, or its compiler failed.</exception>
    public SpectrumEstimator(ComputeDevice device, FrameFormat format) : this(device, SampleLayout.Of(format, C: 1), SigmaTiles.Lanes(device))
    {
    }

    /// <param name="device"/>
    /// <param name="samples">How frames lie in memory; of one channel.</param>
    /// <param name="lanes">Work-items per tile: 1 or 32.</param>
    internal SpectrumEstimator(ComputeDevice device, SampleLayout samples, int lanes)
    {
        (int W, int H) = (samples.W, samples.H);
        if (Math.Min(W, H) < MinimumSide) return;
        (int quarterW, int quarterH) = ((W + Scale - 1) / Scale, (H + Scale - 1) / Scale);
        SampleLayout quarterSamples = SampleLayout.Planar(C: 1, quarterW, quarterH);
        (int columns, int rows) = SigmaTiles.Grid(W, H, MaxTiles);
        (int quarterColumns, int quarterRows) = SigmaTiles.Grid(quarterW, quarterH, MaxTiles);
        int run = device.Info.Type == ComputeDeviceType.Cpu ? CpuRun : 1;
        MultiplyAccumulatesPerPixel = (double)QuarterTaps / Scale + (double)QuarterTaps / (Scale * Scale)
            + (double)(columns * rows + quarterColumns * quarterRows) * SigmaTiles.SpectrumMultiplyAccumulates / ((long)W * H);
        try
        {
            DeviceBuffer<float> down = _owned.Add(device.Allocate<float>((long)quarterH * W));
            DeviceBuffer<float> quarter = _owned.Add(device.Allocate<float>((long)quarterH * quarterW));
            DeviceBuffer<float> frameBins = _owned.Add(device.Allocate<float>(columns * rows * Bins));
            DeviceBuffer<float> quarterBins = _owned.Add(device.Allocate<float>(quarterColumns * quarterRows * Bins));
            _amplitudes = _owned.Add(device.Allocate<float>(2 * Bins));
            KernelProgram ofFrame = device.Build("restore/spectrum.cl", $"{samples.Options} -DLANES={lanes} -DRUN={run}");
            KernelProgram ofQuarter = device.Build("restore/spectrum.cl", $"{quarterSamples.Options} -DLANES={lanes} -DRUN={run}");

            _down = Kernel(ofFrame, "quarter_down");
            BindFrame(_down, samples);
            _down.Bind(SampleLayout.AfterFrame, down);
            _downLaunch = new(_down, new(WorkSize.Tiles(W, run), quarterH), WorkSize.Single);
            _across = new(Kernel(ofFrame, "quarter_across").Bind(down, quarter, W, quarterW), new(WorkSize.Tiles(quarterW, run), quarterH), WorkSize.Single);
            _frameTiles = Kernel(ofFrame, "spectrum_tiles");
            _frameTilesLaunch = Tiles(_frameTiles, samples, frameBins, columns, rows);
            Kernel quarterTiles = Kernel(ofQuarter, "spectrum_tiles");
            SampleLayout.BindFrame(quarterTiles, quarter);
            _quarterTiles = Tiles(quarterTiles, quarterSamples, quarterBins, quarterColumns, quarterRows);
            _mean = new(Kernel(ofFrame, "spectrum_mean").Bind(frameBins, columns * rows, quarterBins, quarterColumns * quarterRows, _amplitudes), new(Bins, 2), WorkSize.Single);
            _results = (float*)NativeMemory.Alloc(ISigmaEstimator.MaxInFlight * 2 * Bins, sizeof(float));

            Kernel Kernel(KernelProgram program, string name) => _owned.Add(program.CreateKernel(name));

            static void BindFrame(Kernel kernel, SampleLayout layout)
            {
                layout.Bind(kernel);
                SampleLayout.BindOrigin(kernel, 0, 0);
            }

            Launch Tiles(Kernel kernel, SampleLayout layout, DeviceBuffer<float> bins, int columns, int rows)
            {
                BindFrame(kernel, layout);
                kernel.BindFrom(SampleLayout.AfterFrame, bins, columns, rows);
                return new(kernel, new(lanes, columns, rows), new(lanes));
            }
        }
        catch
        {
            _owned.Dispose();
            throw;
        }
    }

    public int InFlight { get; private set; }

    public double MultiplyAccumulatesPerPixel { get; }

    /// <summary>float [2][13], of the last frame; null where frames are too small. For tests to look at.</summary>
    internal DeviceBuffer<float>? Amplitudes => _amplitudes;

    public void Enqueue(CommandQueue queue, KernelArgument frame, params ReadOnlySpan<ComputeEvent> waitFor)
    {
        ObjectDisposedException.ThrowIf(_disposed, this);
        if (InFlight == ISigmaEstimator.MaxInFlight) throw new InvalidOperationException($"{ISigmaEstimator.MaxInFlight} estimates wait to be read: read one before enqueuing the next frame.");
        if (_amplitudes is not null)
        {
            int slot = (_oldest + InFlight) % ISigmaEstimator.MaxInFlight;
            SampleLayout.BindFrame(_down!, frame);
            SampleLayout.BindFrame(_frameTiles!, frame);
            _downLaunch.Enqueue(queue, waitFor);
            _across.Enqueue(queue);
            _frameTilesLaunch.Enqueue(queue);
            _quarterTiles.Enqueue(queue);
            _mean.Enqueue(queue);
            _arrivals[slot] = _amplitudes.ReadAsync(queue, _results + slot * 2 * Bins, 2 * Bins);
        }
        InFlight++;
    }

    public SigmaEstimate Read()
    {
        if (InFlight == 0) throw new InvalidOperationException("No frame is in flight: enqueue one first.");
        int slot = _oldest;
        _oldest = (_oldest + 1) % ISigmaEstimator.MaxInFlight;
        InFlight--;
        if (_amplitudes is null) return SigmaEstimate.Unknown;
        using ComputeEvent arrival = _arrivals[slot];
        arrival.Wait();
        return Estimate(new(_results + slot * 2 * Bins, 2 * Bins));
    }

    public void Dispose()
    {
        if (_disposed) return;
        _disposed = true;
        ISigmaEstimator.Drain(this);
        _owned.Dispose();
        NativeMemory.Free(_results);
    }

    /// <summary>The estimate from amplitudes [2][13], of the frame and of its quarter.</summary>
    internal static SigmaEstimate Estimate(ReadOnlySpan<float> amplitudes)
    {
        ReadOnlySpan<float> frame = amplitudes[..Bins], quarter = amplitudes[Bins..];
        if (!(frame[0] >= SmallestAmplitude && quarter[0] >= SmallestAmplitude)) return SigmaEstimate.Unknown;
        Span<double> ratio = stackalloc double[Bins];
        // An empty bin, which takes a drawing of one frequency, must not make the ratio infinite.
        for (int bin = 0; bin < Bins; bin++) ratio[bin] = (double)frame[bin] / frame[0] / Math.Max((double)quarter[bin] / quarter[0], 1e-6);
        float sigma = (float)Math.Min(SigmaPerAlpha * SpectrumFit.FitAlpha(ratio), SigmaEstimate.MaxSigma);
        return new(sigma, Spread, sigma < SigmaEstimate.SharpLimit);
    }
}
