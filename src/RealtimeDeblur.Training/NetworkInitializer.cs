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

    /// <summary>
    /// Normal weights of deviation sqrt(2/(C Size^2)) (He et al., arXiv 1502.01852), zero biases. With a global skip the first filters have zero mean and a gain
    /// of 6, the last a gain of 0.02: plain He initialisation spends hours on finding the mean brightness.
    /// </summary>
    public static Network Create(string name, NetworkDescription description, int seed)
    {
        var weights = new LayerWeights[description.Layers.Count];
        for (int i = 0; i < weights.Length; i++)
        {
            ConvolutionLayer layer = description.Layers[i];
            SeededRandom random = new((ulong)seed, $"layer {layer.Name}");
            bool isFirst = description.GlobalSkip && i == 0, isLast = description.GlobalSkip && i == weights.Length - 1;
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
        return new(name, description, weights);
    }
}
