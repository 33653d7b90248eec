using RealtimeDeblur.Compute;
using RealtimeDeblur.Training.Data;
using RealtimeDeblur.Training.Layers;

namespace RealtimeDeblur.Training.Patches;

/// <summary>How the kernels of <c>degrade.cl</c> divide their work.</summary>
/// <param name="Vec">Pixels in one vector, 8 or 1.</param>
/// <param name="Run">Pixels of a row per work-item, a multiple of <paramref name="Vec"/>.</param>
/// <param name="Local">Work-items of a work-group.</param>
internal readonly record struct PatchWork(int Vec, int Run, int Local)
{
    /// <summary>A row per work-item in explicit vectors, which CPU drivers need to use theirs.</summary>
    public static PatchWork Cpu { get; } = new(8, 4096, 1);

    /// <summary>A pixel per work-item.</summary>
    public static PatchWork Gpu { get; } = new(1, 1, 64);

    public static PatchWork For(DeviceInfo device) => device.Type == ComputeDeviceType.Gpu ? Gpu : Cpu;

    /// <summary>Work-items, in whole work-groups, for <paramref name="rows"/> rows of <paramref name="length"/> pixels.</summary>
    public long Items(int rows, int length) => WorkSize.Tiles(rows * WorkSize.Tiles(length, Run), Local) * Local;
}

/// <summary>Makes pairs of blurred and sharp patches on the device and puts them where a <see cref="TrainingGraph"/> reads them.</summary>
internal sealed class PatchDegrader : IDisposable
{
    private const int EncodeSize = 4096, SoftReach = 6;

    private readonly CommandQueue _queue;
    private readonly int _taps, _n;
    private readonly int[] _ints;
    private readonly float[] _floats;
    private readonly DeviceBuffer<int> _patch;
    private readonly DeviceBuffer<float> _level;
    private readonly List<(Launch Launch, int FirstPatchArgument)> _passes = [];
    private readonly List<IDisposable> _owned = [];

    /// <param name="queue">In-order queue; not owned.</param>
    /// <param name="pictures">The pictures' samples on the device; not owned.</param>
    /// <param name="graph">Whose <see cref="TrainingGraph.Blurred"/>, <see cref="TrainingGraph.Sharp"/> and <see cref="TrainingGraph.PatchWeights"/> are filled; not owned.</param>
    /// <param name="degradation">Kind of all patches.</param>
    /// <param name="maxSigma">Widest blur that will be asked for, in pixels.</param>
    /// <param name="steps">Batches that are uploaded together.</param>
    public PatchDegrader(CommandQueue queue, DeviceBuffer<byte> pictures, TrainingGraph graph, DegradationKind degradation, float maxSigma, int steps)
        : this(queue, pictures, graph.Blurred, graph.Sharp, graph.PatchWeights, graph.Description.Scale, degradation, maxSigma, steps, PatchWork.For(queue.Device.Info))
    {
    }

    /// <summary>As above, into maps whose cells are squares of <paramref name="scale"/> pixels.</summary>
    internal PatchDegrader(
        CommandQueue queue, DeviceBuffer<byte> pictures, MapTensor blurred, MapTensor sharp, DeviceBuffer<float> weights, int scale,
        DegradationKind degradation, float maxSigma, int steps, PatchWork work)
    {
        _queue = queue;
        int C = blurred.C / (scale * scale), size = sharp.H * scale, input = blurred.H * scale;
        _n = sharp.N;
        if (input % 8 != 0) throw new ArgumentException($"Patches of {size} pixels reach the network as {input}, which must be a multiple of 8.", nameof(blurred));
        if (blurred.Halo != 0 || sharp.Halo != 0 || sharp.C != blurred.C || blurred.C != C * scale * scale || C is not (1 or 3))
            throw new ArgumentException($"Patches go into maps of 1 or 3 channels per pixel without a halo, not of {blurred.C} and {sharp.C} per {scale * scale}.", nameof(blurred));
        _taps = 2 * BlurShape.ReachOf(maxSigma) + 1;
        int cut = input + _taps - 1, noiseW = input + 8;
        _ints = new int[steps * _n * PatchPlan.Ints];
        _floats = new float[steps * _n * PatchPlan.Floats];

        ComputeDevice device = queue.Device;
        bool isCamera = degradation == DegradationKind.Camera;
        _patch = Own(device.Allocate<int>(_ints.Length));
        _level = Own(device.Allocate<float>(_floats.Length));
        DeviceBuffer<float> table = Buffer(_n * (_taps * _taps + 2 * SoftReach + 1 + 2 * 64)), cuts = Buffer(_n * C * cut * cut), rows = Buffer(_n * C * cut * input), light = Buffer(_n * C * input * input);
        DeviceBuffer<float> decode = Own(device.Allocate<float>((ReadOnlySpan<float>)DecodeTable(C)));

        KernelProgram program = device.Build("train/degrade.cl",
            $"-DC={C} -DSCALE={scale} -DIN={input} -DOUT={size} -DTAPS={_taps} -DVEC={work.Vec} -DRUN={work.Run} -DLOCAL={work.Local}"
            + $" -DBLURRED_ROW={blurred.Row} -DBLURRED_IMAGE={blurred.Image} -DSHARP_ROW={sharp.Row} -DSHARP_IMAGE={sharp.Image}{(isCamera ? " -DCAMERA" : "")}");
        Add("extract_patches", work.Items(cut, cut), _n, 7).Bind(pictures, _patch, _level, decode, cuts, sharp.Buffer, weights, 0);
        Add("make_tables", work.Local, _n, 3).Bind(_patch, _level, table, 0);
        Add("blur_rows", work.Items(cut, input), _n * C, 4).Bind(cuts, _patch, table, rows, 0);
        Add("blur_columns", work.Items(input, input), _n * C, 4).Bind(rows, _patch, table, light, 0);
        Add("blur_shape", work.Items(input, input), _n * C, 4).Bind(cuts, _patch, table, light, 0);
        DeviceBuffer<float> chroma = light;     // never read where there is no codec
        if (isCamera)
        {
            DeviceBuffer<float> encode = Own(device.Allocate<float>((ReadOnlySpan<float>)EncodeTable(C))), basis = Own(device.Allocate<float>((ReadOnlySpan<float>)Transform()));
            DeviceBuffer<float> noise = Buffer(_n * C * (input + 2) * noiseW), soft = Buffer(_n * input * (input + 2 * SoftReach));
            if (C == 3) chroma = Buffer(_n * 2 * (input / 2) * (input / 2));
            Add("draw_noise", work.Items(input + 2, noiseW), _n * C, 3).Bind(_patch, _level, noise, 0);
            Add("develop", work.Items(input, input), _n * C, 4).Bind(_level, noise, encode, light, 0);
            Add("soften_columns", work.Items(input, input), _n, 4).Bind(_level, table, light, soft, 0);
            Add("sharpen_rows", work.Items(input, input), _n, 5).Bind(_patch, _level, table, soft, light, 0);
            Add("compress_blocks", work.Local * C * (input / 8) * (input / 8), _n, 5).Bind(_patch, table, basis, light, chroma, 0);
        }
        Add("store_patches", work.Items(input, input), _n, 4).Bind(_patch, light, chroma, blurred.Buffer, 0);

        DeviceBuffer<float> Buffer(long count) => Own(device.Allocate<float>(count));

        Kernel Add(string name, long items, int planes, int firstPatchArgument)
        {
            Kernel kernel = Own(program.CreateKernel(name));
            _passes.Add((new(kernel, new(items, planes), new(work.Local)), firstPatchArgument));
            return kernel;
        }
    }

    /// <summary>Uploads the plans of several batches, [steps][N]; waits for the copy.</summary>
    public void Upload(ReadOnlySpan<PatchPlan> plans)
    {
        for (int i = 0; i < plans.Length; i++)
        {
            if (2 * BlurShape.ReachOf(plans[i].Sigma) + 1 > _taps) throw new ArgumentOutOfRangeException(nameof(plans), plans[i].Sigma, "A blur is wider than this degrader was made for.");
            plans[i].WriteInts(_ints.AsSpan(i * PatchPlan.Ints, PatchPlan.Ints));
            plans[i].WriteFloats(_floats.AsSpan(i * PatchPlan.Floats, PatchPlan.Floats));
        }
        _patch.Write(_queue, _ints.AsSpan(0, plans.Length * PatchPlan.Ints));
        _level.Write(_queue, _floats.AsSpan(0, plans.Length * PatchPlan.Floats));
    }

    /// <summary>Enqueues the making of one of the uploaded batches.</summary>
    public void Enqueue(int batch)
    {
        foreach ((Launch launch, int firstPatchArgument) in _passes)
        {
            launch.Kernel.Bind(firstPatchArgument, batch * _n);
            launch.Enqueue(_queue);
        }
    }

    public void Dispose()
    {
        for (int i = _owned.Count - 1; i >= 0; i--) _owned[i].Dispose();
        _owned.Clear();
    }

    /// <summary>The codecs' transform, the DCT-II of 8 points, as a matrix and its transpose, [2][8][8]: basis[u][x] = a(u) cos((2x + 1) u pi/16) with a(0) = sqrt(1/8), else 1/2.</summary>
    internal static float[] Transform()
    {
        float[] basis = new float[2 * 64];
        for (int u = 0; u < 8; u++)
        for (int x = 0; x < 8; x++)
            basis[u * 8 + x] = basis[64 + x * 8 + u] = (float)((u == 0 ? Math.Sqrt(0.125) : 0.5) * Math.Cos((2 * x + 1) * u * Math.PI / 16));
        return basis;
    }

    /// <summary>Light of each code value, 0 to 1: sRGB's curve over the full range of RGB, or over 16 to 235 of luma.</summary>
    internal static float[] DecodeTable(int C) => [.. Enumerable.Range(0, 256).Select(code =>
    {
        double encoded = Math.Clamp(C == 1 ? (code - 16) / 219.0 : code / 255.0, 0, 1);
        return (float)(encoded <= 0.04045 ? encoded / 12.92 : Math.Pow((encoded + 0.055) / 1.055, 2.4));
    })];

    /// <summary>Code value of equally spaced amounts of light.</summary>
    internal static float[] EncodeTable(int C) => [.. Enumerable.Range(0, EncodeSize).Select(i =>
    {
        double light = i / (EncodeSize - 1.0);
        double encoded = light <= 0.0031308 ? 12.92 * light : 1.055 * Math.Pow(light, 1 / 2.4) - 0.055;
        return (float)(C == 1 ? 16 + 219 * encoded : 255 * encoded);
    })];

    private T Own<T>(T item) where T : IDisposable
    {
        _owned.Add(item);
        return item;
    }
}
