using System.Runtime.InteropServices;
using RealtimeDeblur.Compute;

namespace RealtimeDeblur.Restoration.Methods;

/// <summary>Sigmas on their way from the device, in a ring of host memory: for estimates that nobody waits for. The caller disposes it, after the queue has finished.</summary>
internal sealed unsafe class SigmaReadings : IDisposable
{
    /// <summary>Relative uncertainty of Polyblur's estimate: that of two of three photographs where half are within 16 %, see <see cref="PolyblurEdges.Slope"/>.</summary>
    public const float Spread = 0.25f;

    private readonly float* _sigmas = (float*)NativeMemory.Alloc(ISigmaEstimator.MaxInFlight, sizeof(float));
    private bool _disposed;

    /// <summary>Enqueues the copy of a frame's sigma.</summary>
    /// <param name="queue">In-order.</param>
    /// <param name="estimates">As <see cref="PolyblurEdges.Estimates"/>.</param>
    /// <param name="frame">Number of the frame; the one <see cref="ISigmaEstimator.MaxInFlight"/> before it is forgotten.</param>
    /// <returns>The event of its arrival; the caller disposes it.</returns>
    public ComputeEvent Enqueue(CommandQueue queue, DeviceBuffer<float> estimates, long frame) =>
        estimates.ReadAsync(queue, _sigmas + frame % ISigmaEstimator.MaxInFlight, 1, PolyblurEdges.SigmaAt);

    /// <summary>What a frame told, whose copy has arrived.</summary>
    public SigmaEstimate this[long frame]
    {
        get
        {
            float sigma = _sigmas[frame % ISigmaEstimator.MaxInFlight];
            return sigma > 0 ? new(sigma, Spread, sigma < SigmaEstimate.SharpLimit) : SigmaEstimate.Unknown;
        }
    }

    public void Dispose()
    {
        if (_disposed) return;
        _disposed = true;
        NativeMemory.Free(_sigmas);
    }
}
