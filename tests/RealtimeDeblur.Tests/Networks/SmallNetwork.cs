using RealtimeDeblur.Networks;

namespace RealtimeDeblur.Tests.Networks;

/// <summary>Networks whose effect is known, small enough to run in no time.</summary>
internal static class SmallNetwork
{
    /// <summary>One 3x3 layer that returns its input.</summary>
    public static Network Identity(int C = 1) => Create("identity", C, amount: 0);

    /// <summary>One 3x3 layer that adds the difference to the mean of the four neighbours.</summary>
    public static Network Sharpen(int C = 1) => Create("sharpen", C, amount: 1);

    /// <summary>Conditioned on sigma: <see cref="Identity"/> at 0, <see cref="Sharpen"/> at 2 and beyond, in proportion between.</summary>
    public static Network Dial(Dictionary<string, string>? record = null)
    {
        LayerWeights identity = Identity().Weights[0], sharpen = Sharpen().Weights[0];
        return new("dial", Identity().Description.WithSigmaKnots([0, 2]), [new([.. identity.Weight, .. sharpen.Weight], [.. identity.Bias, .. sharpen.Bias])], record);
    }

    private static Network Create(string name, int C, float amount)
    {
        const int size = 3;
        var layer = new ConvolutionLayer(name, C, C, size, Relu: false);
        float[] weight = new float[layer.WeightCount];
        for (int c = 0; c < C; c++)
        {
            int center = (c * C + c) * size * size + 4;
            weight[center] = 1 + amount;
            foreach (int neighbour in (int[])[-size, -1, 1, size]) weight[center + neighbour] = -amount / 4;
        }
        return new(name, new NetworkDescription(name, [layer], globalSkip: false), [new LayerWeights(weight, new float[C])]);
    }
}
