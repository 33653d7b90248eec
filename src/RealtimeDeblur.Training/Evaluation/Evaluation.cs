using RealtimeDeblur.Networks;
using RealtimeDeblur.Restoration;
using RealtimeDeblur.Training.Data;

namespace RealtimeDeblur.Training.Evaluation;

/// <summary>What to measure.</summary>
internal sealed record EvaluationOptions
{
    /// <summary>Standard deviations of the blur, in pixels, each 0 to <see cref="SigmaChoice.Max"/>.</summary>
    public IReadOnlyList<float> Sigmas { get; init; } = [0, 0.5f, 1, 1.6f, 2, 3];

    /// <summary>Whether the classical methods are measured too.</summary>
    public bool Baselines { get; init; } = true;

    /// <summary>How networks conditioned on sigma come to it, <see cref="SigmaMode.Given"/>, <see cref="SigmaMode.Auto"/> or both. Others are measured once, blind.</summary>
    public IReadOnlyList<SigmaMode> SigmaModes { get; init; } = [SigmaMode.Given, SigmaMode.Auto];

    /// <summary>Whether networks conditioned on sigma are guarded, see <see cref="DeblurOptions.Guard"/>: true, false, or both to measure either way. Others are never.</summary>
    public IReadOnlyList<bool> Guards { get; init; } = [true];

    /// <summary>Share of the networks' change that is mixed in, 0 to 1; see <see cref="DeblurOptions.Strength"/>.</summary>
    public float Strength { get; init; } = DeblurOptions.Default.Strength;

    /// <summary>Whether pictures of which only one half is blurred are measured too; pictures narrower than 48 pixels are skipped then.</summary>
    public bool SharpHalf { get; init; }

    public DegradationKind Degradation { get; init; } = DegradationKind.Gaussian;

    /// <summary>Shape of the blur, of either degradation; null for an isotropic Gaussian.</summary>
    public BlurShape? Shape { get; init; }

    /// <summary>Noise of the camera degradation, see <see cref="Degradation.Camera"/>; ignored for Gaussian.</summary>
    public float Noise { get; init; } = 2;

    /// <summary>JPEG quality of the camera degradation, null for none; ignored for Gaussian, and where there is H.264.</summary>
    public int? JpegQuality { get; init; } = 85;

    /// <summary>QP of an H.264 intra frame in place of JPEG, 1 to 51, null for none; needs ffmpeg. Ignored for Gaussian.</summary>
    public int? H264Qp { get; init; }
}

/// <summary>A network under the name that results give it.</summary>
internal sealed record EvaluatedNetwork(string Name, Network Network)
{
    /// <summary>What estimates sigma; null takes what is installed for the network's blur.</summary>
    internal EstimatorWeights? Estimator { get; init; }
}

/// <summary>Figures of one method on one set at one sigma: means over the pictures.</summary>
/// <param name="Model">Name of the network or of the baseline.</param>
/// <param name="Set">Name of the set.</param>
/// <param name="Sigma">Blur in pixels.</param>
/// <param name="KnowsSigma">Whether the method was told sigma.</param>
/// <param name="Images">Number of pictures.</param>
/// <param name="Psnr">Of the restored pictures, dB.</param>
/// <param name="Ssim">Of the restored pictures.</param>
/// <param name="PsnrBlurred">Of the pictures that the method was given, dB.</param>
/// <param name="SsimBlurred">Of the pictures that the method was given.</param>
/// <param name="SigmaMode">What the method knew of sigma.</param>
/// <param name="Guard">Whether the network's change was taken back where the picture was not blurred by sigma; false where there is no such guard.</param>
/// <param name="MacPerPixel">Multiply-accumulates of the network per pixel; null for a baseline.</param>
/// <param name="MsPerMegapixel">Device time of the network's kernels alone per million pixels, measured at the commonest size of the set; null for a baseline.</param>
/// <param name="SigmaEstimate">How well sigma was estimated; null where it was not.</param>
/// <param name="SharpHalf">Figures of the same pictures with one half sharp; null where that was not asked for.</param>
internal sealed record EvaluationResult(
    string Model, string Set, float Sigma, bool KnowsSigma, int Images, double Psnr, double Ssim, double PsnrBlurred, double SsimBlurred,
    SigmaMode SigmaMode, bool Guard, int? MacPerPixel, double? MsPerMegapixel, SigmaEstimateSummary? SigmaEstimate, SharpHalfSummary? SharpHalf);

/// <summary>How the figures were made, in words and numbers that let another program make them again.</summary>
/// <param name="Luma">What is measured.</param>
/// <param name="Degradation">What was done to the sharp pictures.</param>
/// <param name="BorderPixels">Cut off each side before measuring.</param>
/// <param name="Psnr">Definition.</param>
/// <param name="Ssim">Definition.</param>
/// <param name="Methods">What each baseline does and knows.</param>
/// <param name="SigmaModes">What a network knows of sigma, by mode.</param>
/// <param name="Strength">Share of the networks' change that was mixed in.</param>
/// <param name="SharpHalf">How pictures with one half sharp were made and measured; null where none were.</param>
/// <param name="Psf">Shape of the blur: gaussian, anisotropic or disc.</param>
internal sealed record EvaluationProtocol(
    string Luma, string Degradation, int BorderPixels, string Psnr, string Ssim, IReadOnlyDictionary<string, string> Methods, IReadOnlyDictionary<SigmaMode, string> SigmaModes, float Strength, string? SharpHalf,
    string Psf);

/// <summary>All figures of one run.</summary>
/// <param name="Protocol">How they were made.</param>
/// <param name="Results">By set, method and sigma.</param>
/// <param name="Skipped">Pictures that could not be measured.</param>
internal sealed record EvaluationReport(EvaluationProtocol Protocol, IReadOnlyList<EvaluationResult> Results, IReadOnlyList<SkippedPicture> Skipped);
