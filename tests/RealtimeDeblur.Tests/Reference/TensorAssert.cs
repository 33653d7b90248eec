using System.Globalization;
using Xunit;

namespace RealtimeDeblur.Tests.Reference;

/// <summary>Comparison of tensors. A value passes within absolute + relative * |expected|; NaN never does.</summary>
internal static class TensorAssert
{
    public static void Close(Tensor expected, Tensor actual, double relative, double absolute)
    {
        Assert.Equal(expected.ToString(), actual.ToString());
        Close(expected, actual.Values, relative, absolute);
    }

    /// <param name="actual">Values in the order of <paramref name="expected"/>.</param>
    public static void Close(Tensor expected, ReadOnlySpan<float> actual, double relative, double absolute)
    {
        double[] values = new double[actual.Length];
        for (int i = 0; i < values.Length; i++) values[i] = actual[i];
        Close(expected, values, relative, absolute);
    }

    public static void Close(ReadOnlySpan<double> expected, ReadOnlySpan<float> actual, double relative, double absolute) =>
        Close(new Tensor(1, 1, 1, expected.Length, expected.ToArray()), actual, relative, absolute);

    public static void Close(ReadOnlySpan<float> expected, ReadOnlySpan<float> actual, double relative, double absolute) =>
        Close(Tensor.From(1, 1, 1, expected.Length, expected), actual, relative, absolute);

    private static void Close(Tensor expected, double[] actual, double relative, double absolute)
    {
        Assert.Equal(expected.Values.Length, actual.Length);
        (int wrong, int first, int worst, double worstError) = (0, -1, -1, 0);
        for (int i = 0; i < actual.Length; i++)
        {
            double error = Math.Abs(actual[i] - expected.Values[i]);
            if (error <= absolute + relative * Math.Abs(expected.Values[i])) continue;
            if (wrong++ == 0) first = i;
            if (worst >= 0 && !(error > worstError) && !double.IsNaN(error)) continue;
            (worst, worstError) = (i, error);
        }
        if (wrong == 0) return;
        Assert.Fail(string.Create(CultureInfo.InvariantCulture,
            $"{wrong:N0} of {actual.Length:N0} values of {expected} are not within {absolute:g3} + {relative:g3} * |expected|. First: {At(first)}. Worst: {At(worst)}."));

        string At(int i)
        {
            (int x, int y, int c, int n) = (i % expected.W, i / expected.W % expected.H, i / expected.W / expected.H % expected.C, i / expected.W / expected.H / expected.C);
            return string.Create(CultureInfo.InvariantCulture,
                $"(n, c, y, x) = ({n}, {c}, {y}, {x}), expected {expected.Values[i]:g9}, actual {actual[i]:g9}, error {Math.Abs(actual[i] - expected.Values[i]):g3}");
        }
    }
}
