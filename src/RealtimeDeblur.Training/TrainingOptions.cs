using RealtimeDeblur.Networks;
using RealtimeDeblur.Training.Data;
using RealtimeDeblur.Training.Layers;
using RealtimeDeblur.Training.Optimization;

namespace RealtimeDeblur.Training;

/// <summary>A factor of the loss for patches of one blur.</summary>
/// <param name="Sigma">Gaussian blur in pixels.</param>
/// <param name="Factor">0 or more.</param>
internal sealed record SigmaFactor(float Sigma, float Factor);

/// <summary>Everything that decides what a training run computes: equal options on equal data and the same device give equal losses.</summary>
internal sealed record TrainingOptions
{
    /// <summary>Channels of the frame: 1 for luma, 3 for RGB.</summary>
    public int C { get; init; } = 1;

    /// <summary>Family of the network: <c>dbcnn</c>, <c>dbcnn-bp</c>, or any other name for equal 3x3 layers at half resolution (<see cref="NetworkDescription.HalfResolution"/>).</summary>
    public string Architecture { get; init; } = "dbcnn";

    /// <summary>Blurs, in pixels, at which the network has weights of its own, see <see cref="NetworkDescription.SigmaKnots"/>; empty trains a network that is not told sigma.</summary>
    public IReadOnlyList<float> SigmaKnots { get; init; } = [];

    /// <summary>Half resolution: maps of every hidden tensor.</summary>
    public int Maps { get; init; } = 16;

    /// <summary>Half resolution: layers between the first and the last.</summary>
    public int Hidden { get; init; } = 3;

    /// <summary>dbcnn-bp: back-projection stages.</summary>
    public int Stages { get; init; } = 2;

    /// <summary>dbcnn-bp: support of the blur, odd.</summary>
    public int ReblurSize { get; init; } = 13;

    /// <summary>dbcnn-bp: support of the projection, odd.</summary>
    public int ProjectSize { get; init; } = 9;

    /// <summary>dbcnn-bp: support of the last layer, odd.</summary>
    public int CombineSize { get; init; } = 3;

    /// <summary>dbcnn and dbcnn-bp, like the next four: support of patch extraction, odd.</summary>
    public int F1 { get; init; } = 9;

    /// <summary>Maps of patch extraction.</summary>
    public int N1 { get; init; } = 64;

    /// <summary>Support of the non-linear mapping, odd.</summary>
    public int F2 { get; init; } = 1;

    /// <summary>Maps of the non-linear mapping.</summary>
    public int N2 { get; init; } = 32;

    /// <summary>Support of reconstruction, odd.</summary>
    public int F3 { get; init; } = 5;

    /// <summary>Whether the network predicts the change to its input, see <see cref="NetworkDescription.GlobalSkip"/>.</summary>
    public bool GlobalSkip { get; init; } = true;

    public DegradationKind Degradation { get; init; } = DegradationKind.Gaussian;

    /// <summary>Narrowest Gaussian of blurred patches, in pixels.</summary>
    public float SigmaMin { get; init; } = 0.4f;

    /// <summary>Widest Gaussian of blurred patches, in pixels.</summary>
    public float SigmaMax { get; init; } = 3.1f;

    /// <summary>With <see cref="DegradationKind.Camera"/>: share of blurred patches whose blur is no isotropic Gaussian, but an anisotropic one or a disc of defocus.</summary>
    public float ShapeShare { get; init; } = 0.15f;

    /// <summary>Standard deviation, as a share of sigma, of the error in the sigma that the network is told: estimates are never exact.</summary>
    public float SigmaJitter { get; init; }

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

    /// <summary>Steps that the running average of the weights looks back; the average is what is validated and written. 1 takes the weights themselves.</summary>
    public int AverageSteps { get; init; } = 1000;

    /// <summary>Patches per step.</summary>
    public int BatchSize { get; init; } = 4;

    /// <summary>Side of the patches that the network returns, in pixels. The trainer raises it until the network's input is a multiple of 8.</summary>
    public int PatchSize { get; init; } = 60;

    public int Steps { get; init; } = 100_000;

    /// <summary>Steps between validations, rounded to whole chunks.</summary>
    public int ValidateEvery { get; init; } = 3_000;

    public int Seed { get; init; } = 1;

    /// <summary>The network that is trained.</summary>
    /// <exception cref="ArgumentException">A size is outside its limits.</exception>
    public NetworkDescription Describe() => (Architecture switch
    {
        "dbcnn" => NetworkDescription.Dbcnn(C, F1, N1, F2, N2, F3, GlobalSkip),
        "dbcnn-bp" => NetworkDescription.DbcnnBackProjection(Stages, ReblurSize, ProjectSize, CombineSize, C, F1, N1, N2, F3),
        _ => NetworkDescription.HalfResolution(Maps, Hidden, C, Architecture),
    }).WithSigmaKnots(SigmaKnots);
}
