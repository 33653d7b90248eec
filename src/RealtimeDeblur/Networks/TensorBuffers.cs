using RealtimeDeblur.Compute;

namespace RealtimeDeblur.Networks;

/// <summary>Device memory for the tensors between layers: tensors that no layer will read again hand their buffer on.</summary>
internal sealed class TensorBuffers
{
    private readonly NetworkDescription _description;
    private readonly int[] _bufferOfLayer;
    private readonly DeviceBuffer<float>[] _buffers;

    /// <param name="device">Where they lie.</param>
    /// <param name="description">Of the network.</param>
    /// <param name="first">First layer whose output needs memory; those before it keep theirs to themselves.</param>
    /// <param name="sizeOf">Floats that a tensor of so many channels takes.</param>
    /// <param name="owned">Takes ownership of the buffers.</param>
    public TensorBuffers(ComputeDevice device, NetworkDescription description, int first, Func<int, long> sizeOf, Owned owned)
    {
        _description = description;
        (_bufferOfLayer, int[] channels) = Assign(description, first);
        _buffers = [.. channels.Select(C => owned.Add(device.Allocate<float>(sizeOf(C))))];
    }

    /// <summary>Gives each layer's output, but the last's, a buffer that nobody needs any more.</summary>
    /// <returns>The buffer of each layer's output (-1 where it has none), and the most channels that each buffer holds.</returns>
    public static (int[] BufferOfLayer, int[] Channels) Assign(NetworkDescription description, int first = 0)
    {
        IReadOnlyList<ConvolutionLayer> layers = description.Layers;
        int[] bufferOfLayer = new int[layers.Count];
        Array.Fill(bufferOfLayer, -1);
        List<int> channels = [], lastReaders = [];
        for (int i = first; i < layers.Count - 1; i++)
        {
            int buffer = lastReaders.FindIndex(reader => reader < i);
            if (buffer < 0)
            {
                buffer = channels.Count;
                channels.Add(0);
                lastReaders.Add(0);
            }
            channels[buffer] = Math.Max(channels[buffer], layers[i].K);
            lastReaders[buffer] = layers.Index().Last(reader => reader.Index == i + 1 || reader.Item.With == layers[i].Name || reader.Item.Skip == layers[i].Name).Index;
            bufferOfLayer[i] = buffer;
        }
        return (bufferOfLayer, [.. channels]);
    }

    /// <summary>Where a layer's output lies.</summary>
    public DeviceBuffer<float> OutputOf(int layer) => _buffers[_bufferOfLayer[layer]];

    /// <summary>Where an earlier layer's output lies, by the layer's name; null for the frame and for no name.</summary>
    public DeviceBuffer<float>? Named(string? name) =>
        name is null or NetworkDescription.Input ? null : OutputOf(_description.Layers.Index().First(layer => layer.Item.Name == name).Index);

    /// <summary>The same; where there is none, any other buffer, for a kernel that takes one and does not read it.</summary>
    public KernelArgument Named(string? name, KernelArgument other) => Named(name) is { } buffer ? buffer : other;
}

/// <summary>What kernels that compute one layer of any network are told about it.</summary>
internal static class LayerMacros
{
    /// <summary>SCALE, IN_C, WITH_C, K, SIZE, and where they hold IN_FRAME, WITH_FRAME, SKIP_FRAME, SKIP_TENSOR, SUBTRACT, RELU, LAST and SKIP; the samples' own options before them.</summary>
    public static string Of(LayerSetUp setUp, int index)
    {
        NetworkDescription description = setUp.Description;
        ConvolutionLayer layer = description.Layers[index];
        bool last = index == description.Layers.Count - 1;
        int inC = index == 0 ? description.InputC : description.Layers[index - 1].K;
        return $"{setUp.Samples.Options} -DSCALE={description.Scale} -DIN_C={inC} -DWITH_C={layer.C - inC} -DK={layer.K} -DSIZE={layer.Size}"
            + $"{(index == 0 ? " -DIN_FRAME" : "")}{(layer.With == NetworkDescription.Input ? " -DWITH_FRAME" : "")}{(layer.Relu ? " -DRELU" : "")}"
            + $"{(layer.Skip is null ? "" : layer.Skip == NetworkDescription.Input ? " -DSKIP_FRAME" : " -DSKIP_TENSOR")}{(layer.Subtract ? " -DSUBTRACT" : "")}"
            + $"{(last ? " -DLAST" : "")}{(last && description.GlobalSkip ? " -DSKIP" : "")}";
    }
}
