using SkiaSharp;

namespace RealtimeDeblur.Preview.Drawing;

/// <summary>The window's icon: a disc that is blurred on the left of a split line and sharp on the right.</summary>
internal static class WindowIcon
{
    /// <summary>Width and height in pixels.</summary>
    public const int Side = 64;

    private const float Middle = Side / 2f, Radius = 18, BlurSigma = 4, Corner = 12;

    /// <summary>R, G, B, A per pixel, rows from the top, alpha not multiplied in.</summary>
    public static byte[] Paint()
    {
        using SKSurface surface = SKSurface.Create(new SKImageInfo(Side, Side, SKColorType.Rgba8888, SKAlphaType.Premul));
        SKCanvas canvas = surface.Canvas;
        using SKPaint ground = new() { Color = new(0x1B, 0x26, 0x38), IsAntialias = true };
        canvas.DrawRoundRect(0, 0, Side, Side, Corner, Corner, ground);
        using SKMaskFilter blur = SKMaskFilter.CreateBlur(SKBlurStyle.Normal, BlurSigma);
        using SKPaint soft = new() { Color = PanelStyle.AccentColor, IsAntialias = true, MaskFilter = blur };
        using SKPaint sharp = new() { Color = PanelStyle.AccentColor, IsAntialias = true };
        PaintDisc(new(0, 0, Middle, Side), soft);
        PaintDisc(new(Middle, 0, Side, Side), sharp);
        using SKPaint line = new() { Color = SKColors.White };
        canvas.DrawRect(Middle - 1, 0, 2, Side, line);

        byte[] rgba = new byte[Side * Side * 4];
        unsafe
        {
            fixed (byte* pixels = rgba)
                if (!surface.ReadPixels(new SKImageInfo(Side, Side, SKColorType.Rgba8888, SKAlphaType.Unpremul), (nint)pixels, Side * 4, 0, 0)) throw new InvalidOperationException("Skia cannot read its own picture.");
        }
        return rgba;

        void PaintDisc(SKRect clip, SKPaint paint)
        {
            canvas.Save();
            canvas.ClipRect(clip);
            canvas.DrawCircle(Middle, Middle, Radius, paint);
            canvas.Restore();
        }
    }
}
