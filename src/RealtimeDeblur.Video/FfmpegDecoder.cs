using System.Diagnostics.CodeAnalysis;
using RealtimeDeblur.Imaging;

namespace RealtimeDeblur.Video;

/// <summary>
/// An ffmpeg process that decodes, and the frames it sends: raw, through a pipe, as NUT, each with its timestamp, into memory that is reused. All have the size of the first.
/// Read by one thread; <see cref="Stop"/> may come from another.
/// </summary>
internal sealed class FfmpegDecoder : IDisposable
{
    private readonly FfmpegProcess _process;
    private readonly NutReader _reader;
    private readonly NutFrames _frames;
    private volatile bool _stopped;

    private FfmpegDecoder(FfmpegProcess process, NutReader reader, PixelFormat pixels, ColorRange range, int guardRows)
    {
        _process = process;
        _reader = reader;
        _frames = new(reader, new(pixels, reader.Video.Width, reader.Video.Height - guardRows, range), guardRows);
    }

    /// <summary>Starts ffmpeg and waits for the headers of its stream.</summary>
    /// <param name="arguments">Input and filters, up to the layout that agrees with <paramref name="pixels"/>.</param>
    /// <param name="pixels">Layout of the frames.</param>
    /// <param name="range">Range of the frames.</param>
    /// <param name="guardRows">Rows below the picture that a filter adds and that are dropped here: with one, frames of another size hardly ever have as many bytes, not even when width and
    /// height change places. Only for layouts of one plane.</param>
    /// <param name="cause">Why ffmpeg sends no frame, when it does not.</param>
    /// <param name="cancellation">Gives up waiting.</param>
    /// <returns>Null if ffmpeg ends without a frame. The caller disposes it.</returns>
    /// <exception cref="FileNotFoundException">ffmpeg is not installed.</exception>
    /// <exception cref="OperationCanceledException">Cancelled; ffmpeg has ended.</exception>
    public static FfmpegDecoder? TryStart(IEnumerable<string> arguments, PixelFormat pixels, ColorRange range, int guardRows, out string cause, CancellationToken cancellation)
    {
        cause = "";
        FfmpegProcess process = FfmpegProcess.Start("ffmpeg", [.. arguments, "-c:v", "rawvideo", "-f", "nut", "pipe:1"], pipeOutput: true);
        using CancellationTokenRegistration killing = cancellation.Register(process.Kill);
        try
        {
            return new(process, new NutReader(process.Output), pixels, range, guardRows);
        }
        catch (Exception e) when (e is EndOfStreamException or InvalidDataException)
        {
            process.WaitForExit();
            cause = process.Cause;
            process.Dispose();
            cancellation.ThrowIfCancellationRequested();
            return null;
        }
    }

    public FrameFormat Format => _frames.Format;

    /// <summary>The stream as ffmpeg sends it, guard rows included.</summary>
    public NutVideoStream Video => _reader.Video;

    /// <inheritdoc cref="NutFrames.DeviatingBytes"/>
    public int? DeviatingBytes => _frames.DeviatingBytes;

    /// <summary>Whether <see cref="Stop"/> was called.</summary>
    public bool IsStopped => _stopped;

    /// <summary>What ffmpeg complained about; complete once <see cref="TryRead"/> returned false.</summary>
    public IReadOnlyList<string> Complaints => _process.ErrorLines;

    /// <inheritdoc cref="FfmpegProcess.Cause"/>
    public string Cause => _process.Cause;

    /// <summary>Waits for the next frame. Its timestamp counts in the stream's time base.</summary>
    /// <param name="frame">The frame; the caller owns it.</param>
    /// <returns>False at the end of the stream, before a frame of another size, and once stopped.</returns>
    /// <exception cref="InvalidDataException">The stream is damaged.</exception>
    public bool TryRead([NotNullWhen(true)] out Frame? frame)
    {
        frame = null;
        return !_stopped && _frames.TryRead(out frame);
    }

    /// <summary>Waits for ffmpeg's end.</summary>
    /// <returns>Its exit code.</returns>
    public int WaitForExit() => _process.WaitForExit();

    /// <summary>Ends ffmpeg, and with it the stream. May be called from any thread, at any time.</summary>
    public void Stop()
    {
        _stopped = true;
        _process.Kill();
    }

    public void Dispose()
    {
        _process.Dispose();
        _frames.Dispose();
    }
}
