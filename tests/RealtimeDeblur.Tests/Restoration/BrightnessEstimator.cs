using RealtimeDeblur.Restoration;

namespace RealtimeDeblur.Tests.Restoration;

/// <summary>An estimator that takes the brightness of a frame for its blur, so that tests can say how blurred a frame is: the level grows in proportion to the mean luma.</summary>
internal static class BrightnessEstimator
{
    /// <summary>Mean luma, 0 to 255, of frames that are sharp, of sigma 1, and of sigma 2.55.</summary>
    public const int Sharp = 64, Mild = 128, Strong = 192;

    // Level 0.5*ln(0.3^2 + 0.3^2) at Sharp and 0.5*ln(1 + 0.3^2) at Mild, see SigmaScale.
    private const float LevelOfSharp = -0.857f, LevelOfMild = 0.043f;

    /// <summary>Position of the mean among the statistics of a tile in <c>restore/sigma_features.cl</c>; in units of 64.</summary>
    private const int MeanFeature = 28;

    public static EstimatorWeights Create()
    {
        EstimatorShape shape = new(Members: 1, Hidden: 8, Heads: 1, Values: 7, Out: 8);
        float[] values = new float[shape.Count];
        Dictionary<string, int> origins = [];
        int origin = 0;
        foreach ((string name, int[] sizes) in shape.Tensors)
        {
            origins[name] = origin;
            origin += EstimatorShape.Length(sizes);
        }
        // One unit of every layer hands the mean on; all tiles count alike.
        values[origins["feature.scale"] + MeanFeature] = 1;
        values[origins["tile1.weight"] + MeanFeature * shape.Hidden] = 1;
        values[origins["tile2.weight"]] = 1;
        values[origins["tile3.weight"] + shape.Heads] = 1;
        values[origins["out1.weight"]] = 1;
        float slope = LevelOfMild - LevelOfSharp;
        for (int i = 0; i < EstimatorShape.Quantiles.Count; i++)
        {
            values[origins["out2.weight"] + i] = slope;
            values[origins["out2.bias"] + i] = LevelOfSharp - slope;
        }
        return new(shape, values, new Dictionary<string, string>());
    }
}
