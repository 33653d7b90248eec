using RealtimeDeblur.Compute;
using RealtimeDeblur.Training.Layers;

namespace RealtimeDeblur.Training.Optimization;

public enum OptimizerKind
{
    /// <summary>Kingma and Ba, arXiv 1412.6980, with beta 0.9 and 0.999 and epsilon 1e-8.</summary>
    Adam,

    /// <summary>Stochastic gradient descent with momentum 0.9, as SRCNN was trained.</summary>
    Sgd,
}

/// <summary>
/// Updates a network's flat parameters from its flat gradients, on the device, and keeps their running average, which is better than any single step (Polyak and Juditsky 1992).
/// Its state goes into checkpoints, so that a resumed run continues exactly.
/// </summary>
internal sealed class Optimizer : IDisposable
{
    private const float Beta1 = 0.9f, Beta2 = 0.999f, Epsilon = 1e-8f;

    /// <summary>A gradient longer than this times its running mean is shortened.</summary>
    private const float GradientLimit = 2.5f;

    /// <summary>Steps before the running mean is trusted.</summary>
    private const int FreeSteps = 50;

    /// <summary>SQUARES of <c>train/optimizer.cl</c>.</summary>
    private const int Squares = 256;

    private readonly CommandQueue _queue;
    private readonly OptimizerKind _kind;
    private readonly int _count, _averageSteps;
    private readonly DeviceBuffer<float> _m, _v, _clip;
    private readonly Kernel _limit, _update;
    private readonly List<TrainingLaunch> _launches = [];
    private readonly List<IDisposable> _owned = [];

    /// <param name="parameters">Updated in place; not owned.</param>
    /// <param name="gradient">Not modified; not owned.</param>
    /// <param name="layerRates">Factor of the learning rate per layer; missing ones are 1.</param>
    /// <param name="zeroMeanFilters">Whether the first layer's filters are kept at zero mean.</param>
    /// <param name="averageSteps">Steps that <see cref="Average"/> looks back.</param>
    public Optimizer(CommandQueue queue, OptimizerKind kind, ParameterLayout layout, DeviceBuffer<float> parameters, DeviceBuffer<float> gradient,
        IReadOnlyList<float> layerRates, bool zeroMeanFilters, int averageSteps = 1)
    {
        (_queue, _kind, _count, _averageSteps) = (queue, kind, layout.TotalCount, averageSteps);
        float[] scale = new float[_count];
        for (int set = 0; set < layout.Sets; set++)
        {
            for (int i = 0; i < layout.Layers.Count; i++)
            {
                int end = i + 1 < layout.Layers.Count ? layout.Layers[i + 1].Origin : layout.Count;
                scale.AsSpan(set * layout.Count)[layout.Layers[i].Origin..end].Fill(i < layerRates.Count ? layerRates[i] : 1f);
            }
        }
        ComputeDevice device = queue.Device;
        DeviceBuffer<float> scales = Own(device.Allocate<float>((ReadOnlySpan<float>)scale)), squares = Own(device.Allocate<float>(Squares));
        _m = Own(device.Allocate<float>((ReadOnlySpan<float>)new float[_count]));
        _v = Own(device.Allocate<float>((ReadOnlySpan<float>)new float[_count]));
        _clip = Own(device.Allocate<float>((ReadOnlySpan<float>)[0f, 1f]));
        Average = Own(device.Allocate<float>(_count));
        parameters.CopyTo(queue, Average);

        KernelProgram program = device.Build("train/optimizer.cl");
        Kernel sums = Own(program.CreateKernel("square_sums")).Bind(gradient, _count, squares);
        _limit = Own(program.CreateKernel("limit_gradient")).Bind(squares, _clip, GradientLimit, 0, FreeSteps);
        _update = Own(program.CreateKernel(kind == OptimizerKind.Adam ? "adam" : "sgd"));
        if (kind == OptimizerKind.Adam) _update.Bind(parameters, gradient, _m, _v, scales, _clip, Average, 0f, 0f, Beta1, Beta2, 0f, 0f, Epsilon);
        else _update.Bind(parameters, gradient, _m, scales, _clip, Average, 0f, 0f, Beta1);
        _launches.Add(new("gradient norm", new(sums, new(Squares), new(16)), 0));
        _launches.Add(new("limit gradient", new(_limit, WorkSize.Single, WorkSize.Single), 0));
        _launches.Add(new("update", new(_update, new(_count), new(16)), 0));
        if (zeroMeanFilters)
        {
            WeightBlock first = layout.Layers[0].Blocks[0];
            foreach (DeviceBuffer<float> filters in (DeviceBuffer<float>[])[parameters, Average])
            {
                Kernel removeMean = Own(program.CreateKernel("remove_mean")).Bind(filters, first.Origin, first.Shape.Size * first.Shape.Size * first.Shape.C, layout.Count);
                _launches.Add(new("remove mean", new(removeMean, new(first.Shape.K / 16, layout.Sets), WorkSize.Single), 0));
            }
        }
    }

    /// <summary>Running average of the parameters, laid out as they are.</summary>
    public DeviceBuffer<float> Average { get; }

    /// <summary>What <see cref="Step"/> enqueues, in order.</summary>
    public IReadOnlyList<TrainingLaunch> Launches => _launches;

    /// <summary>Enqueues one update.</summary>
    /// <param name="step">Counted from 1.</param>
    /// <param name="rate">Learning rate.</param>
    public void Step(int step, float rate)
    {
        // The average of all steps so far, until they are enough.
        float averageRate = 1f / Math.Min(step, _averageSteps);
        _limit.Bind(3, step);
        if (_kind == OptimizerKind.Adam)
        {
            _update.BindFrom(7, rate, averageRate);
            _update.BindFrom(11, (float)(1 / (1 - Math.Pow(Beta1, step))), (float)(1 / (1 - Math.Pow(Beta2, step))));
        }
        else
        {
            _update.BindFrom(6, rate, averageRate);
        }
        foreach (TrainingLaunch launch in _launches) launch.Enqueue(_queue);
    }

    /// <summary>Moments, average and running gradient norm; waits for the queue.</summary>
    public float[] SaveState() => [.. _m.ToArray(_queue), .. _v.ToArray(_queue), .. Average.ToArray(_queue), .. _clip.ToArray(_queue)];

    /// <summary>Floats in <see cref="SaveState"/>.</summary>
    public int StateCount => 3 * _count + 2;

    public void LoadState(ReadOnlySpan<float> state)
    {
        _m.Write(_queue, state[.._count]);
        _v.Write(_queue, state[_count..(2 * _count)]);
        Average.Write(_queue, state[(2 * _count)..(3 * _count)]);
        _clip.Write(_queue, state[(3 * _count)..]);
    }

    public void Dispose()
    {
        for (int i = _owned.Count - 1; i >= 0; i--) _owned[i].Dispose();
        _owned.Clear();
    }

    private T Own<T>(T item) where T : IDisposable
    {
        _owned.Add(item);
        return item;
    }
}
