using RealtimeDeblur.Networks;
using Xunit;

namespace RealtimeDeblur.Tests.Reference;

/// <summary>The reference itself: known answers, and its backward pass against central differences.</summary>
public sealed class ReferenceConvolutionTests
{
    [Fact]
    public void Forward_DeltaFilter_ReturnsTheInput()
    {
        Tensor input = Tensor.Random(2, 1, 3, 4, seed: 1);
        Tensor delta = new(1, 1, 5, 5);
        delta[0, 0, 2, 2] = 1;
        TensorAssert.Close(input, ReferenceConvolution.Forward(input, delta, [0]), relative: 0, absolute: 0);
    }

    [Fact]
    public void Forward_ShiftFilter_TakesTheNeighbourAndReplicatesTheBorder()
    {
        // Correlation, not convolution: the tap right of the centre reads the pixel to the right.
        Tensor input = new(1, 1, 1, 3, [1, 2, 4]);
        Tensor right = new(1, 1, 3, 3);
        right[0, 0, 1, 2] = 1;
        Assert.Equal([12, 14, 14], ReferenceConvolution.Forward(input, right, [10]).Values);
    }

    [Fact]
    public void ForwardValid_InsideAFrame_EqualsForward()
    {
        Tensor input = Tensor.Random(1, 2, 6, 7, seed: 2);
        Tensor weight = Tensor.Random(3, 2, 3, 3, seed: 3);
        Tensor same = ReferenceConvolution.Forward(input, weight, [1, 2, 3]);
        Tensor valid = ReferenceConvolution.ForwardValid(input, weight, [1, 2, 3]);
        Tensor inner = new(1, 3, 4, 5);
        for (int k = 0; k < 3; k++)
        for (int y = 0; y < 4; y++)
        for (int x = 0; x < 5; x++)
            inner[0, k, y, x] = same[0, k, y + 1, x + 1];
        TensorAssert.Close(inner, valid, relative: 0, absolute: 0);
    }

    [Fact]
    public void Forward_NetworkOfDeltasWithSkip_DoublesTheFrame()
    {
        NetworkDescription description = new("test", [new("a", 1, 1, 3, true), new("b", 1, 1, 1, false)], globalSkip: true);
        Network network = new("test", description, [new([0, 0, 0, 0, 1, 0, 0, 0, 0], [0]), new([1], [0.5f])]);
        Tensor frame = Tensor.Random(1, 1, 5, 4, seed: 4, low: 0);
        Tensor expected = new(1, 1, 5, 4, Array.ConvertAll(frame.Values, value => 2 * value + 0.5));
        TensorAssert.Close(expected, ReferenceConvolution.Forward(network, frame), relative: 1e-12, absolute: 0);
    }

    /// <summary>loss = sum of out * projection, whose gradient by out is the projection; linear in each argument, so that central differences are exact up to rounding.</summary>
    [Theory]
    [InlineData(1, 1, 1, 1, 1, 1)]
    [InlineData(2, 3, 4, 7, 5, 3)]
    [InlineData(1, 2, 3, 5, 6, 5)]
    public void BackwardValid_AnyShape_EqualsCentralDifferences(int N, int C, int K, int H, int W, int size)
    {
        Tensor input = Tensor.Random(N, C, H, W, seed: 5);
        Tensor weight = Tensor.Random(K, C, size, size, seed: 6);
        double[] bias = Tensor.Random(1, 1, 1, K, seed: 7).Values;
        Tensor projection = Tensor.Random(N, K, H - size + 1, W - size + 1, seed: 8);
        double Loss() => ReferenceConvolution.ForwardValid(input, weight, bias).Values.Zip(projection.Values, (o, p) => o * p).Sum();

        (Tensor dWeight, double[] dBias, Tensor dInput) = ReferenceConvolution.BackwardValid(input, weight, projection);

        TensorAssert.Close(new(K, C, size, size, CentralDifferences(weight.Values, Loss)), dWeight, relative: 1e-8, absolute: 1e-8);
        TensorAssert.Close(new(1, 1, 1, K, CentralDifferences(bias, Loss)), new Tensor(1, 1, 1, K, dBias), relative: 1e-8, absolute: 1e-8);
        TensorAssert.Close(new(N, C, H, W, CentralDifferences(input.Values, Loss)), dInput, relative: 1e-8, absolute: 1e-8);
    }

    [Fact]
    public void ReluBackward_AnyInput_EqualsCentralDifferences()
    {
        Tensor input = Tensor.Random(1, 2, 3, 4, seed: 9);
        Tensor projection = Tensor.Random(1, 2, 3, 4, seed: 10);
        double Loss() => ReferenceConvolution.Relu(input).Values.Zip(projection.Values, (o, p) => o * p).Sum();
        Tensor expected = new(1, 2, 3, 4, CentralDifferences(input.Values, Loss));
        TensorAssert.Close(expected, ReferenceConvolution.ReluBackward(ReferenceConvolution.Relu(input), projection), relative: 1e-8, absolute: 1e-8);
    }

    [Fact]
    public void Close_OneValueOff_NamesPlaceValuesAndError()
    {
        Tensor expected = Tensor.Random(2, 3, 4, 5, seed: 11);
        expected[1, 2, 3, 4] = 0.5;
        float[] actual = expected.ToFloats();
        actual[^1] = 0.75f;
        Exception e = Assert.ThrowsAny<Exception>(() => TensorAssert.Close(expected, actual, relative: 1e-3, absolute: 1e-3));
        Assert.Contains("1 of 120 values of 2x3x4x5", e.Message, StringComparison.Ordinal);
        Assert.Contains("Worst: (n, c, y, x) = (1, 2, 3, 4), expected 0.5, actual 0.75, error 0.25.", e.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Close_ValueIsNaN_Fails()
    {
        Exception e = Assert.ThrowsAny<Exception>(() => TensorAssert.Close([1, 2, 3], [1, float.NaN, 3], relative: 1, absolute: 100));
        Assert.Contains("expected 2, actual NaN", e.Message, StringComparison.Ordinal);
    }

    private static double[] CentralDifferences(double[] values, Func<double> loss)
    {
        const double Step = 1e-4;
        double[] gradient = new double[values.Length];
        for (int i = 0; i < values.Length; i++)
        {
            double value = values[i];
            values[i] = value + Step;
            double above = loss();
            values[i] = value - Step;
            double below = loss();
            values[i] = value;
            gradient[i] = (above - below) / (2 * Step);
        }
        return gradient;
    }
}
