using RealtimeDeblur.Imaging;

namespace RealtimeDeblur.Video;

/// <summary>How many chroma samples there are; each more is worth more.</summary>
internal enum ChromaSamples
{
    /// <summary>Grey.</summary>
    None,

    /// <summary>4:2:0.</summary>
    HalfWidthAndHeight,

    /// <summary>4:2:2.</summary>
    HalfWidth,

    /// <summary>4:4:4, and RGB.</summary>
    Full,
}

/// <summary>What a sample layout can hold, whatever the order of its samples.</summary>
/// <param name="IsRgb">Whether it needs no matrix.</param>
/// <param name="HasAlpha">Whether it holds transparency.</param>
/// <param name="Depth">Bits per sample.</param>
/// <param name="Chroma">Chroma samples.</param>
internal readonly record struct SampleTraits(bool IsRgb, bool HasAlpha, int Depth, ChromaSamples Chroma)
{
    /// <summary>FFmpeg's layouts that encoders take. Among equals the first is taken.</summary>
    private static readonly (string Name, SampleTraits Traits)[] Layouts =
    [
        ("gray", Yuv(8, ChromaSamples.None)),
        ("gray10le", Yuv(10, ChromaSamples.None)),
        ("yuv420p", Yuv(8, ChromaSamples.HalfWidthAndHeight)),
        ("nv12", Yuv(8, ChromaSamples.HalfWidthAndHeight)),
        ("yuv420p10le", Yuv(10, ChromaSamples.HalfWidthAndHeight)),
        ("p010le", Yuv(10, ChromaSamples.HalfWidthAndHeight)),
        ("yuv422p", Yuv(8, ChromaSamples.HalfWidth)),
        ("nv16", Yuv(8, ChromaSamples.HalfWidth)),
        ("yuyv422", Yuv(8, ChromaSamples.HalfWidth)),
        ("uyvy422", Yuv(8, ChromaSamples.HalfWidth)),
        ("yuv422p10le", Yuv(10, ChromaSamples.HalfWidth)),
        ("p210le", Yuv(10, ChromaSamples.HalfWidth)),
        ("y210le", Yuv(10, ChromaSamples.HalfWidth)),
        ("yuv444p", Yuv(8, ChromaSamples.Full)),
        ("yuv444p10le", Yuv(10, ChromaSamples.Full)),
        ("yuva420p", Yuv(8, ChromaSamples.HalfWidthAndHeight, alpha: true)),
        ("yuva420p10le", Yuv(10, ChromaSamples.HalfWidthAndHeight, alpha: true)),
        ("yuva422p", Yuv(8, ChromaSamples.HalfWidth, alpha: true)),
        ("yuva422p10le", Yuv(10, ChromaSamples.HalfWidth, alpha: true)),
        ("yuva444p", Yuv(8, ChromaSamples.Full, alpha: true)),
        ("yuva444p10le", Yuv(10, ChromaSamples.Full, alpha: true)),
        ("rgb24", Rgb(8)),
        ("bgr24", Rgb(8)),
        ("gbrp", Rgb(8)),
        ("bgr0", Rgb(8)),
        ("rgb0", Rgb(8)),
        ("gbrp10le", Rgb(10)),
        ("gbrp12le", Rgb(12)),
        ("gbrp14le", Rgb(14)),
        ("rgb48le", Rgb(16)),
        ("rgb48be", Rgb(16)),
        ("gbrp16le", Rgb(16)),
        ("rgba", Rgb(8, alpha: true)),
        ("bgra", Rgb(8, alpha: true)),
        ("argb", Rgb(8, alpha: true)),
        ("abgr", Rgb(8, alpha: true)),
        ("gbrap", Rgb(8, alpha: true)),
        ("gbrap10le", Rgb(10, alpha: true)),
        ("gbrap12le", Rgb(12, alpha: true)),
        ("rgba64le", Rgb(16, alpha: true)),
        ("rgba64be", Rgb(16, alpha: true)),
        ("gbrap16le", Rgb(16, alpha: true)),
    ];

    /// <summary>Of one of our layouts.</summary>
    public static SampleTraits Of(PixelFormat pixels)
    {
        FrameFormat format = new(pixels, 2, 2);
        bool hasAlpha = format.PlaneCount == 4 || format.SamplesPerPixel == 4;
        if (format.IsRgb) return Rgb(format.BitDepth, hasAlpha);
        return Yuv(format.BitDepth, format.PlaneCount == 1 ? ChromaSamples.None : format.HasHalfHeightChroma ? ChromaSamples.HalfWidthAndHeight
            : format.HasHalfWidthChroma ? ChromaSamples.HalfWidth : ChromaSamples.Full, hasAlpha);
    }

    /// <summary>Of one of FFmpeg's layouts; null if it is none that encoders of ours take.</summary>
    public static SampleTraits? OfFfmpeg(string name)
    {
        foreach ((string known, SampleTraits traits) in Layouts)
        {
            if (known == name) return traits;
        }
        return null;
    }

    /// <summary>The layout that keeps most: colour first, then transparency, depth, RGB where it is RGB, and chroma. Where several keep all, the one with least to spare.</summary>
    /// <param name="wanted">What the samples have.</param>
    /// <param name="wantedName">FFmpeg's name of their layout, preferred among equals; null if it has none.</param>
    /// <param name="candidates">Whether a layout may be taken, by FFmpeg's name and what it holds.</param>
    /// <returns>Null without a candidate.</returns>
    public static string? Nearest(SampleTraits wanted, string? wantedName, Func<string, SampleTraits, bool> candidates) => Layouts
        .Where(layout => candidates(layout.Name, layout.Traits))
        .OrderBy(layout => wanted.Chroma != ChromaSamples.None && layout.Traits.Chroma == ChromaSamples.None)
        .ThenBy(layout => wanted.HasAlpha && !layout.Traits.HasAlpha)
        .ThenBy(layout => Math.Max(0, wanted.Depth - layout.Traits.Depth))
        .ThenBy(layout => wanted.IsRgb != layout.Traits.IsRgb)
        .ThenBy(layout => Math.Max(0, wanted.Chroma - layout.Traits.Chroma))
        .ThenBy(layout => layout.Traits.HasAlpha)
        .ThenBy(layout => layout.Traits.Depth)
        .ThenBy(layout => layout.Traits.Chroma)
        .ThenBy(layout => layout.Name != wantedName)
        .Select(layout => layout.Name)
        .FirstOrDefault();

    private static SampleTraits Yuv(int depth, ChromaSamples chroma, bool alpha = false) => new(false, alpha, depth, chroma);

    private static SampleTraits Rgb(int depth, bool alpha = false) => new(true, alpha, depth, ChromaSamples.Full);
}
