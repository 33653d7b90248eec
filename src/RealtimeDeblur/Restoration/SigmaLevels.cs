namespace RealtimeDeblur.Restoration;

/// <summary>
/// The sigmas that a frame of changing blur is restored for; a pixel between two of them takes some of both. Level 0 stands for "sharp, left as it is"; from level 1 on each is wider than the one before by the same factor.
/// </summary>
internal static class SigmaLevels
{
    /// <summary>From one level to the next: a network told a sigma that is wrong by half of this loses a quarter of a decibel, and the mixture of two neighbours less.</summary>
    private const float Factor = 1.15f;

    /// <summary>Sigma of level 1 in pixels: the mildest blur that is restored.</summary>
    private const float First = SigmaEstimate.SharpLimit;

    /// <summary>Levels, 0 included.</summary>
    public static int Count { get; } = 2 + (int)MathF.Ceiling(MathF.Log(SigmaEstimate.MaxSigma / First) / MathF.Log(Factor));

    /// <summary>Sigma in pixels of a level above 0.</summary>
    public static float SigmaOf(int level) => MathF.Min(First * MathF.Pow(Factor, level - 1), SigmaEstimate.MaxSigma);

    /// <summary>Where a sigma lies between the levels: 0 for sharp, else 1 or more.</summary>
    public static float StepOf(float sigma) => sigma < First ? 0 : Math.Clamp(1 + MathF.Log(sigma / First) / MathF.Log(Factor), 1, Count - 1);
}
