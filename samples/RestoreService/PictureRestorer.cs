using System.Collections.Concurrent;
using System.Runtime.InteropServices;
using OpenCvSharp;
using RealtimeDeblur.Compute;
using RealtimeDeblur.Imaging;
using RealtimeDeblur.Networks;
using RealtimeDeblur.Restoration;

namespace RestoreService;

/// <summary>A picture, ready to be sent.</summary>
/// <param name="Data">Encoded.</param>
/// <param name="ContentType">Its type.</param>
/// <param name="Sigma">Of the blur that was restored, or found, in pixels; null where the network does not depend on it.</param>
/// <param name="IsUnchanged">Whether it was found to be sharp and left as it was.</param>
internal sealed record RestoredPicture(byte[] Data, string ContentType, float? Sigma, bool IsUnchanged);

/// <summary>Encoded pictures in, restored ones out, on one device. Several threads may use it at once.</summary>
internal sealed partial class PictureRestorer : IDisposable
{
    /// <summary>A few kilobytes of PNG can claim to be far more. With 49 million pixels the process grows to 0.85 GB, the device being a CPU.</summary>
    private const int MaxPixels = 50_000_000;

    private readonly ComputeDevice _device = ComputeDevice.Open();
    private readonly ConcurrentDictionary<string, Network> _networks = new();

    public PictureRestorer()
    {
        // OpenCV reads its limits from the environment, natively; .NET's own copy of it would not reach there.
        _ = SetEnvironment("OPENCV_IO_MAX_IMAGE_PIXELS", MaxPixels.ToString(System.Globalization.CultureInfo.InvariantCulture), overwrite: 1);
        Cv2.SetLogLevel(OpenCvSharp.LogLevel.SILENT);
    }

    /// <summary>Restores a picture and blocks until that is done.</summary>
    /// <param name="picture">As a file holds it. Transparency and more than 8 bits are lost.</param>
    /// <param name="model">Name of a network that ships.</param>
    /// <param name="options">How.</param>
    /// <param name="cancellation">Looked at between the steps; the device does not stop in the middle.</param>
    /// <exception cref="InvalidDataException">It is no picture, or too large.</exception>
    /// <exception cref="OpenClException">The device failed.</exception>
    public RestoredPicture Restore(byte[] picture, string model, DeblurOptions options, CancellationToken cancellation)
    {
        cancellation.ThrowIfCancellationRequested();
        using Mat blurred = Decode(picture);
        cancellation.ThrowIfCancellationRequested();

        using Frame frame = new(new FrameFormat(PixelFormat.Bgr24, blurred.Width, blurred.Height));
        using Mat pixels = Mat.FromPixelData(blurred.Height, blurred.Width, MatType.CV_8UC3, frame.Address);
        blurred.CopyTo(pixels);
        // Made for one size: pictures rarely have the same. The kernels are compiled once and kept on disk.
        using Deblurrer deblurrer = new(_device, _networks.GetOrAdd(model, ModelCatalog.Load), frame.Format, options);
        deblurrer.Process(frame);
        cancellation.ThrowIfCancellationRequested();

        (string extension, string contentType, ImageEncodingParam[] quality) = FormatOf(picture);
        Cv2.ImEncode(extension, pixels, out byte[] data, quality);
        return new(data, contentType, deblurrer.LastSigma, deblurrer.LastIsSharp);
    }

    public void Dispose() => _device.Dispose();

    private static Mat Decode(byte[] picture)
    {
        string refusal = $"This is no picture that OpenCV reads, or it has more than {MaxPixels / 1_000_000} million pixels. Send JPEG, PNG, WebP, TIFF or BMP.";
        if (picture.Length == 0) throw new InvalidDataException("There is no picture in the request. Send one as the body, or as a file of a multipart form.");
        try
        {
            Mat decoded = Cv2.ImDecode(picture, ImreadModes.Color);    // Upright, also where the file asks for a rotation.
            if (!decoded.Empty()) return decoded;
            decoded.Dispose();
        }
        catch (OpenCVException e)
        {
            throw new InvalidDataException(refusal, e);
        }
        throw new InvalidDataException(refusal);
    }

    /// <summary>How the result is encoded: as what was sent, where a browser shows that.</summary>
    private static (string Extension, string ContentType, ImageEncodingParam[] Quality) FormatOf(ReadOnlySpan<byte> picture)
    {
        const int quality = 95;
        if (picture.StartsWith((ReadOnlySpan<byte>)[0xFF, 0xD8, 0xFF])) return (".jpg", "image/jpeg", [new(ImwriteFlags.JpegQuality, quality)]);
        if (picture.StartsWith("RIFF"u8) && picture[8..].StartsWith("WEBP"u8)) return (".webp", "image/webp", [new(ImwriteFlags.WebPQuality, quality)]);
        return (".png", "image/png", []);
    }

    [LibraryImport("libc", EntryPoint = "setenv", StringMarshalling = StringMarshalling.Utf8)]
    [DefaultDllImportSearchPaths(DllImportSearchPath.SafeDirectories)]
    private static partial int SetEnvironment(string name, string value, int overwrite);
}
