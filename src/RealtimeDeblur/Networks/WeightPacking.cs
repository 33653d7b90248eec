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
