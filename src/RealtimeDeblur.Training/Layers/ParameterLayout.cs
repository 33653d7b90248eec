using RealtimeDeblur.Networks;

namespace RealtimeDeblur.Training.Layers;

/// <summary>Order of a convolution's weights on the device; the kernels' ORDER.</summary>
internal enum WeightOrder
{
    /// <summary>[K/16][Size][Size][C][16]: 16 filters together, for many outputs.</summary>
    FiltersTogether,

    /// <summary>[C/16][Size][Size][K][16]: 16 inputs together, for few outputs of many inputs.</summary>
    InputsTogether,

    /// <summary>[Size][Size][C][K]: few of both.</summary>
    Small,
}

/// <summary>A convolution of one tensor as the device sees it, forward or turned for the way back.</summary>
/// <param name="C">Input channels.</param>
/// <param name="K">Output channels.</param>
/// <param name="Size">Side of the support.</param>
internal readonly record struct ConvolutionShape(int C, int K, int Size)
{
    public WeightOrder Order => K % 16 == 0 ? WeightOrder.FiltersTogether : C % 16 == 0 ? WeightOrder.InputsTogether : WeightOrder.Small;

    public int WeightCount => checked(Size * Size * C * K);

    /// <summary>The convolution that takes the gradient of the output back to the input.</summary>
    public ConvolutionShape Turned => new(K, C, Size);

    public int IndexOf(int k, int c, int ky, int kx)
    {
        int taps = Size * Size, tap = ky * Size + kx;
        return Order switch
        {
            WeightOrder.FiltersTogether => ((k / 16 * taps + tap) * C + c) * 16 + k % 16,
            WeightOrder.InputsTogether => ((c / 16 * taps + tap) * K + k) * 16 + c % 16,
            _ => (tap * C + c) * K + k,
        };
    }
}

/// <summary>The weights of a layer for one of the tensors that it reads.</summary>
/// <param name="Shape">On the device: counts of maps are rounded up to 16, the added ones stay zero through training because their gradients are.</param>
/// <param name="Tensor">Name of the tensor that is read, <see cref="NetworkDescription.Input"/> or an earlier layer's.</param>
/// <param name="FirstC">The layer's channel that is the tensor's first.</param>
/// <param name="CountC">Channels of the tensor.</param>
/// <param name="Origin">First float in a set of parameters.</param>
internal sealed record WeightBlock(ConvolutionShape Shape, string Tensor, int FirstC, int CountC, int Origin);

/// <summary>Where one layer's parameters lie in a set of parameters.</summary>
/// <param name="Layer">The layer.</param>
/// <param name="K">Output channels on the device.</param>
/// <param name="BiasOrigin">First float of the biases.</param>
/// <param name="Blocks">One, or two where the layer reads a second tensor.</param>
internal sealed record LayerPlacement(ConvolutionLayer Layer, int K, int BiasOrigin, IReadOnlyList<WeightBlock> Blocks)
{
    /// <summary>First float of the layer's parameters.</summary>
    public int Origin => Blocks[0].Origin;
}

/// <summary>
/// Order of a network's parameters in the trainer's flat buffers, and the way from and to the order of documents. A network that is conditioned on sigma has several sets of
/// parameters, <see cref="Sets"/>, one after the other: first the set that all blurs share, then for every knot what is added to it there; see <c>train/blend.cl</c>.
/// A layer that is subtracted from its skip is trained as one that is added, with its sign turned.
/// </summary>
internal sealed class ParameterLayout
{
    private readonly NetworkDescription _description;

    /// <exception cref="ArgumentException">The network has fewer than two layers, or one that is both cut off at 0 and added to another tensor.</exception>
    public ParameterLayout(NetworkDescription description)
    {
        if (description.Layers.Count < 2) throw new ArgumentException("The trainer needs a network of at least two layers.", nameof(description));
        if (description.Layers.FirstOrDefault(layer => layer.Relu && layer.Skip is not null) is { } both)
            throw new ArgumentException($"The trainer takes layers with a ReLU and layers that are added to another tensor, but '{both.Name}' is both: put a 1x1 layer between.", nameof(description));
        _description = description;
        var placements = new LayerPlacement[description.Layers.Count];
        int next = 0;
        for (int i = 0; i < placements.Length; i++)
        {
            ConvolutionLayer layer = description.Layers[i];
            int K = DeviceChannels(layer.Name), firstC = 0;
            List<WeightBlock> blocks = [];
            foreach (string? tensor in (string?[])[i == 0 ? NetworkDescription.Input : description.Layers[i - 1].Name, layer.With])
            {
                if (tensor is null) continue;
                ConvolutionShape shape = new(DeviceChannels(tensor), K, layer.Size);
                int count = ChannelsOf(tensor);
                blocks.Add(new(shape, tensor, firstC, count, next));
                firstC += count;
                next += RoundUp16(shape.WeightCount);
            }
            placements[i] = new(layer, K, next, blocks);
            next += RoundUp16(K);
        }
        Layers = placements;
        Count = next;
        Sets = description.IsConditioned ? 1 + description.SigmaKnots.Count : 1;
    }

    public IReadOnlyList<LayerPlacement> Layers { get; }

    /// <summary>Floats of a set of parameters, a multiple of 16.</summary>
    public int Count { get; }

    /// <summary>Sets of parameters: 1, or 1 + the number of knots.</summary>
    public int Sets { get; }

    /// <summary>Floats of all sets.</summary>
    public int TotalCount => checked(Sets * Count);

    public static int RoundUp16(int value) => (value + 15) / 16 * 16;

    /// <summary>Channels that a tensor has on the device: few stay as they are, many are rounded up to 16.</summary>
    public int DeviceChannels(string tensor)
    {
        int channels = ChannelsOf(tensor);
        bool isResult = tensor == _description.Layers[^1].Name;
        // Frames, results and estimates of a frame; hidden maps, even a single one, go the way of many.
        return tensor == NetworkDescription.Input || isResult || channels == _description.InputC ? channels : RoundUp16(channels);
    }

    /// <summary>Lays a network's weights out for the device; those of a network that is not conditioned serve every blur.</summary>
    public float[] Pack(IReadOnlyList<LayerWeights> weights)
    {
        float[] flat = new float[TotalCount];
        int given = weights[0].Bias.Length / _description.Layers[0].K;
        float[][] sets = [.. Enumerable.Range(0, given).Select(set => PackSet(weights, set))];
        for (int i = 0; i < Count; i++)
        {
            float shared = sets.Average(set => set[i]);
            flat[i] = shared;
            for (int set = 1; set < Sets && given > 1; set++) flat[set * Count + i] = sets[set - 1][i] - shared;
        }
        return flat;
    }

    /// <summary>The way back of <see cref="Pack"/>: weights at every knot.</summary>
    public LayerWeights[] Unpack(ReadOnlySpan<float> flat)
    {
        if (Sets == 1) return UnpackSets([flat.ToArray()]);
        var knots = new float[Sets - 1][];
        for (int set = 1; set < Sets; set++)
        {
            float[] knot = flat.Slice(set * Count, Count).ToArray();
            for (int i = 0; i < Count; i++) knot[i] += flat[i];
            knots[set - 1] = knot;
        }
        return UnpackSets(knots);
    }

    /// <summary>Sets of parameters or gradients, as they are, in the order of documents.</summary>
    public LayerWeights[] UnpackSets(IReadOnlyList<float[]> sets) => [.. Layers.Select(at =>
    {
        ConvolutionLayer layer = at.Layer;
        int sign = layer.Subtract ? -1 : 1, taps = layer.Size * layer.Size;
        float[] weight = new float[sets.Count * layer.WeightCount], bias = new float[sets.Count * layer.K];
        for (int set = 0; set < sets.Count; set++)
        {
            foreach (WeightBlock block in at.Blocks)
                ForEachWeight(block, layer, (document, device) => weight[set * layer.WeightCount + document] = sign * sets[set][device]);
            for (int k = 0; k < layer.K; k++) bias[set * layer.K + k] = sign * sets[set][at.BiasOrigin + k];
        }
        return new LayerWeights(weight, bias);
    })];

    /// <summary>
    /// For <c>turn</c> of <c>train/blend.cl</c>: where the weights of the convolution that takes dOut back to the gradient of a block's tensor come from in a set of parameters, or -1 for padding.
    /// Turned by 180 degrees and transposed: it reads K channels and writes C.
    /// </summary>
    public static int[] TurnedIndex(WeightBlock block)
    {
        (ConvolutionShape shape, ConvolutionShape turned) = (block.Shape, block.Shape.Turned);
        int size = shape.Size;
        int[] index = new int[RoundUp16(turned.WeightCount)];
        Array.Fill(index, -1);
        for (int k = 0; k < shape.K; k++)
        for (int c = 0; c < shape.C; c++)
        for (int ky = 0; ky < size; ky++)
        for (int kx = 0; kx < size; kx++)
            index[turned.IndexOf(c, k, size - 1 - ky, size - 1 - kx)] = block.Origin + shape.IndexOf(k, c, ky, kx);
        return index;
    }

    private int ChannelsOf(string tensor) => tensor == NetworkDescription.Input ? _description.InputC : _description.Layers.First(layer => layer.Name == tensor).K;

    private float[] PackSet(IReadOnlyList<LayerWeights> weights, int set)
    {
        float[] flat = new float[Count];
        for (int i = 0; i < Layers.Count; i++)
        {
            (LayerPlacement at, ConvolutionLayer layer) = (Layers[i], Layers[i].Layer);
            float sign = layer.Subtract ? -1 : 1;
            float[] weight = weights[i].Weight;
            foreach (WeightBlock block in at.Blocks)
                ForEachWeight(block, layer, (document, device) => flat[device] = sign * weight[set * layer.WeightCount + document]);
            for (int k = 0; k < layer.K; k++) flat[at.BiasOrigin + k] = sign * weights[i].Bias[set * layer.K + k];
        }
        return flat;
    }

    /// <summary>Calls with (position in [K][C][Size][Size], position in a set of parameters) for every weight.</summary>
    private static void ForEachWeight(WeightBlock block, ConvolutionLayer layer, Action<int, int> visit)
    {
        for (int k = 0; k < layer.K; k++)
        for (int c = 0; c < block.CountC; c++)
        for (int ky = 0; ky < layer.Size; ky++)
        for (int kx = 0; kx < layer.Size; kx++)
            visit(((k * layer.C + block.FirstC + c) * layer.Size + ky) * layer.Size + kx, block.Origin + block.Shape.IndexOf(k, c, ky, kx));
    }
}
