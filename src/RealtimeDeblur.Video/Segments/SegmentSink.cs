using RealtimeDeblur.Imaging;
using RealtimeDeblur.Pipeline;

namespace RealtimeDeblur.Video.Segments;

/// <summary>
/// Encodes the frames of one segment into a file of its own. <see cref="Complete"/> does not wait for the encoder, so that the next segment can begin meanwhile: <see cref="Finish"/> does, on any thread.
/// </summary>
/// <param name="path">File to write; made with the first frame.</param>
/// <param name="shownPath">What messages call it.</param>
/// <param name="raw">Format of the frames.</param>
/// <param name="encoding">How they are encoded.</param>
internal sealed class SegmentSink(string path, string shownPath, NutVideoStream raw, VideoEncoding encoding) : IFrameSink
{
    /// <summary>Longer than encoders begin to decode before they show.</summary>
    private const int LeadSeconds = 10;

    private readonly long _lead = LeadOf(raw.TimeBase);
    private FfmpegFrameSink? _file;

    public long FrameCount => _file?.FrameCount ?? 0;

    /// <summary>Of the first frame.</summary>
    public long FirstTimestamp { get; private set; }

    /// <summary>Of the last frame.</summary>
    public long LastTimestamp { get; private set; }

    /// <summary>
    /// By how much timestamps in segments' files are later than those of the frames: encoders that reorder frames begin before the first is shown, at times that NUT cannot write below zero. Whole seconds, so that
    /// it can be taken off again exactly, in any unit.
    /// </summary>
    /// <param name="timeBase">What timestamps count in, in lowest terms.</param>
    public static long LeadOf(Rational timeBase) => (long)timeBase.Denominator * ((LeadSeconds + timeBase.Numerator - 1) / timeBase.Numerator);

    public void Write(Frame frame)
    {
        try
        {
            if (_file is null)
            {
                FirstTimestamp = frame.Timestamp;
                _file = new(path, shownPath, raw, encoding, isSegment: true);
            }
            LastTimestamp = frame.Timestamp;
            frame.Timestamp += _lead;
        }
        catch
        {
            frame.Dispose();
            throw;
        }
        _file.Write(frame);
    }

    public void Complete()
    {
    }

    /// <summary>Waits until the file is complete.</summary>
    /// <exception cref="IOException">It could not be.</exception>
    public void Finish() => _file?.Complete();

    public void Dispose() => _file?.Dispose();
}
