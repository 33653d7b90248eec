namespace RealtimeDeblur.Training;

/// <summary>Restoration quality over the validation patches at one blur.</summary>
/// <param name="Sigma">Gaussian blur in pixels.</param>
/// <param name="Psnr">Mean PSNR in dB, output rounded to 8 bits.</param>
/// <param name="Ssim">Mean structural similarity.</param>
/// <param name="PsnrBlurred">PSNR of the blurred patches themselves.</param>
internal sealed record ValidationResult(float Sigma, double Psnr, double Ssim, double PsnrBlurred);

/// <summary>State of a running training, reported after every chunk of steps.</summary>
/// <param name="Step">Steps done.</param>
/// <param name="Steps">Steps of the whole run.</param>
/// <param name="Loss">Mean loss over the last chunk.</param>
/// <param name="LearningRate">Current learning rate.</param>
/// <param name="SamplesPerSecond">Patches per second since the run was started or resumed.</param>
/// <param name="Validation">Latest validation, empty before the first.</param>
internal sealed record TrainingProgress(int Step, int Steps, double Loss, double LearningRate, double SamplesPerSecond, IReadOnlyList<ValidationResult> Validation)
{
    /// <summary>Mean PSNR over the blurs above 0 of the latest validation, dB; NaN before the first.</summary>
    public double Psnr => Score(Validation);

    internal static double Score(IReadOnlyList<ValidationResult> validation)
    {
        double[] blurred = [.. validation.Where(result => result.Sigma > 0).Select(result => result.Psnr)];
        return blurred.Length == 0 ? double.NaN : blurred.Average();
    }
}
