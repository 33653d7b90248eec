using SkiaSharp;

namespace RealtimeDeblur.Preview.Drawing;

/// <summary>A word that says which picture is which.</summary>
internal sealed record LabelContent(string Text) : IPanelContent
{
    /// <summary>Of the panel, in pixels at 96 dpi.</summary>
    public const float Height = 24;

    private const float Side = 10;

    public SKSizeI Measure(PanelStyle style) => new((int)Math.Ceiling(style.Body.MeasureText(Text) + style.Px(2 * Side)), (int)style.Px(Height));

    public void Paint(SKCanvas canvas, PanelStyle style, SKSizeI size)
    {
        PanelStyle.PaintBackground(canvas, size.Width, size.Height, size.Height / 2f);
        PanelStyle.PaintText(canvas, Text, style.Px(Side), (size.Height - style.LineHeight) / 2 + style.Baseline, style.Body, PanelStyle.TextColor);
    }
}
