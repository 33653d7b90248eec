namespace RealtimeDeblur.Training.Evaluation;

/// <summary>Figures of pictures whose left half is sharp and whose right half is blurred: means over the pictures.</summary>
/// <param name="PsnrSharpHalf">Of the restored picture's sharp half, dB: what it costs to take it for blurred.</param>
/// <param name="PsnrBlurredHalf">Of its blurred half, dB.</param>
/// <param name="PsnrBlurredHalfAllOver">Of the same half where the whole picture was blurred and restored, dB.</param>
/// <param name="SigmaEstimate">How well the blur of the blurred half was estimated; null where it was not.</param>
internal sealed record SharpHalfSummary(double PsnrSharpHalf, double PsnrBlurredHalf, double PsnrBlurredHalfAllOver, SigmaEstimateSummary? SigmaEstimate);
