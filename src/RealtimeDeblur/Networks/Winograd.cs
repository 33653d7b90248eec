namespace RealtimeDeblur.Networks;

/// <summary>The weights' side of Winograd's convolution F(4x4, 3x3): 4x4 outputs of a 3x3 filter from 36 products instead of 144 (Lavin and Gray, arXiv 1509.09308).</summary>
internal static class Winograd
{
    /// <summary>Side of the transformed filter: 4 + 3 - 1.</summary>
    public const int Side = 6;

    /// <summary>Products per filter and tile.</summary>
    public const int Products = Side * Side;

    // G of the paper.
    private static readonly double[,] G =
    {
        { 1 / 4.0, 0, 0 },
        { -1 / 6.0, -1 / 6.0, -1 / 6.0 },
        { -1 / 6.0, 1 / 6.0, -1 / 6.0 },
        { 1 / 24.0, 1 / 12.0, 1 / 6.0 },
        { 1 / 24.0, -1 / 12.0, 1 / 6.0 },
        { 0, 0, 1 },
    };

    /// <summary>G g G^T of one 3x3 filter, in double precision.</summary>
    /// <param name="weight">The filter's first tap; its rows are <paramref name="stride"/> apart.</param>
    /// <param name="stride">Taps from one row to the next.</param>
    /// <param name="transformed">36 values, row by row.</param>
    public static void TransformFilter(ReadOnlySpan<float> weight, int stride, Span<float> transformed)
    {
        Span<double> columns = stackalloc double[Side * 3];     // G g
        for (int i = 0; i < Side; i++)
        {
            for (int x = 0; x < 3; x++) columns[i * 3 + x] = G[i, 0] * weight[x] + G[i, 1] * weight[stride + x] + G[i, 2] * weight[2 * stride + x];
        }
        for (int i = 0; i < Side; i++)
        {
            for (int j = 0; j < Side; j++) transformed[i * Side + j] = (float)(columns[i * 3] * G[j, 0] + columns[i * 3 + 1] * G[j, 1] + columns[i * 3 + 2] * G[j, 2]);
        }
    }
}
