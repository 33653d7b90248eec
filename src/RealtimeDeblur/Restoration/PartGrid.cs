namespace RealtimeDeblur.Restoration;

/// <summary>Overlapping parts of a frame that get an estimate of blur each: squares of <see cref="Side"/> pixels, evenly spread, about half of that apart.</summary>
internal sealed class PartGrid
{
    /// <summary>Pixels: a part holds some hundred overlapping tiles, of which those with edges speak for it. Half of it a side and the estimates scatter by a quarter; twice that and a change of blur is smoothed away.</summary>
    public const int Side = 192;

    /// <param name="W">Columns of the frame.</param>
    /// <param name="H">Rows of the frame.</param>
    public PartGrid(int W, int H)
    {
        (Columns, FirstX, SpacingX) = Along(W);
        (Rows, FirstY, SpacingY) = Along(H);

        static (int Count, float First, float Spacing) Along(int length)
        {
            int count = length <= Side ? 1 : (length - Side + Side / 2 - 1) / (Side / 2) + 1;
            return count == 1 ? (1, length / 2f, length) : (count, Side / 2f, (length - Side) / (float)(count - 1));
        }
    }

    public int Columns { get; }

    public int Rows { get; }

    public int Count => Columns * Rows;

    /// <summary>Centre of the first part, in pixels, and the distance from one to the next.</summary>
    public float FirstX { get; }

    /// <inheritdoc cref="FirstX"/>
    public float FirstY { get; }

    /// <inheritdoc cref="FirstX"/>
    public float SpacingX { get; }

    /// <inheritdoc cref="FirstX"/>
    public float SpacingY { get; }

    /// <summary>Which tiles lie in each part, of so many that are spread evenly over the frame: [parts][4] as <c>restore/sigma_network.cl</c> wants them. At least one in each.</summary>
    public int[] TilesOf(int tileColumns, int tileRows)
    {
        int[] tiles = new int[4 * Count];
        for (int part = 0; part < Count; part++)
        {
            (int left, int right) = Inside(part % Columns, Columns, tileColumns);
            (int top, int bottom) = Inside(part / Columns, Rows, tileRows);
            ((ReadOnlySpan<int>)[left, top, right, bottom]).CopyTo(tiles.AsSpan(4 * part));
        }
        return tiles;
    }

    /// <summary>Tiles of a part along one side: parts begin evenly spread and take the share of the tiles that two neighbours' distance stands for, twice.</summary>
    private static (int From, int To) Inside(int part, int parts, int tiles)
    {
        if (parts == 1) return (0, tiles);
        double each = tiles / (parts + 1.0);
        int from = Math.Min((int)(part * each), tiles - 1);
        return (from, Math.Clamp((int)Math.Ceiling((part + 2) * each), from + 1, tiles));
    }
}
