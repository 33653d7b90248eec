using System.Diagnostics;
using System.Globalization;
using RealtimeDeblur.Compute;
using RealtimeDeblur.Networks;

namespace RealtimeDeblur.Benchmarks;

/// <summary>How long one program took for one network on one frame size.</summary>
/// <param name="Model">The network.</param>
/// <param name="Program">Who ran it.</param>
/// <param name="W">Columns of the frame.</param>
/// <param name="H">Rows of the frame.</param>
/// <param name="MedianMs">Wall clock, per frame.</param>
internal sealed record Timing(string Model, string Program, int W, int H, double MedianMs);

/// <summary>One network on one frame size: outputs compared, then everyone timed in turns.</summary>
internal static class Comparison
{
    private const double Tolerance = 1e-4;
    private const int WarmUpRuns = 2, MinRuns = 5;

    /// <summary>Large frames take programs seconds: then there are fewer runs, but at least <see cref="MinRuns"/>.</summary>
    private static readonly TimeSpan LongestComparison = TimeSpan.FromSeconds(60);

    /// <returns>The median of each program, ours first.</returns>
    public static IReadOnlyList<Timing> Run(ComputeDevice device, Network network, int W, int H, int runs, TextWriter text)
    {
        NetworkDescription description = network.Description;
        int threads = device.Info.ComputeUnits;
        var random = new Random(1);
        float[] blurred = new float[description.C * W * H];
        for (int i = 0; i < blurred.Length; i++) blurred[i] = random.NextSingle();

        byte[] zeroBorder = OnnxExport.Encode(network, OnnxBorder.Zero, (W, H));
        IContender[] contenders =
        [
            new OpenClContender(device, network, W, H, blurred),
            new OnnxRuntimeContender("ONNX Runtime", OnnxExport.Encode(network, OnnxBorder.Replicate, (W, H)), threads, description.C, W, H, blurred),
            new OnnxRuntimeContender("ONNX Runtime, zero border", zeroBorder, threads, description.C, W, H, blurred),
            new OpenCvContender(zeroBorder, threads, description.C, W, H, blurred),
        ];
        try
        {
            foreach (IContender contender in contenders)
            {
                for (int i = 0; i < WarmUpRuns; i++) contender.Run();
            }
            // Whoever pads with zeros agrees only where no pad reaches.
            float[] ours = contenders[0].Restored;
            string[] errors = [.. contenders.Select(contender =>
            {
                double error = LargestDifference(ours, contender.Restored, description, W, H, contender.Name.Contains("zero", StringComparison.Ordinal) ? description.Pad : 0);
                if (!(error <= Tolerance)) throw new InvalidDataException($"{contender.Name} differs from our result by {error:g2}: nothing was timed.");
                return error.ToString("0.0e0", CultureInfo.InvariantCulture);
            })];

            List<double>[] wall = [.. contenders.Select(_ => new List<double>())], cpu = [.. contenders.Select(_ => new List<double>())];
            double peak = 0;
            long begin = Stopwatch.GetTimestamp();
            for (int run = 0; run < runs && (run < MinRuns || Stopwatch.GetElapsedTime(begin) < LongestComparison); run++)
            {
                peak = Math.Max(peak, PeakRate.MeasureMacPerSecond(device));
                for (int i = 0; i < contenders.Length; i++)
                {
                    double cpuBefore = Environment.CpuUsage.TotalTime.TotalMilliseconds;
                    long start = Stopwatch.GetTimestamp();
                    contenders[i].Run();
                    wall[i].Add(Stopwatch.GetElapsedTime(start).TotalMilliseconds);
                    cpu[i].Add((Environment.CpuUsage.TotalTime.TotalMilliseconds - cpuBefore) / threads);
                }
            }
            foreach (List<double> times in wall.Concat(cpu)) times.Sort();

            double mac = (double)description.MacPerPixel * W * H;
            text.WriteLine();
            text.WriteLine(string.Create(CultureInfo.InvariantCulture, $"{network.Name}, {description.MacPerPixel:N0} MAC per pixel, {W}x{H}, {wall[0].Count} runs, peak {peak * 1e-9:0.0} GMAC/s (registers only, best of this run), plan {((OpenClContender)contenders[0]).Plan}"));
            text.WriteLine("                              median ms       p99   share of peak   times ours   CPU ms/thread   times ours   largest difference");
            for (int i = 0; i < contenders.Length; i++)
            {
                double median = Quantile(wall[i], 0.5), cpuMedian = Quantile(cpu[i], 0.5);
                text.WriteLine(string.Create(CultureInfo.InvariantCulture,
                    $"{contenders[i].Name,-28} {median,10:0.0} {Quantile(wall[i], 0.99),9:0.0} {mac / (median * 1e-3) / peak,15:0 %} {median / Quantile(wall[0], 0.5),12:0.00} {cpuMedian,15:0.0} {cpuMedian / Quantile(cpu[0], 0.5),12:0.00} {errors[i],20}"));
            }
            return [.. contenders.Select((contender, i) => new Timing(network.Name, contender.Name, W, H, Quantile(wall[i], 0.5)))];
        }
        finally
        {
            foreach (IContender contender in contenders) contender.Dispose();
        }
    }

    private static double LargestDifference(float[] expected, float[] actual, NetworkDescription description, int W, int H, int margin)
    {
        double largest = 0;
        for (int c = 0; c < description.C; c++)
        {
            for (int y = margin; y < H - margin; y++)
            {
                for (int x = margin; x < W - margin; x++)
                {
                    float wanted = expected[(c * H + y) * W + x];
                    // Random weights can make values far above 1: a float keeps seven digits of them.
                    double difference = Math.Abs((double)wanted - actual[(c * H + y) * W + x]) / Math.Max(1, Math.Abs(wanted));
                    if (double.IsNaN(difference)) return difference;
                    largest = Math.Max(largest, difference);
                }
            }
        }
        return largest;
    }

    private static double Quantile(List<double> sorted, double share) => sorted[(int)Math.Ceiling(share * sorted.Count) - 1];
}
