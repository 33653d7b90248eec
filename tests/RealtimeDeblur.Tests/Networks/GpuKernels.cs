using RealtimeDeblur.Compute;
using RealtimeDeblur.Networks;
using RealtimeDeblur.Tests.Reference;

namespace RealtimeDeblur.Tests.Networks;

/// <summary>How the work of a GPU kernel is shared out; the macros of <c>conv/gpu_*.cl</c>.</summary>
/// <param name="LocalW">Work-items along x; 32 for the kernels on tensor cores.</param>
/// <param name="LocalH">Work-items (warps) along y.</param>
/// <param name="LocalK">Work-items along the filters (warps side by side).</param>
/// <param name="Rows">Rows of pixels per work-item (warp).</param>
/// <param name="Filters">Filters per work-item, or blocks of 16 filters per warp.</param>
internal sealed record GpuTiles(int LocalW, int LocalH, int LocalK, int Rows, int Filters);

/// <summary>The number formats of a launch.</summary>
public enum GpuPrecision
{
    Float,
    HalfMaps,
    HalfArithmetic,
    TensorCores,
}

/// <summary>What a hidden layer does with another tensor.</summary>
internal enum GpuSkip
{
    None,
    Add,
    Subtract,
}

/// <summary>Runs the kernels <c>conv/gpu_*.cl</c> alone, from tensors to tensors. Where a device has no half arithmetic or no tensor cores, their plain twins run.</summary>
internal sealed class GpuKernels(ComputeDevice device) : IDisposable
{
    private readonly CommandQueue _queue = device.CreateQueue();
    private readonly List<IDisposable> _owned = [];

    /// <summary>Maps on the device, in the layout of <c>conv/gpu_maps.cl</c>.</summary>
    public sealed record Maps(int M, int H, int W, DeviceBuffer<float>? Floats, DeviceBuffer<Half>? Halves)
    {
        public int Filled => GpuWeightPacking.RoundUp(M, GpuWeightPacking.MapStep);

        public KernelArgument Argument => Floats is null ? Halves! : Floats;
    }

    /// <summary>A frame on the device: planar floats, in a buffer with spare columns, and the tile of it that a launch computes.</summary>
    public sealed record Plane(DeviceBuffer<float> Samples, int Stride, int W, int H, int OriginX = 0, int OriginY = 0, int TileW = 0, int TileH = 0)
    {
        public int Width => TileW > 0 ? TileW : W;

        public int Height => TileH > 0 ? TileH : H;

        public KernelArgument[] Arguments => [Samples, Stride, W, H, 1f, 0f, OriginX, OriginY];
    }

    /// <summary>What a layer does besides convolving.</summary>
    /// <param name="Relu">Negative sums become 0.</param>
    /// <param name="Skip">Whether the result is added to other maps or subtracted from them.</param>
    /// <param name="SkipMaps">These maps.</param>
    public sealed record Finish(bool Relu = false, GpuSkip Skip = GpuSkip.None, Maps? SkipMaps = null);

    public Maps Upload(Tensor tensor, GpuPrecision precision)
    {
        int filled = GpuWeightPacking.RoundUp(tensor.C, GpuWeightPacking.MapStep);
        float[] values = new float[filled * tensor.H * tensor.W];
        for (int c = 0; c < tensor.C; c++)
        {
            for (int pixel = 0; pixel < tensor.H * tensor.W; pixel++) values[(c / 4 * tensor.H * tensor.W + pixel) * 4 + c % 4] = (float)tensor[0, c, pixel / tensor.W, pixel % tensor.W];
        }
        return precision == GpuPrecision.Float
            ? new(tensor.C, tensor.H, tensor.W, Own(device.Allocate<float>(values)), null)
            : new(tensor.C, tensor.H, tensor.W, null, Own(device.Allocate<Half>(Array.ConvertAll(values, value => (Half)value))));
    }

    public Tensor Download(Maps maps)
    {
        float[] values = maps.Floats is not null ? maps.Floats.ToArray(_queue) : Array.ConvertAll(maps.Halves!.ToArray(_queue), value => (float)value);
        Tensor tensor = new(1, maps.M, maps.H, maps.W);
        for (int c = 0; c < maps.M; c++)
        {
            for (int pixel = 0; pixel < maps.H * maps.W; pixel++) tensor[0, c, pixel / maps.W, pixel % maps.W] = values[(c / 4 * maps.H * maps.W + pixel) * 4 + c % 4];
        }
        return tensor;
    }

    public Plane UploadFrame(Tensor frame)
    {
        int stride = frame.W + 3;
        float[] samples = new float[frame.C * frame.H * stride];
        Array.Fill(samples, float.NaN);
        for (int row = 0; row < frame.C * frame.H; row++)
        {
            for (int x = 0; x < frame.W; x++) samples[row * stride + x] = (float)frame[0, row / frame.H, row % frame.H, x];
        }
        return new(Own(device.Allocate<float>(samples)), stride, frame.W, frame.H);
    }

    /// <summary>From maps (one tensor or two) to maps.</summary>
    public Maps Convolve(Maps[] inputs, LayerWeights weights, int K, int size, Finish finish, GpuTiles tiles, GpuPrecision precision)
    {
        (int H, int W) = (inputs[0].H, inputs[0].W);
        Maps output = Empty(K, H, W, precision);
        int[] channels = GpuWeightPacking.ChannelsOf([.. inputs.Select(maps => maps.M)]);
        int C = inputs.Sum(maps => maps.M);
        string options = $"-DIN1={inputs[0].Filled} -DIN2={(inputs.Length > 1 ? inputs[1].Filled : 0)} -DSIZE={size} -DK={K}{(finish.Relu ? " -DRELU" : "")}{(finish.Skip == GpuSkip.None ? "" : " -DSKIP_TENSOR")}{(finish.Skip == GpuSkip.Subtract ? " -DSUBTRACT" : "")}";
        Maps second = inputs[^1], skip = finish.SkipMaps ?? output;
        if (precision == GpuPrecision.TensorCores)
        {
            int groups = (int)WorkSize.Tiles(K, 16 * tiles.Filters), blocks = groups * tiles.Filters;
            Kernel kernel = Own(device.Build("conv/gpu_conv2d_mma.cl", $"{options} {WarpOptions(tiles)} -DBLOCKS={tiles.Filters}").CreateKernel("gpu_conv2d_mma_forward"));
            kernel.Bind(inputs[0].Argument, second.Argument, Own(device.Allocate<Half>(GpuWeightPacking.FragmentBlocks(weights.Weight, C, size, channels, blocks))),
                Own(device.Allocate<float>(Filled(weights.Bias, blocks * 16))), skip.Argument, output.Argument, W, H);
            kernel.Enqueue(_queue, WarpGlobal(tiles, W, H, groups), new(32, tiles.LocalH, tiles.LocalK));
            return output;
        }
        Launch(Build(options, tiles, precision), [inputs[0].Argument, second.Argument], Packed(weights, C, size, channels, K, tiles, precision), [skip.Argument, output.Argument], tiles, W, H, K);
        return output;
    }

    /// <summary>A first layer: from the frame to maps, at full size or (scale 2) at half.</summary>
    public Maps ConvolveFrame(Plane frame, int C, int scale, LayerWeights weights, int K, int size, bool relu, GpuTiles tiles, GpuPrecision precision)
    {
        (int H, int W) = ((frame.Height + scale - 1) / scale, (frame.Width + scale - 1) / scale);
        Maps output = Empty(K, H, W, precision);
        int channels = C * scale * scale;
        if (precision == GpuPrecision.HalfArithmetic) weights = GpuWeightPacking.ForHalfFrames(weights);
        string options = $"-DFRAME_IN -DPLANAR -DSAMPLE=float -DMAX_CODE=1 -DSAMPLES=1 -DRED=0 -DC={C} -DSCALE={scale} -DSIZE={size} -DK={K}{(relu ? " -DRELU" : "")}";
        Launch(Build(options, tiles, precision), frame.Arguments, Packed(weights, channels, size, [.. Enumerable.Range(0, channels)], K, tiles, precision), [output.Argument, output.Argument], tiles, W, H, K);
        return output;
    }

    /// <summary>A last layer: from maps to the frame. Pixels that are not kept stay NaN.</summary>
    /// <param name="input">Maps.</param>
    /// <param name="frame">The frame whose samples SKIP adds.</param>
    /// <param name="kept">Region of the tile that is kept.</param>
    public Tensor ConvolveToFrame(Maps input, Plane frame, int C, int scale, LayerWeights weights, int size, bool skip, (int X, int Y, int Columns, int Rows) kept, GpuTiles tiles, GpuPrecision precision)
    {
        int K = C * scale * scale;
        DeviceBuffer<float> restored = Own(device.Allocate<float>(C * frame.H * frame.Stride));
        restored.Fill(_queue, float.NaN);
        string options = $"-DFRAME_OUT -DPLANAR -DSAMPLE=float -DMAX_CODE=1 -DSAMPLES=1 -DRED=0 -DC={C} -DSCALE={scale} -DIN1={input.Filled} -DIN2=0 -DSIZE={size} -DK={K}{(skip ? " -DSKIP" : "")}";
        Launch(Build(options, tiles, precision), [.. frame.Arguments, input.Argument, input.Argument], Packed(weights, input.M, size, GpuWeightPacking.ChannelsOf(input.M), K, tiles, precision),
            [restored, 1f, kept.X, kept.Y, kept.Columns, kept.Rows], tiles, input.W, input.H, K);
        float[] samples = restored.ToArray(_queue);
        Tensor result = new(1, C, frame.H, frame.W);
        for (int row = 0; row < C * frame.H; row++)
        {
            for (int x = 0; x < frame.Stride; x++)
            {
                if (x < frame.W) result[0, row / frame.H, row % frame.H, x] = samples[row * frame.Stride + x];
                else if (!float.IsNaN(samples[row * frame.Stride + x])) throw new InvalidOperationException($"Wrote past the end of row {row}.");
            }
        }
        return result;
    }

    /// <summary>The first two layers of DBCNN in one kernel.</summary>
    public Maps ExtractMap(Plane frame, Network network, GpuTiles tiles, GpuPrecision precision)
    {
        ConvolutionLayer extract = network.Description.Layers[0], map = network.Description.Layers[1];
        bool warps = precision == GpuPrecision.TensorCores;
        int n1 = GpuWeightPacking.RoundUp(extract.K, warps ? 16 * tiles.Filters : tiles.Filters * tiles.LocalK), n2 = GpuWeightPacking.RoundUp(map.K, warps ? 16 : 4 * tiles.LocalK);
        (int W, int H) = (frame.Width, frame.Height);
        Maps output = Empty(map.K, H, W, precision);
        string options = $"-DPLANAR -DSAMPLE=float -DMAX_CODE=1 -DSAMPLES=1 -DRED=0 -DC={extract.C} -DSIZE1={extract.Size} -DN1={n1} -DK={map.K} -DN2={n2}{(extract.Relu ? " -DRELU1" : "")}{(map.Relu ? " -DRELU" : "")}";
        float[] weight2 = [.. network.Weights[1].Weight];
        int[] channels2 = [.. Enumerable.Range(0, n1).Select(i => i < extract.K ? i : -1)];
        LayerWeights first = warps ? GpuWeightPacking.ForHalfFrames(network.Weights[0]) : network.Weights[0];
        DeviceBuffer<float> bias1 = Own(device.Allocate<float>(Filled(first.Bias, n1))), bias2 = Own(device.Allocate<float>(Filled(network.Weights[1].Bias, n2)));
        if (warps)
        {
            Kernel onTensorCores = Own(device.Build("conv/gpu_extract_map_mma.cl", $"{options} {WarpOptions(tiles)} -DBLOCKS1={tiles.Filters}").CreateKernel("gpu_extract_map_mma_forward"));
            onTensorCores.Bind([.. frame.Arguments, Own(device.Allocate<Half>(GpuWeightPacking.FragmentRows(first.Weight, extract.C, extract.Size, n1 / 16))), bias1,
                Own(device.Allocate<Half>(GpuWeightPacking.FragmentBlocks(weight2, extract.K, 1, channels2, n2 / 16))), bias2, output.Argument, W, H]);
            onTensorCores.Enqueue(_queue, WarpGlobal(tiles, W, H, groups: 1), new(32, tiles.LocalH, tiles.LocalK));
            return output;
        }
        string shape = $"-DLOCAL_W={tiles.LocalW} -DLOCAL_H={tiles.LocalH} -DLOCAL_K={tiles.LocalK} -DROWS={tiles.Rows} -DFILTERS1={tiles.Filters}{(precision == GpuPrecision.Float ? "" : " -DHALF_MAPS")}";
        Kernel kernel = Own(device.Build("conv/gpu_extract_map.cl", $"{options} {shape}").CreateKernel("gpu_extract_map_forward"));
        kernel.Bind([.. frame.Arguments,
            Own(device.Allocate<float>(GpuWeightPacking.FilterGroups(first.Weight, extract.C, extract.Size, [.. Enumerable.Range(0, extract.C)], n1 / tiles.Filters, tiles.Filters))), bias1,
            Own(device.Allocate<float>(GpuWeightPacking.FilterGroups(weight2, extract.K, 1, channels2, tiles.LocalK, n2 / tiles.LocalK))), bias2, output.Argument, W, H]);
        kernel.Enqueue(_queue, new(WorkSize.Tiles(W, tiles.LocalW) * tiles.LocalW, WorkSize.Tiles(H, tiles.LocalH * tiles.Rows) * tiles.LocalH, tiles.LocalK), new(tiles.LocalW, tiles.LocalH, tiles.LocalK));
        return output;
    }

    public void Dispose()
    {
        foreach (IDisposable owned in _owned) owned.Dispose();
        _queue.Dispose();
    }

    private static float[] Filled(ReadOnlySpan<float> values, int length)
    {
        float[] filled = new float[length];
        values.CopyTo(filled);
        return filled;
    }

    private string WarpOptions(GpuTiles tiles) =>
        $"-DLOCAL_H={tiles.LocalH} -DLOCAL_K={tiles.LocalK} -DROWS={tiles.Rows}{(device.Arithmetic.SupportsTensorCores ? " -DTENSOR_CORES" : "")}";

    private static WorkSize WarpGlobal(GpuTiles tiles, int W, int H, int groups) =>
        new(WorkSize.Tiles(W, 16 * tiles.LocalK) * 32, WorkSize.Tiles(H, tiles.LocalH * tiles.Rows) * tiles.LocalH, groups * tiles.LocalK);

    private Kernel Build(string options, GpuTiles tiles, GpuPrecision precision)
    {
        string shape = $"-DLOCAL_W={tiles.LocalW} -DLOCAL_H={tiles.LocalH} -DLOCAL_K={tiles.LocalK} -DROWS={tiles.Rows} -DFILTERS={tiles.Filters}";
        string format = precision switch
        {
            GpuPrecision.Float => "",
            GpuPrecision.HalfMaps => " -DHALF_MAPS",
            _ => $" -DHALF_MAPS -DHALF_ARITHMETIC{(device.Arithmetic.SupportsHalfArithmetic ? "" : " -DROUND_TO_HALF")}",
        };
        return Own(device.Build("conv/gpu_conv2d.cl", $"{options} {shape}{format}").CreateKernel("gpu_conv2d_forward"));
    }

    private KernelArgument[] Packed(LayerWeights weights, int C, int size, int[] channels, int K, GpuTiles tiles, GpuPrecision precision)
    {
        int groups = Groups(K, tiles);
        float[] packed = GpuWeightPacking.FilterGroups(weights.Weight, C, size, channels, groups, tiles.Filters);
        if (precision == GpuPrecision.HalfArithmetic) packed = Array.ConvertAll(packed, value => (float)(Half)value);
        KernelArgument weight = precision == GpuPrecision.HalfArithmetic && device.Arithmetic.SupportsHalfArithmetic ? Own(device.Allocate<Half>(Array.ConvertAll(packed, value => (Half)value))) : Own(device.Allocate<float>(packed));
        return [weight, Own(device.Allocate<float>(Filled(weights.Bias, groups * tiles.Filters)))];
    }

    private static int Groups(int K, GpuTiles tiles) => (int)WorkSize.Tiles(K, tiles.LocalK * tiles.Filters) * tiles.LocalK;

    private void Launch(Kernel kernel, KernelArgument[] input, KernelArgument[] weights, KernelArgument[] output, GpuTiles tiles, int W, int H, int K)
    {
        kernel.Bind([.. input, .. weights, .. output, W, H]);
        kernel.Enqueue(_queue, new(WorkSize.Tiles(W, tiles.LocalW) * tiles.LocalW, WorkSize.Tiles(H, tiles.LocalH * tiles.Rows) * tiles.LocalH, Groups(K, tiles)), new(tiles.LocalW, tiles.LocalH, tiles.LocalK));
    }

    private Maps Empty(int M, int H, int W, GpuPrecision precision)
    {
        int count = GpuWeightPacking.RoundUp(M, GpuWeightPacking.MapStep) * H * W;
        if (precision != GpuPrecision.Float)
        {
            DeviceBuffer<Half> halves = Own(device.Allocate<Half>(count));
            halves.Fill(_queue, Half.NaN);
            return new(M, H, W, null, halves);
        }
        DeviceBuffer<float> floats = Own(device.Allocate<float>(count));
        floats.Fill(_queue, float.NaN);
        return new(M, H, W, floats, null);
    }

    private T Own<T>(T resource) where T : IDisposable
    {
        _owned.Add(resource);
        return resource;
    }
}
