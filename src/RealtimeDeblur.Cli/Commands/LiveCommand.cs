using System.CommandLine;
using System.Globalization;
using System.Text.RegularExpressions;
using RealtimeDeblur.Cli.Live;
using RealtimeDeblur.Networks;
using RealtimeDeblur.Pipeline;
using RealtimeDeblur.Preview;
using RealtimeDeblur.Restoration;
using RealtimeDeblur.Video;
using RealtimeDeblur.Video.Live;

namespace RealtimeDeblur.Cli.Commands;

/// <summary><c>deblur live</c>: a camera, or anything else that moves, restored as it comes.</summary>
internal static partial class LiveCommand
{
    private const string Pattern = "pattern";
    private const string Yuv4Mpeg = "y4m";
    private const int LargestSide = 8192;
    private const double LargestRate = 1000;

    public static Command Create()
    {
        Option<string?> camera = new("--camera") { Description = "Camera: its number in --list, part of its name, or its device path. The first one, when no other source is named.", HelpName = "CAMERA" };
        Option<string?> url = new("--url") { Description = "Stream from the network, e.g. http://192.168.1.5:8080/video or rtsp://192.168.1.5/stream.", HelpName = "URL" };
        Option<string?> input = new("--input") { Description = $"Video file, played at its own speed and looped; or '{Pattern}', a moving test pattern of known blur.", HelpName = $"FILE|{Pattern}" };
        Option<string?> screen = new("--screen") { Description = "The X11 screen, or a part of it.", HelpName = "WxH+X+Y", Arity = ArgumentArity.ZeroOrOne };
        Option<bool> list = new("--list") { Description = "List the cameras and their modes, and end." };
        Option<(int, int)?> size = new("--size") { Description = "Size to ask the camera for, or of the test pattern. Without it 1280x720, where the camera has that.", HelpName = "WxH", CustomParser = ParseSize };
        Option<double?> rate = new("--rate") { Description = "Frames per second to ask the camera for, or of pattern and screen. Without it 30.", HelpName = "FPS" };
        rate.Validators.Add(result =>
        {
            if (result.GetValueOrDefault<double?>() is { } value && !(value is > 0 and <= LargestRate)) result.AddError("--rate must be above 0 and at most 1000 frames per second, e.g. 30.");
        });
        Option<string?> model = new("--model") { Description = "Network: a shipped name or a .safetensors file. Without it the best of quality-camera, fast-camera and tiny-camera that keeps up.", HelpName = "NAME|FILE" };
        Option<string?> filter = RestoreOptions.Method();
        Option<string?> compare = new("--compare") { Description = "Show at the left, in place of the original, what another method makes of the picture: a filter as for --method, or a network as for --model. Key C of the window changes it.", HelpName = "METHOD" };
        Option<float> strength = RestoreOptions.Strength();
        Option<SigmaSetting> sigma = RestoreOptions.Sigma();
        Option<SigmaSource> sigmaFrom = RestoreOptions.SigmaFrom();
        Option<bool> noGuard = RestoreOptions.NoGuard();
        Option<string?> virtualCamera = new("--virtual-camera") { Description = "Also feed this v4l2loopback device, so that browsers, OBS and meeting programs can choose it as their camera.", HelpName = "/dev/videoN" };
        Option<string?> output = new("--output", "-o") { Description = $"'{StandardStreams.Path}' writes restored frames to standard output, for other programs; what is printed otherwise goes to stderr.", HelpName = StandardStreams.Path };
        output.Validators.Add(result =>
        {
            if (result.GetValueOrDefault<string?>() is { } value && value != StandardStreams.Path) result.AddError($"--output takes '{StandardStreams.Path}' only, for standard output. --record makes a file.");
        });
        Option<string> format = new("--format")
        {
            Description = "Of standard output: nut (every frame with its time; ffmpeg, ffplay and mpv read it) or y4m (constant rate, see --rate).",
            HelpName = "nut|y4m",
            DefaultValueFactory = _ => "nut",
        };
        format.Validators.Add(result =>
        {
            if (result.GetValueOrDefault<string>() is not ("nut" or Yuv4Mpeg)) result.AddError($"--format must be nut or {Yuv4Mpeg}.");
        });
        Option<string?> record = new("--record") { Description = "Also record to this file, H.264 in .mp4 or .mkv.", HelpName = "FILE" };
        Option<bool> overwrite = RestoreOptions.Overwrite();
        Option<bool> noWindow = new("--no-window") { Description = "Open no window: for outputs alone, and for measuring." };
        Option<bool> fullscreen = new("--fullscreen") { Description = "Begin with the window filling the screen." };
        Option<double?> seconds = new("--seconds") { Description = "End after this time. Without it the window, or Ctrl-C, ends it.", HelpName = "SECONDS" };
        seconds.Validators.Add(result =>
        {
            if (result.GetValueOrDefault<double?>() is { } value && !(value is > 0 and < 1e6)) result.AddError("--seconds must be above 0, e.g. 10.");
        });
        Option<string?> watchKernels = new("--watch-kernels") { Description = "Build the kernel files of this folder instead of the program's own, and again whenever one changes.", HelpName = "DIR" };

        Option<string> folder = new("--folder") { Description = "Folder for the snapshots and recordings that are made from the window.", HelpName = "DIR", DefaultValueFactory = _ => "." };

        return new CliCommand("live", "Restores a camera, a stream, the screen or a file as it plays, in a window and for other programs.", "deblur live --camera 0", run =>
        {
            if (run.Get(list))
            {
                run.Result(new CameraListResult(CameraList.Find(out string? remark), remark), Print);
                return;
            }
            ILiveInput source = OpenInput(run, camera, url, input, screen, size, rate);
            if (run.IsGiven(filter) && run.IsGiven(model)) throw new UsageException("--model and --method are two ways to restore: choose one.");
            string? method = run.Get(filter) is { } filterName ? RestoreOptions.ParseFilter(filterName).Name : run.Get(model);
            if (method is not null) RestorationMethod.Load(method);
            if (run.IsGiven(compare) && run.Get(noWindow)) throw new UsageException("--compare is for the eye: leave --no-window out.");
            string? compared = run.Get(compare);
            // A filter by the name that the window's list has; a network may be a file.
            if (compared is not null && RestoreOptions.Load(compare.Name, compared) is { Filter: not null } comparedFilter) compared = comparedFilter.Name;
            string? kernels = run.Get(watchKernels);
            if (kernels is not null && !Directory.Exists(kernels)) throw new UsageException($"--watch-kernels {kernels}: there is no such folder. Name a copy of the folder kernels/.");
            if (!Directory.Exists(run.Get(folder))) throw new UsageException($"--folder {run.Get(folder)}: there is no such folder. Make it first.");
            bool hasWindow = !run.Get(noWindow);
            PreviewView view = hasWindow ? LiveSettings.Load() : new();
            if (!hasWindow || run.IsGiven(strength)) view.Strength = run.Get(strength);
            if (run.Get(fullscreen)) view.IsFullscreen = true;
            var options = new DeblurOptions { Strength = (float)view.Strength, Sigma = run.Get(sigma), SigmaFrom = run.Get(sigmaFrom), Guard = !run.Get(noGuard) };

            using var outputs = new OutputList();
            bool writesToStdout = run.Get(output) is not null;
            if (writesToStdout) outputs.Add(StandardStreams.OutputName, new LiveStreamSink(StandardStreams.OpenOutput(), StandardStreams.OutputName, run.Get(format) == Yuv4Mpeg ? LiveStreamFormat.Yuv4Mpeg : LiveStreamFormat.Nut, run.Get(rate) ?? CameraRequest.Default.FramesPerSecond));
            if (run.Get(virtualCamera) is { } device) outputs.Add(device, new VirtualCameraSink(device));
            if (run.Get(record) is { } file) outputs.Add(file, new RecordingSink(file, run.Get(overwrite)));

            using var end = CancellationTokenSource.CreateLinkedTokenSource(run.Cancellation);
            if (run.Get(seconds) is { } limit) end.CancelAfter(TimeSpan.FromSeconds(limit));
            using var pipeline = new LivePipeline(source, run.Device, method, options, kernels) { Compared = compared };
            using KernelWatch? watch = kernels is null ? null : new(kernels, pipeline.ReloadKernels);
            pipeline.Noticed += run.Note;
            pipeline.Start();
            if (hasWindow)
            {
                // Opened while device and camera start.
                using var window = new PreviewWindow($"{source.Name} - deblur", 1280, 720, view);
                using var session = new WindowSession(run, pipeline, window, outputs, source.Name, run.Get(folder));
                session.Run(end.Token);
                LiveSettings.Save(view);
            }
            else
            {
                HeadlessSession.Run(run, pipeline, outputs.Sinks, $"Live from {source.Name}", end.Token);
            }
            pipeline.Dispose();
            run.Result(LiveResult.Of(source.Name, pipeline), (result, text) => result.Print(text), toStderr: writesToStdout);
        })
        { camera, url, input, screen, list, size, rate, model, filter, compare, strength, sigma, sigmaFrom, noGuard, virtualCamera, output, format, record, overwrite, noWindow, fullscreen, folder, seconds, watchKernels };
    }

    private static ILiveInput OpenInput(Invocation run, Option<string?> camera, Option<string?> url, Option<string?> input, Option<string?> screen, Option<(int Width, int Height)?> size, Option<double?> rate)
    {
        Option[] given = [.. new Option[] { camera, url, input, screen }.Where(run.IsGiven)];
        if (given.Length > 1) throw new UsageException($"{given[0].Name} and {given[1].Name} are two sources: choose one.");
        double framesPerSecond = run.Get(rate) ?? CameraRequest.Default.FramesPerSecond;
        (int width, int height) = run.Get(size) ?? (CameraRequest.Default.Width, CameraRequest.Default.Height);
        if (run.IsGiven(url)) return FfmpegLiveInput.FromUrl(run.Get(url)!);
        if (run.IsGiven(screen)) return FfmpegLiveInput.FromScreen(region: run.Get(screen) is { } part ? ParseRegion(part) : null, framesPerSecond: framesPerSecond);
        if (run.IsGiven(input)) return run.Get(input) == Pattern ? new PatternInput(width, height, framesPerSecond) : FfmpegLiveInput.FromFile(run.Get(input)!);
        CameraRequest? request = run.IsGiven(size) || run.IsGiven(rate) ? new(width, height, framesPerSecond) : null;
        return new CameraInput(run.Get(camera) ?? "0", request, run.Note);
    }

    private static void Print(CameraListResult result, TextWriter text)
    {
        foreach (CameraDescription camera in result.Cameras)
        {
            text.WriteLine($"{camera.Path}: {camera.Name}");
            foreach (CameraMode mode in camera.Modes) text.WriteLine($"   {mode}");
        }
        if (result.Cameras.Count == 0) text.WriteLine("There is no camera. 'deblur live --input pattern' shows a test pattern.");
        if (result.Remark is not null) text.WriteLine(result.Remark);
    }

    private static (int, int)? ParseSize(System.CommandLine.Parsing.ArgumentResult result)
    {
        Match match = SizeText().Match(result.Tokens[0].Value);
        if (match.Success && int.TryParse(match.Groups[1].Value, CultureInfo.InvariantCulture, out int width) && int.TryParse(match.Groups[2].Value, CultureInfo.InvariantCulture, out int height)
            && width is >= 16 and <= LargestSide && height is >= 16 and <= LargestSide) return (width, height);
        result.AddError($"--size must be columns and rows, 16 to {LargestSide}, e.g. 1280x720.");
        return null;
    }

    private static ScreenRegion ParseRegion(string text)
    {
        Match match = RegionText().Match(text);
        int[] numbers = match.Success ? [.. match.Groups.Values.Skip(1).Select(group => int.TryParse(group.ValueSpan, CultureInfo.InvariantCulture, out int number) ? number : 0)] : [0];
        return numbers is [> 0, > 0, >= 0, >= 0] ? new(numbers[2], numbers[3], numbers[0], numbers[1]) : throw new UsageException($"--screen {text}: a part of the screen is columns, rows and the place of its corner, e.g. 800x600+100+50.");
    }

    [GeneratedRegex(@"^(\d+)x(\d+)$")]
    private static partial Regex SizeText();

    [GeneratedRegex(@"^(\d+)x(\d+)\+(\d+)\+(\d+)$")]
    private static partial Regex RegionText();
}

/// <summary>Result of <c>deblur live --list</c>.</summary>
/// <param name="Cameras">By number.</param>
/// <param name="Remark">What is missing and why; null if nothing.</param>
internal sealed record CameraListResult(IReadOnlyList<CameraDescription> Cameras, string? Remark);
