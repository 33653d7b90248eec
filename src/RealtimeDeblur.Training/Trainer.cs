using System.Diagnostics;
using System.Globalization;
using RealtimeDeblur.Compute;
using RealtimeDeblur.Networks;
using RealtimeDeblur.Training.Data;
using RealtimeDeblur.Training.Layers;
using RealtimeDeblur.Training.Optimization;
using RealtimeDeblur.Training.Patches;

namespace RealtimeDeblur.Training;

/// <summary>
/// Learns a network's weights: patches are cut, degraded, run forward and backward, and the weights updated, all on the device. The host draws the next
/// patches meanwhile and looks at losses once per chunk of steps. One run per instance; the caller disposes it.
/// </summary>
/// <remarks>
/// Files beside <c>MODEL.safetensors</c> (the best by validation PSNR): <c>MODEL.last.safetensors</c>, <c>MODEL.state</c> (for resuming) and <c>MODEL.csv</c>.
/// </remarks>
internal sealed class Trainer : IDisposable
{
    /// <summary>Steps between two looks of the host: some seconds of work at most, so that Ctrl-C is prompt, and long enough to hide the wait.</summary>
    public const int ChunkSteps = 32;

    /// <summary>Smallest patches: SSIM needs a window of 11 pixels.</summary>
    public const int MinPatchSize = 12;

    /// <summary>A crash costs at most this much work.</summary>
    private static readonly TimeSpan CheckpointInterval = TimeSpan.FromMinutes(1);

    private readonly PackedDataset _dataset;
    private readonly TrainingOptions _options;
    private readonly NetworkDescription _description;
    private readonly ParameterLayout _layout;
    private readonly CommandQueue _queue;
    private readonly DeviceBuffer<float> _parameters, _gradient, _history;
    private readonly TrainingGraph _graph;
    private readonly Optimizer _optimizer;
    private readonly PatchSampler _sampler;
    private readonly DeviceBuffer<byte> _samples;
    private readonly PatchDegrader _degrader;
    private readonly Validator _validator;
    private readonly List<string> _csv = [];
    private Chunk? _next;
    private int _step;
    private double _bestPsnr = double.NaN;

    /// <param name="device">Not owned.</param>
    /// <param name="dataset">Not owned; must stay open.</param>
    /// <param name="options">What to train.</param>
    /// <param name="start">Network to go on from (fine-tuning), of the shape that the options describe; null starts afresh.</param>
    /// <exception cref="ArgumentException">The options contradict each other or the start.</exception>
    /// <exception cref="InvalidDataException">The dataset holds no picture that is large enough.</exception>
    public Trainer(ComputeDevice device, PackedDataset dataset, TrainingOptions options, Network? start = null)
    {
        Check(options);
        _dataset = dataset;
        _description = options.Describe();
        _options = options = options with { PatchSize = RaisePatchSize(options.PatchSize, _description) };
        if (start is not null && (!start.Description.Layers.SequenceEqual(_description.Layers) || start.Description.Scale != _description.Scale))
            throw new ArgumentException($"{start.Name} has other layers than the network to be trained; give the same sizes or leave --init out.", nameof(start));

        var pictures = new TrainingPictures(dataset, DatasetSplit.Training, options.C, options.PatchSize);
        _layout = new(_description);
        _queue = device.CreateQueue();
        start ??= NetworkInitializer.Create("network", _description, options.Seed);
        if (start.IsConditioned && !start.Description.SigmaKnots.SequenceEqual(_description.SigmaKnots))
            throw new ArgumentException($"{start.Name} has other knots in sigma than the network to be trained; give the same or leave --init out.", nameof(start));
        _parameters = device.Allocate<float>((ReadOnlySpan<float>)_layout.Pack(start.Weights));
        _gradient = device.Allocate<float>((ReadOnlySpan<float>)new float[_layout.TotalCount]);
        _history = device.Allocate<float>(ChunkSteps);
        _graph = new(_queue, _description, _layout, _parameters, options.BatchSize, options.PatchSize, ChunkSteps);
        _graph.PrepareBackward(_gradient, _history, options.Loss);
        _optimizer = new(_queue, options.Optimizer, _layout, _parameters, _gradient, options.LayerRates, zeroMeanFilters: _description.GlobalSkip, options.AverageSteps);
        _sampler = new(pictures, options, _description.Pad);
        _samples = device.Allocate<byte>((ReadOnlySpan<byte>)pictures.Samples);
        _degrader = new(_queue, _samples, _graph, options.Degradation, options.SigmaMax, ChunkSteps);
        _validator = new(_queue, dataset, options, _description, _layout, _optimizer.Average);
    }

    /// <summary>The options in force: the patch size may have been raised.</summary>
    public TrainingOptions Options => _options;

    /// <summary>Steps done.</summary>
    public int Step => _step;

    /// <summary>The side of a patch in pixels, raised until the network's input, 2*pad larger, is a multiple of 8 and the patch one of the scale, and 8 cells or more.</summary>
    internal static int RaisePatchSize(int size, NetworkDescription description)
    {
        int pad = description.Pad, step = description.Scale == 3 ? 24 : 8;
        return ((Math.Max(size, 8 * description.Scale) + 2 * pad + step - 1) / step * step) - 2 * pad;
    }

    /// <summary>Goes on where the run that wrote MODEL.state stopped; its options, kept there, must be this trainer's.</summary>
    /// <param name="modelPath">As for <see cref="Run"/>.</param>
    /// <exception cref="InvalidDataException">The state is damaged, or belongs to other options or data.</exception>
    public void Resume(string modelPath)
    {
        string path = StatePath(modelPath);
        Checkpoint checkpoint = Checkpoint.Read(path);
        if (checkpoint.Dataset != _dataset.Sha256)
            throw new InvalidDataException($"{path} belongs to another dataset; give the one that the training was started with, or start again without --resume.");
        if (checkpoint.Parameters.Length != _layout.TotalCount || checkpoint.OptimizerState.Length != _optimizer.StateCount)
            throw new InvalidDataException($"{path} belongs to a network of another shape; start again without --resume.");
        _parameters.Write(_queue, checkpoint.Parameters);
        _optimizer.LoadState(checkpoint.OptimizerState);
        (_step, _bestPsnr) = (checkpoint.Step, checkpoint.BestPsnr);
        if (File.Exists(CsvPath(modelPath)))
            _csv.AddRange(File.ReadLines(CsvPath(modelPath)).Skip(1).Where(row => int.TryParse(row.Split(',')[0], CultureInfo.InvariantCulture, out int step) && step <= _step));
    }

    /// <summary>Reads the options of the run that wrote MODEL.state.</summary>
    public static TrainingOptions ReadOptions(string modelPath)
    {
        string path = StatePath(modelPath);
        if (!File.Exists(path)) throw new FileNotFoundException($"There is no {path} to resume from; start the training without --resume.", path);
        return Checkpoint.Read(path).Options;
    }

    /// <summary>Trains until the last step or until cancelled; writes checkpoints on the way and at the end.</summary>
    /// <param name="modelPath">Where the best network goes, ending in <c>.safetensors</c>.</param>
    /// <param name="record">Pairs for the network file's training record, beside those that the trainer adds.</param>
    /// <param name="progress">Told after every chunk, on this thread.</param>
    /// <returns>The last progress; its step tells whether the run is complete.</returns>
    public TrainingProgress Run(string modelPath, IReadOnlyDictionary<string, string> record, Action<TrainingProgress>? progress, CancellationToken cancellation)
    {
        IReadOnlyList<ValidationResult> validation = [];
        int validateEvery = (int)WorkSize.Tiles(_options.ValidateEvery, ChunkSteps) * ChunkSteps;
        var clock = Stopwatch.StartNew();
        TimeSpan saved = TimeSpan.Zero;
        int startStep = _step;
        TrainingProgress state = new(_step, _options.Steps, double.NaN, 0, 0, validation);
        WriteCsv(CsvPath(modelPath)); // a folder that cannot be written to shows before hours of work, not after
        while (_step < _options.Steps && !cancellation.IsCancellationRequested)
        {
            float[] losses = RunChunk();
            double loss = losses.Average();
            if (!double.IsFinite(loss))
                throw new InvalidOperationException($"The loss is no longer a number at step {_step}: lower --learning-rate, or resume from the last checkpoint with another start.");
            bool isLast = _step == _options.Steps;
            if (_step % validateEvery < ChunkSteps || isLast) validation = Validate(modelPath, record, loss);
            float rate = _options.LearningRate * LearningRate.At(_options.Schedule, _step, _options.Steps, _options.WarmUp);
            state = new(_step, _options.Steps, loss, rate, (_step - startStep) * (double)_options.BatchSize / clock.Elapsed.TotalSeconds, validation);
            _csv.Add(CsvRow(state, _step % validateEvery < ChunkSteps || isLast));
            progress?.Invoke(state);
            if (isLast || clock.Elapsed - saved > CheckpointInterval || cancellation.IsCancellationRequested)
            {
                Save(modelPath, record, state);
                saved = clock.Elapsed;
            }
        }
        return state;
    }

    /// <summary>The network as it is, the average of its last steps; waits for the device.</summary>
    public Network Snapshot(string name, IReadOnlyDictionary<string, string> record) => new(name, _description, _layout.Unpack(_optimizer.Average.ToArray(_queue)), record);

    public void Dispose()
    {
        _validator.Dispose();
        _degrader.Dispose();
        _samples.Dispose();
        _optimizer.Dispose();
        _graph.Dispose();
        _history.Dispose();
        _gradient.Dispose();
        _parameters.Dispose();
        _queue.Dispose();
    }

    /// <summary>Does the next steps, up to the end of the chunk, and gives their losses.</summary>
    internal float[] RunChunk()
    {
        Chunk chunk = _next is { } drawn && drawn.FirstStep == _step + 1 ? drawn : Draw(_step + 1);
        _degrader.Upload(chunk.Plans);
        _graph.UploadSigmas(chunk.Sigmas);
        int count = chunk.Plans.Length / _options.BatchSize;
        for (int i = 0; i < count; i++)
        {
            _step++;
            _degrader.Enqueue(i);
            _graph.Forward(i);
            _graph.Backward(historySlot: i);
            _optimizer.Step(_step, _options.LearningRate * LearningRate.At(_options.Schedule, _step, _options.Steps, _options.WarmUp));
            _queue.Flush();
        }
        // While the device works.
        _next = Draw(_step + 1);
        float[] losses = new float[count];
        _history.Read(_queue, losses);
        return losses;
    }

    /// <summary>Draws the patches of the steps from one on to the end of its chunk.</summary>
    private Chunk Draw(int firstStep)
    {
        // Chunks start at multiples of their length whatever a run was cut into, so that validation and checkpoints fall on the same steps.
        int count = Math.Max(0, Math.Min(ChunkSteps - (firstStep - 1) % ChunkSteps, _options.Steps - firstStep + 1)), N = _options.BatchSize;
        var plans = new PatchPlan[count * N];
        float[] sigmas = new float[count * N];
        EveryProcessor.For(count, i =>
        {
            _sampler.Draw(firstStep + i, plans.AsSpan(i * N, N));
            SeededRandom random = new((ulong)_options.Seed, $"told {firstStep + i}");
            for (int n = i * N; n < (i + 1) * N; n++) sigmas[n] = Math.Max(0, plans[n].Sigma * (1 + _options.SigmaJitter * (float)random.NextGaussian()));
        }, CancellationToken.None);
        return new(firstStep, plans, sigmas);
    }

    /// <summary>Patches of some steps.</summary>
    /// <param name="FirstStep">Counted from 1.</param>
    /// <param name="Plans">[steps][N].</param>
    /// <param name="Sigmas">What the network is told about each, in pixels.</param>
    private sealed record Chunk(int FirstStep, PatchPlan[] Plans, float[] Sigmas);

    private IReadOnlyList<ValidationResult> Validate(string modelPath, IReadOnlyDictionary<string, string> record, double loss)
    {
        IReadOnlyList<ValidationResult> validation = _validator.Run();
        double psnr = TrainingProgress.Score(validation);
        if (double.IsNaN(_bestPsnr) || psnr > _bestPsnr)
        {
            _bestPsnr = psnr;
            WeightsFile.Write(modelPath, Snapshot(Path.GetFileNameWithoutExtension(modelPath), Record(record, loss, validation)));
        }
        return validation;
    }

    private void Save(string modelPath, IReadOnlyDictionary<string, string> record, TrainingProgress state)
    {
        string last = Path.ChangeExtension(modelPath, ".last" + WeightsFile.Extension);
        WeightsFile.Write(last, Snapshot(Path.GetFileNameWithoutExtension(modelPath), Record(record, state.Loss, state.Validation)));
        WriteCsv(CsvPath(modelPath));
        new Checkpoint(_options, _dataset.Sha256, _step, _bestPsnr, _parameters.ToArray(_queue), _optimizer.SaveState()).Write(StatePath(modelPath));
    }

    private Dictionary<string, string> Record(IReadOnlyDictionary<string, string> given, double loss, IReadOnlyList<ValidationResult> validation)
    {
        var record = new Dictionary<string, string>(given)
        {
            ["dataset"] = _dataset.Sha256,
            ["options"] = System.Text.Json.JsonSerializer.Serialize(_options),
            ["step"] = _step.ToString(CultureInfo.InvariantCulture),
            ["loss"] = loss.ToString("G6", CultureInfo.InvariantCulture),
        };
        foreach (ValidationResult result in validation)
            record[string.Create(CultureInfo.InvariantCulture, $"validation sigma {result.Sigma}")] = string.Create(CultureInfo.InvariantCulture, $"PSNR {result.Psnr:F2} dB, SSIM {result.Ssim:F4} (blurred {result.PsnrBlurred:F2} dB)");
        return record;
    }

    private static string CsvRow(TrainingProgress state, bool validated)
    {
        string row = string.Create(CultureInfo.InvariantCulture, $"{state.Step},{state.Loss:G6},{state.LearningRate:G4}");
        return validated
            ? row + string.Concat(state.Validation.Select(result => string.Create(CultureInfo.InvariantCulture, $",{result.Psnr:F3}")))
            : row;
    }

    private void WriteCsv(string path)
    {
        string header = "step,loss,learningRate" + string.Concat(_validator.ValidatedSigmas.Select(sigma => string.Create(CultureInfo.InvariantCulture, $",psnrSigma{sigma}")));
        AtomicFile.Write(path, file => file.Write(System.Text.Encoding.UTF8.GetBytes(string.Join('\n', [header, .. _csv, ""]))));
    }

    private static string StatePath(string modelPath) => Path.ChangeExtension(modelPath, ".state");

    /// <summary>The file of losses and validations: step, mean loss of the chunk, learning rate, and PSNR per sigma where the step was validated.</summary>
    public static string CsvPath(string modelPath) => Path.ChangeExtension(modelPath, ".csv");

    private static void Check(TrainingOptions options)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(options.BatchSize, 1);
        ArgumentOutOfRangeException.ThrowIfLessThan(options.PatchSize, MinPatchSize);
        ArgumentOutOfRangeException.ThrowIfLessThan(options.Steps, 1);
        ArgumentOutOfRangeException.ThrowIfLessThan(options.ValidateEvery, 1);
        ArgumentOutOfRangeException.ThrowIfNegative(options.SigmaMin);
        ArgumentOutOfRangeException.ThrowIfLessThan(options.SigmaMax, options.SigmaMin);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(options.SigmaMax, 4f);
        ArgumentOutOfRangeException.ThrowIfNegative(options.SharpShare);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(options.SharpShare, 1f);
        ArgumentOutOfRangeException.ThrowIfNegative(options.ShapeShare);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(options.ShapeShare, 1f);
        ArgumentOutOfRangeException.ThrowIfNegative(options.SigmaJitter);
        ArgumentOutOfRangeException.ThrowIfLessThan(options.AverageSteps, 1);
        for (int i = 1; i < options.Emphasis.Count; i++)
        {
            if (!(options.Emphasis[i].Sigma > options.Emphasis[i - 1].Sigma)) throw new ArgumentException("The blurs of the emphasis must ascend, e.g. 1:0.5,3:2.", nameof(options));
        }
        if (!(options.LearningRate > 0)) throw new ArgumentOutOfRangeException(nameof(options), "The learning rate must be above 0.");
    }
}
