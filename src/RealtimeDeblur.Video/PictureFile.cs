using System.Globalization;
using OpenCvSharp;
using RealtimeDeblur.Imaging;

namespace RealtimeDeblur.Video;

/// <summary>
/// A picture file in memory: its colours as a <see cref="Imaging.Frame"/> to be restored, and what has to be put back on saving (transparency, grey, 16 bits).
/// Stands upright: a rotation that the file asks for is carried out. The owner disposes it and with it the frame.
/// </summary>
public sealed class PictureFile : IDisposable
{
    /// <summary>Endings of the formats that are read and written. Formats of several pictures or with floating-point samples are not among them.</summary>
    public static IReadOnlyList<string> Extensions { get; } = [".png", ".jpg", ".jpeg", ".jpe", ".webp", ".bmp", ".dib", ".tif", ".tiff", ".jp2", ".ppm", ".pgm", ".pnm"];

    private const int JpegQuality = 95;
    private const int WebPQuality = 95;

    /// <summary>OpenCV's number for its JPEG option and for full chroma; the binding has no names for them.</summary>
    private const int JpegSamplingFactor = 7;
    private const int JpegSampling444 = 0x111111;

    private readonly Mat? _alpha;
    private readonly bool _isGrey;
    private readonly bool _is16Bit;

    private PictureFile(Frame frame, Mat? alpha, bool isGrey, bool is16Bit)
    {
        Frame = frame;
        _alpha = alpha;
        _isGrey = isGrey;
        _is16Bit = is16Bit;
    }

    /// <summary>The colours: Gray8, Bgr24, or Rgb48 for everything with 16 bits.</summary>
    public Frame Frame { get; }

    /// <summary>Reads a picture.</summary>
    /// <param name="path">File.</param>
    /// <param name="asRgb">Whether grey pictures are to be delivered as RGB too, for networks with three channels.</param>
    /// <exception cref="FileNotFoundException">There is no such file.</exception>
    /// <exception cref="InvalidDataException">It is no picture, damaged, or of a kind that is not supported.</exception>
    public static PictureFile Load(string path, bool asRgb = false)
    {
        Cv2.SetLogLevel(LogLevel.SILENT);
        using Mat stored = Decode(path);
        if (stored.Depth() is not (MatType.CV_8U or MatType.CV_16U))
            throw new InvalidDataException($"{path} has samples that are neither 8 nor 16 bit whole numbers. Convert it to PNG first.");
        bool is16Bit = stored.Depth() == MatType.CV_16U;
        bool isGrey = stored.Channels() is 1 or 2;
        Mat? alpha = stored.Channels() is 2 or 4 ? stored.ExtractChannel(stored.Channels() - 1) : null;
        using Mat color = new();
        // OpenCV's own order is BGR; 16-bit frames are RGB.
        switch (stored.Channels(), is16Bit)
        {
            case (1, false) when !asRgb: stored.CopyTo(color); break;
            case (1, _): Cv2.CvtColor(stored, color, ColorConversionCodes.GRAY2RGB); break;
            case (3, false): stored.CopyTo(color); break;
            case (3, true): Cv2.CvtColor(stored, color, ColorConversionCodes.BGR2RGB); break;
            case (4, false): Cv2.CvtColor(stored, color, ColorConversionCodes.BGRA2BGR); break;
            case (4, true): Cv2.CvtColor(stored, color, ColorConversionCodes.BGRA2RGB); break;
            default: throw new InvalidDataException($"{path} has {stored.Channels()} channels; 1, 3 and 4 are possible. Convert it to PNG first.");
        }
        PixelFormat pixels = is16Bit ? PixelFormat.Rgb48 : color.Channels() == 1 ? PixelFormat.Gray8 : PixelFormat.Bgr24;
        var frame = new Frame(new FrameFormat(pixels, color.Width, color.Height, ColorRange.Full));
        AsBytes(color).CopyTo(frame.Data);
        return new(frame, alpha, isGrey, is16Bit);
    }

    /// <summary>Takes a frame of a video: the one that is shown at a time. Of 10-bit video it has 16 bits.</summary>
    /// <param name="path">Video file.</param>
    /// <param name="at">Counted from the beginning of the file.</param>
    /// <exception cref="FileNotFoundException">There is no such file.</exception>
    /// <exception cref="InvalidDataException">It is no video, or has no frame there.</exception>
    public static PictureFile LoadFrame(string path, TimeSpan at)
    {
        MediaInfo media = VideoProbe.ProbeVideo(path);
        double wanted = (media.StartSeconds ?? 0) + at.TotalSeconds;
        const double tolerance = 0.0005;      // of times that were rounded to milliseconds
        // As with a resumed video: where there is no frame soon before, decoding has to begin at the beginning.
        const double margin = 2;
        using Frame shown = LastFrameUntil(wanted - margin) ?? LastFrameUntil(null)
            ?? throw new InvalidDataException(string.Create(CultureInfo.InvariantCulture, $"{path} has no frame at {at.TotalSeconds:0.0} s{(media.DurationSeconds is { } length ? $"; it is {length:0.0} s long" : "")}."));
        bool is16Bit = shown.Format.BitDepth > 8;
        var frame = new Frame(shown.Format with { Pixels = is16Bit ? PixelFormat.Rgb48 : PixelFormat.Bgr24, Range = ColorRange.Full });
        // R, G, B and perhaps transparency, as FFmpeg gives them; OpenCV's own order for 8 bits is the other one.
        int sampleBytes = shown.Format.BytesPerSample, from = 0;
        for (int to = 0; to < frame.Data.Length; to += 3 * sampleBytes, from += shown.Format.SamplesPerPixel * sampleBytes)
        {
            Span<byte> pixel = frame.Data.Slice(to, 3 * sampleBytes);
            shown.Data.Slice(from, pixel.Length).CopyTo(pixel);
            if (!is16Bit) pixel.Reverse();
        }
        return new(frame, alpha: null, isGrey: false, is16Bit);

        Frame? LastFrameUntil(double? fromSeconds)
        {
            Frame? last = null;
            FfmpegFrameSource source;
            try
            {
                source = new(media, media.MainVideo!, asRgb: true, fromSeconds: fromSeconds);
            }
            catch (InvalidDataException) when (fromSeconds is not null)
            {
                return null;
            }
            using (source)
            {
                while (source.TryRead(out Frame? next))
                {
                    if (next.Timestamp * source.RawVideo.TimeBase.Value > wanted + tolerance)
                    {
                        next.Dispose();
                        return last;
                    }
                    last?.Dispose();
                    last = next;
                }
            }
            // The last frame is shown until the end of the file, and not after it.
            if (media.DurationSeconds is not { } seconds || at.TotalSeconds <= seconds + tolerance) return last;
            last?.Dispose();
            return null;
        }
    }

    /// <summary>What a format cannot hold of this picture, for the user; null if it holds everything.</summary>
    /// <param name="extension">Ending of a file name, with its dot.</param>
    public string? LossIn(string extension)
    {
        List<string> losses = [];
        if (_alpha is not null && !HoldsAlpha(extension)) losses.Add("its transparency");
        if (_is16Bit && !Holds16Bit(extension)) losses.Add("8 of its 16 bits");
        return losses.Count > 0 ? string.Join(" and ", losses) : null;
    }

    /// <summary>Encodes the picture with the frame's present contents, in the format that the ending of <paramref name="path"/> names, and writes it. Lossy formats get quality 95.</summary>
    /// <exception cref="IOException">The file cannot be written.</exception>
    public void Save(string path)
    {
        string extension = Path.GetExtension(path).ToLowerInvariant();
        using Mat color = new(Frame.Format.Height, Frame.Format.Width, Frame.Format.Pixels switch
        {
            PixelFormat.Gray8 => MatType.CV_8UC1,
            PixelFormat.Bgr24 => MatType.CV_8UC3,
            _ => MatType.CV_16UC3,
        });
        Frame.Data.CopyTo(AsBytes(color));
        using Mat picture = new();
        if (_isGrey && color.Channels() == 3) Cv2.ExtractChannel(color, picture, 1);    // All three are equal, or nearly so after an RGB network.
        else if (_is16Bit) Cv2.CvtColor(color, picture, ColorConversionCodes.RGB2BGR);
        else color.CopyTo(picture);
        if (_is16Bit && !Holds16Bit(extension)) picture.ConvertTo(picture, MatType.CV_8U, 255.0 / 65535);
        if (_alpha is not null && HoldsAlpha(extension))
        {
            using Mat alpha = new();
            _alpha.ConvertTo(alpha, picture.Depth(), picture.Depth() == _alpha.Depth() ? 1 : 255.0 / 65535);
            Mat[] planes = [.. picture.Split(), alpha];
            Cv2.Merge(planes, picture);
            foreach (Mat plane in planes) plane.Dispose();
        }

        int[] parameters = extension switch
        {
            ".jpg" or ".jpeg" or ".jpe" => [(int)ImwriteFlags.JpegQuality, JpegQuality, JpegSamplingFactor, JpegSampling444],
            ".webp" => [(int)ImwriteFlags.WebPQuality, WebPQuality],
            _ => [],
        };
        if (!Cv2.ImEncode(extension, picture, out byte[] file, parameters)) throw new IOException($"{path}: OpenCV cannot write {extension} with these samples. Choose .png.");
        File.WriteAllBytes(path, file);
    }

    public void Dispose()
    {
        Frame.Dispose();
        _alpha?.Dispose();
    }

    private static Mat Decode(string path)
    {
        if (Directory.Exists(path)) throw new InvalidDataException($"{path} is a folder, not a file.");
        if (!File.Exists(path)) throw new FileNotFoundException($"{path} does not exist. Check the spelling.");
        byte[] file = File.ReadAllBytes(path);
        if (file.Length == 0) throw new InvalidDataException($"{path} is empty. Copy or save it again.");
        Mat stored = Cv2.ImDecode(file, ImreadModes.Unchanged);
        if (stored.Empty())
        {
            stored.Dispose();
            throw new InvalidDataException($"{path} is no picture that OpenCV can read, or is damaged. Convert it to PNG or JPEG, or copy it again.");
        }
        if (stored.Channels() is not (1 or 3)) return stored;
        // Only this mode obeys the rotation in EXIF, and only the other one keeps transparency.
        stored.Dispose();
        return Cv2.ImDecode(file, ImreadModes.AnyColor | ImreadModes.AnyDepth);
    }

    private static bool HoldsAlpha(string extension) => extension.ToLowerInvariant() is ".png" or ".webp" or ".tif" or ".tiff";

    private static bool Holds16Bit(string extension) => extension.ToLowerInvariant() is ".png" or ".tif" or ".tiff" or ".jp2" or ".ppm" or ".pgm" or ".pnm";

    private static unsafe Span<byte> AsBytes(Mat mat) => mat.IsContinuous() ? new((void*)mat.Data, checked((int)(mat.Total() * mat.ElemSize()))) : throw new InvalidOperationException("The picture's rows do not follow each other.");
}
