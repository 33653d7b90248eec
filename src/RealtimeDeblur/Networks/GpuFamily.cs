using System.Collections.Immutable;
using RealtimeDeblur.Compute;

namespace RealtimeDeblur.Networks;

/// <summary>
/// Any network on a GPU, one launch per layer: <c>conv/gpu_conv2d.cl</c>, and <c>conv/gpu_conv2d_mma.cl</c> for wide layers on tensor cores; the first two of DBCNN in one by
/// <c>conv/gpu_extract_map.cl</c> and <c>conv/gpu_extract_map_mma.cl</c>. Tensors between layers lie as <c>conv/gpu_maps.cl</c> has them.
/// Macros of its plans: HALF, 0 computes and stores floats, 1 stores halves, 2 computes in halves as well; TENSOR, 1 for tensor cores, with HALF=1; FUSED, 1 for the first two layers in one;
/// LOCAL_W, LOCAL_H, LOCAL_K, ROWS, FILTERS, see <c>conv/gpu_conv2d.cl</c>, from which the other kernels take theirs (<see cref="Group"/>).
/// A device without half arithmetic or tensor cores computes their plans with plain twins, for tests; tuning does not try them there.
/// First layers in half (HALF=2, and FUSED on tensor cores) hold limited-range luma of 8 bits exactly; deeper samples, and luma made of R, G and B, are rounded to 2^-13 or finer.
/// </summary>
internal sealed class GpuFamily : IKernelFamily
{
    /// <summary>Side of the matrices of tensor cores; layers with fewer channels on either side would multiply mostly zeros.</summary>
    private const int Block = 16;

    /// <summary>Largest support of a layer on tensor cores: the tile of a larger one would not fit into local memory.</summary>
    private const int MaxTensorSize = 9;

    /// <summary>A block of <c>conv/gpu_extract_map_mma.cl</c> holds a row of the support.</summary>
    private const int MaxTensorExtractSize = 15;

    private const int WarpItems = 32;

    /// <summary>Halves hold 11 bits. Networks in which their rounding adds up to more than this would lose PSNR by it, and tuning leaves halves alone there.</summary>
    private const double HalfTolerance = 2e-3;

    /// <summary>The first is a guess: 128 work-items, 96 multiply-adds for 6 reads and 6 vectors of weights. The others differ in one or two properties each.</summary>
    private static readonly Group[] Groups =
    [
        new(LocalW: 32, LocalH: 4, LocalK: 1, Rows: 4, Filters: 8),
        new(LocalW: 32, LocalH: 2, LocalK: 4, Rows: 4, Filters: 8),
        new(LocalW: 32, LocalH: 4, LocalK: 1, Rows: 8, Filters: 4),
        new(LocalW: 32, LocalH: 4, LocalK: 1, Rows: 4, Filters: 16),
        new(LocalW: 32, LocalH: 4, LocalK: 2, Rows: 4, Filters: 8),
        new(LocalW: 32, LocalH: 8, LocalK: 1, Rows: 4, Filters: 8),
        new(LocalW: 32, LocalH: 4, LocalK: 1, Rows: 8, Filters: 8),
        new(LocalW: 32, LocalH: 4, LocalK: 1, Rows: 4, Filters: 4),
        new(LocalW: 16, LocalH: 8, LocalK: 1, Rows: 4, Filters: 8),
    ];

    /// <summary>So many of <see cref="Groups"/> are tried besides the plans in float.</summary>
    private const int FewGroups = 4;

    public string Name => "gpu";

    public IEnumerable<InferencePlan> Plans(NetworkDescription description, DeviceInfo device, ProbedArithmetic arithmetic, int W, int H)
    {
        if (device.Type is not (ComputeDeviceType.Gpu or ComputeDeviceType.Accelerator)) return [];
        int fused = CanFuse(description) ? 1 : 0;
        IEnumerable<InferencePlan> plans = Groups.Select(group => Plan(half: 0, tensor: 0, fused, group));
        if (fused == 1) plans = plans.Concat(Groups.Take(FewGroups).Select(group => Plan(half: 0, tensor: 0, fused: 0, group)));
        plans = plans.Concat(Groups.Take(FewGroups).Select(group => Plan(half: 1, tensor: 0, fused, group)));
        if (arithmetic.SupportsHalfArithmetic) plans = plans.Concat(Groups.Take(FewGroups).Select(group => Plan(half: 2, tensor: 0, fused: 0, group)));
        if (arithmetic.SupportsTensorCores) plans = plans.Concat(Groups.Take(FewGroups).Select(group => Plan(half: 1, tensor: 1, fused, group)));
        return plans.Where(plan => Refusal(plan, description, W, H) is null);

        InferencePlan Plan(int half, int tensor, int fused, Group group) => new(Name, ("HALF", half), ("TENSOR", tensor), ("FUSED", fused),
            ("LOCAL_W", group.LocalW), ("LOCAL_H", group.LocalH), ("LOCAL_K", group.LocalK), ("ROWS", group.Rows), ("FILTERS", group.Filters));
    }

    public string? Refusal(InferencePlan plan, NetworkDescription description, int W, int H)
    {
        if (plan["HALF"] is not (0 or 1 or 2) || plan["TENSOR"] is not (0 or 1) || plan["FUSED"] is not (0 or 1)
            || plan["LOCAL_W"] is not (>= 1 and <= 64) || plan["LOCAL_H"] is not (>= 1 and <= 16) || plan["LOCAL_K"] is not (>= 1 and <= 8) || plan["ROWS"] is not (>= 1 and <= 8) || plan["FILTERS"] is not (4 or 8 or 16))
            return "HALF, TENSOR, FUSED, LOCAL_W, LOCAL_H, LOCAL_K, ROWS or FILTERS is missing or not possible";
        if (plan["TENSOR"] == 1 && plan["HALF"] != 1) return "tensor cores need HALF=1";
        bool fused = plan["FUSED"] == 1;
        if (fused && !CanFuse(description)) return "FUSED needs a network that begins with two plain layers at full size, the second one 1x1";
        if (fused && plan["HALF"] == 2) return "FUSED has no half arithmetic";
        if (fused && plan["TENSOR"] == 1 && description.Layers[0].Size > MaxTensorExtractSize) return $"on tensor cores FUSED takes a first support of up to {MaxTensorExtractSize}";
        return plan["TENSOR"] == 1 && !fused && !description.Layers.Skip(1).Any(FitsTensorCores) ? $"no layer has {Block} or more channels on both sides and a support of up to {MaxTensorSize}" : null;
    }

    public TileMemory Memory(InferencePlan plan, NetworkDescription description, int W, int H)
    {
        List<int> maps = [.. TensorBuffers.Assign(description, FirstStored(plan)).Channels];
        if (ReadsFrameLater(description)) maps.Add(description.InputC);
        if (description.Layers[^1].Skip is not null) maps.Add(description.InputC);
        return TileMemory.Of([.. maps.Select(K => Floats(plan, K, W, H))]);
    }

    public double Tolerance(InferencePlan plan) => plan["HALF"] == 0 ? PlanTuner.Tolerance : HalfTolerance;

    public ITileLayers Create(LayerSetUp setUp) => new Layers(setUp);

    /// <summary>Whether nobody but the second layer reads the first one's maps, and that one's taps are single pixels.</summary>
    private static bool CanFuse(NetworkDescription description) =>
        description.Scale == 1 && description.Layers is [{ Skip: null } extract, { Size: 1, With: null, Skip: null }, _, ..] && !description.Layers.Any(layer => layer.With == extract.Name || layer.Skip == extract.Name);

    private static bool FitsTensorCores(ConvolutionLayer layer) => layer is { C: >= Block, K: >= Block, Size: <= MaxTensorSize };

    private static bool ReadsFrameLater(NetworkDescription description) => description.Layers.Any(layer => layer.With == NetworkDescription.Input || layer.Skip == NetworkDescription.Input);

    /// <summary>First layer whose maps lie in device memory.</summary>
    private static int FirstStored(InferencePlan plan) => plan["FUSED"]!.Value;

    private static long Floats(InferencePlan plan, int K, int W, int H) => (long)GpuWeightPacking.RoundUp(K, GpuWeightPacking.MapStep) * W * H / (plan["HALF"] == 0 ? 1 : 2);

    /// <summary>How a work-group shares out its work; the macros of that name in <c>conv/gpu_*.cl</c>. Warps are the work-items of LOCAL_W 32 where tensor cores are used.</summary>
    /// <param name="LocalW">Work-items along x.</param>
    /// <param name="LocalH">Work-items, or warps, along y.</param>
    /// <param name="LocalK">Work-items along the filters, or warps side by side along x.</param>
    /// <param name="Rows">Rows of pixels per work-item or warp.</param>
    /// <param name="Filters">Filters per work-item, or blocks of 16 filters per warp.</param>
    private readonly record struct Group(int LocalW, int LocalH, int LocalK, int Rows, int Filters)
    {
        public WorkSize Local => new(LocalW, LocalH, LocalK);

        public string Options => $" -DLOCAL_W={LocalW} -DLOCAL_H={LocalH} -DLOCAL_K={LocalK} -DROWS={Rows}";

        /// <summary>The plan's own, for a layer of K filters: no more filters than it has, but whole maps where it does not write the frame.</summary>
        public static Group OfLayer(InferencePlan plan, int K, bool toFrame)
        {
            int filters = toFrame && K <= 2 ? K : Thrifty(K, plan["FILTERS"]!.Value, GpuWeightPacking.MapStep);
            return new(plan["LOCAL_W"]!.Value, plan["LOCAL_H"]!.Value, (int)Math.Min(plan["LOCAL_K"]!.Value, WorkSize.Tiles(K, filters)), plan["ROWS"]!.Value, filters);
        }

        /// <summary>For the fused pair: four work-items share the maps of a pixel, so there are half as many rows of them.</summary>
        public static Group OfPair(InferencePlan plan) =>
            new(plan["LOCAL_W"]!.Value, Math.Max(1, plan["LOCAL_H"]!.Value / 2), LocalK: 4, plan["ROWS"]!.Value, Math.Max(GpuWeightPacking.MapStep, plan["FILTERS"]!.Value / 2));

        /// <summary>For a layer on tensor cores: a warp has 16 columns, so a fourth as many blocks as a work-item has filters make as many sums for each of its 32 work-items.</summary>
        public static Group OfWarps(InferencePlan plan, int K) =>
            new(WarpItems, plan["LOCAL_H"]!.Value, LocalK: 2, plan["ROWS"]!.Value, Thrifty(K, plan["FILTERS"]!.Value / 4 * Block, Block) / Block);

        /// <summary>For the fused pair on tensor cores: maps and results share the registers.</summary>
        public static Group OfPairOfWarps(InferencePlan plan, int K) =>
            new(WarpItems, plan["LOCAL_H"]!.Value, LocalK: 2, Math.Max(1, plan["ROWS"]!.Value / 2), Thrifty(K, plan["FILTERS"]!.Value / 2 * Block, Block) / Block);

        /// <summary>The same with fewer work-items and pixels, where the device's work-groups or local memory are too small for it.</summary>
        /// <exception cref="OpenClException">Nothing would be small enough.</exception>
        public Group Within(DeviceInfo device, Func<Group, long> localBytes)
        {
            Group group = this;
            while (group.LocalW * group.LocalH * group.LocalK > device.MaxWorkGroupSize || localBytes(group) > device.LocalMemoryBytes)
            {
                group = group switch
                {
                    { LocalH: > 1 } => group with { LocalH = group.LocalH / 2 },
                    { Rows: > 1 } => group with { Rows = group.Rows / 2 },
                    { LocalK: > 1 } => group with { LocalK = group.LocalK / 2 },
                    { LocalW: > 1 } => group with { LocalW = group.LocalW / 2 },
                    _ => throw new OpenClException($"{device.Name} has too little local memory, {device.LocalMemoryBytes:N0} bytes. Use the plan 'general'."),
                };
            }
            return group;
        }

        /// <summary>Half of so many filters, and half of that, as long as it saves filters that a layer of K does not have.</summary>
        private static int Thrifty(int K, int filters, int least)
        {
            while (filters > least && GpuWeightPacking.RoundUp(K, filters) > GpuWeightPacking.RoundUp(K, least)) filters /= 2;
            return filters;
        }
    }

    private sealed class Layers : ITileLayers
    {
        private readonly Owned _owned = new();
        private readonly List<Launch> _launches = [];
        private readonly List<Kernel> _frameKernels = [];
        private readonly LayerSetUp _setUp;
        private readonly int _half;

        public Layers(LayerSetUp setUp)
        {
            _setUp = setUp;
            _half = setUp.Plan["HALF"]!.Value;
            try
            {
                AddLaunches();
            }
            catch
            {
                Dispose();
                throw;
            }
            Launches = [.. _launches];
            FrameKernels = [.. _frameKernels];
        }

        public ImmutableArray<Launch> Launches { get; }

        public ImmutableArray<Kernel> FrameKernels { get; }

        public void Dispose() => _owned.Dispose();

        private void AddLaunches()
        {
            NetworkDescription description = _setUp.Description;
            IReadOnlyList<ConvolutionLayer> layers = description.Layers;
            var tensors = new TensorBuffers(_setUp.Device, description, FirstStored(_setUp.Plan), FloatsOf, _owned);
            // Layers behind the first one read the frame as maps.
            Maps? frame = null;
            if (ReadsFrameLater(description)) Copy(from: null, to: frame = Allocate(description.InputC));
            int first = 0;
            if (_setUp.Plan["FUSED"] == 1)
            {
                ExtractMap(OutputOf(1));
                first = 2;
            }
            for (int i = first; i < layers.Count; i++)
            {
                ConvolutionLayer layer = layers[i];
                Maps? skip = Named(layer.Skip);
                // The kernel adds to maps or writes the frame, not both.
                Maps? to = i < layers.Count - 1 ? OutputOf(i) : skip is null ? null : Allocate(layer.K);
                int index = i;
                Convolve(layer, weights => weights[index], i == 0 ? null : OutputOf(i - 1), Named(layer.With), skip, to, halfArithmetic: _half == 2);
                if (i == layers.Count - 1 && to is not null) Copy(from: to, to: null);
            }

            Maps OutputOf(int i) => new(tensors.OutputOf(i), layers[i].K);

            Maps? Named(string? name) => name is null ? null : name == NetworkDescription.Input ? frame : new(tensors.Named(name)!, layers.First(layer => layer.Name == name).K);
        }

        private long FloatsOf(int K) => Floats(_setUp.Plan, K, _setUp.TileW, _setUp.TileH);

        private Maps Allocate(int K) => new(_owned.Add(_setUp.Device.Allocate<float>(FloatsOf(K))), K);

        /// <summary>From the frame to maps or back.</summary>
        private void Copy(Maps? from, Maps? to)
        {
            int C = _setUp.Description.InputC;
            float[] identity = [.. Enumerable.Range(0, C * C).Select(i => i / C == i % C ? 1f : 0f)];
            Convolve(new("copy", C, C, 1, Relu: false), _ => new(identity, new float[C]), from, with: null, skip: null, to, halfArithmetic: false);
        }

        /// <summary>A layer of any kind, with weights taken from those of the network; null reads or writes the frame.</summary>
        private void Convolve(ConvolutionLayer layer, Func<IReadOnlyList<LayerWeights>, LayerWeights> own, Maps? from, Maps? with, Maps? skip, Maps? to, bool halfArithmetic)
        {
            string options = $" -DSIZE={layer.Size} -DK={layer.K}{(layer.Relu ? " -DRELU" : "")}{(skip is null ? "" : " -DSKIP_TENSOR")}{(layer.Subtract ? " -DSUBTRACT" : "")}"
                + (from is null ? "" : $" -DIN1={from.Filled} -DIN2={with?.Filled ?? 0}");
            int[] channels = from is null ? [.. Enumerable.Range(0, layer.C)] : with is null ? GpuWeightPacking.ChannelsOf(from.K) : GpuWeightPacking.ChannelsOf(from.K, with.K);
            if (from is not null && to is not null && _setUp.Plan["TENSOR"] == 1 && FitsTensorCores(layer)) ConvolveOnTensorCores(layer, own, options, channels, from, with, skip, to);
            else ConvolveInPlain(layer, own, options, channels, from, with, skip, to, halfArithmetic);
        }

        private void ConvolveInPlain(ConvolutionLayer layer, Func<IReadOnlyList<LayerWeights>, LayerWeights> own, string options, int[] channels, Maps? from, Maps? with, Maps? skip, Maps? to, bool halfArithmetic)
        {
            int step = from is not null || channels.Length % 4 == 0 ? 4 : channels.Length % 3 == 0 ? 3 : 1;
            Group group = Group.OfLayer(_setUp.Plan, layer.K, toFrame: to is null).Within(_setUp.Device.Info,
                one => sizeof(float) * (long)step * (one.LocalW + 2 * layer.Pad) * (one.LocalH * one.Rows + 2 * layer.Pad));
            options += $"{group.Options} -DFILTERS={group.Filters}{(_half == 0 ? "" : " -DHALF_MAPS")}";
            // Asked only where it matters: NVIDIA's compiler writes to stderr when it refuses the probe.
            bool twin = halfArithmetic && !_setUp.Device.Arithmetic.SupportsHalfArithmetic;
            if (halfArithmetic) options += twin ? " -DHALF_ARITHMETIC -DROUND_TO_HALF" : " -DHALF_ARITHMETIC";
            if (from is null || to is null)
            {
                options = $"{_setUp.Samples.Options} -DSCALE={_setUp.Description.Scale}{(from is null ? " -DFRAME_IN" : "")}{(to is null ? " -DFRAME_OUT" : "")}"
                    + $"{(to is null && _setUp.Description.GlobalSkip ? " -DSKIP" : "")}{options}";
            }
            Kernel kernel = Build("conv/gpu_conv2d.cl", "gpu_conv2d_forward", options);

            int groups = (int)WorkSize.Tiles(layer.K, group.LocalK * group.Filters) * group.LocalK;
            WeightForm form = !halfArithmetic ? WeightForm.Float : twin ? WeightForm.RoundedToHalf : WeightForm.Half;
            List<KernelArgument> arguments = from is null ? [] : [from.Memory, (with ?? from).Memory];
            // In halves only the first layer reads the frame.
            if (halfArithmetic && from is null) arguments.AddRange([_setUp.Weights.AddForHalfFrames(layer: 0, Pack, form), Bias(weights => GpuWeightPacking.ForHalfFrames(weights[0]))]);
            else arguments.AddRange([_setUp.Weights.Add(weights => Pack(own(weights).Weight), form), Bias(own)]);
            if (to is not null) arguments.AddRange([(skip ?? to).Memory, to.Memory]);
            kernel.BindFrom(to is null ? SampleLayout.AfterRestored : from is null ? SampleLayout.AfterFrame : 0, [.. arguments, _setUp.TileW, _setUp.TileH]);
            Add(kernel, from is null || to is null, group, group.LocalW, groups);

            float[] Pack(float[] weight) => GpuWeightPacking.FilterGroups(weight, layer.C, layer.Size, channels, groups, group.Filters);

            KernelArgument Bias(Func<IReadOnlyList<LayerWeights>, LayerWeights> of) => _setUp.Weights.Add(weights => WeightPacking.PadTo(of(weights).Bias, groups * group.Filters));
        }

        private void ConvolveOnTensorCores(ConvolutionLayer layer, Func<IReadOnlyList<LayerWeights>, LayerWeights> own, string options, int[] channels, Maps from, Maps? with, Maps? skip, Maps to)
        {
            // PLANE of the kernel: four words for every pixel of the tile.
            Group group = Group.OfWarps(_setUp.Plan, layer.K).Within(_setUp.Device.Info,
                one => 4 * sizeof(ulong) * (((long)(Block * one.LocalK + 2 * layer.Pad) * (one.LocalH * one.Rows + 2 * layer.Pad) + 11) / 16 * 16 + 4));
            Kernel kernel = Build("conv/gpu_conv2d_mma.cl", "gpu_conv2d_mma_forward", $"{options}{group.Options} -DBLOCKS={group.Filters}{TensorCores}");
            int groups = (int)WorkSize.Tiles(layer.K, Block * group.Filters), blocks = groups * group.Filters;
            kernel.Bind(from.Memory, (with ?? from).Memory, _setUp.Weights.Add(weights => GpuWeightPacking.FragmentBlocks(own(weights).Weight, layer.C, layer.Size, channels, blocks), WeightForm.Half),
                _setUp.Weights.Add(weights => WeightPacking.PadTo(own(weights).Bias, blocks * Block)), (skip ?? to).Memory, to.Memory, _setUp.TileW, _setUp.TileH);
            Add(kernel, readsFrame: false, group, Block * group.LocalK, groups * group.LocalK);
        }

        /// <summary>The first two layers, from the frame to maps.</summary>
        private void ExtractMap(Maps to)
        {
            ConvolutionLayer extract = _setUp.Description.Layers[0], map = _setUp.Description.Layers[1];
            string options = $"{_setUp.Samples.Options} -DSIZE1={extract.Size} -DK={map.K}{(extract.Relu ? " -DRELU1" : "")}{(map.Relu ? " -DRELU" : "")}";
            if (_setUp.Plan["TENSOR"] == 1)
            {
                const int ScratchBytes = 512;   // SCRATCH_ITEMS of the twin
                Group group = Group.OfPairOfWarps(_setUp.Plan, extract.K).Within(_setUp.Device.Info,
                    one => sizeof(ulong) * (long)extract.C * (Block * one.LocalK + 12) * (one.LocalH * one.Rows + 2 * extract.Pad) + ScratchBytes * one.LocalH * one.LocalK);
                int n1 = GpuWeightPacking.RoundUp(extract.K, Block * group.Filters), n2 = GpuWeightPacking.RoundUp(map.K, Block);
                Kernel kernel = Build("conv/gpu_extract_map_mma.cl", "gpu_extract_map_mma_forward", $"{options} -DN1={n1} -DN2={n2}{group.Options} -DBLOCKS1={group.Filters}{TensorCores}");
                kernel.BindFrom(SampleLayout.AfterFrame,
                    _setUp.Weights.AddForHalfFrames(layer: 0, weight => GpuWeightPacking.FragmentRows(weight, extract.C, extract.Size, n1 / Block), WeightForm.Half),
                    _setUp.Weights.Add(weights => WeightPacking.PadTo(GpuWeightPacking.ForHalfFrames(weights[0]).Bias, n1)),
                    _setUp.Weights.Add(weights => GpuWeightPacking.FragmentBlocks(weights[1].Weight, map.C, size: 1, Maps1(n1), n2 / Block), WeightForm.Half),
                    _setUp.Weights.Add(weights => WeightPacking.PadTo(weights[1].Bias, n2)), to.Memory, _setUp.TileW, _setUp.TileH);
                Add(kernel, readsFrame: true, group, Block * group.LocalK, group.LocalK);
            }
            else
            {
                Group group = Group.OfPair(_setUp.Plan).Within(_setUp.Device.Info,
                    one => sizeof(float) * ((long)extract.C * (one.LocalW + 2 * extract.Pad) * (one.LocalH * one.Rows + 2 * extract.Pad) + one.Filters * one.LocalK * one.LocalW * one.LocalH * one.Rows));
                int n1 = GpuWeightPacking.RoundUp(extract.K, group.Filters * group.LocalK), n2 = GpuWeightPacking.RoundUp(map.K, GpuWeightPacking.MapStep * group.LocalK);
                Kernel kernel = Build("conv/gpu_extract_map.cl", "gpu_extract_map_forward", $"{options} -DN1={n1} -DN2={n2}{group.Options} -DFILTERS1={group.Filters}{(_half == 0 ? "" : " -DHALF_MAPS")}");
                kernel.BindFrom(SampleLayout.AfterFrame,
                    _setUp.Weights.Add(weights => GpuWeightPacking.FilterGroups(weights[0].Weight, extract.C, extract.Size, [.. Enumerable.Range(0, extract.C)], n1 / group.Filters, group.Filters)),
                    _setUp.Weights.Add(weights => WeightPacking.PadTo(weights[0].Bias, n1)),
                    _setUp.Weights.Add(weights => GpuWeightPacking.FilterGroups(weights[1].Weight, map.C, size: 1, Maps1(n1), group.LocalK, n2 / group.LocalK)),
                    _setUp.Weights.Add(weights => WeightPacking.PadTo(weights[1].Bias, n2)), to.Memory, _setUp.TileW, _setUp.TileH);
                Add(kernel, readsFrame: true, group, group.LocalW, group.LocalK);
            }

            int[] Maps1(int n1) => [.. Enumerable.Range(0, n1).Select(i => i < extract.K ? i : -1)];
        }

        private string TensorCores => _setUp.Device.Arithmetic.SupportsTensorCores ? " -DTENSOR_CORES" : "";

        private Kernel Build(string file, string kernel, string options) => _owned.Add(_setUp.Device.Build(file, options.TrimStart()).CreateKernel(kernel));

        /// <param name="kernel">With all arguments bound but those of the frame.</param>
        /// <param name="readsFrame">Whether it has such arguments.</param>
        /// <param name="group">Work-items of a work-group.</param>
        /// <param name="columns">Pixels of a work-group along x.</param>
        /// <param name="depth">Work-items along z.</param>
        private void Add(Kernel kernel, bool readsFrame, Group group, int columns, int depth)
        {
            if (readsFrame)
            {
                _setUp.Samples.Bind(kernel);
                _frameKernels.Add(kernel);
            }
            _launches.Add(new(kernel, new(WorkSize.Tiles(_setUp.TileW, columns) * group.LocalW, WorkSize.Tiles(_setUp.TileH, group.LocalH * group.Rows) * group.LocalH, depth), group.Local));
        }

        /// <summary>K maps on the device.</summary>
        private sealed record Maps(DeviceBuffer<float> Floats, int K)
        {
            /// <summary>The plan decides whether it holds floats or halves.</summary>
            public KernelArgument Memory => Floats;

            /// <summary>K with the maps that fill it up.</summary>
            public int Filled => GpuWeightPacking.RoundUp(K, GpuWeightPacking.MapStep);
        }
    }
}
