using System.Globalization;
using OpenCvSharp;
using RealtimeDeblur.Imaging;
using RealtimeDeblur.Video;

namespace RealtimeDeblur.Cli.Live;

/// <summary>Names and writes what the user keeps of a live picture.</summary>
internal static class Snapshot
{
    /// <summary>How files of this moment begin, in a folder where no other does: <c>deblur-20261126-143501</c>, with a number if there is one of that second.</summary>
    public static string NewStem(string folder)
    {
        string moment = Path.Combine(folder, $"deblur-{DateTime.Now.ToString("yyyyMMdd-HHmmss", CultureInfo.InvariantCulture)}");
        string stem = moment;
        for (int i = 2; Directory.EnumerateFiles(folder, $"{Path.GetFileName(stem)}*").Any(); i++) stem = $"{moment}-{i}";
        return stem;
    }

    /// <summary>Writes a picture as PNG. The file appears under its name when it is complete.</summary>
    /// <param name="frame">Bgr24. Not modified.</param>
    /// <exception cref="IOException">It cannot be written.</exception>
    public static void Write(Frame frame, string path)
    {
        using Mat picture = Mat.FromPixelData(frame.Format.Height, frame.Format.Width, MatType.CV_8UC3, frame.Address);
        Cv2.ImEncode(".png", picture, out byte[] file, [(int)ImwriteFlags.PngCompression, 3]);
        using PendingFile pending = new(path, overwrite: false);
        File.WriteAllBytes(pending.TemporaryPath, file);
        pending.Commit();
    }
}
