using RealtimeDeblur.Compute;
using RealtimeDeblur.Imaging;
using RealtimeDeblur.Networks;
using RealtimeDeblur.Restoration.Methods;

namespace RealtimeDeblur.Restoration;

/// <summary>Which estimator of sigma serves a method.</summary>
internal static class SigmaEstimators
{
    /// <summary>Filters know no degradation, and serve wherever real pictures come in.</summary>
    private const string WeightsOfFilters = "camera";

    /// <summary>What <see cref="SigmaSource.Own"/> means for a method.</summary>
    public static SigmaSource Resolve(SigmaSource source, RestorationMethod method) => source != SigmaSource.Own ? source : method.Filter?.SigmaFrom ?? SigmaSource.Ours;

    /// <summary>Makes an estimator.</summary>
    /// <param name="source">Which one; not <see cref="SigmaSource.Own"/>.</param>
    /// <param name="device">Where the frames are.</param>
    /// <param name="format">Of every frame.</param>
    /// <param name="method">Whose blur it is to estimate; may be null where <paramref name="learned"/> is given.</param>
    /// <param name="learned">For <see cref="SigmaSource.Ours"/>: what was learned; null takes what is installed for the method's blur.</param>
    /// <exception cref="IOException">No learned estimator is installed for the network's blur, or it cannot be read.</exception>
    /// <exception cref="InvalidDataException">The network does not say what it was trained on, or the estimator's file is damaged.</exception>
    public static ISigmaEstimator Create(SigmaSource source, ComputeDevice device, FrameFormat format, RestorationMethod? method, EstimatorWeights? learned) => source switch
    {
        SigmaSource.Polyblur => new PolyblurEstimator(device, format),
        SigmaSource.Spectrum => new SpectrumEstimator(device, format),
        _ => new SigmaEstimator(device, format, learned ?? (method?.Network is { } network ? WeightsFor(network) : EstimatorWeights.Load(WeightsOfFilters))),
    };

    /// <summary>The estimator that learned the blur on which the network was trained.</summary>
    /// <exception cref="IOException">It is not installed, or cannot be read.</exception>
    /// <exception cref="InvalidDataException">The network does not say what it was trained on, or the estimator's file is damaged.</exception>
    public static EstimatorWeights WeightsFor(Network network)
    {
        const string Advice = "Set sigma yourself, e.g. --sigma 1.6 (DeblurOptions.Sigma), or leave it at a middle value with --sigma off.";
        if (!network.TrainingRecord.TryGetValue("degradation", out string? degradation))
            throw new InvalidDataException($"{network.Name} does not say what blur it was trained on (no 'degradation' in its training record), so sigma cannot be estimated for it. {Advice}");
        try
        {
            return EstimatorWeights.Load(degradation);
        }
        catch (FileNotFoundException e)
        {
            throw new FileNotFoundException($"{network.Name} was trained on '{degradation}' blur, and no estimator of its sigma is installed. {Advice}", e);
        }
    }
}
