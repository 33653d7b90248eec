using RealtimeDeblur.Training.Data;

namespace RealtimeDeblur.Training.Estimation;

/// <summary>How an estimator of sigma is trained.</summary>
internal sealed record EstimatorOptions
{
    /// <summary>Gaussian blur of luma, in most samples with noise or JPEG on top (gaussian), or a camera's degradation.</summary>
    public DegradationKind Degradation { get; init; } = DegradationKind.Gaussian;

    /// <summary>Blurred crops of every picture.</summary>
    public int SamplesPerPicture { get; init; } = 48;

    /// <summary>How often training sees every sample.</summary>
    public int Epochs { get; init; } = 40;

    /// <summary>Networks whose results are averaged, trained alike from other random numbers.</summary>
    public int Members { get; init; } = 3;

    /// <summary>Start of all random numbers.</summary>
    public int Seed { get; init; } = 1;

    /// <exception cref="ArgumentException">A value is out of range.</exception>
    internal void Check()
    {
        if (SamplesPerPicture is < 1 or > 1000) throw new ArgumentException($"Samples per picture must be 1 to 1000, not {SamplesPerPicture}.");
        if (Epochs is < 1 or > 10_000) throw new ArgumentException($"Epochs must be 1 to 10000, not {Epochs}.");
        if (Members is < 1 or > 8) throw new ArgumentException($"Members must be 1 to 8, not {Members}.");
    }
}
