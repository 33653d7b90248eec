using System.CommandLine;
using System.Globalization;
using RealtimeDeblur.Training.Data;

namespace RealtimeDeblur.Cli.Commands;

/// <summary><c>deblur dataset</c>: sharp pictures to pairs of sharp and blurred ones, on disk and packed for the trainer.</summary>
internal static class DatasetCommand
{
    public static Command Create()
    {
        Argument<string> sharp = new("SHARP_DIR") { Description = "Folder tree of sharp pictures, in any format that OpenCV reads. It is only read." };
        Option<string> output = new("--output", "-o") { Description = "Folder for the dataset. An interrupted dataset is continued; one made with other settings is refused.", HelpName = "DATASET", Required = true };
        Option<string> sigma = new("--sigma")
        {
            Description = "Standard deviations of the blur in pixels, 0 to 16: a range such as 0..3, which the pairs of a picture cover evenly, or fixed values such as 1,1.6,2.",
            HelpName = "RANGE|LIST",
            DefaultValueFactory = _ => "0..3",
        };
        sigma.Validators.Add(result =>
        {
            try
            {
                SigmaChoice.Parse(result.GetValueOrDefault<string>());
            }
            catch (ArgumentException e)
            {
                result.AddError($"--sigma: {e.Message}");
            }
        });
        Option<int?> pairs = new("--pairs-per-picture") { Description = "Blurred versions of each picture, 1 to 1000. Without it 4 for a range of sigma, and one for each fixed sigma.", HelpName = "N" };
        pairs.Validators.Add(result =>
        {
            if (result.GetValueOrDefault<int?>() is < 1 or > 1000) result.AddError("--pairs-per-picture must be 1 to 1000, e.g. 4.");
        });
        Option<DegradationKind> degradation = DegradationOption("Makes blurred pictures as the source paper does (gaussian), or in linear light with random shapes of blur, noise, sharpening, and JPEG or H.264 compression (camera; needs ffmpeg with libx264).");
        Option<double> validation = new("--validation")
        {
            Description = "Share of the pictures set aside for validation, 0 to 0.9; above 0 at least one picture.",
            HelpName = "SHARE",
            DefaultValueFactory = _ => 0.1,
        };
        validation.Validators.Add(result =>
        {
            if (result.GetValueOrDefault<double>() is not (>= 0 and <= 0.9)) result.AddError("--validation must be 0 to 0.9, e.g. 0.1.");
        });
        Option<ulong> seed = new("--seed") { Description = "Decides all random choices; the same seed and pictures give the same dataset.", DefaultValueFactory = _ => 1 };

        return new CliCommand(
            "dataset",
            "Makes a deblur dataset: blurs sharp pictures and stores the pairs, a manifest, and the packed form that `deblur train` reads.",
            "deblur dataset photos -o dataset --sigma 0..3",
            run =>
            {
                DatasetOptions options = new()
                {
                    Degradation = run.Get(degradation),
                    Sigma = SigmaChoice.Parse(run.Get(sigma)),
                    PairsPerPicture = run.Get(pairs),
                    Seed = run.Get(seed),
                    ValidationShare = run.Get(validation),
                };
                DatasetResult built = Build(run, run.Get(sharp), run.Get(output), options);
                run.Result(Summarise(run.Get(output), built), Print);
            })
        { sharp, output, sigma, pairs, degradation, validation, seed };
    }

    /// <summary>The choice of degradation, which <c>eval</c> offers too.</summary>
    internal static Option<DegradationKind> DegradationOption(string description)
    {
        Option<DegradationKind> option = new("--degradation")
        {
            Description = description,
            HelpName = "gaussian|camera",
            CustomParser = result => result.Tokens[0].Value switch
            {
                "gaussian" => DegradationKind.Gaussian,
                "camera" => DegradationKind.Camera,
                var other => Refuse(result, other),
            },
            DefaultValueFactory = _ => DegradationKind.Gaussian,
        };
        return option;

        static DegradationKind Refuse(System.CommandLine.Parsing.ArgumentResult result, string given)
        {
            result.AddError($"--degradation must be gaussian or camera, not '{given}'.");
            return default;
        }
    }

    private static DatasetResult Build(Invocation run, string sharp, string dataset, DatasetOptions options)
    {
        using StageProgress progress = new(run);
        try
        {
            return DatasetBuilder.Build(sharp, dataset, options, progress, run.Cancellation);
        }
        catch (OperationCanceledException)
        {
            progress.Dispose();
            run.Note("The same command continues where this one stopped.");
            throw;
        }
    }

    private static DatasetSummary Summarise(string dataset, DatasetResult built)
    {
        DatasetManifest manifest = built.Manifest;
        int PairsOf(DatasetSplit split) => manifest.Pictures.Where(picture => picture.Split == split).Sum(picture => picture.Pairs.Count);
        return new(
            dataset, built.PackPath, built.PackBytes, built.Sha256, manifest.Settings.Degradation.Name(), manifest.Settings.Sigma, manifest.Settings.Seed,
            manifest.Pictures.Count, PairsOf(DatasetSplit.Training), PairsOf(DatasetSplit.Validation), built.Reused, manifest.Skipped);
    }

    private static void Print(DatasetSummary result, TextWriter text)
    {
        text.WriteLine(string.Create(CultureInfo.InvariantCulture,
            $"{result.Dataset}: {result.Pictures} pictures, {result.TrainingPairs} pairs for training and {result.ValidationPairs} for validation, {result.Degradation}, sigma {result.Sigma}, seed {result.Seed}"));
        if (result.Reused > 0) text.WriteLine($"{result.Reused} pictures were there from an earlier run.");
        text.WriteLine(string.Create(CultureInfo.InvariantCulture, $"{result.Pack}: {result.PackBytes / 1e6:N1} MB"));
        if (result.Skipped.Count == 0) return;
        text.WriteLine($"Skipped {result.Skipped.Count}:");
        foreach (SkippedPicture picture in result.Skipped) text.WriteLine($"  {picture.Source}: {picture.Reason}");
    }

    /// <summary>A progress bar per stage. Reports come from several threads and may overtake each other.</summary>
    private sealed class StageProgress(Invocation run) : IProgress<DatasetProgress>, IDisposable
    {
        private readonly Lock _lock = new();
        private ProgressDisplay? _display;
        private DatasetProgress _shown;

        public void Report(DatasetProgress value)
        {
            lock (_lock)
            {
                if (_display is null || value.Stage != _shown.Stage)
                {
                    _display?.Dispose();
                    _display = run.StartProgress(Title(value.Stage), "pictures", value.Total);
                }
                else if (value.Done < _shown.Done)
                {
                    return;
                }
                _shown = value;
                _display.Report(value.Done);
            }
        }

        public void Dispose() => _display?.Dispose();

        private static string Title(DatasetStage stage) => stage switch
        {
            DatasetStage.Checking => "Checking",
            DatasetStage.Blurring => "Blurring",
            _ => "Packing",
        };
    }
}

/// <summary>Result of <c>deblur dataset</c>.</summary>
internal sealed record DatasetSummary(
    string Dataset, string Pack, long PackBytes, string Sha256, string Degradation, string Sigma, ulong Seed,
    int Pictures, int TrainingPairs, int ValidationPairs, int Reused, IReadOnlyList<SkippedPicture> Skipped);
