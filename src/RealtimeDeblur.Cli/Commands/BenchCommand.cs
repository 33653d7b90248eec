using System.CommandLine;
using System.CommandLine.Parsing;
using System.Diagnostics;
using System.Globalization;
using RealtimeDeblur.Compute;
using RealtimeDeblur.Imaging;
using RealtimeDeblur.Networks;
using RealtimeDeblur.Restoration;

namespace RealtimeDeblur.Cli.Commands;

/// <summary><c>deblur bench</c>: how fast networks run on a device, checked before they are timed.</summary>
internal static class BenchCommand
{
    private const int MinSide = 64, MaxSide = 16384;

    /// <summary>Each figure comes from as many frames as fit into this time, within the limits below.</summary>
    private const double SecondsPerFigure = 3;
    private const int MinRuns = 20, MaxRuns = 300;

    public static Command Create()
    {
        Option<string[]> models = ModelOption();
        Option<FrameSize[]> sizes = SizeOption();
        return new CliCommand(
            "bench",
            "Measures how fast networks run on the device, beside the device's own peak. Results are checked before they are timed.",
            "deblur bench --model dbcnn --size 640x480,1280x720",
            run => run.Result(Measure(run, run.Get(models), run.Get(sizes)), Print))
        {
            models,
            sizes,
        };
    }

    /// <summary>--model, also of <c>deblur tune</c>.</summary>
    public static Option<string[]> ModelOption() => new("--model")
    {
        Description = $"Name of a shipped model or path of a .safetensors file, or with random weights one of {string.Join(", ", NetworkShapes.Names)}; may be repeated. Without it, every shipped model.",
        HelpName = "MODEL",
        AllowMultipleArgumentsPerToken = true,
    };

    /// <summary>--size, also of <c>deblur tune</c>.</summary>
    public static Option<FrameSize[]> SizeOption() => new("--size")
    {
        Description = $"Frame sizes, {MinSide} to {MaxSide} pixels a side, separated by commas.",
        HelpName = "WxH,...",
        CustomParser = ParseSizes,
        DefaultValueFactory = _ => [new(640, 480), new(1280, 720), new(1920, 1080)],
    };

    /// <summary>The networks that --model asks for. Speed does not depend on the weights, so a shape without trained ones will do.</summary>
    public static Network[] LoadNetworks(Invocation run, string[] models)
    {
        IReadOnlyList<string> names = models.Length > 0 ? models : ModelCatalog.Names;
        if (names.Count == 0) names = ["dbcnn"];
        return [.. names.Select(name =>
        {
            if (ModelCatalog.Names.Contains(name) || !NetworkShapes.Names.Contains(name)) return ModelCatalog.Load(name);
            run.Note($"No weights of '{name}' are installed: measuring with random ones, which takes the same time.");
            return UntrainedNetwork.Create(name);
        })];
    }

    private static FrameSize[] ParseSizes(ArgumentResult argument)
    {
        var sizes = new List<FrameSize>();
        foreach (string text in argument.Tokens.SelectMany(token => token.Value.Split(',')))
        {
            string[] sides = text.Split('x', 'X');
            if (sides.Length == 2 && Side(sides[0]) is { } width && Side(sides[1]) is { } height)
            {
                sizes.Add(new(width, height));
                continue;
            }
            argument.AddError($"--size must be sizes of {MinSide} to {MaxSide} pixels a side such as 640x480,1280x720, not '{text}'.");
            break;
        }
        return [.. sizes];

        static int? Side(string text) => int.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out int side) && side is >= MinSide and <= MaxSide ? side : null;
    }

    private static BenchResult Measure(Invocation run, string[] models, FrameSize[] sizes)
    {
        Network[] networks = LoadNetworks(run, models);
        using ComputeDevice device = run.OpenDevice();
        using ProgressDisplay progress = run.StartProgress("Measuring", "figures", (long)networks.Length * sizes.Length);
        double peak = PeakRate.MeasureMacPerSecond(device);
        var measured = new List<Measurement>();
        foreach (Network network in networks)
        {
            foreach (FrameSize size in sizes)
            {
                measured.Add(Measure(run, device, network, size));
                // A machine that others use has its quiet moments: the ceiling is the best seen.
                peak = Math.Max(peak, PeakRate.MeasureMacPerSecond(device));
                progress.Report(measured.Count, $"{network.Name} {size.Width}x{size.Height}");
            }
        }
        return new(device.Info.Name, device.Info.Driver, peak * 1e-9, [.. measured.Select(one => one.ToResult(peak))]);
    }

    private static Measurement Measure(Invocation run, ComputeDevice device, Network network, FrameSize size)
    {
        InferencePlan plan = InferenceSession.ChoosePlan(device.Info, network.Description, size.Width, size.Height);
        Check(device, network, size, plan);
        run.Cancellation.ThrowIfCancellationRequested();

        double[] deviceMs = Sample(run, InferenceSession.MeasureDeviceMs(device, network, size.Width, size.Height, plan));

        var format = new FrameFormat(network.Description.C == 1 ? PixelFormat.Yuv420P8 : PixelFormat.Rgb24, size.Width, size.Height);
        // Estimating sigma is no part of the network.
        using var deblurrer = new Deblurrer(device, network, format, new() { Sigma = SigmaSetting.Off });
        using var frame = new Frame(format);
        new Random(1).NextBytes(frame.Data);
        double[] endToEndMs = Sample(run, ProcessMs(deblurrer, frame));
        return new(network, size, plan, deviceMs, endToEndMs, FramesPerSecond(run, deblurrer, format, endToEndMs.Length));
    }

    private static IEnumerable<double> ProcessMs(Deblurrer deblurrer, Frame frame)
    {
        while (true)
        {
            long start = Stopwatch.GetTimestamp();
            deblurrer.Process(frame);
            yield return Stopwatch.GetElapsedTime(start).TotalMilliseconds;
        }
    }

    private static void Check(ComputeDevice device, Network network, FrameSize size, InferencePlan plan)
    {
        const double FloatTolerance = 1e-4;
        double error = InferenceSession.MeasureError(device, network, size.Width, size.Height, plan);
        if (!(error <= Math.Max(FloatTolerance, InferenceSession.Tolerance(plan, network.Description, size.Width, size.Height))))
        {
            throw new InvalidDataException(string.Create(CultureInfo.InvariantCulture,
                $"{network.Name} at {size.Width}x{size.Height} comes out wrong on {device.Info.Name} (off by {error:g2}), so it was not timed. Please report it with what `deblur devices --json` prints."));
        }
    }

    /// <summary>Takes two measurements to warm up, then many; gives them sorted.</summary>
    private static double[] Sample(Invocation run, IEnumerable<double> measurementsMs)
    {
        using IEnumerator<double> next = measurementsMs.GetEnumerator();
        Measure();
        double estimateMs = Measure();
        double[] samples = new double[(int)Math.Clamp(SecondsPerFigure * 1e3 / estimateMs, MinRuns, MaxRuns)];
        for (int i = 0; i < samples.Length; i++) samples[i] = Measure();
        Array.Sort(samples);
        return samples;

        double Measure()
        {
            run.Cancellation.ThrowIfCancellationRequested();
            next.MoveNext();
            return next.Current;
        }
    }

    /// <summary>Throughput with as many frames in flight as the deblurrer takes.</summary>
    private static double FramesPerSecond(Invocation run, Deblurrer deblurrer, FrameFormat format, int frames)
    {
        using var pool = new FramePool(format);
        long start = Stopwatch.GetTimestamp();
        for (int i = 0; i < frames; i++)
        {
            run.Cancellation.ThrowIfCancellationRequested();
            if (deblurrer.InFlight == Deblurrer.MaxInFlight) deblurrer.Collect().Dispose();
            deblurrer.Submit(pool.Rent());
        }
        while (deblurrer.InFlight > 0) deblurrer.Collect().Dispose();
        return frames / Stopwatch.GetElapsedTime(start).TotalSeconds;
    }

    private static void Print(BenchResult result, TextWriter text)
    {
        text.WriteLine($"{result.Device} ({result.Driver})");
        text.WriteLine(string.Create(CultureInfo.InvariantCulture, $"peak {result.FmaPeakGmacPerSecond:0.0} GMAC/s (fused multiply-adds on registers only, same run)"));
        text.WriteLine();
        text.WriteLine("model                         size   plan       MAC/pixel   device ms   share of peak   frame ms      p99   frames/s   runs");
        foreach (BenchRow row in result.Results)
        {
            text.WriteLine(string.Create(CultureInfo.InvariantCulture,
                $"{row.Model,-22} {row.Width + "x" + row.Height,11}   {row.Plan.Split(' ')[0],-8} {row.MacPerPixel,11:N0} {row.DeviceMs,11:0.00} {row.ShareOfPeak,15:0 %} {row.MedianMs,10:0.00} {row.P99Ms,8:0.00} {row.FramesPerSecond,10:0.0} {row.Runs,6}"));
        }
        text.WriteLine();
        foreach (BenchRow row in result.Results) text.WriteLine($"{row.Model} {row.Width}x{row.Height}: {row.Plan}");
        text.WriteLine("device ms: the network's kernels alone; frame ms: from a frame in memory to the restored frame in memory; medians.");
    }

    private sealed record Measurement(Network Network, FrameSize Size, InferencePlan Plan, double[] DeviceMs, double[] EndToEndMs, double FramesPerSecond)
    {
        public BenchRow ToResult(double peakMacPerSecond)
        {
            int macPerPixel = Network.Description.MacPerPixel;
            double deviceMs = Quantile(DeviceMs, 0.5);
            double share = (double)macPerPixel * Size.Width * Size.Height / (deviceMs * 1e-3) / peakMacPerSecond;
            return new(Network.Name, Size.Width, Size.Height, macPerPixel, Plan.ToString(), Quantile(EndToEndMs, 0.5), Quantile(EndToEndMs, 0.99), deviceMs, FramesPerSecond, share, EndToEndMs.Length);
        }

        private static double Quantile(double[] sorted, double share) => sorted[(int)Math.Ceiling(share * sorted.Length) - 1];
    }
}

internal readonly record struct FrameSize(int Width, int Height)
{
    /// <summary>As it is written on the command line; the help shows it.</summary>
    public override string ToString() => FormattableString.Invariant($"{Width}x{Height}");
}

/// <summary>Result of <c>deblur bench</c>.</summary>
/// <param name="Device">Name of the device.</param>
/// <param name="Driver">Its driver.</param>
/// <param name="FmaPeakGmacPerSecond">Best rate of fused multiply-adds seen during the run.</param>
/// <param name="Results">One per model and size.</param>
internal sealed record BenchResult(string Device, string Driver, double FmaPeakGmacPerSecond, IReadOnlyList<BenchRow> Results);

/// <param name="Model">Name of the network.</param>
/// <param name="Width">Columns of the frame.</param>
/// <param name="Height">Rows of the frame.</param>
/// <param name="MacPerPixel">Multiply-accumulates of the network's direct form.</param>
/// <param name="Plan">Which kernels ran, and with which macros.</param>
/// <param name="MedianMs">From a frame in host memory to the restored frame there, one at a time.</param>
/// <param name="P99Ms">99th percentile of the same.</param>
/// <param name="DeviceMs">Median device time of the network's kernels.</param>
/// <param name="FramesPerSecond">With several frames in flight.</param>
/// <param name="ShareOfPeak">Rate of multiply-accumulates during <paramref name="DeviceMs"/>, of the peak.</param>
/// <param name="Runs">Frames timed.</param>
internal sealed record BenchRow(string Model, int Width, int Height, int MacPerPixel, string Plan, double MedianMs, double P99Ms, double DeviceMs, double FramesPerSecond, double ShareOfPeak, int Runs);
