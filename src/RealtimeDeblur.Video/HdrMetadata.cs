namespace RealtimeDeblur.Video;

/// <summary>A colour as its CIE 1931 coordinates.</summary>
/// <param name="X">0 to 1.</param>
/// <param name="Y">0 to 1.</param>
public readonly record struct Chromaticity(double X, double Y);

/// <summary>The screen that HDR video was graded on (SMPTE ST 2086): televisions map its range of brightness to theirs.</summary>
/// <param name="Red">Its red.</param>
/// <param name="Green">Its green.</param>
/// <param name="Blue">Its blue.</param>
/// <param name="White">Its white.</param>
/// <param name="MinLuminance">Its darkest, in cd/m².</param>
/// <param name="MaxLuminance">Its brightest, in cd/m².</param>
public sealed record MasteringDisplay(Chromaticity Red, Chromaticity Green, Chromaticity Blue, Chromaticity White, double MinLuminance, double MaxLuminance)
{
    private const double ChromaticitySteps = 50_000, LuminanceSteps = 10_000;

    /// <summary>As HEVC's and H.264's encoders take it: in the units of their streams.</summary>
    internal string InStreamUnits => Describe(chromaticity => Math.Round(chromaticity * ChromaticitySteps), luminance => Math.Round(luminance * LuminanceSteps));

    /// <summary>As AV1's encoder takes it: in plain numbers.</summary>
    internal string InPlainNumbers => Describe(chromaticity => Math.Round(chromaticity, 5), luminance => Math.Round(luminance, 4));

    private string Describe(Func<double, double> chromaticity, Func<double, double> luminance)
    {
        string Point(Chromaticity color) => FormattableString.Invariant($"({chromaticity(color.X)},{chromaticity(color.Y)})");
        return FormattableString.Invariant($"G{Point(Green)}B{Point(Blue)}R{Point(Red)}WP{Point(White)}L({luminance(MaxLuminance)},{luminance(MinLuminance)})");
    }
}

/// <summary>How bright HDR video gets (CTA-861.3), in cd/m².</summary>
/// <param name="MaxContent">Its brightest pixel.</param>
/// <param name="MaxAverage">The mean of its brightest frame.</param>
public sealed record ContentLight(int MaxContent, int MaxAverage)
{
    /// <summary>As encoders take it.</summary>
    internal string Text => FormattableString.Invariant($"{MaxContent},{MaxAverage}");
}
