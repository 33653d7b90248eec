using System.Globalization;
using RealtimeDeblur.Compute;
using RealtimeDeblur.Networks;

namespace RealtimeDeblur.Restoration.Methods;

/// <summary>Polyblur: estimates a Gaussian blur from the steepest gradients and inverts it by a polynomial in the blur itself (<c>restore/polyblur_estimate.cl</c>, <c>restore/polyblur.cl</c>).</summary>
/// <remarks>
/// Delbracio, Garcia-Dorado, Choi, Kelly, Milanfar, "Polyblur: removing mild blur by polynomial reblurring", IEEE Transactions on Computational Imaging 7 (2021). The kernels' heads say where we differ.
/// A blur that is given is round, and convolutions run along rows and columns; one that it finds itself is a Gaussian of any direction, for the frame or, with <see cref="SigmaSetting.Tiles"/>, for every part of it.
/// </remarks>
internal sealed class PolyblurRestorer : IBlindRestorer
{
    private const int LinePixels = 64, Block = 16, PadW = 16, PadH = 12, MaxRadius = 12;
    private const int WeightsHeader = 16, WeightsPitch = 28, WeightsFloats = 720;
    private const float RadiusSigmas = 3;

    /// <summary>Frames over which a maximum that is not found again loses half of its worth: two seconds of video.</summary>
    private const int HalfLifeFrames = 60;

    private static readonly float Keep = MathF.Pow(0.5f, 1f / HalfLifeFrames);

    private readonly Owned _owned = new();
    private readonly PlaneConversion _conversion;
    private readonly PolyblurEdges _edges;
    private readonly SigmaReadings _readings;
    private readonly DeviceBuffer<float> _plane;
    private readonly DeviceBuffer<float> _base;
    private readonly DeviceBuffer<float> _first;
    private readonly DeviceBuffer<float> _second;
    private readonly Launch _pad;
    private readonly Launch _extend;
    private readonly Launch _frameWeights;
    private readonly Launch _blockWeights;
    private readonly Launch _lineWeights;
    private readonly Launch _convolve;
    private readonly Launch? _convolveLine;
    private readonly Launch? _split;
    private readonly Launch _finish;
    private readonly int _passes;
    private readonly float[] _coefficients;
    private bool _isStarted;

    private PolyblurRestorer(FilterSetUp setUp)
    {
        (ComputeDevice device, SampleLayout samples) = (setUp.Device, setUp.Samples);
        (int W, int H) = (samples.W, samples.H);
        bool isCpu = device.Info.Type == ComputeDeviceType.Cpu;
        (int lanes, int columns, int rowsOfItem, int run, int padRun, int localX, int localY) = isCpu ? (16, 16, 16, 128, 1 << 16, 1, 1) : (1, 1, 4, 1, 1, 32, 4);
        _passes = (int)setUp["passes"];
        _coefficients = Coefficients(setUp["alpha"], setUp["beta"]);
        int paddedW = (int)WorkSize.Tiles(W, LinePixels) * LinePixels, paddedH = (int)WorkSize.Tiles(H, Block) * Block;
        int pitch = paddedW + 2 * PadW, rows = paddedH + 2 * PadH, blocksW = paddedW / Block, blocksH = paddedH / Block;
        try
        {
            _conversion = _owned.Add(new PlaneConversion(device, samples));
            _plane = _owned.Add(device.Allocate<float>((long)W * H));
            _edges = _owned.Add(new PolyblurEdges(device, _plane, W, H));
            _readings = _owned.Add(new SigmaReadings());
            bool splits = setUp["prefilter"] != 0;
            DeviceBuffer<float> blurred = Padded();
            _base = splits ? Padded() : blurred;
            (_first, _second) = (Padded(), Padded());
            DeviceBuffer<float> weights = _owned.Add(device.Allocate<float>((long)blocksW * blocksH * WeightsFloats));

            KernelProgram program = device.Build("restore/polyblur.cl", string.Create(CultureInfo.InvariantCulture,
                $"-DLANES={lanes} -DCOLUMNS={columns} -DLINE_COLUMNS={LinePixels} -DROWS={rowsOfItem} -DRUN={run} -DPAD_RUN={padRun} -DBLOCK={Block} -DPAD_W={PadW} -DPAD_H={PadH} "
                + $"-DWEIGHTS_HEADER={WeightsHeader} -DWEIGHTS_PITCH={WeightsPitch} -DWEIGHTS_FLOATS={WeightsFloats} -DCELL={PolyblurEdges.Cell} -DSHARP={SigmaEstimate.SharpLimit}f"));
            WorkSize local = new(localX, localY);
            WorkSize padding = Whole(WorkSize.Tiles(pitch, padRun), rows), tiles = Whole(paddedW / columns, paddedH / rowsOfItem), runs = Whole(WorkSize.Tiles(W, run), H);
            _pad = new(Kernel("polyblur_pad").Bind(_plane, W, H, blurred, pitch, rows), padding, local);
            _extend = new(Kernel("polyblur_extend").Bind(W, H, blurred, pitch, rows), padding, local);
            _frameWeights = new(Kernel("polyblur_weights").Bind(_edges.Estimates, _edges.CellsW, _edges.CellsH, -1f, 0, 1, 1, weights), WorkSize.Single, WorkSize.Single);
            _blockWeights = new(Kernel("polyblur_weights").Bind(_edges.Estimates, _edges.CellsW, _edges.CellsH, -1f, 1, blocksW, blocksH, weights), Whole(blocksW, blocksH), local);
            _lineWeights = new(Kernel("polyblur_line").Bind(0f, weights), WorkSize.Single, WorkSize.Single);
            _convolve = new(Kernel("polyblur_convolve").Bind(_base, _base, _first, pitch, rows, 1f, 0f, weights, 0, blocksW), tiles, local);
            // Elsewhere work-items share no sums down the columns, and have the rate for all taps.
            if (isCpu) _convolveLine = new(Kernel("polyblur_convolve_line").Bind(_base, _base, _first, pitch, rows, 1f, 0f, weights), new(paddedW / LinePixels, paddedH / rowsOfItem), local);
            if (splits) _split = new(Kernel("polyblur_base").Bind(blurred, _base, pitch, W, H), runs, local);
            _finish = new(Kernel("polyblur_finish").Bind(blurred, _base, _first, pitch, W, H, setUp["halo"] != 0 ? 1 : 0, _plane), runs, local);

            DeviceBuffer<float> Padded() => _owned.Add(device.Allocate<float>((long)pitch * rows));
            Kernel Kernel(string name) => _owned.Add(program.CreateKernel(name));
            WorkSize Whole(long x, long y) => new(WorkSize.Tiles(x, localX) * localX, WorkSize.Tiles(y, localY) * localY);
        }
        catch
        {
            _owned.Dispose();
            throw;
        }
    }

    /// <summary>The filter as it can be asked for.</summary>
    public static FilterDescription Description { get; } = new(
        "polyblur", "Estimates the blur from the steepest gradients and inverts it by a polynomial of three blurs.",
        "Delbracio, Garcia-Dorado, Choi, Kelly, Milanfar, Polyblur: removing mild blur by polynomial reblurring, IEEE Transactions on Computational Imaging 7 (2021)",
        [
            new("alpha", "Gain at middle frequencies.", 0, 12, 2),
            new("beta", "Gain at frequencies that the blur has taken away, and of noise.", 0, 12, 3),
            new("passes", "How often it is done, each time with the blur that is left.", 1, 4, 1) { IsWhole = true },
            new("halo", "Whether halos along edges are taken back: 1 or 0.", 0, 1, 1) { IsWhole = true },
            new("prefilter", "Whether noise is split off before, by a bilateral filter: 1 or 0.", 0, 1, 0) { IsWhole = true },
        ],
        setUp => new PolyblurRestorer(setUp))
    {
        SigmaFrom = SigmaSource.Polyblur,
    };

    public long Enqueued { get; private set; }

    /// <summary>What the device found in the frame enqueued last.</summary>
    internal DeviceBuffer<float> Estimates => _edges.Estimates;

    /// <summary>Of K, K^2, K^3 and of the picture itself: Horner's order from K^3 on.</summary>
    internal static float[] Coefficients(float alpha, float beta) => [alpha / 2 - beta + 2, 3 * beta - alpha - 6, 5 - 3 * beta + alpha / 2, beta];

    public double MultiplyAccumulatesPerPixel(float sigma)
    {
        int side = 2 * Math.Min((int)MathF.Ceiling(RadiusSigmas * sigma), MaxRadius) + 1;
        return _passes * 3.0 * (_convolveLine is null ? side * side : 2 * side);
    }

    public float NearestSigma(float sigma) => Math.Min(sigma, SigmaEstimate.MaxSigma);

    public bool FindsBlur(DeblurOptions options) => options.SigmaFrom is SigmaSource.Own or SigmaSource.Polyblur;

    public SigmaEstimate Found(long frame) => _readings[frame];

    public void Restart() => _isStarted = false;

    public float[] Save(CommandQueue queue) => [_isStarted ? 1 : 0, .. _edges.Maxima.ToArray(queue)];

    public void Load(CommandQueue queue, ReadOnlySpan<float> saved)
    {
        if (saved.Length != 1 + _edges.Maxima.Count) throw new ArgumentException("These numbers are no saved state of Polyblur for frames of this size.", nameof(saved));
        _isStarted = saved[0] != 0;
        _edges.Maxima.Write(queue, saved[1..]);
    }

    public ComputeEvent Enqueue(CommandQueue queue, KernelArgument frame, KernelArgument restored, FrameBlur blur, DeblurOptions options, params ReadOnlySpan<ComputeEvent> waitFor)
    {
        _conversion.FromFrame(queue, frame, _plane, waitFor);
        for (int pass = 0; pass < _passes; pass++)
        {
            // A pass but the first restores what the one before left.
            if (blur.Sigma is null) Find(queue, isFirst: pass == 0, blur.IsAlone, options.Sigma.IsPerTile);
            _pad.Enqueue(queue);
            if (_split is { } split)
            {
                split.Enqueue(queue);
                Extend(queue, _base);
            }
            bool isLine = SetWeights(queue, blur.Sigma, options.Sigma.IsPerTile);
            Convolve(queue, isLine, _base, _first, _coefficients[0], _coefficients[1]);
            Convolve(queue, isLine, _first, _second, 1, _coefficients[2]);
            Convolve(queue, isLine, _second, _first, 1, _coefficients[3]);
            _finish.Enqueue(queue);
        }
        return _conversion.ToFrame(queue, frame, _plane, restored, options.Strength);
    }

    public void Dispose() => _owned.Dispose();

    private void Find(CommandQueue queue, bool isFirst, bool isAlone, bool perTile)
    {
        _edges.Enqueue(queue, isFirst && _isStarted && !isAlone ? Keep : 0, perTile);
        if (!isFirst) return;
        _isStarted = !isAlone;
        Enqueued++;
        // Commands run in order: it has arrived when the frame is done.
        _readings.Enqueue(queue, _edges.Estimates, Enqueued).Dispose();
    }

    /// <summary>Gives whether the weights are those of a line.</summary>
    private bool SetWeights(CommandQueue queue, float? sigma, bool perTile)
    {
        if (sigma is { } round && _convolveLine is not null)
        {
            _lineWeights.Kernel.Bind(0, round);
            _lineWeights.Enqueue(queue);
            return true;
        }
        bool differ = sigma is null && perTile;
        Launch weights = differ ? _blockWeights : _frameWeights;
        weights.Kernel.Bind(3, sigma ?? -1f);
        weights.Enqueue(queue);
        _convolve.Kernel.Bind(8, differ ? WeightsFloats : 0);
        return false;
    }

    /// <summary>output = scale * K input + share * base.</summary>
    private void Convolve(CommandQueue queue, bool isLine, DeviceBuffer<float> input, DeviceBuffer<float> output, float scale, float share)
    {
        Launch convolve = isLine ? _convolveLine!.Value : _convolve;
        convolve.Kernel.Bind(0, input);
        convolve.Kernel.Bind(2, output);
        convolve.Kernel.BindFrom(5, scale, share);
        convolve.Enqueue(queue);
        Extend(queue, output);
    }

    private void Extend(CommandQueue queue, DeviceBuffer<float> plane)
    {
        _extend.Kernel.Bind(2, plane);
        _extend.Enqueue(queue);
    }
}
