using System.CommandLine;
using System.Diagnostics;
using System.Globalization;
using RealtimeDeblur.Compute;
using RealtimeDeblur.Networks;
using RealtimeDeblur.Restoration;
using RealtimeDeblur.Video;

namespace RealtimeDeblur.Cli.Commands;

/// <summary><c>deblur image</c>: pictures to restored pictures.</summary>
internal static class ImageCommand
{
    public static Command Create()
    {
        Argument<string[]> inputs = new("INPUT") { Description = "Pictures and folders with pictures.", Arity = ArgumentArity.OneOrMore };
        Option<string?> output = new("--output", "-o")
        {
            Description = "Restored picture, its format by its ending; for several inputs a folder. Without it results go beside their inputs as NAME-restored.",
            HelpName = "PATH",
        };
        Option<string> model = RestoreOptions.Model();
        Option<float> strength = RestoreOptions.Strength();
        Option<SigmaSetting> sigma = RestoreOptions.Sigma();
        Option<bool> noGuard = RestoreOptions.NoGuard();
        Option<DeblurView> show = new("--show")
        {
            Description = "What to write: the restored picture, or how far each pixel's correction is trusted, white in full and black not at all.",
            HelpName = "restored|confidence",
            DefaultValueFactory = _ => DeblurView.Restored,
        };
        Option<bool> overwrite = RestoreOptions.Overwrite();

        return new CliCommand("image", "Restores pictures.", "deblur image portrait.jpg --strength 0.7", run =>
        {
            IReadOnlyList<FileTask> tasks = FileBatch.Plan(run.Get(inputs), run.Get(output), "pictures", PictureFile.Extensions, extension => extension);
            Network network = ModelCatalog.Load(run.Get(model));
            RestoreOptions.NoteIfUseless(run, sigma, network);
            var options = new DeblurOptions { Strength = run.Get(strength), Sigma = run.Get(sigma), Guard = !run.Get(noGuard), View = run.Get(show) };
            if (options.View == DeblurView.Confidence && !network.IsConditioned)
                throw new UsageException($"{network.Name} is not told how strong the blur is, so there is no confidence to show: choose a network that is with --model.");
            bool replace = run.Get(overwrite);
            ComputeDevice? device = null;
            try
            {
                using ProgressDisplay? progress = tasks.Count > 1 ? run.StartProgress("Restoring", "pictures", tasks.Count) : null;
                int done = 0;
                FileBatch.Run(run, tasks, task =>
                {
                    ImageEntry entry = Restore(run, task, network, options, replace, () => device ??= run.OpenDevice());
                    progress?.Report(++done);
                    return entry;
                }, ImageEntry.Failed, Print, entry => entry.Error);
            }
            finally
            {
                device?.Dispose();
            }
        })
        { inputs, output, model, strength, sigma, noGuard, show, overwrite };
    }

    private static ImageEntry Restore(Invocation run, FileTask task, Network network, DeblurOptions options, bool overwrite, Func<ComputeDevice> openDevice)
    {
        long start = Stopwatch.GetTimestamp();
        string extension = Path.GetExtension(task.Output).ToLowerInvariant();
        if (!PictureFile.Extensions.Contains(extension))
            throw new UsageException($"{task.Output}: pictures are written as {string.Join(", ", PictureFile.Extensions.Select(known => known[1..]))}. Give the output one of these endings.");
        if (PendingFile.IsSameFile(task.Input, task.Output)) throw new IOException($"{task.Output} is the input itself. Name another output with -o.");
        using PictureFile picture = PictureFile.Load(task.Input, asRgb: network.Description.C == 3);
        using var file = new PendingFile(task.Output, overwrite);
        if (picture.LossIn(extension) is { } loss) run.Note($"{task.Input}: the picture loses {loss} in {extension}.");
        using var deblurrer = new Deblurrer(openDevice(), network, picture.Frame.Format, options);
        deblurrer.Process(picture.Frame);
        picture.Save(file.TemporaryPath);
        file.Commit();
        return new(task.Input, task.Output, picture.Frame.Format.Width, picture.Frame.Format.Height, deblurrer.LastSigma, deblurrer.LastIsSharp, Stopwatch.GetElapsedTime(start).TotalSeconds, FileStatus.Done, null);
    }

    private static void Print(ImageEntry entry, TextWriter text) =>
        text.WriteLine(string.Create(CultureInfo.InvariantCulture, $"{entry.Output}: {entry.Width}x{entry.Height} in {entry.Seconds:0.0} s{(entry.Unchanged ? ", sharp already, left as it was" : entry.Sigma is { } sigma ? $", sigma {sigma:0.00}" : "")}"));
}

/// <summary>One file in the result of <c>deblur image</c>.</summary>
/// <param name="Input">As named by the user.</param>
/// <param name="Output">What was written; null if nothing.</param>
/// <param name="Width">Columns.</param>
/// <param name="Height">Rows.</param>
/// <param name="Sigma">Of the blur that was restored, in pixels, as set or estimated; null where the network does not depend on it.</param>
/// <param name="Unchanged">Whether the picture was found to be sharp and left as it was.</param>
/// <param name="Seconds">Time it took.</param>
/// <param name="Status">How it ended.</param>
/// <param name="Error">What went wrong and what to do; null if nothing.</param>
internal sealed record ImageEntry(string Input, string? Output, int Width, int Height, float? Sigma, bool Unchanged, double Seconds, FileStatus Status, string? Error)
{
    public static ImageEntry Failed(FileTask task, string error) => new(task.Input, null, 0, 0, null, false, 0, FileStatus.Failed, error);
}
