using System.CommandLine;
using System.Globalization;
using RealtimeDeblur.Compute;
using RealtimeDeblur.Networks;
using RealtimeDeblur.Training.Data;
using RealtimeDeblur.Training.Evaluation;
using RealtimeDeblur.Video;
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
        Option<DegradationKind> degradation = DatasetCommand.DegradationOption("Where the pictures are blurred: on luma and nothing else (gaussian), or in linear light, with noise and JPEG or H.264 compression (camera).");
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
        Option<string> psf = new("--psf")
        {
            Description = "Shape of the blur: gaussian; anisotropic (a Gaussian of ratio 2:1 with its long axis at 30 degrees, sigma the geometric mean); or disc (radius 2 sigma).",
            HelpName = "gaussian|anisotropic|disc",
            DefaultValueFactory = _ => "gaussian",
        };
        psf.Validators.Add(result =>
        {
            if (result.GetValueOrDefault<string>() is not ("gaussian" or "anisotropic" or "disc")) result.AddError("--psf must be gaussian, anisotropic or disc.");
        });

        return new CliCommand(
            "eval",
            "Measures models: blurs sharp pictures, restores them, and compares with the originals (PSNR and SSIM of luma, means over each set).",
            "deblur eval dbcnn --images photos --sigma 1,1.6,2,3",
            run =>
            {
                bool camera = run.Get(degradation) == DegradationKind.Camera;
                if (!camera && (run.IsGiven(noise) || run.IsGiven(jpeg) || run.IsGiven(h264))) throw new UsageException("--noise, --jpeg and --h264 belong to --degradation camera: add that, or leave them out.");
                if (run.Get(h264) > 0 && run.IsGiven(jpeg) && run.Get(jpeg) > 0) throw new UsageException("--jpeg and --h264 exclude each other: give one of them.");
                bool withBaselines = run.Get(baselines) == "all";
                if (run.Get(models).Length == 0 && !withBaselines) throw new UsageException("There is nothing to measure: name a model, or leave out --baselines none.");
                EvaluationOptions options = new()
                {
                    Sigmas = [.. SigmaChoice.Parse(run.Get(sigma)).Values.Distinct()],
                    Baselines = withBaselines,
                    Degradation = run.Get(degradation),
                    Shape = run.Get(psf) switch { "anisotropic" => BlurShape.Anisotropic(ratio: 2, angle: MathF.PI / 6), "disc" => BlurShape.Disc, _ => null },
                    Noise = run.Get(noise),
                    JpegQuality = run.Get(jpeg) is > 0 and var quality ? quality : null,
                    H264Qp = run.Get(h264) is > 0 and var qp ? qp : null,
                };
                EvaluationReport report = Evaluate(run, Networks(run.Get(models)), Sets(run.Get(images)), options);
                foreach (SkippedPicture picture in report.Skipped) run.Note($"Skipped {picture.Source}: {picture.Reason}");
                run.Result(report, Print);
            })
        { models, images, sigma, baselines, degradation, psf, noise, jpeg, h264 };
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
            Table table = new() { Border = TableBorder.Simple, Title = new TableTitle(Markup.Escape($"{set.Key}, {set.First().Images} {(set.First().Images == 1 ? "picture" : "pictures")}: PSNR in dB and SSIM")) };
            table.AddColumn("sigma");
            foreach (float sigma in set.Select(result => result.Sigma).Distinct()) table.AddColumn(new TableColumn(sigma.ToString(CultureInfo.InvariantCulture)).RightAligned());
            foreach (IGrouping<string, EvaluationResult> model in set.GroupBy(result => result.Model))
                table.AddRow([Markup.Escape(model.Key), .. model.Select(result => string.Create(CultureInfo.InvariantCulture, $"{result.Psnr:0.00} {result.Ssim:0.0000}"))]);
            console.Write(table);
        }
        foreach ((string name, string what) in report.Protocol.Methods) text.WriteLine($"{name}: {what}");
        text.WriteLine($"Models do not know sigma. {report.Protocol.Degradation}; {report.Protocol.BorderPixels} pixels cut off each side; 78.13 dB means identical.");
    }

    private sealed class PictureProgress(ProgressDisplay display) : IProgress<int>
    {
        public void Report(int value) => display.Report(value);
    }
}
