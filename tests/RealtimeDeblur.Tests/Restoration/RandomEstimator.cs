using RealtimeDeblur.Restoration;

namespace RealtimeDeblur.Tests.Restoration;

/// <summary>Untrained estimators for tests.</summary>
internal static class RandomEstimator
{
    public static EstimatorWeights Create(EstimatorShape shape, int seed = 1)
    {
        Random random = new(seed);
        float[] values = new float[shape.Count];
        for (int i = 0; i < values.Length; i++) values[i] = i < EstimatorShape.Features ? random.NextSingle() * 4 : (random.NextSingle() - 0.5f) * 0.6f;
        return new(shape, values, new Dictionary<string, string> { ["seed"] = $"{seed}" });
    }
}
