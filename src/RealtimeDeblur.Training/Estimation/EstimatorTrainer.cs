using OpenCvSharp;
using RealtimeDeblur.Compute;
using RealtimeDeblur.Restoration;
using RealtimeDeblur.Training.Data;

namespace RealtimeDeblur.Training.Estimation;

/// <summary>How far the training of an estimator is.</summary>
/// <param name="Stage">What is counted.</param>
/// <param name="Done">How many.</param>
/// <param name="Total">Of how many.</param>
/// <param name="Loss">Mean quantile loss of the epoch before, in levels; NaN where there is none yet.</param>
internal readonly record struct EstimatorProgress(EstimatorStage Stage, int Done, int Total, double Loss);

/// <summary>The two parts of a training.</summary>
internal enum EstimatorStage
{
    /// <summary>Pictures are degraded and their statistics computed.</summary>
    Pictures,

    /// <summary>Networks learn from the statistics, epoch by epoch of every member.</summary>
    Epochs,
}

/// <summary>Learns the weights of a <see cref="SigmaEstimator"/> from sharp pictures.</summary>
/// <remarks>
/// The outputs are quantiles (Koenker and Bassett, "Regression quantiles", 1978) of the level ln(sigma^2 + 0.3^2)/2, by Adam (Kingma and Ba, 2015) with decoupled weight decay (Loshchilov and
/// Hutter, 2019) and a cosine schedule. Equal seeds on one device repeat a training bit by bit.
/// </remarks>
internal static class EstimatorTrainer
{
    private const int BatchSize = 16;
    private const float LearningRate = 2e-3f, WeightDecay = 1e-2f, Momentum = 0.9f, SecondMomentum = 0.99f, Epsilon = 1e-8f;

    // Against learning single pictures by heart: tiles left out of a sample, noise on the normalised statistics, and statistics missing from all tiles of a sample.
    private const double TileShareLow = 0.4, FeatureNoise = 0.05, MissingFeatures = 0.05;

    // The quantile loss is a parabola this near to its corner, in levels.
    private const float Corner = 0.02f;

    /// <summary>Trains. Blocks; uses the device and all processors.</summary>
    /// <param name="device">Computes the statistics. Stays the caller's.</param>
    /// <param name="pictures">Folder of sharp pictures.</param>
    /// <param name="options">How.</param>
    /// <param name="progress">Told after every picture and every epoch, from any thread.</param>
    /// <param name="cancellation">Stops after the picture or epoch in hand.</param>
    /// <returns>The weights, and the pictures that could not be used.</returns>
    /// <exception cref="ArgumentException">An option is out of range.</exception>
    /// <exception cref="DirectoryNotFoundException">There is no such folder.</exception>
    /// <exception cref="InvalidDataException">It holds no picture that can be used.</exception>
    /// <exception cref="OperationCanceledException"><paramref name="cancellation"/> was asked for.</exception>
    public static (EstimatorWeights Weights, IReadOnlyList<SkippedPicture> Skipped) Train(
        ComputeDevice device, string pictures, EstimatorOptions options, IProgress<EstimatorProgress>? progress = null, CancellationToken cancellation = default)
    {
        options.Check();
        if (!Directory.Exists(pictures)) throw new DirectoryNotFoundException($"There is no folder {pictures}. Give a folder of sharp pictures.");
        List<SkippedPicture> skipped = [];
        List<EstimatorSample> samples = Samples(device, pictures, options, skipped, progress, cancellation);
        (float[] mean, float[] scale) = Normalization(samples);
        foreach (EstimatorSample sample in samples) Normalize(sample.Features, mean, scale);

        EstimatorShape one = new(Members: 1);
        var members = new float[options.Members][];
        double[] losses = new double[options.Members];
        int epochs = 0;
        EveryProcessor.For(options.Members, member =>
        {
            SeededRandom random = new((ulong)options.Seed, $"estimator member {member}");
            float[] values = EstimatorNetwork.Initialize(one, mean, scale, Median(samples), random);
            losses[member] = TrainMember(new(one, values), samples, options, random, loss => progress?.Report(new(EstimatorStage.Epochs, Interlocked.Increment(ref epochs), options.Epochs * options.Members, loss)), cancellation);
            members[member] = values;
        }, cancellation);

        Dictionary<string, string> record = new()
        {
            ["degradation"] = options.Degradation.Name(),
            ["pictures"] = Invariant($"{samples.Count / options.SamplesPerPicture}"),
            ["samplesPerPicture"] = Invariant($"{options.SamplesPerPicture}"),
            ["epochs"] = Invariant($"{options.Epochs}"),
            ["seed"] = Invariant($"{options.Seed}"),
            ["trainedOn"] = device.Info.Name,
            ["loss"] = Invariant($"{losses.Average():G4}"),
        };
        return (Join(members, record), skipped);
    }

    /// <summary>One estimator of several networks of one member each with the same normalisation.</summary>
    internal static EstimatorWeights Join(float[][] members, IReadOnlyDictionary<string, string> record)
    {
        EstimatorShape one = new(Members: 1), all = one with { Members = members.Length };
        List<float> joined = new(all.Count);
        int offset = 0;
        foreach ((string name, int[] size) in one.Tensors)
        {
            int length = EstimatorShape.Length(size);
            foreach (float[] member in name.StartsWith("feature", StringComparison.Ordinal) ? members[..1] : members) joined.AddRange(member.AsSpan(offset, length));
            offset += length;
        }
        return new(all, [.. joined], record);
    }

    private static List<EstimatorSample> Samples(
        ComputeDevice device, string folder, EstimatorOptions options, List<SkippedPicture> skipped, IProgress<EstimatorProgress>? progress, CancellationToken cancellation)
    {
        List<string> names = PictureFile.List(folder);
        if (names.Count == 0) throw new InvalidDataException($"{folder} holds no pictures. Give a folder of sharp pictures.");
        var samples = new List<EstimatorSample>[names.Count];
        var reasons = new string?[names.Count];
        int done = 0;
        using LumaFeatures features = new(device);
        EveryProcessor.For(names.Count, i =>
        {
            (Mat? picture, string reason) = PictureFile.Decode(File.ReadAllBytes(Path.Combine(folder, names[i])));
            if (picture is not null && Math.Min(picture.Width, picture.Height) < SigmaTiles.Side)
            {
                reason = $"{picture.Width}x{picture.Height} is too small, {SigmaTiles.Side}x{SigmaTiles.Side} is the least";
                picture.Dispose();
                picture = null;
            }
            using (picture)
            {
                if (picture is null) reasons[i] = reason;
                else samples[i] = EstimatorSampler.Draw(features, picture, names[i], options);
            }
            progress?.Report(new(EstimatorStage.Pictures, Interlocked.Increment(ref done), names.Count, double.NaN));
        }, cancellation);
        for (int i = 0; i < names.Count; i++)
        {
            if (reasons[i] is { } reason) skipped.Add(new(Path.Combine(folder, names[i]), reason));
        }
        return skipped.Count < names.Count
            ? [.. samples.Where(drawn => drawn is not null).SelectMany(drawn => drawn)]
            : throw new InvalidDataException($"None of the {names.Count} pictures in {folder} can be used; {skipped[0].Source}: {skipped[0].Reason}.");
    }

    private static (float[] Mean, float[] Scale) Normalization(List<EstimatorSample> samples)
    {
        int F = EstimatorShape.Features;
        double[] sums = new double[F], squares = new double[F];
        long tiles = 0;
        foreach (EstimatorSample sample in samples)
        {
            tiles += sample.Tiles;
            for (int i = 0; i < sample.Features.Length; i++)
            {
                sums[i % F] += sample.Features[i];
                squares[i % F] += (double)sample.Features[i] * sample.Features[i];
            }
        }
        float[] mean = Array.ConvertAll(sums, sum => (float)(sum / tiles));
        return (mean, [.. squares.Select((square, i) => (float)(1 / (Math.Sqrt(Math.Max(square / tiles - mean[i] * mean[i], 0)) + 1e-3)))]);
    }

    private static void Normalize(float[] features, float[] mean, float[] scale)
    {
        for (int i = 0; i < features.Length; i++) features[i] = Math.Clamp((features[i] - mean[i % mean.Length]) * scale[i % mean.Length], -4f, 4f);
    }

    private static float Median(List<EstimatorSample> samples)
    {
        float[] levels = [.. samples.Select(sample => SigmaScale.ToLevel(sample.Sigma)).Order()];
        return levels[levels.Length / 2];
    }

    /// <returns>Mean loss of the last epoch.</returns>
    private static double TrainMember(EstimatorNetwork network, List<EstimatorSample> samples, EstimatorOptions options, SeededRandom random, Action<double> epochDone, CancellationToken cancellation)
    {
        float[] gradient = new float[network.Values.Length];
        var adam = new Adam(network);
        int[] order = [.. Enumerable.Range(0, samples.Count)];
        int batches = Math.Max(1, samples.Count / BatchSize), step = 0, steps = options.Epochs * batches;
        double mean = double.NaN;
        for (int epoch = 0; epoch < options.Epochs; epoch++)
        {
            for (int i = order.Length - 1; i > 0; i--)
            {
                int other = random.NextInt(0, i);
                (order[i], order[other]) = (order[other], order[i]);
            }
            double sum = 0;
            for (int batch = 0; batch < batches; batch++)
            {
                cancellation.ThrowIfCancellationRequested();
                network.Refresh();
                Array.Clear(gradient);
                int size = Math.Min(BatchSize, samples.Count);
                for (int i = 0; i < size; i++) sum += Learn(network, samples[order[(batch * BatchSize + i) % order.Length]], 1f / size, gradient, random) / size;
                adam.Step(gradient, LearningRate * 0.5f * (1 + MathF.Cos(MathF.PI * step++ / steps)) + 1e-6f);
            }
            mean = sum / batches;
            epochDone(mean);
        }
        return mean;
    }

    private static double Learn(EstimatorNetwork network, EstimatorSample sample, float weight, float[] gradient, SeededRandom random)
    {
        Span<float> levels = stackalloc float[EstimatorShape.Quantiles.Count], dLevels = stackalloc float[EstimatorShape.Quantiles.Count];
        (float[] x, int tiles) = Disturb(sample, random);
        network.Forward(x, tiles, levels);
        double loss = 0;
        float truth = SigmaScale.ToLevel(sample.Sigma);
        for (int q = 0; q < levels.Length; q++)
        {
            float error = truth - levels[q], size = MathF.Abs(error), side = error > 0 ? EstimatorShape.Quantiles[q] : 1 - EstimatorShape.Quantiles[q];
            loss += side * (size < Corner ? size * size / (2 * Corner) : size - Corner / 2);
            dLevels[q] = -MathF.Sign(error) * side * MathF.Min(size / Corner, 1) * weight;
        }
        network.Backward(dLevels, gradient);
        return loss / levels.Length;
    }

    /// <summary>Some of the sample's tiles, with noise.</summary>
    private static (float[] X, int Tiles) Disturb(EstimatorSample sample, SeededRandom random)
    {
        int F = EstimatorShape.Features;
        double share = TileShareLow + (1 - TileShareLow) * random.NextDouble();
        Span<bool> missing = stackalloc bool[F];
        for (int f = 0; f < F; f++) missing[f] = random.NextDouble() < MissingFeatures;
        float[] x = new float[sample.Features.Length];
        int tiles = 0;
        for (int tile = 0; tile < sample.Tiles; tile++)
        {
            if (random.NextDouble() > share && (tiles > 0 || tile < sample.Tiles - 1)) continue;
            for (int f = 0; f < F; f++)
            {
                // The sum of two uniform numbers is near enough to a normal one, and cheap.
                double noise = (random.NextDouble() + random.NextDouble() - 1) * 2.449 * FeatureNoise;
                x[tiles * F + f] = missing[f] ? 0 : sample.Features[tile * F + f] + (float)noise;
            }
            tiles++;
        }
        return (x, tiles);
    }

    private static string Invariant(FormattableString text) => FormattableString.Invariant(text);

    private sealed class Adam(EstimatorNetwork network)
    {
        private readonly float[] _mean = new float[network.Values.Length], _square = new float[network.Values.Length];
        private float _meanShare = 1, _squareShare = 1;

        public void Step(float[] gradient, float rate)
        {
            _meanShare *= Momentum;
            _squareShare *= SecondMomentum;
            float[] values = network.Values;
            for (int i = network.FirstTrained; i < values.Length; i++)
            {
                _mean[i] = Momentum * _mean[i] + (1 - Momentum) * gradient[i];
                _square[i] = SecondMomentum * _square[i] + (1 - SecondMomentum) * gradient[i] * gradient[i];
                float update = _mean[i] / (1 - _meanShare) / (MathF.Sqrt(_square[i] / (1 - _squareShare)) + Epsilon);
                values[i] -= rate * (update + WeightDecay * values[i]);
            }
        }
    }
}
