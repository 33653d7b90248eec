using RealtimeDeblur.Compute;

namespace RealtimeDeblur.Networks;

/// <summary>
/// A network made ready for frames of one size on one device: weights packed once, buffers sized once, so that a run only enqueues. Another size needs another session.
/// Every layer replicates the border of its own input, so that the frame keeps its size. A frame whose layers would not fit into the device's memory is computed in
/// overlapping tiles with the same result. One thread at a time; the caller disposes it, after the queue it ran on has finished.
/// </summary>
public sealed class InferenceSession : IDisposable
{
    /// <summary>The layers may take this share of the device's memory; frames, other programs and, on a CPU, everything else need the rest.</summary>
    private const int MemoryShare = 2;

    private readonly ITileLayers _layers;
    private readonly Kernel _load;
    private readonly Kernel _store;
    private readonly RowWork _rows;

    /// <param name="device">Where to run.</param>
    /// <param name="network">Not changed and not kept.</param>
    /// <param name="W">Columns of the frame, 1 or more.</param>
    /// <param name="H">Rows of the frame, 1 or more.</param>
    /// <param name="plan">Null chooses the fastest that fits network, size and device.</param>
    /// <exception cref="ArgumentException">The plan does not fit the network or the size.</exception>
    /// <exception cref="OpenClException">The device has too little memory even for small tiles.</exception>
    public InferenceSession(ComputeDevice device, Network network, int W, int H, InferencePlan? plan = null) : this(device, network, W, H, plan, memoryLimitBytes: null)
    {
    }

    /// <param name="device"/><param name="network"/><param name="W"/><param name="H"/><param name="plan"/>
    /// <param name="memoryLimitBytes">What the layers may take in all; null decides by the device.</param>
    internal InferenceSession(ComputeDevice device, Network network, int W, int H, InferencePlan? plan, long? memoryLimitBytes)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(W, 1);
        ArgumentOutOfRangeException.ThrowIfLessThan(H, 1);
        NetworkDescription description = network.Description;
        (C, this.W, this.H) = (description.C, W, H);

        bool canFuse = FusedLayers.CanRun(description, W, H);
        if (plan == InferencePlan.Fused && !canFuse)
            throw new ArgumentException($"The fused kernels cannot run {network.Name} on {W}x{H} frames: they need three layers with a 1x1 in the middle and frames of 8x6 or more. Use the general plan.", nameof(plan));
        Plan = plan ?? (canFuse && device.Info.Type == ComputeDeviceType.Cpu ? InferencePlan.Fused : InferencePlan.General);

        long limit = memoryLimitBytes ?? device.Info.MemoryBytes / MemoryShare;
        Grid = TileGrid.Fit(W, H, description.Pad, (tileW, tileH) =>
        {
            TileMemory memory = Plan == InferencePlan.Fused ? FusedLayers.Memory(description, tileW, tileH) : GeneralLayers.Memory(description, tileW, tileH);
            return memory.TotalBytes <= limit && memory.LargestBytes <= device.Info.MaxAllocationBytes;
        }) ?? throw new OpenClException($"{network.Name} needs more than the {limit:N0} bytes of memory that {device.Info.Name} has for it. Choose a smaller network, or another device with --device.");

        _layers = Plan == InferencePlan.Fused ? new FusedLayers(device, network, Grid.TileW, Grid.TileH) : new GeneralLayers(device, network, Grid.TileW, Grid.TileH);
        _rows = RowWork.For(device.Info);
        KernelProgram copies = device.Build("conv/tile.cl", $"-DRUN={_rows.Run}");
        _load = copies.CreateKernel("tile_load");
        _store = copies.CreateKernel("tile_store");
    }

    /// <summary>Channels of the frame: 1 for luma, 3 for RGB.</summary>
    public int C { get; }

    /// <summary>Columns of the frame.</summary>
    public int W { get; }

    /// <summary>Rows of the frame.</summary>
    public int H { get; }

    /// <summary>Which kernels run.</summary>
    public InferencePlan Plan { get; }

    /// <summary>How the frame is cut; a single tile when everything fits.</summary>
    public TileGrid Grid { get; }

    /// <summary>What a tile is loaded into; see <see cref="TileInputLayout"/>.</summary>
    internal DeviceBuffer<float> TileInput => _layers.Input;

    internal TileInputLayout TileInputLayout => _layers.InputLayout;

    /// <summary>float [C][tileH][tileW].</summary>
    internal DeviceBuffer<float> TileOutput => _layers.Output;

    /// <summary>Enqueues the network on a whole frame; does not wait.</summary>
    /// <param name="queue">In-order queue of the session's device.</param>
    /// <param name="input">float [C][H][W], gamma-encoded, 0 to 1. Not modified.</param>
    /// <param name="output">float [C][H][W], overwritten; not clamped. Another buffer than the input.</param>
    /// <exception cref="ArgumentException">A buffer is smaller than the frame.</exception>
    public void Run(CommandQueue queue, DeviceBuffer<float> input, DeviceBuffer<float> output)
    {
        long needed = (long)C * H * W;
        if (input.Count < needed || output.Count < needed)
            throw new ArgumentException($"A {W}x{H} frame of {C} channels takes {needed} floats; the input has {input.Count} and the output {output.Count}.", nameof(input));

        TileInputLayout layout = TileInputLayout;
        foreach (Tile tile in Grid.Tiles)
        {
            _load.Bind(input, TileInput, W, H, layout.Stride, tile.OriginX - layout.Pad, tile.OriginY - layout.Pad);
            _load.Enqueue(queue, _rows.Global(layout.Stride, layout.Rows, C), _rows.Local);
            EnqueueLayers(queue);
            _store.Bind(TileOutput, output, W, H, Grid.TileW, Grid.TileH, tile.OriginX, tile.OriginY, tile.SkipX, tile.SkipY, tile.Columns);
            _store.Enqueue(queue, _rows.Global(tile.Columns, tile.Rows, C), _rows.Local);
        }
    }

    /// <summary>Enqueues the layers on the tile that <see cref="TileInput"/> holds.</summary>
    internal void EnqueueLayers(CommandQueue queue)
    {
        foreach (Launch launch in _layers.Launches) launch.Enqueue(queue);
    }

    /// <summary>Runs the layers on whatever the buffers hold, waits, and adds up the time that the device took for each kernel. Loading and storing tiles is left out.</summary>
    /// <param name="queue">A queue with profiling.</param>
    /// <returns>Milliseconds per frame.</returns>
    public double MeasureDeviceMs(CommandQueue queue)
    {
        double sum = 0;
        for (int tile = 0; tile < Grid.Tiles.Length; tile++)
        {
            foreach (Launch launch in _layers.Launches)
            {
                using ComputeEvent done = launch.Kernel.EnqueueWithEvent(queue, launch.Global, launch.Local);
                done.Wait();
                sum += done.DurationMs;
            }
        }
        return sum;
    }

    public void Dispose()
    {
        _layers.Dispose();
        _load.Dispose();
        _store.Dispose();
    }
}
