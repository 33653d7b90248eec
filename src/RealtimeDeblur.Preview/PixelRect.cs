namespace RealtimeDeblur.Preview;

/// <summary>A rectangle in framebuffer pixels, from the left and from the top.</summary>
internal readonly record struct PixelRect(double X, double Y, double Width, double Height)
{
    public double Right => X + Width;
    public double Bottom => Y + Height;
    public bool IsEmpty => Width <= 0 || Height <= 0;

    public bool Contains(double x, double y) => x >= X && x < Right && y >= Y && y < Bottom;

    public bool Overlaps(PixelRect other) => !Intersect(other).IsEmpty;

    /// <summary>The common part; empty when there is none.</summary>
    public PixelRect Intersect(PixelRect other)
    {
        double left = Math.Max(X, other.X), top = Math.Max(Y, other.Y);
        return new(left, top, Math.Max(0, Math.Min(Right, other.Right) - left), Math.Max(0, Math.Min(Bottom, other.Bottom) - top));
    }
}
