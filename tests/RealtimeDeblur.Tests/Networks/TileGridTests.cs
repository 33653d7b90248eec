using RealtimeDeblur.Networks;
using Xunit;

namespace RealtimeDeblur.Tests.Networks;

public sealed class TileGridTests
{
    [Theory]
    [InlineData(1, 1, 6)]
    [InlineData(640, 480, 6)]
    [InlineData(641, 479, 0)]
    [InlineData(97, 1013, 6)]
    [InlineData(1500, 37, 11)]
    public void Fit_AnyLimit_KeepsEverySampleOnceWithItsNeighbourhood(int W, int H, int pad)
    {
        foreach (long limit in new long[] { 3_000, 10_000, 50_000, long.MaxValue })
        {
            TileGrid? grid = TileGrid.Fit(W, H, pad, (w, h) => (long)w * h <= limit);
            Assert.NotNull(grid);
            Assert.True((long)grid.TileW * grid.TileH <= limit);
            int[] kept = new int[W * H];
            foreach (Tile tile in grid.Tiles)
            {
                Assert.InRange(tile.OriginX, 0, W - grid.TileW);
                Assert.InRange(tile.OriginY, 0, H - grid.TileH);
                Assert.True(tile.SkipX >= pad || tile.OriginX == 0);
                Assert.True(tile.SkipY >= pad || tile.OriginY == 0);
                Assert.True(tile.SkipX + tile.Columns + pad <= grid.TileW || tile.OriginX + grid.TileW == W);
                Assert.True(tile.SkipY + tile.Rows + pad <= grid.TileH || tile.OriginY + grid.TileH == H);
                for (int y = 0; y < tile.Rows; y++)
                {
                    for (int x = 0; x < tile.Columns; x++) kept[(tile.OriginY + tile.SkipY + y) * W + tile.OriginX + tile.SkipX + x]++;
                }
            }
            Assert.All(kept, count => Assert.Equal(1, count));
        }
    }

    [Fact]
    public void Fit_EverythingFits_IsOneTile()
    {
        TileGrid? grid = TileGrid.Fit(640, 480, 6, (_, _) => true);
        Assert.Equal([new Tile(0, 0, 0, 0, 640, 480)], grid!.Tiles);
    }

    [Fact]
    public void Fit_NothingFits_IsNull() => Assert.Null(TileGrid.Fit(640, 480, 6, (_, _) => false));
}
