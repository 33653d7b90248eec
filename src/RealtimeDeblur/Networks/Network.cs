namespace RealtimeDeblur.Networks;

/// <summary>Weights of one convolution, as documents order them.</summary>
/// <param name="Weight">[K][C][Size][Size], row-major.</param>
/// <param name="Bias">[K].</param>
public sealed record LayerWeights(float[] Weight, float[] Bias);

/// <summary>A network ready to run: its description, its weights, and the record of how they came to be. Immutable by convention: nobody writes to the arrays after construction.</summary>
public sealed class Network
{
    /// <param name="name">What messages call it, usually the file name without its ending.</param>
    /// <param name="description">Shape.</param>
    /// <param name="weights">One entry per layer. Takes ownership.</param>
    /// <param name="trainingRecord">Free text pairs for the file's metadata (data, degradation, seed, steps, figures).</param>
    /// <exception cref="ArgumentException">An array's length does not match the description.</exception>
    public Network(string name, NetworkDescription description, IReadOnlyList<LayerWeights> weights, IReadOnlyDictionary<string, string>? trainingRecord = null)
    {
        if (weights.Count != description.Layers.Count)
            throw new ArgumentException($"{name}: {weights.Count} layers of weights for a network of {description.Layers.Count}.", nameof(weights));
        for (int i = 0; i < weights.Count; i++)
        {
            ConvolutionLayer layer = description.Layers[i];
            if (weights[i].Weight.Length != layer.WeightCount || weights[i].Bias.Length != layer.K)
                throw new ArgumentException($"{name}: layer '{layer.Name}' has {weights[i].Weight.Length} weights and {weights[i].Bias.Length} biases, the network needs {layer.WeightCount} and {layer.K}.", nameof(weights));
        }
        Name = name;
        Description = description;
        Weights = weights;
        TrainingRecord = trainingRecord ?? new Dictionary<string, string>();
    }

    public string Name { get; }

    public NetworkDescription Description { get; }

    public IReadOnlyList<LayerWeights> Weights { get; }

    public IReadOnlyDictionary<string, string> TrainingRecord { get; }
}
