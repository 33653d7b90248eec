using System.Diagnostics.CodeAnalysis;
using System.Globalization;
using RealtimeDeblur.Imaging;

namespace RealtimeDeblur.Video;

/// <summary>
/// The frames of one video stream of a file, decoded by an ffmpeg process. They keep the timestamps of the file, also where the frame rate varies, and stand upright:
/// a rotation that the file asks for is carried out. Samples are those of the file wherever <see cref="PixelFormat"/> has its layout.
/// </summary>
public sealed class FfmpegFrameSource : IVideoSource
{
    private readonly string _path;
    private readonly MediaStream _stream;
    private readonly FfmpegDecoder _decoder;
    private long _lastTimestamp;

    /// <summary>Starts to decode.</summary>
    /// <param name="media">The file.</param>
    /// <param name="stream">Which of its streams.</param>
    /// <param name="asRgb">Whether to convert to RGB, for networks with three channels: 8 bits, or 16 for deeper video; with transparency where there is some.</param>
    /// <param name="deinterlace">Whether to make one picture of the two fields of every frame (Martin Weston's three-field deinterlacer, FFmpeg's bwdif). Frames stay as many, at their times.</param>
    /// <param name="keepsRotation">Whether frames lie as they are stored, where players turn them.</param>
    /// <param name="fromSeconds">Frames before this time, on the file's clock, are not wanted; null for all. What comes first is near it where the file can be searched: look at its timestamp.</param>
    /// <exception cref="InvalidDataException">Not one frame can be decoded.</exception>
    public FfmpegFrameSource(MediaInfo media, MediaStream stream, bool asRgb = false, bool deinterlace = false, bool keepsRotation = false, double? fromSeconds = null)
    {
        _path = media.Path;
        _stream = stream;
        FrameFormat format = FormatOf(media, stream, asRgb, keepsRotation, out PixelFormat stored, out string? loss);
        Loss = loss;
        string storedName = stream.PixelFormat!;
        bool isStoredRgb = SampleTraits.Of(stored).IsRgb;

        List<string> arguments = ["-hide_banner", "-v", "error", "-nostdin", "-copyts"];
        if (keepsRotation) arguments.Add("-noautorotate");
        if (stream.Decoder is { } decoder) arguments.AddRange([$"-c:{stream.Index}", decoder]);
        // ffmpeg counts from the beginning of the file, whatever its clock says there.
        if (fromSeconds - (media.StartSeconds ?? 0) is > 0 and { } seek) arguments.AddRange(["-ss", seek.ToString("0.000000", CultureInfo.InvariantCulture)]);
        arguments.AddRange(["-i", FfmpegProcess.FileArgument(_path), "-map", $"0:{stream.Index}", "-fps_mode", "passthrough", "-enc_time_base", "-1"]);
        List<string> filters = [];
        string parity = stream.FieldOrder switch { FieldOrder.TopFirst => "tff", FieldOrder.BottomFirst => "bff", _ => "auto" };
        if (deinterlace) filters.Add($"bwdif=mode=send_frame:parity={parity}:deint=all");
        // Without a filter that says otherwise, ffmpeg converts full to limited range whenever it converts at all.
        if (asRgb && !isStoredRgb) filters.Add(YuvConversion.ToRgb(YuvConversion.MatrixOf(stream), format.Range));
        else if (!FfmpegPixelFormat.IsOurs(storedName) && !isStoredRgb) filters.Add(YuvConversion.KeepRange(format.Range));
        if (filters.Count > 0) arguments.AddRange(["-vf", string.Join(',', filters)]);
        // The yuvj names mark full range and would be converted to their plain twins.
        string rawName = format.Pixels == stored && FfmpegPixelFormat.IsOurs(storedName) ? storedName : FfmpegPixelFormat.Name(format.Pixels);
        arguments.AddRange(["-pix_fmt", rawName]);

        _decoder = FfmpegDecoder.TryStart(arguments, format.Pixels, format.Range, guardRows: 0, out string cause, CancellationToken.None)
            ?? throw new InvalidDataException($"{_path}: not one frame can be decoded ({cause}).");
    }

    /// <summary>The format in which frames of a stream come, as far as the file tells the truth about itself.</summary>
    /// <param name="media"/><param name="stream"/><param name="asRgb"/><param name="keepsRotation"/>
    /// <param name="loss">What of the file's samples it cannot hold; null if nothing.</param>
    /// <exception cref="InvalidDataException">The stream cannot be decoded.</exception>
    internal static FrameFormat FormatOf(MediaInfo media, MediaStream stream, bool asRgb, bool keepsRotation, out string? loss) => FormatOf(media, stream, asRgb, keepsRotation, out _, out loss);

    private static FrameFormat FormatOf(MediaInfo media, MediaStream stream, bool asRgb, bool keepsRotation, out PixelFormat stored, out string? loss)
    {
        stored = FfmpegPixelFormat.Nearest(stream.PixelFormat ?? throw new InvalidDataException($"{media.Path}: {stream.Label} holds not one frame that ffmpeg can decode."), out loss);
        (int width, int height) = !keepsRotation && Math.Abs(Math.Round(stream.RotationDegrees / 90)) % 2 == 1 ? (stream.Height, stream.Width) : (stream.Width, stream.Height);
        var format = new FrameFormat(stored, width, height, YuvConversion.RangeOf(stream));
        return asRgb && !format.IsRgb ? format with { Pixels = RgbFor(SampleTraits.Of(stored)) } : format;
    }

    public FrameFormat Format => _decoder.Format;

    /// <summary>Size, time base, pixel shape and layout, as the decoder delivers them: a rotated video is turned.</summary>
    public NutVideoStream RawVideo => _decoder.Video with { FrameRate = _stream.FrameRate };

    /// <summary>What of the file's samples <see cref="Format"/> cannot hold, e.g. "2 of its 12 bits"; null if nothing.</summary>
    public string? Loss { get; }

    /// <summary>What the decoder complained about; complete once <see cref="TryRead"/> returned false.</summary>
    public IReadOnlyList<string> Complaints => _decoder.Complaints;

    /// <remarks>Containers that announce their length, or their last block's, show when they are cut off; ffmpeg goes on with what is there and only mentions it.</remarks>
    /// <inheritdoc/>
    public string? EarlyEnd
    {
        get
        {
            if (Complaints.Any(line => line.Contains("partial file", StringComparison.Ordinal) || line.Contains("File ended prematurely", StringComparison.Ordinal))) return "the file is cut off";
            const double toleranceSeconds = 1;
            double end = _lastTimestamp * RawVideo.TimeBase.Value - (_stream.StartSeconds ?? 0);
            return _stream.DurationSeconds is { } announced && end < announced * 0.98 - toleranceSeconds ? string.Create(CultureInfo.InvariantCulture, $"{end:0.0} of {announced:0.0} s") : null;
        }
    }

    public bool TryRead([NotNullWhen(true)] out Frame? frame)
    {
        if (_decoder.TryRead(out frame))
        {
            _lastTimestamp = frame.Timestamp;
            return true;
        }
        if (_decoder.IsStopped) return false;
        if (_decoder.DeviatingBytes is { } sizeBytes) throw new InvalidDataException($"{_path}: a frame has {sizeBytes} bytes instead of {Format.SizeBytes}. Convert the file to one picture size first.");
        if (_decoder.WaitForExit() != 0) throw new IOException($"{_path}: ffmpeg stopped decoding ({_decoder.Cause}).");
        return false;
    }

    /// <inheritdoc/>
    public void StopReading() => _decoder.Stop();

    public void Dispose() => _decoder.Dispose();

    private static PixelFormat RgbFor(SampleTraits stored) => (stored.Depth > 8, stored.HasAlpha) switch
    {
        (false, false) => PixelFormat.Rgb24,
        (false, true) => PixelFormat.Rgba32,
        (true, false) => PixelFormat.Rgb48,
        (true, true) => PixelFormat.Rgba64,
    };
}
