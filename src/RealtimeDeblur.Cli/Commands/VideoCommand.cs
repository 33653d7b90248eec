using System.CommandLine;
using System.Globalization;
using RealtimeDeblur.Compute;
using RealtimeDeblur.Networks;
using RealtimeDeblur.Pipeline;
using RealtimeDeblur.Restoration;
using RealtimeDeblur.Video;

namespace RealtimeDeblur.Cli.Commands;

/// <summary><c>deblur video</c>: video files to restored video files, or raw frames from one program to another.</summary>
internal static class VideoCommand
{
    /// <summary>As an output: none.</summary>
    private const string NoOutput = "null";

    /// <summary>Endings looked for in folders.</summary>
    private static readonly string[] Extensions =
        [".mp4", ".m4v", ".mov", ".mkv", ".webm", ".avi", ".ts", ".m2ts", ".mts", ".mpg", ".mpeg", ".wmv", ".flv", ".3gp", ".ogv", ".mxf", ".y4m", ".nut"];

    /// <summary>Containers that hold H.264 and a timestamp per frame; anything else becomes Matroska unless -o says otherwise.</summary>
    private static readonly string[] KeptContainers = [".mp4", ".m4v", ".mov", ".mkv", ".ts", ".m2ts", ".mts"];

    public static Command Create()
    {
        Argument<string[]> inputs = new("INPUT") { Description = $"Video files and folders with videos; or '{StandardStreams.Path}' for raw frames from standard input, as NUT.", Arity = ArgumentArity.OneOrMore };
        Option<string?> output = new("--output", "-o")
        {
            Description = $"Restored file; for several inputs a folder. Without it results go beside their inputs as NAME-restored. '{StandardStreams.Path}' sends raw frames to standard output, as NUT. '{NoOutput}' writes nothing and shows how fast restoring alone is.",
            HelpName = "PATH",
        };
        Option<string> model = RestoreOptions.Model();
        Option<float> strength = RestoreOptions.Strength();
        Option<SigmaSetting> sigma = RestoreOptions.Sigma();
        Option<string?> encoder = new("--encoder") { Description = "Codec: h264, hevc, av1, vp9, vp8, ffv1 or prores; or an encoder of ffmpeg, e.g. hevc_nvenc. Without it h264, or vp9 for .webm.", HelpName = "NAME" };
        Option<int?> quality = new("--quality") { Description = $"0 to {VideoEncoder.Lossless}, higher is better and larger, the same for every encoder; {VideoEncoder.Lossless} is lossless where the encoder can. Without it {VideoEncoder.DefaultQuality}, which looks like the original.", HelpName = "NUMBER" };
        quality.Validators.Add(result =>
        {
            if (result.GetValueOrDefault<int?>() is < 0 or > VideoEncoder.Lossless) result.AddError($"--quality must be 0 to {VideoEncoder.Lossless} (best), e.g. {VideoEncoder.DefaultQuality}.");
        });
        Option<string[]> encoderOptions = new("--encoder-option") { Description = "Option of ffmpeg for the encoder, e.g. preset=slow or x265-params=aq-mode=3. May be given several times.", HelpName = "NAME=VALUE" };
        encoderOptions.Validators.Add(result =>
        {
            foreach (string option in result.GetValueOrDefault<string[]>() ?? [])
            {
                if (option.IndexOf('=', StringComparison.Ordinal) <= 0) result.AddError($"--encoder-option takes NAME=VALUE, e.g. preset=slow, not '{option}'.");
            }
        });
        Option<bool> noGuard = RestoreOptions.NoGuard();
        Option<bool> overwrite = RestoreOptions.Overwrite();

        return new CliCommand("video", "Restores video files. Sound, subtitles, timing, colours and orientation stay as they are.", "deblur video holiday.mp4 -o holiday-sharp.mp4", run =>
        {
            bool dropsFrames = run.Get(output) == NoOutput, writesToStdout = run.Get(output) == StandardStreams.Path;
            if (writesToStdout && (run.IsGiven(encoder) || run.IsGiven(quality) || run.IsGiven(encoderOptions))) throw new UsageException("--encoder, --quality and --encoder-option say how a file is encoded; frames on standard output are raw. Leave them to the program that reads them.");
            IReadOnlyList<FileTask> tasks = Plan(run.Get(inputs), run.Get(output));
            Network network = ModelCatalog.Load(run.Get(model));
            RestoreOptions.NoteIfUseless(run, sigma, network);
            var options = new VideoRestorationOptions
            {
                Encoder = run.Get(encoder),
                Quality = run.Get(quality),
                EncoderOptions = [.. run.Get(encoderOptions).Select(EncoderOption.Parse)],
                Deblur = new DeblurOptions { Strength = run.Get(strength), Sigma = run.Get(sigma), Guard = !run.Get(noGuard) },
                Overwrite = run.Get(overwrite),
            };
            // A device takes about as long to open as ffprobe to look into the first file: both at once.
            var device = new Lazy<ComputeDevice>(run.OpenDevice);
            var opening = new Thread(() => Open(device)) { Name = "deblur device" };
            opening.Start();
            try
            {
                FileBatch.Run(run, tasks, task => Restore(run, task.Input, dropsFrames ? null : task.Output, network, options, device), VideoEntry.Failed, Print, entry => entry.Error, toStderr: writesToStdout);
            }
            finally
            {
                opening.Join();
                if (device.IsValueCreated) device.Value.Dispose();
            }
        })
        { inputs, output, model, strength, sigma, noGuard, encoder, quality, encoderOptions, overwrite };
    }

    /// <summary>What is to be done. Standard streams stand alone: each carries one video.</summary>
    private static IReadOnlyList<FileTask> Plan(string[] inputs, string? output)
    {
        bool readsStdin = inputs.Contains(StandardStreams.Path), writesToStdout = output == StandardStreams.Path;
        if (inputs.Length > 1 && (readsStdin || writesToStdout)) throw new UsageException($"'{StandardStreams.Path}' carries one video, but there are {inputs.Length} inputs: restore them one by one.");
        if (writesToStdout && Directory.Exists(inputs[0])) throw new UsageException($"Standard output carries one video, but {inputs[0]} is a folder: name a file, or a folder for the results with -o.");
        if (writesToStdout && !Console.IsOutputRedirected) throw new UsageException("Raw frames are nothing for a terminal: send standard output to a program or a file, e.g. '| ffplay -f nut -'.");
        if (!readsStdin) return writesToStdout ? [new(inputs[0], StandardStreams.Path)] : FileBatch.Plan(inputs, output == NoOutput ? null : output, "videos", Extensions, extension => KeptContainers.Contains(extension.ToLowerInvariant()) ? extension : ".mkv");
        if (!Console.IsInputRedirected) throw new UsageException("Standard input is the terminal: send it raw frames, e.g. 'ffmpeg -i FILE -an -c:v rawvideo -f nut - | deblur video - -o -'.");
        if (output is null || Path.EndsInDirectorySeparator(output)) throw new UsageException("Standard input has no name to make the result's of: name a file with -o, or '-' for standard output.");
        return [new(StandardStreams.Path, output)];
    }

    private static void Open(Lazy<ComputeDevice> device)
    {
        try
        {
            _ = device.Value;
        }
        catch (OpenClException)
        {
            // Comes out again, in its turn, where the device is used.
        }
    }

    private static VideoEntry Restore(Invocation run, string input, string? output, Network network, VideoRestorationOptions options, Lazy<ComputeDevice> device)
    {
        using var restoration = new VideoRestoration(input, output, options);
        VideoRestorationResult result;
        using (ProgressDisplay progress = run.StartProgress($"Restoring {NameOf(Path.GetFileName(input), StandardStreams.InputName)}", "frames", restoration.ExpectedFrames))
            result = restoration.Run(device.Value, network, run.Note, progress, run.Cancellation);
        PipelineReport report = result.Report;
        run.Detail(string.Create(CultureInfo.InvariantCulture,
            $"{NameOf(input, StandardStreams.InputName)}: per frame read {report.Read.MedianMs:0.0} ms, restore {report.Restore.MedianMs:0.0} ms (99 %: {report.Restore.P99Ms:0.0}), write {report.Write.MedianMs:0.0} ms; from decoded to written {report.Latency.MedianMs:0.0} ms (99 %: {report.Latency.P99Ms:0.0})"));
        if (result.Remark is not null && result.Status != VideoRestorationStatus.Truncated) run.Note(result.Remark);
        return new(input, result.Output, report.Frames, report.Elapsed.TotalSeconds, report.FramesPerSecond, result.FirstFrame.TotalMilliseconds, report.MedianSigma,
            result.Status switch { VideoRestorationStatus.Done => FileStatus.Done, VideoRestorationStatus.Truncated => FileStatus.Truncated, _ => FileStatus.Interrupted },
            result.Status == VideoRestorationStatus.Truncated ? result.Remark : null);
    }

    /// <summary>What a line for people calls a path.</summary>
    private static string NameOf(string path, string standardStream) => path == StandardStreams.Path ? standardStream : path;

    private static void Print(VideoEntry entry, TextWriter text)
    {
        if (entry.Status == FileStatus.Done)
            text.WriteLine(string.Create(CultureInfo.InvariantCulture, $"{(entry.Output is { } output ? NameOf(output, StandardStreams.OutputName) : NameOf(entry.Input, StandardStreams.InputName))}: {entry.Frames} frames in {entry.Seconds:0.0} s, {entry.FramesPerSecond:0.0} frames/s{(entry.Sigma is { } sigma ? $", sigma {sigma:0.00}" : "")}"));
    }
}

/// <summary>One file in the result of <c>deblur video</c>.</summary>
/// <param name="Input">As named by the user.</param>
/// <param name="Output">What was written; null if nothing.</param>
/// <param name="Frames">Frames restored.</param>
/// <param name="Seconds">Time it took.</param>
/// <param name="FramesPerSecond">Frames over seconds.</param>
/// <param name="FirstFrameMs">From opening the input, the device's set-up included, to the first restored frame.</param>
/// <param name="Sigma">Of the blur that was restored, in pixels: the median over the frames. Null where the network does not depend on it.</param>
/// <param name="Status">How it ended.</param>
/// <param name="Error">What went wrong and what to do; null if nothing.</param>
internal sealed record VideoEntry(string Input, string? Output, long Frames, double Seconds, double FramesPerSecond, double FirstFrameMs, float? Sigma, FileStatus Status, string? Error)
{
    public static VideoEntry Failed(FileTask task, string error) => new(task.Input, null, 0, 0, 0, 0, null, FileStatus.Failed, error);
}
