using RealtimeDeblur.Restoration;
using RealtimeDeblur.Training.Data;

namespace RealtimeDeblur.Training.Estimation;

/// <summary>
/// One member of an estimator on the host, forward and backward; what it computes stands in <c>restore/sigma_network.cl</c>. Works on one frame at a time; one thread.
/// </summary>
internal sealed class EstimatorNetwork
{
    private static readonly int F = EstimatorShape.Features, Q = EstimatorShape.Quantiles.Count;

    private readonly int _hidden, _heads, _values, _embedded, _out;
    private readonly Dictionary<string, Range> _at = [];
    private readonly float[] _tile2Transposed, _tile3Transposed, _out1Transposed;
    private readonly float[] _pooled, _outputs, _dPooled, _dPooledTransposed, _dOutputs, _unused;
    private float[] _x = [], _first = [], _second = [], _embedding = [], _averaged = [], _shares = [], _dFirst = [], _dSecond = [], _dEmbedding = [], _dAveraged = [], _dShares = [];
    private int _tiles;

    /// <param name="shape">Of one member; heads and values are multiples of 8 each.</param>
    /// <param name="values">Its numbers, shared with whoever updates them.</param>
    public EstimatorNetwork(EstimatorShape shape, float[] values)
    {
        Values = values;
        (_hidden, _heads, _values, _embedded, _out) = (shape.Hidden, shape.Heads, shape.Values, shape.Heads + shape.Values, shape.Out);
        int offset = 0;
        foreach ((string name, int[] size) in shape.Tensors)
        {
            int length = EstimatorShape.Length(size);
            _at[name] = new(offset, offset + length);
            offset += length;
        }
        (_tile2Transposed, _tile3Transposed, _out1Transposed) = (new float[_hidden * _hidden], new float[_hidden * _embedded], new float[_heads * _values * _out]);
        (_pooled, _dPooled, _dPooledTransposed, _unused) = (new float[_heads * _values], new float[_heads * _values], new float[_heads * _values], new float[_values]);
        (_outputs, _dOutputs) = (new float[_out], new float[_out]);
    }

    public float[] Values { get; }

    /// <summary>First number that training changes: the normalisation of the statistics comes before.</summary>
    public int FirstTrained => _at["tile1.weight"].Start.Value;

    /// <summary>Random weights by He's rule, the last layer a tenth of it; the outputs start at <paramref name="level"/>.</summary>
    public static float[] Initialize(EstimatorShape shape, ReadOnlySpan<float> mean, ReadOnlySpan<float> scale, float level, SeededRandom random)
    {
        float[] values = new float[shape.Count];
        int offset = 0;
        foreach ((string name, int[] size) in shape.Tensors)
        {
            Span<float> tensor = values.AsSpan(offset, EstimatorShape.Length(size));
            offset += tensor.Length;
            if (name == "feature.mean") mean.CopyTo(tensor);
            else if (name == "feature.scale") scale.CopyTo(tensor);
            else if (name == "out2.bias") tensor.Fill(level);
            else if (name.EndsWith("weight", StringComparison.Ordinal))
            {
                double deviation = Math.Sqrt((name is "out2.weight" or "tile3.weight" ? 0.5 : 2.0) / size[1]);
                for (int i = 0; i < tensor.Length; i++) tensor[i] = (float)(deviation * random.NextGaussian());
            }
        }
        return values;
    }

    /// <summary>To be called after <see cref="Values"/> changed, before <see cref="Backward"/>.</summary>
    public void Refresh()
    {
        MatrixProduct.Transpose(Tensor("tile2.weight"), _tile2Transposed, _hidden, _hidden);
        MatrixProduct.Transpose(Tensor("tile3.weight"), _tile3Transposed, _hidden, _embedded);
        MatrixProduct.Transpose(Tensor("out1.weight"), _out1Transposed, _heads * _values, _out);
    }

    /// <summary>Computes the levels of a frame.</summary>
    /// <param name="x">[tiles][features], normalised and clamped. Kept for <see cref="Backward"/>.</param>
    /// <param name="tiles">1 or more.</param>
    /// <param name="levels">Overwritten: one per quantile.</param>
    public void Forward(float[] x, int tiles, Span<float> levels)
    {
        (_x, _tiles) = (x, tiles);
        if (_first.Length < tiles * _hidden)
        {
            (_first, _second, _dFirst, _dSecond) = (new float[tiles * _hidden], new float[tiles * _hidden], new float[tiles * _hidden], new float[tiles * _hidden]);
            (_embedding, _dEmbedding) = (new float[tiles * _embedded], new float[tiles * _embedded]);
            (_averaged, _dAveraged, _shares, _dShares) = (new float[tiles * _values], new float[tiles * _values], new float[tiles * _heads], new float[tiles * _heads]);
        }
        MatrixProduct.Forward(x, Tensor("tile1.weight"), Tensor("tile1.bias"), _first, tiles, F, _hidden);
        Rectify(_first.AsSpan(0, tiles * _hidden));
        MatrixProduct.Forward(_first, Tensor("tile2.weight"), Tensor("tile2.bias"), _second, tiles, _hidden, _hidden);
        Rectify(_second.AsSpan(0, tiles * _hidden));
        MatrixProduct.Forward(_second, Tensor("tile3.weight"), Tensor("tile3.bias"), _embedding, tiles, _hidden, _embedded);
        Pool();
        MatrixProduct.Forward(_pooled, Tensor("out1.weight"), Tensor("out1.bias"), _outputs, 1, _heads * _values, _out);
        Rectify(_outputs);
        ReadOnlySpan<float> weight = Tensor("out2.weight"), bias = Tensor("out2.bias");
        for (int q = 0; q < Q; q++)
        {
            float sum = bias[q];
            for (int o = 0; o < _out; o++) sum += _outputs[o] * weight[o * Q + q];
            levels[q] = sum;
        }
    }

    /// <summary>Adds the gradient of the frame of the last <see cref="Forward"/>.</summary>
    /// <param name="dLevels">Derivative of the loss by each level.</param>
    /// <param name="gradient">As long as <see cref="Values"/>; added to.</param>
    public void Backward(ReadOnlySpan<float> dLevels, float[] gradient)
    {
        int tiles = _tiles;
        ReadOnlySpan<float> weight = Tensor("out2.weight");
        Span<float> dWeight = gradient.AsSpan(_at["out2.weight"]), dBias = gradient.AsSpan(_at["out2.bias"]);
        for (int q = 0; q < Q; q++) dBias[q] += dLevels[q];
        for (int o = 0; o < _out; o++)
        {
            float sum = 0;
            for (int q = 0; q < Q; q++)
            {
                sum += dLevels[q] * weight[o * Q + q];
                dWeight[o * Q + q] += dLevels[q] * _outputs[o];
            }
            _dOutputs[o] = _outputs[o] > 0 ? sum : 0;
        }
        MatrixProduct.WeightGradient(_pooled, _dOutputs, gradient.AsSpan(_at["out1.weight"]), gradient.AsSpan(_at["out1.bias"]), 1, _heads * _values, _out);
        MatrixProduct.Forward(_dOutputs, _out1Transposed, [], _dPooled, 1, _out, _heads * _values);
        PoolBackward();
        MatrixProduct.WeightGradient(_second, _dEmbedding, gradient.AsSpan(_at["tile3.weight"]), gradient.AsSpan(_at["tile3.bias"]), tiles, _hidden, _embedded);
        MatrixProduct.Forward(_dEmbedding, _tile3Transposed, [], _dSecond, tiles, _embedded, _hidden);
        Mask(_second.AsSpan(0, tiles * _hidden), _dSecond);
        MatrixProduct.WeightGradient(_first, _dSecond, gradient.AsSpan(_at["tile2.weight"]), gradient.AsSpan(_at["tile2.bias"]), tiles, _hidden, _hidden);
        MatrixProduct.Forward(_dSecond, _tile2Transposed, [], _dFirst, tiles, _hidden, _hidden);
        Mask(_first.AsSpan(0, tiles * _hidden), _dFirst);
        MatrixProduct.WeightGradient(_x, _dFirst, gradient.AsSpan(_at["tile1.weight"]), gradient.AsSpan(_at["tile1.bias"]), tiles, F, _hidden);
    }

    private Span<float> Tensor(string name) => Values.AsSpan(_at[name]);

    private void Pool()
    {
        for (int t = 0; t < _tiles; t++) _embedding.AsSpan(t * _embedded + _heads, _values).CopyTo(_averaged.AsSpan(t * _values));
        for (int a = 0; a < _heads; a++)
        {
            float highest = float.NegativeInfinity, total = 0;
            for (int t = 0; t < _tiles; t++) highest = MathF.Max(highest, _embedding[t * _embedded + a]);
            for (int t = 0; t < _tiles; t++) total += _shares[t * _heads + a] = MathF.Exp(_embedding[t * _embedded + a] - highest);
            for (int t = 0; t < _tiles; t++) _shares[t * _heads + a] /= total;
        }
        Array.Clear(_pooled);
        MatrixProduct.WeightGradient(_shares, _averaged, _pooled, _unused, _tiles, _heads, _values);
    }

    private void PoolBackward()
    {
        MatrixProduct.Forward(_shares, _dPooled, [], _dAveraged, _tiles, _heads, _values);
        MatrixProduct.Transpose(_dPooled, _dPooledTransposed, _heads, _values);
        MatrixProduct.Forward(_averaged, _dPooledTransposed, [], _dShares, _tiles, _values, _heads);
        Span<float> means = stackalloc float[_heads];
        means.Clear();
        for (int i = 0; i < _tiles * _heads; i += _heads)
        for (int a = 0; a < means.Length; a++)
            means[a] += _shares[i + a] * _dShares[i + a];
        for (int t = 0; t < _tiles; t++)
        {
            Span<float> dEmbedded = _dEmbedding.AsSpan(t * _embedded, _embedded);
            for (int a = 0; a < means.Length; a++) dEmbedded[a] = _shares[t * _heads + a] * (_dShares[t * _heads + a] - means[a]);
            _dAveraged.AsSpan(t * _values, _values).CopyTo(dEmbedded[_heads..]);
        }
    }

    private static void Rectify(Span<float> values)
    {
        for (int i = 0; i < values.Length; i++) values[i] = MathF.Max(values[i], 0);
    }

    private static void Mask(ReadOnlySpan<float> activations, Span<float> gradients)
    {
        for (int i = 0; i < activations.Length; i++) gradients[i] = activations[i] > 0 ? gradients[i] : 0;
    }
}
