using RealtimeDeblur.Compute;

namespace RealtimeDeblur.Networks;

/// <summary>Rearranges weights from the documents' order [K][C][ky][kx] to what the kernels <c>conv/gpu_*.cl</c> read. Padding is zero.</summary>
internal static class GpuWeightPacking
{
    /// <summary>Maps that lie side by side in a tensor on the device.</summary>
    public const int MapStep = 4;

    /// <summary>What weights of a first layer for kernels that compute with halves grow by, see <see cref="ForHalfFrames"/>.</summary>
    public const double HalfFrameGrowth = 256 / 255.0;

    /// <summary>The channels that a kernel reads, in its order, when it reads tensors of so many maps one after the other: each is filled up to a multiple of <see cref="MapStep"/>.</summary>
    /// <returns>Number of the layer's channel; -1 for one that only fills up.</returns>
    public static int[] ChannelsOf(params ReadOnlySpan<int> maps)
    {
        List<int> channels = [];
        int first = 0;
        foreach (int M in maps)
        {
            for (int m = 0; m < RoundUp(M, MapStep); m++) channels.Add(m < M ? first + m : -1);
            first += M;
        }
        return [.. channels];
    }

    /// <summary>
    /// Weights of a first layer for kernels that compute with halves. They read HALF_SAMPLE of <c>conv/gpu_maps.cl</c> instead of the working value v, so weights grow by 256/255
    /// and biases by 128/255 of the sum of the weights. Weights are rounded to half; what a filter loses is handed on from each tap to the next smaller one, so that
    /// the filter keeps its sum and flat regions stay right.
    /// </summary>
    public static LayerWeights ForHalfFrames(LayerWeights weights)
    {
        const double Middle = 128 / 255.0;
        (float[] weight, float[] bias) = ([.. weights.Weight], [.. weights.Bias]);
        int taps = weight.Length / bias.Length;
        for (int k = 0; k < bias.Length; k++)
        {
            (double sum, double lost) = (0, 0);
            foreach (int tap in Enumerable.Range(k * taps, taps).OrderByDescending(i => Math.Abs(weights.Weight[i])))
            {
                sum += weights.Weight[tap];
                double wanted = weights.Weight[tap] * HalfFrameGrowth + lost;
                weight[tap] = (float)(Half)wanted;
                lost = wanted - weight[tap];
            }
            bias[k] = (float)(weights.Bias[k] + Middle * sum);
        }
        return new(weight, bias);
    }

    /// <summary>[K][C][ky][kx] to [groups][channels][kx][ky][filters].</summary>
    /// <param name="weight">The layer's weights.</param>
    /// <param name="C">Channels in <paramref name="weight"/>.</param>
    /// <param name="size">Side of the support.</param>
    /// <param name="channels">Channels that the kernel reads, see <see cref="ChannelsOf"/>.</param>
    /// <param name="groups">Groups of filters; <paramref name="groups"/> * <paramref name="filters"/> is at least K.</param>
    /// <param name="filters">Filters whose weights for one tap lie side by side.</param>
    public static float[] FilterGroups(ReadOnlySpan<float> weight, int C, int size, ReadOnlySpan<int> channels, int groups, int filters)
    {
        int taps = size * size, K = weight.Length / (C * taps);
        float[] packed = new float[groups * channels.Length * taps * filters];
        for (int k = 0; k < K; k++)
        {
            for (int channel = 0; channel < channels.Length; channel++)
            {
                if (channels[channel] < 0) continue;
                for (int ky = 0; ky < size; ky++)
                {
                    for (int kx = 0; kx < size; kx++)
                        packed[(((k / filters * channels.Length + channel) * size + kx) * size + ky) * filters + k % filters] = weight[((k * C + channels[channel]) * size + ky) * size + kx];
                }
            }
        }
        return packed;
    }

    /// <summary>[K][C][ky][kx] to [blocks][ceil(channels/16)][kx][ky][16][16]: 16x16 blocks of <c>common/fragments.cl</c>, see <c>conv/gpu_conv2d_mma.cl</c>.</summary>
    public static float[] FragmentBlocks(ReadOnlySpan<float> weight, int C, int size, ReadOnlySpan<int> channels, int blocks)
    {
        const int Side = 16;
        int taps = size * size, K = weight.Length / (C * taps), steps = RoundUp(channels.Length, Side) / Side;
        float[] packed = new float[blocks * steps * taps * Side * Side];
        for (int k = 0; k < K; k++)
        {
            for (int channel = 0; channel < channels.Length; channel++)
            {
                if (channels[channel] < 0) continue;
                for (int ky = 0; ky < size; ky++)
                {
                    for (int kx = 0; kx < size; kx++)
                    {
                        int block = ((k / Side * steps + channel / Side) * size + kx) * size + ky;
                        packed[(block * Side + ProbedArithmetic.FragmentRow(k % Side)) * Side + channel % Side] = weight[((k * C + channels[channel]) * size + ky) * size + kx];
                    }
                }
            }
        }
        return packed;
    }

    /// <summary>[K][C][ky][kx] to [blocks][C][ky][16][16], where the taps kx of a row are the channels of a block; see <c>conv/gpu_extract_map_mma.cl</c>.</summary>
    public static float[] FragmentRows(ReadOnlySpan<float> weight, int C, int size, int blocks)
    {
        const int Side = 16;
        int K = weight.Length / (C * size * size);
        float[] packed = new float[blocks * C * size * Side * Side];
        for (int k = 0; k < K; k++)
        {
            for (int c = 0; c < C; c++)
            {
                for (int ky = 0; ky < size; ky++)
                {
                    for (int kx = 0; kx < size; kx++)
                        packed[(((k / Side * C + c) * size + ky) * Side + ProbedArithmetic.FragmentRow(k % Side)) * Side + kx] = weight[((k * C + c) * size + ky) * size + kx];
                }
            }
        }
        return packed;
    }

    public static int RoundUp(int value, int step) => (value + step - 1) / step * step;
}
