using RealtimeDeblur.Networks;
using Xunit;

namespace RealtimeDeblur.Tests.Networks;

public sealed class NetworkTests
{
    private static readonly NetworkDescription Shape = NetworkDescription.HalfResolution(maps: 5, hidden: 1).WithSigmaKnots([0.5f, 1, 3]);

    [Theory]
    [InlineData(0f, 0, 0, 0.0)]         // before the first knot
    [InlineData(0.5f, 0, 0, 0.0)]
    [InlineData(0.625f, 0, 1, 0.25)]
    [InlineData(1f, 1, 1, 0.0)]
    [InlineData(2.5f, 1, 2, 0.75)]
    [InlineData(3f, 2, 2, 0.0)]
    [InlineData(99f, 2, 2, 0.0)]
    public void At_Sigma_InterpolatesWeightsAndBiasesBetweenItsKnots(float sigma, int lower, int upper, double share)
    {
        Network network = RandomNetwork.Create(Shape, seed: 1, new() { ["seed"] = "1" });
        Network plain = network.At(sigma);

        Assert.False(plain.IsConditioned);
        Assert.Equal((network.Name, network.TrainingRecord), (plain.Name, plain.TrainingRecord));
        for (int i = 0; i < Shape.Layers.Count; i++)
        {
            AssertBetween(network.Weights[i].Weight, plain.Weights[i].Weight);
            AssertBetween(network.Weights[i].Bias, plain.Weights[i].Bias);
        }

        void AssertBetween(float[] knots, float[] actual)
        {
            Assert.Equal(knots.Length, actual.Length * Shape.SigmaKnots.Count);
            for (int i = 0; i < actual.Length; i++)
                Assert.Equal((1 - share) * knots[lower * actual.Length + i] + share * knots[upper * actual.Length + i], actual[i], 1e-7);
        }
    }

    [Fact]
    public void At_Knot_GivesItsWeightsExactly()
    {
        Network network = RandomNetwork.Create(Shape, seed: 1);
        for (int knot = 0; knot < Shape.SigmaKnots.Count; knot++)
        {
            float[] weight = network.At(Shape.SigmaKnots[knot]).Weights[1].Weight;
            Assert.Equal(network.Weights[1].Weight.AsSpan(knot * weight.Length, weight.Length).ToArray(), weight);
        }
    }

    [Fact]
    public void At_NetworkWithoutKnots_IsTheSameNetwork()
    {
        Network network = RandomNetwork.Create(NetworkDescription.Dbcnn(n1: 2, n2: 2), seed: 1);
        Assert.Same(network, network.At(1.6f));
    }

    [Theory]
    [InlineData(-0.1f)]
    [InlineData(float.NaN)]
    public void At_NoSigma_IsRefused(float sigma) => Assert.Throws<ArgumentOutOfRangeException>(() => RandomNetwork.Create(Shape, seed: 1).At(sigma));

    [Fact]
    public void Constructor_WeightsOfTooFewKnots_SaysHowManyAreNeeded()
    {
        LayerWeights[] weights = [.. RandomNetwork.Create(Shape.WithSigmaKnots([0, 1]), seed: 1).Weights];
        string message = Assert.Throws<ArgumentException>(() => new Network("dial", Shape, weights)).Message;
        Assert.Contains("dial: layer 'first' has 360 weights and 10 biases, the network needs 540 and 15, for 3 knots in sigma.", message, StringComparison.Ordinal);
    }

    [Fact]
    public void WithSigmaKnots_Description_KeepsEverythingElse()
    {
        NetworkDescription plain = NetworkDescription.DbcnnBackProjection();
        NetworkDescription conditioned = plain.WithSigmaKnots(NetworkDescription.DefaultSigmaKnots);
        Assert.Equal((plain.Architecture, plain.GlobalSkip, plain.Scale, plain.C, plain.MacPerPixel), (conditioned.Architecture, conditioned.GlobalSkip, conditioned.Scale, conditioned.C, conditioned.MacPerPixel));
        Assert.Equal(plain.Layers, conditioned.Layers);
        Assert.Equal([0, 0.5f, 1, 1.5f, 2, 2.5f, 3, 3.5f, 4], conditioned.SigmaKnots);
        Assert.False(conditioned.WithSigmaKnots([]).IsConditioned);
    }
}
