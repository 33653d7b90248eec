using System.Collections.Immutable;
using RealtimeDeblur.Compute;

namespace RealtimeDeblur.Networks;

/// <summary>Three layers with a 1x1 in the middle on a CPU, by <c>conv/conv_fused.cl</c>. Map counts are filled up to a multiple of 16 with maps that stay zero.</summary>
internal sealed class FusedLayers : ITileLayers
{
    // As in conv/conv_fused.cl.
    private const int TileWidth = 8, TileHeight = 6, MapStep = 16, LaneCount = 8;

    /// <summary>A work-item keeps its maps in private memory, 24 bytes each: more of them would not stay in the first cache.</summary>
    private const int MaxMaps = 256;

    /// <summary>Larger supports of reconstruction unroll to more code than pays.</summary>
    private const int MaxReconstructionSize = 9;

    private readonly List<IDisposable> _owned = [];

    /// <param name="device"/><param name="network"/><param name="tileW"/><param name="tileH"/>
    public FusedLayers(ComputeDevice device, Network network, int tileW, int tileH)
    {
        (ConvolutionLayer extract, ConvolutionLayer map, ConvolutionLayer reconstruct) = Layers(network.Description);
        (int n1, int n2) = (RoundUp(extract.K), RoundUp(map.K));
        InputLayout = LayoutOf(extract, tileW, tileH);
        try
        {
            TileBuffers sizes = new(network.Description, tileW, tileH);
            Input = Own(device.Allocate<float>(sizes.Input));
            Output = Own(device.Allocate<float>(sizes.Output));
            DeviceBuffer<float> maps = Own(device.Allocate<float>(sizes.Maps));

            string options = $"-DC={extract.C} -DSIZE1={extract.Size} -DN1={n1} -DN2={n2} -DSIZE3={reconstruct.Size}"
                + $"{(extract.Relu ? " -DRELU1" : "")}{(map.Relu ? " -DRELU2" : "")}{(reconstruct.Relu ? " -DRELU3" : "")}{(network.Description.GlobalSkip ? " -DSKIP" : "")}";
            KernelProgram program = device.Build("conv/conv_fused.cl", options);
            Kernel extractMap = Own(program.CreateKernel("extract_map_forward"));
            Kernel reconstructing = Own(program.CreateKernel("reconstruct_forward"));

            IReadOnlyList<LayerWeights> weights = network.Weights;
            extractMap.Bind(
                Input,
                Own(device.Allocate<float>(WeightPacking.FiltersLast(weights[0].Weight, extract.K, extract.C * extract.Size * extract.Size, MapStep))),
                Own(device.Allocate<float>(WeightPacking.PadTo(weights[0].Bias, MapStep))),
                Own(device.Allocate<float>(WeightPacking.FiltersLast(WeightPacking.PadInputs(weights[1].Weight, map.K, map.C, n1), map.K, n1, MapStep))),
                Own(device.Allocate<float>(WeightPacking.PadTo(weights[1].Bias, MapStep))),
                maps, tileW, tileH, InputLayout.Stride, InputLayout.Rows);
            reconstructing.Bind(
                maps,
                Own(device.Allocate<float>(WeightPacking.InputsLast(weights[2].Weight, reconstruct.K, reconstruct.C, reconstruct.Size, n2, LaneCount))),
                Own(device.Allocate<float>(weights[2].Bias)),
                Input, Output, tileW, tileH, InputLayout.Stride, InputLayout.Rows);
            Launches =
            [
                new(extractMap, new(tileW, WorkSize.Tiles(tileH, TileHeight)), WorkSize.Single),
                new(reconstructing, new(WorkSize.Tiles(tileW, TileWidth), tileH), WorkSize.Single),
            ];
        }
        catch
        {
            Dispose();
            throw;
        }
    }

    public TileInputLayout InputLayout { get; }

    public DeviceBuffer<float> Input { get; }

    public DeviceBuffer<float> Output { get; }

    public ImmutableArray<Launch> Launches { get; }

    /// <summary>Whether the kernels can compute the network on tiles of this size.</summary>
    public static bool CanRun(NetworkDescription description, int tileW, int tileH) =>
        description.Layers is [{ K: <= MaxMaps }, { Size: 1, K: <= MaxMaps }, { Size: <= MaxReconstructionSize }] && tileW >= TileWidth && tileH >= TileHeight;

    public static TileMemory Memory(NetworkDescription description, int tileW, int tileH)
    {
        TileBuffers sizes = new(description, tileW, tileH);
        return TileMemory.Of(sizes.Input, sizes.Output, sizes.Maps);
    }

    public void Dispose()
    {
        foreach (IDisposable owned in _owned) owned.Dispose();
        _owned.Clear();
    }

    private static (ConvolutionLayer Extract, ConvolutionLayer Map, ConvolutionLayer Reconstruct) Layers(NetworkDescription description) =>
        (description.Layers[0], description.Layers[1], description.Layers[2]);

    private static TileInputLayout LayoutOf(ConvolutionLayer extract, int tileW, int tileH) => new(extract.Pad, tileW + 2 * extract.Pad, tileH + 2 * extract.Pad);

    private static int RoundUp(int maps) => (maps + MapStep - 1) / MapStep * MapStep;

    private T Own<T>(T resource) where T : IDisposable
    {
        _owned.Add(resource);
        return resource;
    }

    /// <summary>Floats in each buffer.</summary>
    private readonly record struct TileBuffers
    {
        public TileBuffers(NetworkDescription description, int tileW, int tileH)
        {
            (ConvolutionLayer extract, ConvolutionLayer map, ConvolutionLayer reconstruct) = Layers(description);
            TileInputLayout layout = LayoutOf(extract, tileW, tileH);
            Input = (long)extract.C * layout.Rows * layout.Stride;
            Output = (long)reconstruct.K * tileH * tileW;
            Maps = (long)tileH * (tileW + 2 * reconstruct.Pad) * RoundUp(map.K);
        }

        public long Input { get; }

        public long Output { get; }

        public long Maps { get; }
    }
}
