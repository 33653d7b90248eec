using RealtimeDeblur.Imaging;

namespace RealtimeDeblur.Video.Segments;

/// <summary>
/// How the time of a video is divided into segments that are restored and encoded by themselves: all of one length, the first from the beginning of the video on, the last one open.
/// A frame belongs to the segment in whose time it is shown. Everybody who works on a file finds the same grid.
/// </summary>
/// <param name="OriginMicroseconds">When segment 0 begins, on the file's own clock. Frames before it belong to segment 0 too.</param>
/// <param name="LengthMicroseconds">Above 0.</param>
internal readonly record struct SegmentGrid(long OriginMicroseconds, long LengthMicroseconds)
{
    /// <summary>A segment should be a few seconds of work, which is what a killed run loses, but not so short that its encoder cannot use what frames have in common.</summary>
    private const double PixelsPerSegment = 200e6, ShortestSeconds = 1, LongestSeconds = 10;

    /// <summary>What a video whose rate nobody knows is taken to have.</summary>
    private const double UsualRate = 30;

    private const double Million = 1e6;

    /// <summary>A work share of one of several machines should be long against the start of a program and the seek to its place.</summary>
    private const double BlockSeconds = 60;

    /// <summary>Segments that follow each other and are restored by one machine, when several share a file.</summary>
    public int SegmentsPerBlock => (int)Math.Max(1, Math.Ceiling(BlockSeconds * Million / LengthMicroseconds));

    /// <summary>The grid for a video.</summary>
    /// <param name="video">Its stream.</param>
    /// <param name="originSeconds">When segment 0 begins.</param>
    public static SegmentGrid For(MediaStream video, double originSeconds)
    {
        double pixelsPerSecond = (double)video.Width * video.Height * (video.FrameRate.IsKnown ? Math.Clamp(video.FrameRate.Value, 1, 1000) : UsualRate);
        double seconds = Math.Clamp(PixelsPerSegment / pixelsPerSecond, ShortestSeconds, LongestSeconds);
        return new((long)Math.Round(originSeconds * Million), (long)Math.Round(seconds * 10) * 100_000);
    }

    /// <summary>When a segment begins, in seconds on the file's clock.</summary>
    public double StartSeconds(int segment) => (OriginMicroseconds + segment * LengthMicroseconds) / Million;

    /// <summary>The segment that a frame belongs to.</summary>
    /// <param name="timestamp">Its <see cref="Frame.Timestamp"/>.</param>
    /// <param name="timeBase">What that counts in.</param>
    public int SegmentOf(long timestamp, Rational timeBase)
    {
        Int128 ticks = (Int128)timestamp * timeBase.Numerator * 1_000_000 - (Int128)OriginMicroseconds * timeBase.Denominator;
        return ticks <= 0 ? 0 : (int)(ticks / ((Int128)LengthMicroseconds * timeBase.Denominator));
    }

    /// <summary>In how many blocks several machines share a video.</summary>
    /// <param name="endSeconds">When the video ends on the file's clock; null if nobody knows, and then it is not shared.</param>
    public int BlockCount(double? endSeconds) => endSeconds is not { } end ? 1
        : (int)Math.Max(1, Math.Ceiling((end * Million - OriginMicroseconds) / ((double)LengthMicroseconds * SegmentsPerBlock)));
}
