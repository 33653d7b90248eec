using System.Globalization;
using System.Numerics;

namespace RealtimeDeblur.Video;

/// <summary>A fraction as media files hold them: a time base in seconds, a frame rate, the shape of a pixel.</summary>
/// <param name="Numerator">0 or more.</param>
/// <param name="Denominator">0 with a numerator of 0 means unknown, as FFmpeg writes it.</param>
public readonly record struct Rational(int Numerator, int Denominator)
{
    public bool IsKnown => Numerator > 0 && Denominator > 0;

    /// <summary>The quotient; 0 when unknown.</summary>
    public double Value => IsKnown ? (double)Numerator / Denominator : 0;

    /// <summary>In lowest terms.</summary>
    public Rational Reduced()
    {
        if (!IsKnown) return default;
        int divisor = (int)BigInteger.GreatestCommonDivisor(Numerator, Denominator);
        return new(Numerator / divisor, Denominator / divisor);
    }

    /// <summary>A number of these, counted in another unit and rounded to the nearest, halves away from zero: what FFmpeg's av_rescale_q does.</summary>
    /// <param name="count">0 or more.</param>
    /// <param name="unitsPerSecond">The other unit.</param>
    internal long In(long unitsPerSecond, long count) => (long)(((Int128)count * Numerator * unitsPerSecond * 2 + Denominator) / ((Int128)Denominator * 2));

    /// <summary>Reads FFmpeg's <c>30000/1001</c> or <c>8:9</c>; anything else is unknown.</summary>
    public static Rational Parse(string? text)
    {
        string[] parts = (text ?? "").Split('/', ':');
        return parts.Length == 2
            && int.TryParse(parts[0], NumberStyles.None, CultureInfo.InvariantCulture, out int numerator)
            && int.TryParse(parts[1], NumberStyles.None, CultureInfo.InvariantCulture, out int denominator)
            ? new(numerator, denominator)
            : default;
    }
}
