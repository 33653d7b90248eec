using System.Collections.Immutable;
using RealtimeDeblur.Compute;

namespace RealtimeDeblur.Networks;

/// <summary>
/// Chains of 3x3 layers on a CPU, all of them in one kernel: <c>conv/conv3x3_chain.cl</c>. Hidden map counts are filled up to one common count with maps that stay zero.
/// Macros of its plans: WINOGRAD, whether by Winograd's transform or by sums over taps; STRIP, columns, and SEGMENT, rows that a work-item computes, both in cells.
/// </summary>
internal sealed class ChainFamily : IKernelFamily
{
    // As in conv/conv3x3_chain.cl.
    private const int Step = 4, Accumulators = 12, Ring = 8, Frequencies = 36;

    /// <summary>What a work-item may keep in private memory: on a CPU the second cache's size, and far from the end of a driver's thread's stack.</summary>
    private const int MaxPrivateBytes = 1 << 20;

    private const int MaxStrip = 240, MaxMaps = 128;

    /// <summary>Work-items per compute unit, so that all are busy to the end.</summary>
    private static readonly int[] ItemsPerUnit = [4, 8, 2];

    public string Name => "chain";

    public IEnumerable<InferencePlan> Plans(NetworkDescription description, DeviceInfo device, ProbedArithmetic arithmetic, int W, int H)
    {
        if (device.Type != ComputeDeviceType.Cpu || Refusal(description) is not null) return [];
        Shape shape = new(description);
        // Equal strips: as few as there can be, then more, narrower ones.
        int fewest = (int)WorkSize.Tiles(W, shape.MaxStrip);
        return ((int[])[fewest, fewest + 1, 2 * fewest]).SelectMany(strips => ItemsPerUnit.Select(items => Plan(winograd: 1, strips, items)))
            // The transform won everywhere: sums over taps are tried in one shape.
            .Append(Plan(winograd: 0, fewest, ItemsPerUnit[0]))
            .Where(plan => Refusal(plan, description, W, H) is null).Distinct();

        InferencePlan Plan(int winograd, int strips, int items)
        {
            int strip = Math.Max((int)WorkSize.Tiles(WorkSize.Tiles(W, strips), Step) * Step, shape.MinStrip);
            long segments = KernelFamilies.Segments(device, WorkSize.Tiles(W, strip), items);
            return new(Name, ("WINOGRAD", winograd), ("STRIP", strip), ("SEGMENT", (int)WorkSize.Tiles(WorkSize.Tiles(H, segments), Step) * Step));
        }
    }

    public string? Refusal(InferencePlan plan, NetworkDescription description, int W, int H)
    {
        if (Refusal(description) is { } refusal) return refusal;
        Shape shape = new(description);
        return plan["WINOGRAD"] is 0 or 1 && plan["STRIP"] is { } strip && strip >= shape.MinStrip && strip <= shape.MaxStrip && strip % Step == 0 && plan["SEGMENT"] is >= Step and { } segment && segment % Step == 0
            ? null
            : $"WINOGRAD has to be 0 or 1, STRIP a multiple of {Step} from {shape.MinStrip} to {shape.MaxStrip}, and SEGMENT one of {Step} or more";
    }

    public TileMemory Memory(InferencePlan plan, NetworkDescription description, int W, int H) => default;     // everything lies in private memory

    public ITileLayers Create(LayerSetUp setUp) => new Layers(setUp);

    private static string? Refusal(NetworkDescription description)
    {
        IReadOnlyList<ConvolutionLayer> layers = description.Layers;
        if (!description.IsPlainChain || layers.Count < 2 || layers.Any(layer => layer.Size != 3) || layers.SkipLast(1).Any(layer => !layer.Relu) || layers[^1].Relu)
            return "the network needs to be a chain of two or more 3x3 layers with a ReLU after all but the last";
        Shape shape = new(description);
        return shape.Maps > MaxMaps || shape.Vectors * 8 < shape.LastMaps || shape.MaxStrip < shape.MinStrip ? $"it has more than {MaxMaps} maps, or too many channels or layers" : null;
    }

    private static int RoundUp(int value, int step) => (value + step - 1) / step * step;

    /// <summary>What the kernel derives from its macros.</summary>
    private readonly struct Shape
    {
        public Shape(NetworkDescription description)
        {
            LastMaps = RoundUp(description.InputC, 8);
            Maps = RoundUp(Math.Max(description.Layers.SkipLast(1).Max(layer => layer.K), LastMaps), LastMaps);
            Hidden = description.Layers.Count - 2;
            int groups = Maps / 8;
            Vectors = groups % 3 == 0 ? 3 : groups % 2 == 0 ? 2 : 1;
            int tiles = Accumulators / Vectors;
            MinStrip = Step * tiles;
            // Rings of maps and rows of results grow with the strip.
            int perColumn = Ring * sizeof(float) * ((Hidden + 1) * Maps + LastMaps);
            int fixedBytes = perColumn * (Step * (Hidden + 2) + 1) + (Frequencies + 1) * sizeof(float) * tiles * Maps;
            MaxStrip = Math.Min((MaxPrivateBytes - fixedBytes) / (perColumn + Step * sizeof(float) * description.InputC) / Step * Step, ChainFamily.MaxStrip);
        }

        /// <summary>Maps of every hidden tensor.</summary>
        public int Maps { get; }

        /// <summary>Maps of the last layer, filled up to whole vectors.</summary>
        public int LastMaps { get; }

        /// <summary>Layers between the first and the last.</summary>
        public int Hidden { get; }

        /// <summary>Groups of eight maps that are summed side by side.</summary>
        public int Vectors { get; }

        public int MinStrip { get; }

        public int MaxStrip { get; }
    }

    private sealed class Layers : ITileLayers
    {
        private readonly Owned _owned = new();

        public Layers(LayerSetUp setUp)
        {
            (ComputeDevice device, NetworkDescription description) = (setUp.Device, setUp.Description);
            Shape shape = new(description);
            bool winograd = setUp.Plan["WINOGRAD"] == 1;
            try
            {
                // The widest strip, not this plan's: one program serves all sizes of frames.
                string options = $"{setUp.Samples.Options} -DSCALE={description.Scale} -DMAPS={shape.Maps} -DHIDDEN={shape.Hidden} -DMAX_STRIP={shape.MaxStrip}{(winograd ? "" : " -DDIRECT")}{(description.GlobalSkip ? " -DSKIP" : "")}";
                Kernel kernel = _owned.Add(device.Build("conv/conv3x3_chain.cl", options).CreateKernel("conv3x3_chain_forward"));
                setUp.Samples.Bind(kernel);
                (int strip, int segment) = (setUp.Plan["STRIP"]!.Value, setUp.Plan["SEGMENT"]!.Value);
                kernel.BindFrom(SampleLayout.AfterRestored,
                    setUp.Weights.Add(weights => PackWeights(description, weights, shape, winograd)), setUp.Weights.Add(weights => PackBiases(weights, shape)), setUp.TileW, setUp.TileH, strip, segment);
                Launches = [new(kernel, new(WorkSize.Tiles(setUp.TileW, strip), WorkSize.Tiles(setUp.TileH, segment)), WorkSize.Single)];
                FrameKernels = [kernel];
            }
            catch
            {
                Dispose();
                throw;
            }
        }

        public ImmutableArray<Launch> Launches { get; }

        public ImmutableArray<Kernel> FrameKernels { get; }

        public void Dispose() => _owned.Dispose();

        private static float[] PackWeights(NetworkDescription description, IReadOnlyList<LayerWeights> weights, Shape shape, bool winograd)
        {
            const int Taps = 9;
            List<float> packed = [];
            foreach ((int i, ConvolutionLayer layer) in description.Layers.Index())
            {
                bool isLast = i == description.Layers.Count - 1;
                int C = i == 0 ? layer.C : shape.Maps, K = isLast ? shape.LastMaps : shape.Maps;
                float[] filters = new float[K * C * Taps];
                WeightPacking.PadInputs(weights[i].Weight, layer.K, layer.C * Taps, C * Taps).CopyTo(filters, 0);
                int step = isLast ? shape.LastMaps : 8 * shape.Vectors;
                packed.AddRange(winograd ? WeightPacking.WinogradFiltersLast(filters, K, C, size: 3, step) : WeightPacking.FiltersLast(WeightPacking.TapsFirst(filters, K, C, Taps), K, C * Taps, step));
            }
            return [.. packed];
        }

        private static float[] PackBiases(IReadOnlyList<LayerWeights> weights, Shape shape) =>
            [.. weights.SelectMany((layer, i) => WeightPacking.PadTo(layer.Bias, i == weights.Count - 1 ? shape.LastMaps : shape.Maps))];
    }
}
