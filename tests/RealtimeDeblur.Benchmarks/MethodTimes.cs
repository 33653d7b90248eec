using System.CommandLine;
using System.Globalization;
using RealtimeDeblur.Compute;
using RealtimeDeblur.Imaging;
using RealtimeDeblur.Networks;
using RealtimeDeblur.Restoration;

namespace RealtimeDeblur.Benchmarks;

/// <summary>What every filter, and for comparison a network, takes on the device: kernels alone, enqueued to finished, the estimate of sigma apart.</summary>
internal static class MethodTimes
{
    public static Command Create(Option<string?> device)
    {
        Option<string[]> methods = new("--method") { Description = "Filters and models. Without it all filters, and fast.", AllowMultipleArgumentsPerToken = true };
        Option<string> size = new("--size") { Description = "Frame size.", DefaultValueFactory = _ => "1280x720" };
        Option<float[]> sigmas = new("--sigma") { Description = "Sigmas in pixels.", AllowMultipleArgumentsPerToken = true, DefaultValueFactory = _ => [1, 2, 3] };
        Option<int> runs = new("--runs") { Description = "Runs of each.", DefaultValueFactory = _ => 20 };
        Command command = new("methods", "Time of the filters of the literature.") { methods, size, sigmas, runs, device };
        command.SetAction(parsed =>
        {
            using ComputeDevice opened = ComputeDevice.Open(parsed.GetValue(device));
            int[] sides = [.. parsed.GetValue(size)!.Split('x').Select(side => int.Parse(side, CultureInfo.InvariantCulture))];
            double peak = PeakRate.MeasureMacPerSecond(opened);
            Console.WriteLine(string.Create(CultureInfo.InvariantCulture, $"{opened.Info.Name} ({opened.Info.Driver}), peak {peak / 1e9:0} GMAC/s; {parsed.GetValue(size)} luma, medians of {parsed.GetValue(runs)} runs"));
            string[] names = parsed.GetValue(methods) is { Length: > 0 } given ? given : [.. RestorationMethod.Filters.Select(filter => filter.Name), "fast"];
            foreach (string name in names) Measure(opened, RestorationMethod.Load(name), new(PixelFormat.Gray8, sides[0], sides[1]), parsed.GetValue(sigmas)!, parsed.GetValue(runs), peak);
        });
        return command;
    }

    private static void Measure(ComputeDevice device, RestorationMethod method, FrameFormat format, float[] sigmas, int runs, double peak)
    {
        byte[] noise = new byte[format.SizeBytes];
        new Random(1).NextBytes(noise);
        using CommandQueue queue = device.CreateQueue();
        using DeviceBuffer<byte> frame = device.Allocate<byte>(noise), restored = device.Allocate<byte>(noise.Length);
        using IRestorer restorer = method.Network is { } network ? new NetworkRestorer(device, network, format, plan: null, memoryLimitBytes: null)
            : method.Filter!.Create(new(device, SampleLayout.Of(format, C: 1), method.Parameters));
        foreach (float sigma in sigmas)
        {
            double[] ms = new double[runs];
            for (int i = -2; i < runs; i++)
            {
                long start = System.Diagnostics.Stopwatch.GetTimestamp();
                restorer.Enqueue(queue, frame, restored, new(restorer.NearestSigma(sigma), IsAlone: true), new() { Guard = false }).Dispose();
                queue.Finish();
                if (i >= 0) ms[i] = System.Diagnostics.Stopwatch.GetElapsedTime(start).TotalMilliseconds;
            }
            Array.Sort(ms);
            double mac = restorer.MultiplyAccumulatesPerPixel(sigma);
            Console.WriteLine(string.Create(CultureInfo.InvariantCulture,
                $"  {method.Name,-24} sigma {sigma,3:0.0}: {ms[runs / 2],8:0.00} ms (least {ms[0]:0.00}), {mac,7:N0} MAC/pixel, {100 * mac * format.Width * format.Height / (ms[runs / 2] * 1e-3) / peak:0.0} % of the peak"));
        }
    }
}
