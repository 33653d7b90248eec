using System.Globalization;
using RealtimeDeblur.Compute;
using RealtimeDeblur.Networks;

namespace RealtimeDeblur.Restoration.Methods;

/// <summary>What <see cref="SeparableFilter"/> does with the filtered plane. The numbers are those of <c>restore/separable.cl</c>.</summary>
internal enum Combination
{
    /// <summary>It is the result.</summary>
    Plain = 0,

    /// <summary>Another plane divided by it.</summary>
    Ratio = 1,

    /// <summary>Another plane times it.</summary>
    Product = 2,
}

/// <summary>
/// A sum of separable symmetric filters on float planes (<c>restore/separable.cl</c>), with a set of taps on the device for every sigma that there is, so that a change of sigma costs nothing.
/// Allocates nothing after construction. One thread at a time; the caller disposes it, after the queue it ran on has finished.
/// </summary>
internal sealed class SeparableFilter : IDisposable
{
    /// <summary>Taps to either side of the middle.</summary>
    public const int MaxRadius = 48;

    private static readonly int Sets = SetOf(SigmaSetting.MaxSigma) + 1;

    private readonly Owned _owned = new();
    private readonly int _terms;
    private readonly int[] _radii = new int[Sets];
    private readonly Launch _rows;
    private readonly Launch _columns;

    /// <param name="device">Stays the caller's and must outlive the filter.</param>
    /// <param name="W">Columns of the planes.</param>
    /// <param name="H">Rows of the planes.</param>
    /// <param name="terms">Separable filters in the sum.</param>
    /// <param name="design">The taps for a sigma in pixels, a multiple of <see cref="InferenceSession.SigmaStep"/>, 0 to <see cref="SigmaSetting.MaxSigma"/>; of so many terms.</param>
    public SeparableFilter(ComputeDevice device, int W, int H, int terms, Func<float, SeparableTaps> design) : this(device, W, H, terms, design, SeparableWork.For(device.Info))
    {
    }

    internal SeparableFilter(ComputeDevice device, int W, int H, int terms, Func<float, SeparableTaps> design, SeparableWork work)
    {
        _terms = terms;
        float[] taps = new float[Sets * work.SetFloats(terms)];
        for (int set = 0; set < Sets; set++) _radii[set] = Pack(design(set * InferenceSession.SigmaStep), terms, work, taps.AsSpan(set * work.SetFloats(terms), work.SetFloats(terms)));
        try
        {
            KernelProgram program = device.Build("restore/separable.cl", string.Create(CultureInfo.InvariantCulture, $"-DTERMS={terms} -DVEC={work.Vector} -DRUN={work.Run} -DROWS={work.Rows} -DMAX_RADIUS={MaxRadius}"));
            DeviceBuffer<float> mid = _owned.Add(device.Allocate<float>((long)terms * W * H));
            DeviceBuffer<float> sets = _owned.Add(device.Allocate<float>((ReadOnlySpan<float>)taps));
            long across = WorkSize.Tiles(WorkSize.Tiles(W, work.Run), work.Local) * work.Local;
            _rows = new(_owned.Add(program.CreateKernel("separable_rows")), new(across, H), new(work.Local));
            _rows.Kernel.Bind(1, sets);
            _rows.Kernel.BindFrom(4, mid, W, H);
            _columns = new(_owned.Add(program.CreateKernel("separable_columns")), new(across, WorkSize.Tiles(H, work.Rows)), new(work.Local));
            _columns.Kernel.BindFrom(0, mid, sets);
            _columns.Kernel.BindFrom(7, W, H);
        }
        catch
        {
            _owned.Dispose();
            throw;
        }
    }

    /// <summary>Multiply-accumulates per pixel with the taps for a sigma.</summary>
    public double MultiplyAccumulatesPerPixel(float sigma) => _terms * 2 * (2 * _radii[SetOf(sigma)] + 1);

    /// <summary>Enqueues the filter; does not wait.</summary>
    /// <param name="queue">In-order.</param>
    /// <param name="sigma">Chooses the taps.</param>
    /// <param name="input">float [H][W]; not modified.</param>
    /// <param name="output">float [H][W], overwritten; another one than the input.</param>
    /// <param name="combination">What the output becomes.</param>
    /// <param name="with">The other plane of the combination; may be the output.</param>
    public void Enqueue(CommandQueue queue, float sigma, DeviceBuffer<float> input, DeviceBuffer<float> output, Combination combination = Combination.Plain, DeviceBuffer<float>? with = null)
    {
        int set = SetOf(sigma), R = _radii[set];
        _rows.Kernel.Bind(0, input);
        _rows.Kernel.BindFrom(2, set, R);
        _rows.Enqueue(queue);
        _columns.Kernel.BindFrom(2, set, R, with ?? input, (int)combination, output);
        _columns.Enqueue(queue);
    }

    public void Dispose() => _owned.Dispose();

    private static int SetOf(float sigma) => (int)MathF.Round(sigma / InferenceSession.SigmaStep);

    /// <summary>Lays out a set as <c>restore/separable.cl</c> reads it; gives its radius.</summary>
    private static int Pack(SeparableTaps taps, int terms, SeparableWork work, Span<float> set)
    {
        int length = 2 * MaxRadius + 1, margin = work.Rows - 1, R = taps.Radius;
        for (int t = 0; t < terms; t++)
        {
            for (int k = 0; k <= 2 * R; k++)
            {
                double tap = taps.Half[t][Math.Abs(k - R)];
                set[t * length + k] = (float)tap;
                set[terms * length + (margin + k) * terms + t] = (float)(taps.Gains[t] * tap);
            }
        }
        return R;
    }
}

/// <summary>A sum of separable symmetric filters: sum over t of Gains[t] * tap_t(x) * tap_t(y).</summary>
/// <param name="Gains">[terms].</param>
/// <param name="Half">[terms][Radius + 1]: taps from the middle outwards.</param>
internal sealed record SeparableTaps(double[] Gains, double[][] Half)
{
    /// <summary>Taps to either side of the middle, at most <see cref="SeparableFilter.MaxRadius"/>.</summary>
    public int Radius => Half[0].Length - 1;

    /// <summary>The blur of the model: a Gaussian sampled up to 4 sigma, of sum 1.</summary>
    public static SeparableTaps Gaussian(double sigma)
    {
        double[] half = new double[sigma == 0 ? 1 : (int)Math.Ceiling(4 * sigma) + 1];
        for (int k = 0; k < half.Length; k++) half[k] = sigma == 0 ? 1 : Math.Exp(-0.5 * k * k / (sigma * sigma));
        double sum = 2 * half.Sum() - half[0];
        return new([1], [[.. half.Select(tap => tap / sum)]]);
    }
}

/// <summary>How the kernels share out their work; the macros of these names in <c>restore/separable.cl</c>.</summary>
internal sealed record SeparableWork(int Vector, int Run, int Rows, int Local)
{
    /// <summary>A strip per work-item, for CPUs.</summary>
    public static SeparableWork Cpu { get; } = new(Vector: 16, Run: 64, Rows: 8, Local: 1);

    /// <summary>A pixel, or four of a column, per work-item.</summary>
    public static SeparableWork Gpu { get; } = new(Vector: 1, Run: 1, Rows: 4, Local: 32);

    public static SeparableWork For(DeviceInfo device) => device.Type == ComputeDeviceType.Cpu ? Cpu : Gpu;

    public int SetFloats(int terms) => terms * (2 * (2 * SeparableFilter.MaxRadius + 1) + 2 * (Rows - 1));
}
