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
        int components3 = format.GetProperty("nb_components").GetInt32() - (IsMarked("alpha") ? 1 : 0);
        bool isRgb = IsMarked("rgb") || IsMarked("palette");

        var losses = new List<string>();
        if (IsMarked("alpha")) losses.Add("its transparency");
        if (depth > 10 && !isRgb) losses.Add($"{depth - 10} of its {depth} bits");
        if (losses.Count > 0) loss = string.Join(" and ", losses);

        if (isRgb) return depth > 8 ? PixelFormat.Rgb48 : PixelFormat.Rgb24;
        if (components3 < 3) return depth > 8 ? PixelFormat.Gray10 : PixelFormat.Gray8;
        // Rarer ones (4:1:1, 4:4:0, 4:1:0) take the next that has all their samples.
        return (format.GetProperty("log2_chroma_w").GetInt32(), format.GetProperty("log2_chroma_h").GetInt32(), depth > 8) switch
        {
            (0, _, false) => PixelFormat.Yuv444P8,
            (0, _, true) => PixelFormat.Yuv444P10,
            (_, 0, false) => PixelFormat.Yuv422P8,
            (_, 0, true) => PixelFormat.Yuv422P10,
            (_, _, false) => PixelFormat.Yuv420P8,
            (_, _, true) => PixelFormat.Yuv420P10,
        };
    }
}
