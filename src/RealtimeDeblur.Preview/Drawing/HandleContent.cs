using SkiaSharp;

namespace RealtimeDeblur.Preview.Drawing;

/// <summary>The knob in the middle of the split line: two arrows that say that it can be moved.</summary>
internal sealed record HandleContent : IPanelContent
{
    private const float Diameter = 30, Arrow = 4.5f, ArrowGap = 3.5f;

    // Even, so that it lies symmetrically on a line that is even too.
    public SKSizeI Measure(PanelStyle style) => new(2 * (int)Math.Round(style.Px(Diameter) / 2), 2 * (int)Math.Round(style.Px(Diameter) / 2));

    public void Paint(SKCanvas canvas, PanelStyle style, SKSizeI size)
    {
        float middle = size.Width / 2f;
        PanelStyle.PaintBackground(canvas, size.Width, size.Height, middle);
        using SKPaint ring = new() { Color = SKColors.White, IsAntialias = true, Style = SKPaintStyle.Stroke, StrokeWidth = style.Px(1.5f) };
        canvas.DrawCircle(middle, middle, middle - style.Px(1), ring);
        using SKPaint stroke = new() { Color = SKColors.White, IsAntialias = true, Style = SKPaintStyle.Stroke, StrokeWidth = style.Px(2), StrokeCap = SKStrokeCap.Round };
        foreach (int side in (ReadOnlySpan<int>)[-1, 1])
        {
            float inner = middle + side * style.Px(ArrowGap), tip = inner + side * style.Px(Arrow);
            canvas.DrawLine(inner, middle - style.Px(Arrow), tip, middle, stroke);
            canvas.DrawLine(inner, middle + style.Px(Arrow), tip, middle, stroke);
        }
    }
}
