using System.Runtime.InteropServices;

namespace RealtimeDeblur.Networks;

/// <summary>What the convolutions of an exported model find outside their input.</summary>
internal enum OnnxBorder
{
    /// <summary>The edge of the input, as in our definition.</summary>
    Replicate,

    /// <summary>Zeros, within the Conv operation itself: another result within <see cref="NetworkDescription.Pad"/> of the frame's edge, for programs that cannot replicate and for
    /// measuring them at their best.</summary>
    Zero,
}

/// <summary>Writes a network as an ONNX model, for programs that run those.</summary>
/// <remarks>
/// Input <c>blurred</c> and output <c>restored</c> are float [1][C][H][W], gamma-encoded, 0 to 1 (results may lie slightly outside), of any H and W. Every
/// convolution is a <c>Pad</c> that replicates the edge of its input and a <c>Conv</c> without padding, which is how we define borders. Networks with a scale
/// take sizes that it divides: <c>SpaceToDepth</c> comes first and <c>DepthToSpace</c> last. The model says opset 17, which any ONNX Runtime since 1.12 reads. Field numbers are those of onnx.proto (github.com/onnx/onnx).
/// </remarks>
internal static class OnnxExport
{
    public const string InputName = "blurred";
    public const string OutputName = "restored";

    private const int IrVersion = 8;        // the first to hold opset 17
    private const int OpsetVersion = 17;
    private const int FloatType = 1;        // TensorProto.DataType
    private const int Int64Type = 7;

    /// <summary>Writes the model; it appears complete or not at all.</summary>
    /// <exception cref="ArgumentException">The network is conditioned on sigma: export <see cref="Network.At"/> of one.</exception>
    /// <exception cref="IOException">The file cannot be written.</exception>
    public static void Write(Network network, string path) => AtomicFile.Write(path, stream => stream.Write(Encode(network)));

    /// <summary>The bytes of the model.</summary>
    /// <param name="network">What to export.</param>
    /// <param name="border">What convolutions find outside their input.</param>
    /// <param name="size">The only frame size that the model takes, for programs that cannot do with any; null for any size.</param>
    /// <exception cref="ArgumentException">The network is conditioned on sigma.</exception>
    public static byte[] Encode(Network network, OnnxBorder border = OnnxBorder.Replicate, (int W, int H)? size = null)
    {
        if (network.IsConditioned) throw new ArgumentException($"{network.Name} is conditioned on the blur's sigma, and an ONNX model has one set of weights: export the network at one sigma.", nameof(network));
        ProtobufWriter model = new();
        model.Integer(1, IrVersion);
        model.Text(2, "RealtimeDeblur");
        model.Message(8, opset => opset.Integer(2, OpsetVersion));
        model.Message(7, graph => WriteGraph(graph, network, border, size));
        foreach ((string key, string value) in network.TrainingRecord)
        {
            model.Message(14, pair =>
            {
                pair.Text(1, key);
                pair.Text(2, value);
            });
        }
        return model.Written.ToArray();
    }

    private static void WriteGraph(ProtobufWriter graph, Network network, OnnxBorder border, (int W, int H)? size)
    {
        NetworkDescription description = network.Description;
        graph.Text(2, network.Name);
        int scale = description.Scale;
        string input = scale == 1 ? InputName : Node("SpaceToDepth", "cells", [InputName], node => IntegerAttribute(node, "blocksize", scale));
        var tensors = new Dictionary<string, string> { [NetworkDescription.Input] = input };
        string value = input;
        for (int i = 0; i < description.Layers.Count; i++)
        {
            ConvolutionLayer layer = description.Layers[i];
            // Whoever is last gives the model's output its name.
            bool isResult = i == description.Layers.Count - 1 && !description.GlobalSkip && scale == 1;
            bool hasPadNode = layer.Pad > 0 && border == OnnxBorder.Replicate;
            if (layer.With is not null) value = Node("Concat", $"{layer.Name}.inputs", [value, tensors[layer.With]], node => IntegerAttribute(node, "axis", 1));
            if (hasPadNode) value = Node("Pad", $"{layer.Name}.padded", [value, $"{layer.Name}.pads"], node => TextAttribute(node, "mode", "edge"));
            value = Node("Conv", isResult && !layer.Relu && layer.Skip is null ? OutputName : $"{layer.Name}.sum", [value, $"{layer.Name}.weight", $"{layer.Name}.bias"],
                hasPadNode ? null : node => IntegersAttribute(node, "pads", [layer.Pad, layer.Pad, layer.Pad, layer.Pad]));
            if (layer.Relu) value = Node("Relu", isResult && layer.Skip is null ? OutputName : $"{layer.Name}.maps", [value]);
            if (layer.Skip is not null) value = Node(layer.Subtract ? "Sub" : "Add", isResult ? OutputName : $"{layer.Name}.result", [tensors[layer.Skip], value]);
            tensors[layer.Name] = value;
        }
        if (scale > 1) value = Node("DepthToSpace", description.GlobalSkip ? "change" : OutputName, [value], node => IntegerAttribute(node, "blocksize", scale));
        if (description.GlobalSkip) Node("Add", OutputName, [InputName, value]);
        for (int i = 0; i < description.Layers.Count; i++)
        {
            ConvolutionLayer layer = description.Layers[i];
            Initializer($"{layer.Name}.weight", FloatType, [layer.K, layer.C, layer.Size, layer.Size], MemoryMarshal.AsBytes<float>(network.Weights[i].Weight));
            Initializer($"{layer.Name}.bias", FloatType, [layer.K], MemoryMarshal.AsBytes<float>(network.Weights[i].Bias));
            // Before and after each of N, C, H, W.
            ReadOnlySpan<long> pads = [0, 0, layer.Pad, layer.Pad, 0, 0, layer.Pad, layer.Pad];
            if (layer.Pad > 0 && border == OnnxBorder.Replicate) Initializer($"{layer.Name}.pads", Int64Type, [pads.Length], MemoryMarshal.AsBytes(pads));
        }
        graph.Message(11, frame => WriteFrameType(frame, InputName, description.C, size));
        graph.Message(12, output => WriteFrameType(output, OutputName, description.C, size));

        // Writes one operation; gives the name of its output.
        string Node(string operation, string output, ReadOnlySpan<string> operands, Action<ProtobufWriter>? writeAttributes = null)
        {
            ProtobufWriter node = new();
            foreach (string operand in operands) node.Text(1, operand);
            node.Text(2, output);
            node.Text(3, $"{operation} {output}");
            node.Text(4, operation);
            writeAttributes?.Invoke(node);
            graph.Bytes(1, node.Written);
            return output;
        }

        void Initializer(string name, int type, ReadOnlySpan<int> shape, ReadOnlySpan<byte> littleEndian)
        {
            ProtobufWriter tensor = new();
            foreach (int size in shape) tensor.Integer(1, size);
            tensor.Integer(2, type);
            tensor.Text(8, name);
            tensor.Bytes(9, littleEndian);
            graph.Bytes(5, tensor.Written);
        }
    }

    private static void TextAttribute(ProtobufWriter node, string name, string value) => node.Message(5, attribute =>
    {
        attribute.Text(1, name);
        attribute.Text(4, value);
        attribute.Integer(20, 3);       // AttributeProto.AttributeType.STRING
    });

    private static void IntegerAttribute(ProtobufWriter node, string name, int value) => node.Message(5, attribute =>
    {
        attribute.Text(1, name);
        attribute.Integer(3, value);
        attribute.Integer(20, 2);       // AttributeProto.AttributeType.INT
    });

    private static void IntegersAttribute(ProtobufWriter node, string name, int[] values) => node.Message(5, attribute =>
    {
        attribute.Text(1, name);
        foreach (int value in values) attribute.Integer(8, value);
        attribute.Integer(20, 7);       // AttributeProto.AttributeType.INTS
    });

    private static void WriteFrameType(ProtobufWriter info, string name, int C, (int W, int H)? size)
    {
        info.Text(1, name);
        info.Message(2, type => type.Message(1, tensor =>
        {
            tensor.Integer(1, FloatType);
            tensor.Message(2, shape =>
            {
                shape.Message(1, N => N.Integer(1, 1));
                shape.Message(1, channels => channels.Integer(1, C));
                Side("H", size?.H);
                Side("W", size?.W);

                void Side(string any, int? fixedSize) => shape.Message(1, side =>
                {
                    if (fixedSize is { } pixels) side.Integer(1, pixels);
                    else side.Text(2, any);
                });
            });
        }));
    }
}
