using System.Globalization;
using RealtimeDeblur.Pipeline;
using SkiaSharp;

namespace RealtimeDeblur.Preview.Drawing;

/// <summary>The figures: frame rate, latency, dropped frames, blur, and what computes.</summary>
internal sealed record StatusContent(PreviewStatus Status) : IPanelContent
{
    // One width whatever the figures, so that the panel does not jump.
    private const float Width = 300, ValueColumn = 86, HeadingHeight = 28;

    public SKSizeI Measure(PanelStyle style) =>
        new((int)style.Px(Width), (int)(2 * style.Padding + style.Px(HeadingHeight) + (Rows().Length + 1) * style.LineHeight - style.Px(2)));

    public void Paint(SKCanvas canvas, PanelStyle style, SKSizeI size)
    {
        PanelStyle.PaintBackground(canvas, size.Width, size.Height, style.Px(10));
        float x = style.Padding, y = style.Padding;
        string rate = Status.FramesPerSecond is { } framesPerSecond ? Text($"{framesPerSecond:0.0}") : "–";
        PanelStyle.PaintText(canvas, rate, x, y + style.Px(16), style.Large, PanelStyle.TextColor);
        PanelStyle.PaintText(canvas, "frames per second", x + style.Large.MeasureText(rate) + style.Px(7), y + style.Px(16), style.Body, PanelStyle.QuietColor);
        y += style.Px(HeadingHeight);
        foreach ((string name, string value) in Rows())
        {
            PanelStyle.PaintText(canvas, name, x, y + style.Baseline, style.Body, PanelStyle.QuietColor);
            float valueX = x + style.Px(ValueColumn);
            PanelStyle.PaintText(canvas, PanelStyle.Shorten(value, style.Body, size.Width - style.Padding - valueX), valueX, y + style.Baseline, style.Body, PanelStyle.TextColor);
            y += style.LineHeight;
        }
        PanelStyle.PaintText(canvas, "H shows what keys and mouse do", x, y + style.Baseline + style.Px(2), style.Body, PanelStyle.QuietColor);
    }

    private (string Name, string Value)[] Rows() =>
    [
        ("latency", OrDash(Status.Latency)),
        ("  waiting", OrDash(Status.Wait)),
        ("  restoring", OrDash(Status.Restore)),
        ("  hand-over", OrDash(Status.HandOver)),
        ("  presenting", OrDash(Status.Present)),
        ("dropped", Status.Dropped == 1 ? "1 frame" : Text($"{Status.Dropped} frames")),
        ("blur", Status.IsSharp ? "none, the picture is sharp" : Status.Sigma is { } sigma ? Text($"σ {sigma:0.00} px") : "–"),
        ("model", Status.IsModelAutomatic ? $"{Status.Model} (automatic)" : OrDash(Status.Model)),
        ("device", OrDash(Status.Device)),
        ("source", Status.Width > 0 ? Text($"{Status.Source}, {Status.Width} × {Status.Height}") : OrDash(Status.Source)),
    ];

    private static string OrDash(RecentDuration? time) => time is { } known ? Text($"{known.Median:0} ms, 99 % below {Math.Ceiling(known.P99):0} ms") : "–";

    private static string OrDash(string text) => text.Length > 0 ? text : "–";

    private static string Text(FormattableString text) => text.ToString(CultureInfo.InvariantCulture);
}
