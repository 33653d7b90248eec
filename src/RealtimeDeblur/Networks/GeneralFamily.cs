using System.Collections.Immutable;
using RealtimeDeblur.Compute;

namespace RealtimeDeblur.Networks;

/// <summary>Any network, one launch of <c>conv/conv2d.cl</c> per layer. Tensors that are no longer needed hand their buffer on.</summary>
internal sealed class GeneralFamily : IKernelFamily
{
    public static InferencePlan Plan { get; } = new("general");

    public string Name => Plan.Kernels;

    public IEnumerable<InferencePlan> Plans(NetworkDescription description, DeviceInfo device, int W, int H) => [Plan];

    public string? Refusal(InferencePlan plan, NetworkDescription description, int W, int H) => plan == Plan ? null : "these kernels have no macros";

    public TileMemory Memory(InferencePlan plan, NetworkDescription description, int W, int H)
    {
        (_, int[] channels) = AssignBuffers(description);
        return TileMemory.Of([.. channels.Select(C => (long)C * W * H)]);
    }

    public ITileLayers Create(LayerSetUp setUp) => new Layers(setUp);

    /// <summary>Gives each layer's output but the last's a buffer that nobody needs any more.</summary>
    /// <returns>The buffer of each layer's output (-1 for the last), and the most channels that each buffer holds.</returns>
    private static (int[] BufferOfLayer, int[] Channels) AssignBuffers(NetworkDescription description)
    {
        IReadOnlyList<ConvolutionLayer> layers = description.Layers;
        int[] lastReader = [.. layers.Select((layer, i) => layers.Index().Last(reader => reader.Index == i || reader.Index == i + 1 || reader.Item.With == layer.Name || reader.Item.Skip == layer.Name).Index)];
        int[] bufferOfLayer = new int[layers.Count];
        List<int> channels = [], freeAfter = [];
        for (int i = 0; i < layers.Count - 1; i++)
        {
            int buffer = freeAfter.FindIndex(reader => reader < i);
            if (buffer < 0)
            {
                buffer = channels.Count;
                channels.Add(0);
                freeAfter.Add(0);
            }
            channels[buffer] = Math.Max(channels[buffer], layers[i].K);
            freeAfter[buffer] = lastReader[i];
            bufferOfLayer[i] = buffer;
        }
        bufferOfLayer[^1] = -1;
        return (bufferOfLayer, [.. channels]);
    }

    private static int FilterStep(int K) => K >= 5 ? 8 : K >= 3 ? 4 : K;

    private sealed class Layers : ITileLayers
    {
        private readonly Owned _owned = new();

        public Layers(LayerSetUp setUp)
        {
            (ComputeDevice device, NetworkDescription description, int W, int H) = (setUp.Device, setUp.Description, setUp.TileW, setUp.TileH);
            // A CPU driver runs a work-group as a loop: groups of one keep it simple. GPUs want neighbouring pixels together.
            WorkSize local = device.Info.Type == ComputeDeviceType.Cpu ? WorkSize.Single : new(32, 4);
            var launches = new Launch[description.Layers.Count];
            (int[] bufferOfLayer, int[] channels) = AssignBuffers(description);
            try
            {
                DeviceBuffer<float>[] buffers = [.. channels.Select(C => _owned.Add(device.Allocate<float>((long)C * W * H)))];
                for (int i = 0; i < launches.Length; i++)
                {
                    ConvolutionLayer layer = description.Layers[i];
                    bool last = i == launches.Length - 1;
                    int step = FilterStep(layer.K);
                    DeviceBuffer<float> weight = _owned.Add(device.Allocate<float>(WeightPacking.FiltersLast(setUp.Network.Weights[i].Weight, layer.K, layer.C * layer.Size * layer.Size, step)));
                    DeviceBuffer<float> bias = _owned.Add(device.Allocate<float>(WeightPacking.PadTo(setUp.Network.Weights[i].Bias, step)));
                    int inC = i == 0 ? description.InputC : description.Layers[i - 1].K;
                    string options = $"{setUp.Samples.Options} -DSCALE={description.Scale} -DIN_C={inC} -DWITH_C={layer.C - inC} -DK={layer.K} -DSIZE={layer.Size} -DK_STEP={step}"
                        + $"{(i == 0 ? " -DIN_FRAME" : "")}{(layer.With == NetworkDescription.Input ? " -DWITH_FRAME" : "")}{(layer.Relu ? " -DRELU" : "")}"
                        + $"{(layer.Skip is null ? "" : layer.Skip == NetworkDescription.Input ? " -DSKIP_FRAME" : " -DSKIP_TENSOR")}{(layer.Subtract ? " -DSUBTRACT" : "")}"
                        + $"{(last ? " -DLAST" : "")}{(last && description.GlobalSkip ? " -DSKIP" : "")}";
                    Kernel kernel = _owned.Add(device.Build("conv/conv2d.cl", options).CreateKernel("conv2d_forward"));
                    setUp.Samples.Bind(kernel);
                    kernel.BindFrom(last ? SampleLayout.AfterRestored : SampleLayout.AfterFrame,
                        i == 0 ? weight : buffers[bufferOfLayer[i - 1]], Tensor(layer.With), Tensor(layer.Skip), weight, bias, last ? weight : buffers[bufferOfLayer[i]], W, H);
                    launches[i] = new(kernel, new(WorkSize.Tiles(W, local.X) * local.X, WorkSize.Tiles(H, local.Y) * local.Y, WorkSize.Tiles(layer.K, step)), local);

                    DeviceBuffer<float> Tensor(string? name) =>
                        name is null or NetworkDescription.Input ? weight : buffers[bufferOfLayer[description.Layers.Index().First(one => one.Item.Name == name).Index]];
                }
            }
            catch
            {
                Dispose();
                throw;
            }
            Launches = [.. launches];
            FrameKernels = [.. launches.Select(launch => launch.Kernel)];
        }

        public ImmutableArray<Launch> Launches { get; }

        public ImmutableArray<Kernel> FrameKernels { get; }

        public void Dispose() => _owned.Dispose();
    }
}
