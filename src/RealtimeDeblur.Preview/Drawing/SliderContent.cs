using System.Globalization;
using SkiaSharp;

namespace RealtimeDeblur.Preview.Drawing;

/// <summary>The slider of the strength.</summary>
/// <param name="StrengthPercent">0 to 100.</param>
internal sealed record SliderContent(int StrengthPercent) : IPanelContent
{
    private const float Width = 300, Height = 36, TrackLeft = 82, TrackRight = 74, TrackThickness = 4, KnobRadius = 7;

    /// <summary>The track of a slider that lies at a place on screen.</summary>
    public static PixelRect TrackOf(PixelRect slider, PanelStyle style) => new(
        slider.X + style.Px(TrackLeft), slider.Y + (slider.Height - style.Px(TrackThickness)) / 2, slider.Width - style.Px(TrackLeft + TrackRight), style.Px(TrackThickness));

    public SKSizeI Measure(PanelStyle style) => new((int)style.Px(Width), (int)style.Px(Height));

    public void Paint(SKCanvas canvas, PanelStyle style, SKSizeI size)
    {
        PanelStyle.PaintBackground(canvas, size.Width, size.Height, size.Height / 2f);
        float baseline = (size.Height - style.LineHeight) / 2 + style.Baseline;
        PanelStyle.PaintText(canvas, "strength", style.Px(16), baseline, style.Body, PanelStyle.QuietColor);
        string percent = string.Create(CultureInfo.InvariantCulture, $"{StrengthPercent} %");
        PanelStyle.PaintText(canvas, percent, size.Width - style.Px(16) - style.Body.MeasureText(percent), baseline, style.Body, PanelStyle.TextColor);

        PixelRect track = TrackOf(new(0, 0, size.Width, size.Height), style);
        float knob = (float)(track.X + track.Width * StrengthPercent / 100), middle = size.Height / 2f, round = (float)track.Height / 2;
        using SKPaint rest = new() { Color = new(0xFF, 0xFF, 0xFF, 0x40), IsAntialias = true };
        using SKPaint filled = new() { Color = PanelStyle.AccentColor, IsAntialias = true };
        using SKPaint top = new() { Color = SKColors.White, IsAntialias = true };
        canvas.DrawRoundRect((float)track.X, (float)track.Y, (float)track.Width, (float)track.Height, round, round, rest);
        canvas.DrawRoundRect((float)track.X, (float)track.Y, knob - (float)track.X, (float)track.Height, round, round, filled);
        canvas.DrawCircle(knob, middle, style.Px(KnobRadius), top);
    }
}
