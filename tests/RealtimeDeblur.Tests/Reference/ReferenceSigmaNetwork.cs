using RealtimeDeblur.Restoration;

namespace RealtimeDeblur.Tests.Reference;

/// <summary>The definition of the network of <c>restore/sigma_network.cl</c>, in double precision.</summary>
internal static class ReferenceSigmaNetwork
{
    /// <summary>Levels of a frame, [members][quantiles].</summary>
    /// <param name="shape">Sizes.</param>
    /// <param name="values">All tensors, in the order of <see cref="EstimatorShape.Tensors"/>.</param>
    /// <param name="features">[tiles][features].</param>
    public static double[] Levels(EstimatorShape shape, float[] values, float[] features)
    {
        int F = EstimatorShape.Features, tiles = features.Length / F;
        Dictionary<string, float[]> tensors = [];
        int offset = 0;
        foreach ((string name, int[] size) in shape.Tensors)
        {
            tensors[name] = values[offset..(offset + EstimatorShape.Length(size))];
            offset += EstimatorShape.Length(size);
        }

        List<double> levels = [];
        for (int member = 0; member < shape.Members; member++)
        {
            double[][] embedded = new double[tiles][];
            for (int tile = 0; tile < tiles; tile++)
            {
                double[] x = [.. Enumerable.Range(0, F).Select(f => Math.Clamp(((double)features[tile * F + f] - tensors["feature.mean"][f]) * tensors["feature.scale"][f], -4, 4))];
                embedded[tile] = Layer("tile3", Rectified(Layer("tile2", Rectified(Layer("tile1", x)))));
            }
            List<double> pooled = [];
            for (int a = 0; a < shape.Heads; a++)
            {
                double total = embedded.Sum(e => Math.Exp(e[a]));
                for (int v = 0; v < shape.Values; v++) pooled.Add(embedded.Sum(e => Math.Exp(e[a]) / total * e[shape.Heads + v]));
            }
            levels.AddRange(Layer("out2", Rectified(Layer("out1", [.. pooled]))));

            double[] Layer(string name, double[] from)
            {
                int I = from.Length, O = tensors[name + ".bias"].Length / shape.Members;
                double[] to = new double[O];
                for (int o = 0; o < O; o++)
                {
                    to[o] = tensors[name + ".bias"][member * O + o];
                    for (int i = 0; i < I; i++) to[o] += tensors[name + ".weight"][(member * I + i) * O + o] * from[i];
                }
                return to;
            }
        }
        return [.. levels];
    }

    private static double[] Rectified(double[] values) => Array.ConvertAll(values, value => Math.Max(value, 0));
}
