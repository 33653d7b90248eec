using System.Diagnostics;
using System.Globalization;
using RealtimeDeblur.Compute;
using RealtimeDeblur.Networks;
using RealtimeDeblur.Training;
using RealtimeDeblur.Training.Layers;
using RealtimeDeblur.Training.Optimization;

namespace RealtimeDeblur.Benchmarks;

/// <summary>One step of the trainer (forward, loss, backward, update): its share of the device's peak, whole and kernel by kernel, in turns with the inference of as many pixels.</summary>
internal static class TrainerStep
{
    private const int BatchSize = 4, WarmUpRuns = 3;

    /// <summary>How often the peak is measured anew, spread over the runs: processors change their clock.</summary>
    private const int PeakRuns = 10;

    public static void Run(ComputeDevice device, Network network, int runs, TextWriter text)
    {
        NetworkDescription description = network.Description;
        int size = new TrainingOptions().PatchSize;
        using CommandQueue queue = device.CreateQueue();
        using Step step = new(queue, network, size);

        // A square frame of exactly as many pixels as the batch returns.
        int side = (int)Math.Sqrt(BatchSize) * size;
        using InferenceSession inference = new(device, network, side, side);
        using DeviceBuffer<float> input = device.Allocate<float>((ReadOnlySpan<float>)new float[description.C * side * side]);
        using DeviceBuffer<float> output = device.Allocate<float>(description.C * side * side);

        var steps = new double[runs];
        var forwards = new double[runs];
        double peak = 0;
        for (int run = -WarmUpRuns; run < runs; run++)
        {
            if (run % Math.Max(1, runs / PeakRuns) == 0) peak = Math.Max(peak, PeakRate.MeasureMacPerSecond(device));
            double stepMs = Milliseconds(() =>
            {
                step.Enqueue();
                queue.Finish();
            });
            double forwardMs = Milliseconds(() =>
            {
                inference.Run(queue, input, output);
                queue.Finish();
            });
            if (run >= 0) (steps[run], forwards[run]) = (stepMs, forwardMs);
        }
        double median = Median(steps), forwardMedian = Median(forwards);
        text.WriteLine();
        text.WriteLine(string.Create(CultureInfo.InvariantCulture,
            $"Trainer, {network.Name}, {BatchSize} patches of {size}x{size}: step {median:0.00} ms (best {steps[0]:0.00}), {BatchSize / median * 1e3:0} samples/s, {step.Mac / (median * 1e-3) / peak:0.0 %} of the peak of {peak * 1e-9:0.0} GMAC/s (best {step.Mac / (steps[0] * 1e-3) / peak:0.0 %})"));
        text.WriteLine(string.Create(CultureInfo.InvariantCulture,
            $"  {inference.Plan} inference of as many pixels {forwardMedian:0.00} ms (best {forwards[0]:0.00}); a step takes {median / forwardMedian:0.0} times as long"));
        WriteKernels(device, network, size, runs, peak, text);

        double Milliseconds(Action work)
        {
            long start = Stopwatch.GetTimestamp();
            work();
            return Stopwatch.GetElapsedTime(start).TotalMilliseconds;
        }
    }

    /// <summary>Device times of single launches, on a queue that records them.</summary>
    private static void WriteKernels(ComputeDevice device, Network network, int size, int runs, double peak, TextWriter text)
    {
        using CommandQueue queue = device.CreateQueue(profiling: true);
        using Step step = new(queue, network, size);
        step.Enqueue(); // binds what changes from step to step
        TrainingLaunch[] launches = [.. step.Launches];
        double[][] times = [.. launches.Select(_ => new double[runs])];
        for (int run = -WarmUpRuns; run < runs; run++)
        {
            ComputeEvent[] events = [.. launches.Select(launch => launch.EnqueueWithEvent(queue))];
            queue.Finish();
            for (int i = 0; i < events.Length; i++)
            {
                if (run >= 0) times[i][run] = events[i].DurationMs;
                events[i].Dispose();
            }
        }
        text.WriteLine("  kernel                          median ms      best   MMAC   share of peak");
        for (int i = 0; i < launches.Length; i++)
        {
            double median = Median(times[i]);
            string share = launches[i].Mac == 0 ? "" : string.Create(CultureInfo.InvariantCulture, $"{launches[i].Mac * 1e-6,6:0.0} {launches[i].Mac / (median * 1e-3) / peak,13:0 %}");
            text.WriteLine(string.Create(CultureInfo.InvariantCulture, $"  {launches[i].Name,-30} {median,10:0.000} {times[i][0],9:0.000} {share}"));
        }
        text.WriteLine(string.Create(CultureInfo.InvariantCulture, $"  {"sum",-30} {times.Sum(Median),10:0.000}"));
    }

    /// <summary>Sorts and takes the middle.</summary>
    private static double Median(double[] values)
    {
        Array.Sort(values);
        return values[values.Length / 2];
    }

    /// <summary>A network in training, without patches.</summary>
    private sealed class Step : IDisposable
    {
        private readonly DeviceBuffer<float> _parameters, _gradient, _history;
        private readonly TrainingGraph _graph;
        private readonly Optimizer _optimizer;
        private int _step;

        public Step(CommandQueue queue, Network network, int size)
        {
            ComputeDevice device = queue.Device;
            ParameterLayout layout = new(network.Description);
            _parameters = device.Allocate<float>((ReadOnlySpan<float>)layout.Pack(network.Weights));
            _gradient = device.Allocate<float>((ReadOnlySpan<float>)new float[layout.TotalCount]);
            _history = device.Allocate<float>(1);
            _graph = new(queue, network.Description, layout, _parameters, BatchSize, size);
            _graph.PrepareBackward(_gradient, _history, LossKind.Mse);
            var random = new Random(1);
            foreach (MapTensor patches in (MapTensor[])[_graph.Blurred, _graph.Sharp])
                patches.Buffer.Write(queue, [.. Enumerable.Range(0, (int)patches.Buffer.Count).Select(_ => random.NextSingle())]);
            _optimizer = new(queue, OptimizerKind.Adam, layout, _parameters, _gradient, [], zeroMeanFilters: true);
        }

        public IEnumerable<TrainingLaunch> Launches => _graph.Launches.Concat(_optimizer.Launches);

        /// <summary>Multiply-accumulates of a step counted as direct convolutions: forward, and the gradients of all weights and of all inputs but the network's.</summary>
        public long Mac => Launches.Sum(launch => launch.Mac);

        public void Enqueue()
        {
            _graph.Forward();
            _graph.Backward(0);
            _optimizer.Step(++_step, rate: 0);
        }

        public void Dispose()
        {
            _optimizer.Dispose();
            _graph.Dispose();
            _history.Dispose();
            _gradient.Dispose();
            _parameters.Dispose();
        }
    }
}
