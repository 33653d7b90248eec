namespace RealtimeDeblur.Restoration;

/// <summary>How blurred a frame is, as far as its own pixels tell.</summary>
/// <param name="Sigma">Standard deviation of the Gaussian that comes nearest to the blur, in pixels, 0 to <see cref="MaxSigma"/>. Errs low rather than high: too much sharpening costs more than too little.</param>
/// <param name="Spread">Relative uncertainty: the true sigma lies within a factor of 1 + <paramref name="Spread"/> in about two of three frames. Infinite where nothing is known.</param>
/// <param name="IsSharp">Whether the blur is too mild to be worth restoring: <paramref name="Sigma"/> below <see cref="SharpLimit"/>.</param>
internal readonly record struct SigmaEstimate(float Sigma, float Spread, bool IsSharp)
{
    /// <summary>Widest blur told apart, in pixels.</summary>
    public const float MaxSigma = 4;

    /// <summary>Below this sigma, in pixels, a frame counts as sharp: between 0.5, where rounding to 8 bits hides most of what a network could bring back, and 0.7, where restoration shows.</summary>
    public const float SharpLimit = 0.55f;

    /// <summary>What a frame too small to look at gives: sigma 0, that is, nothing to restore.</summary>
    public static SigmaEstimate Unknown { get; } = new(0, float.PositiveInfinity, IsSharp: false);

    /// <summary>Whether the frame told anything.</summary>
    public bool IsKnown => float.IsFinite(Spread);
}
