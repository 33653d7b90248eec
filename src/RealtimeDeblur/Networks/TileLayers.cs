using System.Collections.Immutable;
using RealtimeDeblur.Compute;

namespace RealtimeDeblur.Networks;

/// <summary>Device memory that the layers of a network take for one tile.</summary>
/// <param name="LargestBytes">Largest single buffer.</param>
/// <param name="TotalBytes">All buffers, weights left out.</param>
internal readonly record struct TileMemory(long LargestBytes, long TotalBytes)
{
    public static TileMemory Of(params ReadOnlySpan<long> floats)
    {
        long largest = 0, total = 0;
        foreach (long count in floats)
        {
            largest = Math.Max(largest, count * sizeof(float));
            total += count * sizeof(float);
        }
        return new(largest, total);
    }
}

/// <summary>The padded input of the layers: float [C][<see cref="Rows"/>][<see cref="Stride"/>], the tile's first sample at (<see cref="Pad"/>, <see cref="Pad"/>).</summary>
internal readonly record struct TileInputLayout(int Pad, int Stride, int Rows);

/// <summary>How kernels that copy rows share them out: a CPU's driver pays for every work-item, so each gets a whole row; on a GPU neighbours take neighbouring samples.</summary>
internal readonly record struct RowWork(int Run, WorkSize Local)
{
    public static RowWork For(DeviceInfo device) => device.Type == ComputeDeviceType.Cpu ? new(1 << 16, WorkSize.Single) : new(1, new(64));

    /// <summary>Work-items for so many rows; those past the end of a row have nothing to do.</summary>
    public WorkSize Global(int columns, int rows, int planes = 1) => new(WorkSize.Tiles(WorkSize.Tiles(columns, Run), Local.X) * Local.X, rows, planes);
}


/// <summary>The layers of a network on tiles of one size: weights packed and buffers allocated once, so that running them only enqueues.</summary>
internal interface ITileLayers : IDisposable
{
    TileInputLayout InputLayout { get; }

    /// <summary>Written by whoever loads a tile: the tile and, where the layout has a pad, its halo.</summary>
    DeviceBuffer<float> Input { get; }

    /// <summary>float [C][tileH][tileW], no gaps.</summary>
    DeviceBuffer<float> Output { get; }

    /// <summary>What turns <see cref="Input"/> into <see cref="Output"/>, in this order.</summary>
    ImmutableArray<Launch> Launches { get; }
}
