using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using System.Runtime.Intrinsics;

namespace RealtimeDeblur.Training.Estimation;

/// <summary>Products of small matrices, row-major, for layers that see many rows (tiles) at once. Rows of results are multiples of 8 floats. The order of the sums never changes.</summary>
internal static class MatrixProduct
{
    private const int Lanes = 8, Rows = 4;

    /// <summary>to[t][o] = bias[o] + sum over i of from[t][i] * weight[i][o].</summary>
    public static void Forward(ReadOnlySpan<float> from, ReadOnlySpan<float> weight, ReadOnlySpan<float> bias, Span<float> to, int T, int I, int O)
    {
        Check(from, T * I, weight, I * O, to, T * O, O);
        ref float a = ref MemoryMarshal.GetReference(from);
        ref float w = ref MemoryMarshal.GetReference(weight);
        ref float r = ref MemoryMarshal.GetReference(to);
        for (int t = 0; t < T; t += Rows)
        {
            // The last rows may be computed twice; they come out the same.
            int row = Math.Max(0, Math.Min(t, T - Rows));
            int second = Math.Min(row + 1, T - 1), third = Math.Min(row + 2, T - 1), fourth = Math.Min(row + 3, T - 1);
            for (int o = 0; o < O; o += Lanes)
            {
                Vector256<float> s0 = bias.IsEmpty ? Vector256<float>.Zero : Vector256.Create(bias[o..]), s1 = s0, s2 = s0, s3 = s0;
                for (int i = 0; i < I; i++)
                {
                    Vector256<float> weights = Load(ref w, i * O + o);
                    s0 = Vector256.FusedMultiplyAdd(Vector256.Create(Unsafe.Add(ref a, row * I + i)), weights, s0);
                    s1 = Vector256.FusedMultiplyAdd(Vector256.Create(Unsafe.Add(ref a, second * I + i)), weights, s1);
                    s2 = Vector256.FusedMultiplyAdd(Vector256.Create(Unsafe.Add(ref a, third * I + i)), weights, s2);
                    s3 = Vector256.FusedMultiplyAdd(Vector256.Create(Unsafe.Add(ref a, fourth * I + i)), weights, s3);
                }
                Store(s0, ref r, row * O + o);
                Store(s1, ref r, second * O + o);
                Store(s2, ref r, third * O + o);
                Store(s3, ref r, fourth * O + o);
            }
        }
    }

    /// <summary>dWeight[i][o] += sum over t of from[t][i] * dTo[t][o], dBias[o] += sum over t of dTo[t][o].</summary>
    public static void WeightGradient(ReadOnlySpan<float> from, ReadOnlySpan<float> dTo, Span<float> dWeight, Span<float> dBias, int T, int I, int O)
    {
        Check(from, T * I, dTo, T * O, dWeight, I * O, O);
        ref float a = ref MemoryMarshal.GetReference(from);
        ref float d = ref MemoryMarshal.GetReference(dTo);
        ref float r = ref MemoryMarshal.GetReference(dWeight);
        for (int o = 0; o < O; o += Lanes)
        {
            Vector256<float> sum = Vector256<float>.Zero;
            for (int t = 0; t < T; t++) sum += Load(ref d, t * O + o);
            (Vector256.Create(dBias[o..]) + sum).CopyTo(dBias[o..]);
            for (int i = 0; i < I; i += Rows)
            {
                int second = Math.Min(i + 1, I - 1), third = Math.Min(i + 2, I - 1), fourth = Math.Min(i + 3, I - 1);
                Vector256<float> s0 = default, s1 = default, s2 = default, s3 = default;
                for (int t = 0; t < T; t++)
                {
                    Vector256<float> gradient = Load(ref d, t * O + o);
                    s0 = Vector256.FusedMultiplyAdd(Vector256.Create(Unsafe.Add(ref a, t * I + i)), gradient, s0);
                    s1 = Vector256.FusedMultiplyAdd(Vector256.Create(Unsafe.Add(ref a, t * I + second)), gradient, s1);
                    s2 = Vector256.FusedMultiplyAdd(Vector256.Create(Unsafe.Add(ref a, t * I + third)), gradient, s2);
                    s3 = Vector256.FusedMultiplyAdd(Vector256.Create(Unsafe.Add(ref a, t * I + fourth)), gradient, s3);
                }
                Store(Load(ref r, i * O + o) + s0, ref r, i * O + o);
                if (i + 1 < I) Store(Load(ref r, second * O + o) + s1, ref r, second * O + o);
                if (i + 2 < I) Store(Load(ref r, third * O + o) + s2, ref r, third * O + o);
                if (i + 3 < I) Store(Load(ref r, fourth * O + o) + s3, ref r, fourth * O + o);
            }
        }
    }

    /// <summary>to[o][i] = weight[i][o]: what <see cref="Forward"/> needs to bring gradients back to a layer's input.</summary>
    public static void Transpose(ReadOnlySpan<float> weight, Span<float> to, int I, int O)
    {
        for (int i = 0; i < I; i++)
        for (int o = 0; o < O; o++)
            to[o * I + i] = weight[i * O + o];
    }

    private static Vector256<float> Load(ref float from, int at) => Vector256.LoadUnsafe(ref from, (nuint)at);

    private static void Store(Vector256<float> value, ref float to, int at) => value.StoreUnsafe(ref to, (nuint)at);

    /// <summary>The loops above read without bounds checks.</summary>
    private static void Check(ReadOnlySpan<float> a, int aCount, ReadOnlySpan<float> b, int bCount, ReadOnlySpan<float> to, int toCount, int O)
    {
        if (O % Lanes != 0 || a.Length < aCount || b.Length < bCount || to.Length < toCount)
            throw new ArgumentException($"Matrices of {a.Length}, {b.Length} and {to.Length} floats for {aCount}, {bCount} and {toCount} with rows of {O}.");
    }
}
