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
/// leave. Not safe for several threads; enqueues everything on one in-order queue.
/// </summary>
internal sealed class TrainingGraph : IDisposable
{
    private readonly CommandQueue _queue;
    private readonly ConvolutionTraining[] _layers;
    private readonly List<IDisposable> _owned = [];
    private readonly List<TrainingLaunch> _forward = [], _backward = [];
    private Kernel? _reduceLoss;

    /// <param name="queue">In-order queue.</param>
    /// <param name="layout">Network and the order of its parameters.</param>
    /// <param name="parameters">Flat parameters; not owned.</param>
    /// <param name="N">Patches.</param>
    /// <param name="size">Side of the patches that leave the network, 8 or more.</param>
    public TrainingGraph(CommandQueue queue, NetworkDescription description, ParameterLayout layout, DeviceBuffer<float> parameters, int N, int size)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(size, 8);
        _queue = queue;
        Description = description;
        Layout = layout;
        Parameters = parameters;
        Pad = description.Pad;
        Blurred = Own(new MapTensor(queue, N, size + 2 * Pad, size + 2 * Pad, description.C));
        Sharp = Own(new MapTensor(queue, N, size, size, description.C));
        PatchWeights = Own(queue.Device.Allocate<float>(N));
        PatchWeights.Fill(queue, 1f);
        _layers = new ConvolutionTraining[layout.Layers.Count];
        MapTensor current = Blurred;
        for (int i = 0; i < _layers.Length; i++)
        {
            LayerPlacement at = layout.Layers[i];
            MapTensor output = Own(new MapTensor(queue, N, current.H - at.Layer.Size + 1, current.W - at.Layer.Size + 1, at.K));
            _layers[i] = Own(new ConvolutionTraining(queue.Device, at, parameters, current, output));
            _forward.Add(_layers[i].Forward());
            current = output;
        }
    }

    public NetworkDescription Description { get; }

    public ParameterLayout Layout { get; }

    public DeviceBuffer<float> Parameters { get; }

    public int Pad { get; }

    /// <summary>Input of the network, to be filled by the caller.</summary>
    public MapTensor Blurred { get; }

    /// <summary>What the network shall return, to be filled by the caller; the middle of the input's area.</summary>
    public MapTensor Sharp { get; }

    /// <summary>Each patch's weight in the loss, [N]; 1 unless the caller fills it otherwise.</summary>
    public DeviceBuffer<float> PatchWeights { get; }

    /// <summary>Output of the last layer, without the global skip.</summary>
    public MapTensor Output => _layers[^1].Output;

    /// <summary>Output of a layer, with its ReLU.</summary>
    public MapTensor LayerOutput(int layer) => _layers[layer].Output;

    /// <summary>Gradient of the blurred input through the layers (without the skip), when asked for.</summary>
    public MapTensor? DBlurred { get; private set; }

    /// <summary>What <see cref="Forward"/> and <see cref="Backward"/> enqueue, in order.</summary>
    public IEnumerable<TrainingLaunch> Launches => _forward.Concat(_backward);

    /// <summary>Prepares loss and gradients.</summary>
    /// <param name="gradient">Flat gradients, overwritten by every backward pass; not owned.</param>
    /// <param name="history">Receives the loss of each step at the slot given with it; not owned.</param>
    /// <param name="withInputGradient">Whether the gradient of the network's input is computed too; training does not need it.</param>
    public void PrepareBackward(DeviceBuffer<float> gradient, DeviceBuffer<float> history, LossKind loss, bool withInputGradient = false)
    {
        int N = Output.N, last = _layers.Length - 1;
        MapTensor dOutput = Own(new MapTensor(_queue, N, Output.H, Output.W, Output.C, _layers[last].At.Layer.Size - 1));

        int K = Description.C;
        string options = $"-DK={K}{(Description.GlobalSkip ? " -DSKIP" : "")}{(loss == LossKind.L1 ? " -DL1" : "")}";
        KernelProgram program = _queue.Device.Build("train/loss.cl", options);
        DeviceBuffer<float> rowSum = Own(_queue.Device.Allocate<float>(N * Output.H * (1 + K)));
        Kernel lossGradient = Own(program.CreateKernel("loss_gradient"));
        int middle = Pad * (Blurred.Row + Blurred.C);
        lossGradient.Bind(Output.Buffer, Output.Row, Output.Image, Blurred.Buffer, middle, Blurred.Row, Blurred.Image, Sharp.Buffer, Sharp.Row, Sharp.Image, PatchWeights,
            dOutput.Buffer, dOutput.Origin, dOutput.Row, dOutput.Image, rowSum, Output.W, 1f / ((float)N * Output.H * Output.W * K));
        _reduceLoss = Own(program.CreateKernel("reduce_loss"));
        _reduceLoss.Bind(rowSum, N * Output.H, history, 0, gradient, _layers[last].At.BiasOrigin);
        _backward.Add(new("loss", new(lossGradient, new(Output.H, N), WorkSize.Single), 0));
        _backward.Add(new("loss reduce", new(_reduceLoss, WorkSize.Single, WorkSize.Single), 0));

        GradientParts parts = Own(new GradientParts(_queue, Layout, gradient, N * Output.H));
        int firstTurned = withInputGradient ? 0 : 1;
        int[][] turnedIndex = [.. Enumerable.Range(0, _layers.Length).Select(i => i < firstTurned ? [] : Layout.BackwardInputIndex(i))];
        DeviceBuffer<int> index = Own(_queue.Device.Allocate<int>((ReadOnlySpan<int>)[.. turnedIndex.SelectMany(layer => layer)]));
        DeviceBuffer<float> turned = Own(_queue.Device.Allocate<float>(index.Count));
        Kernel gather = Own(_queue.Device.Build("train/optimizer.cl").CreateKernel("gather"));
        gather.Bind(Parameters, index, turned);
        _backward.Add(new("turn weights", new(gather, new(index.Count), new(16)), 0));

        for (int i = last; i >= 0; i--)
        {
            ConvolutionTraining layer = _layers[i];
            int turnedOrigin = turnedIndex.Take(i).Sum(earlier => earlier.Length);
            if (i == 1 && !withInputGradient && ConvolutionTraining.CanShare(_layers[0].At, layer.At))
            {
                _backward.Add(_layers[0].BackwardWith(layer, dOutput, turned, turnedOrigin, parts));
                break;
            }
            _backward.Add(layer.BackwardWeight(dOutput, parts));
            if (i < firstTurned) break;

            int halo = i <= firstTurned ? 0 : _layers[i - 1].At.Layer.Size - 1;
            MapTensor dInput = Own(new MapTensor(_queue, N, layer.Input.H, layer.Input.W, layer.Input.C, halo));
            _backward.Add(layer.BackwardInput(dOutput, turned, turnedOrigin, dInput, throughRelu: i > 0 && _layers[i - 1].At.Layer.Relu));
            if (i == 0) DBlurred = dInput;
            dOutput = dInput;
        }
        _backward.Add(parts.Add);
    }

    public void Forward()
    {
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

    private T Own<T>(T item) where T : IDisposable
    {
        _owned.Add(item);
        return item;
    }
}
