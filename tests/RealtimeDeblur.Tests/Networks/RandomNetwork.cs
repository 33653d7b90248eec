using RealtimeDeblur.Networks;

namespace RealtimeDeblur.Tests.Networks;

/// <summary>Networks with random weights, scaled so that maps keep about the size of their input (He et al., arXiv 1502.01852).</summary>
internal static class RandomNetwork
{
    public static Network Create(NetworkDescription description, int seed, Dictionary<string, string>? record = null)
    {
        Random random = new(seed);
        List<LayerWeights> weights = [];
        foreach (ConvolutionLayer layer in description.Layers)
        {
            double scale = Math.Sqrt(6.0 / (layer.C * layer.Size * layer.Size));
            weights.Add(new(Uniform(layer.WeightCount, scale), Uniform(layer.K, 0.1)));
        }
        return new("random", description, weights, record);

        float[] Uniform(int count, double scale)
        {
            float[] values = new float[count];
            for (int i = 0; i < count; i++) values[i] = (float)((2 * random.NextDouble() - 1) * scale);
            return values;
        }
    }
}
