using RealtimeDeblur.Compute;

namespace RealtimeDeblur.Networks;

/// <summary>What layers are made for: a network on tiles of one size, cut from frames of one layout, on one device.</summary>
/// <param name="Device">Where to run.</param>
/// <param name="Description">Of the network.</param>
/// <param name="Weights">Takes the network's weights, packed as the kernels want them, and keeps them up to date.</param>
/// <param name="TileW">Columns of a tile in cells of the network's scale.</param>
/// <param name="TileH">Rows of a tile in cells.</param>
/// <param name="Samples">Of the frame and its restored copy.</param>
/// <param name="Plan">One that the family takes.</param>
internal sealed record LayerSetUp(ComputeDevice Device, NetworkDescription Description, WeightBuffers Weights, int TileW, int TileH, SampleLayout Samples, InferencePlan Plan);

/// <summary>Kernels that compute a class of networks, and the plans they offer.</summary>
internal interface IKernelFamily
{
    /// <summary>First word of its plans.</summary>
    string Name { get; }

    /// <summary>Plans for a network on a device, the best guess first; empty where these kernels cannot compute it, or not on frames of so many cells, or would be foolish on that device.</summary>
    /// <param name="description">Of the network.</param>
    /// <param name="device">Where to run.</param>
    /// <param name="arithmetic">What the device has besides <c>float</c>; adds plans, but does not change the first.</param>
    /// <param name="W">Columns of the frame in cells.</param>
    /// <param name="H">Rows of the frame in cells.</param>
    IEnumerable<InferencePlan> Plans(NetworkDescription description, DeviceInfo device, ProbedArithmetic arithmetic, int W, int H);

    /// <summary>Why these kernels cannot follow the plan for the network on frames of so many cells; null where they can.</summary>
    string? Refusal(InferencePlan plan, NetworkDescription description, int W, int H);

    /// <summary>Device memory for tiles of so many cells, weights left out.</summary>
    TileMemory Memory(InferencePlan plan, NetworkDescription description, int W, int H);

    /// <summary>Largest error that the plan's arithmetic explains, relative to 1 + the expected value.</summary>
    double Tolerance(InferencePlan plan) => PlanTuner.Tolerance;

    /// <summary>Builds the kernels, packs the weights, allocates the buffers.</summary>
    ITileLayers Create(LayerSetUp setUp);
}

/// <summary>All families, and the choice among their plans.</summary>
internal static class KernelFamilies
{
    // The order in which defaults are looked for; the last takes everything.
    public static IReadOnlyList<IKernelFamily> All { get; } = [new DbcnnFamily(), new ChainFamily(), new GpuFamily(), new GeneralFamily()];

    /// <summary>Every plan worth trying on the device, the default first. Never empty.</summary>
    public static IReadOnlyList<InferencePlan> Plans(NetworkDescription description, DeviceInfo device, ProbedArithmetic arithmetic, int W, int H)
    {
        (int columns, int rows) = Cells(description, W, H);
        return [.. All.SelectMany(family => family.Plans(description, device, arithmetic, columns, rows))];
    }

    /// <summary>The plan to use where none is asked for: what was measured on the device, else the first.</summary>
    public static InferencePlan Choose(NetworkDescription description, DeviceInfo device, int W, int H, TuningFile tuning)
    {
        (int columns, int rows) = Cells(description, W, H);
        return tuning.Find(device, description, W, H) is { } plan && All.FirstOrDefault(one => one.Name == plan.Kernels)?.Refusal(plan, description, columns, rows) is null
            && All.Any(one => one.Name == plan.Kernels)
            ? plan
            : Plans(description, device, ProbedArithmetic.FloatOnly, W, H)[0];
    }

    /// <exception cref="ArgumentException">No family has this name, or it refuses the plan.</exception>
    public static IKernelFamily Of(InferencePlan plan, NetworkDescription description, int W, int H)
    {
        (int columns, int rows) = Cells(description, W, H);
        IKernelFamily family = All.FirstOrDefault(one => one.Name == plan.Kernels)
            ?? throw new ArgumentException($"There are no kernels '{plan.Kernels}'; there are {string.Join(", ", All.Select(one => one.Name))}.", nameof(plan));
        string? refusal = family.Refusal(plan, description, columns, rows);
        return refusal is null ? family : throw new ArgumentException($"The plan '{plan}' does not fit {description.Architecture} on {W}x{H} frames: {refusal}.", nameof(plan));
    }

    /// <summary>Into how many segments to cut strips so that there are at least so many work-items per compute unit, and as many for each.</summary>
    public static long Segments(DeviceInfo device, long strips, int itemsPerUnit)
    {
        long segments = WorkSize.Tiles((long)itemsPerUnit * device.ComputeUnits, strips);
        // One item too many for one unit keeps all others waiting: some of the next few counts divide evenly.
        while (strips * segments % Math.Max(1, device.ComputeUnits) != 0) segments++;
        return segments;
    }

    /// <summary>Size of a frame in cells of the network's scale.</summary>
    public static (int Columns, int Rows) Cells(NetworkDescription description, int W, int H) =>
        ((W + description.Scale - 1) / description.Scale, (H + description.Scale - 1) / description.Scale);
}
