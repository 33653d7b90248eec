using SkiaSharp;

namespace RealtimeDeblur.Preview.Drawing;

/// <summary>How panels look: fonts, colours and lengths at one content scale. Disposes its fonts, not the typeface.</summary>
internal sealed class PanelStyle(SKTypeface typeface, float scale) : IDisposable
{
    public static readonly SKColor TextColor = new(0xF1, 0xF3, 0xF4);
    public static readonly SKColor QuietColor = new(0xA9, 0xB1, 0xBA);
    public static readonly SKColor AccentColor = new(0x5C, 0xB8, 0xFF);
    public static readonly SKColor RecordingColor = new(0xFF, 0x52, 0x52);
    public static readonly SKColor WarningColor = new(0xFF, 0xC1, 0x5C);
    private static readonly SKColor BackgroundColor = new(0x12, 0x15, 0x1A, 0xD0);

    public float Scale { get; } = scale;

    /// <summary>Ordinary text, 13 px at 96 dpi.</summary>
    public SKFont Body { get; } = MakeFont(typeface, 13 * scale);

    /// <summary>Headings and the frame rate.</summary>
    public SKFont Large { get; } = MakeFont(typeface, 20 * scale);

    /// <summary>From one line of <see cref="Body"/> to the next.</summary>
    public float LineHeight => MathF.Round(20 * Scale);

    /// <summary>Between a panel's edge and its text, and between panels.</summary>
    public float Padding => MathF.Round(12 * Scale);

    /// <summary>From the top of a line of <see cref="Body"/> to its base.</summary>
    public float Baseline => MathF.Round(14.5f * Scale);

    /// <summary>A length at 96 dpi, in pixels.</summary>
    public float Px(float length) => length * Scale;

    /// <summary>Fills the panel with the background, its corners rounded.</summary>
    public static void PaintBackground(SKCanvas canvas, int width, int height, float radius)
    {
        using SKPaint paint = new() { Color = BackgroundColor, IsAntialias = true };
        canvas.DrawRoundRect(0, 0, width, height, radius, radius, paint);
    }

    /// <summary>Writes one line that starts at x; y is its base.</summary>
    public static void PaintText(SKCanvas canvas, string text, float x, float y, SKFont font, SKColor color)
    {
        using SKPaint paint = new() { Color = color, IsAntialias = true };
        canvas.DrawText(text, x, y, SKTextAlign.Left, font, paint);
    }

    /// <summary>The text, or as much of it as fits, ending in "…".</summary>
    public static string Shorten(string text, SKFont font, float width)
    {
        if (font.MeasureText(text) <= width) return text;
        int length = text.Length;
        while (length > 0 && font.MeasureText(text.AsSpan(0, length).TrimEnd().ToString() + "…") > width) length--;
        return text.AsSpan(0, length).TrimEnd().ToString() + "…";
    }

    /// <summary>Breaks text into lines, between words where it can; the last of too many lines ends in "…".</summary>
    public static IReadOnlyList<string> Wrap(string text, SKFont font, float width, int maxLines)
    {
        List<string> lines = [];
        foreach (string paragraph in text.ReplaceLineEndings("\n").Replace("\t", "    ", StringComparison.Ordinal).Trim('\n').Split('\n'))
        {
            string rest = paragraph.TrimEnd();
            do
            {
                if (lines.Count == maxLines)
                {
                    lines[^1] = Shorten(lines[^1] + "…", font, width);
                    return lines;
                }
                int length = FittingLength(rest, font, width);
                lines.Add(rest[..length].TrimEnd());
                rest = rest[length..].TrimStart();
            }
            while (rest.Length > 0);
        }
        return lines;
    }

    public void Dispose()
    {
        Body.Dispose();
        Large.Dispose();
    }

    private static SKFont MakeFont(SKTypeface typeface, float size) =>
        new(typeface, size) { Edging = SKFontEdging.Antialias, Hinting = SKFontHinting.Slight, Subpixel = true };

    /// <summary>Characters that fit on a line, 1 at least: up to the last space among them, if there is one.</summary>
    private static int FittingLength(string text, SKFont font, float width)
    {
        int fitting = text.Length;
        while (fitting > 1 && font.MeasureText(text.AsSpan(0, fitting).ToString()) > width) fitting--;
        if (fitting >= text.Length) return text.Length;
        int space = text.LastIndexOf(' ', fitting);
        return space > 0 && text.AsSpan(0, space).Trim().Length > 0 ? space : fitting;
    }
}
