using RealtimeDeblur.Compute;
using RealtimeDeblur.Training.Data;
using RealtimeDeblur.Training.Layers;

namespace RealtimeDeblur.Training.Patches;

/// <summary>Makes pairs of blurred and sharp patches on the device and puts them where a <see cref="TrainingGraph"/> reads them.</summary>
internal sealed class PatchDegrader : IDisposable
{
    private const int EncodeSize = 4096;

    private readonly CommandQueue _queue;
    private readonly int _taps, _n;
    private readonly int[] _ints;
    private readonly float[] _floats;
    private readonly DeviceBuffer<int> _patch;
    private readonly DeviceBuffer<float> _blur;
    private readonly List<(Kernel Kernel, WorkSize Global, int FirstPatchArgument)> _passes = [];
    private readonly List<IDisposable> _owned = [];

    /// <param name="pictures">The pictures' samples on the device; not owned.</param>
    /// <param name="graph">Whose <see cref="TrainingGraph.Blurred"/> and <see cref="TrainingGraph.Sharp"/> are filled.</param>
    /// <param name="maxSigma">Widest blur that will be asked for, in pixels.</param>
    /// <param name="steps">Batches that are uploaded together.</param>
    public PatchDegrader(CommandQueue queue, DeviceBuffer<byte> pictures, TrainingGraph graph, DegradationKind degradation, float maxSigma, int steps)
    {
        _queue = queue;
        (_n, int C, int size, int input) = (graph.Sharp.N, graph.Sharp.C, graph.Sharp.H, graph.Blurred.H);
        if (input % 8 != 0) throw new ArgumentException($"Patches of {size} pixels reach the network as {input}, which must be a multiple of 8.", nameof(graph));
        _taps = 2 * PatchPlan.RadiusOf(maxSigma) + 1;
        int cut = input + _taps - 1;
        _ints = new int[steps * _n * PatchPlan.Ints];
        _floats = new float[steps * _n * (PatchPlan.FixedFloats + _taps)];

        ComputeDevice device = queue.Device;
        _patch = Own(device.Allocate<int>(_ints.Length));
        _blur = Own(device.Allocate<float>(_floats.Length));
        DeviceBuffer<float> cuts = Own(device.Allocate<float>(_n * C * cut * cut));
        DeviceBuffer<float> rows = Own(device.Allocate<float>(_n * C * cut * input));
        DeviceBuffer<float> decode = Own(device.Allocate<float>((ReadOnlySpan<float>)DecodeTable(C)));
        DeviceBuffer<float> encode = Own(device.Allocate<float>((ReadOnlySpan<float>)EncodeTable(C)));

        string camera = degradation == DegradationKind.Camera ? " -DCAMERA" : "";
        KernelProgram program = device.Build("train/degrade.cl", $"-DC={C} -DIN={input} -DOUT={size} -DTAPS={_taps}{camera}");
        Add("extract_patches", new(cut, _n), 7).Bind(pictures, _patch, _blur, decode, cuts, graph.Sharp.Buffer, graph.PatchWeights, 0);
        Add("blur_rows", new(cut, _n * C), 3).Bind(cuts, _blur, rows, 0);
        Add("blur_columns", new(input / 8, input, _n * C), 5).Bind(rows, _patch, _blur, encode, graph.Blurred.Buffer, 0);
        if (degradation == DegradationKind.Camera) Add("compress_patches", new(input / 8, input / 8, _n), 2).Bind(_patch, graph.Blurred.Buffer, 0);

        Kernel Add(string name, WorkSize global, int firstPatchArgument)
        {
            Kernel kernel = Own(program.CreateKernel(name));
            _passes.Add((kernel, global, firstPatchArgument));
            return kernel;
        }
    }

    /// <summary>Uploads the plans of several batches, [steps][N]; waits for the copy.</summary>
    public void Upload(ReadOnlySpan<PatchPlan> plans)
    {
        for (int i = 0; i < plans.Length; i++)
        {
            plans[i].WriteInts(_ints.AsSpan(i * PatchPlan.Ints, PatchPlan.Ints));
            plans[i].WriteFloats(_floats.AsSpan(i * (PatchPlan.FixedFloats + _taps), PatchPlan.FixedFloats + _taps));
        }
        _patch.Write(_queue, _ints.AsSpan(0, plans.Length * PatchPlan.Ints));
        _blur.Write(_queue, _floats.AsSpan(0, plans.Length * (PatchPlan.FixedFloats + _taps)));
    }

    /// <summary>Enqueues the making of one of the uploaded batches.</summary>
    public void Enqueue(int batch)
    {
        foreach ((Kernel kernel, WorkSize global, int firstPatchArgument) in _passes)
        {
            kernel.Bind(firstPatchArgument, batch * _n);
            kernel.Enqueue(_queue, global, WorkSize.Single);
        }
    }

    public void Dispose()
    {
        for (int i = _owned.Count - 1; i >= 0; i--) _owned[i].Dispose();
        _owned.Clear();
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
