namespace RealtimeDeblur.Tests.Reference;

/// <summary>A tensor [N][C][H][W] in double precision, last index fastest. Filters are [K][C][Size][Size] in it.</summary>
internal sealed class Tensor(int N, int C, int H, int W, double[] values)
{
    public Tensor(int N, int C, int H, int W) : this(N, C, H, W, new double[N * C * H * W])
    {
    }

    public int N { get; } = N;

    public int C { get; } = C;

    public int H { get; } = H;

    public int W { get; } = W;

    public double[] Values { get; } = values.Length == N * C * H * W ? values : throw new ArgumentException($"{values.Length} values for {N}x{C}x{H}x{W}.", nameof(values));

    public ref double this[int n, int c, int y, int x] => ref Values[((n * C + c) * H + y) * W + x];

    public static Tensor From(int N, int C, int H, int W, ReadOnlySpan<float> values)
    {
        Tensor tensor = new(N, C, H, W);
        for (int i = 0; i < tensor.Values.Length; i++) tensor.Values[i] = values[i];
        return tensor;
    }

    /// <summary>Uniform values that a float holds exactly, so that the reference and a kernel start from the same numbers.</summary>
    public static Tensor Random(int N, int C, int H, int W, int seed, double low = -1, double high = 1)
    {
        Random random = new(seed);
        Tensor tensor = new(N, C, H, W);
        for (int i = 0; i < tensor.Values.Length; i++) tensor.Values[i] = (float)(low + (high - low) * random.NextDouble());
        return tensor;
    }

    public float[] ToFloats() => Array.ConvertAll(Values, value => (float)value);

    public override string ToString() => $"{N}x{C}x{H}x{W}";
}
