using RealtimeDeblur.Compute;
using RealtimeDeblur.Imaging;
using RealtimeDeblur.Networks;

namespace RealtimeDeblur.Restoration;

/// <summary>A network, and the guard on what it changes where it is conditioned on sigma. It finds the blur by itself where that changes over the frame (<see cref="VaryingNetwork"/>).</summary>
internal sealed class NetworkRestorer : IBlindRestorer
{
    private readonly Owned _owned = new();
    private readonly ComputeDevice _device;
    private readonly Network _network;
    private readonly FrameFormat _format;
    private readonly EstimatorWeights? _learned;
    private readonly ConfidenceGuard? _guard;
    private readonly DeviceBuffer<byte>? _unguarded;
    private readonly SigmaEstimate[] _found = new SigmaEstimate[ISigmaEstimator.MaxInFlight];
    private VaryingNetwork? _varying;

    /// <param name="device">Stays the caller's and must outlive the restorer.</param>
    /// <param name="network">How to restore.</param>
    /// <param name="format">Of every frame.</param>
    /// <param name="plan">Which kernels; null as for <see cref="InferenceSession"/>.</param>
    /// <param name="memoryLimitBytes">What the layers may take in all; null decides by the device.</param>
    /// <param name="learned">Our estimator, for blur that changes over the frame; null takes what is installed for the network's.</param>
    public NetworkRestorer(ComputeDevice device, Network network, FrameFormat format, InferencePlan? plan, long? memoryLimitBytes, EstimatorWeights? learned = null)
    {
        (_device, _network, _format, _learned) = (device, network, format, learned);
        try
        {
            Session = _owned.Add(new InferenceSession(device, network, SampleLayout.Of(format, network.Description.C), plan, memoryLimitBytes));
            if (!network.IsConditioned) return;
            _guard = _owned.Add(new ConfidenceGuard(device, format));
            // One is enough: the guard reads it before the next frame's network writes it.
            PlaneLayout plane = format.Plane(0);
            _unguarded = _owned.Add(device.Allocate<byte>((long)plane.StrideBytes * plane.Height));
        }
        catch
        {
            _owned.Dispose();
            throw;
        }
    }

    public InferenceSession Session { get; }

    public float NearestSigma(float sigma) => Session.NearestSigma(sigma);

    public double MultiplyAccumulatesPerPixel(float sigma) => Session.MacPerPixel;

    public long Enqueued { get; private set; }

    public bool FindsBlur(DeblurOptions options) => _network.IsConditioned && _network.Description.C == 1 && options.Sigma.IsPerTile && (options.SigmaFrom is SigmaSource.Own or SigmaSource.Ours);

    public SigmaEstimate Found(long frame) => _found[frame % _found.Length];

    public void Restart()
    {
        _varying ??= _owned.Add(new VaryingNetwork(_device, _network, _format, _learned));
        _varying.Map.Restart();
    }

    public float[] Save(CommandQueue queue) => _varying!.Map.Save();

    public void Load(CommandQueue queue, ReadOnlySpan<float> saved) => _varying!.Map.Load(saved);

    public ComputeEvent Enqueue(CommandQueue queue, KernelArgument frame, KernelArgument restored, FrameBlur blur, DeblurOptions options, params ReadOnlySpan<ComputeEvent> waitFor)
    {
        if (_network.IsConditioned && blur.Sigma is null)
        {
            ComputeEvent done = _varying!.Enqueue(queue, frame, restored, blur.IsAlone, options, waitFor);
            _found[++Enqueued % _found.Length] = _varying.Map.Typical;
            return done;
        }
        if (blur.Sigma is { } known) Session.SetSigma(queue, known);
        if (_guard is null || blur.Sigma is not { } sigma || !(options.Guard || options.View == DeblurView.Confidence)) return Session.Enqueue(queue, frame, restored, options.Strength, waitFor);
        Session.Enqueue(queue, frame, _unguarded!, strength: 1, waitFor).Dispose();
        return _guard.Enqueue(queue, frame, _unguarded!, restored, Session.Sigma ?? sigma, options.Strength, options.View);
    }

    public void Dispose() => _owned.Dispose();
}
