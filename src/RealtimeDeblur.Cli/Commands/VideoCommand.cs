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
    /// <summary>Every job has an ffmpeg on either side; more than this fill no machine better.</summary>
    private const int MostJobs = 64;

    /// <summary>As an output: none.</summary>
    private const string NoOutput = "null";

    /// <summary>Endings looked for in folders.</summary>
    public static IReadOnlyList<string> Extensions { get; } =
        [".mp4", ".m4v", ".mov", ".mkv", ".webm", ".avi", ".ts", ".m2ts", ".mts", ".mpg", ".mpeg", ".wmv", ".flv", ".3gp", ".ogv", ".mxf", ".y4m", ".nut"];

    /// <summary>Containers that hold H.264 and a timestamp per frame; anything else becomes Matroska unless -o says otherwise.</summary>
    private static readonly string[] KeptContainers = [".mp4", ".m4v", ".mov", ".mkv", ".ts", ".m2ts", ".mts"];

    public static Command Create()
    {
        Argument<string[]> inputs = new("INPUT") { Description = $"Video files, folders with videos, and patterns such as 'clips/**/*.mp4'; or '{StandardStreams.Path}' for raw frames from standard input, as NUT.", Arity = ArgumentArity.OneOrMore };
        Option<string?> output = new("--output", "-o")
        {
            Description = $"Restored file; for several inputs a folder. Without it results go beside their inputs as NAME-restored. '{StandardStreams.Path}' sends raw frames to standard output, as NUT. '{NoOutput}' writes nothing and shows how fast restoring alone is.",
            HelpName = "PATH",
        };
        Option<string> model = RestoreOptions.Model();
        Option<string?> methodName = RestoreOptions.Method();
        Option<float> strength = RestoreOptions.Strength();
        Option<SigmaSetting> sigma = RestoreOptions.Sigma();
        Option<SigmaSource> sigmaFrom = RestoreOptions.SigmaFrom();
        Option<string?> encoder = new("--encoder") { Description = "Codec: h264, hevc, av1, vp9, vp8, ffv1 or prores; or an encoder of ffmpeg, e.g. hevc_nvenc. Without it HEVC, ProRes and FFV1 stay what they are, and everything else becomes h264, or vp9 for .webm.", HelpName = "NAME" };
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
        Option<bool> deinterlace = new("--deinterlace") { Description = "Make one picture of the two fields of every frame. Without it interlaced video stays interlaced." };
        Option<bool> resume = VideoOptions.Resume();
        Option<Shard?> shard = VideoOptions.Shard();
        Option<int?> stream = VideoOptions.Stream();
        Option<TimeSpan?> start = VideoOptions.Start(), duration = VideoOptions.Duration(), preview = VideoOptions.Preview();
        Option<VideoComparison> compare = VideoOptions.Compare();
        Option<string?> compareWith = VideoOptions.CompareWith();
        Option<int?> jobs = new("--jobs") { Description = "Files worked on at a time. Without it one per device: --device takes several, separated by commas, e.g. 0,1.", HelpName = "NUMBER" };
        jobs.Validators.Add(result =>
        {
            if (result.GetValueOrDefault<int?>() is < 1 or > MostJobs) result.AddError($"--jobs must be 1 to {MostJobs}, e.g. 2.");
        });
        Option<bool> dryRun = new("--dry-run") { Description = "Print what would be done with every file, and do nothing." };

        return new CliCommand("video", "Restores video files. Sound, subtitles, timing, colours and orientation stay as they are.", "deblur video holiday.mp4 -o holiday-sharp.mp4", run =>
        {
            bool dropsFrames = run.Get(output) == NoOutput, writesToStdout = run.Get(output) == StandardStreams.Path;
            if (writesToStdout && (run.IsGiven(encoder) || run.IsGiven(quality) || run.IsGiven(encoderOptions))) throw new UsageException("--encoder, --quality and --encoder-option say how a file is encoded; frames on standard output are raw. Leave them to the program that reads them.");
            IReadOnlyList<FileTask> tasks = Plan(run.Get(inputs), run.Get(output), run.IsGiven(preview) ? FileBatch.PreviewMark : run.Get(compare) != VideoComparison.None ? FileBatch.ComparisonMark : FileBatch.ResultMark);
            if (run.IsGiven(compareWith) && run.Get(compare) == VideoComparison.None) throw new UsageException("--compare-with says what is shown at the left of a comparison: add --compare split or --compare side.");
            RestorationMethod method = RestoreOptions.Resolve(run, model, methodName, sigma, sigmaFrom);
            var options = new VideoRestorationOptions
            {
                Encoder = run.Get(encoder),
                Quality = run.Get(quality),
                EncoderOptions = [.. run.Get(encoderOptions).Select(EncoderOption.Parse)],
                Deblur = new DeblurOptions { Strength = run.Get(strength), Sigma = run.Get(sigma), SigmaFrom = run.Get(sigmaFrom), Guard = !run.Get(noGuard) },
                Overwrite = run.Get(overwrite),
                Resume = run.Get(resume),
                Shard = run.Get(shard) ?? Shard.Whole,
                Deinterlace = run.Get(deinterlace),
                Stream = run.Get(stream),
                Start = run.Get(start),
                Duration = run.Get(preview) ?? run.Get(duration),
                FromMiddle = run.IsGiven(preview),
                Comparison = run.Get(compare),
                ComparedMethod = run.Get(compareWith) is { } other ? RestoreOptions.Load(compareWith.Name, other) : null,
            };
            if (run.IsGiven(preview) && run.IsGiven(duration)) throw new UsageException("--preview says how much is restored already: leave --duration out.");
            if (options.Shard.Count > 1 && options.Overwrite) throw new UsageException("--overwrite and --shard do not go together, because no share knows whether another was here before. Delete the old results first.");
            bool makesAll = options.Overwrite || dropsFrames;
            if (run.Get(dryRun))
            {
                PrintPlans(run, tasks, dropsFrames, makesAll, writesToStdout, method, options);
                return;
            }
            foreach (FileTask task in tasks.Where(task => task.HasResult)) VideoRestoration.CleanUp(task.Output);
            string?[] selectors = SelectDevices(run.Device);
            int jobsAtOnce = Math.Min(run.Get(jobs) ?? selectors.Length, tasks.Count);
            Lazy<ComputeDevice>[] devices = [.. selectors.Take(jobsAtOnce).Select(selector => new Lazy<ComputeDevice>(() => FileBatch.OpenDevice(run, selector)))];
            // A device takes about as long to open as ffprobe to look into the first file: both at once.
            Thread? opening = makesAll || !tasks.All(task => task.HasResult) ? new Thread(() => Open(devices)) { Name = "deblur device" } : null;
            opening?.Start();
            try
            {
                FileBatch.Run(run, tasks, makesAll, jobsAtOnce, job => Restore(run, job, dropsFrames ? null : job.Task.Output, method, options, devices[job.Worker % devices.Length]), WorkOf, toStderr: writesToStdout);
            }
            finally
            {
                opening?.Join();
                foreach (Lazy<ComputeDevice> device in devices.Where(device => device.IsValueCreated)) device.Value.Dispose();
            }
        })
        { inputs, output, model, methodName, strength, sigma, sigmaFrom, noGuard, encoder, quality, encoderOptions, deinterlace, stream, start, duration, preview, compare, compareWith, overwrite, resume, shard, jobs, dryRun };
    }

    /// <summary>What is to be done. Standard streams stand alone: each carries one video.</summary>
    private static IReadOnlyList<FileTask> Plan(string[] inputs, string? output, string mark)
    {
        bool readsStdin = inputs.Contains(StandardStreams.Path), writesToStdout = output == StandardStreams.Path;
        if (inputs.Length > 1 && (readsStdin || writesToStdout)) throw new UsageException($"'{StandardStreams.Path}' carries one video, but there are {inputs.Length} inputs: restore them one by one.");
        if (writesToStdout && Directory.Exists(inputs[0])) throw new UsageException($"Standard output carries one video, but {inputs[0]} is a folder: name a file, or a folder for the results with -o.");
        if (writesToStdout && !Console.IsOutputRedirected) throw new UsageException("Raw frames are nothing for a terminal: send standard output to a program or a file, e.g. '| ffplay -f nut -'.");
        if (!readsStdin) return writesToStdout ? [new(inputs[0], StandardStreams.Path)] : FileBatch.Plan(inputs, output == NoOutput ? null : output, "videos", Extensions, extension => KeptContainers.Contains(extension.ToLowerInvariant()) ? extension : ".mkv", mark);
        if (!Console.IsInputRedirected) throw new UsageException("Standard input is the terminal: send it raw frames, e.g. 'ffmpeg -i FILE -an -c:v rawvideo -f nut - | deblur video - -o -'.");
        if (output is null || Path.EndsInDirectorySeparator(output)) throw new UsageException("Standard input has no name to make the result's of: name a file with -o, or '-' for standard output.");
        return [new(StandardStreams.Path, output)];
    }

    /// <summary>What --device asks for, each device once.</summary>
    private static string?[] SelectDevices(string? option)
    {
        if (option is null || !option.Contains(',')) return [option];
        DeviceInfo[] known = [.. ComputeDevice.List()];
        return [.. option.Split(',', StringSplitOptions.TrimEntries).Select(selector =>
        {
            int index = ComputeDevice.Find(known, selector);
            // Throws, and says what there is to choose from.
            if (index < 0 || selector.Length == 0) ComputeDevice.Open(selector).Dispose();
            return known[index].Index.ToString(CultureInfo.InvariantCulture);
        }).Distinct()];
    }

    private static void Open(Lazy<ComputeDevice>[] devices)
    {
        try
        {
            foreach (Lazy<ComputeDevice> device in devices) _ = device.Value;
        }
        catch (BatchEndException)
        {
            // Comes out again, in its turn, where the device is used.
        }
    }

    /// <summary>Samples to restore, which tells how long a file takes beside others; null if it does not say.</summary>
    private static double? WorkOf(FileTask task) =>
        task.Input != StandardStreams.Path && VideoProbe.Probe(task.Input) is { MainVideo: { FrameRate.IsKnown: true } video } media && (video.DurationSeconds ?? media.DurationSeconds) is { } seconds
            ? seconds * video.FrameRate.Value * video.Width * video.Height : null;

    private static VideoEntry Restore(Invocation run, FileJob job, string? output, RestorationMethod method, VideoRestorationOptions options, Lazy<ComputeDevice> device)
    {
        string input = job.Task.Input, name = NameOf(input, StandardStreams.InputName);
        run.Log($"{name}, to {output ?? NoOutput}: {method.Name}, {options}");
        using var restoration = new VideoRestoration(input, output, options);
        VideoRestorationResult result;
        using (ProgressDisplay display = run.StartProgress($"Restoring {Path.GetFileName(name)}", "frames", restoration.ExpectedFrames, isPart: job.IsOneOfMany))
            result = restoration.Run(device.Value, method, run.Note, new FrameProgress(display, job, restoration), run.Cancellation);
        PipelineReport report = result.Report;
        run.Detail(string.Create(CultureInfo.InvariantCulture,
            $"{name}: per frame read {report.Read.MedianMs:0.0} ms, restore {report.Restore.MedianMs:0.0} ms (99 %: {report.Restore.P99Ms:0.0}), write {report.Write.MedianMs:0.0} ms; from decoded to written {report.Latency.MedianMs:0.0} ms (99 %: {report.Latency.P99Ms:0.0})"));
        if (result.Remark is not null && result.Status != VideoRestorationStatus.Truncated) run.Note(result.Remark);
        return new(input, result.Output, report.Frames, report.Elapsed.TotalSeconds, report.FramesPerSecond, report.FramesPerSecond / restoration.FrameRate, result.FirstFrame.TotalMilliseconds, report.MedianSigma,
            result.Output is not (null or StandardStreams.Path) ? new FileInfo(result.Output).Length : null,
            result.Status switch { VideoRestorationStatus.Done => FileStatus.Done, VideoRestorationStatus.ShareDone => FileStatus.Shared, VideoRestorationStatus.Truncated => FileStatus.Truncated, _ => FileStatus.Interrupted },
            result.Status == VideoRestorationStatus.Truncated ? result.Remark : null);
    }

    private static void PrintPlans(Invocation run, IReadOnlyList<FileTask> tasks, bool dropsFrames, bool makesAll, bool toStderr, RestorationMethod method, VideoRestorationOptions options)
    {
        List<VideoPlan> plans = [];
        using (ProgressDisplay? display = tasks.Count > 1 ? run.StartProgress("Looking at", "files", tasks.Count) : null)
        {
            foreach (FileTask task in tasks)
            {
                run.Cancellation.ThrowIfCancellationRequested();
                plans.Add(VideoPlan.Make(task.Input, dropsFrames ? null : task.Output, isSkipped: !makesAll && task.HasResult, method, options));
                display?.Report(plans.Count);
            }
        }
        run.Result(new BatchResult<VideoPlan>(plans), (result, text) =>
        {
            foreach (string line in result.Files.SelectMany(plan => plan.Lines())) text.WriteLine(line);
        }, toStderr);
        int failures = plans.Count(plan => plan.Action == PlannedAction.Fail);
        if (failures > 0) throw new IOException($"{failures} of {plans.Count} files cannot be restored; see the lines above.");
    }

    /// <summary>What a line for people calls a path.</summary>
    internal static string NameOf(string path, string standardStream) => path == StandardStreams.Path ? standardStream : path;

    /// <summary>Shows a file's progress and tells the batch of it.</summary>
    private sealed class FrameProgress(ProgressDisplay display, FileJob job, VideoRestoration restoration) : IProgress<PipelineProgress>
    {
        private readonly long? _expected = restoration.ExpectedFrames;
        private readonly double? _rate = restoration.FrameRate;
        private long _before;

        public void Report(PipelineProgress value)
        {
            // What an earlier run did comes first, and says nothing about speed.
            if (value.Elapsed == TimeSpan.Zero) display.GoOnFrom(_before = value.Frames);
            display.Report(value.Frames, _rate is { } rate ? VideoEntry.Factor((value.Frames - _before) / Math.Max(value.Elapsed.TotalSeconds, 1e-6) / rate) : null);
            if (_expected > 0) job.ReportShare((double)value.Frames / _expected.Value);
        }
    }
}

/// <summary>One file in the result of <c>deblur video</c>.</summary>
/// <param name="Input">As named by the user.</param>
/// <param name="Output">What was written; null if nothing.</param>
/// <param name="Frames">Frames restored.</param>
/// <param name="Seconds">Time it took.</param>
/// <param name="FramesPerSecond">Frames over seconds.</param>
/// <param name="RealTime">Seconds of the video restored per second of work; null where the file does not tell its frame rate.</param>
/// <param name="FirstFrameMs">From opening the input, the device's set-up included, to the first restored frame.</param>
/// <param name="Sigma">Of the blur that was restored, in pixels: the median over the frames. Null where the network does not depend on it.</param>
/// <param name="OutputBytes">Size of what was written; null if it is no file.</param>
/// <param name="Status">How it ended.</param>
/// <param name="Error">What went wrong and what to do; null if nothing.</param>
internal sealed record VideoEntry(string Input, string? Output, long Frames, double Seconds, double FramesPerSecond, double? RealTime, double FirstFrameMs, float? Sigma, long? OutputBytes, FileStatus Status, string? Error) : IFileEntry<VideoEntry>
{
    public static IReadOnlyList<string> Columns => ["frames", "seconds", "frames/s", "real time", "sigma", "output"];

    public static VideoEntry NotRestored(FileTask task, FileStatus status, string? error) => new(task.Input, null, 0, 0, 0, null, 0, null, null, status, error);

    /// <summary>Speed against real time: "1.8x".</summary>
    public static string Factor(double realTime) => $"{Number(realTime, realTime < 0.1 ? "0.00" : "0.0")}x";

    public string Describe() => string.Create(CultureInfo.InvariantCulture,
        $"{(Output is { } output ? VideoCommand.NameOf(output, StandardStreams.OutputName) : VideoCommand.NameOf(Input, StandardStreams.InputName))}: {Frames} frames in {Seconds:0.0} s, {FramesPerSecond:0.0} frames/s{(RealTime is { } factor ? $", {Factor(factor)} real time" : "")}{(Sigma is { } sigma ? $", sigma {sigma:0.00}" : "")}");

    public IReadOnlyList<string> Cells() => Frames == 0 ? ["", "", "", "", "", ""] :
    [
        Number(Frames, "0"), Number(Seconds, "0.0"), Number(FramesPerSecond, "0.0"), RealTime is { } factor ? Factor(factor) : "", Sigma is { } sigma ? Number(sigma, "0.00") : "",
        OutputBytes is { } bytes ? $"{Number(bytes / 1e6, bytes < 1e7 ? "0.00" : "0")} MB" : "",
    ];

    private static string Number(double value, string format) => value.ToString(format, CultureInfo.InvariantCulture);
}
