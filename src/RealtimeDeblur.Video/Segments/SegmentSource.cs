using System.Diagnostics.CodeAnalysis;
using RealtimeDeblur.Imaging;
using RealtimeDeblur.Pipeline;

namespace RealtimeDeblur.Video.Segments;

/// <summary>
/// The frames of a video, one segment after another: <see cref="TryRead"/> ends at the end of each, and <see cref="NextSegment"/> opens the next. One thread at a time.
/// </summary>
internal sealed class SegmentSource : IFrameSource
{
    /// <summary>What times that were rounded, in seconds, may differ by and still be the same.</summary>
    private const double Nearly = 0.0005;

    private readonly IVideoSource _video;
    private readonly SegmentGrid _grid;
    private readonly double _endSeconds;
    private Frame? _next;

    /// <param name="video">Taken over.</param>
    /// <param name="grid">How it is divided.</param>
    /// <param name="segment">The first one wanted; frames before it are passed over.</param>
    /// <param name="after">Frames up to this timestamp are passed over.</param>
    /// <param name="startSeconds">Frames before, on the file's clock, are passed over too.</param>
    /// <param name="endSeconds">Frames from here on are not wanted; infinity for all.</param>
    public SegmentSource(IVideoSource video, SegmentGrid grid, int segment, long after, double startSeconds, double endSeconds)
    {
        _video = video;
        _grid = grid;
        _endSeconds = endSeconds;
        Segment = segment;
        while (Peek() is { } frame && (SegmentOf(frame) < segment || frame.Timestamp <= after || SecondsOf(frame) < startSeconds - Nearly))
        {
            LastPassed = frame.Timestamp;
            Drop();
        }
    }

    /// <summary>A video in one piece.</summary>
    public SegmentSource(IVideoSource video, double startSeconds, double endSeconds) : this(video, new(0, long.MaxValue), 0, long.MinValue, startSeconds, endSeconds)
    {
    }

    public FrameFormat Format => _video.Format;

    /// <summary>The segment whose frames come.</summary>
    public int Segment { get; private set; }

    /// <summary>Timestamp of the last frame that was passed over; null if none was.</summary>
    public long? LastPassed { get; }

    /// <summary>Whether there are no more frames, in no segment.</summary>
    public bool IsAtEnd => Peek() is null;

    /// <summary>Goes on to the next segment, which may have no frames.</summary>
    public void NextSegment() => Segment++;

    public bool TryRead([NotNullWhen(true)] out Frame? frame)
    {
        frame = Peek();
        if (frame is null || SegmentOf(frame) > Segment)
        {
            frame = null;
            return false;
        }
        _next = null;
        return true;
    }

    public void StopReading() => _video.StopReading();

    public void Dispose()
    {
        Drop();
        _video.Dispose();
    }

    /// <summary>Times that go backwards, in damaged files, do not lead back to a segment that is finished.</summary>
    private int SegmentOf(Frame frame) => _grid.SegmentOf(frame.Timestamp, _video.RawVideo.TimeBase);

    private double SecondsOf(Frame frame) => frame.Timestamp * _video.RawVideo.TimeBase.Value;

    private Frame? Peek()
    {
        if (_next is null && _video.TryRead(out Frame? frame)) _next = frame;
        return _next is not null && SecondsOf(_next) >= _endSeconds - Nearly ? null : _next;
    }

    private void Drop()
    {
        _next?.Dispose();
        _next = null;
    }
}
