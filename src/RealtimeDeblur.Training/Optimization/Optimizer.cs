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

/// <summary>Updates a network's flat parameters from its flat gradients, on the device. Its state goes into checkpoints, so that a resumed run continues exactly.</summary>
internal sealed class Optimizer : IDisposable
{
    private const float Beta1 = 0.9f, Beta2 = 0.999f, Epsilon = 1e-8f;

    /// <summary>A gradient longer than this times its running mean is shortened.</summary>
    private const float GradientLimit = 2.5f;

    /// <summary>Steps before the running mean is trusted.</summary>
    private const int FreeSteps = 50;

    private readonly CommandQueue _queue;
    private readonly OptimizerKind _kind;
    private readonly int _count;
    private readonly DeviceBuffer<float> _m, _v, _scale, _clip;
    private readonly Kernel _limit, _update;
    private readonly Kernel? _removeMean;
    private readonly List<TrainingLaunch> _launches = [];

    /// <param name="parameters">Updated in place; not owned.</param>
    /// <param name="gradient">Not modified; not owned.</param>
    /// <param name="layerRates">Factor of the learning rate per layer; missing ones are 1.</param>
    /// <param name="zeroMeanFilters">Whether the first layer's filters are kept at zero mean.</param>
    public Optimizer(CommandQueue queue, OptimizerKind kind, ParameterLayout layout, DeviceBuffer<float> parameters, DeviceBuffer<float> gradient,
        IReadOnlyList<float> layerRates, bool zeroMeanFilters)
    {
        (_queue, _kind, _count) = (queue, kind, layout.Count);
        float[] scale = new float[_count];
        for (int i = 0; i < layout.Layers.Count; i++)
        {
            int end = i + 1 < layout.Layers.Count ? layout.Layers[i + 1].WeightOrigin : _count;
            scale.AsSpan(layout.Layers[i].WeightOrigin..end).Fill(i < layerRates.Count ? layerRates[i] : 1f);
        }
        ComputeDevice device = queue.Device;
        _scale = device.Allocate<float>((ReadOnlySpan<float>)scale);
        _m = device.Allocate<float>((ReadOnlySpan<float>)new float[_count]);
        _v = device.Allocate<float>((ReadOnlySpan<float>)new float[_count]);
        _clip = device.Allocate<float>((ReadOnlySpan<float>)[0f, 1f]);

        KernelProgram program = device.Build("train/optimizer.cl");
        _limit = program.CreateKernel("limit_gradient");
        _limit.Bind(gradient, _count, _clip, GradientLimit, 0, FreeSteps);
        _update = program.CreateKernel(kind == OptimizerKind.Adam ? "adam" : "sgd");
        if (kind == OptimizerKind.Adam) _update.Bind(parameters, gradient, _m, _v, _scale, _clip, 0f, Beta1, Beta2, 0f, 0f, Epsilon);
        else _update.Bind(parameters, gradient, _m, _scale, _clip, 0f, Beta1);
        _launches.Add(new("limit gradient", new(_limit, WorkSize.Single, WorkSize.Single), 0));
        _launches.Add(new("update", new(_update, new(_count), new(16)), 0));
        if (zeroMeanFilters)
        {
            LayerPlacement first = layout.Layers[0];
            _removeMean = program.CreateKernel("remove_mean").Bind(parameters, first.WeightOrigin, first.Offsets);
            _launches.Add(new("remove mean", new(_removeMean, new(first.K / 16), WorkSize.Single), 0));
        }
    }

    /// <summary>What <see cref="Step"/> enqueues, in order.</summary>
    public IReadOnlyList<TrainingLaunch> Launches => _launches;

    /// <summary>Enqueues one update.</summary>
    /// <param name="step">Counted from 1.</param>
    /// <param name="rate">Learning rate.</param>
    public void Step(int step, float rate)
    {
        _limit.Bind(4, step);
        if (_kind == OptimizerKind.Adam)
        {
            _update.Bind(6, rate);
            _update.Bind(9, (float)(1 / (1 - Math.Pow(Beta1, step))));
            _update.Bind(10, (float)(1 / (1 - Math.Pow(Beta2, step))));
        }
        else
        {
            _update.Bind(5, rate);
        }
        foreach (TrainingLaunch launch in _launches) launch.Enqueue(_queue);
    }

    /// <summary>Moments and running gradient norm, 2*count + 2 floats; waits for the queue.</summary>
    public float[] SaveState() => [.. _m.ToArray(_queue), .. _v.ToArray(_queue), .. _clip.ToArray(_queue)];

    /// <summary>Floats in <see cref="SaveState"/>.</summary>
    public int StateCount => 2 * _count + 2;

    public void LoadState(ReadOnlySpan<float> state)
    {
        _m.Write(_queue, state[.._count]);
        _v.Write(_queue, state[_count..(2 * _count)]);
        _clip.Write(_queue, state[(2 * _count)..]);
    }

    public void Dispose()
    {
        _removeMean?.Dispose();
        _update.Dispose();
        _limit.Dispose();
        _clip.Dispose();
        _scale.Dispose();
        _v.Dispose();
        _m.Dispose();
    }
}
