using RealtimeDeblur.Compute;

namespace RealtimeDeblur.Training.Layers;

/// <summary>Maps or a part of them, as a convolution sees them: which pixel is its first.</summary>
/// <param name="Maps">The tensor.</param>
/// <param name="Crop">Pixels left out on each side; negative where the halo takes part.</param>
internal readonly record struct MapView(MapTensor Maps, int Crop = 0)
{
    public int Origin => Maps.Origin + Crop * (Maps.Row + Maps.C);
}

/// <summary>Weights of every image of a batch: its own, or the same for all.</summary>
/// <param name="Floats">Laid out as a set of parameters, or as turned weights.</param>
/// <param name="Image">Floats from one image's weights to the next; 0 where all share one set.</param>
internal readonly record struct BatchWeights(DeviceBuffer<float> Floats, int Image);

/// <summary>What work-items of the kernels for GPUs compute.</summary>
/// <param name="Local">Work-items of a work-group.</param>
/// <param name="Rows">Pixels of a work-item in layers of many filters.</param>
/// <param name="Filters">Filters of a work-item there, a divisor of 16.</param>
internal readonly record struct GpuTile(int Local, int Rows, int Filters)
{
    /// <summary>64 sums per work-item: about a hundred registers.</summary>
    public static GpuTile Default { get; } = new(64, 4, 16);

    public static GpuTile? For(DeviceInfo device) => device.Type == ComputeDeviceType.Cpu ? null : Default;

    /// <summary>Work-items in whole work-groups.</summary>
    public long RoundUp(long items) => WorkSize.Tiles(items, Local) * Local;
}

/// <summary>
/// The three passes of one convolution of one tensor as launches with their buffers bound; on a CPU, a first layer and a 1x1 layer that alone reads it can share theirs backward.
/// Convolutions are "valid": each layer's output is Size - 1 smaller than its input, so that training never sees an invented border.
/// </summary>
internal sealed class ConvolutionTraining : IDisposable
{
    private const string ValidFile = "train/conv2d_valid.cl", GpuValidFile = "train/gpu_conv2d_valid.cl";
    private const string WeightFile = "train/conv2d_backward_weight.cl", GpuWeightFile = "train/gpu_conv2d_backward_weight.cl";

    /// <summary>Columns of a work-item in <c>conv2d_valid.cl</c>, X_RUN and FEW_W, and its rows.</summary>
    private const int ManyColumns = 16, FewColumns = 8, ManyRows = 6;

    /// <summary>Sums of both layers' gradients that a work-item of <c>conv2d_backward_map</c> keeps in private memory, in floats: half of a small second-level cache.</summary>
    private const int MaxMapSums = 64 * 1024;

    private readonly ComputeDevice _device;
    private readonly GpuTile? _gpu;
    private readonly List<IDisposable> _owned = [];

    /// <param name="device">Where to run.</param>
    /// <param name="gpu">Of the kernels for GPUs, which run on any device; null for those for CPUs.</param>
    /// <param name="at">The layer.</param>
    /// <param name="block">Which of its tensors.</param>
    /// <param name="input">Not modified; not owned.</param>
    /// <param name="output">The layer's result; not owned.</param>
    public ConvolutionTraining(ComputeDevice device, GpuTile? gpu, LayerPlacement at, WeightBlock block, MapView input, MapTensor output)
    {
        (_device, _gpu) = (device, gpu);
        (At, Block, Input, Output) = (at, block, input, output);
    }

    public LayerPlacement At { get; }

    public WeightBlock Block { get; }

    public MapView Input { get; }

    public MapTensor Output { get; }

    private ConvolutionShape Shape => Block.Shape;

    /// <summary>Multiply-accumulates of each of the three passes, counted as a direct convolution over the batch.</summary>
    private long Mac => (long)Output.N * Output.H * Output.W * At.Layer.K * Block.CountC * Shape.Size * Shape.Size;

    private string Name => At.Blocks.Count == 1 ? At.Layer.Name : $"{At.Layer.Name} of {Block.Tensor}";

    private bool IsFirstBlock => Block == At.Blocks[0];

    /// <summary>Whether two layers, the second reading the first, can share their backward pass.</summary>
    public static bool CanShare(WeightBlock first, WeightBlock second) =>
        first.Shape.Order == WeightOrder.FiltersTogether && second.Shape.Order == WeightOrder.FiltersTogether && second.Shape.Size == 1
        && (first.Shape.Size * first.Shape.Size * first.Shape.C + 1) * first.Shape.K + (second.Shape.C + 1) * second.Shape.K <= MaxMapSums;

    /// <param name="weights">Laid out as parameters are.</param>
    /// <param name="skip">What the result is added to; null for nothing.</param>
    public TrainingLaunch Forward(BatchWeights weights, MapView? skip)
    {
        // The first block of two leaves its sums to the second, which adds its own and completes the layer.
        bool completes = Block == At.Blocks[^1];
        string options = (At.Layer.Relu && completes ? " -DRELU" : "") + (skip is not null && completes ? " -DADD" : "") + (IsFirstBlock ? " -DBIAS" : " -DACCUMULATE");
        return new($"{Name} forward", Convolution(Shape, options, Input, weights, Block.Origin, At.BiasOrigin, new(Output), completes ? skip : null), Mac);
    }

    /// <summary>The gradient of the weights and, with a layer's first tensor, of the biases.</summary>
    /// <param name="dOutput">Gradient before the ReLU, with a halo of Size - 1.</param>
    public IEnumerable<TrainingLaunch> BackwardWeight(MapTensor dOutput, GradientParts gradients)
    {
        (int C, int K, int size) = (Shape.C, Shape.K, Shape.Size);
        MapTensor input = Input.Maps;
        if (_gpu is { } gpu)
        {
            int filters = K % 8 == 0 ? 8 : K, tapRows = size == 3 ? 3 : 1;
            string gpuOptions = $"-DC={C} -DK={K} -DSIZE={size} -DORDER={(int)Shape.Order} -DTAP_ROWS={tapRows} -DFILTERS={filters} -DLOCAL={gpu.Local}";
            KernelProgram program = _device.Build(GpuWeightFile, gpuOptions);
            Kernel weight = Own(program.CreateKernel("gpu_conv2d_backward_weight"));
            weight.Bind(input.Buffer, Input.Origin, input.Row, input.Image, dOutput.Buffer, dOutput.Origin, dOutput.Row, dOutput.Image,
                gradients.Partial, gradients.Count, Block.Origin, At.BiasOrigin, gradients.PerImage, dOutput.H, dOutput.W);
            yield return new($"{Name} backward weight", new(weight, new(gpu.RoundUp(C * (size / tapRows) * (K / filters)), gradients.Parts), new(gpu.Local)), Mac);
            if (!IsFirstBlock) yield break;
            Kernel bias = Own(program.CreateKernel("gpu_conv2d_backward_bias"));
            bias.Bind(dOutput.Buffer, dOutput.Origin, dOutput.Row, dOutput.Image, gradients.Partial, gradients.Count, At.BiasOrigin, gradients.PerImage, dOutput.H, dOutput.W);
            yield return new($"{Name} backward bias", new(bias, new(gpu.RoundUp(K), gradients.Parts), new(gpu.Local)), 0);
            yield break;
        }
        if (Shape.Order == WeightOrder.Small)
        {
            Kernel small = Own(_device.Build(WeightFile, $"-DSIZE={size} -DSMALL_C={C} -DSMALL_K={K}").CreateKernel("conv2d_backward_weight_small"));
            small.Bind(input.Buffer, Input.Origin, input.Row, input.Image, dOutput.Buffer, dOutput.Origin, dOutput.Row, dOutput.Image,
                gradients.Partial, gradients.Count, Block.Origin, At.BiasOrigin, gradients.PerImage, dOutput.H, dOutput.W);
            yield return new($"{Name} backward weight", new(small, new(1, gradients.Parts), WorkSize.Single), Mac);
            yield break;
        }
        // See the kernel's header: which tensor is read 16 channels at a time, and which is walked by offsets.
        bool many = Shape.Order == WeightOrder.FiltersTogether;
        (MapView vec, MapView scalar) = many ? (new MapView(dOutput), Input) : (Input, new MapView(dOutput, 1 - size));
        (int H, int W) = many ? (dOutput.H, dOutput.W) : (dOutput.H + size - 1, dOutput.W + size - 1);
        string options = $"-DVEC_CHANNELS={vec.Maps.C} -DSCALAR_CHANNELS={scalar.Maps.C} -DOFFSETS={size * size * scalar.Maps.C} -DSIZE={size}{(!IsFirstBlock ? "" : many ? " -DBIAS" : " -DFEW_BIAS")}";
        Kernel kernel = Own(_device.Build(WeightFile, options).CreateKernel("conv2d_backward_weight"));
        kernel.Bind(vec.Maps.Buffer, vec.Origin, vec.Maps.Row, vec.Maps.Image, scalar.Maps.Buffer, scalar.Origin, scalar.Maps.Row, scalar.Maps.Image, Offsets(scalar.Maps),
            gradients.Partial, gradients.Count, Block.Origin, At.BiasOrigin, gradients.PerImage, H, W);
        yield return new($"{Name} backward weight", new(kernel, new(vec.Maps.C / 16, gradients.Parts), WorkSize.Single), Mac);
    }

    /// <summary>The gradients of the weights and biases of this layer and the next, which stand first in the network.</summary>
    /// <param name="map">The next layer.</param>
    /// <param name="dOutput">Gradient of the next layer's output, before its ReLU.</param>
    /// <param name="turned">The next layer's weights as <see cref="ParameterLayout.TurnedIndex"/> lays them out, from <paramref name="turnedOrigin"/> on.</param>
    public TrainingLaunch BackwardWith(ConvolutionTraining map, MapTensor dOutput, BatchWeights turned, int turnedOrigin, GradientParts gradients)
    {
        (int C, int K, int offsets) = (Shape.C, Shape.K, Shape.Size * Shape.Size * Shape.C);
        string options = $"-DVEC_CHANNELS={K} -DSCALAR_CHANNELS={C} -DOFFSETS={offsets} -DMAP_K={map.Shape.K}{(At.Layer.Relu ? " -DGATE" : "")}";
        Kernel kernel = Own(_device.Build(WeightFile, options).CreateKernel("conv2d_backward_map"));
        MapTensor input = Input.Maps;
        kernel.Bind(input.Buffer, Input.Origin, input.Row, input.Image, Output.Buffer, Output.Origin, Output.Row, Output.Image,
            dOutput.Buffer, dOutput.Origin, dOutput.Row, dOutput.Image, turned.Floats, turnedOrigin, Offsets(input), map.Offsets(Output),
            gradients.Partial, gradients.Count, Block.Origin, At.BiasOrigin, map.Block.Origin, map.At.BiasOrigin, turned.Image, gradients.PerImage, Output.H, Output.W);
        return new($"{Name}+{map.Name} backward", new(kernel, new(1, gradients.Parts), WorkSize.Single), Mac + 2 * map.Mac);
    }

    /// <summary>The gradient of the input.</summary>
    /// <param name="dOutput">Gradient before the ReLU, with a halo of Size - 1.</param>
    /// <param name="turned">This layer's weights as <see cref="ParameterLayout.TurnedIndex"/> lays them out, from <paramref name="turnedOrigin"/> on.</param>
    /// <param name="dInput">The part of the input's gradient that this layer read.</param>
    /// <param name="throughRelu">Whether the input is the result of a ReLU: the gradient then passes where the input is above 0.</param>
    /// <param name="accumulate">Whether the gradient is added to what is there, because the input has other readers.</param>
    public TrainingLaunch BackwardInput(MapTensor dOutput, BatchWeights turned, int turnedOrigin, MapView dInput, bool throughRelu, bool accumulate)
    {
        string options = (throughRelu ? " -DGATE" : "") + (accumulate ? " -DACCUMULATE" : "");
        return new($"{Name} backward input",
            Convolution(Shape.Turned, options, new(dOutput, 1 - Shape.Size), turned, turnedOrigin, biasOrigin: 0, dInput, throughRelu ? Input : null,
                dOutput.H + Shape.Size - 1, dOutput.W + Shape.Size - 1), Mac);
    }

    public void Dispose()
    {
        for (int i = _owned.Count - 1; i >= 0; i--) _owned[i].Dispose();
        _owned.Clear();
    }

    /// <summary>Where the taps and channels of a pixel lie in the tensor that is walked.</summary>
    private DeviceBuffer<int> Offsets(MapTensor scalar)
    {
        int size = Shape.Size, next = 0;
        bool many = Shape.Order == WeightOrder.FiltersTogether;
        int[] offsets = new int[size * size * scalar.C];
        for (int ky = 0; ky < size; ky++)
        for (int kx = 0; kx < size; kx++)
        for (int channel = 0; channel < scalar.C; channel++)
            offsets[next++] = many ? ky * scalar.Row + kx * scalar.C + channel : (size - 1 - ky) * scalar.Row + (size - 1 - kx) * scalar.C + channel;
        return Own(_device.Allocate<int>((ReadOnlySpan<int>)offsets));
    }

    /// <param name="other">What the sum is added to or gated by; null for neither.</param>
    /// <param name="H">Rows of the output; 0 for all that there are.</param>
    /// <param name="W">Columns.</param>
    private Launch Convolution(ConvolutionShape shape, string options, MapView input, BatchWeights weights, int weightOrigin, int biasOrigin, MapView output, MapView? other, int H = 0, int W = 0)
    {
        if (H == 0) (H, W) = (output.Maps.H, output.Maps.W);
        MapView bound = other ?? output;    // bound, not read
        options = $"-DC={shape.C} -DK={shape.K} -DSIZE={shape.Size}{options}";
        string file = ValidFile, name;
        WorkSize global, local = WorkSize.Single;
        if (_gpu is { } gpu)
        {
            // Few filters leave registers for more rows, which need fewer loads for each.
            int filters = shape.K % 16 == 0 ? gpu.Filters : shape.K, rows = shape.K % 16 == 0 ? gpu.Rows : 2 * gpu.Rows;
            options += $" -DORDER={(int)shape.Order} -DROWS={rows} -DFILTERS={filters} -DLOCAL={gpu.Local}";
            (file, name) = (GpuValidFile, "gpu_conv2d_valid");
            (global, local) = (new(gpu.RoundUp(W * WorkSize.Tiles(H, rows)), shape.K / filters, output.Maps.N), new(gpu.Local));
        }
        else
        {
            name = shape.Order switch { WeightOrder.FiltersTogether => "conv2d_valid_many", WeightOrder.InputsTogether => "conv2d_valid_few", _ => "conv2d_valid_small" };
            global = shape.Order == WeightOrder.FiltersTogether ? new(WorkSize.Tiles(W, ManyColumns), WorkSize.Tiles(H, ManyRows), output.Maps.N) : new(WorkSize.Tiles(W, FewColumns), H, output.Maps.N);
        }
        Kernel kernel = Own(_device.Build(file, options).CreateKernel(name));
        kernel.Bind(input.Maps.Buffer, input.Origin, input.Maps.Row, input.Maps.Image, weights.Floats, weightOrigin, weights.Floats, biasOrigin, weights.Image,
            output.Maps.Buffer, output.Origin, output.Maps.Row, output.Maps.Image, bound.Maps.Buffer, bound.Origin, bound.Maps.Row, bound.Maps.Image, H, W);
        return new(kernel, global, local);
    }

    private T Own<T>(T item) where T : IDisposable
    {
        _owned.Add(item);
        return item;
    }
}
