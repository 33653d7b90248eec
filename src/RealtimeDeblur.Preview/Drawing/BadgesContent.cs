using System.Globalization;
using SkiaSharp;

namespace RealtimeDeblur.Preview.Drawing;

/// <summary>What is unlike the usual: shown whether or not the figures are.</summary>
/// <param name="ZoomPercent">Pixels of the window per pixel of the picture, times 100; 0 when the whole picture is in the window.</param>
internal sealed record BadgesContent(bool IsRecording, bool IsPaused, bool IsFrozen, int ZoomPercent) : IPanelContent
{
    private const float Height = 28, Side = 11, Gap = 6, Dot = 5, DotSpace = 16;

    public bool IsEmpty => !IsRecording && !IsPaused && !IsFrozen && ZoomPercent == 0;

    public SKSizeI Measure(PanelStyle style) => new(
        (int)Math.Ceiling(Math.Max(1, Badges().Sum(badge => BadgeWidth(badge, style) + style.Px(Gap)) - style.Px(Gap))), (int)style.Px(Height));

    public void Paint(SKCanvas canvas, PanelStyle style, SKSizeI size)
    {
        float x = 0;
        foreach ((string text, SKColor? dot) in Badges())
        {
            float width = BadgeWidth((text, dot), style);
            canvas.Save();
            canvas.Translate(x, 0);
            PanelStyle.PaintBackground(canvas, (int)width, size.Height, size.Height / 2f);
            float textX = style.Px(Side);
            if (dot is { } color)
            {
                using SKPaint paint = new() { Color = color, IsAntialias = true };
                canvas.DrawCircle(textX + style.Px(Dot), size.Height / 2f, style.Px(Dot), paint);
                textX += style.Px(DotSpace);
            }
            PanelStyle.PaintText(canvas, text, textX, (size.Height - style.LineHeight) / 2 + style.Baseline, style.Body, PanelStyle.TextColor);
            canvas.Restore();
            x += width + style.Px(Gap);
        }
    }

    private IEnumerable<(string Text, SKColor? Dot)> Badges()
    {
        if (ZoomPercent > 0) yield return (string.Create(CultureInfo.InvariantCulture, $"{ZoomPercent} %"), null);
        if (IsFrozen) yield return ("frozen", PanelStyle.AccentColor);
        if (IsPaused) yield return ("paused", PanelStyle.WarningColor);
        if (IsRecording) yield return ("recording", PanelStyle.RecordingColor);
    }

    private static float BadgeWidth((string Text, SKColor? Dot) badge, PanelStyle style) =>
        MathF.Ceiling(style.Body.MeasureText(badge.Text) + style.Px(2 * Side) + (badge.Dot is null ? 0 : style.Px(DotSpace)));
}
