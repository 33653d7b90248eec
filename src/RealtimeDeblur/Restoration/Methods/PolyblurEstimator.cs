using RealtimeDeblur.Compute;
using RealtimeDeblur.Imaging;
using RealtimeDeblur.Networks;

namespace RealtimeDeblur.Restoration.Methods;

/// <summary>The estimator of Polyblur, for any method: the Gaussian that is as wide as the frame's on the geometric mean.</summary>
/// <remarks>
/// <see cref="PolyblurEdges"/> says how it is found. It takes every frame to have an edge of full contrast in every direction; where there is none, as in soft portraits, it errs high.
/// Frames with no pixel further than 8 from every side, or without contrast, give <see cref="SigmaEstimate.Unknown"/>.
/// </remarks>
internal sealed class PolyblurEstimator : ISigmaEstimator
{
    private readonly Owned _owned = new();
    private readonly PlaneConversion _conversion;
    private readonly DeviceBuffer<float> _plane;
    private readonly PolyblurEdges _edges;
    private readonly SigmaReadings _readings;
    private readonly ComputeEvent[] _arrivals = new ComputeEvent[ISigmaEstimator.MaxInFlight];
    private long _read;
    private long _enqueued;
    private bool _disposed;

    /// <param name="device">Stays the caller's and must outlive the estimator.</param>
    /// <param name="format">Of every frame.</param>
    /// <exception cref="OpenClException">The device has too little memory, or its compiler failed.</exception>
    public PolyblurEstimator(ComputeDevice device, FrameFormat format) : this(device, SampleLayout.Of(format, C: 1))
    {
    }

    internal PolyblurEstimator(ComputeDevice device, SampleLayout samples)
    {
        try
        {
            _conversion = _owned.Add(new PlaneConversion(device, samples));
            _plane = _owned.Add(device.Allocate<float>((long)samples.W * samples.H));
            _edges = _owned.Add(new PolyblurEdges(device, _plane, samples.W, samples.H));
            _readings = _owned.Add(new SigmaReadings());
        }
        catch
        {
            _owned.Dispose();
            throw;
        }
    }

    public int InFlight => (int)(_enqueued - _read);

    public double MultiplyAccumulatesPerPixel => PolyblurEdges.MultiplyAccumulates;

    /// <summary>What the device found in the frame enqueued last.</summary>
    internal DeviceBuffer<float> Estimates => _edges.Estimates;

    public void Enqueue(CommandQueue queue, KernelArgument frame, params ReadOnlySpan<ComputeEvent> waitFor)
    {
        ObjectDisposedException.ThrowIf(_disposed, this);
        if (InFlight == ISigmaEstimator.MaxInFlight) throw new InvalidOperationException($"{ISigmaEstimator.MaxInFlight} estimates wait to be read: read one before enqueuing the next frame.");
        _conversion.FromFrame(queue, frame, _plane, waitFor);
        _edges.Enqueue(queue, keep: 0, perTile: false);
        _arrivals[_enqueued % _arrivals.Length] = _readings.Enqueue(queue, _edges.Estimates, _enqueued);
        _enqueued++;
    }

    public SigmaEstimate Read()
    {
        if (InFlight == 0) throw new InvalidOperationException("No frame is in flight: enqueue one first.");
        long frame = _read++;
        using ComputeEvent arrival = _arrivals[frame % _arrivals.Length];
        arrival.Wait();
        return _readings[frame];
    }

    public void Dispose()
    {
        if (_disposed) return;
        _disposed = true;
        ISigmaEstimator.Drain(this);
        _owned.Dispose();
    }
}
