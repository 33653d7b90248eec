using System.Text.Json.Serialization;
using RealtimeDeblur.Restoration;
using RealtimeDeblur.Training.Data;

namespace RealtimeDeblur.Training.Evaluation;

/// <summary>What to measure.</summary>
internal sealed record EvaluationOptions
{
    /// <summary>Standard deviations of the blur, in pixels, each 0 to <see cref="SigmaChoice.Max"/>.</summary>
    public IReadOnlyList<float> Sigmas { get; init; } = [0, 0.5f, 1, 1.6f, 2, 3];

    /// <summary>How methods that restore a known sigma come to it, <see cref="SigmaMode.Given"/>, <see cref="SigmaMode.Auto"/> or both. Others are measured once, blind.</summary>
    public IReadOnlyList<SigmaMode> SigmaModes { get; init; } = [SigmaMode.Given, SigmaMode.Auto];

    /// <summary>What estimates sigma where it is estimated: each source is measured; those that mean the same for a method, once.</summary>
    public IReadOnlyList<SigmaSource> SigmaFrom { get; init; } = [SigmaSource.Own];

    /// <summary>Whether networks conditioned on sigma are guarded, see <see cref="DeblurOptions.Guard"/>: true, false, or both to measure either way. Others are never.</summary>
    public IReadOnlyList<bool> Guards { get; init; } = [true];

    /// <summary>Share of the methods' change that is mixed in, 0 to 1; see <see cref="DeblurOptions.Strength"/>.</summary>
    public float Strength { get; init; } = DeblurOptions.Default.Strength;

    /// <summary>Whether pictures of which only one half is blurred are measured too; pictures narrower than 48 pixels are skipped then.</summary>
    public bool SharpHalf { get; init; }

    /// <summary>Each is measured with every shape.</summary>
    public IReadOnlyList<DegradationKind> Degradations { get; init; } = [DegradationKind.Gaussian];

    /// <summary>Shapes of the blur; null for an isotropic Gaussian.</summary>
    public IReadOnlyList<BlurShape?> Shapes { get; init; } = [null];

    /// <summary>Noise of the camera degradation, see <see cref="Degradation.Camera"/>; ignored for Gaussian.</summary>
    public float Noise { get; init; } = 2;

    /// <summary>JPEG quality of the camera degradation, null for none; ignored for Gaussian, and where there is H.264.</summary>
    public int? JpegQuality { get; init; } = 85;

    /// <summary>QP of an H.264 intra frame in place of JPEG, 1 to 51, null for none; needs ffmpeg. Ignored for Gaussian.</summary>
    public int? H264Qp { get; init; }

    /// <summary>Whether one picture of every set and degradation is kept with what every method made of it, at the sigma nearest to <see cref="ExamplePicture.UsualSigma"/>.</summary>
    public bool KeepExamples { get; init; }
}

/// <summary>What a row of figures is about.</summary>
internal enum MethodKind
{
    /// <summary>The blurred picture as it was given.</summary>
    Input,

    /// <summary>A filter of the literature.</summary>
    Filter,

    Network,
}

/// <summary>Figures of one method on one set at one sigma: means over the pictures.</summary>
/// <param name="Model">Name of the network or of the filter; <c>blurred</c> for the input.</param>
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
/// <param name="MacPerPixel">Multiply-accumulates per pixel of a restoration of this sigma, those of an estimator apart; null for the input and where a parameter was searched.</param>
/// <param name="MsPerMegapixel">Time of a restoration per million pixels, as <see cref="StillRestorer.MeasureCost"/> says; null likewise.</param>
/// <param name="SigmaEstimate">How well sigma was estimated; null where it was not.</param>
/// <param name="SharpHalf">Figures of the same pictures with one half sharp; null where that was not asked for.</param>
/// <param name="Kind">Network, filter or input.</param>
/// <param name="Degradation">Where the pictures were blurred.</param>
/// <param name="Psf">Shape of the blur: gaussian, anisotropic or disc.</param>
/// <param name="SigmaFrom">What estimated sigma; null where it was not estimated.</param>
/// <param name="IsOwnEstimator">Whether that is what estimates sigma for users of the method.</param>
/// <param name="BestValue">Median over the pictures of the value found for the parameter that was searched; null where none was.</param>
/// <param name="TrainedOn">The degradation that the network learned, as its training record says; null where it does not, and for others.</param>
internal sealed record EvaluationResult(
    string Model, string Set, float Sigma, bool KnowsSigma, int Images, double Psnr, double Ssim, double PsnrBlurred, double SsimBlurred,
    SigmaMode SigmaMode, bool Guard, double? MacPerPixel, double? MsPerMegapixel, SigmaEstimateSummary? SigmaEstimate, SharpHalfSummary? SharpHalf,
    MethodKind Kind, DegradationKind Degradation, string Psf, SigmaSource? SigmaFrom, bool IsOwnEstimator, double? BestValue, string? TrainedOn);

/// <summary>How the figures were made, in words and numbers that let another program make them again.</summary>
/// <param name="Luma">What is measured.</param>
/// <param name="Degradation">What was done to the sharp pictures; several ways behind one another.</param>
/// <param name="BorderPixels">Cut off each side before measuring.</param>
/// <param name="Psnr">Definition.</param>
/// <param name="Ssim">Definition.</param>
/// <param name="Methods">What each method is.</param>
/// <param name="SigmaModes">What a method knows of sigma, by mode.</param>
/// <param name="Strength">Share of the methods' change that was mixed in.</param>
/// <param name="SharpHalf">How pictures with one half sharp were made and measured; null where none were.</param>
/// <param name="Psf">Shapes of the blur: gaussian, anisotropic or disc, with commas between.</param>
/// <param name="Time">How times were taken.</param>
/// <param name="Device">What ran the methods; null where there were none.</param>
internal sealed record EvaluationProtocol(
    string Luma, string Degradation, int BorderPixels, string Psnr, string Ssim, IReadOnlyDictionary<string, string> Methods, IReadOnlyDictionary<SigmaMode, string> SigmaModes, float Strength, string? SharpHalf,
    string Psf, string Time, string? Device);

/// <summary>All figures of one run.</summary>
/// <param name="Protocol">How they were made.</param>
/// <param name="Results">By degradation, shape, set, sigma and method.</param>
/// <param name="Skipped">Pictures that could not be measured.</param>
/// <param name="Verdict">Whether the networks are ahead of everything else that works blind; null where nothing can be said.</param>
internal sealed record EvaluationReport(EvaluationProtocol Protocol, IReadOnlyList<EvaluationResult> Results, IReadOnlyList<SkippedPicture> Skipped, Verdict? Verdict)
{
    /// <summary>How well each source estimates sigma; empty where that was not asked for.</summary>
    public IReadOnlyList<EstimatorResult> Estimators { get; init; } = [];

    /// <summary>Pictures to show.</summary>
    [JsonIgnore]
    public IReadOnlyList<ExamplePicture> Examples { get; init; } = [];
}
