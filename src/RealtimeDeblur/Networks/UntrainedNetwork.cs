namespace RealtimeDeblur.Networks;

/// <summary>Networks with seeded random weights, for measuring speed where no trained ones are at hand: the time does not depend on the values.</summary>
internal static class UntrainedNetwork
{
    /// <summary>Makes a network of a shape by name.</summary>
    /// <exception cref="KeyNotFoundException">The name is not one of <see cref="NetworkShapes.Names"/>.</exception>
    public static Network Create(string name) => Create(NetworkShapes.Of(name), seed: 1);

    /// <summary>Makes a network whose maps keep about the size of their input (He et al., arXiv 1502.01852).</summary>
    public static Network Create(NetworkDescription description, int seed)
    {
        var random = new Random(seed);
        LayerWeights[] weights = [.. description.Layers.Select(layer =>
        {
            double bound = Math.Sqrt(6.0 / (layer.C * layer.Size * layer.Size));
            return new LayerWeights(Uniform(layer.WeightCount * description.WeightSets, bound), Uniform(layer.K * description.WeightSets, 0.1));
        })];
        return new($"{description.Architecture} (random weights)", description, weights);

        float[] Uniform(int count, double bound)
        {
            float[] values = new float[count];
            for (int i = 0; i < count; i++) values[i] = (float)((2 * random.NextDouble() - 1) * bound);
            return values;
        }
    }
}
