namespace RealtimeDeblur.Networks;

/// <summary>Rearranges weights from the documents' order [K][C][ky][kx] to what kernels read in sequence. Padding is zero.</summary>
internal static class WeightPacking
{
    /// <summary>[K][taps] to [ceil(K/step)][taps][step]: the weights of <paramref name="step"/> filters for one tap lie side by side.</summary>
    public static float[] FiltersLast(ReadOnlySpan<float> weight, int K, int taps, int step)
    {
        float[] packed = new float[(K + step - 1) / step * step * taps];
        for (int k = 0; k < K; k++)
        {
            for (int tap = 0; tap < taps; tap++) packed[(k / step * taps + tap) * step + k % step] = weight[k * taps + tap];
        }
        return packed;
    }

    /// <summary>
    /// [K][C][size][size], size a multiple of 3, to [ceil(K/step)][36][C][size/3][size/3][step]: every 3x3 part of a filter transformed for <see cref="Winograd"/>, the weights of
    /// <paramref name="step"/> filters for one product side by side.
    /// </summary>
    public static float[] WinogradFiltersLast(ReadOnlySpan<float> weight, int K, int C, int size, int step)
    {
        int groups = size / 3, depth = C * groups * groups;
        float[] packed = new float[(K + step - 1) / step * step * Winograd.Products * depth];
        Span<float> products = stackalloc float[Winograd.Products];
        for (int k = 0; k < K; k++)
        {
            for (int d = 0; d < depth; d++)
            {
                (int c, int y, int x) = (d / (groups * groups), d / groups % groups * 3, d % groups * 3);
                Winograd.TransformFilter(weight[(((k * C + c) * size + y) * size + x)..], size, products);
                for (int f = 0; f < Winograd.Products; f++) packed[((k / step * Winograd.Products + f) * depth + d) * step + k % step] = products[f];
            }
        }
        return packed;
    }

    /// <summary>[K][C][taps] to [K][taps][C].</summary>
    public static float[] TapsFirst(ReadOnlySpan<float> weight, int K, int C, int taps)
    {
        float[] turned = new float[weight.Length];
        for (int k = 0; k < K; k++)
        {
            for (int c = 0; c < C; c++)
            {
                for (int tap = 0; tap < taps; tap++) turned[(k * taps + tap) * C + c] = weight[(k * C + c) * taps + tap];
            }
        }
        return turned;
    }

    /// <summary>[K][C] to [K][paddedC]: inputs that are not there get zero weights.</summary>
    public static float[] PadInputs(ReadOnlySpan<float> weight, int K, int C, int paddedC)
    {
        float[] padded = new float[K * paddedC];
        for (int k = 0; k < K; k++) weight.Slice(k * C, C).CopyTo(padded.AsSpan(k * paddedC));
        return padded;
    }

    /// <summary>[K][C][size][size] to [K][ky][paddedC/lanes][kx][lanes]: the weights of <paramref name="lanes"/> inputs for one tap lie side by side.</summary>
    public static float[] InputsLast(ReadOnlySpan<float> weight, int K, int C, int size, int paddedC, int lanes)
    {
        float[] packed = new float[K * size * size * paddedC];
        for (int k = 0; k < K; k++)
        {
            for (int c = 0; c < C; c++)
            {
                for (int ky = 0; ky < size; ky++)
                {
                    for (int kx = 0; kx < size; kx++)
                        packed[(((k * size + ky) * (paddedC / lanes) + c / lanes) * size + kx) * lanes + c % lanes] = weight[((k * C + c) * size + ky) * size + kx];
                }
            }
        }
        return packed;
    }

    /// <summary>Appends zeros up to a multiple of <paramref name="step"/>.</summary>
    public static float[] PadTo(ReadOnlySpan<float> values, int step)
    {
        float[] padded = new float[(values.Length + step - 1) / step * step];
        values.CopyTo(padded);
        return padded;
    }
}
