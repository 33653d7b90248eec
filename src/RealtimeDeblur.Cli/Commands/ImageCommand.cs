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
        Argument<string[]> inputs = new("INPUT") { Description = "Pictures, folders with pictures, and patterns such as 'photos/**/*.jpg'.", Arity = ArgumentArity.OneOrMore };
        Option<string?> output = new("--output", "-o")
        {
            Description = "Restored picture, its format by its ending; for several inputs a folder. Without it results go beside their inputs as NAME-restored.",
            HelpName = "PATH",
        };
        Option<string> model = RestoreOptions.Model();
        Option<string?> methodName = RestoreOptions.Method();
        Option<float> strength = RestoreOptions.Strength();
        Option<SigmaSetting> sigma = RestoreOptions.Sigma();
        Option<SigmaSource> sigmaFrom = RestoreOptions.SigmaFrom();
        Option<bool> noGuard = RestoreOptions.NoGuard();
        Option<DeblurView> show = new("--show")
        {
            Description = "What to write: the restored picture, or how far each pixel's correction is trusted, white in full and black not at all.",
            HelpName = "restored|confidence",
            DefaultValueFactory = _ => DeblurView.Restored,
        };
        Option<TimeSpan?> at = VideoOptions.Time("--at", "Take the inputs for videos, and of each restore the picture that is shown at this time, e.g. 90, 1:30 or 0:01:30.5.");
        Option<bool> overwrite = RestoreOptions.Overwrite();

        return new CliCommand("image", "Restores pictures.", "deblur image portrait.jpg --strength 0.7", run =>
        {
            IReadOnlyList<FileTask> tasks = run.IsGiven(at) ? FileBatch.Plan(run.Get(inputs), run.Get(output), "videos", VideoCommand.Extensions, _ => ".png")
                : FileBatch.Plan(run.Get(inputs), run.Get(output), "pictures", PictureFile.Extensions, extension => extension);
            RestorationMethod method = RestoreOptions.Resolve(run, model, methodName, sigma, sigmaFrom);
            var options = new DeblurOptions { Strength = run.Get(strength), Sigma = run.Get(sigma), SigmaFrom = run.Get(sigmaFrom), Guard = !run.Get(noGuard), View = run.Get(show) };
            if (options.View == DeblurView.Confidence && method.Network is not { IsConditioned: true })
                throw new UsageException($"{method.Name} is not told how strong the blur is, or is no network, so there is no confidence to show: choose another with --model, e.g. fast-camera.");
            bool replace = run.Get(overwrite);
            var device = new Lazy<ComputeDevice>(() => FileBatch.OpenDevice(run, run.Device));
            try
            {
                FileBatch.Run(run, tasks, replace, jobs: 1, job => Restore(run, job.Task, run.Get(at), method, options, replace, device));
            }
            finally
            {
                if (device.IsValueCreated) device.Value.Dispose();
            }
        })
        { inputs, output, model, methodName, strength, sigma, sigmaFrom, noGuard, show, at, overwrite };
    }

    private static ImageEntry Restore(Invocation run, FileTask task, TimeSpan? at, RestorationMethod method, DeblurOptions options, bool overwrite, Lazy<ComputeDevice> device)
    {
        run.Log($"{task.Input}, to {task.Output}: {method.Name}, {options}");
        long start = Stopwatch.GetTimestamp();
        string extension = Path.GetExtension(task.Output).ToLowerInvariant();
        if (at is null && VideoCommand.Extensions.Contains(Path.GetExtension(task.Input).ToLowerInvariant()))
            throw new UsageException($"{task.Input} is a video. Say which picture of it with --at, e.g. --at 1:30, or restore all of it with 'deblur video'.");
        if (!PictureFile.Extensions.Contains(extension))
            throw new UsageException($"{task.Output}: pictures are written as {string.Join(", ", PictureFile.Extensions.Select(known => known[1..]))}. Give the output one of these endings.");
        if (PendingFile.IsSameFile(task.Input, task.Output)) throw new IOException($"{task.Output} is the input itself. Name another output with -o.");
        using PictureFile picture = at is { } time ? PictureFile.LoadFrame(task.Input, time)
            : PictureFile.Load(task.Input, asRgb: method.C == 3);
        using var file = new PendingFile(task.Output, overwrite);
        if (picture.LossIn(extension) is { } loss) run.Note($"{task.Input}: the picture loses {loss} in {extension}.");
        using var deblurrer = new Deblurrer(device.Value, method, picture.Frame.Format, options);
        deblurrer.Process(picture.Frame);
        picture.Save(file.TemporaryPath);
        file.Commit();
        return new(task.Input, task.Output, picture.Frame.Format.Width, picture.Frame.Format.Height, deblurrer.LastSigma, deblurrer.LastIsSharp, Stopwatch.GetElapsedTime(start).TotalSeconds, FileStatus.Done, null);
    }
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
internal sealed record ImageEntry(string Input, string? Output, int Width, int Height, float? Sigma, bool Unchanged, double Seconds, FileStatus Status, string? Error) : IFileEntry<ImageEntry>
{
    public static IReadOnlyList<string> Columns => ["size", "seconds", "sigma"];

    public static ImageEntry NotRestored(FileTask task, FileStatus status, string? error) => new(task.Input, null, 0, 0, null, false, 0, status, error);

    public string Describe() => string.Create(CultureInfo.InvariantCulture, $"{Output}: {Width}x{Height} in {Seconds:0.0} s{(Unchanged ? ", sharp already, left as it was" : Sigma is { } sigma ? $", sigma {sigma:0.00}" : "")}");

    public IReadOnlyList<string> Cells() => Output is null ? ["", "", ""]
        : [$"{Width}x{Height}", Seconds.ToString("0.0", CultureInfo.InvariantCulture), Unchanged ? "sharp" : Sigma?.ToString("0.00", CultureInfo.InvariantCulture) ?? ""];
}
