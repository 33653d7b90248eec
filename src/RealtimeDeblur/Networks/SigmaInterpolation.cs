using System.Numerics;

namespace RealtimeDeblur.Networks;

/// <summary>Where a sigma lies among the knots of a network: the values there are <c>(1 - Share) * values[Lower] + Share * values[Upper]</c>.</summary>
/// <param name="Lower">Knot at or below sigma; the first for a smaller sigma.</param>
/// <param name="Upper">The knot after it, or the same one at and beyond the last.</param>
/// <param name="Share">0 or more, less than 1.</param>
internal readonly record struct SigmaInterpolation(int Lower, int Upper, float Share)
{
    /// <param name="knots">Ascending, one or more.</param>
    /// <param name="sigma">A number; beyond the ends of the knots it counts as the end.</param>
    public static SigmaInterpolation Among(IReadOnlyList<float> knots, float sigma)
    {
        int lower = 0;
        while (lower + 1 < knots.Count && knots[lower + 1] <= sigma) lower++;
        int upper = Math.Min(lower + 1, knots.Count - 1);
        return new(lower, upper, lower == upper ? 0 : Math.Max(0, (sigma - knots[lower]) / (knots[upper] - knots[lower])));
    }

    /// <summary>Interpolates all values at once; allocates nothing.</summary>
    /// <param name="values">[knots][...].</param>
    /// <param name="result">[...], overwritten.</param>
    public void Apply(ReadOnlySpan<float> values, Span<float> result)
    {
        ReadOnlySpan<float> lower = values.Slice(Lower * result.Length, result.Length), upper = values.Slice(Upper * result.Length, result.Length);
        int i = 0;
        for (; i <= result.Length - Vector<float>.Count; i += Vector<float>.Count)
        {
            Vector<float> from = new(lower[i..]);
            (from + Share * (new Vector<float>(upper[i..]) - from)).CopyTo(result[i..]);
        }
        for (; i < result.Length; i++) result[i] = lower[i] + Share * (upper[i] - lower[i]);
    }
}
