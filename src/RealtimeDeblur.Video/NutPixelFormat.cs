using System.Globalization;
using RealtimeDeblur.Imaging;

namespace RealtimeDeblur.Video;

/// <summary>How NUT names sample layouts: by four bytes, the first one lowest, as FFmpeg's <c>libavformat/nut.c</c> lists them.</summary>
internal static class NutPixelFormat
{
    private static readonly Dictionary<uint, PixelFormat> Known = new()
    {
        [FourCc('Y', '8', '0', '0')] = PixelFormat.Gray8,
        [FourCc('Y', '1', 0, 10)] = PixelFormat.Gray10,
        [FourCc('I', '4', '2', '0')] = PixelFormat.Yuv420P8,
        [FourCc('I', 'Y', 'U', 'V')] = PixelFormat.Yuv420P8,
        [FourCc('Y', '4', '2', 'B')] = PixelFormat.Yuv422P8,
        [FourCc('4', '4', '4', 'P')] = PixelFormat.Yuv444P8,
        [FourCc('Y', '3', 11, 10)] = PixelFormat.Yuv420P10,
        [FourCc('Y', '3', 10, 10)] = PixelFormat.Yuv422P10,
        [FourCc('Y', '3', 0, 10)] = PixelFormat.Yuv444P10,
        [FourCc('N', 'V', '1', '2')] = PixelFormat.Nv12,
        [FourCc('P', '0', '1', '0')] = PixelFormat.P010,
        [FourCc('R', 'G', 'B', 24)] = PixelFormat.Rgb24,
        [FourCc('B', 'G', 'R', 24)] = PixelFormat.Bgr24,
        [FourCc('R', 'G', 'B', 'A')] = PixelFormat.Rgba32,
        [FourCc('R', 'G', 'B', 0)] = PixelFormat.Rgba32,
        [FourCc('B', 'G', 'R', 'A')] = PixelFormat.Bgra32,
        [FourCc('B', 'G', 'R', 0)] = PixelFormat.Bgra32,
        [FourCc('R', 'G', 'B', 48)] = PixelFormat.Rgb48,
        [FourCc('R', 'B', 'A', 64)] = PixelFormat.Rgba64,
        [FourCc('Y', '4', 11, 8)] = PixelFormat.Yuva420P8,
        [FourCc('Y', '4', 10, 8)] = PixelFormat.Yuva422P8,
        [FourCc('Y', '4', 0, 8)] = PixelFormat.Yuva444P8,
        [FourCc('Y', '4', 11, 10)] = PixelFormat.Yuva420P10,
        [FourCc('Y', '4', 10, 10)] = PixelFormat.Yuva422P10,
        [FourCc('Y', '4', 0, 10)] = PixelFormat.Yuva444P10,
    };

    /// <summary>Looks a name up.</summary>
    /// <returns>False for compressed video and for layouts that we do not have.</returns>
    public static bool TryFind(uint fourCc, out PixelFormat pixels) => Known.TryGetValue(fourCc, out pixels);

    /// <summary>The name of a layout.</summary>
    public static uint FourCcOf(PixelFormat pixels) => Known.First(pair => pair.Value == pixels).Key;

    /// <summary>A name as FFmpeg prints it: <c>H264</c>, <c>Y3[11][12]</c>.</summary>
    public static string Describe(uint fourCc) =>
        string.Concat(BitConverter.GetBytes(fourCc).Select(b => char.IsAsciiLetterOrDigit((char)b) ? ((char)b).ToString() : string.Create(CultureInfo.InvariantCulture, $"[{b}]")));

    private static uint FourCc(int first, int second, int third, int fourth) => (uint)(first | second << 8 | third << 16 | fourth << 24);
}
