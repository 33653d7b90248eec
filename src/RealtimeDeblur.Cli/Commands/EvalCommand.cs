using System.CommandLine;
using System.Text;
using RealtimeDeblur.Cli.Report;
using RealtimeDeblur.Compute;
using RealtimeDeblur.Networks;
using RealtimeDeblur.Restoration;
using RealtimeDeblur.Training.Data;
using RealtimeDeblur.Training.Evaluation;
using RealtimeDeblur.Video;
using Spectre.Console;

namespace RealtimeDeblur.Cli.Commands;

/// <summary><c>deblur eval</c>: PSNR and SSIM against ground truth, beside the filters of the literature.</summary>
internal static class EvalCommand
{
    private const string Markdown = ".md", Html = ".html";

    public static Command Create()
    {
        Argument<string[]> models = new("MODEL")
        {
            Description = "Names of shipped models, or paths of .safetensors files. Without any, only filters are measured.",
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
        Option<bool> sharpHalf = new("--sharp-half") { Description = "Measure pictures of which only the right half is blurred, too: what happens to the sharp half, and to the blurred one beside it." };
        Option<string> method = new("--method")
        {
            Description = $"Filters to measure beside the models: none, or a list of all, {string.Join(", ", RestorationMethod.Filters.Select(filter => filter.Name))}, with parameters if need be, e.g. wiener:ratio=0.01. "
                + "The value best (wiener:ratio=best) searches, for every picture, what comes nearest to the truth.",
            HelpName = "none|LIST",
            DefaultValueFactory = _ => "all",
        };
        method.Validators.Add(result =>
        {
            try
            {
                Filters(result.GetValueOrDefault<string>());
            }
            catch (FormatException e)
            {
                result.AddError($"--method: {e.Message}");
            }
        });
        Option<string> sigmaMode = new("--sigma-mode")
        {
            Description = "How methods that can be told sigma come to it: given tells them the truth, auto lets it be estimated from each picture as for users; both measures both. Other methods ignore it.",
            HelpName = "given|auto|both",
            DefaultValueFactory = _ => "both",
        };
        sigmaMode.Validators.Add(result =>
        {
            if (result.GetValueOrDefault<string>() is not ("given" or "auto" or "both")) result.AddError("--sigma-mode must be given, auto or both.");
        });
        Option<string> sigmaFrom = ListOption("--sigma-from", "What estimates sigma where it is estimated: own is what the method uses for users.", "own", EstimatorNames);
        Option<string> guard = new("--guard")
        {
            Description = "Whether models that can be told sigma are guarded against correcting what was not blurred by it, as for users (on), or measured bare (off), or either way (both).",
            HelpName = "on|off|both",
            DefaultValueFactory = _ => "on",
        };
        guard.Validators.Add(result =>
        {
            if (result.GetValueOrDefault<string>() is not ("on" or "off" or "both")) result.AddError("--guard must be on, off or both.");
        });
        Option<float> strength = RestoreOptions.Strength();
        Option<string> degradation = ListOption(
            "--degradation", "Where the pictures are blurred: on luma and nothing else (gaussian), or in linear light, with noise and JPEG or H.264 compression (camera).", "gaussian", ["gaussian", "camera"]);
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

        Option<int> h264 = new("--h264")
        {
            Description = "With --degradation camera: QP of an H.264 intra frame (ffmpeg's libx264) in place of JPEG, 1 to 51; 0 for none.",
            HelpName = "QP",
        };
        h264.Validators.Add(result =>
        {
            if (result.GetValueOrDefault<int>() is < 0 or > H264IntraFrame.MaxQp) result.AddError($"--h264 must be 0 to {H264IntraFrame.MaxQp}, e.g. 24.");
        });
        Option<string> psf = ListOption(
            "--psf", "Shapes of the blur: gaussian; anisotropic (a Gaussian of ratio 2:1 with its long axis at 30 degrees, sigma the geometric mean); disc (radius 2 sigma).", "gaussian", ["gaussian", "anisotropic", "disc"]);
        Option<bool> estimators = new("--estimators") { Description = "Compare what estimates sigma, over sigma, noise and compression: bias, scatter and time." };
        Option<string[]> report = new("--report")
        {
            Description = $"Write a report: tables as Markdown ({Markdown}), or a page with plots and pictures ({Html}). May be given several times.",
            HelpName = "FILE",
        };
        report.Validators.Add(result =>
        {
            foreach (string file in result.GetValueOrDefault<string[]>() ?? [])
            {
                if (Path.GetExtension(file).ToLowerInvariant() is not (Markdown or Html)) result.AddError($"--report writes {Html} or {Markdown} files, not {file}.");
            }
        });

        return new CliCommand(
            "eval",
            "Measures models: blurs sharp pictures, restores them, and compares with the originals (PSNR and SSIM of luma, means over each set).",
            "deblur eval dbcnn --images photos --sigma 1,1.6,2,3",
            run =>
            {
                IReadOnlyList<DegradationKind> degradations = [.. Words(run.Get(degradation)).Select(word => word == "camera" ? DegradationKind.Camera : DegradationKind.Gaussian)];
                if (!degradations.Contains(DegradationKind.Camera) && (run.IsGiven(noise) || run.IsGiven(jpeg) || run.IsGiven(h264))) throw new UsageException("--noise, --jpeg and --h264 belong to --degradation camera: add that, or leave them out.");
                if (run.Get(h264) > 0 && run.IsGiven(jpeg) && run.Get(jpeg) > 0) throw new UsageException("--jpeg and --h264 exclude each other: give one of them.");
                List<EvaluatedMethod> methods = [.. Networks(run.Get(models)), .. Filters(run.Get(method))];
                bool withEstimators = run.Get(estimators);
                if (methods.Count == 0 && !withEstimators) throw new UsageException("There is nothing to measure: name a model, or leave out --method none.");
                string[] files = run.Get(report) ?? [];
                foreach (string file in files)
                {
                    // Better now than after an hour of measuring.
                    if (Path.GetDirectoryName(Path.GetFullPath(file)) is { } folder && !Directory.Exists(folder)) throw new DirectoryNotFoundException($"There is no folder {folder} to write {Path.GetFileName(file)} to; make it first.");
                }
                EvaluationOptions options = new()
                {
                    Sigmas = [.. SigmaChoice.Parse(run.Get(sigma)).Values.Distinct()],
                    SigmaModes = run.Get(sigmaMode) switch { "given" => [SigmaMode.Given], "auto" => [SigmaMode.Auto], _ => [SigmaMode.Given, SigmaMode.Auto] },
                    SigmaFrom = [.. Words(run.Get(sigmaFrom)).Select(word => Enum.Parse<SigmaSource>(word, ignoreCase: true))],
                    Guards = run.Get(guard) switch { "on" => [true], "off" => [false], _ => [true, false] },
                    Strength = run.Get(strength),
                    SharpHalf = run.Get(sharpHalf),
                    Degradations = degradations,
                    Shapes = [.. Words(run.Get(psf)).Select(word => word switch { "anisotropic" => BlurShape.Anisotropic(ratio: 2, angle: MathF.PI / 6), "disc" => BlurShape.Disc, _ => null })],
                    Noise = run.Get(noise),
                    JpegQuality = run.Get(jpeg) is > 0 and var quality ? quality : null,
                    H264Qp = run.Get(h264) is > 0 and var qp ? qp : null,
                    KeepExamples = files.Any(file => Path.GetExtension(file).Equals(Html, StringComparison.OrdinalIgnoreCase)),
                };
                EvaluationReport found = Evaluate(run, methods, Sets(run.Get(images)), options, withEstimators);
                foreach (SkippedPicture picture in found.Skipped) run.Note($"Skipped {picture.Source}: {picture.Reason}");
                run.Result(found, Print);
                foreach (string file in files) Write(file, found);
            })
        { models, images, sigma, method, sigmaMode, sigmaFrom, guard, strength, sharpHalf, degradation, psf, noise, jpeg, h264, estimators, report };
    }

    private static readonly string[] EstimatorNames = [.. Enum.GetNames<SigmaSource>().Select(name => name.ToLowerInvariant())];

    /// <summary>An option that takes some of a few words, with commas between.</summary>
    private static Option<string> ListOption(string name, string description, string usual, string[] words)
    {
        Option<string> option = new(name) { Description = $"{description} One or several, with commas between.", HelpName = string.Join('|', words), DefaultValueFactory = _ => usual };
        option.Validators.Add(result =>
        {
            if (Words(result.GetValueOrDefault<string>()).FirstOrDefault(word => !words.Contains(word)) is { } wrong) result.AddError($"{name} must be one or several of {string.Join(", ", words)}, not '{wrong}'.");
        });
        return option;
    }

    private static IEnumerable<string> Words(string? list) => (list ?? "").ToLowerInvariant().Split(',').Distinct();

    /// <summary>The filters that <c>--method</c> asks for.</summary>
    /// <exception cref="FormatException">There is no such filter.</exception>
    private static List<EvaluatedMethod> Filters(string? list) => (list ?? "").ToLowerInvariant() is var words && words == "none" ? []
        : [.. words.Split(',').SelectMany(word => word == "all" ? RestorationMethod.Filters.Select(filter => filter.Name) : [word]).Select(EvaluatedMethod.Parse).DistinctBy(method => method.Name)];

    /// <summary>Loads the models; two of the same name go by the paths they were given as.</summary>
    private static List<EvaluatedMethod> Networks(string[] models)
    {
        List<(string Given, Network Network)> loaded = [.. models.Distinct().Select(model => (model, ModelCatalog.Load(model)))];
        return [.. loaded.Select(one => new EvaluatedMethod(loaded.Count(other => other.Network.Name == one.Network.Name) > 1 ? one.Given : one.Network.Name, one.Network))];
    }

    /// <summary>Finds the sets; two of the same name go by their paths.</summary>
    private static List<EvaluationSet> Sets(string[] directories)
    {
        List<EvaluationSet> sets = [.. directories.SelectMany(EvaluationSet.Find).DistinctBy(set => set.Files[0])];
        return [.. sets.Select(set => sets.Count(other => other.Name == set.Name) > 1 ? set with { Name = Path.GetDirectoryName(set.Files[0])! } : set)];
    }

    private static EvaluationReport Evaluate(Invocation run, List<EvaluatedMethod> methods, List<EvaluationSet> sets, EvaluationOptions options, bool withEstimators)
    {
        using ComputeDevice device = run.OpenDevice();
        int pictures = sets.Sum(set => set.Files.Count);
        EvaluationReport report;
        using (ProgressDisplay progress = run.StartProgress("Measuring", "pictures", pictures * options.Degradations.Count * options.Shapes.Count))
        {
            report = Evaluator.Evaluate(device, methods, sets, options, new PictureProgress(progress), run.Cancellation);
        }
        if (!withEstimators) return report;
        using ProgressDisplay estimating = run.StartProgress("Comparing estimators", "pictures", pictures * options.Degradations.Count * EstimatorEvaluation.Sources.Count);
        return report with { Estimators = EstimatorEvaluation.Compare(device, sets, options.Degradations, options.Sigmas, new PictureProgress(estimating), run.Cancellation) };
    }

    private static void Write(string file, EvaluationReport report)
    {
        string text = Path.GetExtension(file).Equals(Html, StringComparison.OrdinalIgnoreCase) ? HtmlReport.Write(report) : MarkdownReport.Write(report);
        AtomicFile.Write(file, stream => stream.Write(Encoding.UTF8.GetBytes(text)));
    }

    private static void Print(EvaluationReport report, TextWriter writer)
    {
        IAnsiConsole console = AnsiConsole.Create(new AnsiConsoleSettings { Out = new AnsiConsoleOutput(writer) });
        // A file has no width to respect.
        if (Console.IsOutputRedirected) console.Profile.Width = 1000;
        EvaluationText text = new(report);
        foreach (ReportTable table in text.Tables()) console.Write(Draw(table));
        foreach (string note in text.Notes()) writer.WriteLine(note);
        if (text.Verdict() is { } verdict) writer.WriteLine(verdict);
    }

    private static Table Draw(ReportTable table)
    {
        Table drawn = new() { Border = TableBorder.Simple, Title = new TableTitle(Markup.Escape(table.Title)) };
        for (int i = 0; i < table.Columns.Count; i++)
        {
            TableColumn column = new(Markup.Escape(table.Columns[i]));
            drawn.AddColumn(i == 0 ? column : column.RightAligned());
        }
        foreach (IReadOnlyList<string> row in table.Rows) drawn.AddRow([.. row.Select(Markup.Escape)]);
        return drawn;
    }

    private sealed class PictureProgress(ProgressDisplay display) : IProgress<int>
    {
        public void Report(int value) => display.Report(value);
    }
}
