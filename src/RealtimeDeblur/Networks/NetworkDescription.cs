namespace RealtimeDeblur.Networks;

/// <summary>One convolution: K filters of C x Size x Size taps at stride 1 with borders replicated so that the frame keeps its size, a bias per filter, and an optional ReLU.</summary>
/// <param name="Name">Name of the layer; its tensors are <c>NAME.weight</c> [K][C][Size][Size] and <c>NAME.bias</c> [K].</param>
/// <param name="C">Input channels, 1 or more.</param>
/// <param name="K">Output channels, 1 or more.</param>
/// <param name="Size">Side of the support in taps, odd.</param>
/// <param name="Relu">Whether negative results become 0.</param>
public sealed record ConvolutionLayer(string Name, int C, int K, int Size, bool Relu)
{
    /// <summary>Pixels the support reaches past its centre.</summary>
    public int Pad => Size / 2;

    public int WeightCount => checked(K * C * Size * Size);

    /// <summary>Multiply-accumulates per pixel of the frame.</summary>
    public int MacPerPixel => WeightCount;
}

/// <summary>
/// Shape of a network, without its weights: a chain of convolutions on a frame of C channels (1: luma, 3: RGB; gamma-encoded, 0 to 1),
/// and whether the chain predicts the restored frame or, with a global skip, the change to the blurred one.
/// </summary>
public sealed record NetworkDescription
{
    /// <summary>Largest channel count and support accepted, so that a damaged file cannot ask for absurd memory.</summary>
    public const int MaxChannels = 1024;
    public const int MaxSize = 31;
    public const int MaxLayers = 64;
    public const int MaxNameLength = 64;

    /// <exception cref="ArgumentException">The layers do not fit together, or a size is outside its limits.</exception>
    public NetworkDescription(string architecture, IReadOnlyList<ConvolutionLayer> layers, bool globalSkip)
    {
        if (layers.Count is 0 or > MaxLayers) throw new ArgumentException($"A network has 1 to {MaxLayers} layers, not {layers.Count}.", nameof(layers));
        for (int i = 0; i < layers.Count; i++)
        {
            // Tensor names are made of them, and messages print them.
            if (layers[i].Name.Length is 0 or > MaxNameLength || !layers[i].Name.All(c => char.IsAsciiLetterOrDigit(c) || c is '_' or '-' or '.'))
                throw new ArgumentException($"The name of layer {i + 1} is not 1 to {MaxNameLength} letters, digits, '_', '-' or '.'.", nameof(layers));
            if (layers.Take(i).Any(earlier => earlier.Name == layers[i].Name))
                throw new ArgumentException($"Two layers are called '{layers[i].Name}'.", nameof(layers));
        }
        foreach (ConvolutionLayer layer in layers)
        {
            if (layer.C is < 1 or > MaxChannels || layer.K is < 1 or > MaxChannels)
                throw new ArgumentException($"Layer '{layer.Name}' has {layer.C} input and {layer.K} output channels; 1 to {MaxChannels} are possible.", nameof(layers));
            if (layer.Size is < 1 or > MaxSize || layer.Size % 2 == 0)
                throw new ArgumentException($"Layer '{layer.Name}' has a support of {layer.Size}; odd sizes from 1 to {MaxSize} are possible.", nameof(layers));
        }
        for (int i = 1; i < layers.Count; i++)
        {
            if (layers[i].C != layers[i - 1].K)
                throw new ArgumentException($"Layer '{layers[i].Name}' takes {layers[i].C} channels, but '{layers[i - 1].Name}' gives {layers[i - 1].K}.", nameof(layers));
        }
        if (layers[0].C is not (1 or 3) || layers[^1].K != layers[0].C)
            throw new ArgumentException($"A network maps 1 or 3 channels to as many; this one maps {layers[0].C} to {layers[^1].K}.", nameof(layers));
        Architecture = architecture;
        Layers = layers;
        GlobalSkip = globalSkip;
    }

    /// <summary>Family name, e.g. <c>dbcnn</c>.</summary>
    public string Architecture { get; }

    public IReadOnlyList<ConvolutionLayer> Layers { get; }

    /// <summary>Whether the blurred input is added to the last layer's output.</summary>
    public bool GlobalSkip { get; }

    /// <summary>Channels of the frame: 1 for luma, 3 for RGB.</summary>
    public int C => Layers[0].C;

    /// <summary>Pixels the receptive field reaches past its centre: 6 for 9-1-5.</summary>
    public int Pad => Layers.Sum(layer => layer.Pad);

    public int MacPerPixel => Layers.Sum(layer => layer.MacPerPixel);

    /// <summary>
    /// The three layers of DBCNN: patch extraction F1 = max(0, W1*M + B1), non-linear mapping F2 = max(0, W2*F1 + B2), reconstruction
    /// F = W3*F2 + B3. The defaults are the source paper's 9-1-5 with 64 and 32 maps (8,032 MAC per pixel for luma), after SRCNN (Dong et al., arXiv 1501.00092).
    /// </summary>
    /// <param name="C">1 for luma, 3 for RGB.</param>
    /// <param name="f1">Support of patch extraction, odd.</param>
    /// <param name="n1">Maps of patch extraction.</param>
    /// <param name="f2">Support of the mapping, odd.</param>
    /// <param name="n2">Maps of the mapping.</param>
    /// <param name="f3">Support of reconstruction, odd.</param>
    /// <param name="globalSkip">Whether the layers predict the change to the input (trains faster and protects sharp frames) or the frame itself (the paper's form).</param>
    /// <exception cref="ArgumentException">A size is outside its limits.</exception>
    public static NetworkDescription Dbcnn(int C = 1, int f1 = 9, int n1 = 64, int f2 = 1, int n2 = 32, int f3 = 5, bool globalSkip = true) =>
        new("dbcnn", [new("extract", C, n1, f1, true), new("map", n1, n2, f2, true), new("reconstruct", n2, C, f3, false)], globalSkip);
}
