using System.Collections.Immutable;
using RealtimeDeblur.Compute;

namespace RealtimeDeblur.Networks;

/// <summary>Any network, one launch of <c>conv/conv2d.cl</c> per layer. Hidden layers take turns in two buffers.</summary>
internal sealed class GeneralLayers : ITileLayers
{
    private readonly List<IDisposable> _owned = [];

    public GeneralLayers(ComputeDevice device, Network network, int tileW, int tileH)
    {
        NetworkDescription description = network.Description;
        // A CPU driver runs a work-group as a loop: groups of one keep it simple. GPUs want neighbouring pixels together.
        WorkSize local = device.Info.Type == ComputeDeviceType.Cpu ? WorkSize.Single : new(32, 4);
        var launches = new Launch[description.Layers.Count];
        long pixels = (long)tileW * tileH;
        try
        {
            Input = Own(device.Allocate<float>(description.C * pixels));
            Output = Own(device.Allocate<float>(description.C * pixels));
            long hidden = HiddenChannels(description) * pixels;
            var turns = new DeviceBuffer<float>[Math.Min(2, description.Layers.Count - 1)];
            for (int i = 0; i < turns.Length; i++) turns[i] = Own(device.Allocate<float>(hidden));

            DeviceBuffer<float> from = Input;
            for (int i = 0; i < launches.Length; i++)
            {
                bool last = i == launches.Length - 1;
                DeviceBuffer<float> to = last ? Output : turns[i % 2];
                ConvolutionLayer layer = description.Layers[i];
                int step = FilterStep(layer.K);
                string options = $"-DC={layer.C} -DK={layer.K} -DSIZE={layer.Size} -DK_STEP={step}{(layer.Relu ? " -DRELU" : "")}{(last && description.GlobalSkip ? " -DSKIP" : "")}";
                DeviceBuffer<float> weight = Own(device.Allocate<float>(WeightPacking.FiltersLast(network.Weights[i].Weight, layer.K, layer.C * layer.Size * layer.Size, step)));
                DeviceBuffer<float> bias = Own(device.Allocate<float>(WeightPacking.PadTo(network.Weights[i].Bias, step)));
                Kernel kernel = Own(device.Build("conv/conv2d.cl", options).CreateKernel("conv2d_forward"));
                kernel.Bind(from, weight, bias, Input, to, tileW, tileH);
                launches[i] = new(kernel, new(WorkSize.Tiles(tileW, local.X) * local.X, WorkSize.Tiles(tileH, local.Y) * local.Y, WorkSize.Tiles(layer.K, step)), local);
                from = to;
            }
        }
        catch
        {
            Dispose();
            throw;
        }
        InputLayout = new(0, tileW, tileH);
        Launches = [.. launches];
    }

    public TileInputLayout InputLayout { get; }

    public DeviceBuffer<float> Input { get; }

    public DeviceBuffer<float> Output { get; }

    public ImmutableArray<Launch> Launches { get; }

    public static TileMemory Memory(NetworkDescription description, int tileW, int tileH)
    {
        long pixels = (long)tileW * tileH;
        long hidden = HiddenChannels(description) * pixels;
        return description.Layers.Count switch
        {
            1 => TileMemory.Of(description.C * pixels, description.C * pixels),
            2 => TileMemory.Of(description.C * pixels, description.C * pixels, hidden),
            _ => TileMemory.Of(description.C * pixels, description.C * pixels, hidden, hidden),
        };
    }

    public void Dispose()
    {
        foreach (IDisposable owned in _owned) owned.Dispose();
        _owned.Clear();
    }

    private static int HiddenChannels(NetworkDescription description) => description.Layers.SkipLast(1).Select(layer => layer.K).DefaultIfEmpty(0).Max();

    private static int FilterStep(int K) => K >= 5 ? 8 : K >= 3 ? 4 : K;

    private T Own<T>(T resource) where T : IDisposable
    {
        _owned.Add(resource);
        return resource;
    }
}
