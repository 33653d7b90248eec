using System.Globalization;
using RealtimeDeblur.Compute;
using RealtimeDeblur.Networks;

namespace RealtimeDeblur.Restoration.Methods;

/// <summary>
/// Blur of a frame and of its tiles from its steepest gradients, left on the device (<c>restore/polyblur_estimate.cl</c>, which cites the paper). Maxima are remembered from frame to frame where that is asked for.
/// One thread at a time; the caller disposes it, after the queue it ran on has finished.
/// </summary>
internal sealed class PolyblurEdges : IDisposable
{
    /// <summary>Side in pixels of the cells that maxima are kept for; a tile is four of them.</summary>
    public const int Cell = 64;

    /// <summary>Floats of an estimate in <see cref="Estimates"/>.</summary>
    public const int EstimateFloats = 8;

    /// <summary>Position of the geometric mean of both sigmas in an estimate; 0 where nothing is known.</summary>
    public const int SigmaAt = 3;

    /// <summary>Position of the steepest slope along the direction of the widest blur in an estimate; the one across follows.</summary>
    public const int SmallestSlopeAt = 4;

    /// <summary>Multiply-accumulates per pixel.</summary>
    public const double MultiplyAccumulates = 30;

    /// <summary>
    /// Constants of the model, sigma^2 = Slope^2 / m^2 - Own^2, fitted by the published protocol on two patches of each of 231 photographs for training, rounded to 8 bits and without noise
    /// (<c>RealtimeDeblur.Benchmarks -- polyblur-fit DIR --patches 2 --noise 0 0</c>). With the published noise of 1 to 3 % the fit is 0.4491 and 1.2174, which takes clean frames of sigma 0.7 for sharp.
    /// Half of the errors there are within 21 % at sigma 0.7 to 1.2, 16 % up to 1.8, 13 % up to 2.5 and 11 % up to 4. Below 0.7 photographs are blurred as much by themselves.
    /// </summary>
    public const float Slope = 0.4183f, Own = 1.0024f;

    private const int Bins = 1024, CellFloats = 8;

    private readonly Owned _owned = new();
    private readonly Launch _histogram;
    private readonly Launch _range;
    private readonly Launch _forget;
    private readonly Launch _maxima;
    private readonly Launch _frame;
    private readonly Launch _tiles;

    /// <param name="device">Stays the caller's and must outlive this.</param>
    /// <param name="plane">float [H][W], working values, which every run reads.</param>
    /// <param name="W">Columns.</param>
    /// <param name="H">Rows.</param>
    public PolyblurEdges(ComputeDevice device, DeviceBuffer<float> plane, int W, int H)
    {
        bool isCpu = device.Info.Type == ComputeDeviceType.Cpu;
        int columns = isCpu ? Cell : 1, histogramColumns = isCpu ? 1024 : 1, localX = isCpu ? 1 : 32;
        const int HistogramRows = 32;
        (CellsW, CellsH) = ((W + Cell - 1) / Cell, (H + Cell - 1) / Cell);
        try
        {
            KernelProgram program = device.Build("restore/polyblur_estimate.cl", string.Create(CultureInfo.InvariantCulture,
                $"-DLANES={(isCpu ? 16 : 1)} -DCOLUMNS={columns} -DHISTOGRAM_COLUMNS={histogramColumns} -DHISTOGRAM_ROWS={HistogramRows} -DHISTOGRAM_PRIVATE={(isCpu ? 1 : 0)} -DCELL={Cell} -DSLOPE={Slope}f -DOWN={Own}f"));
            DeviceBuffer<uint> histogram = _owned.Add(device.Allocate<uint>(new uint[Bins]));
            Range = _owned.Add(device.Allocate<float>(2));
            Maxima = _owned.Add(device.Allocate<float>(new float[CellsW * CellsH * CellFloats]));
            Estimates = _owned.Add(device.Allocate<float>((1L + (CellsW + 1) * (CellsH + 1)) * EstimateFloats));

            _histogram = new(Kernel("polyblur_histogram").Bind(plane, W, H, histogram), new(Whole(WorkSize.Tiles(W, histogramColumns)), WorkSize.Tiles(H, HistogramRows)), new(localX));
            _range = new(Kernel("polyblur_range").Bind(histogram, W, H, Range), WorkSize.Single, WorkSize.Single);
            _forget = new(Kernel("polyblur_forget").Bind(Maxima, 0f, (int)Maxima.Count), new(Whole(Maxima.Count)), new(localX));
            _maxima = new(Kernel("polyblur_maxima").Bind(plane, W, H, Range, Maxima, CellsW), new((long)Cell / columns * CellsW, CellsH), new(localX));
            _frame = new(Kernel("polyblur_frame").Bind(Maxima, CellsW * CellsH, Estimates), WorkSize.Single, WorkSize.Single);
            _tiles = new(Kernel("polyblur_tiles").Bind(Maxima, CellsW, CellsH, Estimates), new(Whole(CellsW + 1), CellsH + 1), new(localX));

            Kernel Kernel(string name) => _owned.Add(program.CreateKernel(name));
            long Whole(long items) => WorkSize.Tiles(items, localX) * localX;
        }
        catch
        {
            _owned.Dispose();
            throw;
        }
    }

    /// <summary>Cells from left to right.</summary>
    public int CellsW { get; }

    /// <summary>Cells from top to bottom.</summary>
    public int CellsH { get; }

    /// <summary>float [1 + (CellsH+1)*(CellsW+1)][<see cref="EstimateFloats"/>]: that of the frame, then those of tiles.</summary>
    public DeviceBuffer<float> Estimates { get; }

    /// <summary>Maxima of cells, which is all that frames remember.</summary>
    public DeviceBuffer<float> Maxima { get; }

    /// <summary>Lowest level and the reciprocal of the contrast; for tests to look at.</summary>
    internal DeviceBuffer<float> Range { get; }

    /// <summary>Enqueues the estimates of what the plane holds; does not wait.</summary>
    /// <param name="queue">In-order.</param>
    /// <param name="keep">What earlier maxima are worth, 0 for nothing to less than 1.</param>
    /// <param name="perTile">Whether those of tiles are wanted as well.</param>
    public void Enqueue(CommandQueue queue, float keep, bool perTile)
    {
        _histogram.Enqueue(queue);
        _range.Enqueue(queue);
        _forget.Kernel.Bind(1, keep);
        _forget.Enqueue(queue);
        _maxima.Enqueue(queue);
        _frame.Enqueue(queue);
        if (perTile) _tiles.Enqueue(queue);
    }

    public void Dispose() => _owned.Dispose();
}
