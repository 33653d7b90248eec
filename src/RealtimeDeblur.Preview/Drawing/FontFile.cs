namespace RealtimeDeblur.Preview.Drawing;

/// <summary>Finds a font for the window's text. SkiaSharp's build without dependencies finds none by itself.</summary>
internal static class FontFile
{
    // Sans-serif fonts with digits of equal width, as Debian's packages place them.
    private static readonly string[] Preferred =
    [
        "/usr/share/fonts/truetype/dejavu/DejaVuSans.ttf",
        "/usr/share/fonts/truetype/noto/NotoSans-Regular.ttf",
        "/usr/share/fonts/truetype/liberation2/LiberationSans-Regular.ttf",
        "/usr/share/fonts/truetype/liberation/LiberationSans-Regular.ttf",
        "/usr/share/fonts/dejavu/DejaVuSans.ttf",
        "/usr/share/fonts/TTF/DejaVuSans.ttf",
    ];

    /// <summary>Path of the best font there is.</summary>
    /// <exception cref="PreviewException">There is none; the message says what to install.</exception>
    public static string Find()
    {
        string own = Path.Combine(Environment.GetFolderPath(Environment.SpecialFolder.UserProfile), ".local/share/fonts");
        return Preferred.FirstOrDefault(File.Exists)
            ?? FirstBelow("/usr/share/fonts", "*Sans-Regular.ttf") ?? FirstBelow(own, "*.ttf") ?? FirstBelow("/usr/share/fonts", "*.ttf")
            ?? throw PreviewException.NoFont();
    }

    private static string? FirstBelow(string folder, string pattern) => !Directory.Exists(folder) ? null
        : Directory.EnumerateFiles(folder, pattern, new EnumerationOptions { RecurseSubdirectories = true, IgnoreInaccessible = true }).Order(StringComparer.Ordinal).FirstOrDefault();
}
