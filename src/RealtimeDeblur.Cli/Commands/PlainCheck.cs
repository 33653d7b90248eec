using RealtimeDeblur.Networks;

namespace RealtimeDeblur.Cli.Commands;

/// <summary>Computes a network at single pixels in plain loops and double precision, to see whether a device gets it right.</summary>
internal static class PlainCheck
{
    private const int SampleCount = 64;

    /// <param name="network">What was computed.</param>
    /// <param name="W">Columns; above twice the network's pad, as is <paramref name="H"/>.</param>
    /// <param name="H">Rows.</param>
    /// <param name="blurred">float [C][H][W].</param>
    /// <param name="restored">float [C][H][W], as computed.</param>
    /// <returns>Largest absolute error at pixels all over the frame whose receptive field lies within it; NaN where the output is not a number.</returns>
    public static double LargestError(Network network, int W, int H, ReadOnlySpan<float> blurred, ReadOnlySpan<float> restored)
    {
        (int C, int pad) = (network.Description.C, network.Description.Pad);
        var random = new Random(2);
        double largest = 0;
        for (int i = 0; i < SampleCount; i++)
        {
            int x = random.Next(pad, W - pad), y = random.Next(pad, H - pad);
            double[] expected = Pixel(network, Patch(blurred, C, W, H, x, y, pad), 2 * pad + 1);
            for (int c = 0; c < C; c++)
            {
                double error = Math.Abs(restored[(c * H + y) * W + x] - expected[c]);
                if (double.IsNaN(error)) return error;
                largest = Math.Max(largest, error);
            }
        }
        return largest;
    }

    private static double[] Patch(ReadOnlySpan<float> frame, int C, int W, int H, int x, int y, int pad)
    {
        int side = 2 * pad + 1;
        double[] patch = new double[C * side * side];
        for (int c = 0; c < C; c++)
        {
            for (int dy = 0; dy < side; dy++)
            {
                for (int dx = 0; dx < side; dx++) patch[(c * side + dy) * side + dx] = frame[(c * H + y - pad + dy) * W + x - pad + dx];
            }
        }
        return patch;
    }

    /// <summary>The layers without borders: each result is smaller, until one pixel is left.</summary>
    private static double[] Pixel(Network network, double[] patch, int side)
    {
        double[] maps = patch;
        int mapSide = side;
        foreach ((ConvolutionLayer layer, LayerWeights weights) in network.Description.Layers.Zip(network.Weights))
        {
            int outSide = mapSide - layer.Size + 1;
            double[] result = new double[layer.K * outSide * outSide];
            for (int k = 0; k < layer.K; k++)
            {
                for (int y = 0; y < outSide; y++)
                {
                    for (int x = 0; x < outSide; x++)
                    {
                        double sum = weights.Bias[k];
                        for (int c = 0; c < layer.C; c++)
                        {
                            for (int ky = 0; ky < layer.Size; ky++)
                            {
                                for (int kx = 0; kx < layer.Size; kx++)
                                    sum += weights.Weight[((k * layer.C + c) * layer.Size + ky) * layer.Size + kx] * maps[(c * mapSide + y + ky) * mapSide + x + kx];
                            }
                        }
                        result[(k * outSide + y) * outSide + x] = layer.Relu ? Math.Max(0, sum) : sum;
                    }
                }
            }
            (maps, mapSide) = (result, outSide);
        }
        if (network.Description.GlobalSkip)
        {
            int centre = side / 2 * side + side / 2;
            for (int c = 0; c < maps.Length; c++) maps[c] += patch[c * side * side + centre];
        }
        return maps;
    }
}
