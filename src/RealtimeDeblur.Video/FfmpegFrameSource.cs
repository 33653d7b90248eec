using System.Diagnostics;
using System.Diagnostics.CodeAnalysis;
using RealtimeDeblur.Imaging;
using RealtimeDeblur.Pipeline;

namespace RealtimeDeblur.Video;

/// <summary>
/// The frames of one video stream of a file, decoded by an ffmpeg process. They keep the timestamps of the file, also where the frame rate varies, and stand upright:
/// a rotation that the file asks for is carried out. Samples are those of the file wherever <see cref="PixelFormat"/> has its layout.
/// </summary>
public sealed class FfmpegFrameSource : IFrameSource
{
    private readonly string _path;
    private readonly FfmpegProcess _decoder;
    private readonly NutReader _reader;
    private readonly FramePool _pool;
    private volatile bool _stopped;
    private bool _ended;

    /// <summary>Starts to decode.</summary>
    /// <param name="media">The file.</param>
    /// <param name="stream">Which of its streams.</param>
    /// <param name="asRgb">Whether to convert to RGB, for networks with three channels: 8 bits, or 16 for deeper video.</param>
    /// <exception cref="InvalidDataException">Not one frame can be decoded.</exception>
    public FfmpegFrameSource(MediaInfo media, MediaStream stream, bool asRgb = false)
    {
        _path = media.Path;
        string storedName = stream.PixelFormat ?? throw new InvalidDataException($"{_path}: ffmpeg cannot decode {stream.Label}.");
        PixelFormat stored = FfmpegPixelFormat.Nearest(storedName, out string? loss);
        Loss = loss;
        bool isStoredRgb = new FrameFormat(stored, stream.Width, stream.Height).IsRgb;
        ColorRange range = stream.Color.Range == "pc" || storedName.StartsWith("yuvj", StringComparison.Ordinal) ? ColorRange.Full : ColorRange.Limited;
        PixelFormat pixels = asRgb && !isStoredRgb ? (new FrameFormat(stored, stream.Width, stream.Height).BitDepth > 8 ? PixelFormat.Rgb48 : PixelFormat.Rgb24) : stored;

        List<string> arguments =
        [
            "-hide_banner", "-v", "error", "-nostdin", "-copyts", "-i", FfmpegProcess.FileArgument(_path),
            "-map", $"0:{stream.Index}", "-fps_mode", "passthrough", "-enc_time_base", "-1",
        ];
        // Without a filter that says otherwise, ffmpeg converts full to limited range whenever it converts at all.
        if (asRgb && !isStoredRgb) arguments.AddRange(["-vf", YuvConversion.ToRgb(YuvConversion.MatrixOf(stream), range)]);
        else if (!FfmpegPixelFormat.IsOurs(storedName) && !isStoredRgb) arguments.AddRange(["-vf", YuvConversion.KeepRange(range)]);
        // The yuvj names mark full range and would be converted to their plain twins.
        string rawName = pixels == stored && FfmpegPixelFormat.IsOurs(storedName) ? storedName : FfmpegPixelFormat.Name(pixels);
        arguments.AddRange(["-c:v", "rawvideo", "-pix_fmt", rawName, "-f", "nut", "pipe:1"]);

        _decoder = FfmpegProcess.Start("ffmpeg", arguments, pipeOutput: true);
        try
        {
            _reader = new NutReader(_decoder.Output);
        }
        catch (Exception e) when (e is EndOfStreamException or InvalidDataException)
        {
            _decoder.WaitForExit();
            string cause = _decoder.Cause;
            _decoder.Dispose();
            throw new InvalidDataException($"{_path}: not one frame can be decoded ({cause}).", e);
        }
        Format = new(pixels, _reader.Video.Width, _reader.Video.Height, range);
        _pool = new FramePool(Format);
    }

    public FrameFormat Format { get; }

    /// <summary>Size, time base, pixel shape and layout, as the decoder delivers them: a rotated video is turned.</summary>
    public NutVideoStream RawVideo => _reader.Video;

    /// <summary>What of the file's samples <see cref="Format"/> cannot hold, e.g. "its transparency"; null if nothing.</summary>
    public string? Loss { get; }

    /// <summary>Timestamp of the last frame that was read.</summary>
    public long LastTimestamp { get; private set; }

    /// <summary>What the decoder complained about; complete once <see cref="TryRead"/> returned false.</summary>
    public IReadOnlyList<string> Complaints => _decoder.ErrorLines;

    public bool TryRead([NotNullWhen(true)] out Frame? frame)
    {
        frame = null;
        if (_ended) return false;
        try
        {
            if (!_stopped && _reader.TryReadFrameHeader(out long pts, out int sizeBytes))
            {
                if (sizeBytes != Format.SizeBytes) throw new InvalidDataException($"{_path}: a frame has {sizeBytes} bytes instead of {Format.SizeBytes}. Convert the file to one picture size first.");
                frame = _pool.Rent();
                _reader.ReadFrameData(frame.Data);
                frame.Timestamp = LastTimestamp = pts;
                frame.CapturedAt = Stopwatch.GetTimestamp();
                return true;
            }
        }
        catch (Exception e) when (e is EndOfStreamException or ObjectDisposedException)
        {
            // The decoder died, or was stopped, in the middle of a frame.
            frame?.Dispose();
            frame = null;
        }
        catch
        {
            frame?.Dispose();
            throw;
        }
        _ended = true;
        if (_stopped) return false;
        if (_decoder.WaitForExit() != 0) throw new IOException($"{_path}: ffmpeg stopped decoding ({_decoder.Cause}).");
        return false;
    }

    /// <inheritdoc/>
    public void StopReading()
    {
        _stopped = true;
        _decoder.Kill();
    }

    public void Dispose()
    {
        _decoder.Dispose();
        _pool.Dispose();
    }
}
