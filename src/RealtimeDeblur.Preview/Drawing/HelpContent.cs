using SkiaSharp;

namespace RealtimeDeblur.Preview.Drawing;

/// <summary>What keys and mouse do; <see cref="PreviewControls"/> does it.</summary>
internal sealed record HelpContent : IPanelContent
{
    private static readonly (string Keys, string Does)[] Rows =
    [
        ("← →, drag the line", "split between left and right"),
        ("B", "split, or whole pictures side by side"),
        ("C, Shift + C", "at the left: original, or another method"),
        ("↑ ↓, + −, wheel", "strength"),
        ("O, right button", "left picture, as long as you hold it"),
        ("PgUp PgDn, Ctrl + wheel", "zoom in and out"),
        ("1, 2, 4", "100, 200, 400 % of the pixels"),
        ("Z, 0, Home", "whole picture"),
        ("Shift + arrows, drag", "move the zoomed picture"),
        ("Space", "freeze the picture, or let it go on"),
        ("P", "pause the source, or go on"),
        ("S", "save a snapshot"),
        ("R", "start or end a recording"),
        ("M, Shift + M", "next, previous model"),
        ("D", "next device"),
        ("I, Tab", "show or hide the figures"),
        ("F, F11, double click", "full screen, or back"),
        ("H, F1, ?", "this help"),
        ("Esc, Q", "close; Esc leaves full screen first"),
    ];

    private const string Heading = "Keys and mouse";
    private const float HeadingHeight = 32, ColumnGap = 22;

    public SKSizeI Measure(PanelStyle style) => new(
        (int)Math.Ceiling(DoesColumn(style) + Widest(style, row => row.Does) + 1.5f * style.Padding),
        (int)(2.5f * style.Padding + style.Px(HeadingHeight) + Rows.Length * style.LineHeight - style.Px(4)));

    public void Paint(SKCanvas canvas, PanelStyle style, SKSizeI size)
    {
        // Twice, for a denser ground: this is a page to read.
        PanelStyle.PaintBackground(canvas, size.Width, size.Height, style.Px(10));
        PanelStyle.PaintBackground(canvas, size.Width, size.Height, style.Px(10));
        float x = 1.5f * style.Padding, y = 1.25f * style.Padding;
        PanelStyle.PaintText(canvas, Heading, x, y + style.Px(17), style.Large, PanelStyle.TextColor);
        y += style.Px(HeadingHeight);
        foreach ((string keys, string does) in Rows)
        {
            PanelStyle.PaintText(canvas, keys, x, y + style.Baseline, style.Body, PanelStyle.AccentColor);
            PanelStyle.PaintText(canvas, does, DoesColumn(style), y + style.Baseline, style.Body, PanelStyle.TextColor);
            y += style.LineHeight;
        }
    }

    private static float DoesColumn(PanelStyle style) => 1.5f * style.Padding + Widest(style, row => row.Keys) + style.Px(ColumnGap);

    private static float Widest(PanelStyle style, Func<(string Keys, string Does), string> column) => Rows.Max(row => style.Body.MeasureText(column(row)));
}
