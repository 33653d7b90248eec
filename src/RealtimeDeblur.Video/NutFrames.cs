using System.Diagnostics;
using System.Diagnostics.CodeAnalysis;
using RealtimeDeblur.Imaging;

namespace RealtimeDeblur.Video;

/// <summary>Turns what a NUT stream carries into frames, in memory that is reused. All have one size. Read by one thread.</summary>
internal sealed class NutFrames : IDisposable
{
    private readonly NutReader _reader;
    private readonly FramePool _pool;
    private readonly int _sentBytes;
    private bool _ended;

    /// <param name="reader">Has read the headers.</param>
    /// <param name="format">Of the frames.</param>
    /// <param name="guardRows">Rows below the picture that are sent too and dropped here. Only for layouts of one plane.</param>
    public NutFrames(NutReader reader, FrameFormat format, int guardRows = 0)
    {
        _reader = reader;
        Format = format;
        _pool = new FramePool(format);
        _sentBytes = format.SizeBytes + guardRows * format.Plane(0).StrideBytes;
    }

    public FrameFormat Format { get; }

    /// <summary>Bytes of the frame of another size that ended the stream; null if none did.</summary>
    public int? DeviatingBytes { get; private set; }

    /// <summary>Whether the stream broke off within a frame or a header.</summary>
    public bool IsCutOff { get; private set; }

    /// <summary>Waits for the next frame. Its timestamp counts in the stream's time base.</summary>
    /// <param name="frame">The frame; the caller owns it.</param>
    /// <returns>False at the end of the stream, and before a frame of another size.</returns>
    /// <exception cref="InvalidDataException">The stream is damaged.</exception>
    public bool TryRead([NotNullWhen(true)] out Frame? frame)
    {
        frame = null;
        if (_ended) return false;
        try
        {
            if (_reader.TryReadFrameHeader(out long pts, out int sizeBytes))
            {
                if (sizeBytes == _sentBytes)
                {
                    frame = _pool.Rent();
                    _reader.ReadFrameData(frame.Data);
                    frame.Timestamp = pts;
                    frame.CapturedAt = Stopwatch.GetTimestamp();
                    return true;
                }
                DeviatingBytes = sizeBytes;
            }
        }
        catch (Exception e) when (e is EndOfStreamException or ObjectDisposedException)
        {
            // The program that sends died, or was stopped, in the middle of a frame.
            IsCutOff = true;
            frame?.Dispose();
            frame = null;
        }
        catch
        {
            frame?.Dispose();
            throw;
        }
        _ended = true;
        return false;
    }

    public void Dispose() => _pool.Dispose();
}
