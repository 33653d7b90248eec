using RealtimeDeblur.Compute;

namespace RealtimeDeblur.Training.Layers;

/// <summary>
/// The three passes of one layer as launches with their buffers bound; the first layer and a 1x1 layer that alone reads it can share theirs backward.
/// Convolutions are "valid": each layer's output is Size - 1 smaller than its input, so that training never sees an invented border.
/// </summary>
internal sealed class ConvolutionTraining : IDisposable
{
    private const string ValidFile = "train/conv2d_valid.cl";
    private const string WeightFile = "train/conv2d_backward_weight.cl";

    /// <summary>Columns of a work-item in <c>conv2d_valid.cl</c>, X_RUN and FEW_W, and its rows.</summary>
    private const int ManyColumns = 16, FewColumns = 8, ManyRows = 6;

    /// <summary>Sums of both layers' gradients that a work-item of <c>conv2d_backward_map</c> keeps in private memory, in floats: half of a small second-level cache.</summary>
    private const int MaxMapSums = 64 * 1024;

    private readonly ComputeDevice _device;
    private readonly DeviceBuffer<float> _parameters;
    private readonly List<IDisposable> _owned = [];

    /// <param name="parameters">Flat parameters, laid out by <see cref="ParameterLayout"/>; not owned.</param>
    /// <param name="input">Not modified; not owned.</param>
    /// <param name="output">Overwritten by the forward pass, with the ReLU applied where the layer has one; not owned.</param>
    public ConvolutionTraining(ComputeDevice device, LayerPlacement at, DeviceBuffer<float> parameters, MapTensor input, MapTensor output)
    {
        _device = device;
        _parameters = parameters;
        (At, Input, Output) = (at, input, output);
    }

    public LayerPlacement At { get; }

    public MapTensor Input { get; }

    public MapTensor Output { get; }

    /// <summary>Multiply-accumulates of each of the three passes, counted as a direct convolution over the batch.</summary>
    private long Mac => (long)Output.N * Output.H * Output.W * At.Layer.WeightCount;

    private string Name => At.Layer.Name;

    /// <summary>Whether the two layers, the second reading the first, can share their backward pass.</summary>
    public static bool CanShare(LayerPlacement first, LayerPlacement second) =>
        first.HasManyOutputs && second.HasManyOutputs && second.Layer.Size == 1 && (first.Offsets + 1) * first.K + (second.Offsets + 1) * second.K <= MaxMapSums;

    public TrainingLaunch Forward() =>
        new($"{Name} forward", Convolution(At.C, At.K, At.Layer.Relu ? "-DRELU" : "", Input, 0, _parameters, At.WeightOrigin, (_parameters, At.BiasOrigin), Output, gate: null), Mac);

    /// <summary>The gradient of the weights and, except for the last layer, of the biases.</summary>
    /// <param name="dOutput">Gradient before the ReLU. The last layer's needs a halo of Size - 1.</param>
    public TrainingLaunch BackwardWeight(MapTensor dOutput, GradientParts gradients)
    {
        // See the kernel's header: which tensor is read 16 channels at a time, and which is walked by offsets.
        (MapTensor vec, MapTensor scalar) = At.HasManyOutputs ? (dOutput, Input) : (Input, dOutput);
        int size = At.Layer.Size;
        int scalarOrigin = At.HasManyOutputs ? scalar.Origin : scalar.Origin - (size - 1) * (scalar.Row + scalar.C);
        string options = $"-DVEC_CHANNELS={vec.C} -DSCALAR_CHANNELS={scalar.C} -DOFFSETS={At.Offsets}{(At.HasManyOutputs ? " -DBIAS" : "")}";
        Kernel kernel = Own(_device.Build(WeightFile, options).CreateKernel("conv2d_backward_weight"));
        kernel.Bind(vec.Buffer, vec.Origin, vec.Row, vec.Image, scalar.Buffer, scalarOrigin, scalar.Row, scalar.Image, Offsets(scalar),
            gradients.Partial, gradients.Count, At.WeightOrigin, At.BiasOrigin, vec.N, vec.H, vec.W);
        return new($"{Name} backward weight", new(kernel, new(vec.C / 16, gradients.Parts), WorkSize.Single), Mac);
    }

    /// <summary>The gradients of the weights and biases of this layer and the next, which stand first in the network.</summary>
    /// <param name="map">The next layer.</param>
    /// <param name="dOutput">Gradient of the next layer's output, before its ReLU.</param>
    /// <param name="turned">The next layer's weights as <see cref="ParameterLayout.BackwardInputIndex"/> lays them out, from <paramref name="turnedOrigin"/> on.</param>
    public TrainingLaunch BackwardWith(ConvolutionTraining map, MapTensor dOutput, DeviceBuffer<float> turned, int turnedOrigin, GradientParts gradients)
    {
        string options = $"-DVEC_CHANNELS={At.K} -DSCALAR_CHANNELS={At.C} -DOFFSETS={At.Offsets} -DMAP_K={map.At.K}{(At.Layer.Relu ? " -DGATE" : "")}";
        Kernel kernel = Own(_device.Build(WeightFile, options).CreateKernel("conv2d_backward_map"));
        kernel.Bind(Input.Buffer, Input.Origin, Input.Row, Input.Image, Output.Buffer, Output.Origin, Output.Row, Output.Image,
            dOutput.Buffer, dOutput.Origin, dOutput.Row, dOutput.Image, turned, turnedOrigin, Offsets(Input), map.Offsets(Output),
            gradients.Partial, gradients.Count, At.WeightOrigin, At.BiasOrigin, map.At.WeightOrigin, map.At.BiasOrigin, Output.N, Output.H, Output.W);
        return new($"{Name}+{map.Name} backward", new(kernel, new(1, gradients.Parts), WorkSize.Single), Mac + 2 * map.Mac);
    }

    /// <summary>The gradient of the input.</summary>
    /// <param name="dOutput">Gradient before the ReLU, with a halo of Size - 1.</param>
    /// <param name="turned">This layer's weights as <see cref="ParameterLayout.BackwardInputIndex"/> lays them out, from <paramref name="turnedOrigin"/> on.</param>
    /// <param name="dInput">Overwritten.</param>
    /// <param name="throughRelu">Whether the input is the result of a ReLU: the gradient then passes where the input is above 0.</param>
    public TrainingLaunch BackwardInput(MapTensor dOutput, DeviceBuffer<float> turned, int turnedOrigin, MapTensor dInput, bool throughRelu) =>
        new($"{Name} backward input",
            Convolution(At.K, At.C, throughRelu ? "-DGATE" : "", dOutput, At.Layer.Size - 1, turned, turnedOrigin, bias: null, dInput, throughRelu ? Input : null), Mac);

    public void Dispose()
    {
        for (int i = _owned.Count - 1; i >= 0; i--) _owned[i].Dispose();
        _owned.Clear();
    }

    /// <summary>Where the taps and channels of a pixel lie in the tensor that is walked.</summary>
    private DeviceBuffer<int> Offsets(MapTensor scalar)
    {
        int size = At.Layer.Size, next = 0;
        int[] offsets = new int[At.Offsets];
        for (int ky = 0; ky < size; ky++)
        for (int kx = 0; kx < size; kx++)
        for (int channel = 0; channel < scalar.C; channel++)
            offsets[next++] = At.HasManyOutputs
                ? ky * scalar.Row + kx * scalar.C + channel
                : (size - 1 - ky) * scalar.Row + (size - 1 - kx) * scalar.C + channel;
        return Own(_device.Allocate<int>((ReadOnlySpan<int>)offsets));
    }

    /// <param name="border">Pixels of the input's halo that take part.</param>
    private Launch Convolution(int C, int K, string options, MapTensor input, int border, DeviceBuffer<float> weights, int weightOrigin,
        (DeviceBuffer<float> Values, int Origin)? bias, MapTensor output, MapTensor? gate)
    {
        options = $"-DC={C} -DK={K} -DSIZE={At.Layer.Size} {options}{(bias is null ? "" : " -DBIAS")}".Trim();
        KernelProgram program = _device.Build(ValidFile, options);
        int inputOrigin = input.Origin - border * (input.Row + input.C);
        (DeviceBuffer<float> biases, int biasOrigin) = bias ?? (weights, 0);
        if (K % 16 == 0)
        {
            gate ??= output; // bound, not read
            Kernel many = Own(program.CreateKernel("conv2d_valid_many"));
            many.Bind(input.Buffer, inputOrigin, input.Row, input.Image, weights, weightOrigin, biases, biasOrigin,
                output.Buffer, output.Origin, output.Row, output.Image, gate.Buffer, gate.Origin, gate.Row, gate.Image, output.H, output.W);
            return new(many, new(WorkSize.Tiles(output.W, ManyColumns), WorkSize.Tiles(output.H, ManyRows), output.N), WorkSize.Single);
        }
        Kernel few = Own(program.CreateKernel("conv2d_valid_few"));
        few.Bind(input.Buffer, inputOrigin, input.Row, input.Image, weights, weightOrigin, biases, biasOrigin,
            output.Buffer, output.Origin, output.Row, output.Image, output.H, output.W);
        return new(few, new(WorkSize.Tiles(output.W, FewColumns), output.H, output.N), WorkSize.Single);
    }

    private T Own<T>(T item) where T : IDisposable
    {
        _owned.Add(item);
        return item;
    }
}
