using System.Collections.Immutable;
using RealtimeDeblur.Compute;

namespace RealtimeDeblur.Networks;

/// <summary>
/// Three layers with a 1x1 in the middle on a CPU, in one kernel: <c>conv/dbcnn.cl</c>; what follows them, as in back-projection, by <c>conv/few_maps.cl</c> if it has few channels.
/// Map counts are filled up to a multiple of 16 with maps that stay zero.
/// Macros of its plans: WINOGRAD, MAPS_W, PIXELS, TILES, see there; SEGMENT, rows that a work-item computes.
/// </summary>
internal sealed class DbcnnFamily : IKernelFamily
{
    // As in conv/dbcnn.cl.
    private const int MapStep = 16, LaneCount = 8, ColumnStep = 32;

    // As in conv/few_maps.cl.
    private const int FewMapsTileW = 64, FewMapsTileH = 8;

    /// <summary>A work-item keeps its maps in private memory: more of them would not stay in the caches, and not on the stack of a driver's thread.</summary>
    private const int MaxMaps = 256;

    /// <summary>Larger supports of reconstruction unroll to more code than pays.</summary>
    private const int MaxReconstructionSize = 9;

    /// <summary>Above this many channels a layer that follows the three would want kernels of another shape.</summary>
    private const int MaxFewMaps = 6;

    /// <summary>Larger strips take more private memory than the second cache has.</summary>
    private const int MaxMapsW = 512;

    private const int ItemsPerUnit = 12;

    private static readonly int[] StripWidths = [128, 96, 64, 160, 32];

    /// <summary>Pixels and Winograd tiles that meet a block of maps at once; the last is for 32 vector registers.</summary>
    private static readonly (int Pixels, int Tiles)[] Registers = [(4, 4), (5, 4), (4, 8)];

    /// <summary>Times as many work-items as <see cref="ItemsPerUnit"/>.</summary>
    private static readonly int[] SegmentFactors = [1, 3];

    public string Name => "dbcnn";

    public IEnumerable<InferencePlan> Plans(NetworkDescription description, DeviceInfo device, ProbedArithmetic arithmetic, int W, int H)
    {
        if (device.Type != ComputeDeviceType.Cpu || description.Layers.Count < 3) return [];
        int pad = description.Layers[2].Pad;
        // Strips overlap by twice the pad, and the last one by what is left over: the guess is the width that computes the fewest columns.
        int[] widths = [.. StripWidths.Where(mapsW => mapsW > 2 * pad && mapsW <= W).OrderBy(mapsW => WorkSize.Tiles(W, mapsW - 2 * pad) * mapsW)];
        bool canTransform = description.Layers[0].Size % 3 == 0;
        // The transform won everywhere: the direct form is tried in one shape where there is a choice.
        return widths.SelectMany(mapsW => Registers.SelectMany(registers => SegmentFactors.Select(factor => Plan(canTransform ? 1 : 0, mapsW, registers, factor))))
            .Concat(widths.Take(1).Select(mapsW => Plan(winograd: 0, mapsW, Registers[0], SegmentFactors[0])))
            .Where(plan => Refusal(plan, description, W, H) is null)
            .Distinct();

        InferencePlan Plan(int winograd, int mapsW, (int Pixels, int Tiles) registers, int factor) =>
            new(Name, ("WINOGRAD", winograd), ("MAPS_W", mapsW), ("PIXELS", registers.Pixels), ("TILES", registers.Tiles), ("SEGMENT", Segment(mapsW, factor, winograd)));

        // As few segments as keep every compute unit busy to the end, because each computes rows above itself; whole bands.
        int Segment(int mapsW, int factor, int winograd)
        {
            int bandH = BandH(winograd == 1);
            long segments = KernelFamilies.Segments(device, WorkSize.Tiles(W, mapsW - 2 * pad), ItemsPerUnit * factor);
            return Math.Max((int)WorkSize.Tiles(WorkSize.Tiles(H, segments) + 2 * pad, bandH) * bandH - 2 * pad, bandH);
        }
    }

    public string? Refusal(InferencePlan plan, NetworkDescription description, int W, int H)
    {
        if (description.Scale != 1 || description.Layers is not [{ K: <= MaxMaps } extract, { Size: 1, K: <= MaxMaps } map, { Size: <= MaxReconstructionSize } reconstruct, ..]
            || extract.Skip is not null || map.With is not null || map.Skip is not null || reconstruct.With is not null || reconstruct is { Subtract: true } or { Skip: not (null or NetworkDescription.Input) })
            return $"the network needs to begin with three plain layers with a 1x1 in the middle, up to {MaxMaps} maps, and a third support of up to {MaxReconstructionSize}";
        if (description.Layers.Count == 3 && reconstruct.Skip is not null) return "the third layer of three adds the frame by the global skip alone";
        if (description.Layers.Skip(3).FirstOrDefault(layer => layer.C > MaxFewMaps || layer.K > MaxFewMaps || layer.With == extract.Name || layer.With == map.Name || layer.Skip == extract.Name || layer.Skip == map.Name) is { } wide)
            return $"layer '{wide.Name}', after the three, has more than {MaxFewMaps} channels or reads their maps";
        if (plan["WINOGRAD"] is not (0 or 1) || plan["MAPS_W"] is not (> 0 and <= MaxMapsW and int mapsW) || mapsW % ColumnStep != 0
            || plan["PIXELS"] is not (>= 1 and <= 16) || plan["TILES"] is not (4 or 8) || plan["SEGMENT"] is not >= 1)
            return "WINOGRAD, MAPS_W, PIXELS, TILES or SEGMENT is missing or not possible";
        if (plan["WINOGRAD"] == 1 && description.Layers[0].Size % 3 != 0) return "Winograd's transform needs a first support that is a multiple of 3";
        if (mapsW - 2 * description.Layers[2].Pad < LaneCount) return "the strips are narrower than the last support needs";
        int bandH = BandH(plan["WINOGRAD"] == 1);
        return W < mapsW || H < bandH ? $"the frame is smaller than {mapsW}x{bandH}" : null;
    }

    public TileMemory Memory(InferencePlan plan, NetworkDescription description, int W, int H) =>
        TileMemory.Of([.. TensorBuffers.Assign(description, first: 2).Channels.Select(C => (long)C * W * H)]);     // the three layers' maps lie in private memory

    public ITileLayers Create(LayerSetUp setUp) => new Layers(setUp);

    private static int BandH(bool winograd) => winograd ? 4 : 6;

    private static int RoundUp(int maps) => (maps + MapStep - 1) / MapStep * MapStep;

    private sealed class Layers : ITileLayers
    {
        private readonly Owned _owned = new();

        public Layers(LayerSetUp setUp)
        {
            (ComputeDevice device, InferencePlan plan, NetworkDescription description) = (setUp.Device, setUp.Plan, setUp.Description);
            ConvolutionLayer extract = description.Layers[0], map = description.Layers[1], reconstruct = description.Layers[2];
            WeightBuffers packed = setUp.Weights;
            (int n1, int n2) = (RoundUp(extract.K), RoundUp(map.K));
            bool winograd = plan["WINOGRAD"] == 1, isAll = description.Layers.Count == 3;
            int mapsW = plan["MAPS_W"]!.Value, segment = plan["SEGMENT"]!.Value;
            try
            {
                var tensors = new TensorBuffers(device, description, first: 2, K => (long)K * setUp.TileW * setUp.TileH, _owned);
                string options = $"{setUp.Samples.Options} -DSIZE1={extract.Size} -DN1={n1} -DN2={n2} -DSIZE3={reconstruct.Size}"
                    + $"{(winograd ? " -DWINOGRAD" : "")} -DMAPS_W={mapsW} -DPIXELS={plan["PIXELS"]} -DTILES={plan["TILES"]}"
                    + $"{(extract.Relu ? " -DRELU1" : "")}{(map.Relu ? " -DRELU2" : "")}{(reconstruct.Relu ? " -DRELU3" : "")}"
                    + $"{(isAll ? "" : " -DTO_TENSOR")}{(reconstruct.Skip is null ? "" : " -DADD_FRAME")}{(isAll && description.GlobalSkip ? " -DSKIP" : "")}";
                Kernel kernel = _owned.Add(device.Build("conv/dbcnn.cl", options).CreateKernel("dbcnn_forward"));
                setUp.Samples.Bind(kernel);
                int own = SampleLayout.AfterRestored;
                if (!isAll)
                {
                    kernel.Bind(SampleLayout.AfterFrame, tensors.OutputOf(2));
                    own = SampleLayout.AfterFrame + 1;
                }
                kernel.BindFrom(own,
                    packed.Add(weights => winograd ? WeightPacking.WinogradFiltersLast(weights[0].Weight, extract.K, extract.C, extract.Size, MapStep)
                        : WeightPacking.FiltersLast(weights[0].Weight, extract.K, extract.C * extract.Size * extract.Size, MapStep)),
                    packed.Add(weights => WeightPacking.PadTo(weights[0].Bias, MapStep)),
                    packed.Add(weights => WeightPacking.FiltersLast(WeightPacking.PadInputs(weights[1].Weight, map.K, map.C, n1), map.K, n1, MapStep)),
                    packed.Add(weights => WeightPacking.PadTo(weights[1].Bias, MapStep)),
                    packed.Add(weights => WeightPacking.InputsLast(weights[2].Weight, reconstruct.K, reconstruct.C, reconstruct.Size, n2, LaneCount)),
                    packed.Add(weights => weights[2].Bias),
                    setUp.TileW, setUp.TileH, segment, 1);
                int stripW = mapsW - 2 * reconstruct.Pad;
                Launches =
                [
                    new(kernel, new(WorkSize.Tiles(setUp.TileW, stripW), WorkSize.Tiles(setUp.TileH, segment)), WorkSize.Single),
                    .. Enumerable.Range(3, description.Layers.Count - 3).Select(i => FewMaps(setUp, tensors, i, packed.Add(weights => weights[i].Weight), packed.Add(weights => weights[i].Bias))),
                ];
                FrameKernels = [.. Launches.Select(launch => launch.Kernel)];
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

        private Launch FewMaps(LayerSetUp setUp, TensorBuffers tensors, int i, KernelArgument weight, KernelArgument bias)
        {
            Kernel kernel = _owned.Add(setUp.Device.Build("conv/few_maps.cl", LayerMacros.Of(setUp, i)).CreateKernel("few_maps_forward"));
            setUp.Samples.Bind(kernel);
            bool last = i == setUp.Description.Layers.Count - 1;
            ConvolutionLayer layer = setUp.Description.Layers[i];
            kernel.BindFrom(last ? SampleLayout.AfterRestored : SampleLayout.AfterFrame,
                tensors.OutputOf(i - 1), tensors.Named(layer.With, other: weight), tensors.Named(layer.Skip, other: weight), weight, bias, last ? weight : tensors.OutputOf(i), setUp.TileW, setUp.TileH);
            return new(kernel, new(WorkSize.Tiles(setUp.TileW, FewMapsTileW), WorkSize.Tiles(setUp.TileH, FewMapsTileH)), WorkSize.Single);
        }
    }
}
