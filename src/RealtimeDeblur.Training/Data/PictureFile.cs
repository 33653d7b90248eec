using OpenCvSharp;

namespace RealtimeDeblur.Training.Data;

/// <summary>Pictures on disk, as OpenCV reads them: 8 bits, B, G, R, transparency dropped, turned upright.</summary>
internal static class PictureFile
{
    private static readonly HashSet<string> Endings = new(StringComparer.OrdinalIgnoreCase)
    {
        ".avif", ".bmp", ".dib", ".gif", ".jp2", ".jpe", ".jpeg", ".jpg", ".pbm", ".pgm", ".png", ".pnm", ".ppm", ".ras", ".sr", ".tif", ".tiff", ".webp",
    };

    /// <summary>All files below a folder whose name ends like a picture's, as paths relative to it with <c>/</c>, in ordinal order. Hidden files and folders are left out.</summary>
    public static List<string> List(string directory)
    {
        EnumerationOptions options = new() { RecurseSubdirectories = true, AttributesToSkip = FileAttributes.Hidden | FileAttributes.System };
        List<string> names = [.. Directory.EnumerateFiles(directory, "*", options)
            .Where(file => Endings.Contains(Path.GetExtension(file)))
            .Select(file => Path.GetRelativePath(directory, file).Replace(Path.DirectorySeparatorChar, '/'))];
        names.Sort(StringComparer.Ordinal);
        return names;
    }

    /// <summary>Decodes a picture.</summary>
    /// <returns>The picture, which the caller disposes; or null and the reason why there is none.</returns>
    public static (Mat? Picture, string Reason) Decode(byte[] file)
    {
        if (file.Length == 0) return (null, "empty file");
        if (IsTruncatedJpeg(file)) return (null, "truncated JPEG");
        try
        {
            Mat picture = Cv2.ImDecode(file, ImreadModes.Color);
            if (!picture.Empty()) return (picture, "");
            picture.Dispose();
            return (null, "not a picture that OpenCV can read");
        }
        catch (OpenCVException e)
        {
            return (null, $"OpenCV cannot read it: {e.Message}");
        }
    }

    /// <summary>OpenCV fills the missing part of a cut-off JPEG with grey and calls it read; a whole one has an end marker, if perhaps not at the very end.</summary>
    private static bool IsTruncatedJpeg(ReadOnlySpan<byte> file) =>
        file.StartsWith((ReadOnlySpan<byte>)[0xFF, 0xD8, 0xFF]) && file.LastIndexOf((ReadOnlySpan<byte>)[0xFF, 0xD9]) < 0;
}
