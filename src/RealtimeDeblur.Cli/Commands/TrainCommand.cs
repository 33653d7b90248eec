using System.CommandLine;
using System.Globalization;
using RealtimeDeblur.Compute;
using RealtimeDeblur.Networks;
using RealtimeDeblur.Training;
using RealtimeDeblur.Training.Data;
using RealtimeDeblur.Training.Layers;
using RealtimeDeblur.Training.Optimization;

namespace RealtimeDeblur.Cli.Commands;

/// <summary><c>deblur train</c>: weights from a dataset.</summary>
internal static class TrainCommand
{
    private static readonly TrainingOptions Defaults = new();

    private static readonly Argument<string> Dataset = new("DATASET") { Description = "Folder made by 'deblur dataset', or its dataset.pack." };
    private static readonly Option<string> Output = new("--output", "-o")
    {
        Description = "Network file to write, ending in .safetensors. Beside it: .last.safetensors, .state, .csv and .png (learning curve).", HelpName = "MODEL", Required = true,
    };
    private static readonly Option<bool> Resume = new("--resume") { Description = "Continue the interrupted training of this MODEL, with the options it was started with." };
    private static readonly Option<string?> Init = new("--init") { Description = "Start from the weights of this model (fine-tuning) instead of random ones.", HelpName = "MODEL" };

    private static readonly Option<int> Steps = Number("--steps", "Updates of the weights.", Defaults.Steps, 1, int.MaxValue);
    private static readonly Option<int> Batch = Number("--batch", "Patches per step.", Defaults.BatchSize, 1, 1024);
    private static readonly Option<int> Patch = Number("--patch", "Side of the patches in pixels.", Defaults.PatchSize, Trainer.MinPatchSize, 1024);
    private static readonly Option<int> ValidateEvery = Number("--validate-every", "Steps between validations.", Defaults.ValidateEvery, 1, int.MaxValue);
    private static readonly Option<int> Seed = Number("--seed", "Start of all random numbers: equal seeds repeat a training on one device.", Defaults.Seed, 0, int.MaxValue);

    private static readonly Option<DegradationKind> Degradation = new("--degradation")
    {
        Description = "gaussian: blur alone, as in the source paper. camera: blur in linear light, noise and JPEG, for real pictures.", DefaultValueFactory = _ => Defaults.Degradation,
    };
    private static readonly Option<string> Sigma = new("--sigma")
    {
        Description = "Range of the Gaussian blur in pixels, at most 4.", HelpName = "LOW..HIGH",
        DefaultValueFactory = _ => Invariant($"{Defaults.SigmaMin}..{Defaults.SigmaMax}"),
    };
    private static readonly Option<float> SharpShare = Number("--sharp-share", "Share of patches that are not blurred: the network learns to leave sharp pictures alone.", Defaults.SharpShare, 0, 1);
    private static readonly Option<float> Balance = Number("--balance", "0 counts every pixel's error alike, which favours wide blurs; 2 (with mse) counts every blur alike.", Defaults.SigmaBalance, 0, 2);
    private static readonly Option<string> Emphasis = new("--emphasis")
    {
        Description = "Factors of the loss at given blurs, interpolated between, e.g. 1:0.5,3:2.", HelpName = "SIGMA:FACTOR,...", DefaultValueFactory = _ => "",
    };

    private static readonly Option<LossKind> Loss = new("--loss") { Description = "What is minimised: mean squared (mse) or absolute (l1) error.", DefaultValueFactory = _ => Defaults.Loss };
    private static readonly Option<OptimizerKind> Optimizer = new("--optimizer") { Description = "adam, or sgd with momentum 0.9.", DefaultValueFactory = _ => Defaults.Optimizer };
    private static readonly Option<float> LearningRate = Number("--learning-rate", "Learning rate after the warm-up.", Defaults.LearningRate, 1e-9f, 10);
    private static readonly Option<string> LayerRates = new("--layer-rates")
    {
        Description = "Factors of the learning rate for the first layers, in their order; the others have 1. By default for dbcnn alone.", HelpName = "A,B,C", DefaultValueFactory = _ => string.Join(',', Defaults.LayerRates.Select(rate => Invariant($"{rate}"))),
    };
    private static readonly Option<LearningRateSchedule> Schedule = new("--schedule")
    {
        Description = "How the learning rate falls: cosine, steps (a tenth at half and at three quarters) or constant.", DefaultValueFactory = _ => Defaults.Schedule,
    };
    private static readonly Option<int> WarmUp = Number("--warm-up", "Steps in which the learning rate rises from 0.", Defaults.WarmUp, 0, int.MaxValue);

    private static readonly Option<ChannelChoice> Channels = new("--channels") { Description = "What the network sees: luma or rgb.", DefaultValueFactory = _ => ChannelChoice.Luma };
    private static readonly Option<int> F1 = Number("--f1", "Support of patch extraction, odd.", Defaults.F1, 1, NetworkDescription.MaxSize);
    private static readonly Option<int> N1 = Number("--n1", "Maps of patch extraction.", Defaults.N1, 1, NetworkDescription.MaxChannels);
    private static readonly Option<int> F2 = Number("--f2", "Support of the mapping, odd.", Defaults.F2, 1, NetworkDescription.MaxSize);
    private static readonly Option<int> N2 = Number("--n2", "Maps of the mapping.", Defaults.N2, 1, NetworkDescription.MaxChannels);
    private static readonly Option<int> F3 = Number("--f3", "Support of reconstruction, odd.", Defaults.F3, 1, NetworkDescription.MaxSize);
    private static readonly Option<string> NetworkName = new("--network")
    {
        Description = "What to train: dbcnn, dbcnn-bp (with back-projection), tiny, fast or quality (3x3 layers at half resolution, of growing cost).", HelpName = "NAME", DefaultValueFactory = _ => Defaults.Architecture,
    };
    private static readonly Option<bool> Blind = new("--blind") { Description = "Train a network that is not told how strong the blur is." };
    private static readonly Option<int> Maps = Number("--maps", "tiny, fast, quality: maps of the hidden layers.", Defaults.Maps, 1, NetworkDescription.MaxChannels);
    private static readonly Option<int> Hidden = Number("--hidden", "tiny, fast, quality: layers between the first and the last.", Defaults.Hidden, 0, NetworkDescription.MaxLayers - 2);
    private static readonly Option<int> Stages = Number("--stages", "dbcnn-bp: back-projection stages.", Defaults.Stages, 0, 16);
    private static readonly Option<int> ReblurSize = Number("--reblur-size", "dbcnn-bp: support of the blur, odd.", Defaults.ReblurSize, 1, NetworkDescription.MaxSize);
    private static readonly Option<int> ProjectSize = Number("--project-size", "dbcnn-bp: support of the projection, odd.", Defaults.ProjectSize, 1, NetworkDescription.MaxSize);
    private static readonly Option<float> ShapeShare = Number("--shape-share", "With --degradation camera: share of blurred patches whose blur is no round Gaussian.", Defaults.ShapeShare, 0, 1);
    private static readonly Option<float> SigmaJitter = Number("--sigma-jitter", "Standard deviation, as a share of sigma, of the error in the sigma that the network is told.", Defaults.SigmaJitter, 0, 1);
    private static readonly Option<int> AverageSteps = Number("--average", "Steps that the running average of the weights, which is written, looks back; 1 for none.", Defaults.AverageSteps, 1, int.MaxValue);
    private static readonly Option<bool> NoSkip = new("--no-skip") { Description = "Predict the frame itself, as the source paper does, instead of the change to the input." };

    private static readonly Option[] TrainingChoices =
    [
        Steps, Batch, Patch, ValidateEvery, Seed, Degradation, Sigma, SharpShare, Balance, Emphasis, Loss, Optimizer, LearningRate, LayerRates, Schedule, WarmUp, AverageSteps, NetworkName, Blind,
        SigmaJitter, ShapeShare, Maps, Hidden, Stages, ReblurSize, ProjectSize, Channels, F1, N1, F2, N2, F3, NoSkip,
    ];

    private enum ChannelChoice
    {
        Luma,
        Rgb,
    }

    public static Command Create()
    {
        var command = new CliCommand(
            "train",
            "Learns a network's weights from a dataset, on the OpenCL device. Ctrl-C stops cleanly; --resume continues to the same result.",
            "deblur train datasets/photos -o my-dbcnn.safetensors --steps 100000",
            Run)
        {
            Dataset, Output, Init, Resume,
        };
        foreach (Option choice in TrainingChoices) command.Add(choice);
        return command;
    }

    private static void Run(Invocation run)
    {
        string output = run.Get(Output);
        if (!output.EndsWith(WeightsFile.Extension, StringComparison.Ordinal))
            throw new UsageException($"The network file must end in {WeightsFile.Extension}, e.g. -o my-dbcnn{WeightsFile.Extension}.");
        bool resume = run.Get(Resume);
        if (resume && (TrainingChoices.FirstOrDefault(run.IsGiven) ?? (run.IsGiven(Init) ? Init : null)) is { } given)
            throw new UsageException($"{given.Name} and --resume exclude each other: a resumed training keeps the options it was started with.");
        string folder = Path.GetDirectoryName(Path.GetFullPath(output))!;
        if (!Directory.Exists(folder)) throw new DirectoryNotFoundException($"There is no folder {folder} to write {Path.GetFileName(output)} to; make it first.");

        TrainingOptions options = resume ? Trainer.ReadOptions(output) : ReadOptions(run);
        using PackedDataset dataset = PackedDataset.Open(run.Get(Dataset));
        Network? start = run.Get(Init) is { } init ? ModelCatalog.Load(init) : null;
        using ComputeDevice device = run.OpenDevice();
        using Trainer trainer = new(device, dataset, options, start);
        if (resume) trainer.Resume(output);

        Dictionary<string, string> record = new() { ["trainedOn"] = device.Info.Name, ["degradation"] = options.Degradation.Name() };
        if (start is not null) record["startedFrom"] = start.Name;
        int firstStep = trainer.Step;
        TrainingProgress last;
        using (ProgressDisplay progress = run.StartProgress($"Training {Path.GetFileNameWithoutExtension(output)}", "steps", options.Steps, firstStep))
        {
            last = trainer.Run(output, record, state => progress.Report(state.Step, Describe(state)), run.Cancellation);
        }
        string curve = Path.ChangeExtension(output, ".png");
        LearningCurve.Draw(Trainer.CsvPath(output), curve);
        if (last.Step < last.Steps)
        {
            run.Note($"Stopped at step {last.Step} of {last.Steps}. Continue with: deblur train {run.Get(Dataset)} -o {output} --resume");
            return;
        }
        run.Result(new TrainResult(output, last.Step, last.Loss, last.SamplesPerSecond, last.Validation, [output, Path.ChangeExtension(output, ".last" + WeightsFile.Extension), Trainer.CsvPath(output), curve]), Print);
    }

    private static TrainingOptions ReadOptions(Invocation run)
    {
        SigmaChoice sigma = SigmaChoice.Parse(run.Get(Sigma));
        float[] layerRates = [.. run.Get(LayerRates).Split(',', StringSplitOptions.RemoveEmptyEntries).Select(text =>
            float.TryParse(text, CultureInfo.InvariantCulture, out float rate) && rate >= 0 ? rate : throw new UsageException($"'{text}' is no factor of the learning rate. Give one per layer, e.g. --layer-rates 1,1,0.1."))];
        string network = run.Get(NetworkName);
        if (network is not ("dbcnn" or "dbcnn-bp") && !NetworkShapes.Names.Contains(network))
            throw new UsageException($"There is no network '{network}' to train. Choose from {string.Join(", ", NetworkShapes.Names)}.");
        bool isHalf = network is not ("dbcnn" or "dbcnn-bp");
        ConvolutionLayer[] hidden = isHalf ? [.. NetworkShapes.Of(network).Layers.SkipLast(1)] : [];
        foreach (Option<int> support in (Option<int>[])[F1, F2, F3, ReblurSize, ProjectSize])
            if (run.Get(support) % 2 == 0) throw new UsageException($"{support.Name} must be odd, e.g. {run.Get(support) + 1}: a support has a centre.");
        return new()
        {
            C = run.Get(Channels) == ChannelChoice.Rgb ? 3 : 1,
            F1 = run.Get(F1), N1 = run.Get(N1), F2 = run.Get(F2), N2 = run.Get(N2), F3 = run.Get(F3),
            GlobalSkip = !run.Get(NoSkip),
            Architecture = network,
            SigmaKnots = run.Get(Blind) ? [] : NetworkDescription.DefaultSigmaKnots,
            Maps = !isHalf || run.IsGiven(Maps) ? run.Get(Maps) : hidden[0].K,
            Hidden = !isHalf || run.IsGiven(Hidden) ? run.Get(Hidden) : hidden.Length - 1,
            Stages = run.Get(Stages), ReblurSize = run.Get(ReblurSize), ProjectSize = run.Get(ProjectSize),
            ShapeShare = run.Get(ShapeShare),
            SigmaJitter = run.Get(SigmaJitter),
            AverageSteps = run.Get(AverageSteps),
            Degradation = run.Get(Degradation),
            SigmaMin = sigma.Low, SigmaMax = sigma.High,
            SharpShare = run.Get(SharpShare),
            SigmaBalance = run.Get(Balance),
            Emphasis = ReadEmphasis(run.Get(Emphasis)),
            Loss = run.Get(Loss),
            Optimizer = run.Get(Optimizer),
            LearningRate = run.Get(LearningRate),
            LayerRates = isHalf && !run.IsGiven(LayerRates) ? [] : layerRates,
            Schedule = run.Get(Schedule),
            WarmUp = run.Get(WarmUp),
            BatchSize = run.Get(Batch), PatchSize = run.Get(Patch),
            Steps = run.Get(Steps), ValidateEvery = run.Get(ValidateEvery),
            Seed = run.Get(Seed),
        };
    }

    private static SigmaFactor[] ReadEmphasis(string text) => [.. text.Split(',', StringSplitOptions.RemoveEmptyEntries).Select(knot =>
        knot.Split(':') is [string sigma, string factor]
        && float.TryParse(sigma, CultureInfo.InvariantCulture, out float at) && float.TryParse(factor, CultureInfo.InvariantCulture, out float by) && at >= 0 && by >= 0
            ? new SigmaFactor(at, by)
            : throw new UsageException($"'{knot}' is no factor at a blur. Give pairs, e.g. --emphasis 1:0.5,3:2."))];

    private static string Describe(TrainingProgress state)
    {
        string text = Invariant($"loss {state.Loss:G4}, {state.SamplesPerSecond:0} samples/s");
        return double.IsNaN(state.Psnr) ? text : text + Invariant($", PSNR {state.Psnr:0.00} dB");
    }

    private static void Print(TrainResult result, TextWriter text)
    {
        text.WriteLine(Invariant($"{result.Model}: {result.Steps} steps, loss {result.Loss:G4}, {result.SamplesPerSecond:0} samples/s"));
        foreach (ValidationResult at in result.Validation)
            text.WriteLine(Invariant($"  sigma {at.Sigma,-4} PSNR {at.Psnr:0.00} dB (blurred {at.PsnrBlurred:0.00}), SSIM {at.Ssim:0.0000}"));
    }

    private static Option<int> Number(string name, string description, int value, int min, int max)
    {
        Option<int> option = new(name) { Description = description, DefaultValueFactory = _ => value };
        option.Validators.Add(result => { if (result.GetValueOrDefault<int>() is var given && (given < min || given > max)) result.AddError($"{name} must be {min} to {max}, e.g. {value}."); });
        return option;
    }

    private static Option<float> Number(string name, string description, float value, float min, float max)
    {
        Option<float> option = new(name) { Description = description, DefaultValueFactory = _ => value };
        option.Validators.Add(result => { if (!(result.GetValueOrDefault<float>() is var given && given >= min && given <= max)) result.AddError(Invariant($"{name} must be {min} to {max}, e.g. {value}.")); });
        return option;
    }

    private static string Invariant(FormattableString text) => FormattableString.Invariant(text);
}

/// <summary>Result of <c>deblur train</c>.</summary>
internal sealed record TrainResult(string Model, int Steps, double Loss, double SamplesPerSecond, IReadOnlyList<ValidationResult> Validation, IReadOnlyList<string> Files);
