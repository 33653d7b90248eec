using RealtimeDeblur.Networks;
using RealtimeDeblur.Tests.Reference;
using RealtimeDeblur.Training.Layers;

namespace RealtimeDeblur.Tests.Training.Layers;

/// <summary>One training step in double precision, without the update: the definition of what the trainer's kernels compute.</summary>
/// <param name="Outputs">Output of each layer, after its ReLU.</param>
/// <param name="Loss">Weighted mean over pixels and channels.</param>
/// <param name="DWeights">Gradient of each layer's weights.</param>
/// <param name="DBiases">Gradient of each layer's biases.</param>
/// <param name="DBlurred">Gradient of the network's input through its layers.</param>
internal sealed record ReferenceTraining(Tensor[] Outputs, double Loss, Tensor[] DWeights, double[][] DBiases, Tensor DBlurred)
{
    public static ReferenceTraining Run(Network network, Tensor blurred, Tensor sharp, double[] patchWeights, LossKind kind)
    {
        int count = network.Description.Layers.Count;
        Tensor[] outputs = new Tensor[count], weights = new Tensor[count];
        for (int i = 0; i < count; i++)
        {
            ConvolutionLayer layer = network.Description.Layers[i];
            weights[i] = Tensor.From(layer.K, layer.C, layer.Size, layer.Size, network.Weights[i].Weight);
            Tensor sum = ReferenceConvolution.ForwardValid(i == 0 ? blurred : outputs[i - 1], weights[i], Array.ConvertAll(network.Weights[i].Bias, value => (double)value));
            outputs[i] = layer.Relu ? ReferenceConvolution.Relu(sum) : sum;
        }

        Tensor dOutput = new(sharp.N, sharp.C, sharp.H, sharp.W);
        double loss = 0, M = sharp.Values.Length;
        int pad = network.Description.Pad;
        for (int n = 0; n < sharp.N; n++)
        for (int c = 0; c < sharp.C; c++)
        for (int y = 0; y < sharp.H; y++)
        for (int x = 0; x < sharp.W; x++)
        {
            double e = outputs[^1][n, c, y, x] + (network.Description.GlobalSkip ? blurred[n, c, y + pad, x + pad] : 0) - sharp[n, c, y, x];
            loss += patchWeights[n] * (kind == LossKind.Mse ? e * e : Math.Abs(e)) / M;
            dOutput[n, c, y, x] = patchWeights[n] * (kind == LossKind.Mse ? 2 * e : Math.Sign(e)) / M;
        }

        Tensor[] dWeights = new Tensor[count];
        double[][] dBiases = new double[count][];
        for (int i = count - 1; i >= 0; i--)
        {
            (dWeights[i], dBiases[i], Tensor dInput) = ReferenceConvolution.BackwardValid(i == 0 ? blurred : outputs[i - 1], weights[i], dOutput);
            dOutput = i > 0 && network.Description.Layers[i - 1].Relu ? ReferenceConvolution.ReluBackward(outputs[i - 1], dInput) : dInput;
        }
        return new(outputs, loss, dWeights, dBiases, dOutput);
    }
}
