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

/// <summary>A kernel with its arguments bound, and how many work-items it takes.</summary>
internal readonly record struct Launch(Kernel Kernel, WorkSize Global, WorkSize Local);

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
