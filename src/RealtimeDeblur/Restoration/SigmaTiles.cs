using RealtimeDeblur.Compute;
using RealtimeDeblur.Networks;

namespace RealtimeDeblur.Restoration;

/// <summary>The statistics of a frame's tiles (<c>restore/sigma_features.cl</c>): the kernel, made ready for frames of one layout. The caller disposes it.</summary>
internal sealed class SigmaTiles : IDisposable
{
    /// <summary>Side of a tile in pixels.</summary>
    public const int Side = 32;

    /// <summary>Smallest side of a frame, in pixels: below it mirrored pixels would outnumber the frame's own by more than three to one.</summary>
    public const int MinimumSide = 16;

    /// <summary>Tiles at most: 10 multiply-accumulates per pixel of a 1920x1080 frame.</summary>
    public const int MaxTiles = 360;

    /// <summary>Multiply-accumulates for the statistics of a tile.</summary>
    public const long MultiplyAccumulates = SpectrumMultiplyAccumulates + 12_000;

    /// <summary>Multiply-accumulates for the spectrum of a tile alone (<c>restore/tile_spectrum.cl</c>).</summary>
    public const long SpectrumMultiplyAccumulates = 33_000;

    // Neighbouring tiles overlap by half at most: what is left out at the window's edge in one is in the middle of the next.
    private const int ClosestStart = Side / 2;

    private readonly Kernel _kernel;
    private readonly int _lanes;

    /// <param name="device">Where to run.</param>
    /// <param name="samples">Of one channel, at least <see cref="MinimumSide"/> on both sides.</param>
    /// <param name="maxTiles">Fewer than <see cref="MaxTiles"/> where speed matters more.</param>
    /// <param name="lanes">Work-items per tile: 1 or 32; 0 chooses by the device.</param>
    public SigmaTiles(ComputeDevice device, SampleLayout samples, int maxTiles = MaxTiles, int lanes = 0)
    {
        (Columns, Rows) = Grid(samples.W, samples.H, maxTiles);
        _lanes = lanes > 0 ? lanes : Lanes(device);
        _kernel = device.Build("restore/sigma_features.cl", $"{samples.Options} -DLANES={_lanes}").CreateKernel("sigma_features");
        Features = device.Allocate<float>((long)Count * EstimatorShape.Features);
        samples.Bind(_kernel);
        SampleLayout.BindOrigin(_kernel, 0, 0);
        _kernel.BindFrom(SampleLayout.AfterFrame, Features, Columns, Rows);
    }

    /// <summary>Tiles from left to right.</summary>
    public int Columns { get; }

    /// <summary>Tiles from top to bottom.</summary>
    public int Rows { get; }

    public int Count => Columns * Rows;

    /// <summary>float [Rows*Columns][<see cref="EstimatorShape.Features"/>], overwritten by every run.</summary>
    public DeviceBuffer<float> Features { get; }

    /// <summary>Work-items that share a tile or a frame: one on a CPU, which has vectors, 32 elsewhere.</summary>
    public static int Lanes(ComputeDevice device) => device.Info.Type == ComputeDeviceType.Cpu ? 1 : 32;

    /// <summary>How many tiles a frame gets in each direction: as many as lie <see cref="ClosestStart"/> apart, but thinned out in both directions alike to the maximum.</summary>
    public static (int Columns, int Rows) Grid(int W, int H, int maxTiles)
    {
        int columns = Math.Max(W - Side, 0) / ClosestStart + 1, rows = Math.Max(H - Side, 0) / ClosestStart + 1;
        double share = Math.Sqrt(Math.Min(1, (double)maxTiles / ((long)columns * rows)));
        // A frame that is long and narrow keeps a row or column whole.
        int thinnedRows = Math.Clamp((int)(rows * share), 1, maxTiles);
        return (Math.Clamp((int)(columns * share), 1, maxTiles / thinnedRows), thinnedRows);
    }

    /// <summary>Enqueues the statistics of a frame; does not wait.</summary>
    public void Enqueue(CommandQueue queue, KernelArgument frame, params ReadOnlySpan<ComputeEvent> waitFor)
    {
        SampleLayout.BindFrame(_kernel, frame);
        _kernel.Enqueue(queue, new(_lanes, Columns, Rows), new(_lanes), waitFor);
    }

    public void Dispose()
    {
        _kernel.Dispose();
        Features.Dispose();
    }
}
