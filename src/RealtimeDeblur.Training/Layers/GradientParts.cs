using RealtimeDeblur.Compute;

namespace RealtimeDeblur.Training.Layers;

/// <summary>
/// The gradients of a step before they are added up: every layer's backward pass is split into parts that run side by side, and each sums its own copy of all gradients.
/// The number of parts and the order of their sum are fixed, so that a run repeats bit by bit.
/// </summary>
internal sealed class GradientParts : IDisposable
{
    private readonly Kernel _addParts;

    /// <param name="gradient">Flat gradients, overwritten by <see cref="Add"/> but for the last layer's biases, which the loss gives; not owned.</param>
    /// <param name="rows">Rows of the smallest output over the batch: no more parts than that.</param>
    public GradientParts(CommandQueue queue, ParameterLayout layout, DeviceBuffer<float> gradient, int rows)
    {
        ComputeDevice device = queue.Device;
        Count = layout.Count;
        // Enough parts to keep every compute unit busy to the end.
        Parts = Math.Min(4 * Math.Max(1, device.Info.ComputeUnits), rows);
        Partial = device.Allocate<float>(checked((long)Parts * Count));
        _addParts = device.Build("train/conv2d_backward_weight.cl").CreateKernel("add_parts");
        _addParts.Bind(Partial, Count, Parts, gradient);
        Add = new("add gradients", new(_addParts, new(layout.Layers[^1].BiasOrigin / 16), WorkSize.Single), 0);
    }

    public int Parts { get; }

    /// <summary>Floats of a part: all parameters.</summary>
    public int Count { get; }

    /// <summary>float [Parts][Count], each part laid out as the parameters are.</summary>
    public DeviceBuffer<float> Partial { get; }

    public TrainingLaunch Add { get; }

    public void Dispose()
    {
        _addParts.Dispose();
        Partial.Dispose();
    }
}
