using RealtimeDeblur.Networks;
using RealtimeDeblur.Tests.Reference;
using Xunit;

namespace RealtimeDeblur.Tests.Networks;

public sealed class PlainNetworkTests
{
    [Theory]
    [MemberData(nameof(InferenceSessionTests.Descriptions), MemberType = typeof(InferenceSessionTests))]
    public void LargestError_RightAndWrongOutput_TellsThemApart(NetworkDescription description)
    {
        Network network = RandomNetwork.Create(description, seed: 2);
        Tensor frame = Tensor.Random(1, description.C, 13, 11, seed: 3, low: 0);
        float[] restored = ReferenceConvolution.Forward(network, frame).ToFloats();
        Assert.InRange(PlainNetwork.LargestError(network, 11, 13, frame.ToFloats(), restored), 0, 1e-6);

        for (int i = 0; i < restored.Length; i++) restored[i] += 0.01f * (1 + Math.Abs(restored[i]));
        Assert.InRange(PlainNetwork.LargestError(network, 11, 13, frame.ToFloats(), restored), 0.0099, 0.0101);
        Array.Fill(restored, float.NaN);
        Assert.False(PlainNetwork.LargestError(network, 11, 13, frame.ToFloats(), restored) <= 1);
    }
}
