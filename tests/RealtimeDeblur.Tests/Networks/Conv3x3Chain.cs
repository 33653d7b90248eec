using RealtimeDeblur.Compute;
using RealtimeDeblur.Networks;

namespace RealtimeDeblur.Tests.Networks;

/// <summary>Launches <c>conv/conv3x3_chain.cl</c> on a network of 3x3 layers whose hidden tensors have equally many maps.</summary>
internal sealed class Conv3x3Chain : IDisposable
{
    private const int ColumnsPerPatch = 4;

    private readonly ComputeDevice _device;
    private readonly SampleLayout _samples;
    private readonly Kernel _kernel;
    private readonly DeviceBuffer<float> _weights;
    private readonly DeviceBuffer<float> _biases;

    /// <param name="device">Where to run.</param>
    /// <param name="network">Two or more layers, all 3x3, ReLU after all but the last.</param>
    /// <param name="samples">Of the frame.</param>
    public Conv3x3Chain(ComputeDevice device, Network network, SampleLayout samples)
    {
        (_device, _samples, Description) = (device, samples, network.Description);
        int lastMaps = RoundUp(Description.InputC, 8);
        int maps = RoundUp(Math.Max(Description.Layers[0].K, lastMaps), lastMaps);
        int groups = maps / 8, vectors = groups % 3 == 0 ? 3 : groups % 2 == 0 ? 2 : 1;
        Strip = ColumnsPerPatch * 12 / vectors;
        _kernel = device.Build("conv/conv3x3_chain.cl",
            $"{samples.Options} -DSCALE={Description.Scale} -DMAPS={maps} -DHIDDEN={Description.Layers.Count - 2} -DMAX_STRIP={2 * Strip}{(Description.GlobalSkip ? " -DSKIP" : "")}").CreateKernel("conv3x3_chain_forward");

        List<float> weights = [], biases = [];
        for (int i = 0; i < Description.Layers.Count; i++)
        {
            (ConvolutionLayer layer, LayerWeights values) = (Description.Layers[i], network.Weights[i]);
            bool isLast = i == Description.Layers.Count - 1;
            int C = i == 0 ? layer.C : maps, K = isLast ? lastMaps : maps;
            const int taps = 9;
            float[] filters = new float[K * C * taps];
            WeightPacking.PadInputs(values.Weight, layer.K, layer.C * taps, C * taps).CopyTo(filters, 0);
            weights.AddRange(WeightPacking.WinogradFiltersLast(filters, K, C, size: 3, isLast ? lastMaps : 8 * vectors));
            biases.AddRange(WeightPacking.PadTo(values.Bias, K));
        }
        _weights = device.Allocate<float>([.. weights]);
        _biases = device.Allocate<float>([.. biases]);
    }

    public NetworkDescription Description { get; }

    /// <summary>Narrowest strip that the kernel takes; it is built for up to twice as much.</summary>
    public int Strip { get; }

    /// <summary>Restores the whole frame, or the part of it that a tile keeps.</summary>
    /// <param name="queue">Waited for.</param>
    /// <param name="frame">Samples.</param>
    /// <param name="untouched">What the result holds where nothing was written.</param>
    /// <param name="strip">Columns per work-item; 0 takes <see cref="Strip"/>.</param>
    /// <param name="segment">Rows per work-item.</param>
    /// <param name="tile">In cells of the network's scale; null takes the whole frame as one tile.</param>
    /// <param name="tileW">Columns of the tile, overlap included.</param>
    /// <param name="tileH">Rows of the tile, overlap included.</param>
    public T[] Run<T>(CommandQueue queue, T[] frame, T untouched, int strip = 0, int segment = 8, Tile? tile = null, int tileW = 0, int tileH = 0) where T : unmanaged
    {
        int scale = Description.Scale;
        (int columns, int rows) = KernelFamilies.Cells(Description, _samples.W, _samples.H);
        if (tile is null) (tileW, tileH) = (columns, rows);
        Tile kept = tile ?? new(0, 0, 0, 0, columns, rows);
        if (strip == 0) strip = Strip;
        using DeviceBuffer<T> input = _device.Allocate<T>(frame);
        using DeviceBuffer<T> restored = _device.Allocate<T>(frame.Length);
        restored.Fill(queue, untouched);
        int originX = kept.OriginX * scale, originY = kept.OriginY * scale, skipX = kept.SkipX * scale, skipY = kept.SkipY * scale;
        _samples.Bind(_kernel);
        SampleLayout.BindFrame(_kernel, input);
        SampleLayout.BindOrigin(_kernel, originX, originY);
        _samples.BindRestored(_kernel, restored, strength: 1);
        SampleLayout.BindKept(_kernel, skipX, skipY, Math.Min(kept.Columns * scale, _samples.W - originX - skipX), Math.Min(kept.Rows * scale, _samples.H - originY - skipY));
        _kernel.BindFrom(SampleLayout.AfterRestored, _weights, _biases, tileW, tileH, strip, segment);
        _kernel.Enqueue(queue, new(WorkSize.Tiles(tileW, strip), WorkSize.Tiles(tileH, segment)), WorkSize.Single);
        return restored.ToArray(queue);
    }

    public void Dispose()
    {
        _kernel.Dispose();
        _weights.Dispose();
        _biases.Dispose();
    }

    private static int RoundUp(int maps, int step) => (maps + step - 1) / step * step;
}
