using RealtimeDeblur.Imaging;

namespace RealtimeDeblur.Tests;

/// <summary>Where the samples of a pixel lie.</summary>
internal static class SampleOrder
{
    /// <summary>Position of R in a pixel of an RGB form; G is at 1, B at 2 less this.</summary>
    public static int Red(PixelFormat pixels) => pixels is PixelFormat.Bgr24 or PixelFormat.Bgra32 ? 2 : 0;

    /// <summary>Whether sample <paramref name="index"/> of plane 0 is the fourth of its pixel, which is not a colour.</summary>
    public static bool IsAlpha(FrameFormat format, int index) => format.SamplesPerPixel == 4 && index % 4 == 3;
}
