using RealtimeDeblur.Compute;

namespace RealtimeDeblur.Training.Layers;

/// <summary>
/// The gradients of a step before they are added up: every image's rows are dealt out to parts that run side by side, and each part sums its own copy of a set's gradients.
/// The number of parts and the order of their sum are fixed, so that a run repeats bit by bit.
/// </summary>
internal sealed class GradientParts : IDisposable
{
    /// <param name="N">Images of the batch.</param>
    /// <param name="rows">Rows of the smallest output: no more parts per image than that.</param>
    /// <param name="wanted">Parts that keep the device busy.</param>
    public GradientParts(CommandQueue queue, ParameterLayout layout, int N, int rows, int wanted)
    {
        Count = layout.Count;
        PerImage = Math.Clamp((int)WorkSize.Tiles(wanted, N), 1, rows);
        Parts = N * PerImage;
        Partial = queue.Device.Allocate<float>(checked((long)Parts * Count));
        // Nobody writes what pads a layer's parameters.
        Partial.Fill(queue, 0f);
    }

    /// <summary>Parts of an image.</summary>
    public int PerImage { get; }

    /// <summary>Parts of the batch.</summary>
    public int Parts { get; }

    /// <summary>Floats of a part: a set of parameters.</summary>
    public int Count { get; }

    /// <summary>float [Parts][Count], each part laid out as a set of parameters is.</summary>
    public DeviceBuffer<float> Partial { get; }

    public void Dispose() => Partial.Dispose();
}
