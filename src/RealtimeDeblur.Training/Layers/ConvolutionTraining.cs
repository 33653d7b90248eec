using RealtimeDeblur.Compute;

namespace RealtimeDeblur.Training.Layers;

/// <summary>
/// The three passes of one layer, bound to their buffers once: forward, gradient of weights and biases, gradient of the input. All enqueue and return.
/// Convolutions are "valid": each layer's output is Size - 1 smaller than its input, so that training never sees an invented border.
/// </summary>
internal sealed class ConvolutionTraining : IDisposable
{
    private const string ValidFile = "train/conv2d_valid.cl";
    private const string WeightFile = "train/conv2d_backward_weight.cl";

    private readonly CommandQueue _queue;
    private readonly List<IDisposable> _owned = [];

    /// <summary>Prepares the forward pass.</summary>
    /// <param name="parameters">Flat parameters, laid out by <see cref="ParameterLayout"/>.</param>
    /// <param name="input">Not modified.</param>
    /// <param name="output">Overwritten, with the ReLU applied where the layer has one.</param>
    public ConvolutionTraining(CommandQueue queue, LayerPlacement at, DeviceBuffer<float> parameters, MapTensor input, MapTensor output)
    {
        _queue = queue;
        At = at;
        (Input, Output) = (input, output);
        Forward = [new($"{at.Layer.Name} forward", Convolution(at.C, at.K, at.Layer.Relu ? "-DRELU" : "", input, 0, parameters, at.WeightOrigin, (parameters, at.BiasOrigin), output, gate: null), Mac)];
    }

    public LayerPlacement At { get; }

    public MapTensor Input { get; }

    public MapTensor Output { get; }

    public IReadOnlyList<TrainingLaunch> Forward { get; }

    public IReadOnlyList<TrainingLaunch> BackwardWeight { get; private set; } = [];

    public IReadOnlyList<TrainingLaunch> BackwardInput { get; private set; } = [];

    /// <summary>Multiply-accumulates of each of the three passes, counted as a direct convolution over the batch.</summary>
    private long Mac => (long)Output.N * Output.H * Output.W * At.Layer.WeightCount;

    /// <summary>Prepares the gradient of the weights and, except for the last layer, of the biases.</summary>
    /// <param name="dOutput">Gradient before the ReLU. The last layer's needs a halo of Size - 1.</param>
    /// <param name="gradient">Flat gradients; this layer's part is overwritten.</param>
    public void PrepareBackwardWeight(MapTensor dOutput, DeviceBuffer<float> gradient)
    {
        int size = At.Layer.Size;
        // See the kernel's header: which tensor is read 16 channels at a time, and which is walked by offsets.
        (MapTensor vec, MapTensor scalar) = At.HasManyOutputs ? (dOutput, Input) : (Input, dOutput);
        int used = At.Offsets, padded = (used + 5) / 6 * 6;
        int[] offsets = new int[padded];
        int next = 0;
        for (int ky = 0; ky < size; ky++)
        for (int kx = 0; kx < size; kx++)
        for (int channel = 0; channel < scalar.C; channel++)
            offsets[next++] = At.HasManyOutputs
                ? ky * scalar.Row + kx * scalar.C + channel
                : (size - 1 - ky) * scalar.Row + (size - 1 - kx) * scalar.C + channel;
        int scalarOrigin = At.HasManyOutputs ? scalar.Origin : scalar.Origin - (size - 1) * (scalar.Row + scalar.C);

        // Enough parts to keep every compute unit busy to the end; a fixed number, so that sums repeat.
        int parts = Math.Min(4 * _queue.Device.Info.ComputeUnits, vec.N * vec.H);
        DeviceBuffer<int> offset = Own(_queue.Device.Allocate<int>((ReadOnlySpan<int>)offsets));
        DeviceBuffer<float> partial = Own(_queue.Device.Allocate<float>(checked((long)parts * vec.C * (padded + 1))));
        KernelProgram program = _queue.Device.Build(WeightFile, $"-DVEC_CHANNELS={vec.C} -DSCALAR_CHANNELS={scalar.C} -DOFFSETS={padded} -DUSED_OFFSETS={used}");
        Kernel sum = Own(program.CreateKernel("conv2d_backward_weight"));
        sum.Bind(vec.Buffer, vec.Origin, vec.Row, vec.Image, scalar.Buffer, scalarOrigin, scalar.Row, scalar.Image, offset, partial, vec.N, vec.H, vec.W);
        Kernel reduce = Own(program.CreateKernel("reduce_partials"));
        reduce.Bind(partial, gradient, At.WeightOrigin, At.HasManyOutputs ? At.BiasOrigin : -1, parts);
        BackwardWeight =
        [
            new($"{At.Layer.Name} backward weight", new(sum, new(vec.C / 16, parts), WorkSize.Single), Mac),
            new($"{At.Layer.Name} reduce", new(reduce, new(16, used + 1, vec.C / 16), new(16)), 0),
        ];
    }

    /// <summary>Prepares the gradient of the input.</summary>
    /// <param name="dOutput">Gradient before the ReLU, with a halo of Size - 1.</param>
    /// <param name="index">From <see cref="ParameterLayout.BackwardInputIndex"/>.</param>
    /// <param name="dInput">Overwritten.</param>
    /// <param name="throughRelu">Whether the input is the result of a ReLU: the gradient then passes where the input is above 0.</param>
    public void PrepareBackwardInput(MapTensor dOutput, DeviceBuffer<float> parameters, int[] index, MapTensor dInput, bool throughRelu)
    {
        DeviceBuffer<int> indices = Own(_queue.Device.Allocate<int>((ReadOnlySpan<int>)index));
        DeviceBuffer<float> turned = Own(_queue.Device.Allocate<float>(index.Length));
        Kernel gather = Own(_queue.Device.Build("train/optimizer.cl").CreateKernel("gather"));
        gather.Bind(parameters, indices, turned);
        BackwardInput =
        [
            new($"{At.Layer.Name} gather", new(gather, new(index.Length), new(16)), 0),
            new($"{At.Layer.Name} backward input", Convolution(At.K, At.C, throughRelu ? "-DGATE" : "", dOutput, At.Layer.Size - 1, turned, 0, bias: null, dInput, throughRelu ? Input : null), Mac),
        ];
    }

    public void Dispose()
    {
        for (int i = _owned.Count - 1; i >= 0; i--) _owned[i].Dispose();
        _owned.Clear();
    }

    /// <param name="border">Pixels of the input's halo that take part.</param>
    private Launch Convolution(int C, int K, string options, MapTensor input, int border, DeviceBuffer<float> weights, int weightOrigin,
        (DeviceBuffer<float> Values, int Origin)? bias, MapTensor output, MapTensor? gate)
    {
        options = $"-DC={C} -DK={K} -DSIZE={At.Layer.Size} {options}{(bias is null ? "" : " -DBIAS")}".Trim();
        KernelProgram program = _queue.Device.Build(ValidFile, options);
        int inputOrigin = input.Origin - border * (input.Row + input.C);
        (DeviceBuffer<float> biases, int biasOrigin) = bias ?? (weights, 0);
        if (K % 16 == 0)
        {
            gate ??= output; // bound, not read
            Kernel many = Own(program.CreateKernel("conv2d_valid_many"));
            many.Bind(input.Buffer, inputOrigin, input.Row, input.Image, weights, weightOrigin, biases, biasOrigin,
                output.Buffer, output.Origin, output.Row, output.Image, gate.Buffer, gate.Origin, gate.Row, gate.Image, output.H, output.W);
            return new(many, new(WorkSize.Tiles(output.W, 16), WorkSize.Tiles(output.H, 6), output.N), WorkSize.Single);
        }
        Kernel few = Own(program.CreateKernel("conv2d_valid_few"));
        few.Bind(input.Buffer, inputOrigin, input.Row, input.Image, weights, weightOrigin, biases, biasOrigin,
            output.Buffer, output.Origin, output.Row, output.Image, output.H, output.W);
        return new(few, new(WorkSize.Tiles(output.W, 8), output.H, output.N), WorkSize.Single);
    }

    private T Own<T>(T item) where T : IDisposable
    {
        _owned.Add(item);
        return item;
    }
}
