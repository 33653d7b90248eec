using SkiaSharp;

namespace RealtimeDeblur.Preview.Drawing;

/// <summary>Text that the user should read at once.</summary>
/// <param name="Text">Lines end in a line feed; long ones are broken.</param>
/// <param name="MaxWidth">Of the panel, in pixels.</param>
/// <param name="MaxLines">1 or more; what is beyond is cut off with "…".</param>
internal sealed record MessageContent(string Text, int MaxWidth, int MaxLines) : IPanelContent
{
    private const float MarkWidth = 4;

    /// <summary>Lines that fit into a height in pixels; 0 when there is room for none.</summary>
    public static int LinesWithin(double height, PanelStyle style) => Math.Max(0, (int)((height - Frame(style)) / style.LineHeight));

    public SKSizeI Measure(PanelStyle style)
    {
        IReadOnlyList<string> lines = Lines(style);
        return new((int)Math.Ceiling(lines.Max(line => style.Body.MeasureText(line)) + style.Px(MarkWidth) + 2 * style.Padding), (int)(lines.Count * style.LineHeight + Frame(style)));
    }

    public void Paint(SKCanvas canvas, PanelStyle style, SKSizeI size)
    {
        PanelStyle.PaintBackground(canvas, size.Width, size.Height, style.Px(8));
        using (SKPaint mark = new() { Color = PanelStyle.WarningColor, IsAntialias = true })
            canvas.DrawRoundRect(style.Px(6), style.Px(8), style.Px(MarkWidth), size.Height - style.Px(16), style.Px(2), style.Px(2), mark);
        float y = Frame(style) / 2;
        foreach (string line in Lines(style))
        {
            PanelStyle.PaintText(canvas, line, style.Padding + style.Px(MarkWidth) + style.Px(4), y + style.Baseline, style.Body, PanelStyle.TextColor);
            y += style.LineHeight;
        }
    }

    private static float Frame(PanelStyle style) => style.Px(16);

    private IReadOnlyList<string> Lines(PanelStyle style) => PanelStyle.Wrap(Text, style.Body, MaxWidth - 2 * style.Padding - style.Px(MarkWidth), MaxLines);
}
