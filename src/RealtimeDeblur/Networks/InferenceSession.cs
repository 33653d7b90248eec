using RealtimeDeblur.Compute;
using RealtimeDeblur.Imaging;

namespace RealtimeDeblur.Networks;

/// <summary>
/// A network made ready for frames of one size on one device: weights packed once, buffers sized once, so that a run only enqueues. Another size needs another session.
/// Every layer replicates the border of its own input, so that the frame keeps its size. A frame whose layers would not fit into the device's memory is computed in
/// overlapping tiles with the same result. One thread at a time; the caller disposes it, after the queue it ran on has finished.
/// </summary>
internal sealed class InferenceSession : IDisposable
{
    /// <summary>The layers may take this share of the device's memory; frames, other programs and, on a CPU, everything else need the rest.</summary>
    private const int MemoryShare = 2;

    private readonly NetworkDescription _description;
    private readonly SampleLayout _samples;
    private readonly WeightBuffers _weights;
    private readonly ITileLayers _layers;

    /// <summary>Sigmas are rounded to multiples of it, so that an estimate that trembles changes nothing: 1/64 pixel, of which the restored frame shows no trace.</summary>
    public const float SigmaStep = 1 / 64f;

    /// <summary>Where a network conditioned on sigma is checked and timed: between two of the usual knots.</summary>
    private const float MeasuredSigma = 1.25f;

    /// <param name="device">Where to run.</param>
    /// <param name="network">Not changed. One that is conditioned on sigma needs <see cref="SetSigma"/> before the first run.</param>
    /// <param name="W">Columns of the frame, 1 or more.</param>
    /// <param name="H">Rows of the frame, 1 or more.</param>
    /// <param name="plan">Null takes the one that <c>deblur tune</c> found best for network, size and device, else a good guess.</param>
    /// <exception cref="ArgumentException">The plan does not fit the network or the size.</exception>
    /// <exception cref="OpenClException">The device has too little memory even for small tiles.</exception>
    public InferenceSession(ComputeDevice device, Network network, int W, int H, InferencePlan? plan = null)
        : this(device, network, SampleLayout.Planar(network.Description.C, W, H), plan, memoryLimitBytes: null)
    {
    }

    /// <param name="device"/><param name="network"/>
    /// <param name="samples">How the frames lie in memory; their size.</param>
    /// <param name="plan"/>
    /// <param name="memoryLimitBytes">What the layers may take in all; null decides by the device.</param>
    /// <param name="largestTile">Pixels of a tile at most, overlap included, in each direction; null for as large as fits.</param>
    internal InferenceSession(ComputeDevice device, Network network, SampleLayout samples, InferencePlan? plan, long? memoryLimitBytes, int? largestTile = null)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(samples.W, 1, "W");
        ArgumentOutOfRangeException.ThrowIfLessThan(samples.H, 1, "H");
        _description = network.Description;
        _samples = samples;
        (int planW, int planH) = largestTile is { } tile ? (Math.Min(W, tile), Math.Min(H, tile)) : (W, H);
        Plan = plan ?? KernelFamilies.Choose(_description, device.Info, planW, planH, TuningFile.Default);
        IKernelFamily family = KernelFamilies.Of(Plan, _description, planW, planH);

        long limit = memoryLimitBytes ?? device.Info.MemoryBytes / MemoryShare;
        (int columns, int rows) = KernelFamilies.Cells(_description, W, H);
        Grid = TileGrid.Fit(columns, rows, _description.Reach, (tileW, tileH) =>
        {
            if (largestTile < Math.Max(tileW, tileH) * _description.Scale) return false;
            TileMemory memory = family.Memory(Plan, _description, tileW, tileH);
            return memory.TotalBytes <= limit && memory.LargestBytes <= device.Info.MaxAllocationBytes && family.Refusal(Plan, _description, tileW, tileH) is null;
        }) ?? throw new OpenClException($"{network.Name} needs more than the {limit:N0} bytes of memory that {device.Info.Name} has for it. Choose a smaller network, or another device with --device.");
        _weights = new(device, network);
        try
        {
            _layers = family.Create(new(device, _description, _weights, Grid.TileW, Grid.TileH, samples, Plan));
        }
        catch
        {
            _weights.Dispose();
            throw;
        }
    }

    /// <summary>Channels of the frame: 1 for luma, 3 for RGB.</summary>
    public int C => _description.C;

    /// <summary>Columns of the frame.</summary>
    public int W => _samples.W;

    /// <summary>Rows of the frame.</summary>
    public int H => _samples.H;

    /// <summary>Multiply-accumulates per pixel.</summary>
    public int MacPerPixel => _description.MacPerPixel;

    /// <summary>Which kernels run.</summary>
    public InferencePlan Plan { get; }

    /// <summary>How the frame is cut, in cells of the network's scale; a single tile when everything fits.</summary>
    public TileGrid Grid { get; }

    /// <summary>The sigma that the next run restores, as rounded; null for a network that is not conditioned, or was not told one.</summary>
    public float? Sigma => _weights.Sigma;

    /// <summary>
    /// Sets the blur that the following runs restore; does not wait, and leaves the runs before it as they are. A change takes the device a fraction of a
    /// millisecond, see <c>kernels/README.md</c>. Does nothing where sigma, rounded to <see cref="SigmaStep"/>, is as before, or the network is not conditioned on it.
    /// </summary>
    /// <param name="queue">In-order queue on which the session runs.</param>
    /// <param name="sigma">Pixels, 0 or more; beyond the network's knots it counts as the nearest.</param>
    /// <exception cref="ArgumentOutOfRangeException"><paramref name="sigma"/> is not a number of 0 or more.</exception>
    public void SetSigma(CommandQueue queue, float sigma)
    {
        if (!(sigma >= 0)) throw new ArgumentOutOfRangeException(nameof(sigma), sigma, "Sigma must be 0 or more pixels.");
        if (_description.IsConditioned) _weights.SetSigma(queue, NearestSigma(sigma));
    }

    /// <summary>What a run restores that was set to a sigma: rounded, and within the knots. For a network conditioned on it.</summary>
    internal float NearestSigma(float sigma) => Math.Clamp(RoundSigma(sigma), _description.SigmaKnots[0], _description.SigmaKnots[^1]);

    /// <summary>The multiple of <see cref="SigmaStep"/> next to a sigma.</summary>
    internal static float RoundSigma(float sigma) => MathF.Round(sigma / SigmaStep) * SigmaStep;

    /// <summary>Enqueues the network on a whole frame; does not wait.</summary>
    /// <param name="queue">In-order queue of the session's device.</param>
    /// <param name="input">float [C][H][W], gamma-encoded, 0 to 1. Not modified.</param>
    /// <param name="output">float [C][H][W], overwritten; not clamped. Another buffer than the input.</param>
    /// <exception cref="ArgumentException">A buffer is smaller than the frame.</exception>
    /// <exception cref="InvalidOperationException">The network is conditioned on sigma and was not told one.</exception>
    public void Run(CommandQueue queue, DeviceBuffer<float> input, DeviceBuffer<float> output)
    {
        long needed = (long)C * H * W;
        if (input.Count < needed || output.Count < needed)
            throw new ArgumentException($"A {W}x{H} frame of {C} channels takes {needed} floats; the input has {input.Count} and the output {output.Count}.", nameof(input));
        Enqueue(queue, input, output, strength: 1).Dispose();
    }

    /// <summary>Enqueues the network on a frame of the session's sample layout; does not wait.</summary>
    /// <param name="queue">In-order queue of the session's device.</param>
    /// <param name="frame">Not modified.</param>
    /// <param name="restored">Another buffer of the same layout, overwritten.</param>
    /// <param name="strength">Share of the network's change that is written, 0 to 1.</param>
    /// <param name="waitFor">Events that must have happened before the frame is read.</param>
    /// <returns>The event of the last launch; the caller disposes it.</returns>
    internal ComputeEvent Enqueue(CommandQueue queue, KernelArgument frame, KernelArgument restored, float strength, params ReadOnlySpan<ComputeEvent> waitFor)
    {
        BindFrames(frame, restored, strength);
        ComputeEvent done = default;
        foreach (Tile tile in Grid.Tiles)
        {
            done.Dispose();
            done = default;
            done = EnqueueTile(queue, tile, waitFor);
        }
        return done;
    }

    /// <summary>Enqueues one tile of <see cref="Grid"/>, in full strength; does not wait. The rest of the restored frame stays as it is.</summary>
    /// <param name="queue">In-order queue of the session's device.</param>
    /// <param name="frame">Not modified.</param>
    /// <param name="restored">Another buffer of the same layout.</param>
    /// <param name="tile">Of the grid.</param>
    internal void EnqueueTile(CommandQueue queue, KernelArgument frame, KernelArgument restored, Tile tile)
    {
        BindFrames(frame, restored, strength: 1);
        EnqueueTile(queue, tile, []).Dispose();
    }

    private void BindFrames(KernelArgument frame, KernelArgument restored, float strength)
    {
        if (_description.IsConditioned && Sigma is null) throw new InvalidOperationException("The network is conditioned on the blur's sigma: call SetSigma before the first run.");
        foreach (Kernel kernel in _layers.FrameKernels) SampleLayout.BindFrame(kernel, frame);
        _samples.BindRestored(_layers.Launches[^1].Kernel, restored, strength);
    }

    private ComputeEvent EnqueueTile(CommandQueue queue, Tile tile, ReadOnlySpan<ComputeEvent> waitFor)
    {
        BindTile(tile);
        for (int i = 0; i < _layers.Launches.Length - 1; i++) _layers.Launches[i].Enqueue(queue, i == 0 ? waitFor : []);
        return _layers.Launches[^1].EnqueueWithEvent(queue, _layers.Launches.Length == 1 ? waitFor : []);
    }

    /// <summary>Runs the network on a frame, waits after every launch, and adds up the time that the device took.</summary>
    /// <param name="queue">A queue with profiling.</param>
    /// <param name="frame">As for <see cref="Enqueue"/>.</param>
    /// <param name="restored">As for <see cref="Enqueue"/>.</param>
    /// <returns>Milliseconds per frame, conversion of samples included.</returns>
    internal double MeasureDeviceMs(CommandQueue queue, KernelArgument frame, KernelArgument restored)
    {
        foreach (Kernel kernel in _layers.FrameKernels) SampleLayout.BindFrame(kernel, frame);
        _samples.BindRestored(_layers.Launches[^1].Kernel, restored, strength: 1);
        double sum = 0;
        foreach (Tile tile in Grid.Tiles)
        {
            BindTile(tile);
            foreach (Launch launch in _layers.Launches)
            {
                using ComputeEvent done = launch.EnqueueWithEvent(queue);
                done.Wait();
                sum += done.DurationMs;
            }
        }
        return sum;
    }

    /// <summary>The plan of a session that is not told one: what <c>deblur tune</c> found for network, size and device, else a good guess.</summary>
    public static InferencePlan ChoosePlan(DeviceInfo device, NetworkDescription description, int W, int H) => KernelFamilies.Choose(description, device, W, H, TuningFile.Default);

    /// <summary>Every plan worth trying for a network on frames of a size, the one that runs without tuning first.</summary>
    public static IReadOnlyList<InferencePlan> ListPlans(ComputeDevice device, NetworkDescription description, int W, int H) => KernelFamilies.Plans(description, device.Info, device.Arithmetic, W, H);

    /// <summary>What <see cref="MeasureError"/> may find for a plan: rounding of the numbers it computes with.</summary>
    /// <exception cref="ArgumentException">The plan does not fit the network or the size.</exception>
    public static double Tolerance(InferencePlan plan, NetworkDescription description, int W, int H) => KernelFamilies.Of(plan, description, W, H).Tolerance(plan);

    /// <summary>Times a network on noise of 8 bit: luma, or RGB for three channels.</summary>
    /// <param name="device">Where to run.</param>
    /// <param name="network">What to run.</param>
    /// <param name="W">Columns of the frame.</param>
    /// <param name="H">Rows of the frame.</param>
    /// <param name="plan">Null as for the constructor.</param>
    /// <returns>Endless: milliseconds of device time per frame, conversion of samples included, transfers not. The first needs kernels to be built.</returns>
    public static IEnumerable<double> MeasureDeviceMs(ComputeDevice device, Network network, int W, int H, InferencePlan? plan = null)
    {
        var format = new FrameFormat(network.Description.C == 1 ? PixelFormat.Gray8 : PixelFormat.Rgb24, W, H);
        byte[] noise = new byte[format.SizeBytes];
        new Random(1).NextBytes(noise);
        using var session = new InferenceSession(device, network, SampleLayout.Of(format, network.Description.C), plan, memoryLimitBytes: null);
        using CommandQueue queue = device.CreateQueue(profiling: true);
        using DeviceBuffer<byte> frame = device.Allocate<byte>(noise);
        using DeviceBuffer<byte> restored = device.Allocate<byte>(noise.Length);
        session.SetSigma(queue, MeasuredSigma);
        while (true) yield return session.MeasureDeviceMs(queue, frame, restored);
    }

    /// <summary>Runs a network on noise and compares with its definition in double precision, at pixels all over the frame.</summary>
    /// <returns>Largest error relative to 1 + the expected value; NaN where the result is not a number.</returns>
    /// <inheritdoc cref="MeasureDeviceMs(ComputeDevice, Network, int, int, InferencePlan?)" path="/param"/>
    public static double MeasureError(ComputeDevice device, Network network, int W, int H, InferencePlan? plan = null)
    {
        var random = new Random(1);
        float[] blurred = new float[network.Description.C * W * H];
        for (int i = 0; i < blurred.Length; i++) blurred[i] = random.NextSingle();
        using CommandQueue queue = device.CreateQueue();
        using var session = new InferenceSession(device, network, W, H, plan);
        using DeviceBuffer<float> input = device.Allocate<float>(blurred);
        using DeviceBuffer<float> output = device.Allocate<float>(blurred.Length);
        session.SetSigma(queue, MeasuredSigma);
        session.Run(queue, input, output);
        return PlainNetwork.LargestError(network.At(MeasuredSigma), W, H, blurred, output.ToArray(queue));
    }

    public void Dispose()
    {
        _layers.Dispose();
        _weights.Dispose();
    }

    private void BindTile(Tile tile)
    {
        int scale = _description.Scale;
        int originX = tile.OriginX * scale, originY = tile.OriginY * scale, skipX = tile.SkipX * scale, skipY = tile.SkipY * scale;
        foreach (Kernel kernel in _layers.FrameKernels) SampleLayout.BindOrigin(kernel, originX, originY);
        // The cells of an odd frame reach past it.
        SampleLayout.BindKept(_layers.Launches[^1].Kernel, skipX, skipY, Math.Min(tile.Columns * scale, W - originX - skipX), Math.Min(tile.Rows * scale, H - originY - skipY));
    }
}
