using System.Runtime.InteropServices;
using RealtimeDeblur.Compute;
using RealtimeDeblur.Imaging;
using RealtimeDeblur.Networks;

namespace RealtimeDeblur.Restoration;

/// <summary>The learned estimator of the blur's sigma.</summary>
/// <remarks>
/// Statistics of tiles spread over the frame (<c>restore/sigma_features.cl</c>: power spectra and profiles of edges) go through small networks that weigh the tiles against each other
/// (<c>restore/sigma_network.cl</c>), so that the sharpest parts of a picture can speak for all of it. Frames smaller than 16x16 give <see cref="SigmaEstimate.Unknown"/>.
/// </remarks>
internal sealed unsafe class SigmaEstimator : ISigmaEstimator
{
    /// <inheritdoc cref="ISigmaEstimator.MaxInFlight"/>
    public const int MaxInFlight = ISigmaEstimator.MaxInFlight;

    // Positions in EstimatorShape.Quantiles. Reported is a quantile below the median, to err low: 0.4 for wide blurs and, as too high a sigma costs most there, a quarter of the way to 0.3 for mild ones.
    // The outer ones are the spread.
    private const int Lowest = 0, Lower = 1, Low = 2, Highest = 4;
    private const float MildSigma = 1, WideSigma = 1.6f;

    private readonly Owned _owned = new();
    private readonly SigmaTiles? _tiles;
    private readonly DeviceBuffer<float>? _levels;
    private readonly Launch _embed;
    private readonly Launch _pool;
    private readonly EstimatorShape _shape;
    private readonly ComputeEvent[] _arrivals = new ComputeEvent[MaxInFlight];
    private readonly int _resultFloats;
    private readonly int _parts;
    private readonly float* _results;
    private int _oldest;
    private bool _disposed;

    /// <param name="device">Stays the caller's and must outlive the estimator.</param>
    /// <param name="format">Of every frame.</param>
    /// <param name="weights">What was learned; not changed.</param>
    /// <exception cref="OpenClException">The device has too little memory, or its compiler failed.</exception>
    public SigmaEstimator(ComputeDevice device, FrameFormat format, EstimatorWeights weights) : this(device, SampleLayout.Of(format, C: 1), weights)
    {
    }

    /// <param name="device"/>
    /// <param name="samples">How frames lie in memory; of one channel.</param>
    /// <param name="weights"/>
    /// <param name="maxTiles">Of a frame.</param>
    /// <param name="lanes">Work-items per tile: 1 or 32; 0 chooses by the device.</param>
    /// <param name="grid">Parts of the frame that get an estimate each; null for the frame alone.</param>
    internal SigmaEstimator(ComputeDevice device, SampleLayout samples, EstimatorWeights weights, int maxTiles = SigmaTiles.MaxTiles, int lanes = 0, PartGrid? grid = null)
    {
        _shape = weights.Shape;
        _parts = grid?.Count ?? 1;
        _resultFloats = _parts * _shape.Members * EstimatorShape.Quantiles.Count;
        PixelCount = (long)samples.W * samples.H;
        if (Math.Min(samples.W, samples.H) < SigmaTiles.MinimumSide) return;
        if (lanes == 0) lanes = SigmaTiles.Lanes(device);
        try
        {
            _tiles = _owned.Add(new SigmaTiles(device, samples, maxTiles, lanes));
            DeviceBuffer<float> learned = _owned.Add(device.Allocate<float>(weights.Values));
            DeviceBuffer<float> embedded = _owned.Add(device.Allocate<float>((long)_shape.Members * _tiles.Count * (_shape.Heads + _shape.Values)));
            _levels = _owned.Add(device.Allocate<float>(_resultFloats));
            KernelProgram program = device.Build("restore/sigma_network.cl", $"{_shape.Macros} -DLANES={lanes}");
            Kernel embed = _owned.Add(program.CreateKernel("sigma_embed")).Bind(_tiles.Features, learned, embedded, _tiles.Count);
            _embed = new(embed, new(WorkSize.Tiles(_tiles.Count, lanes) * lanes, _shape.Members), new(lanes));
            int[] tiles = grid?.TilesOf(_tiles.Columns, _tiles.Rows) ?? [0, 0, _tiles.Columns, _tiles.Rows];
            DeviceBuffer<int> parts = _owned.Add(device.Allocate<int>((ReadOnlySpan<int>)tiles));
            Kernel pool = _owned.Add(program.CreateKernel("sigma_levels")).Bind(embedded, learned, parts, _levels, _tiles.Count, _tiles.Columns);
            _pool = new(pool, new((long)lanes * _parts), new(lanes));
            _results = (float*)NativeMemory.Alloc((nuint)(MaxInFlight * _resultFloats), sizeof(float));
        }
        catch
        {
            _owned.Dispose();
            throw;
        }
    }

    public int InFlight { get; private set; }

    public double MultiplyAccumulatesPerPixel =>
        _tiles is null ? 0 : (double)(_tiles.Count * (SigmaTiles.MultiplyAccumulates + _shape.MultiplyAccumulates.PerTile) + _parts * _shape.MultiplyAccumulates.PerFrame) / PixelCount;

    private long PixelCount { get; }

    public void Enqueue(CommandQueue queue, KernelArgument frame, params ReadOnlySpan<ComputeEvent> waitFor)
    {
        ObjectDisposedException.ThrowIf(_disposed, this);
        if (InFlight == MaxInFlight) throw new InvalidOperationException($"{MaxInFlight} estimates wait to be read: read one before enqueuing the next frame.");
        if (_tiles is not null)
        {
            int slot = (_oldest + InFlight) % MaxInFlight;
            _tiles.Enqueue(queue, frame, waitFor);
            _embed.Enqueue(queue);
            _pool.Enqueue(queue);
            _arrivals[slot] = _levels!.ReadAsync(queue, _results + slot * _resultFloats, _resultFloats);
        }
        InFlight++;
    }

    public SigmaEstimate Read()
    {
        Span<SigmaEstimate> whole = [default];
        Read(whole);
        return whole[0];
    }

    /// <summary>As <see cref="Read()"/>, for the first part, several, or all.</summary>
    /// <param name="estimates">Overwritten.</param>
    public void Read(Span<SigmaEstimate> estimates)
    {
        if (InFlight == 0) throw new InvalidOperationException("No frame is in flight: enqueue one first.");
        int slot = _oldest;
        _oldest = (_oldest + 1) % MaxInFlight;
        InFlight--;
        if (_tiles is null)
        {
            estimates.Fill(SigmaEstimate.Unknown);
            return;
        }
        using ComputeEvent arrival = _arrivals[slot];
        arrival.Wait();
        int each = _resultFloats / _parts;
        for (int part = 0; part < estimates.Length; part++) estimates[part] = Estimate(new(_results + slot * _resultFloats + part * each, each), _shape.Members);
    }

    public void Dispose()
    {
        if (_disposed) return;
        _disposed = true;
        ISigmaEstimator.Drain(this);
        _owned.Dispose();
        NativeMemory.Free(_results);
    }

    /// <summary>The estimate that all members' levels add up to.</summary>
    /// <param name="levels">[members][quantiles].</param>
    /// <param name="members">Networks.</param>
    internal static SigmaEstimate Estimate(ReadOnlySpan<float> levels, int members)
    {
        float lower = Mean(levels, Lower), low = Mean(levels, Low);
        float mild = 0.25f * Math.Clamp((WideSigma - SigmaScale.ToSigma(low)) / (WideSigma - MildSigma), 0, 1);
        float sigma = Sigma(low + mild * (lower - low)), from = Sigma(Mean(levels, Lowest)), to = Sigma(Mean(levels, Highest));
        return new(sigma, MathF.Max(to - from, 0) / (2 * MathF.Max(sigma, SigmaScale.Own)), sigma < SigmaEstimate.SharpLimit);

        float Mean(ReadOnlySpan<float> levels, int quantile)
        {
            float sum = 0;
            for (int member = 0; member < members; member++) sum += levels[member * EstimatorShape.Quantiles.Count + quantile];
            return sum / members;
        }

        static float Sigma(float level) => MathF.Min(SigmaScale.ToSigma(level), SigmaEstimate.MaxSigma);
    }
}
