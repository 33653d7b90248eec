using RealtimeDeblur.Compute;

namespace RealtimeDeblur.Networks;

/// <summary>What a kernel reads its weights as.</summary>
internal enum WeightForm
{
    Float,
    Half,

    /// <summary>Floats that halves can hold, for the twins of kernels that compute in halves.</summary>
    RoundedToHalf,
}

/// <summary>
/// The weights of a network on a device, as the kernels of its family want them. Those of a network conditioned on sigma are packed once at every knot; <see cref="SetSigma"/> interpolates what was packed,
/// on the device and in the order of the queue, so that frames before it keep their weights and the host neither waits nor allocates (<c>conv/sigma_weights.cl</c>).
/// </summary>
internal sealed class WeightBuffers : IDisposable
{
    // As in conv/sigma_weights.cl.
    private const int Lanes = 8, LocalItems = 32;

    private const string File = "conv/sigma_weights.cl";

    private readonly ComputeDevice _device;
    private readonly IReadOnlyList<float> _knots;
    private readonly IReadOnlyList<LayerWeights>[] _sets;
    private readonly Owned _owned = new();
    private readonly List<Interpolation> _interpolations = [];

    /// <param name="device">Where they go.</param>
    /// <param name="network">Not changed.</param>
    public WeightBuffers(ComputeDevice device, Network network)
    {
        _device = device;
        _knots = network.Description.SigmaKnots;
        _sets = network.IsConditioned ? [.. _knots.Select(knot => network.At(knot).Weights)] : [network.Weights];
    }

    private bool IsConditioned => _knots.Count > 0;

    /// <summary>The sigma whose weights the buffers hold once the queue gets there; null as long as a conditioned network was not told one.</summary>
    public float? Sigma { get; private set; }

    /// <summary>Packs weights into a buffer of their own.</summary>
    /// <param name="pack">From the weights of all layers to those of the buffer; linear: it moves, adds and scales them.</param>
    /// <param name="form">What the kernel reads.</param>
    public KernelArgument Add(Func<IReadOnlyList<LayerWeights>, float[]> pack, WeightForm form = WeightForm.Float)
    {
        float[] first = pack(_sets[0]);
        if (!IsConditioned) return Upload(first, form);
        int count = GpuWeightPacking.RoundUp(first.Length, Lanes), vectors = count / Lanes;
        float[] knots = new float[(long)count * _sets.Length];
        for (int i = 0; i < _sets.Length; i++) (i == 0 ? first : pack(_sets[i])).CopyTo(knots, i * count);
        KernelArgument buffer = Upload(new float[count], form);
        // A CPU driver runs a work-group as a loop, and takes about as long for each as for a few hundred vectors.
        int itemVectors = _device.Info.Type == ComputeDeviceType.Cpu ? 16 : 1;
        Kernel kernel = CreateKernel("sigma_weights", form, $"-DITEM_VECTORS={itemVectors}");
        kernel.Bind(Upload(knots, WeightForm.Float), buffer, vectors);
        _interpolations.Add(new(new(kernel, new(WorkSize.Tiles(WorkSize.Tiles(vectors, itemVectors), LocalItems) * LocalItems), new(LocalItems)), KnotArgument: 3));
        return buffer;
    }

    /// <summary>Packs weights of a first layer that reads the frame in halves, see <see cref="GpuWeightPacking.ForHalfFrames"/>; its biases go through that and <see cref="Add"/>.</summary>
    /// <param name="layer">Index of the layer.</param>
    /// <param name="pack">From the layer's weights to those of the buffer; only moves them.</param>
    /// <param name="form">Halves of either kind.</param>
    public KernelArgument AddForHalfFrames(int layer, Func<float[], float[]> pack, WeightForm form)
    {
        if (!IsConditioned) return Upload(pack(GpuWeightPacking.ForHalfFrames(_sets[0][layer]).Weight), form);
        float[][] weights = [.. _sets.Select(set => set[layer].Weight)];
        (int K, int count) = (_sets[0][layer].Bias.Length, weights[0].Length);
        int taps = count / K;
        // One order for all sigmas.
        int[] order = [.. Enumerable.Range(0, count).OrderBy(i => i / taps).ThenByDescending(i => weights.Max(set => Math.Abs(set[i])))];
        // Where packing moves each weight to; 0 marks places that stay empty.
        float[] moved = pack([.. Enumerable.Range(1, count).Select(i => (float)i)]);
        int[] placeOf = new int[count];
        for (int place = 0; place < moved.Length; place++)
        {
            if (moved[place] > 0) placeOf[(int)moved[place] - 1] = place;
        }
        float[] knots = [.. weights.SelectMany(set => order.Select(i => (float)(set[i] * GpuWeightPacking.HalfFrameGrowth)))];
        KernelArgument buffer = Upload(new float[moved.Length], form);
        DeviceBuffer<int> positions = _owned.Add(_device.Allocate<int>((ReadOnlySpan<int>)Array.ConvertAll(order, i => placeOf[i])));
        Kernel kernel = CreateKernel("sigma_filters", form, "");
        kernel.Bind(Upload(knots, WeightForm.Float), positions, buffer, K, taps);
        _interpolations.Add(new(new(kernel, new(K), WorkSize.Single), KnotArgument: 5));
        return buffer;
    }

    /// <summary>Enqueues the change to the weights at another sigma; nothing where they hold it already, or where the network is not conditioned.</summary>
    public void SetSigma(CommandQueue queue, float sigma)
    {
        if (!IsConditioned || sigma == Sigma) return;
        SigmaInterpolation between = SigmaInterpolation.Among(_knots, sigma);
        foreach ((Launch launch, int knotArgument) in _interpolations)
        {
            launch.Kernel.BindFrom(knotArgument, between.Lower, between.Upper, between.Share);
            launch.Enqueue(queue);
        }
        Sigma = sigma;
    }

    public void Dispose() => _owned.Dispose();

    private Kernel CreateKernel(string name, WeightForm form, string options) => _owned.Add(_device.Build(File, form switch
    {
        WeightForm.Half => $"-DTO_HALF {options}",
        WeightForm.RoundedToHalf => $"-DROUND_TO_HALF {options}",
        _ => options,
    }).CreateKernel(name));

    private KernelArgument Upload(float[] values, WeightForm form) => form switch
    {
        WeightForm.Half => _owned.Add(_device.Allocate<Half>((ReadOnlySpan<Half>)Array.ConvertAll(values, value => (Half)value))),
        WeightForm.RoundedToHalf => _owned.Add(_device.Allocate<float>((ReadOnlySpan<float>)Array.ConvertAll(values, value => (float)(Half)value))),
        _ => _owned.Add(_device.Allocate<float>((ReadOnlySpan<float>)values)),
    };

    /// <summary>A launch that fills one buffer.</summary>
    /// <param name="Launch">With its buffers bound.</param>
    /// <param name="KnotArgument">Position of the lower knot, the upper one and the share after it.</param>
    private readonly record struct Interpolation(Launch Launch, int KnotArgument);
}
