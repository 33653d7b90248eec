using System.CommandLine;
using System.Diagnostics;
using System.Globalization;
using RealtimeDeblur.Compute;
using RealtimeDeblur.Imaging;
using RealtimeDeblur.Networks;
using RealtimeDeblur.Restoration;

namespace RealtimeDeblur.Benchmarks;

/// <summary>
/// What a call of <see cref="Deblurrer.Process(ReadOnlyFrameView, FrameView)"/> costs besides its kernels: copies, launches, waiting. Both are timed in turns, so that a machine that others use treats them alike;
/// the kernels run on buffers that are on the device already, enqueued as Process does and waited for once.
/// </summary>
internal static class ProcessCost
{
    private const float Sigma = 1.5f;

    public static Command Create(Option<string?> device)
    {
        Option<string[]> models = new("--model") { Description = "Shipped models, conditioned on sigma.", AllowMultipleArgumentsPerToken = true, DefaultValueFactory = _ => ["tiny-camera", "fast-camera", "quality-camera"] };
        Option<string> size = new("--size") { Description = "Frame size.", DefaultValueFactory = _ => "1280x720" };
        Option<int> runs = new("--runs") { Description = "Runs of each, in turns.", DefaultValueFactory = _ => 100 };
        Command command = new("process-cost", "Time of Deblurrer.Process on RGBA pictures with padded rows, over that of its kernels.") { models, size, runs, device };
        command.SetAction(parsed =>
        {
            using ComputeDevice opened = ComputeDevice.Open(parsed.GetValue(device));
            int[] sides = [.. parsed.GetValue(size)!.Split('x').Select(side => int.Parse(side, CultureInfo.InvariantCulture))];
            Console.WriteLine($"{opened.Info.Name} ({opened.Info.Driver}); {parsed.GetValue(size)} RGBA, sigma given, guarded; medians of {parsed.GetValue(runs)} runs in turns");
            foreach (string model in parsed.GetValue(models)!) Measure(opened, ModelCatalog.Load(model), new(PixelFormat.Rgba32, sides[0], sides[1]), parsed.GetValue(runs));
        });
        return command;
    }

    internal static void Measure(ComputeDevice device, Network network, FrameFormat format, int runs)
    {
        const int padding = 64;
        int stride = format.Plane(0).StrideBytes + padding;
        byte[] input = new byte[stride * format.Height], output = new byte[input.Length];
        new Random(1).NextBytes(input);
        using var deblurrer = new Deblurrer(device, network, format, new() { Sigma = SigmaSetting.Of(Sigma) });

        using CommandQueue queue = device.CreateQueue();
        using var session = new InferenceSession(device, network, SampleLayout.Of(format, C: 1), plan: null, memoryLimitBytes: null);
        using var guard = new ConfidenceGuard(device, format);
        using DeviceBuffer<byte> frame = device.Allocate<byte>(input.AsSpan(0, format.SizeBytes)), unguarded = device.Allocate<byte>(format.SizeBytes), restored = device.Allocate<byte>(format.SizeBytes);
        session.SetSigma(queue, Sigma);

        double[] process = new double[runs], kernels = new double[runs];
        for (int i = -5; i < runs; i++)
        {
            long start = Stopwatch.GetTimestamp();
            deblurrer.Process(new ReadOnlyFrameView(input, stride), new FrameView(output, stride));
            double processMs = Stopwatch.GetElapsedTime(start).TotalMilliseconds;

            start = Stopwatch.GetTimestamp();
            session.Enqueue(queue, frame, unguarded, strength: 1).Dispose();
            guard.Enqueue(queue, frame, unguarded, restored, Sigma, strength: 1, DeblurView.Restored).Dispose();
            queue.Finish();
            if (i >= 0) (process[i], kernels[i]) = (processMs, Stopwatch.GetElapsedTime(start).TotalMilliseconds);
        }
        Array.Sort(process);
        Array.Sort(kernels);
        (double processMedian, double kernelMedian) = (process[runs / 2], kernels[runs / 2]);
        Console.WriteLine(string.Create(CultureInfo.InvariantCulture,
            $"  {network.Name,-16} Process {processMedian:0.00} ms, kernels {kernelMedian:0.00} ms: {100 * (processMedian / kernelMedian - 1):0.0} % more (least: {process[0]:0.00} and {kernels[0]:0.00} ms, {100 * (process[0] / kernels[0] - 1):0.0} %)"));
    }
}
