using RealtimeDeblur.Preview;
using Xunit;

namespace RealtimeDeblur.Tests.Preview;

public sealed class PictureGeometryTests
{
    [Theory]
    [InlineData(640, 480, 640, 480, 0, 0, 640, 480)]            // fits exactly
    [InlineData(1280, 720, 640, 480, 160, 0, 960, 720)]         // bars at the sides
    [InlineData(600, 800, 640, 480, 0, 175, 600, 450)]          // bars above and below
    [InlineData(960, 540, 360, 640, 328, 0, 303.75, 540)]       // a portrait
    [InlineData(641, 481, 1, 1, 80, 0, 481, 481)]               // one pixel
    [InlineData(1, 1, 1920, 1080, 0, 0, 1, 0.5625)]             // hardly any window
    public void Picture_AtZoom1_FillsTheViewWithItsAspect(int viewWidth, int viewHeight, int pictureWidth, int pictureHeight, double x, double y, double width, double height)
    {
        PictureGeometry geometry = PictureGeometry.Of(new(), viewWidth, viewHeight, pictureWidth, pictureHeight);
        Assert.Equal(x, geometry.Picture.X, 1.0);     // whole pixels
        Assert.Equal(y, geometry.Picture.Y, 1.0);
        Assert.Equal(width, geometry.Picture.Width, 1e-9);
        Assert.Equal(height, geometry.Picture.Height, 1e-9);
        Assert.Equal(Math.Round(geometry.Picture.X), geometry.Picture.X);
        Assert.Equal((double)pictureWidth / pictureHeight, geometry.Picture.Width / geometry.Picture.Height, 1e-9);
    }

    [Fact]
    public void Picture_ZoomedWithBars_GrowsOverThem()
    {
        PictureGeometry geometry = PictureGeometry.Of(new() { Zoom = 2 }, 1280, 720, 640, 480);
        Assert.Equal(new PixelRect(0, 0, 1280, 720), geometry.Visible);
        Assert.Equal(3, geometry.Scale);
    }

    [Theory]
    [InlineData(100, 50)]
    [InlineData(640, 360)]
    [InlineData(1000, 700)]
    public void ZoomAbout_AnyPoint_LeavesWhatIsUnderIt(double x, double y)
    {
        PictureGeometry geometry = PictureGeometry.Of(new() { Zoom = 2 }, 1280, 720, 1280, 720);
        (double X, double Y) before = geometry.ToPicture(x, y);
        for (int step = 0; step < 6; step++)
        {
            geometry = geometry.ZoomAbout(1.25, x, y);
            (double X, double Y) after = geometry.ToPicture(x, y);
            // The picture starts on a whole pixel of the window: half a pixel off, at most.
            Assert.InRange(Math.Abs(after.X - before.X) * geometry.Scale, 0, 0.501);
            Assert.InRange(Math.Abs(after.Y - before.Y) * geometry.Scale, 0, 0.501);
        }
    }

    [Fact]
    public void ZoomAbout_InAndOut_EndsWithTheWholePicture()
    {
        PictureGeometry start = PictureGeometry.Of(new(), 1280, 720, 640, 480);
        PictureGeometry end = start.ZoomAbout(5, 1200, 10).ZoomAbout(0.01, 3, 700);
        Assert.Equal(start.Picture, end.Picture);
        Assert.Equal(1, end.Zoom);
    }

    [Fact]
    public void ZoomAbout_FarTooMuch_StopsAtTheLargest() => Assert.Equal(PreviewView.MaxZoom, PictureGeometry.Of(new(), 640, 480, 640, 480).ZoomAbout(1e6, 0, 0).Zoom);

    [Theory]
    [InlineData(1e5, 1e5, 0, 0)]
    [InlineData(-1e5, -1e5, 1280 - 3840, 720 - 2160)]
    public void PanBy_PastTheEdge_StopsThere(double dx, double dy, double left, double top)
    {
        PictureGeometry geometry = PictureGeometry.Of(new() { Zoom = 3 }, 1280, 720, 1280, 720).PanBy(dx, dy);
        Assert.Equal((left, top), (geometry.Picture.X, geometry.Picture.Y));
    }

    [Fact]
    public void PanBy_WholePictureInView_DoesNotMoveIt()
    {
        PictureGeometry geometry = PictureGeometry.Of(new(), 1280, 720, 640, 480);
        Assert.False(geometry.CanPan);
        Assert.Equal(geometry.Picture, geometry.PanBy(50, 50).Picture);
    }

    [Fact]
    public void PanBy_InsideTheLimits_MovesWithTheMouse()
    {
        PictureGeometry geometry = PictureGeometry.Of(new() { Zoom = 4 }, 640, 480, 640, 480);
        PictureGeometry moved = geometry.PanBy(30, -20);
        Assert.Equal((geometry.Picture.X + 30, geometry.Picture.Y - 20), (moved.Picture.X, moved.Picture.Y));
    }

    [Theory]
    [InlineData(1)]
    [InlineData(1.7)]
    [InlineData(6)]
    public void SplitAt_AnyColumnOfThePicture_PutsTheLineThere(double zoom)
    {
        PictureGeometry geometry = PictureGeometry.Of(new() { Zoom = zoom, CenterX = 0.3 }, 1279, 717, 641, 479);
        for (int x = (int)geometry.Visible.X + 1; x < geometry.Visible.Right; x += 13) Assert.Equal(x, geometry.SplitColumn(geometry.SplitAt(x)));
    }

    [Theory]
    [InlineData(1280, 640, 640)]
    [InlineData(1281, 640, 641)]        // a column in the middle belongs to neither
    public void SideBySide_AnyWidth_GivesEachPictureAHalf(int windowWidth, int viewWidth, int rightX)
    {
        PictureGeometry geometry = PictureGeometry.Of(new() { IsSideBySide = true, Split = 0.2 }, windowWidth, 720, 640, 480);
        Assert.Equal((viewWidth, rightX, rightX), (geometry.ViewWidth, geometry.RightViewX, geometry.SplitColumn(0.2)));
        Assert.Equal(new PixelRect(0, 120, 640, 480), geometry.Picture);
        Assert.Equal((10, 10), (geometry.ToView(10), geometry.ToView(rightX + 10)));
    }

    [Fact]
    public void SideBySide_LeftPictureHeld_HasTheWholeWindow()
    {
        PictureGeometry geometry = PictureGeometry.Of(new() { IsSideBySide = true, ShowsLeftOnly = true }, 1280, 720, 640, 480);
        Assert.Equal((false, new PixelRect(160, 0, 960, 720)), (geometry.IsSideBySide, geometry.Picture));
    }

    [Fact]
    public void SplitAt_OutsideThePicture_IsItsEdge()
    {
        PictureGeometry geometry = PictureGeometry.Of(new(), 1280, 720, 640, 480);
        Assert.Equal(0, geometry.SplitAt(5));
        Assert.Equal(1, geometry.SplitAt(1275));
    }
}
