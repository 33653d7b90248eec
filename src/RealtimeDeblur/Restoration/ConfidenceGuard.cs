using RealtimeDeblur.Compute;
using RealtimeDeblur.Imaging;
using RealtimeDeblur.Networks;

namespace RealtimeDeblur.Restoration;

/// <summary>
/// Takes back a network's correction where the frame was not blurred as the network was told: at captions and whatever else is sharp already, round clipped highlights, and where there is nothing but noise.
/// Enqueue it after the network, with the sigma that the network restores. What it computes, and the figures behind its constants, are in <c>kernels/restore/confidence.cl</c>.
/// Allocates nothing after construction. One thread at a time; the caller disposes it, after the queue it ran on has finished.
/// </summary>
/// <remarks>
/// In the spirit of outlier confidence in deconvolution (Cho, Wang, Lee, "Handling outliers in non-blind image deconvolution", ICCV 2011), but for regions, from the frame's spectrum alone.
/// </remarks>
internal sealed class ConfidenceGuard : IDisposable
{
    /// <summary>Pixels of a cell to either side; CELL of the kernels.</summary>
    private const int Cell = 4;

    private const int FrameArguments = SampleLayout.AfterFrame;

    private readonly SampleLayout _samples;
    private readonly Owned _owned = new();
    private readonly Launch _energy;
    private readonly Launch _noise;
    private readonly Launch _factors;
    private readonly Launch _spread;
    private readonly Launch _apply;
    private readonly int _cellsW;
    private readonly int _cellsH;

    /// <param name="device">Stays the caller's and must outlive the guard.</param>
    /// <param name="format">Of every frame.</param>
    public ConfidenceGuard(ComputeDevice device, FrameFormat format)
        : this(device, format, ConfidenceWork.For(device.Info))
    {
    }

    internal ConfidenceGuard(ComputeDevice device, FrameFormat format, ConfidenceWork work)
    {
        // The map is one of luma whatever the network restores.
        _samples = SampleLayout.Of(format, C: 1);
        (_cellsW, _cellsH) = ((format.Width + Cell - 1) / Cell, (format.Height + Cell - 1) / Cell);
        try
        {
            KernelProgram program = device.Build("restore/confidence.cl", $"{_samples.Options}{work.Options}");
            DeviceBuffer<float> table = _owned.Add(device.Allocate<float>((ReadOnlySpan<float>)ConfidenceTable.Create()));
            Energy = _owned.Add(device.Allocate<float>(3L * _cellsW * _cellsH));
            Noise = _owned.Add(device.Allocate<float>(1));
            DeviceBuffer<float> factors = _owned.Add(device.Allocate<float>(2L * _cellsW * _cellsH));
            Confidence = _owned.Add(device.Allocate<float>((long)_cellsW * _cellsH));

            Kernel energy = Kernel(work.IsTiled ? "confidence_energy_tile" : "confidence_energy_rows");
            if (work.IsTiled)
            {
                _energy = new(energy, new(WorkSize.Tiles(format.Width, work.TileW) * work.LocalW, WorkSize.Tiles(format.Height, work.TileH) * work.LocalH), new(work.LocalW, work.LocalH));
            }
            else
            {
                long strips = WorkSize.Tiles(format.Width, work.Strip);
                long segments = KernelFamilies.Segments(device.Info, strips, work.ItemsPerUnit);
                int segment = (int)WorkSize.Tiles(WorkSize.Tiles(format.Height, segments), Cell) * Cell;
                energy.Bind(FrameArguments + 6, segment);
                _energy = new(energy, new(strips, WorkSize.Tiles(format.Height, segment)), WorkSize.Single);
            }
            _samples.Bind(energy);
            SampleLayout.BindOrigin(energy, 0, 0);
            energy.Bind(FrameArguments, table);
            energy.BindFrom(FrameArguments + 3, Energy, _cellsW, _cellsH);

            Kernel noise = Kernel("confidence_noise");
            noise.Bind(Energy, table, 0, _cellsW, _cellsH, Noise);
            _noise = new(noise, new(work.LocalBlocks), new(work.LocalBlocks));

            Kernel factor = Kernel("confidence_factors");
            factor.Bind(Energy, Noise, table, 0, _cellsW, _cellsH, factors);
            _factors = OverCells(factor, work.FactorCells);

            Kernel spread = Kernel("confidence_spread");
            spread.Bind(factors, _cellsW, _cellsH, Confidence);
            _spread = OverCells(spread, work.FactorCells);

            Kernel apply = Kernel("confidence_apply");
            _samples.Bind(apply);
            SampleLayout.BindOrigin(apply, 0, 0);
            apply.BindFrom(FrameArguments + 1, Confidence, _cellsW, _cellsH);
            _apply = OverCells(apply, work.ApplyCells);

            Kernel Kernel(string name) => _owned.Add(program.CreateKernel(name));

            Launch OverCells(Kernel kernel, int cells)
            {
                long columns = WorkSize.Tiles(_cellsW, cells);
                return new(kernel, new(WorkSize.Tiles(columns, work.CellsLocalW) * work.CellsLocalW, WorkSize.Tiles(_cellsH, work.CellsLocalH) * work.CellsLocalH), new(work.CellsLocalW, work.CellsLocalH));
            }
        }
        catch
        {
            Dispose();
            throw;
        }
    }

    /// <summary>float [3][cells down][cells across]; for tests to look at, like the others here.</summary>
    internal DeviceBuffer<float> Energy { get; }

    /// <summary>Variance of the last frame's noise.</summary>
    internal DeviceBuffer<float> Noise { get; }

    /// <summary>float [cells down][cells across], before smoothing.</summary>
    internal DeviceBuffer<float> Confidence { get; }

    /// <summary>Enqueues the guard on a frame; does not wait.</summary>
    /// <param name="queue">In-order queue of the guard's device.</param>
    /// <param name="frame">Buffer that begins with plane 0 of the frame as the network read it. Not modified.</param>
    /// <param name="restored">What the network made of it, in full strength. Not modified.</param>
    /// <param name="output">Another buffer of the same layout, overwritten.</param>
    /// <param name="sigma">Of the blur that the network restored, in pixels, 0 or more; above <see cref="ConfidenceTable.MaxSigma"/> it counts as that.</param>
    /// <param name="strength">Share of the change that is written, 0 to 1.</param>
    /// <param name="view">What to write.</param>
    /// <returns>The event of the last launch; the caller disposes it.</returns>
    internal ComputeEvent Enqueue(CommandQueue queue, KernelArgument frame, KernelArgument restored, KernelArgument output, float sigma, float strength, DeblurView view)
    {
        int row = ConfidenceTable.RowOf(sigma);
        SampleLayout.BindFrame(_energy.Kernel, frame);
        _energy.Kernel.BindFrom(FrameArguments + 1, row, ConfidenceTable.Radius(row));
        _energy.Enqueue(queue);
        _noise.Kernel.Bind(2, row);
        _noise.Enqueue(queue);
        _factors.Kernel.Bind(3, row);
        _factors.Enqueue(queue);
        _spread.Enqueue(queue);
        SampleLayout.BindFrame(_apply.Kernel, frame);
        _apply.Kernel.Bind(FrameArguments, restored);
        _apply.Kernel.BindFrom(FrameArguments + 4, output, strength, view == DeblurView.Confidence ? 1 : 0);
        return _apply.EnqueueWithEvent(queue);
    }

    public void Dispose() => _owned.Dispose();
}

/// <summary>How the guard's kernels share out their work; the macros of that name in <c>restore/confidence.cl</c>.</summary>
internal sealed record ConfidenceWork(bool IsTiled, int LocalW, int LocalH, int TileW, int TileH, int LocalBlocks, int FactorCells, int ApplyCells, int CellsLocalW, int CellsLocalH)
{
    /// <summary>Strips of rows, for CPUs.</summary>
    public static ConfidenceWork Rows { get; } = new(IsTiled: false, LocalW: 32, LocalH: 8, TileW: 32, TileH: 16, LocalBlocks: 1, FactorCells: 64, ApplyCells: 64, CellsLocalW: 1, CellsLocalH: 1);

    /// <summary>A work-group per tile, and a work-item per cell, for GPUs.</summary>
    public static ConfidenceWork Tiles { get; } = new(IsTiled: true, LocalW: 32, LocalH: 8, TileW: 32, TileH: 16, LocalBlocks: 256, FactorCells: 1, ApplyCells: 1, CellsLocalW: 32, CellsLocalH: 4);

    private const int TileBytes = 20 << 10;     // of local memory, with some for the compiler

    /// <summary>A good choice for a device. Strips run everywhere; tiles need the room for them.</summary>
    public static ConfidenceWork For(DeviceInfo device) =>
        device.Type == ComputeDeviceType.Cpu || device.MaxWorkGroupSize < Tiles.LocalBlocks || device.LocalMemoryBytes < TileBytes ? Rows : Tiles;

    /// <summary>Columns of a work-item of strips.</summary>
    public int Strip { get; init; } = 128;

    /// <summary>Work-items of strips for each compute unit, so that none waits long for the others.</summary>
    public int ItemsPerUnit { get; init; } = 8;

    public string Options => $" -DSTRIP={Strip} -DLOCAL_W={LocalW} -DLOCAL_H={LocalH} -DTILE_W={TileW} -DTILE_H={TileH} -DLOCAL_BLOCKS={LocalBlocks} -DFACTOR_CELLS={FactorCells} -DAPPLY_CELLS={ApplyCells}";
}
