using RealtimeDeblur.Networks;

namespace RealtimeDeblur.Tests.Networks;

/// <summary>Networks with random weights, scaled so that maps keep about the size of their input (He et al., arXiv 1502.01852).</summary>
internal static class RandomNetwork
{
    public static Network Create(NetworkDescription description, int seed, Dictionary<string, string>? record = null)
    {
        Random random = new(seed);
        return new("random", description, [.. description.Layers.Select(layer => Layer(layer, random, description.WeightSets))], record);
    }

    public static LayerWeights Layer(ConvolutionLayer layer, int seed) => Layer(layer, new Random(seed), sets: 1);

    /// <summary>The sets of a conditioned network have nothing in common: what a wrong knot does shows.</summary>
    private static LayerWeights Layer(ConvolutionLayer layer, Random random, int sets)
    {
        double scale = Math.Sqrt(6.0 / (layer.C * layer.Size * layer.Size));
        return new(Uniform(layer.WeightCount * sets, scale), Uniform(layer.K * sets, 0.1));

        float[] Uniform(int count, double scale)
        {
            float[] values = new float[count];
            for (int i = 0; i < count; i++) values[i] = (float)((2 * random.NextDouble() - 1) * scale);
            return values;
        }
    }
}
