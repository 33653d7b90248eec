using System.Text.Json;
using RealtimeDeblur.Imaging;

namespace RealtimeDeblur.Video;

/// <summary>FFmpeg's names for sample layouts and ours.</summary>
internal static class FfmpegPixelFormat
{
    private static readonly Dictionary<string, PixelFormat> Ours = new()
    {
        ["gray"] = PixelFormat.Gray8,
        ["gray10le"] = PixelFormat.Gray10,
        ["yuv420p"] = PixelFormat.Yuv420P8,
        ["yuv422p"] = PixelFormat.Yuv422P8,
        ["yuv444p"] = PixelFormat.Yuv444P8,
        ["yuvj420p"] = PixelFormat.Yuv420P8,
        ["yuvj422p"] = PixelFormat.Yuv422P8,
        ["yuvj444p"] = PixelFormat.Yuv444P8,
        ["yuv420p10le"] = PixelFormat.Yuv420P10,
        ["yuv422p10le"] = PixelFormat.Yuv422P10,
        ["yuv444p10le"] = PixelFormat.Yuv444P10,
        ["rgb24"] = PixelFormat.Rgb24,
        ["bgr24"] = PixelFormat.Bgr24,
        ["rgb48le"] = PixelFormat.Rgb48,
        ["rgba"] = PixelFormat.Rgba32,
        ["bgra"] = PixelFormat.Bgra32,
        ["rgba64le"] = PixelFormat.Rgba64,
        ["yuva420p"] = PixelFormat.Yuva420P8,
        ["yuva422p"] = PixelFormat.Yuva422P8,
        ["yuva444p"] = PixelFormat.Yuva444P8,
        ["yuva420p10le"] = PixelFormat.Yuva420P10,
        ["yuva422p10le"] = PixelFormat.Yuva422P10,
        ["yuva444p10le"] = PixelFormat.Yuva444P10,
        ["nv12"] = PixelFormat.Nv12,
        ["p010le"] = PixelFormat.P010,
    };

    /// <summary>Whether frames of this layout need no conversion at all.</summary>
    public static bool IsOurs(string name) => Ours.ContainsKey(name);

    /// <summary>FFmpeg's name for one of ours.</summary>
    public static string Name(PixelFormat pixels) => Ours.First(pair => pair.Value == pixels).Key;

    /// <summary>The layout of ours that holds as much as possible of FFmpeg's.</summary>
    /// <param name="name">FFmpeg's name.</param>
    /// <param name="loss">What it cannot hold, for the user; null if nothing.</param>
    public static PixelFormat Nearest(string name, out string? loss)
    {
        loss = null;
        if (Ours.TryGetValue(name, out PixelFormat same)) return same;
        JsonElement format = VideoProbe.Query(["-show_pixel_formats"], cause => $"ffprobe does not list its pixel formats ({cause}).")
            .GetProperty("pixel_formats").EnumerateArray()
            .FirstOrDefault(candidate => candidate.GetProperty("name").GetString() == name);
        if (format.ValueKind == JsonValueKind.Undefined) throw new InvalidDataException($"ffprobe does not know the pixel format {name} that it reported. Install ffmpeg again.");
        bool IsMarked(string flag) => format.GetProperty("flags").GetProperty(flag).GetInt32() != 0;
        int depth = format.TryGetProperty("components", out JsonElement components) ? components.EnumerateArray().Max(component => component.GetProperty("bit_depth").GetInt32()) : 8;
        bool hasAlpha = IsMarked("alpha");
        bool isGrey = format.GetProperty("nb_components").GetInt32() - (hasAlpha ? 1 : 0) < 3;
        bool isRgb = IsMarked("rgb") || IsMarked("palette");

        if (depth > 10 && !isRgb) loss = $"{depth - 10} of its {depth} bits";

        bool isDeep = depth > 8;
        if (isRgb) return hasAlpha ? (isDeep ? PixelFormat.Rgba64 : PixelFormat.Rgba32) : isDeep ? PixelFormat.Rgb48 : PixelFormat.Rgb24;
        if (isGrey) return hasAlpha ? (isDeep ? PixelFormat.Yuva444P10 : PixelFormat.Yuva444P8) : isDeep ? PixelFormat.Gray10 : PixelFormat.Gray8;
        // Rarer ones (4:1:1, 4:4:0, 4:1:0) take the next that has all their samples.
        return (format.GetProperty("log2_chroma_w").GetInt32(), format.GetProperty("log2_chroma_h").GetInt32(), isDeep, hasAlpha) switch
        {
            (0, _, false, false) => PixelFormat.Yuv444P8,
            (0, _, true, false) => PixelFormat.Yuv444P10,
            (_, 0, false, false) => PixelFormat.Yuv422P8,
            (_, 0, true, false) => PixelFormat.Yuv422P10,
            (_, _, false, false) => PixelFormat.Yuv420P8,
            (_, _, true, false) => PixelFormat.Yuv420P10,
            (0, _, false, true) => PixelFormat.Yuva444P8,
            (0, _, true, true) => PixelFormat.Yuva444P10,
            (_, 0, false, true) => PixelFormat.Yuva422P8,
            (_, 0, true, true) => PixelFormat.Yuva422P10,
            (_, _, false, true) => PixelFormat.Yuva420P8,
            (_, _, true, true) => PixelFormat.Yuva420P10,
        };
    }
}
