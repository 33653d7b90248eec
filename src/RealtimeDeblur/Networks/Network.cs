namespace RealtimeDeblur.Networks;

/// <summary>Weights of one convolution, as documents order them. In a network conditioned on sigma a dimension for the knots comes first.</summary>
/// <param name="Weight">[K][C][Size][Size], row-major; [knots][K][C][Size][Size] where <see cref="NetworkDescription.SigmaKnots"/> has any.</param>
/// <param name="Bias">[K], or [knots][K].</param>
internal sealed record LayerWeights(float[] Weight, float[] Bias);

/// <summary>A network ready to run: its description, its weights, and the record of how they came to be. Immutable by convention: nobody writes to the arrays after construction.</summary>
public sealed class Network
{
    /// <param name="name">What messages call it, usually the file name without its ending.</param>
    /// <param name="description">Shape.</param>
    /// <param name="weights">One entry per layer. Takes ownership.</param>
    /// <param name="trainingRecord">Free text pairs for the file's metadata (data, degradation, seed, steps, figures).</param>
    /// <exception cref="ArgumentException">An array's length does not match the description.</exception>
    internal Network(string name, NetworkDescription description, IReadOnlyList<LayerWeights> weights, IReadOnlyDictionary<string, string>? trainingRecord = null)
    {
        if (weights.Count != description.Layers.Count)
            throw new ArgumentException($"{name}: {weights.Count} layers of weights for a network of {description.Layers.Count}.", nameof(weights));
        for (int i = 0; i < weights.Count; i++)
        {
            ConvolutionLayer layer = description.Layers[i];
            int sets = description.WeightSets;
            if (weights[i].Weight.Length != layer.WeightCount * sets || weights[i].Bias.Length != layer.K * sets)
            {
                throw new ArgumentException($"{name}: layer '{layer.Name}' has {weights[i].Weight.Length} weights and {weights[i].Bias.Length} biases, the network needs {layer.WeightCount * sets} and {layer.K * sets}"
                    + $"{(description.IsConditioned ? $", for {sets} knots in sigma" : "")}.", nameof(weights));
            }
        }
        Name = name;
        Description = description;
        Weights = weights;
        TrainingRecord = trainingRecord ?? new Dictionary<string, string>();
    }

    /// <summary>What messages call it: the name it ships under, or that of its file.</summary>
    public string Name { get; }

    /// <summary>Its layers.</summary>
    public NetworkDescription Description { get; }

    internal IReadOnlyList<LayerWeights> Weights { get; }

    /// <summary>How the weights came to be: data, degradation, seed, steps, figures.</summary>
    public IReadOnlyDictionary<string, string> TrainingRecord { get; }

    /// <summary>Whether the weights depend on the blur's sigma, so that running the network needs one.</summary>
    public bool IsConditioned => Description.IsConditioned;

    /// <summary>The network for one sigma, with plain weights: those between its knots, interpolated. A network that is not conditioned gives itself.</summary>
    /// <param name="sigma">Of the blur, pixels of the full-size frame; beyond the knots it counts as the nearest.</param>
    /// <exception cref="ArgumentOutOfRangeException"><paramref name="sigma"/> is not a number of 0 or more.</exception>
    internal Network At(float sigma)
    {
        if (!(sigma >= 0)) throw new ArgumentOutOfRangeException(nameof(sigma), sigma, "Sigma must be 0 or more pixels.");
        if (!IsConditioned) return this;
        SigmaInterpolation between = SigmaInterpolation.Among(Description.SigmaKnots, sigma);
        return new(Name, Description.WithSigmaKnots([]), [.. Weights.Select(layer => new LayerWeights(Between(layer.Weight), Between(layer.Bias)))], TrainingRecord);

        float[] Between(float[] knots)
        {
            float[] values = new float[knots.Length / Description.WeightSets];
            between.Apply(knots, values);
            return values;
        }
    }
}
