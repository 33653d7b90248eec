using RealtimeDeblur.Restoration;
using RealtimeDeblur.Tests.Reference;
using RealtimeDeblur.Training.Data;
using RealtimeDeblur.Training.Estimation;
using Xunit;

namespace RealtimeDeblur.Tests.Training.Estimation;

public sealed class EstimatorNetworkTests
{
    private static readonly EstimatorShape Shape = new(Members: 1, Hidden: 8, Heads: 4, Values: 4, Out: 16);

    [Theory]
    [InlineData(1)]
    [InlineData(4)]
    [InlineData(11)]
    public void Forward_AnyTileCount_MatchesReference(int tiles)
    {
        (EstimatorNetwork network, float[] x) = Make(tiles);
        float[] levels = new float[EstimatorShape.Quantiles.Count];
        network.Forward(x, tiles, levels);
        double[] expected = ReferenceSigmaNetwork.Levels(Shape, network.Values, x);
        for (int q = 0; q < levels.Length; q++) Assert.Equal(expected[q], levels[q], 1e-4);
    }

    [Fact]
    public void Backward_EveryWeight_MatchesCentralDifferences()
    {
        const int Tiles = 6;
        (EstimatorNetwork network, float[] x) = Make(Tiles);
        float[] dLevels = [0.3f, -0.2f, 0.5f, 0.1f, -0.4f], levels = new float[5], gradient = new float[network.Values.Length];
        network.Refresh();
        network.Forward(x, Tiles, levels);
        network.Backward(dLevels, gradient);

        int wrong = 0, moved = 0;
        for (int i = network.FirstTrained; i < gradient.Length; i++)
        {
            const float Step = 1e-3f;
            float value = network.Values[i];
            double difference = (Loss(value + Step) - Loss(value - Step)) / (2 * Step);
            network.Values[i] = value;
            if (Math.Abs(difference) > 1e-4) moved++;
            // A step across the corner of a rectifier has no derivative; a few of the thousand weights meet one.
            if (Math.Abs(difference - gradient[i]) > 1e-3 + 0.01 * Math.Abs(difference)) wrong++;

            double Loss(float changed)
            {
                network.Values[i] = changed;
                return ReferenceSigmaNetwork.Levels(Shape, network.Values, x).Zip(dLevels, (level, d) => level * d).Sum();
            }
        }
        Assert.InRange(moved, gradient.Length / 2, gradient.Length);
        Assert.InRange(wrong, 0, gradient.Length / 100);
    }

    private static (EstimatorNetwork Network, float[] X) Make(int tiles)
    {
        int F = EstimatorShape.Features;
        SeededRandom random = new(3, "network");
        float[] one = new float[F];
        Array.Fill(one, 1f);
        float[] values = EstimatorNetwork.Initialize(Shape, new float[F], one, level: 0.2f, random);
        for (int i = 2 * F; i < values.Length; i++) values[i] += (float)(0.05 * random.NextGaussian());
        float[] x = new float[tiles * F];
        for (int i = 0; i < x.Length; i++) x[i] = (float)Math.Clamp(random.NextGaussian(), -3, 3);
        return (new(Shape, values), x);
    }
}
