using System.Globalization;

namespace RealtimeDeblur.Networks;

/// <summary>
/// One convolution on the output of the layer before it: K filters of C x Size x Size taps at stride 1 with borders replicated so that the size stays, a bias per filter, an optional ReLU,
/// and optionally another tensor that the result is added to or subtracted from.
/// </summary>
/// <param name="Name">Name of the layer; its tensors are <c>NAME.weight</c> [K][C][Size][Size] and <c>NAME.bias</c> [K].</param>
/// <param name="C">Input channels, 1 or more, those of <see cref="With"/> included.</param>
/// <param name="K">Output channels, 1 or more.</param>
/// <param name="Size">Side of the support in taps, odd.</param>
/// <param name="Relu">Whether negative sums become 0, before <see cref="Skip"/>.</param>
public sealed record ConvolutionLayer(string Name, int C, int K, int Size, bool Relu)
{
    /// <summary>Tensor whose channels follow those of the layer before: an earlier layer's name, or <see cref="NetworkDescription.Input"/>. Null for none.</summary>
    public string? With { get; init; }

    /// <summary>Tensor of K channels that the result is added to: an earlier layer's name, or <see cref="NetworkDescription.Input"/>. Null for none.</summary>
    public string? Skip { get; init; }

    /// <summary>Whether the result is <see cref="Skip"/> minus the convolution, as where a re-blurred estimate is compared with the frame.</summary>
    public bool Subtract { get; init; }

    /// <summary>Pixels the support reaches past its centre.</summary>
    public int Pad => Size / 2;

    /// <summary>Weights of the layer, biases left out.</summary>
    public int WeightCount => checked(K * C * Size * Size);
}

/// <summary>
/// Shape of a network, without its weights: a chain of convolutions on a frame of C channels (1: luma, 3: RGB; gamma-encoded, 0 to 1),
/// and whether the chain predicts the restored frame or, with a global skip, the change to the blurred one.
/// </summary>
/// <remarks>
/// With a <see cref="Scale"/> of 2 the layers work at half resolution on four times the channels (space-to-depth; Shi et al., arXiv 1609.05158): channel (dy*Scale + dx)*C + c of cell (y, x)
/// is channel c of pixel (y*Scale + dy, x*Scale + dx), and the last layer's channels go back the same way. A frame that Scale does not divide is extended by its last column and row first.
/// </remarks>
public sealed record NetworkDescription
{
    /// <summary>Largest channel count and support accepted, so that a damaged file cannot ask for absurd memory.</summary>
    internal const int MaxChannels = 1024;
    internal const int MaxSize = 31;
    internal const int MaxLayers = 64;
    internal const int MaxNameLength = 64;
    internal const int MaxScale = 4;
    internal const int MaxSigmaKnots = 64;

    /// <summary>Knots of conditioned networks where nobody asks for others: the weights of trained networks change slowly from one to the next.</summary>
    internal static IReadOnlyList<float> DefaultSigmaKnots { get; } = [0, 0.5f, 1, 1.5f, 2, 2.5f, 3, 3.5f, 4];

    /// <summary>What <see cref="ConvolutionLayer.With"/> and <see cref="ConvolutionLayer.Skip"/> call the tensor that the first layer reads.</summary>
    internal const string Input = "input";

    /// <param name="architecture">Family name.</param>
    /// <param name="layers">In the order in which they run.</param>
    /// <param name="globalSkip">Whether the frame is added to the last layer's output.</param>
    /// <param name="scale">Side of the square of pixels that becomes one cell of more channels.</param>
    /// <param name="sigmaKnots">See <see cref="SigmaKnots"/>; null for none.</param>
    /// <exception cref="ArgumentException">The layers do not fit together, or a size is outside its limits, or the knots do not ascend.</exception>
    internal NetworkDescription(string architecture, IReadOnlyList<ConvolutionLayer> layers, bool globalSkip, int scale = 1, IReadOnlyList<float>? sigmaKnots = null)
    {
        if (scale is < 1 or > MaxScale) throw new ArgumentException($"A scale of {scale} is not possible, 1 to {MaxScale} are.", nameof(scale));
        if (layers.Count is 0 or > MaxLayers) throw new ArgumentException($"A network has 1 to {MaxLayers} layers, not {layers.Count}.", nameof(layers));
        for (int i = 0; i < layers.Count; i++)
        {
            // Tensor names are made of them, and messages print them.
            if (layers[i].Name.Length is 0 or > MaxNameLength || !layers[i].Name.All(c => char.IsAsciiLetterOrDigit(c) || c is '_' or '-' or '.'))
                throw new ArgumentException($"The name of layer {i + 1} is not 1 to {MaxNameLength} letters, digits, '_', '-' or '.'.", nameof(layers));
            if (layers.Take(i).Any(earlier => earlier.Name == layers[i].Name))
                throw new ArgumentException($"Two layers are called '{layers[i].Name}'.", nameof(layers));
            if (layers[i].Name == Input) throw new ArgumentException($"A layer is called '{Input}', which is the name of what the first layer reads.", nameof(layers));
        }
        foreach (ConvolutionLayer layer in layers)
        {
            if (layer.C is < 1 or > MaxChannels || layer.K is < 1 or > MaxChannels)
                throw new ArgumentException($"Layer '{layer.Name}' has {layer.C} input and {layer.K} output channels; 1 to {MaxChannels} are possible.", nameof(layers));
            if (layer.Size is < 1 or > MaxSize || layer.Size % 2 == 0)
                throw new ArgumentException($"Layer '{layer.Name}' has a support of {layer.Size}; odd sizes from 1 to {MaxSize} are possible.", nameof(layers));
        }
        if (layers[0].With is not null) throw new ArgumentException($"The first layer, '{layers[0].Name}', reads the frame alone.", nameof(layers));
        int cells = scale * scale, inputC = layers[0].C;
        for (int i = 0; i < layers.Count; i++)
        {
            ConvolutionLayer layer = layers[i];
            if (i > 0)
            {
                int given = layers[i - 1].K + Channels(layers, i, layer.With, inputC);
                if (layer.C != given) throw new ArgumentException($"Layer '{layer.Name}' takes {layer.C} channels, but '{layers[i - 1].Name}' {(layer.With is null ? "gives" : $"and '{layer.With}' give")} {given}.", nameof(layers));
            }
            if (layer.Skip is not null && Channels(layers, i, layer.Skip, inputC) != layer.K)
                throw new ArgumentException($"Layer '{layer.Name}' gives {layer.K} channels and cannot be added to '{layer.Skip}', which has {Channels(layers, i, layer.Skip, inputC)}.", nameof(layers));
            if (layer.Subtract && layer.Skip is null) throw new ArgumentException($"Layer '{layer.Name}' is subtracted from nothing.", nameof(layers));
        }
        if (inputC % cells != 0 || inputC / cells is not (1 or 3) || layers[^1].K != inputC)
            throw new ArgumentException(cells == 1 ? $"A network maps 1 or 3 channels to as many; this one maps {inputC} to {layers[^1].K}."
                : $"A network at a scale of {scale} maps {cells} or {3 * cells} channels to as many; this one maps {inputC} to {layers[^1].K}.", nameof(layers));
        IReadOnlyList<float> knots = sigmaKnots ?? [];
        if (knots.Count is 1 or > MaxSigmaKnots) throw new ArgumentException($"A network has 2 to {MaxSigmaKnots} knots in sigma, or none; not {knots.Count}.", nameof(sigmaKnots));
        for (int i = 0; i < knots.Count; i++)
        {
            if (!(float.IsFinite(knots[i]) && knots[i] >= 0 && (i == 0 || knots[i] > knots[i - 1])))
                throw new ArgumentException(string.Create(CultureInfo.InvariantCulture, $"The knots in sigma are pixels, 0 or more, and ascend; knot {i + 1} is {knots[i]}{(i == 0 ? "" : $" after {knots[i - 1]}")}."), nameof(sigmaKnots));
        }
        if (layers.FirstOrDefault(layer => (long)layer.WeightCount * knots.Count > Array.MaxLength) is { } large)
            throw new ArgumentException($"Layer '{large.Name}' has {large.WeightCount:N0} weights at each of {knots.Count} knots; {Array.MaxLength:N0} in all are possible.", nameof(sigmaKnots));
        C = inputC / cells;
        Scale = scale;
        Architecture = architecture;
        Layers = layers;
        GlobalSkip = globalSkip;
        SigmaKnots = knots;
    }

    /// <summary>Family name, e.g. <c>dbcnn</c>.</summary>
    public string Architecture { get; }

    /// <summary>In the order in which they run.</summary>
    public IReadOnlyList<ConvolutionLayer> Layers { get; }

    /// <summary>Whether the blurred input is added to the last layer's output.</summary>
    public bool GlobalSkip { get; }

    /// <summary>Channels of the frame: 1 for luma, 3 for RGB.</summary>
    public int C { get; }

    /// <summary>Side of the square of pixels that is one cell of the layers: 1, or 2 for half resolution.</summary>
    public int Scale { get; }

    /// <summary>
    /// Blur widths, in pixels, 0 or more, ascending, at which a network conditioned on sigma has weights and biases of its own; between two knots all of them are interpolated linearly, and beyond the
    /// ends they stay. Empty for a network that is not conditioned.
    /// </summary>
    public IReadOnlyList<float> SigmaKnots { get; }

    /// <summary>Whether the weights depend on the blur's sigma. Kernels never know: they get the weights of one sigma, see <see cref="Network.At"/>.</summary>
    public bool IsConditioned => SigmaKnots.Count > 0;

    /// <summary>How many sets of weights a network of this shape has: one per knot, or one.</summary>
    internal int WeightSets => Math.Max(1, SigmaKnots.Count);

    /// <summary>Channels that the first layer reads: C * Scale * Scale.</summary>
    public int InputC => C * Scale * Scale;

    /// <summary>Cells the receptive field reaches past its centre, along the longest way.</summary>
    public int Reach
    {
        get
        {
            var reach = new Dictionary<string, int> { [Input] = 0 };
            string before = Input;
            foreach (ConvolutionLayer layer in Layers)
            {
                int read = Math.Max(reach[before], reach[layer.With ?? before]) + layer.Pad;
                reach[layer.Name] = Math.Max(read, reach[layer.Skip ?? Input]);
                before = layer.Name;
            }
            return reach[before];
        }
    }

    /// <summary>Pixels the receptive field reaches past its centre, rounded up to cells: 6 for 9-1-5.</summary>
    public int Pad => Reach * Scale;

    /// <summary>Multiply-accumulates per pixel of the frame, of the layers as written; rounded up.</summary>
    public int MacPerPixel => (Layers.Sum(layer => layer.WeightCount) + Scale * Scale - 1) / (Scale * Scale);

    /// <summary>Whether every layer reads just the one before and only the frame is added at the end.</summary>
    internal bool IsPlainChain => Layers.All(layer => layer.With is null && layer.Skip is null);

    /// <summary>The same layers with weights at other knots.</summary>
    /// <param name="knots">As <see cref="SigmaKnots"/>, for instance <see cref="DefaultSigmaKnots"/>; empty for a network that is not conditioned.</param>
    /// <exception cref="ArgumentException">There is one knot, or there are too many, or they do not ascend.</exception>
    internal NetworkDescription WithSigmaKnots(IReadOnlyList<float> knots) => new(Architecture, Layers, GlobalSkip, Scale, knots);

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
    internal static NetworkDescription Dbcnn(int C = 1, int f1 = 9, int n1 = 64, int f2 = 1, int n2 = 32, int f3 = 5, bool globalSkip = true) =>
        new("dbcnn", [new("extract", C, n1, f1, true), new("map", n1, n2, f2, true), new("reconstruct", n2, C, f3, false)], globalSkip);

    /// <summary>
    /// DBCNN followed by back-projection (Irani and Peleg 1991, with learned filters; the source paper's section B): each stage blurs the estimate again, subtracts that from the frame, and adds the
    /// projected error to the estimate; a last layer combines the estimate with the frame and, by the global skip, predicts the change to it.
    /// </summary>
    /// <param name="stages">Back-projection stages, 0 or more.</param>
    /// <param name="reblurSize">Support of the blur, odd; 4 sigma to each side hold a Gaussian.</param>
    /// <param name="projectSize">Support of the projection, odd.</param>
    /// <param name="combineSize">Support of the last layer, odd.</param>
    /// <param name="C">1 for luma, 3 for RGB.</param>
    /// <param name="f1">As in <see cref="Dbcnn"/>, like <paramref name="n1"/>, <paramref name="n2"/> and <paramref name="f3"/>.</param>
    /// <param name="n1"/><param name="n2"/><param name="f3"/>
    /// <exception cref="ArgumentException">A size is outside its limits.</exception>
    internal static NetworkDescription DbcnnBackProjection(int stages = 2, int reblurSize = 13, int projectSize = 9, int combineSize = 3, int C = 1, int f1 = 9, int n1 = 64, int n2 = 32, int f3 = 5)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(stages);
        List<ConvolutionLayer> layers = [new("extract", C, n1, f1, true), new("map", n1, n2, 1, true), new("reconstruct", n2, C, f3, false) { Skip = Input }];
        for (int stage = 1; stage <= stages; stage++)
        {
            string estimate = layers[^1].Name;
            layers.Add(new($"reblur{stage}", C, C, reblurSize, false) { Skip = Input, Subtract = true });
            layers.Add(new($"project{stage}", C, C, projectSize, false) { Skip = estimate });
        }
        layers.Add(new("combine", 2 * C, C, combineSize, false) { With = Input });
        return new("dbcnn-bp", layers, globalSkip: true);
    }

    /// <summary>
    /// Equal 3x3 layers at half resolution, the shape of the fast networks: InputC to <paramref name="maps"/>, <paramref name="hidden"/> times maps to maps, back to InputC, ReLU after all but the last.
    /// </summary>
    /// <param name="maps">Maps of every hidden tensor.</param>
    /// <param name="hidden">Layers between the first and the last.</param>
    /// <param name="C">1 for luma, 3 for RGB.</param>
    /// <param name="architecture">Family name.</param>
    /// <exception cref="ArgumentException">A size is outside its limits.</exception>
    internal static NetworkDescription HalfResolution(int maps, int hidden, int C = 1, string architecture = "half")
    {
        ArgumentOutOfRangeException.ThrowIfNegative(hidden);
        const int Scale = 2;
        int inputC = C * Scale * Scale;
        return new(architecture,
            [new("first", inputC, maps, 3, true), .. Enumerable.Range(1, hidden).Select(i => new ConvolutionLayer($"hidden{i}", maps, maps, 3, true)), new("last", maps, inputC, 3, false)],
            globalSkip: true, Scale);
    }

    /// <summary>Channels of the tensor that layer <paramref name="index"/> names; 0 for none.</summary>
    private static int Channels(IReadOnlyList<ConvolutionLayer> layers, int index, string? tensor, int inputC)
    {
        if (tensor is null) return 0;
        if (tensor == Input) return inputC;
        return layers.Take(index).FirstOrDefault(earlier => earlier.Name == tensor)?.K
            ?? throw new ArgumentException($"Layer '{layers[index].Name}' reads '{tensor}', which no layer before it is called.", nameof(layers));
    }
}
