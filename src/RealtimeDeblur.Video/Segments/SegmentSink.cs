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
    private FfmpegFrameSink? _file;

    public long FrameCount => _file?.FrameCount ?? 0;

    /// <summary>Of the first frame.</summary>
    public long FirstTimestamp { get; private set; }

    /// <summary>Of the last frame.</summary>
    public long LastTimestamp { get; private set; }

    public void Write(Frame frame)
    {
        try
        {
            if (_file is null)
            {
                FirstTimestamp = frame.Timestamp;
                _file = new(path, shownPath, raw, encoding);
            }
            LastTimestamp = frame.Timestamp;
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
