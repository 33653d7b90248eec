using RealtimeDeblur.Networks;

namespace RealtimeDeblur.Tests.Reference;

/// <summary>
/// The definition of our convolutions, slow and obvious on purpose. Every kernel, forward and backward, is compared with it.
/// </summary>
/// <remarks>
/// <code>
/// valid:  out[n][k][y][x] = bias[k] + sum over c, ky, kx of weight[k][c][ky][kx] * in[n][c][y + ky][x + kx],
///         out is Size - 1 smaller than in on each axis;
/// same:   out[n][k][y][x] = bias[k] + sum over c, ky, kx of weight[k][c][ky][kx] * in[n][c][clamp(y + ky - Pad, 0, H - 1)][clamp(x + kx - Pad, 0, W - 1)],
///         out has the size of in: every layer replicates the border of its own input.
/// </code>
/// </remarks>
internal static class ReferenceConvolution
{
    /// <summary>Replicated border, out has the size of in.</summary>
    public static Tensor Forward(Tensor input, Tensor weight, double[] bias) => ForwardValid(ReplicateBorder(input, weight.H / 2), weight, bias);

    /// <summary>No border: out is Size - 1 smaller than in.</summary>
    public static Tensor ForwardValid(Tensor input, Tensor weight, double[] bias)
    {
        (int K, int size) = (weight.N, weight.H);
        Tensor output = new(input.N, K, input.H - size + 1, input.W - size + 1);
        for (int n = 0; n < output.N; n++)
        for (int k = 0; k < K; k++)
        for (int y = 0; y < output.H; y++)
        for (int x = 0; x < output.W; x++)
        {
            double sum = bias[k];
            for (int c = 0; c < input.C; c++)
            for (int ky = 0; ky < size; ky++)
            for (int kx = 0; kx < size; kx++)
                sum += weight[k, c, ky, kx] * input[n, c, y + ky, x + kx];
            output[n, k, y, x] = sum;
        }
        return output;
    }

    /// <summary>Gradients of a loss by the weights, biases and inputs of <see cref="ForwardValid"/>, from its gradient by the outputs.</summary>
    /// <remarks>
    /// Each product of the forward sum hands dOutput on to both its factors:
    /// <code>
    /// dWeight[k][c][ky][kx] = sum over n, y, x of dOutput[n][k][y][x] * in[n][c][y + ky][x + kx]
    /// dBias[k]              = sum over n, y, x of dOutput[n][k][y][x]
    /// dInput[n][c][y][x]    = sum over k, ky, kx of dOutput[n][k][y - ky][x - kx] * weight[k][c][ky][kx], where dOutput exists
    /// </code>
    /// </remarks>
    public static (Tensor DWeight, double[] DBias, Tensor DInput) BackwardValid(Tensor input, Tensor weight, Tensor dOutput)
    {
        (int K, int size) = (weight.N, weight.H);
        Tensor dWeight = new(K, weight.C, size, size);
        double[] dBias = new double[K];
        Tensor dInput = new(input.N, input.C, input.H, input.W);
        for (int n = 0; n < dOutput.N; n++)
        for (int k = 0; k < K; k++)
        for (int y = 0; y < dOutput.H; y++)
        for (int x = 0; x < dOutput.W; x++)
        {
            double d = dOutput[n, k, y, x];
            dBias[k] += d;
            for (int c = 0; c < input.C; c++)
            for (int ky = 0; ky < size; ky++)
            for (int kx = 0; kx < size; kx++)
            {
                dWeight[k, c, ky, kx] += d * input[n, c, y + ky, x + kx];
                dInput[n, c, y + ky, x + kx] += d * weight[k, c, ky, kx];
            }
        }
        return (dWeight, dBias, dInput);
    }

    public static Tensor Relu(Tensor input) => new(input.N, input.C, input.H, input.W, Array.ConvertAll(input.Values, value => Math.Max(0, value)));

    /// <summary>Gradient by the input of <see cref="Relu"/>: dOutput where the output is above 0, else 0.</summary>
    public static Tensor ReluBackward(Tensor output, Tensor dOutput) =>
        new(output.N, output.C, output.H, output.W, [.. output.Values.Zip(dOutput.Values, (value, d) => value > 0 ? d : 0)]);

    /// <summary>A whole network on frames [N][C][H][W], not clamped to 0..1.</summary>
    public static Tensor Forward(Network network, Tensor blurred) => Forward(network, blurred, Forward);

    /// <summary>A whole network without borders: the result is <see cref="NetworkDescription.Pad"/> smaller on each side, and so is the input that a global skip adds.</summary>
    public static Tensor ForwardValid(Network network, Tensor blurred) => Forward(network, blurred, ForwardValid);

    /// <summary>Pixels to cells: channel (dy*scale + dx)*C + c of cell (y, x) is channel c of pixel (y*scale + dy, x*scale + dx). Past the edge, the last row and column repeat.</summary>
    public static Tensor SpaceToDepth(Tensor frame, int scale)
    {
        Tensor cells = new(frame.N, frame.C * scale * scale, (frame.H + scale - 1) / scale, (frame.W + scale - 1) / scale);
        for (int n = 0; n < cells.N; n++)
        for (int dy = 0; dy < scale; dy++)
        for (int dx = 0; dx < scale; dx++)
        for (int c = 0; c < frame.C; c++)
        for (int y = 0; y < cells.H; y++)
        for (int x = 0; x < cells.W; x++)
            cells[n, (dy * scale + dx) * frame.C + c, y, x] = frame[n, c, Math.Min(y * scale + dy, frame.H - 1), Math.Min(x * scale + dx, frame.W - 1)];
        return cells;
    }

    /// <summary>The other way; what lies past H and W is left out.</summary>
    public static Tensor DepthToSpace(Tensor cells, int scale, int H, int W)
    {
        Tensor frame = new(cells.N, cells.C / (scale * scale), H, W);
        for (int n = 0; n < frame.N; n++)
        for (int c = 0; c < frame.C; c++)
        for (int y = 0; y < H; y++)
        for (int x = 0; x < W; x++)
            frame[n, c, y, x] = cells[n, (y % scale * scale + x % scale) * frame.C + c, y / scale, x / scale];
        return frame;
    }

    private static Tensor Forward(Network network, Tensor blurred, Func<Tensor, Tensor, double[], Tensor> convolve)
    {
        NetworkDescription description = network.Description;
        Tensor input = SpaceToDepth(blurred, description.Scale);
        Dictionary<string, Tensor> tensors = new() { [NetworkDescription.Input] = input };
        Tensor maps = input;
        foreach ((ConvolutionLayer layer, LayerWeights weights) in description.Layers.Zip(network.Weights))
        {
            if (layer.With is not null) maps = Concatenate(maps, Centre(tensors[layer.With], maps.H, maps.W));
            maps = convolve(maps, Tensor.From(layer.K, layer.C, layer.Size, layer.Size, weights.Weight), Array.ConvertAll(weights.Bias, value => (double)value));
            if (layer.Relu) maps = Relu(maps);
            if (layer.Skip is not null) maps = Sum(Centre(tensors[layer.Skip], maps.H, maps.W), maps, layer.Subtract ? -1 : 1);
            tensors[layer.Name] = maps;
        }
        bool hasBorders = maps.H == input.H && maps.W == input.W;
        Tensor result = DepthToSpace(maps, description.Scale, hasBorders ? blurred.H : maps.H * description.Scale, hasBorders ? blurred.W : maps.W * description.Scale);
        return description.GlobalSkip ? Sum(Centre(blurred, result.H, result.W), result, 1) : result;
    }

    /// <summary>The middle of every plane.</summary>
    public static Tensor Centre(Tensor tensor, int H, int W)
    {
        Tensor centre = new(tensor.N, tensor.C, H, W);
        (int cutY, int cutX) = ((tensor.H - H) / 2, (tensor.W - W) / 2);
        for (int n = 0; n < centre.N; n++)
        for (int c = 0; c < centre.C; c++)
        for (int y = 0; y < H; y++)
        for (int x = 0; x < W; x++)
            centre[n, c, y, x] = tensor[n, c, y + cutY, x + cutX];
        return centre;
    }

    public static Tensor Concatenate(Tensor first, Tensor second)
    {
        Tensor both = new(first.N, first.C + second.C, first.H, first.W);
        for (int n = 0; n < both.N; n++)
        for (int c = 0; c < both.C; c++)
        for (int y = 0; y < both.H; y++)
        for (int x = 0; x < both.W; x++)
            both[n, c, y, x] = c < first.C ? first[n, c, y, x] : second[n, c - first.C, y, x];
        return both;
    }

    /// <summary>a + factor * b.</summary>
    public static Tensor Sum(Tensor a, Tensor b, double factor) => new(a.N, a.C, a.H, a.W, [.. a.Values.Zip(b.Values, (x, y) => x + factor * y)]);

    /// <summary>Extends every plane by <paramref name="pad"/> pixels of its edge values on each side.</summary>
    private static Tensor ReplicateBorder(Tensor input, int pad)
    {
        Tensor padded = new(input.N, input.C, input.H + 2 * pad, input.W + 2 * pad);
        for (int n = 0; n < padded.N; n++)
        for (int c = 0; c < padded.C; c++)
        for (int y = 0; y < padded.H; y++)
        for (int x = 0; x < padded.W; x++)
            padded[n, c, y, x] = input[n, c, Math.Clamp(y - pad, 0, input.H - 1), Math.Clamp(x - pad, 0, input.W - 1)];
        return padded;
    }
}
