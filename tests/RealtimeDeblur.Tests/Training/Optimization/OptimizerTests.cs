using RealtimeDeblur.Compute;
using RealtimeDeblur.Networks;
using RealtimeDeblur.Tests.Reference;
using RealtimeDeblur.Training.Layers;
using RealtimeDeblur.Training.Optimization;
using Xunit;

namespace RealtimeDeblur.Tests.Training.Optimization;

public sealed class OptimizerTests
{
    private static readonly ParameterLayout Layout = new(NetworkDescription.Dbcnn(1, 3, 16, 1, 16, 3));

    [Theory]
    [InlineData(OptimizerKind.Adam)]
    [InlineData(OptimizerKind.Sgd)]
    public void Step_ThreeTimes_FollowsThePublishedFormula(OptimizerKind kind)
    {
        using ComputeDevice device = TestDevice.OpenOrSkip();
        using CommandQueue queue = device.CreateQueue();
        double[] parameter = Tensor.Random(1, 1, 1, Layout.Count, seed: 1).Values, m = new double[Layout.Count], v = new double[Layout.Count];
        float[] layerRates = [2f, 1f, 0.1f];
        using DeviceBuffer<float> parameters = device.Allocate<float>((ReadOnlySpan<float>)Array.ConvertAll(parameter, value => (float)value));
        using DeviceBuffer<float> gradients = device.Allocate<float>(Layout.Count);
        using Optimizer optimizer = new(queue, kind, Layout, parameters, gradients, layerRates, zeroMeanFilters: false);
        for (int step = 1; step <= 3; step++)
        {
            double[] gradient = Tensor.Random(1, 1, 1, Layout.Count, seed: 10 + step).Values;
            gradients.Write(queue, Array.ConvertAll(gradient, value => (float)value));
            optimizer.Step(step, rate: 0.01f);
            for (int i = 0; i < parameter.Length; i++)
            {
                double rate = 0.01 * (i < Layout.Layers[1].Origin ? 2 : i < Layout.Layers[2].Origin ? 1 : 0.1);
                if (kind == OptimizerKind.Adam)
                {
                    m[i] = 0.9 * m[i] + 0.1 * gradient[i];
                    v[i] = 0.999 * v[i] + 0.001 * gradient[i] * gradient[i];
                    parameter[i] -= rate * (m[i] / (1 - Math.Pow(0.9, step))) / (Math.Sqrt(v[i] / (1 - Math.Pow(0.999, step))) + 1e-8);
                }
                else
                {
                    m[i] = 0.9 * m[i] + gradient[i];
                    parameter[i] -= rate * m[i];
                }
            }
        }
        TensorAssert.Close(parameter, parameters.ToArray(queue), relative: 1e-5, absolute: 1e-5);
    }

    [Fact]
    public void Step_OneHugeGradientLate_IsShortenedToTheLimit()
    {
        using ComputeDevice device = TestDevice.OpenOrSkip();
        using CommandQueue queue = device.CreateQueue();
        using DeviceBuffer<float> parameters = device.Allocate<float>((ReadOnlySpan<float>)new float[Layout.Count]);
        using DeviceBuffer<float> gradients = device.Allocate<float>(Layout.Count);
        using Optimizer optimizer = new(queue, OptimizerKind.Sgd, Layout, parameters, gradients, [], zeroMeanFilters: false);
        gradients.Fill(queue, 1e-3f);
        for (int step = 1; step <= 60; step++) optimizer.Step(step, rate: 0f);
        gradients.Fill(queue, 1f);      // a thousand times the running mean
        parameters.Fill(queue, 0f);
        float[] before = optimizer.SaveState();
        optimizer.Step(61, rate: 1f);

        // Momentum 0.9 of the settled m (close to 10 * 1e-3), plus 2.5 times the running mean instead of 1000 times.
        float expected = -(0.9f * before[0] + 2.5e-3f);
        Assert.Equal(expected, parameters.ToArray(queue)[0], 1e-4f);
    }

    [Fact]
    public void Step_ZeroMeanFilters_KeepTheirMeanAtZero()
    {
        using ComputeDevice device = TestDevice.OpenOrSkip();
        using CommandQueue queue = device.CreateQueue();
        using DeviceBuffer<float> parameters = device.Allocate<float>((ReadOnlySpan<float>)Tensor.Random(1, 1, 1, Layout.Count, seed: 1).ToFloats());
        using DeviceBuffer<float> gradients = device.Allocate<float>((ReadOnlySpan<float>)Tensor.Random(1, 1, 1, Layout.Count, seed: 2).ToFloats());
        using Optimizer optimizer = new(queue, OptimizerKind.Adam, Layout, parameters, gradients, [], zeroMeanFilters: true);
        optimizer.Step(1, rate: 0.1f);
        LayerWeights first = Layout.Unpack(parameters.ToArray(queue))[0];
        for (int k = 0; k < 16; k++) Assert.Equal(0, first.Weight.AsSpan(k * 9, 9).ToArray().Sum(), 1e-5);
        Assert.Contains(first.Weight, weight => Math.Abs(weight) > 0.1);
    }

    [Fact]
    public void LoadState_OfAnother_ContinuesExactly()
    {
        using ComputeDevice device = TestDevice.OpenOrSkip();
        using CommandQueue queue = device.CreateQueue();
        using DeviceBuffer<float> gradients = device.Allocate<float>((ReadOnlySpan<float>)Tensor.Random(1, 1, 1, Layout.Count, seed: 2).ToFloats());
        using DeviceBuffer<float> one = device.Allocate<float>((ReadOnlySpan<float>)new float[Layout.Count]);
        using DeviceBuffer<float> two = device.Allocate<float>(Layout.Count);
        using Optimizer first = new(queue, OptimizerKind.Adam, Layout, one, gradients, [], zeroMeanFilters: false);
        using Optimizer second = new(queue, OptimizerKind.Adam, Layout, two, gradients, [], zeroMeanFilters: false);
        for (int step = 1; step <= 5; step++) first.Step(step, 0.01f);
        two.Write(queue, one.ToArray(queue));
        second.LoadState(first.SaveState());
        first.Step(6, 0.01f);
        second.Step(6, 0.01f);
        Assert.Equal(one.ToArray(queue), two.ToArray(queue));
    }

    [Theory]
    [InlineData(LearningRateSchedule.Cosine, 50, 0.5)]
    [InlineData(LearningRateSchedule.Cosine, 500, 0.505)]
    [InlineData(LearningRateSchedule.Cosine, 1000, 0.01)]
    [InlineData(LearningRateSchedule.Steps, 400, 1)]
    [InlineData(LearningRateSchedule.Steps, 600, 0.1)]
    [InlineData(LearningRateSchedule.Steps, 900, 0.01)]
    [InlineData(LearningRateSchedule.Constant, 999, 1)]
    public void At_ScheduleOfAThousandSteps_HasTheStatedFactor(LearningRateSchedule schedule, int step, double factor) =>
        Assert.Equal(factor, LearningRate.At(schedule, step, 1000, warmUp: 100), 0.01);
}
