using RealtimeDeblur.Training.Data;
using RealtimeDeblur.Training.Layers;
using RealtimeDeblur.Training.Optimization;

namespace RealtimeDeblur.Training;

/// <summary>A factor of the loss for patches of one blur.</summary>
/// <param name="Sigma">Gaussian blur in pixels.</param>
/// <param name="Factor">0 or more.</param>
public sealed record SigmaFactor(float Sigma, float Factor);

/// <summary>Everything that decides what a training run computes: equal options on equal data and the same device give equal losses.</summary>
public sealed record TrainingOptions
{
    /// <summary>Channels of the frame: 1 for luma, 3 for RGB.</summary>
    public int C { get; init; } = 1;

    /// <summary>Support of patch extraction, odd.</summary>
    public int F1 { get; init; } = 9;

    /// <summary>Maps of patch extraction.</summary>
    public int N1 { get; init; } = 64;

    /// <summary>Support of the non-linear mapping, odd.</summary>
    public int F2 { get; init; } = 1;

    /// <summary>Maps of the non-linear mapping.</summary>
    public int N2 { get; init; } = 32;

    /// <summary>Support of reconstruction, odd.</summary>
    public int F3 { get; init; } = 5;

    /// <summary>Whether the network predicts the change to its input, see <see cref="Networks.NetworkDescription.GlobalSkip"/>.</summary>
    public bool GlobalSkip { get; init; } = true;

    public DegradationKind Degradation { get; init; } = DegradationKind.Gaussian;

    /// <summary>Narrowest Gaussian of blurred patches, in pixels.</summary>
    public float SigmaMin { get; init; } = 0.4f;

    /// <summary>Widest Gaussian of blurred patches, in pixels.</summary>
    public float SigmaMax { get; init; } = 3.1f;

    /// <summary>Share of the blurred patches whose blur is no isotropic Gaussian but an anisotropic one or a defocus disc, 0 to 1. Camera degradation only: the source paper's blur has one shape.</summary>
    public float ShapeShare { get; init; } = 0.15f;

    /// <summary>Share of patches that are not blurred at all, so that the network learns to leave sharp pictures alone.</summary>
    public float SharpShare { get; init; } = 0.03f;

    /// <summary>0 lets every pixel's error count the same, which favours wide blurs; 2 (1 with <see cref="LossKind.L1"/>) lets every blur count the same, as a mean of PSNR over blurs does. L1 with 1 never leaves the identity.</summary>
    public float SigmaBalance { get; init; } = 1.5f;

    /// <summary>Further factors of the loss at given blurs, interpolated between them and constant outside, ascending; empty for none.</summary>
    public IReadOnlyList<SigmaFactor> Emphasis { get; init; } = [];

    public LossKind Loss { get; init; } = LossKind.Mse;

    public OptimizerKind Optimizer { get; init; } = OptimizerKind.Adam;

    public float LearningRate { get; init; } = 4e-3f;

    /// <summary>Factor of the learning rate per layer, in their order; missing ones are 1. SRCNN used 1, 1, 0.1.</summary>
    public IReadOnlyList<float> LayerRates { get; init; } = [3, 1, 0.3f];

    public LearningRateSchedule Schedule { get; init; } = LearningRateSchedule.Cosine;

    /// <summary>Steps in which the learning rate rises from 0.</summary>
    public int WarmUp { get; init; } = 100;

    /// <summary>Patches per step.</summary>
    public int BatchSize { get; init; } = 4;

    /// <summary>Side of the patches that the network returns, in pixels. The trainer raises it until the network's input is a multiple of 8.</summary>
    public int PatchSize { get; init; } = 60;

    public int Steps { get; init; } = 100_000;

    /// <summary>Steps between validations, rounded to whole chunks.</summary>
    public int ValidateEvery { get; init; } = 3_000;

    public int Seed { get; init; } = 1;
}
