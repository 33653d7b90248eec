using System.CommandLine;
using System.Globalization;
using System.Text.RegularExpressions;
using RealtimeDeblur.Cli.Live;
using RealtimeDeblur.Networks;
using RealtimeDeblur.Pipeline;
using RealtimeDeblur.Restoration;
using RealtimeDeblur.Video.Live;

namespace RealtimeDeblur.Cli.Commands;

/// <summary><c>deblur live</c>: a camera, or anything else that moves, restored as it comes.</summary>
internal static partial class LiveCommand
{
    private const string Pattern = "pattern";
    private const string StandardOutput = "-";
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
        Option<float> strength = RestoreOptions.Strength();
        Option<SigmaSetting> sigma = RestoreOptions.Sigma();
        Option<bool> noGuard = RestoreOptions.NoGuard();
        Option<bool> noWindow = new("--no-window") { Description = "Open no window: for outputs alone, and for measuring." };
        Option<double?> seconds = new("--seconds") { Description = "End after this time. Without it the window, or Ctrl-C, ends it.", HelpName = "SECONDS" };
        seconds.Validators.Add(result =>
        {
            if (result.GetValueOrDefault<double?>() is { } value && !(value is > 0 and < 1e6)) result.AddError("--seconds must be above 0, e.g. 10.");
        });
        Option<string?> watchKernels = new("--watch-kernels") { Description = "Build the kernel files of this folder instead of the program's own, and again whenever one changes.", HelpName = "DIR" };

        return new CliCommand("live", "Restores a camera, a stream, the screen or a file as it plays, in a window and for other programs.", "deblur live --camera 0", run =>
        {
            ILiveInput source = OpenInput(run, camera, url, input, screen, size, rate);
            if (run.Get(model) is { } name) ModelCatalog.Load(name);
            string? kernels = run.Get(watchKernels);
            if (kernels is not null && !Directory.Exists(kernels)) throw new UsageException($"--watch-kernels {kernels}: there is no such folder. Name a copy of the folder kernels/.");


            var options = new DeblurOptions { Strength = run.Get(strength), Sigma = run.Get(sigma), Guard = !run.Get(noGuard) };

            using var end = CancellationTokenSource.CreateLinkedTokenSource(run.Cancellation);
            if (run.Get(seconds) is { } limit) end.CancelAfter(TimeSpan.FromSeconds(limit));
            using var pipeline = new LivePipeline(source, run.Device, run.Get(model), options, kernels);
            using KernelWatch? watch = kernels is null ? null : new(kernels, pipeline.ReloadKernels);
            pipeline.Start();
            if (run.Get(noWindow)) HeadlessSession.Run(run, pipeline, [], $"Live from {source.Name}", end.Token);
            pipeline.Dispose();
            run.Result(LiveResult.Of(source.Name, pipeline), (result, text) => result.Print(text));
        })
        { camera, url, input, screen, list, size, rate, model, strength, sigma, noGuard, noWindow, seconds, watchKernels };
    }

    private static ILiveInput OpenInput(Invocation run, Option<string?> camera, Option<string?> url, Option<string?> input, Option<string?> screen, Option<(int, int)?> size, Option<double?> rate)
    {
        Option[] given = [.. new Option[] { camera, url, input, screen }.Where(run.IsGiven)];
        if (given.Length > 1) throw new UsageException($"{given[0].Name} and {given[1].Name} are two sources: choose one.");
        double framesPerSecond = run.Get(rate) ?? 30;
        (int width, int height) = run.Get(size) ?? (1280, 720);
        if (run.IsGiven(url)) return FfmpegLiveInput.FromUrl(run.Get(url)!);
        if (run.IsGiven(screen)) return FfmpegLiveInput.FromScreen(region: run.Get(screen) is { } part ? ParseRegion(part) : null, framesPerSecond: framesPerSecond);
        if (run.IsGiven(input)) return run.Get(input) == Pattern ? new PatternInput(width, height, framesPerSecond) : FfmpegLiveInput.FromFile(run.Get(input)!);
        throw new NotSupportedException();
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
