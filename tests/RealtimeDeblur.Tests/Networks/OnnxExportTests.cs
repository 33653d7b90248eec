using RealtimeDeblur.Compute;
using RealtimeDeblur.Networks;
using RealtimeDeblur.Tests.Reference;
using Xunit;
using Ort = Microsoft.ML.OnnxRuntime;

namespace RealtimeDeblur.Tests.Networks;

/// <summary>ONNX Runtime is the judge: it must compute what our definition says.</summary>
public sealed class OnnxExportTests : IDisposable
{
    private readonly string _folder = Directory.CreateTempSubdirectory("onnx-").FullName;

    public void Dispose() => Directory.Delete(_folder, recursive: true);

    public static TheoryData<NetworkDescription> Descriptions() =>
    [
        NetworkDescription.Dbcnn(),
        NetworkDescription.Dbcnn(globalSkip: false),
        NetworkDescription.Dbcnn(C: 3),
        NetworkDescription.Dbcnn(C: 3, f1: 1, n1: 7, f2: 7, n2: 1, f3: 3, globalSkip: false),
        NetworkDescription.Dbcnn(f1: 11, n1: 5, f2: 3, n2: 9, f3: 1),
        new NetworkDescription("chain", [new("a", 1, 3, 3, false), new("b.1", 3, 2, 5, true), new("c", 2, 2, 3, true), new("d", 2, 1, 3, true)], globalSkip: true),
        new NetworkDescription("single", [new("only", 3, 3, 1, true)], globalSkip: false),
        NetworkDescription.HalfResolution(maps: 5, hidden: 1),
        NetworkDescription.HalfResolution(maps: 5, hidden: 1, C: 3),
        NetworkDescription.DbcnnBackProjection(stages: 2, reblurSize: 5, projectSize: 3, n1: 6, n2: 5),
        new NetworkDescription("graph", [new("a", 12, 4, 3, true), new("b", 16, 4, 3, false) { With = "input", Skip = "a" }, new("c", 8, 12, 1, true) { With = "a", Skip = "input", Subtract = true }], globalSkip: false, scale: 2),
    ];

    /// <summary>From one cell to frames larger than the support; none divides anything.</summary>
    [Theory]
    [MemberData(nameof(Descriptions))]
    public void Encode_AnyNetworkAndFrameSize_RunsAsDefined(NetworkDescription description)
    {
        Network network = RandomNetwork.Create(description, seed: 1);
        using Ort.InferenceSession session = new(OnnxExport.Encode(network));
        foreach ((int H, int W) in new[] { (1, 1), (1, 7), (3, 2), (17, 23), (29, 41) })
        {
            Tensor blurred = Tensor.Random(1, description.C, H * description.Scale, W * description.Scale, seed: 2, low: 0);
            TensorAssert.Close(ReferenceConvolution.Forward(network, blurred), Run(session, blurred), relative: 0, absolute: 1e-4);
        }
    }

    [Theory]
    [MemberData(nameof(Descriptions))]
    public void Encode_AnyNetwork_RunsAsOurKernelsDo(NetworkDescription description)
    {
        using ComputeDevice device = TestDevice.OpenOrSkip();
        using CommandQueue queue = device.CreateQueue();
        Network network = RandomNetwork.Create(description, seed: 3);
        using Ort.InferenceSession onnx = new(OnnxExport.Encode(network));
        foreach ((int H, int W) in new[] { (1, 1), (21, 43) })
        {
            Tensor blurred = Tensor.Random(1, description.C, H * description.Scale, W * description.Scale, seed: 4, low: 0);
            using InferenceSession ours = new(device, network, blurred.W, blurred.H);
            using DeviceBuffer<float> input = device.Allocate<float>(blurred.ToFloats());
            using DeviceBuffer<float> output = device.Allocate<float>(blurred.Values.Length);
            ours.Run(queue, input, output);
            TensorAssert.Close(Run(onnx, blurred), output.ToArray(queue), relative: 0, absolute: 1e-4);
        }
    }

    [Fact]
    public void Encode_ZeroBorder_DiffersNearTheEdgeOnly()
    {
        Network network = RandomNetwork.Create(NetworkDescription.Dbcnn(C: 3, f1: 5, n1: 4, n2: 3, f3: 3), seed: 1);
        using Ort.InferenceSession session = new(OnnxExport.Encode(network, OnnxBorder.Zero));
        Tensor blurred = Tensor.Random(1, 3, 14, 19, seed: 2, low: 0.5);
        Tensor actual = Tensor.From(1, 3, 14, 19, Run(session, blurred));
        Tensor expected = ReferenceConvolution.Forward(network, blurred);
        Assert.True(Math.Abs(expected[0, 0, 0, 0] - actual[0, 0, 0, 0]) > 1e-3);
        int pad = network.Description.Pad;
        for (int c = 0; c < 3; c++)
        for (int y = pad; y < 14 - pad; y++)
        for (int x = pad; x < 19 - pad; x++)
            Assert.Equal(expected[0, c, y, x], actual[0, c, y, x], 1e-4);
    }

    [Fact]
    public void Write_Network_GivesAFileWithNamedInputAndOutputOfAnySizeAndItsRecord()
    {
        string path = Path.Combine(_folder, "dbcnn.onnx");
        OnnxExport.Write(RandomNetwork.Create(NetworkDescription.Dbcnn(C: 3, n1: 4, n2: 3), seed: 1, new() { ["sigma"] = "1.6" }), path);

        using Ort.InferenceSession session = new(path);

        Assert.Equal(["blurred"], session.InputNames);
        Assert.Equal(["restored"], session.OutputNames);
        Assert.Equal([1, 3, -1, -1], session.InputMetadata["blurred"].Dimensions);
        Assert.Equal([1, 3, -1, -1], session.OutputMetadata["restored"].Dimensions);
        Assert.Equal("1.6", session.ModelMetadata.CustomMetadataMap["sigma"]);
        Assert.Equal("RealtimeDeblur", session.ModelMetadata.ProducerName);
        Assert.Equal([path], Directory.GetFiles(_folder));
    }

    private static float[] Run(Ort.InferenceSession session, Tensor blurred)
    {
        Ort.Tensors.DenseTensor<float> input = new(blurred.ToFloats(), [blurred.N, blurred.C, blurred.H, blurred.W]);
        using var results = session.Run([Ort.NamedOnnxValue.CreateFromTensor("blurred", input)]);
        return results.Single().AsTensor<float>().ToArray();
    }
}
