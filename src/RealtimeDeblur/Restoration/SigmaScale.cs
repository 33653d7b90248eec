namespace RealtimeDeblur.Restoration;

/// <summary>
/// The scale on which sigma is estimated and averaged: level = ln(sigma^2 + Own^2) / 2. Like a logarithm for wide blurs, so that errors are relative; finite at 0.
/// Variances of Gaussians add, so this is the logarithm of what a lens of blur <see cref="Own"/> makes of a scene, which no sharp picture falls below.
/// </summary>
internal static class SigmaScale
{
    /// <summary>Blur that sharp pictures have of themselves, in pixels.</summary>
    public const float Own = 0.3f;

    public static float ToLevel(float sigma) => 0.5f * MathF.Log(sigma * sigma + Own * Own);

    /// <summary>Sigma of a level; 0 where the level is that of a sharp picture or below.</summary>
    public static float ToSigma(float level) => MathF.Sqrt(MathF.Max(0, MathF.Exp(2 * level) - Own * Own));
}
