using SkiaSharp;

namespace RealtimeDeblur.Preview.Drawing;

/// <summary>One row of the split line, drawn as high as the picture: white, with a dark edge that shows it on white pictures too.</summary>
internal sealed record LineContent : IPanelContent
{
    private const byte EdgeAlpha = 0x70;

    /// <summary>Columns of the line, an even number: half of them lie on the original, half on the restored picture.</summary>
    public static int Width(PanelStyle style) => 2 * Math.Max(1, (int)Math.Round(style.Scale)) + 2;

    public SKSizeI Measure(PanelStyle style) => new(Width(style), 1);

    public void Paint(SKCanvas canvas, PanelStyle style, SKSizeI size)
    {
        canvas.Clear(SKColors.White);
        using SKPaint edge = new() { Color = new(0, 0, 0, EdgeAlpha), BlendMode = SKBlendMode.Src };
        canvas.DrawRect(0, 0, 1, 1, edge);
        canvas.DrawRect(size.Width - 1, 0, 1, 1, edge);
    }
}
