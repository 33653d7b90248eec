using RealtimeDeblur.Compute;
using RealtimeDeblur.Networks;

namespace RealtimeDeblur.Training.Layers;

/// <summary>What the trainer minimises, as a mean over pixels and channels.</summary>
public enum LossKind
{
    /// <summary>Mean absolute error: less drawn to single bright edges.</summary>
    L1,

    /// <summary>Mean squared error: PSNR itself.</summary>
    Mse,
}

/// <summary>
/// A network over a batch of N patches: forward pass, loss, and all gradients, on the device. Patches enter <see cref="Pad"/> pixels larger on each side than they
/// leave. Tensors hold cells of the network's scale. Not safe for several threads; enqueues everything on one in-order queue.
/// </summary>
internal sealed class TrainingGraph : IDisposable
{
    /// <summary>Parts of the gradients that keep a CPU's compute unit, and any GPU, busy to the end.</summary>
    private const int PartsPerUnit = 4, GpuParts = 512;

    private readonly CommandQueue _queue;
    private readonly GpuTile? _gpu;
    private readonly Dictionary<string, MapTensor> _tensors = [];
    private readonly List<ConvolutionTraining[]> _layers = [];
    private readonly BatchWeights _weights;
    private readonly DeviceBuffer<float> _blend;
    private readonly Kernel? _blendWeights;
    private readonly List<IDisposable> _owned = [];
    private readonly List<TrainingLaunch> _forward = [], _backward = [];
    private Kernel? _reduceLoss;

    /// <param name="queue">In-order queue.</param>
    /// <param name="description">Network.</param>
    /// <param name="layout">The order of its parameters.</param>
    /// <param name="parameters">Flat parameters, all sets; not owned.</param>
    /// <param name="N">Patches.</param>
    /// <param name="size">Side in pixels of the patches that leave the network: a multiple of the scale, and 8 cells or more.</param>
    /// <param name="batches">Batches whose sigmas <see cref="UploadSigmas"/> takes at once.</param>
    public TrainingGraph(CommandQueue queue, NetworkDescription description, ParameterLayout layout, DeviceBuffer<float> parameters, int N, int size, int batches = 1)
        : this(queue, description, layout, parameters, N, size, batches, GpuTile.For(queue.Device.Info))
    {
    }

    /// <param name="queue"/><param name="description"/><param name="layout"/><param name="parameters"/><param name="N"/><param name="size"/><param name="batches"/>
    /// <param name="gpu">Of the kernels for GPUs, which run on any device; null for those for CPUs.</param>
    internal TrainingGraph(CommandQueue queue, NetworkDescription description, ParameterLayout layout, DeviceBuffer<float> parameters, int N, int size, int batches, GpuTile? gpu)
    {
        int scale = description.Scale, cells = size / scale;
        ArgumentOutOfRangeException.ThrowIfLessThan(cells, 8, nameof(size));
        _queue = queue;
        _gpu = gpu;
        Description = description;
        Layout = layout;
        Parameters = parameters;
        Pad = description.Pad;
        ComputeDevice device = queue.Device;
        Blurred = Own(new MapTensor(queue, N, cells + 2 * description.Reach, cells + 2 * description.Reach, description.InputC));
        Sharp = Own(new MapTensor(queue, N, cells, cells, description.InputC));
        PatchWeights = Own(device.Allocate<float>(N));
        PatchWeights.Fill(queue, 1f);
        Sigmas = Own(device.Allocate<float>(checked(N * batches)));
        Sigmas.Fill(queue, 0f);

        _blend = Own(device.Allocate<float>(N * layout.Sets));
        _blend.Fill(queue, 1f);
        _weights = new(parameters, 0);
        if (layout.Sets > 1)
        {
            _weights = new(Own(device.Allocate<float>(checked((long)N * layout.Count))), layout.Count);
            KernelProgram program = BlendProgram();
            DeviceBuffer<float> knots = Own(device.Allocate<float>((ReadOnlySpan<float>)[.. description.SigmaKnots]));
            _blendWeights = Own(program.CreateKernel("blend_weights")).Bind(Sigmas, 0, knots, _blend, N);
            Kernel expand = Own(program.CreateKernel("expand")).Bind(parameters, layout.Count, _blend, _weights.Floats);
            _forward.Add(new("blend", new(_blendWeights, WorkSize.Single, WorkSize.Single), 0));
            _forward.Add(new("weights of each image", BlendLaunch(expand, N), 0));
        }

        _tensors[NetworkDescription.Input] = Blurred;
        foreach (LayerPlacement at in layout.Layers)
        {
            int H = at.Blocks.Min(block => _tensors[block.Tensor].H) - at.Layer.Size + 1;
            MapTensor output = Own(new MapTensor(queue, N, H, H, at.K));
            _tensors[at.Layer.Name] = output;
            MapView? skip = at.Layer.Skip is null ? null : Centre(_tensors[at.Layer.Skip], H);
            ConvolutionTraining[] blocks = [.. at.Blocks.Select(block =>
                Own(new ConvolutionTraining(device, gpu, at, block, Centre(_tensors[block.Tensor], H + at.Layer.Size - 1), output)))];
            _forward.AddRange(blocks.Select(block => block.Forward(_weights, skip)));
            _layers.Add(blocks);
        }
    }

    public NetworkDescription Description { get; }

    public ParameterLayout Layout { get; }

    public DeviceBuffer<float> Parameters { get; }

    /// <summary>Pixels.</summary>
    public int Pad { get; }

    /// <summary>Input of the network, to be filled by the caller.</summary>
    public MapTensor Blurred { get; }

    /// <summary>What the network shall return, to be filled by the caller; the middle of the input's area.</summary>
    public MapTensor Sharp { get; }

    /// <summary>Each patch's weight in the loss, [N]; 1 unless the caller fills it otherwise.</summary>
    public DeviceBuffer<float> PatchWeights { get; }

    /// <summary>Sigma that the network is told for each patch, in pixels, [batches][N]; 0 unless uploaded. Read by conditioned networks only.</summary>
    public DeviceBuffer<float> Sigmas { get; }

    /// <summary>Output of the last layer, without the global skip.</summary>
    public MapTensor Output => _layers[^1][0].Output;

    /// <summary>Output of a layer, with its ReLU and skip.</summary>
    public MapTensor LayerOutput(int layer) => _layers[layer][0].Output;

    /// <summary>Gradient of the blurred input through the layers (without the global skip), when asked for.</summary>
    public MapTensor? DBlurred { get; private set; }

    /// <summary>What <see cref="Forward"/> and <see cref="Backward"/> enqueue, in order.</summary>
    public IEnumerable<TrainingLaunch> Launches => _forward.Concat(_backward);

    /// <summary>Prepares loss and gradients.</summary>
    /// <param name="gradient">Flat gradients of all sets, overwritten by every backward pass; not owned.</param>
    /// <param name="history">Receives the loss of each step at the slot given with it; not owned.</param>
    /// <param name="loss">What is minimised.</param>
    /// <param name="withInputGradient">Whether the gradient of the network's input is computed too; training does not need it.</param>
    public void PrepareBackward(DeviceBuffer<float> gradient, DeviceBuffer<float> history, LossKind loss, bool withInputGradient = false)
    {
        ComputeDevice device = _queue.Device;
        int N = Output.N, last = _layers.Count - 1;
        Dictionary<string, MapTensor> gradients = [];
        MapTensor dResult = gradients[Description.Layers[last].Name] = Gradient(Description.Layers[last].Name);

        string options = $"-DK={Output.C}{(Description.GlobalSkip ? " -DSKIP" : "")}{(loss == LossKind.L1 ? " -DL1" : "")}";
        KernelProgram program = device.Build("train/loss.cl", options);
        DeviceBuffer<float> rowSum = Own(device.Allocate<float>(N * Output.H));
        Kernel lossGradient = Own(program.CreateKernel("loss_gradient"));
        MapView middle = Centre(Blurred, Output.H);
        lossGradient.Bind(Output.Buffer, Output.Row, Output.Image, Blurred.Buffer, middle.Origin, Blurred.Row, Blurred.Image, Sharp.Buffer, Sharp.Row, Sharp.Image, PatchWeights,
            dResult.Buffer, dResult.Origin, dResult.Row, dResult.Image, rowSum, Output.W, 1f / ((float)N * Output.H * Output.W * Output.C));
        const int Summed = 16;      // of loss.cl
        _reduceLoss = Own(program.CreateKernel("reduce_loss")).Bind(rowSum, N * Output.H, history, 0);
        _backward.Add(new("loss", new(lossGradient, new(Output.H, N), WorkSize.Single), 0));
        _backward.Add(new("loss reduce", new(_reduceLoss, new(Summed), new(Summed)), 0));

        GradientParts parts = Own(new GradientParts(_queue, Layout, N, Output.H, _gpu is not null ? GpuParts : PartsPerUnit * Math.Max(1, device.Info.ComputeUnits)));
        Dictionary<WeightBlock, int> turnedOrigins = [];
        List<int> turnedIndex = [];
        foreach (WeightBlock block in Layout.Layers.SelectMany(at => at.Blocks).Where(NeedsGradient))
        {
            turnedOrigins[block] = turnedIndex.Count;
            turnedIndex.AddRange(ParameterLayout.TurnedIndex(block));
        }
        BatchWeights turned = default;
        if (turnedIndex.Count > 0)
        {
            DeviceBuffer<int> index = Own(device.Allocate<int>((ReadOnlySpan<int>)[.. turnedIndex]));
            int images = _weights.Image == 0 ? 1 : N;
            turned = new(Own(device.Allocate<float>(checked((long)images * turnedIndex.Count))), _weights.Image == 0 ? 0 : turnedIndex.Count);
            Kernel turn = Own(BlendProgram().CreateKernel("turn")).Bind(_weights.Floats, Layout.Count, index, turned.Floats);
            _backward.Add(new("turn weights", new(turn, new(turnedIndex.Count, images), new(16)), 0));
        }

        for (int i = last; i >= 0; i--)
        {
            if (i == 1 && _gpu is null && !withInputGradient && SharesBackward())
            {
                _backward.Add(_layers[0][0].BackwardWith(_layers[1][0], gradients[Description.Layers[1].Name], turned, turnedOrigins[_layers[1][0].Block], parts));
                break;
            }
            LayerPlacement at = Layout.Layers[i];
            MapTensor dOutput = gradients[at.Layer.Name];
            if (at.Layer.Skip is not null && NeedsGradientOf(at.Layer.Skip))
            {
                MapView dSkip = Centre(GradientOf(at.Layer.Skip), dOutput.H);
                Kernel add = Own(BlendProgram().CreateKernel("add_maps"));
                add.Bind(dOutput.Buffer, dOutput.Origin, dOutput.Row, dOutput.Image, dSkip.Maps.Buffer, dSkip.Origin, dSkip.Maps.Row, dSkip.Maps.Image, dOutput.W * dOutput.C);
                _backward.Add(new($"{at.Layer.Name} backward skip", new(add, new(dOutput.H, N), WorkSize.Single), 0));
            }
            foreach (ConvolutionTraining block in _layers[i])
            {
                _backward.AddRange(block.BackwardWeight(dOutput, parts));
                string tensor = block.Block.Tensor;
                if (!NeedsGradientOf(tensor)) continue;
                MapTensor dInput = GradientOf(tensor);
                _backward.Add(block.BackwardInput(dOutput, turned, turnedOrigins[block.Block], Centre(dInput, dOutput.H + at.Layer.Size - 1),
                    throughRelu: Description.Layers.Any(layer => layer.Name == tensor && layer.Relu), accumulate: Readers(tensor) > 1));
            }
        }
        if (withInputGradient) DBlurred = gradients[NetworkDescription.Input];
        Kernel collect = Own(BlendProgram().CreateKernel("collect")).Bind(parts.Partial, Layout.Count, _blend, N, parts.PerImage, gradient);
        _backward.Add(new("add gradients", BlendLaunch(collect, 1), 0));

        bool NeedsGradientOf(string tensor) => tensor != NetworkDescription.Input || withInputGradient;

        bool NeedsGradient(WeightBlock block) => NeedsGradientOf(block.Tensor);

        bool SharesBackward() => ConvolutionTraining.CanShare(_layers[0][0].Block, _layers[1][0].Block) && _layers[1].Length == 1 && Readers(Description.Layers[0].Name) == 1 && Description.Layers[1].Skip is null;

        // A gradient that several readers add to begins at zero, in every step anew.
        MapTensor GradientOf(string tensor)
        {
            if (gradients.TryGetValue(tensor, out MapTensor? known)) return known;
            MapTensor created = gradients[tensor] = Gradient(tensor);
            if (Readers(tensor) > 1) _backward.Add(new($"{tensor} clear gradient", ClearLaunch(created), 0));
            return created;
        }
    }

    /// <summary>Uploads the sigmas of several batches, [batches][N]; waits for the copy.</summary>
    public void UploadSigmas(ReadOnlySpan<float> sigmas) => Sigmas.Write(_queue, sigmas);

    /// <param name="batch">Which of the uploaded batches' sigmas to use.</param>
    public void Forward(int batch = 0)
    {
        _blendWeights?.Bind(1, batch * Output.N);
        foreach (TrainingLaunch launch in _forward) launch.Enqueue(_queue);
    }

    /// <summary>Enqueues loss and gradients after a <see cref="Forward"/>.</summary>
    /// <param name="historySlot">Where the loss goes.</param>
    public void Backward(int historySlot)
    {
        _reduceLoss!.Bind(3, historySlot);
        foreach (TrainingLaunch launch in _backward) launch.Enqueue(_queue);
    }

    public void Dispose()
    {
        for (int i = _owned.Count - 1; i >= 0; i--) _owned[i].Dispose();
        _owned.Clear();
    }

    private static MapView Centre(MapTensor maps, int size) => new(maps, (maps.H - size) / 2);

    /// <summary>Layers that read a tensor, skips included; the loss reads none.</summary>
    private int Readers(string tensor) => Layout.Layers.Sum(at => at.Blocks.Count(block => block.Tensor == tensor) + (at.Layer.Skip == tensor ? 1 : 0));

    /// <summary>Memory for a tensor's gradient, with the halo that the way back through its layer needs.</summary>
    private MapTensor Gradient(string tensor)
    {
        MapTensor maps = _tensors[tensor];
        int halo = Description.Layers.FirstOrDefault(layer => layer.Name == tensor) is { } layer ? layer.Size - 1 : 0;
        return Own(new MapTensor(_queue, maps.N, maps.H, maps.W, maps.C, halo));
    }

    private KernelProgram BlendProgram() => _queue.Device.Build("train/blend.cl", $"-DSETS={Layout.Sets}{(_gpu is { } gpu ? $" -DLANES=1 -DLOCAL={gpu.Local}" : "")}");

    private Launch BlendLaunch(Kernel kernel, int images) =>
        _gpu is { } gpu ? new(kernel, new(gpu.RoundUp(Layout.Count), images), new(gpu.Local)) : new(kernel, new(Layout.Count / 16, images), WorkSize.Single);

    private Launch ClearLaunch(MapTensor maps)
    {
        Kernel clear = Own(BlendProgram().CreateKernel("clear")).Bind(maps.Buffer, maps.Image);
        return new(clear, new(maps.N, 16), new(1, 16));
    }

    private T Own<T>(T item) where T : IDisposable
    {
        _owned.Add(item);
        return item;
    }
}
