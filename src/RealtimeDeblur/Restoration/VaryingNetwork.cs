using System.Runtime.InteropServices;
using RealtimeDeblur.Compute;
using RealtimeDeblur.Imaging;
using RealtimeDeblur.Networks;
using RealtimeDeblur.Restoration.Methods;

namespace RealtimeDeblur.Restoration;

/// <summary>
/// A network conditioned on sigma on frames whose blur changes from place to place: the blur of every part is estimated (<see cref="SigmaMap"/>), every tile of the frame is restored for the few sigmas that occur in it
/// (<see cref="SigmaLevels"/>), and each pixel mixes the two that enclose its own (<c>restore/sigma_blend.cl</c>), so that no border between parts shows.
/// Allocates nothing after construction. One thread at a time; the caller disposes it, after the queue it ran on has finished.
/// </summary>
internal sealed unsafe class VaryingNetwork : IDisposable
{
    /// <summary>Pixels of a tile to either side, overlap included: small enough that few levels occur in one, large enough that overlap costs little.</summary>
    private const int TileSide = 224;

    /// <summary>A tile of a network of long reach is so many times that: else it would be overlap for the most part.</summary>
    private const int TileReaches = 8;

    private const int CpuRun = 64, GpuLocal = 32;

    private readonly Owned _owned = new();
    private readonly SampleLayout _samples;
    private readonly InferenceSession _session;
    private readonly ConfidenceGuard _guard;
    private readonly SigmaMap _map;
    private readonly PlaneConversion _conversion;
    private readonly DeviceBuffer<byte> _level;
    private readonly DeviceBuffer<float> _plane;
    private readonly DeviceBuffer<float> _steps;
    private readonly Kernel _blend;
    private readonly int _run;
    private readonly int _local;
    private readonly int _scale;
    private readonly float[] _partSteps;
    private readonly TileSteps[] _tileSteps;
    // Steps on their way to the device, of the frames in flight and the one in hand.
    private readonly float* _sent;
    private long _frames;
    private bool _disposed;

    /// <param name="device">Stays the caller's.</param>
    /// <param name="network">One that is conditioned on sigma.</param>
    /// <param name="format">Of every frame.</param>
    /// <param name="learned">Estimates the blur; null takes what is installed for the network's.</param>
    public VaryingNetwork(ComputeDevice device, Network network, FrameFormat format, EstimatorWeights? learned)
    {
        NetworkDescription description = network.Description;
        _samples = SampleLayout.Of(format, C: 1);
        _scale = description.Scale;
        bool isCpu = device.Info.Type == ComputeDeviceType.Cpu;
        (_run, _local) = isCpu ? (CpuRun, 1) : (1, GpuLocal);
        PlaneLayout plane = format.Plane(0);
        try
        {
            _map = _owned.Add(new SigmaMap(device, _samples, learned ?? SigmaEstimators.WeightsFor(network)));
            _session = _owned.Add(new InferenceSession(device, network, SampleLayout.Of(format, description.C), plan: null, memoryLimitBytes: null, Math.Max(TileSide, TileReaches * description.Reach * _scale)));
            _guard = _owned.Add(new ConfidenceGuard(device, format));
            _conversion = _owned.Add(new PlaneConversion(device, _samples));
            _level = _owned.Add(device.Allocate<byte>((long)plane.StrideBytes * plane.Height));
            _plane = _owned.Add(device.Allocate<float>((long)format.Width * format.Height));
            _steps = _owned.Add(device.Allocate<float>(_map.Grid.Count));
            _blend = _owned.Add(device.Build("restore/sigma_blend.cl", $"{_samples.Options} -DRUN={_run}").CreateKernel("sigma_blend"));
            _samples.Bind(_blend);
            PartGrid grid = _map.Grid;
            _blend.BindFrom(SampleLayout.AfterFrame, _level, _steps, grid.Columns, grid.Rows, grid.FirstX, grid.FirstY, grid.SpacingX, grid.SpacingY);
            _blend.Bind(SampleLayout.AfterFrame + 9, _plane);
        }
        catch
        {
            _owned.Dispose();
            throw;
        }
        _partSteps = new float[_map.Grid.Count];
        _tileSteps = new TileSteps[_session.Grid.Tiles.Length];
        _sent = (float*)NativeMemory.Alloc((nuint)(_map.Grid.Count * (Deblurrer.MaxInFlight + 1)), sizeof(float));
    }

    /// <summary>Blur of the parts of the frame that was enqueued last.</summary>
    public SigmaMap Map => _map;

    /// <inheritdoc cref="IRestorer.Enqueue"/>
    /// <param name="isAlone">Whether the frame is a picture of its own.</param>
    public ComputeEvent Enqueue(CommandQueue queue, KernelArgument frame, KernelArgument restored, bool isAlone, DeblurOptions options, ReadOnlySpan<ComputeEvent> waitFor)
    {
        _map.Look(queue, frame, isAlone, waitFor);
        (int lowest, int highest) = FindSteps();
        float* sent = _sent + _frames++ % (Deblurrer.MaxInFlight + 1) * _partSteps.Length;
        _partSteps.CopyTo(new Span<float>(sent, _partSteps.Length));
        _steps.WriteAsync(queue, sent, _partSteps.Length).Dispose();

        _conversion.FromFrame(queue, frame, _plane);
        SampleLayout.BindFrame(_blend, frame);
        for (int level = lowest; level <= highest; level++)
        {
            bool isSet = false;
            for (int i = 0; i < _tileSteps.Length; i++)
            {
                if (!_tileSteps[i].Needs(level)) continue;
                if (!isSet) _session.SetSigma(queue, SigmaLevels.SigmaOf(level));
                isSet = true;
                _session.EnqueueTile(queue, frame, _level, _session.Grid.Tiles[i]);
                Blend(queue, level, _session.Grid.Tiles[i]);
            }
        }
        if (!options.Guard && options.View != DeblurView.Confidence) return _conversion.ToFrame(queue, frame, _plane, restored, options.Strength);
        _conversion.ToFrame(queue, frame, _plane, _level, strength: 1).Dispose();
        // What is sharper than the mildest blur that was restored is sharper than the blur of any part.
        return _guard.Enqueue(queue, frame, _level, restored, SigmaLevels.SigmaOf(Math.Max(lowest, 1)), options.Strength, options.View);
    }

    public void Dispose()
    {
        if (_disposed) return;
        _disposed = true;
        _owned.Dispose();
        NativeMemory.Free(_sent);
    }

    /// <summary>Steps of all parts, their range on every tile, and the levels that occur; (1, 0) where none does.</summary>
    private (int Lowest, int Highest) FindSteps()
    {
        for (int i = 0; i < _partSteps.Length; i++) _partSteps[i] = SigmaLevels.StepOf(_map.Sigmas[i]);
        (int lowest, int highest) = (SigmaLevels.Count, 0);
        for (int i = 0; i < _tileSteps.Length; i++)
        {
            _tileSteps[i] = StepsOf(Kept(_session.Grid.Tiles[i]));
            for (int level = 1; level < SigmaLevels.Count; level++)
            {
                if (_tileSteps[i].Needs(level)) (lowest, highest) = (Math.Min(lowest, level), Math.Max(highest, level));
            }
        }
        return highest == 0 ? (1, 0) : (lowest, highest);
    }

    private TileSteps StepsOf((int X, int Y, int Columns, int Rows) kept)
    {
        PartGrid grid = _map.Grid;
        (int left, int right) = Parts(kept.X, kept.Columns, grid.FirstX, grid.SpacingX, grid.Columns);
        (int top, int bottom) = Parts(kept.Y, kept.Rows, grid.FirstY, grid.SpacingY, grid.Rows);
        (float least, float most) = (float.MaxValue, 0);
        for (int row = top; row <= bottom; row++)
        for (int column = left; column <= right; column++)
        {
            float step = _partSteps[row * grid.Columns + column];
            (least, most) = (Math.Min(least, step), Math.Max(most, step));
        }
        return new(least, most);

        // Parts whose centres enclose the pixels.
        static (int First, int Last) Parts(int from, int count, float first, float spacing, int parts) =>
            (Math.Clamp((int)MathF.Floor((from - first) / spacing), 0, parts - 1), Math.Clamp((int)MathF.Ceiling((from + count - 1 - first) / spacing), 0, parts - 1));
    }

    /// <summary>The pixels that a tile of the network's cells stands for.</summary>
    private (int X, int Y, int Columns, int Rows) Kept(Tile tile)
    {
        int x = (tile.OriginX + tile.SkipX) * _scale, y = (tile.OriginY + tile.SkipY) * _scale;
        return (x, y, Math.Min(tile.Columns * _scale, _samples.W - x), Math.Min(tile.Rows * _scale, _samples.H - y));
    }

    private void Blend(CommandQueue queue, int level, Tile tile)
    {
        (int x, int y, int columns, int rows) = Kept(tile);
        SampleLayout.BindOrigin(_blend, x, y);
        _blend.Bind(SampleLayout.AfterFrame + 8, (float)level);
        _blend.BindFrom(SampleLayout.AfterFrame + 10, columns, rows);
        _blend.Enqueue(queue, new(WorkSize.Tiles(WorkSize.Tiles(columns, _run), _local) * _local, rows), new(_local));
    }

    /// <summary>Least and greatest step on a tile.</summary>
    private readonly record struct TileSteps(float Least, float Most)
    {
        /// <summary>Whether a pixel of the tile takes anything of a level.</summary>
        public bool Needs(int level) => Least < level + 1 && Most > level - 1;
    }
}
