using System.CommandLine;
using System.Globalization;
using RealtimeDeblur.Compute;
using RealtimeDeblur.Networks;
using RealtimeDeblur.Training.Data;
using RealtimeDeblur.Training.Evaluation;
using Spectre.Console;

namespace RealtimeDeblur.Cli.Commands;

/// <summary><c>deblur eval</c>: PSNR and SSIM against ground truth, beside classical methods.</summary>
internal static class EvalCommand
{
    public static Command Create()
    {
        Argument<string[]> models = new("MODEL")
        {
            Description = "Names of shipped models, or paths of .safetensors files. Without any, only the classical methods are measured.",
            Arity = ArgumentArity.ZeroOrMore,
        };
        Option<string[]> images = new("--images")
        {
            Description = "Folder of sharp pictures, or of folders of them: each folder with pictures in it is a set with figures of its own. May be given several times.",
            HelpName = "DIR",
            Required = true,
        };
        Option<string> sigma = new("--sigma")
        {
            Description = "Standard deviations of the blur in pixels, 0 to 16.",
            HelpName = "LIST",
            DefaultValueFactory = _ => "0,0.5,1,1.6,2,3",
        };
        sigma.Validators.Add(result =>
        {
            try
            {
                if (SigmaChoice.Parse(result.GetValueOrDefault<string>()).Values.Count == 0) result.AddError("--sigma takes single values here, e.g. 1,1.6,2.");
            }
            catch (ArgumentException e)
            {
                result.AddError($"--sigma: {e.Message}");
            }
        });
        Option<string> baselines = new("--baselines")
        {
            Description = "Whether the blurred input, unsharp masking, the Wiener filter and Polyblur are measured beside the models: all or none.",
            HelpName = "all|none",
            DefaultValueFactory = _ => "all",
        };
        baselines.Validators.Add(result =>
        {
            if (result.GetValueOrDefault<string>() is not ("all" or "none")) result.AddError("--baselines must be all or none.");
        });
        Option<string> sigmaMode = new("--sigma-mode")
        {
            Description = "How models that can be told sigma come to it: given tells them the truth, auto lets it be estimated from each picture as for users; both measures both. Other models ignore it.",
            HelpName = "given|auto|both",
            DefaultValueFactory = _ => "both",
        };
        sigmaMode.Validators.Add(result =>
        {
            if (result.GetValueOrDefault<string>() is not ("given" or "auto" or "both")) result.AddError("--sigma-mode must be given, auto or both.");
        });
        Option<float> strength = RestoreOptions.Strength();
        Option<DegradationKind> degradation = DatasetCommand.DegradationOption("What blurs the pictures: a Gaussian on luma (gaussian), or one in linear light, with noise and JPEG compression (camera).");
        Option<float> noise = new("--noise")
        {
            Description = "With --degradation camera: standard deviation of the noise at mid-grey, in 1/255 of full scale, 0 to 50.",
            HelpName = "LEVEL",
            DefaultValueFactory = _ => 2,
        };
        noise.Validators.Add(result =>
        {
            if (result.GetValueOrDefault<float>() is not (>= 0 and <= 50)) result.AddError("--noise must be 0 to 50, e.g. 2.");
        });
        Option<int> jpeg = new("--jpeg")
        {
            Description = "With --degradation camera: JPEG quality, 1 to 100; 0 for no compression.",
            HelpName = "QUALITY",
            DefaultValueFactory = _ => 85,
        };
        jpeg.Validators.Add(result =>
        {
            if (result.GetValueOrDefault<int>() is < 0 or > 100) result.AddError("--jpeg must be 0 to 100, e.g. 85.");
        });

        return new CliCommand(
            "eval",
            "Measures models: blurs sharp pictures, restores them, and compares with the originals (PSNR and SSIM of luma, means over each set).",
            "deblur eval dbcnn --images photos --sigma 1,1.6,2,3",
            run =>
            {
                bool camera = run.Get(degradation) == DegradationKind.Camera;
                if (!camera && (run.IsGiven(noise) || run.IsGiven(jpeg))) throw new UsageException("--noise and --jpeg belong to --degradation camera: add that, or leave them out.");
                bool withBaselines = run.Get(baselines) == "all";
                if (run.Get(models).Length == 0 && !withBaselines) throw new UsageException("There is nothing to measure: name a model, or leave out --baselines none.");
                EvaluationOptions options = new()
                {
                    Sigmas = [.. SigmaChoice.Parse(run.Get(sigma)).Values.Distinct()],
                    Baselines = withBaselines,
                    SigmaModes = run.Get(sigmaMode) switch { "given" => [SigmaMode.Given], "auto" => [SigmaMode.Auto], _ => [SigmaMode.Given, SigmaMode.Auto] },
                    Strength = run.Get(strength),
                    Degradation = run.Get(degradation),
                    Noise = run.Get(noise),
                    JpegQuality = run.Get(jpeg) is > 0 and var quality ? quality : null,
                };
                EvaluationReport report = Evaluate(run, Networks(run.Get(models)), Sets(run.Get(images)), options);
                foreach (SkippedPicture picture in report.Skipped) run.Note($"Skipped {picture.Source}: {picture.Reason}");
                run.Result(report, Print);
            })
        { models, images, sigma, sigmaMode, strength, baselines, degradation, noise, jpeg };
    }

    /// <summary>Loads the models; two of the same name go by the paths they were given as.</summary>
    private static List<EvaluatedNetwork> Networks(string[] models)
    {
        List<(string Given, Network Network)> loaded = [.. models.Distinct().Select(model => (model, ModelCatalog.Load(model)))];
        return [.. loaded.Select(one => new EvaluatedNetwork(loaded.Count(other => other.Network.Name == one.Network.Name) > 1 ? one.Given : one.Network.Name, one.Network))];
    }

    /// <summary>Finds the sets; two of the same name go by their paths.</summary>
    private static List<EvaluationSet> Sets(string[] directories)
    {
        List<EvaluationSet> sets = [.. directories.SelectMany(EvaluationSet.Find).DistinctBy(set => set.Files[0])];
        return [.. sets.Select(set => sets.Count(other => other.Name == set.Name) > 1 ? set with { Name = Path.GetDirectoryName(set.Files[0])! } : set)];
    }

    private static EvaluationReport Evaluate(Invocation run, List<EvaluatedNetwork> networks, List<EvaluationSet> sets, EvaluationOptions options)
    {
        using ComputeDevice? device = networks.Count > 0 ? run.OpenDevice() : null;
        using ProgressDisplay progress = run.StartProgress("Measuring", "pictures", sets.Sum(set => set.Files.Count));
        return Evaluator.Evaluate(device, networks, sets, options, new PictureProgress(progress), run.Cancellation);
    }

    private static void Print(EvaluationReport report, TextWriter text)
    {
        IAnsiConsole console = AnsiConsole.Create(new AnsiConsoleSettings { Out = new AnsiConsoleOutput(text) });
        // A file has no width to respect.
        if (Console.IsOutputRedirected) console.Profile.Width = 1000;
        foreach (IGrouping<string, EvaluationResult> set in report.Results.GroupBy(result => result.Set))
        {
            console.Write(QualityTable(set));
            if (set.Any(result => result.SigmaEstimate is not null)) console.Write(EstimateTable(set));
        }
        foreach ((string name, string what) in report.Protocol.Methods) text.WriteLine($"{name}: {what}");
        foreach (SigmaMode mode in report.Results.Where(result => result.MacPerPixel is not null).Select(result => result.SigmaMode).Distinct())
            text.WriteLine($"({Name(mode)}): {report.Protocol.SigmaModes[mode]}");
        text.WriteLine($"{report.Protocol.Degradation}; {report.Protocol.BorderPixels} pixels cut off each side; 78.13 dB means identical.");
        if (report.Results.Any(result => result.MsPerMegapixel is not null)) text.WriteLine("ms/MP: device time of the network's kernels alone per million pixels, at the commonest size of the set.");
        if (report.Protocol.Strength < 1) text.WriteLine(string.Create(CultureInfo.InvariantCulture, $"Models at strength {report.Protocol.Strength}."));
    }

    private static Table QualityTable(IGrouping<string, EvaluationResult> set)
    {
        int images = set.First().Images;
        Table table = new() { Border = TableBorder.Simple, Title = new TableTitle(Markup.Escape($"{set.Key}, {images} {(images == 1 ? "picture" : "pictures")}: PSNR in dB and SSIM")) };
        bool hasNetworks = set.Any(result => result.MacPerPixel is not null);
        AddColumns(table, ["sigma", .. set.Select(result => result.Sigma).Distinct().Select(sigma => sigma.ToString(CultureInfo.InvariantCulture)), .. hasNetworks ? (string[])["MAC/pixel", "ms/MP"] : []]);
        foreach (IGrouping<string, EvaluationResult> model in set.GroupBy(Name))
        {
            EvaluationResult any = model.First();
            table.AddRow([
                Markup.Escape(model.Key),
                .. model.Select(result => string.Create(CultureInfo.InvariantCulture, $"{result.Psnr:0.00} {result.Ssim:0.0000}")),
                .. hasNetworks ? (string[])[any.MacPerPixel?.ToString("N0", CultureInfo.InvariantCulture) ?? "", any.MsPerMegapixel?.ToString("0.0", CultureInfo.InvariantCulture) ?? ""] : []]);
        }
        return table;
    }

    /// <summary>Models that share an estimator share its errors and a row.</summary>
    private static Table EstimateTable(IGrouping<string, EvaluationResult> set)
    {
        Table table = new() { Border = TableBorder.Simple, Title = new TableTitle(Markup.Escape($"{set.Key}: estimates of sigma")) };
        AddColumns(table, ["model", "sigma", "median", "median error", "90th percentile", "bias", "called sharp"]);
        foreach (var row in set.Where(result => result.SigmaEstimate is not null).GroupBy(result => (result.Sigma, result.SigmaEstimate)).OrderBy(row => row.First().Model, StringComparer.Ordinal))
        {
            SigmaEstimateSummary errors = row.Key.SigmaEstimate!;
            table.AddRow(
                Markup.Escape(string.Join(", ", row.Select(result => result.Model).Distinct())), row.Key.Sigma.ToString(CultureInfo.InvariantCulture), errors.Median.ToString("0.00", CultureInfo.InvariantCulture),
                Percent(errors.MedianErrorPercent), Percent(errors.P90ErrorPercent), errors.Bias.ToString("+0.00;-0.00;0.00", CultureInfo.InvariantCulture), Percent(100 * errors.SharpShare));
        }
        return table;

        static string Percent(double percent) => double.IsNaN(percent) ? "" : percent.ToString("0.0", CultureInfo.InvariantCulture) + " %";
    }

    private static void AddColumns(Table table, IReadOnlyList<string> names)
    {
        for (int i = 0; i < names.Count; i++)
        {
            TableColumn column = new(names[i]);
            table.AddColumn(i == 0 ? column : column.RightAligned());
        }
    }

    /// <summary>What a row is called: networks with their mode.</summary>
    private static string Name(EvaluationResult result) => result.MacPerPixel is null ? result.Model : $"{result.Model} ({Name(result.SigmaMode)})";

    private static string Name(SigmaMode mode) => mode.ToString().ToLowerInvariant();

    private sealed class PictureProgress(ProgressDisplay display) : IProgress<int>
    {
        public void Report(int value) => display.Report(value);
    }
}
