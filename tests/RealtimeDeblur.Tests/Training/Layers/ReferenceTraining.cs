using RealtimeDeblur.Networks;
using RealtimeDeblur.Tests.Reference;
using RealtimeDeblur.Training.Layers;

namespace RealtimeDeblur.Tests.Training.Layers;

/// <summary>One training step in double precision, without the update: the definition of what the trainer's kernels compute.</summary>
/// <param name="Outputs">Output of each layer, after its ReLU and skip; cells of the network's scale.</param>
/// <param name="Loss">Weighted mean over pixels and channels.</param>
/// <param name="Gradients">
/// Gradient of each layer's weights and biases, per set of parameters: the first is what all blurs share; a conditioned network has one more for each knot, in which every image
/// counts with the height of a hat over the knot at the image's sigma.
/// </param>
/// <param name="DBlurred">Gradient of the network's input through its layers.</param>
internal sealed record ReferenceTraining(Tensor[] Outputs, double Loss, (double[] DWeight, double[] DBias)[][] Gradients, Tensor DBlurred)
{
    /// <param name="network">Of any shape.</param>
    /// <param name="blurred">[N][C][H][W] in pixels.</param>
    /// <param name="sharp">Smaller by the network's pad on each side.</param>
    /// <param name="patchWeights">[N].</param>
    /// <param name="kind">What is minimised.</param>
    /// <param name="sigmas">What a conditioned network is told, [N].</param>
    public static ReferenceTraining Run(Network network, Tensor blurred, Tensor sharp, double[] patchWeights, LossKind kind, double[]? sigmas = null)
    {
        NetworkDescription description = network.Description;
        IReadOnlyList<ConvolutionLayer> layers = description.Layers;
        int N = blurred.N, sets = description.IsConditioned ? 1 + description.SigmaKnots.Count : 1;
        Tensor[] outputs = new Tensor[layers.Count];
        (double[] DWeight, double[] DBias)[][] gradients = [.. Enumerable.Range(0, sets).Select(_ => layers.Select(layer => (new double[layer.WeightCount], new double[layer.K])).ToArray())];
        double loss = 0, M = sharp.Values.Length;
        Tensor blurredCells = ReferenceConvolution.SpaceToDepth(blurred, description.Scale), sharpCells = ReferenceConvolution.SpaceToDepth(sharp, description.Scale);
        Tensor dBlurred = new(N, blurredCells.C, blurredCells.H, blurredCells.W);
        for (int n = 0; n < N; n++)
        {
            double[] shares = [1, .. description.SigmaKnots.Select((_, knot) => Hat(description.SigmaKnots, knot, sigmas![n]))];
            // Every image has weights of its own.
            Dictionary<string, Tensor> tensors = new() { [NetworkDescription.Input] = Image(blurredCells, n) };
            Dictionary<string, Tensor> gradient = new() { [NetworkDescription.Input] = new(1, blurredCells.C, blurredCells.H, blurredCells.W) };
            Tensor[] weights = new Tensor[layers.Count], inputs = new Tensor[layers.Count];
            string before = NetworkDescription.Input;
            for (int i = 0; i < layers.Count; i++)
            {
                ConvolutionLayer layer = layers[i];
                weights[i] = new(layer.K, layer.C, layer.Size, layer.Size, Mixture(network.Weights[i].Weight, shares));
                Tensor read = tensors[before];
                inputs[i] = layer.With is null ? read : ReferenceConvolution.Concatenate(read, ReferenceConvolution.Centre(tensors[layer.With], read.H, read.W));
                Tensor result = ReferenceConvolution.ForwardValid(inputs[i], weights[i], Mixture(network.Weights[i].Bias, shares));
                if (layer.Relu) result = ReferenceConvolution.Relu(result);
                if (layer.Skip is not null) result = ReferenceConvolution.Sum(ReferenceConvolution.Centre(tensors[layer.Skip], result.H, result.W), result, layer.Subtract ? -1 : 1);
                tensors[layer.Name] = result;
                gradient[layer.Name] = new(1, result.C, result.H, result.W);
                outputs[i] ??= new(N, result.C, result.H, result.W);
                result.Values.CopyTo(outputs[i].Values, n * result.Values.Length);
                before = layer.Name;
            }

            Tensor output = tensors[before], dOutput = gradient[before];
            Tensor middle = ReferenceConvolution.Centre(tensors[NetworkDescription.Input], output.H, output.W), truth = Image(sharpCells, n);
            for (int i = 0; i < output.Values.Length; i++)
            {
                double e = output.Values[i] + (description.GlobalSkip ? middle.Values[i] : 0) - truth.Values[i];
                loss += patchWeights[n] * (kind == LossKind.Mse ? e * e : Math.Abs(e)) / M;
                dOutput.Values[i] = patchWeights[n] * (kind == LossKind.Mse ? 2 * e : Math.Sign(e)) / M;
            }

            for (int i = layers.Count - 1; i >= 0; i--)
            {
                ConvolutionLayer layer = layers[i];
                Tensor d = gradient[layer.Name];
                if (layer.Skip is not null) AddToCentre(gradient[layer.Skip], d, firstC: 0);
                if (layer.Subtract) d = new(d.N, d.C, d.H, d.W, Array.ConvertAll(d.Values, value => -value));
                if (layer.Relu) d = ReferenceConvolution.ReluBackward(tensors[layer.Name], d);
                (Tensor dWeight, double[] dBias, Tensor dInput) = ReferenceConvolution.BackwardValid(inputs[i], weights[i], d);
                for (int set = 0; set < sets; set++)
                {
                    for (int j = 0; j < dWeight.Values.Length; j++) gradients[set][i].DWeight[j] += shares[set] * dWeight.Values[j];
                    for (int k = 0; k < dBias.Length; k++) gradients[set][i].DBias[k] += shares[set] * dBias[k];
                }
                string previous = i == 0 ? NetworkDescription.Input : layers[i - 1].Name;
                AddToCentre(gradient[previous], dInput, firstC: 0);
                if (layer.With is not null) AddToCentre(gradient[layer.With], dInput, tensors[previous].C);
            }
            gradient[NetworkDescription.Input].Values.CopyTo(dBlurred.Values, n * gradient[NetworkDescription.Input].Values.Length);
        }
        return new(outputs, loss, gradients, dBlurred);

        // Documents hold the weights at the knots: their mixture needs no share of a common set.
        double[] Mixture(float[] values, double[] shares) => sets == 1 ? Array.ConvertAll(values, value => (double)value)
            : [.. Enumerable.Range(0, values.Length / (sets - 1)).Select(i => Enumerable.Range(1, sets - 1).Sum(set => shares[set] * values[(set - 1) * (values.Length / (sets - 1)) + i]))];
    }

    /// <summary>1 at a knot, falling to 0 at its neighbours; beyond the ends the last knot counts fully.</summary>
    private static double Hat(IReadOnlyList<float> knots, int knot, double sigma)
    {
        sigma = Math.Clamp(sigma, knots[0], knots[^1]);
        if (knot > 0 && sigma < knots[knot]) return Math.Max(0, (sigma - knots[knot - 1]) / (knots[knot] - knots[knot - 1]));
        return knot < knots.Count - 1 && sigma > knots[knot] ? Math.Max(0, (knots[knot + 1] - sigma) / (knots[knot + 1] - knots[knot])) : 1;
    }

    private static Tensor Image(Tensor batch, int n)
    {
        int length = batch.Values.Length / batch.N;
        return new(1, batch.C, batch.H, batch.W, batch.Values[(n * length)..((n + 1) * length)]);
    }

    private static void AddToCentre(Tensor sum, Tensor part, int firstC)
    {
        (int cutY, int cutX) = ((sum.H - part.H) / 2, (sum.W - part.W) / 2);
        for (int c = 0; c < sum.C; c++)
        for (int y = 0; y < part.H; y++)
        for (int x = 0; x < part.W; x++)
            sum[0, c, y + cutY, x + cutX] += part[0, firstC + c, y, x];
    }
}
