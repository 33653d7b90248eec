namespace RealtimeDeblur.Preview;

/// <summary>
/// Where a picture lies in its view: the window, or the left half of it where two are shown side by side; the right picture lies alike in the right half. Zoom 1 fits it in, with bars at the sides or above and below; more zoom
/// lets it grow over the bars until it fills the view. Pixels of the window are square and counted from its top left, and so are those of the picture.
/// </summary>
internal readonly record struct PictureGeometry
{
    private PictureGeometry(int windowWidth, int viewWidth, int viewHeight, int pictureWidth, int pictureHeight, double zoom, double centerX, double centerY)
    {
        WindowWidth = windowWidth;
        (ViewWidth, ViewHeight, PictureWidth, PictureHeight, Zoom) = (viewWidth, viewHeight, pictureWidth, pictureHeight, zoom);
        CenterX = KeepCovered(centerX, viewWidth / (pictureWidth * Scale));
        CenterY = KeepCovered(centerY, viewHeight / (pictureHeight * Scale));
    }

    public int WindowWidth { get; }
    public int ViewWidth { get; }
    public int ViewHeight { get; }
    public int PictureWidth { get; }
    public int PictureHeight { get; }
    public double Zoom { get; }

    /// <summary>Point of the picture in the middle of the view, as a share of its width; moved so far that the picture leaves no bar that it could fill.</summary>
    public double CenterX { get; }

    /// <summary>The same from the top.</summary>
    public double CenterY { get; }

    /// <summary>Pixels of the window per pixel of the picture.</summary>
    public double Scale => FitScale * Zoom;

    /// <summary>The whole picture, which may reach past the window. Starts on a whole pixel: at a scale of 1 nothing is resampled.</summary>
    public PixelRect Picture => new(
        Math.Round(ViewWidth / 2.0 - CenterX * PictureWidth * Scale), Math.Round(ViewHeight / 2.0 - CenterY * PictureHeight * Scale), PictureWidth * Scale, PictureHeight * Scale);

    /// <summary>Whether each half of the window shows a picture of its own.</summary>
    public bool IsSideBySide => ViewWidth < WindowWidth;

    /// <summary>First column of the right picture's view.</summary>
    public int RightViewX => WindowWidth - ViewWidth;

    /// <summary>The part of the picture that is seen.</summary>
    public PixelRect Visible => Picture.Intersect(new(0, 0, ViewWidth, ViewHeight));

    /// <summary>Whether part of the picture is outside the view.</summary>
    public bool CanPan => Zoom > 1;

    private double FitScale => Math.Min((double)ViewWidth / PictureWidth, (double)ViewHeight / PictureHeight);

    /// <summary>How a picture lies with the user's zoom and centre.</summary>
    /// <param name="view">Is read, not kept.</param>
    /// <param name="windowWidth">Pixels, 1 or more, as all four sizes.</param>
    public static PictureGeometry Of(PreviewView view, int windowWidth, int viewHeight, int pictureWidth, int pictureHeight) =>
        new(windowWidth, view.IsSideBySide && !view.ShowsLeftOnly ? Math.Max(1, windowWidth / 2) : windowWidth, viewHeight, pictureWidth, pictureHeight, view.Zoom, view.CenterX, view.CenterY);

    /// <summary>Left edge of the first column of the window that shows the right picture.</summary>
    /// <param name="split">Share of the visible part, 0 to 1; side by side it plays no part.</param>
    public int SplitColumn(double split) => IsSideBySide ? RightViewX : (int)Math.Round(Visible.X + split * Visible.Width);

    /// <summary>A column of the window as one of the view that it belongs to.</summary>
    public double ToView(double x) => IsSideBySide && x >= RightViewX ? x - RightViewX : x;

    /// <summary>The split that puts its line at a column of the window.</summary>
    public double SplitAt(double x) => Visible.Width > 0 ? Math.Clamp((x - Visible.X) / Visible.Width, 0, 1) : 0;

    /// <summary>Point of the picture, in its pixels, under a point of the view; may be outside the picture.</summary>
    public (double X, double Y) ToPicture(double x, double y) => ((x - Picture.X) / Scale, (y - Picture.Y) / Scale);

    /// <summary>Magnifies by a factor so that the point of the picture under (x, y) stays there, as far as the edges of the picture allow. Zoom stays within its range.</summary>
    public PictureGeometry ZoomAbout(double factor, double x, double y)
    {
        double zoom = Math.Clamp(Zoom * factor, 1, PreviewView.MaxZoom);
        double fromMiddleX = x - ViewWidth / 2.0, fromMiddleY = y - ViewHeight / 2.0;
        double difference = 1 / Scale - 1 / (FitScale * zoom);
        return new(WindowWidth, ViewWidth, ViewHeight, PictureWidth, PictureHeight, zoom, CenterX + fromMiddleX * difference / PictureWidth, CenterY + fromMiddleY * difference / PictureHeight);
    }

    /// <summary>Moves the picture by pixels of the window, as far as its edges allow.</summary>
    public PictureGeometry PanBy(double dx, double dy) =>
        new(WindowWidth, ViewWidth, ViewHeight, PictureWidth, PictureHeight, Zoom, CenterX - dx / (PictureWidth * Scale), CenterY - dy / (PictureHeight * Scale));

    /// <summary>Writes zoom and centre back.</summary>
    public void CopyTo(PreviewView view) => (view.Zoom, view.CenterX, view.CenterY) = (Zoom, CenterX, CenterY);

    /// <param name="center">Share of the picture's length.</param>
    /// <param name="seen">The view's length as a share of the picture's.</param>
    private static double KeepCovered(double center, double seen) => seen >= 1 ? 0.5 : Math.Clamp(center, seen / 2, 1 - seen / 2);
}
