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

    /// <summary>Appends zeros up to a multiple of <paramref name="step"/>.</summary>
    public static float[] PadTo(ReadOnlySpan<float> values, int step)
    {
        float[] padded = new float[(values.Length + step - 1) / step * step];
        values.CopyTo(padded);
        return padded;
    }
}
