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

/// <summary>The layers of a network on tiles of one size: weights handed over and buffers allocated once, so that running them only enqueues.</summary>
internal interface ITileLayers : IDisposable
{
    /// <summary>From the samples of a frame to its restored samples, in this order. The last one's kernel takes RESTORED_ARGUMENTS.</summary>
    ImmutableArray<Launch> Launches { get; }

    /// <summary>Kernels among them whose arguments begin with FRAME_ARGUMENTS, the last one among them.</summary>
    ImmutableArray<Kernel> FrameKernels { get; }
}

/// <summary>Disposes what it was given, the last first; where a constructor fails half-way, what there is so far.</summary>
internal sealed class Owned : IDisposable
{
    private readonly Stack<IDisposable> _owned = new();

    public T Add<T>(T resource) where T : IDisposable
    {
        _owned.Push(resource);
        return resource;
    }

    public void Dispose()
    {
        while (_owned.TryPop(out IDisposable? resource)) resource.Dispose();
    }
}
