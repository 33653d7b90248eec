namespace RealtimeDeblur.Imaging;

/// <summary>Layout of the samples of a frame. Planar YCbCr forms hold luma, Cb, Cr, and transparency where there is one, one after another without gaps; 10-bit samples are
/// 16-bit little-endian words with values 0 to 1023 (times 64 in <see cref="P010"/>).</summary>
public enum PixelFormat
{
    /// <summary>Luma alone, 8 bits.</summary>
    Gray8,

    /// <summary>Luma alone, 10 bits.</summary>
    Gray10,

    /// <summary>8 bits, Cb and Cr of half width and half height: I420, the usual form of video.</summary>
    Yuv420P8,

    /// <summary>8 bits, Cb and Cr of half width.</summary>
    Yuv422P8,

    /// <summary>8 bits, Cb and Cr of full size.</summary>
    Yuv444P8,

    /// <summary>10 bits, Cb and Cr of half width and half height.</summary>
    Yuv420P10,

    /// <summary>10 bits, Cb and Cr of half width.</summary>
    Yuv422P10,

    /// <summary>10 bits, Cb and Cr of full size.</summary>
    Yuv444P10,

    /// <summary>8-bit 4:2:0 whose second plane holds Cb and Cr in turns, as cameras and hardware decoders give it.</summary>
    Nv12,

    /// <summary>As <see cref="Nv12"/> with 10 bits, in the high bits of 16-bit little-endian words: values 0 to 1023 times 64.</summary>
    P010,

    /// <summary>Interleaved R, G, B, 8 bits each.</summary>
    Rgb24,

    /// <summary>Interleaved B, G, R, 8 bits each: OpenCV's order.</summary>
    Bgr24,

    /// <summary>Interleaved R, G, B and a fourth byte, 8 bits each; the fourth, transparency or padding, passes unchanged.</summary>
    Rgba32,

    /// <summary>Interleaved B, G, R and a fourth byte, likewise: the usual order of windows and desktops.</summary>
    Bgra32,

    /// <summary>Interleaved R, G, B, 16 bits each, little-endian, full scale 65535.</summary>
    Rgb48,

    /// <summary>Interleaved R, G, B and a fourth word, 16 bits each, likewise; the fourth passes unchanged.</summary>
    Rgba64,

    /// <summary>As <see cref="Yuv420P8"/> with a fourth plane, transparency, of full size, which passes unchanged like chroma.</summary>
    Yuva420P8,

    /// <summary>As <see cref="Yuv422P8"/> with transparency of full size.</summary>
    Yuva422P8,

    /// <summary>As <see cref="Yuv444P8"/> with transparency.</summary>
    Yuva444P8,

    /// <summary>As <see cref="Yuv420P10"/> with transparency of full size and 10 bits.</summary>
    Yuva420P10,

    /// <summary>As <see cref="Yuv422P10"/> with transparency of full size and 10 bits.</summary>
    Yuva422P10,

    /// <summary>As <see cref="Yuv444P10"/> with transparency of 10 bits.</summary>
    Yuva444P10,
}

/// <summary>What the code values of luma mean: <see cref="Limited"/> has black at 16 and white at 235 (of 255; 64 and 940 of 1023), <see cref="Full"/> uses the whole scale.
/// RGB frames are always full range.</summary>
public enum ColorRange
{
    /// <summary>Black 16, white 235 of 255: usual in video.</summary>
    Limited,

    /// <summary>Black 0, white 255: usual in pictures and webcams.</summary>
    Full,
}
