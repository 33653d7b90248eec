using RealtimeDeblur.Networks;
using RealtimeDeblur.Training.Data;

namespace RealtimeDeblur.Training;

/// <summary>Weights to start a training from.</summary>
internal static class NetworkInitializer
{
    /// <summary>Gain of the first layer over He's: gamma-encoded pictures vary by a tenth of their range, and its filters have no mean to add.</summary>
    private const double FirstLayerGain = 6;

    /// <summary>Gain of the last layer with a global skip: the run starts from the identity.</summary>
    private const double LastLayerGain = 0.02;

    /// <summary>Re-blur that a network starts with which is not told sigma, in pixels.</summary>
    private const float UnknownSigma = 1.6f;

    /// <summary>
    /// Normal weights of deviation sqrt(2/(C Size^2)) (He et al., arXiv 1502.01852), zero biases. With a global skip the first filters have zero mean and a gain
    /// of 6, the last hidden maps' reader a gain of 0.02: plain He initialisation spends hours on finding the mean brightness. Layers of back-projection start as what they are called after:
    /// the re-blur as a Gaussian (of the knot's sigma, if there are knots), the projection as the identity, the combination as estimate minus frame; so that the network begins as
    /// Van Cittert's iteration. All knots start alike but for that.
    /// </summary>
    public static Network Create(string name, NetworkDescription description, int seed)
    {
        LayerWeights[][] knots = [.. Knots(description).Select(sigma => Create(description, seed, sigma))];
        return new(name, description, [.. Enumerable.Range(0, description.Layers.Count).Select(i =>
            new LayerWeights([.. knots.SelectMany(knot => knot[i].Weight)], [.. knots.SelectMany(knot => knot[i].Bias)]))]);
    }

    private static IReadOnlyList<float> Knots(NetworkDescription description) => description.IsConditioned ? description.SigmaKnots : [UnknownSigma];

    private static LayerWeights[] Create(NetworkDescription description, int seed, float sigma)
    {
        var weights = new LayerWeights[description.Layers.Count];
        for (int i = 0; i < weights.Length; i++)
        {
            ConvolutionLayer layer = description.Layers[i];
            if (BackProjection(description, i, sigma) is { } known)
            {
                weights[i] = new(known, new float[layer.K]);
                continue;
            }
            SeededRandom random = new((ulong)seed, $"layer {layer.Name}");
            bool isFirst = description.GlobalSkip && i == 0, isLast = description.GlobalSkip && (i == weights.Length - 1 || BackProjection(description, i + 1, sigma) is not null);
            double deviation = Math.Sqrt(2.0 / (layer.C * layer.Size * layer.Size)) * (isFirst ? FirstLayerGain : isLast ? LastLayerGain : 1);
            float[] weight = new float[layer.WeightCount];
            for (int j = 0; j < weight.Length; j++) weight[j] = (float)(deviation * random.NextGaussian());
            if (isFirst)
            {
                int filter = layer.C * layer.Size * layer.Size;
                for (int k = 0; k < layer.K; k++)
                {
                    Span<float> taps = weight.AsSpan(k * filter, filter);
                    float mean = 0;
                    foreach (float tap in taps) mean += tap / filter;
                    foreach (ref float tap in taps) tap -= mean;
                }
            }
            weights[i] = new(weight, new float[layer.K]);
        }
        return weights;
    }

    /// <summary>Weights of a layer that is part of back-projection: one that maps estimates of the frame to such. Null for any other layer.</summary>
    private static float[]? BackProjection(NetworkDescription description, int index, float sigma)
    {
        ConvolutionLayer layer = description.Layers[index];
        int C = description.InputC, size = layer.Size;
        if (description.Scale != 1 || layer.K != C || index == 0 || description.Layers[index - 1].K != C || layer.C > C && layer.With != NetworkDescription.Input) return null;
        double width = Math.Max(sigma, 0.3);    // narrower ones fall between the taps
        double[] row = [.. Enumerable.Range(0, size).Select(i => layer.Subtract ? Math.Exp(-(i - layer.Pad) * (i - layer.Pad) / (2 * width * width)) : i == layer.Pad ? 1 : 0)];
        double sum = row.Sum();
        float[] weight = new float[layer.WeightCount];
        for (int k = 0; k < C; k++)
        for (int ky = 0; ky < size; ky++)
        for (int kx = 0; kx < size; kx++)
        {
            float tap = (float)(row[ky] * row[kx] / (sum * sum));
            weight[((k * layer.C + k) * size + ky) * size + kx] = tap;
            if (layer.With is not null) weight[((k * layer.C + C + k) * size + ky) * size + kx] = -tap;
        }
        return weight;
    }
}
