using System.Globalization;

namespace RealtimeDeblur.Training.Data;

/// <summary>Which blurs a dataset contains: standard deviations from a range, or fixed ones.</summary>
internal sealed record SigmaChoice
{
    /// <summary>Widest blur accepted, in pixels. Beyond it a picture holds nothing that a small network could bring back.</summary>
    public const float Max = 16;

    private SigmaChoice(float low, float high, IReadOnlyList<float> values)
    {
        Low = low;
        High = high;
        Values = values;
    }

    public float Low { get; }

    public float High { get; }

    /// <summary>The fixed values in their order; empty for a range.</summary>
    public IReadOnlyList<float> Values { get; }

    /// <summary>Any sigma from <paramref name="low"/> to <paramref name="high"/>, in pixels.</summary>
    public static SigmaChoice Range(float low, float high) => Checked(low) < Checked(high)
        ? new(low, high, [])
        : throw new ArgumentException(Invariant($"A range of sigma goes from a smaller to a larger value, e.g. 0..3, not {low}..{high}."));

    /// <summary>The given sigmas, in pixels, in turn.</summary>
    public static SigmaChoice Fixed(params IReadOnlyList<float> values) => values.Count > 0
        ? new(values.Min(Checked), values.Max(Checked), [.. values])
        : throw new ArgumentException("Give at least one sigma, e.g. 1.6.");

    /// <summary>Reads <c>0..3</c> (a range) or <c>1,1.6,2</c> (fixed values).</summary>
    /// <exception cref="ArgumentException">The text is neither, or a value is outside 0 to <see cref="Max"/>.</exception>
    public static SigmaChoice Parse(string text)
    {
        string[] ends = text.Split("..");
        return ends.Length == 2 ? Range(Number(ends[0]), Number(ends[1])) : Fixed([.. text.Split(',').Select(Number)]);

        float Number(string part) => float.TryParse(part, NumberStyles.Float, CultureInfo.InvariantCulture, out float value)
            ? value
            : throw new ArgumentException($"'{text}' is no choice of sigma. Give a range, e.g. 0..3, or values, e.g. 1,1.6,2.");
    }

    /// <summary>How many pairs of one picture cover the choice: one per fixed value, four for a range.</summary>
    public int NaturalPairCount => Values.Count > 0 ? Values.Count : 4;

    /// <summary>
    /// The sigma of pair <paramref name="index"/> of a picture's <paramref name="count"/>. A range is cut into as many equal parts as there are pairs and each pair
    /// draws from its own part, so that every picture covers the whole range; rounded to a thousandth of a pixel.
    /// </summary>
    internal float Draw(int index, int count, SeededRandom random) => Values.Count > 0
        ? Values[index % Values.Count]
        : MathF.Round(Low + (High - Low) * (index + (float)random.NextDouble()) / count, 3);

    /// <summary>What <see cref="Parse"/> reads.</summary>
    public override string ToString() => Values.Count > 0 ? string.Join(',', Values.Select(value => Invariant($"{value}"))) : Invariant($"{Low}..{High}");

    private static float Checked(float sigma) => sigma is >= 0 and <= Max
        ? sigma
        : throw new ArgumentException(Invariant($"Sigma must be 0 to {Max} pixels, not {sigma}."));

    private static string Invariant(FormattableString text) => FormattableString.Invariant(text);
}
