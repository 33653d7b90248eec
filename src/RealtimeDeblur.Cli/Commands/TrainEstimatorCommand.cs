using System.CommandLine;
using RealtimeDeblur.Compute;
using RealtimeDeblur.Networks;
using RealtimeDeblur.Restoration;
using RealtimeDeblur.Training.Data;
using RealtimeDeblur.Training.Estimation;
using RealtimeDeblur.Training.Evaluation;

namespace RealtimeDeblur.Cli.Commands;

/// <summary><c>deblur train-estimator</c>: weights of the estimator of sigma from sharp pictures.</summary>
internal static class TrainEstimatorCommand
{
    private static readonly EstimatorOptions Defaults = new();

    public static Command Create()
    {
        Argument<string> pictures = new("PICTURES") { Description = "Folder of sharp pictures; folders below it count." };
        Option<string> output = new("--output", "-o") { Description = "File to write, ending in .safetensors.", HelpName = "FILE", Required = true };
        Option<DegradationKind> degradation = DatasetCommand.DegradationOption("What frames will have gone through: Gaussian blur, often with noise or JPEG (gaussian), or blur in linear light, noise and JPEG (camera).");
        Option<int> samples = Number("--samples", "Blurred crops of every picture.", Defaults.SamplesPerPicture, 1, 1000);
        Option<int> epochs = Number("--epochs", "How often training sees every sample.", Defaults.Epochs, 1, 10_000);
        Option<int> members = Number("--members", "Networks whose results are averaged.", Defaults.Members, 1, 8);
        Option<int> seed = Number("--seed", "Start of all random numbers: equal seeds repeat a training on one device.", Defaults.Seed, 0, int.MaxValue);
        Option<string[]> images = new("--images")
        {
            Description = "Folder of sharp pictures, or of folders of them, to measure the errors on afterwards. May be given several times.",
            HelpName = "DIR",
        };
        return new CliCommand(
            "train-estimator",
            "Learns to estimate the blur of a frame from sharp pictures, which it blurs itself.",
            "deblur train-estimator photos -o sigma-mine.safetensors --degradation camera --images test-photos",
            run =>
            {
                string file = run.Get(output);
                if (!file.EndsWith(WeightsFile.Extension, StringComparison.Ordinal))
                    throw new UsageException($"The file must end in {WeightsFile.Extension}, e.g. -o sigma-mine{WeightsFile.Extension}.");
                string folder = Path.GetDirectoryName(Path.GetFullPath(file))!;
                if (!Directory.Exists(folder)) throw new DirectoryNotFoundException($"There is no folder {folder} to write {Path.GetFileName(file)} to; make it first.");
                List<EvaluationSet> sets = [.. (run.Get(images) ?? []).SelectMany(EvaluationSet.Find)];
                EstimatorOptions options = new()
                {
                    Degradation = run.Get(degradation), SamplesPerPicture = run.Get(samples), Epochs = run.Get(epochs), Members = run.Get(members), Seed = run.Get(seed),
                };
                using ComputeDevice device = run.OpenDevice();
                EstimatorWeights weights = Train(run, device, run.Get(pictures), options);
                weights.Write(file);
                run.Result(new TrainEstimatorResult(file, weights.TrainingRecord, Measure(run, device, weights, sets, options.Degradation)), Print);
            })
        { pictures, output, degradation, samples, epochs, members, seed, images };
    }

    private static EstimatorWeights Train(Invocation run, ComputeDevice device, string pictures, EstimatorOptions options)
    {
        using TwoBars progress = new(run);
        (EstimatorWeights weights, IReadOnlyList<SkippedPicture> skipped) = EstimatorTrainer.Train(device, pictures, options, progress, run.Cancellation);
        foreach (SkippedPicture picture in skipped) run.Note($"Skipped {picture.Source}: {picture.Reason}");
        return weights;
    }

    private static IReadOnlyList<EstimatorResult> Measure(Invocation run, ComputeDevice device, EstimatorWeights weights, List<EvaluationSet> sets, DegradationKind kind)
    {
        if (sets.Count == 0) return [];
        using ProgressDisplay progress = run.StartProgress("Measuring", "pictures", sets.Sum(set => set.Files.Count));
        return EstimatorEvaluation.Measure(device, format => new SigmaEstimator(device, format, weights), sets, EstimatorCondition.Usual(kind), EstimatorEvaluation.UsualSigmas, new Pictures(progress), run.Cancellation);
    }

    private static void Print(TrainEstimatorResult result, TextWriter text)
    {
        text.WriteLine($"{result.File}: loss {result.Training["loss"]}");
        foreach (IGrouping<(string Set, string Condition), EstimatorResult> group in result.Results.GroupBy(one => (one.Set, one.Condition)))
        {
            text.WriteLine($"{group.Key.Set}, {group.First().Images} pictures, {group.Key.Condition}:");
            foreach (EstimatorResult one in group)
            {
                text.WriteLine(one.Sigma == 0
                    ? FormattableString.Invariant($"  sigma 0    mean {one.MeanSigma:0.00}, sharp {one.SharpShare:P0}")
                    : FormattableString.Invariant($"  sigma {one.Sigma,-4} error median {100 * one.MedianError,4:0.0} %, 90th percentile {100 * one.Percentile90Error,4:0.0} %, bias {100 * one.Bias,4:0.0} %, sharp {one.SharpShare:P0}, spread {100 * one.Spread:0.0} %"));
            }
        }
    }

    private static Option<int> Number(string name, string description, int value, int min, int max)
    {
        Option<int> option = new(name) { Description = description, DefaultValueFactory = _ => value };
        option.Validators.Add(result => { if (result.GetValueOrDefault<int>() is var given && (given < min || given > max)) result.AddError($"{name} must be {min} to {max}, e.g. {value}."); });
        return option;
    }

    /// <summary>A bar for the pictures, then one for the epochs.</summary>
    private sealed class TwoBars(Invocation run) : IProgress<EstimatorProgress>, IDisposable
    {
        private readonly Lock _lock = new();
        private ProgressDisplay? _display;
        private EstimatorStage _stage;

        public void Report(EstimatorProgress value)
        {
            lock (_lock)
            {
                if (_display is null || _stage != value.Stage)
                {
                    _display?.Dispose();
                    (_display, _stage) = (run.StartProgress(value.Stage == EstimatorStage.Pictures ? "Looking at pictures" : "Learning", value.Stage == EstimatorStage.Pictures ? "pictures" : "epochs", value.Total), value.Stage);
                }
                _display.Report(value.Done, double.IsNaN(value.Loss) ? null : FormattableString.Invariant($"loss {value.Loss:0.0000}"));
            }
        }

        public void Dispose() => _display?.Dispose();
    }

    private sealed class Pictures(ProgressDisplay display) : IProgress<int>
    {
        public void Report(int value) => display.Report(value);
    }
}

/// <summary>Result of <c>deblur train-estimator</c>.</summary>
internal sealed record TrainEstimatorResult(string File, IReadOnlyDictionary<string, string> Training, IReadOnlyList<EstimatorResult> Results);
