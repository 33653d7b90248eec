namespace RealtimeDeblur.Networks;

/// <summary>A network at single pixels, in plain loops and double precision: what the results of a device are compared with before they are timed.</summary>
/// <param name="network">Any that is not conditioned on sigma.</param>
/// <param name="W">Columns of the frame.</param>
/// <param name="H">Rows of the frame.</param>
/// <param name="blurred">float [C][H][W]; not changed.</param>
internal sealed class PlainNetwork(Network network, int W, int H, float[] blurred)
{
    private const int SampleCount = 24;

    private readonly NetworkDescription _description = network.Description;
    private readonly Dictionary<(int Layer, int Y, int X), double[]> _known = [];

    /// <summary>Largest error at the corners and at pixels all over the frame, relative to 1 + the expected value; NaN where the result is not a number.</summary>
    /// <param name="network"/><param name="W"/><param name="H"/><param name="blurred"/>
    /// <param name="restored">float [C][H][W], as computed.</param>
    public static double LargestError(Network network, int W, int H, float[] blurred, ReadOnlySpan<float> restored)
    {
        var random = new Random(2);
        var plain = new PlainNetwork(network, W, H, blurred);
        double largest = 0;
        for (int i = 0; i < SampleCount; i++)
        {
            (int y, int x) = i switch { 0 => (0, 0), 1 => (0, W - 1), 2 => (H - 1, 0), 3 => (H - 1, W - 1), _ => (random.Next(H), random.Next(W)) };
            for (int c = 0; c < network.Description.C; c++)
            {
                double expected = plain.Pixel(c, y, x);
                double error = Math.Abs(restored[(c * H + y) * W + x] - expected) / (1 + Math.Abs(expected));
                if (double.IsNaN(error)) return error;
                largest = Math.Max(largest, error);
            }
        }
        return largest;
    }

    /// <summary>The restored value of channel c.</summary>
    public double Pixel(int c, int y, int x)
    {
        int scale = _description.Scale;
        int channel = (y % scale * scale + x % scale) * _description.C + c;
        double value = Cell(_description.Layers.Count - 1, y / scale, x / scale)[channel];
        return _description.GlobalSkip ? value + blurred[(c * H + y) * W + x] : value;
    }

    /// <summary>All channels of a layer's output at a cell of the frame; layer -1 is the frame.</summary>
    private double[] Cell(int layer, int y, int x)
    {
        if (_known.TryGetValue((layer, y, x), out double[]? known)) return known;
        double[] cell = layer < 0 ? FrameCell(y, x) : Convolve(layer, y, x);
        _known.Add((layer, y, x), cell);
        return cell;
    }

    private double[] FrameCell(int y, int x)
    {
        (int C, int scale) = (_description.C, _description.Scale);
        double[] cell = new double[_description.InputC];
        for (int channel = 0; channel < cell.Length; channel++)
        {
            int row = Math.Min(y * scale + channel / C / scale, H - 1), column = Math.Min(x * scale + channel / C % scale, W - 1);
            cell[channel] = blurred[(channel % C * H + row) * W + column];
        }
        return cell;
    }

    private double[] Convolve(int index, int y, int x)
    {
        ConvolutionLayer layer = _description.Layers[index];
        LayerWeights weights = network.Weights[index];
        (int columns, int rows) = KernelFamilies.Cells(_description, W, H);
        double[] sums = Array.ConvertAll(weights.Bias, bias => (double)bias);
        for (int ky = 0; ky < layer.Size; ky++)
        {
            for (int kx = 0; kx < layer.Size; kx++)
            {
                (int row, int column) = (Math.Clamp(y + ky - layer.Pad, 0, rows - 1), Math.Clamp(x + kx - layer.Pad, 0, columns - 1));
                double[] before = Cell(index - 1, row, column);
                double[] with = layer.With is null ? [] : Cell(IndexOf(layer.With), row, column);
                for (int c = 0; c < layer.C; c++)
                {
                    double value = c < before.Length ? before[c] : with[c - before.Length];
                    if (value == 0) continue;   // half of what a ReLU gives
                    for (int k = 0; k < layer.K; k++) sums[k] += weights.Weight[((k * layer.C + c) * layer.Size + ky) * layer.Size + kx] * value;
                }
            }
        }
        double[]? skip = layer.Skip is null ? null : Cell(IndexOf(layer.Skip), y, x);
        for (int k = 0; k < layer.K; k++)
        {
            if (layer.Relu) sums[k] = Math.Max(0, sums[k]);
            if (skip is not null) sums[k] = layer.Subtract ? skip[k] - sums[k] : skip[k] + sums[k];
        }
        return sums;
    }

    private int IndexOf(string tensor) => tensor == NetworkDescription.Input ? -1 : _description.Layers.Index().First(layer => layer.Item.Name == tensor).Index;
}
