using System.Collections.Immutable;

namespace RealtimeDeblur.Networks;

/// <summary>One tile of a frame: where its first sample lies, and which of its samples are kept.</summary>
/// <param name="OriginX">Column of the frame.</param>
/// <param name="OriginY">Row of the frame.</param>
/// <param name="SkipX">Columns on the tile's left that belong to the overlap.</param>
/// <param name="SkipY">Rows on the tile's top that belong to the overlap.</param>
/// <param name="Columns">Columns kept.</param>
/// <param name="Rows">Rows kept.</param>
internal readonly record struct Tile(int OriginX, int OriginY, int SkipX, int SkipY, int Columns, int Rows);

/// <summary>
/// Cuts a frame into equal tiles that overlap by twice the network's <see cref="NetworkDescription.Pad"/>. A tile's own edge spoils at most Pad samples of its result,
/// and those a neighbour has right; so the kept samples equal those of the whole frame, bit by bit.
/// </summary>
internal sealed class TileGrid
{
    /// <summary>A tile narrower or lower than this many pads would compute more overlap than picture.</summary>
    private const int SmallestTilePads = 4;

    /// <summary>So that kernels which need a smallest frame find it in every tile of a frame that has it.</summary>
    private const int SmallestTile = 16;

    private TileGrid(int W, int H, int tileW, int tileH, int pad)
    {
        TileW = tileW;
        TileH = tileH;
        var tiles = new List<Tile>();
        foreach ((int originY, int skipY, int rows) in Cut(H, tileH, pad))
        {
            foreach ((int originX, int skipX, int columns) in Cut(W, tileW, pad)) tiles.Add(new(originX, originY, skipX, skipY, columns, rows));
        }
        Tiles = [.. tiles];
    }

    /// <summary>Columns of every tile, overlap included.</summary>
    public int TileW { get; }

    /// <summary>Rows of every tile, overlap included.</summary>
    public int TileH { get; }

    /// <summary>Row by row from the top left; the kept regions cover every sample of the frame once.</summary>
    public ImmutableArray<Tile> Tiles { get; }

    /// <summary>Finds the largest tiles that fit: the whole frame, else bands of its full width, else rectangles.</summary>
    /// <param name="W">Columns of the frame.</param>
    /// <param name="H">Rows of the frame.</param>
    /// <param name="pad">Reach of the network's receptive field.</param>
    /// <param name="fits">Whether a tile of so many columns and rows fits into memory. Must hold for a smaller tile when it holds for a larger one.</param>
    /// <returns>Null when not even the smallest sensible tile fits.</returns>
    public static TileGrid? Fit(int W, int H, int pad, Func<int, int, bool> fits)
    {
        int smallest = Math.Max(SmallestTile, SmallestTilePads * pad);
        for (int across = 1; ; across *= 2)
        {
            int tileW = TileSize(W, across, pad);
            if (tileW < Math.Min(W, smallest)) return null;
            for (int down = 1; ; down++)
            {
                int tileH = TileSize(H, down, pad);
                if (tileH < Math.Min(H, smallest)) break;
                if (fits(tileW, tileH)) return new(W, H, tileW, tileH, pad);
                if (down >= H) break;
            }
            if (across >= W) return null;
        }
    }

    /// <summary>Size of each of <paramref name="count"/> equal tiles that together cover <paramref name="size"/>.</summary>
    private static int TileSize(int size, int count, int pad) => count == 1 ? size : Math.Min(size, (size - 2 * pad + count - 1) / count + 2 * pad);

    private static IEnumerable<(int Origin, int Skip, int Kept)> Cut(int size, int tile, int pad)
    {
        for (int covered = 0; covered < size;)
        {
            // The last tile is moved back so that it ends with the frame.
            int origin = Math.Min(Math.Max(0, covered - pad), size - tile);
            int end = origin + tile == size ? size : origin + tile - pad;
            yield return (origin, covered - origin, end - covered);
            covered = end;
        }
    }
}
