using RealtimeDeblur.Networks;

namespace RealtimeDeblur.Training.Layers;

/// <summary>Where one layer's parameters lie in the flat buffer, and how many channels the device computes with: counts of maps are rounded up to
/// 16, the added ones stay zero through training because their gradients are.</summary>
/// <param name="C">Input channels on the device.</param>
/// <param name="K">Output channels on the device.</param>
/// <param name="WeightOrigin">First float of the weights.</param>
/// <param name="BiasOrigin">First float of the biases.</param>
/// <param name="HasManyOutputs">Whether 16 output channels lie together (every layer but the last), or 16 input channels (the last).</param>
internal readonly record struct LayerPlacement(ConvolutionLayer Layer, int C, int K, int WeightOrigin, int BiasOrigin, bool HasManyOutputs)
{
    /// <summary>Taps times the channels that are walked one by one.</summary>
    public int Offsets => Layer.Size * Layer.Size * (HasManyOutputs ? C : K);

    /// <summary>Position of a weight in the flat buffer: [K/16][Size][Size][C][16] or, with few outputs, [C/16][Size][Size][K][16].</summary>
    public int IndexOf(int k, int c, int ky, int kx)
    {
        int tap = ky * Layer.Size + kx;
        return WeightOrigin + (HasManyOutputs
            ? ((k / 16 * Layer.Size * Layer.Size + tap) * C + c) * 16 + k % 16
            : ((c / 16 * Layer.Size * Layer.Size + tap) * K + k) * 16 + c % 16);
    }
}

/// <summary>Order of a network's parameters in the trainer's flat buffers, and the way from and to the order of documents.</summary>
internal sealed class ParameterLayout
{
    private readonly NetworkDescription _description;

    /// <exception cref="ArgumentException">The network has fewer than two layers, works at reduced resolution, or is no plain chain.</exception>
    public ParameterLayout(NetworkDescription description)
    {
        if (description.Layers.Count < 2) throw new ArgumentException("The trainer needs a network of at least two layers.", nameof(description));
        if (description.Scale != 1 || !description.IsPlainChain) throw new ArgumentException($"The trainer needs a plain chain of layers at full resolution; {description.Architecture} is none.", nameof(description));
        _description = description;
        var placements = new LayerPlacement[description.Layers.Count];
        int next = 0;
        for (int i = 0; i < placements.Length; i++)
        {
            ConvolutionLayer layer = description.Layers[i];
            bool isFirst = i == 0, isLast = i == placements.Length - 1;
            int C = isFirst ? layer.C : RoundUp16(layer.C);
            int K = isLast ? layer.K : RoundUp16(layer.K);
            int weights = checked(layer.Size * layer.Size * C * K);
            placements[i] = new(layer, C, K, next, next + RoundUp16(weights), !isLast);
            next += RoundUp16(weights) + RoundUp16(K);
        }
        Layers = placements;
        Count = next;
    }

    public IReadOnlyList<LayerPlacement> Layers { get; }

    /// <summary>Floats in all, a multiple of 16.</summary>
    public int Count { get; }

    public static int RoundUp16(int value) => (value + 15) / 16 * 16;

    /// <summary>Lays a network's weights out for the device.</summary>
    public float[] Pack(IReadOnlyList<LayerWeights> weights)
    {
        float[] flat = new float[Count];
        ForEachWeight((layer, from, to) => flat[to] = weights[layer].Weight[from]);
        for (int i = 0; i < weights.Count; i++) weights[i].Bias.CopyTo(flat, Layers[i].BiasOrigin);
        return flat;
    }

    /// <summary>The way back of <see cref="Pack"/>, for parameters and for gradients.</summary>
    public LayerWeights[] Unpack(ReadOnlySpan<float> flat)
    {
        float[] copy = flat.ToArray();
        LayerWeights[] weights = [.. _description.Layers.Select((layer, i) => new LayerWeights(new float[layer.WeightCount], copy[Layers[i].BiasOrigin..(Layers[i].BiasOrigin + layer.K)]))];
        ForEachWeight((layer, to, from) => weights[layer].Weight[to] = copy[from]);
        return weights;
    }

    /// <summary>
    /// For <c>gather</c>: where the weights of the convolution that takes dOut back to dInput come from, or -1 for padding.
    /// Turned by 180 degrees and transposed: it reads K channels and writes C, 16 of the written (or, when those are few, of the read) together.
    /// </summary>
    public int[] BackwardInputIndex(int layerIndex)
    {
        LayerPlacement at = Layers[layerIndex];
        int size = at.Layer.Size, taps = size * size;
        bool writesMany = at.C % 16 == 0;
        int[] index = new int[taps * at.C * at.K];
        Array.Fill(index, -1);
        for (int k = 0; k < at.Layer.K; k++)
        for (int c = 0; c < at.Layer.C; c++)
        for (int ky = 0; ky < size; ky++)
        for (int kx = 0; kx < size; kx++)
        {
            int turned = (size - 1 - ky) * size + size - 1 - kx;
            int to = writesMany ? ((c / 16 * taps + turned) * at.K + k) * 16 + c % 16 : ((k / 16 * taps + turned) * at.C + c) * 16 + k % 16;
            index[to] = at.IndexOf(k, c, ky, kx);
        }
        return index;
    }

    /// <summary>Calls with (layer, position in [K][C][Size][Size], position in the flat buffer) for every weight.</summary>
    private void ForEachWeight(Action<int, int, int> visit)
    {
        for (int i = 0; i < Layers.Count; i++)
        {
            ConvolutionLayer layer = Layers[i].Layer;
            int document = 0;
            for (int k = 0; k < layer.K; k++)
            for (int c = 0; c < layer.C; c++)
            for (int ky = 0; ky < layer.Size; ky++)
            for (int kx = 0; kx < layer.Size; kx++)
                visit(i, document++, Layers[i].IndexOf(k, c, ky, kx));
        }
    }
}
