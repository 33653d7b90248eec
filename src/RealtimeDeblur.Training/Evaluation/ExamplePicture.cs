using RealtimeDeblur.Training.Data;

namespace RealtimeDeblur.Training.Evaluation;

/// <summary>One picture of a set, with what every method made of it at one sigma.</summary>
/// <param name="Set">Name of the set.</param>
/// <param name="Name">Name of the picture's file.</param>
/// <param name="Degradation">Where it was blurred.</param>
/// <param name="Psf">Shape of the blur.</param>
/// <param name="Sigma">In pixels.</param>
/// <param name="Sharp">The truth.</param>
/// <param name="Restored">Results in the order of the figures, the blurred input first.</param>
internal sealed record ExamplePicture(string Set, string Name, DegradationKind Degradation, string Psf, float Sigma, LumaPlane Sharp, IReadOnlyList<RestoredExample> Restored)
{
    /// <summary>The sigma to show, in pixels: clearly soft, and within what can be restored well.</summary>
    public const float UsualSigma = 1.6f;
}

/// <summary>What a method made of an example.</summary>
/// <param name="Model">As in the figures, and so are the next five.</param>
/// <param name="Kind"/><param name="Mode"/><param name="Guard"/><param name="SigmaFrom"/><param name="IsOwnEstimator"/>
/// <param name="Luma">The picture.</param>
/// <param name="Psnr">Against the truth, dB.</param>
internal sealed record RestoredExample(string Model, MethodKind Kind, SigmaMode Mode, bool Guard, Restoration.SigmaSource? SigmaFrom, bool IsOwnEstimator, LumaPlane Luma, double Psnr);
