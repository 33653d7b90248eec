using System.Diagnostics;
using System.Globalization;
using RealtimeDeblur.Compute;
using RealtimeDeblur.Networks;
using RealtimeDeblur.Training;
using RealtimeDeblur.Training.Layers;
using RealtimeDeblur.Training.Optimization;

namespace RealtimeDeblur.Benchmarks;

/// <summary>One step of the trainer (forward, loss, backward, update) beside the inference of as many pixels, in turns.</summary>
internal static class TrainerStep
{
    private const int BatchSize = 4, WarmUpRuns = 3;

    public static void Run(ComputeDevice device, Network network, int runs, TextWriter text)
    {
        NetworkDescription description = network.Description;
        int size = new TrainingOptions().PatchSize;
        using CommandQueue queue = device.CreateQueue();
        ParameterLayout layout = new(description);
        using DeviceBuffer<float> parameters = device.Allocate<float>((ReadOnlySpan<float>)layout.Pack(network.Weights));
        using DeviceBuffer<float> gradient = device.Allocate<float>((ReadOnlySpan<float>)new float[layout.Count]);
        using DeviceBuffer<float> history = device.Allocate<float>(1);
        using TrainingGraph graph = new(queue, description, layout, parameters, BatchSize, size);
        graph.PrepareBackward(gradient, history, LossKind.Mse);
        using Optimizer optimizer = new(queue, OptimizerKind.Adam, layout, parameters, gradient, [], zeroMeanFilters: true);

        // A square frame of exactly as many pixels as the batch returns.
        int side = (int)Math.Sqrt(BatchSize) * size;
        using InferenceSession inference = new(device, network, side, side);
        using DeviceBuffer<float> input = device.Allocate<float>((ReadOnlySpan<float>)new float[description.C * side * side]);
        using DeviceBuffer<float> output = device.Allocate<float>(description.C * side * side);

        var steps = new double[runs];
        var forwards = new double[runs];
        for (int run = -WarmUpRuns; run < runs; run++)
        {
            double step = Milliseconds(() =>
            {
                graph.Forward();
                graph.Backward(0);
                optimizer.Step(run + WarmUpRuns + 1, rate: 0);
                queue.Finish();
            });
            double forward = Milliseconds(() =>
            {
                inference.Run(queue, input, output);
                queue.Finish();
            });
            if (run >= 0) (steps[run], forwards[run]) = (step, forward);
        }
        Array.Sort(steps);
        Array.Sort(forwards);
        double median = steps[runs / 2], forwardMedian = forwards[runs / 2];
        text.WriteLine();
        text.WriteLine(string.Create(CultureInfo.InvariantCulture,
            $"Trainer, {BatchSize} patches of {size}x{size}: step {median:0.00} ms (best {steps[0]:0.00}), {inference.Plan} inference of as many pixels {forwardMedian:0.00} ms (best {forwards[0]:0.00}): {median / forwardMedian:0.0} times; {BatchSize / median * 1e3:0} samples/s"));

        double Milliseconds(Action work)
        {
            long start = Stopwatch.GetTimestamp();
            work();
            return Stopwatch.GetElapsedTime(start).TotalMilliseconds;
        }
    }
}
