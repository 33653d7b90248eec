using RealtimeDeblur.Imaging;

namespace RealtimeDeblur.Video;

/// <summary>The ffmpeg filters that convert samples with matrix and range said outright, because its defaults are BT.601 and limited range.</summary>
internal static class YuvConversion
{
    private const int HighDefinitionRows = 720;

    /// <summary>No shortcuts: rounding and chroma at full precision; chroma of interlaced frames field by field.</summary>
    private const string Precise = "flags=bicubic+accurate_rnd+full_chroma_int+full_chroma_inp:interl=-1";

    /// <summary>Name of a stream's matrix for the filter; a file that does not say has the one that players assume for its size.</summary>
    public static string MatrixOf(MediaStream stream) => stream.Color.Matrix switch
    {
        "bt709" => "bt709",
        "smpte170m" or "bt470bg" => "bt601",
        "smpte240m" => "smpte240m",
        "fcc" => "fcc",
        "bt2020nc" or "bt2020c" => "bt2020",
        _ => UsualMatrix(stream.Width, stream.Height),
    };

    /// <summary>Name of the matrix that players assume for a size.</summary>
    public static string UsualMatrix(int width, int height) => Math.Min(width, height) >= HighDefinitionRows ? "bt709" : "bt601";

    /// <summary>What a stream's code values mean.</summary>
    public static ColorRange RangeOf(MediaStream stream) =>
        stream.Color.Range == "pc" || (stream.PixelFormat ?? "").StartsWith("yuvj", StringComparison.Ordinal) ? ColorRange.Full : ColorRange.Limited;

    /// <summary>As <see cref="ToRgb"/>, within two code values of it, for live pictures: the exact conversion takes 19 ms of one core per 1280x720 frame, this one less than 1 ms.</summary>
    /// <param name="matrix">As <see cref="MatrixOf"/>; <c>auto</c> takes what the frames say of themselves.</param>
    /// <param name="range">Null takes what the frames say of themselves.</param>
    public static string ToRgbFast(string matrix, ColorRange? range) =>
        $"scale=in_color_matrix={matrix}:in_range={(range is { } known ? Name(known) : "auto")}:out_range=full:flags=bilinear";

    public static string ToRgb(string matrix, ColorRange range) => $"scale=in_color_matrix={matrix}:in_range={Name(range)}:out_range=full:{Precise}";

    public static string FromRgb(string matrix, ColorRange range) => $"scale=out_color_matrix={matrix}:in_range=full:out_range={Name(range)}:{Precise}";

    public static string KeepRange(ColorRange range) => $"scale=in_range={Name(range)}:out_range={Name(range)}:{Precise}";

    private static string Name(ColorRange range) => range == ColorRange.Full ? "full" : "limited";
}
