using System.Buffers.Binary;
using System.Diagnostics.CodeAnalysis;
using RealtimeDeblur.Imaging;
using RealtimeDeblur.Pipeline;
using RealtimeDeblur.Restoration;

namespace RealtimeDeblur.Video;

/// <summary>What a restored video shows.</summary>
public enum VideoComparison
{
    /// <summary>The restored picture.</summary>
    None,

    /// <summary>The left half of the original, or of what another method makes of it, and the right half of the restored picture.</summary>
    Split,

    /// <summary>The original, or what another method makes of it, and to its right the restored picture.</summary>
    Side,
}

/// <summary>
/// Puts original and restored frames together: a source that keeps a copy of every frame on its way into a pipeline, and a sink that joins it, or what another method makes of it, with what comes out. Frames come out in the order in which they went in.
/// </summary>
internal sealed class ComparedFrames : IFrameSource, IFrameSink
{
    private const int SeamWidth = 2;

    private readonly IFrameSource _source;
    private readonly IFrameSink _sink;
    private readonly VideoComparison _comparison;
    private readonly Deblurrer? _deblurrer;
    private readonly FramePool _originals;
    private readonly FramePool _joined;
    private readonly Queue<Frame> _waiting = new();
    private readonly Lock _lock = new();

    /// <param name="source">Where the originals come from; stays the caller's.</param>
    /// <param name="sink">Where the joined frames go, of <see cref="FormatOf"/>; stays the caller's.</param>
    /// <param name="comparison">How they are joined.</param>
    /// <param name="deblurrer">Restores the originals before they are joined; null leaves them as they are. Stays the caller's, and is used on the thread that calls <see cref="Write"/>.</param>
    public ComparedFrames(IFrameSource source, IFrameSink sink, VideoComparison comparison, Deblurrer? deblurrer = null)
    {
        (_source, _sink, _comparison, _deblurrer) = (source, sink, comparison, deblurrer);
        _originals = new(source.Format);
        _joined = new(FormatOf(source.Format, comparison));
    }

    public FrameFormat Format => _source.Format;

    /// <summary>The format of joined frames. Side by side, every picture begins at an even column.</summary>
    public static FrameFormat FormatOf(FrameFormat format, VideoComparison comparison) => comparison == VideoComparison.Side ? format with { Width = checked(2 * EvenWidth(format)) } : format;

    public bool TryRead([NotNullWhen(true)] out Frame? frame)
    {
        if (!_source.TryRead(out frame)) return false;
        Frame original = _originals.Rent();
        frame.Data.CopyTo(original.Data);
        (original.Timestamp, original.CapturedAt) = (frame.Timestamp, frame.CapturedAt);
        lock (_lock) _waiting.Enqueue(original);
        return true;
    }

    public void StopReading() => _source.StopReading();

    public void Write(Frame frame)
    {
        using Frame restored = frame;
        Frame left;
        lock (_lock) left = _waiting.Dequeue();
        if (_deblurrer is not null) left = Restore(left);
        using (left)
        {
            Frame joined = _joined.Rent();
            (joined.Timestamp, joined.CapturedAt) = (restored.Timestamp, restored.CapturedAt);
            for (int plane = 0; plane < restored.Format.PlaneCount; plane++) Join(plane, left, restored, joined);
            _sink.Write(joined);
        }
    }

    public void Complete() => _sink.Complete();

    public void Dispose()
    {
        lock (_lock)
        {
            while (_waiting.TryDequeue(out Frame? frame)) frame.Dispose();
        }
        _originals.Dispose();
        _joined.Dispose();
    }

    /// <summary>What the other method makes of a frame, which it takes over.</summary>
    private Frame Restore(Frame original)
    {
        try
        {
            _deblurrer!.Submit(original);
        }
        catch
        {
            original.Dispose();     // A deblurrer that throws leaves it to its caller.
            throw;
        }
        return _deblurrer.Collect();
    }

    private static int EvenWidth(FrameFormat format) => format.Width + format.Width % 2;

    private void Join(int plane, Frame leftFrame, Frame restored, Frame joined)
    {
        PlaneLayout from = restored.Format.Plane(plane), to = joined.Format.Plane(plane);
        ReadOnlySpan<byte> left = leftFrame.PlaneData(plane), right = restored.PlaneData(plane);
        Span<byte> both = joined.PlaneData(plane);
        int sampleBytes = from.StrideBytes / from.Width;
        int seam = _comparison == VideoComparison.Side ? to.StrideBytes / 2 : SplitColumn(from, restored.Format) * sampleBytes;
        for (int y = 0; y < from.Height; y++)
        {
            ReadOnlySpan<byte> leftRow = left.Slice(y * from.StrideBytes, from.StrideBytes), rightRow = right.Slice(y * from.StrideBytes, from.StrideBytes);
            Span<byte> row = both.Slice(y * to.StrideBytes, to.StrideBytes);
            if (_comparison == VideoComparison.Split)
            {
                leftRow[..seam].CopyTo(row);
                rightRow[seam..].CopyTo(row[seam..]);
                if (plane == 0) DrawSeam(row, seam, joined.Format);
                continue;
            }
            CopyPadded(leftRow, row[..seam], sampleBytes);
            CopyPadded(rightRow, row[seam..], sampleBytes);
        }
    }

    /// <summary>The middle, at a column where a chroma sample begins.</summary>
    private static int SplitColumn(PlaneLayout plane, FrameFormat format) => format.Width / 4 * 2 * plane.Width / (plane.Width < format.Width ? EvenWidth(format) : format.Width);

    /// <summary>A white line at the seam, two samples wide.</summary>
    private static void DrawSeam(Span<byte> row, int seam, FrameFormat format)
    {
        int white = format.IsRgb || format.Range == ColorRange.Full ? format.MaxValue : 235 << (format.BitDepth - 8);
        int end = Math.Min(row.Length, seam + SeamWidth * format.BytesPerSample * format.SamplesPerPixel);
        for (int i = seam; i < end; i += format.BytesPerSample)
        {
            if (format.BytesPerSample == 1) row[i] = (byte)white;
            else BinaryPrimitives.WriteUInt16LittleEndian(row[i..], (ushort)(white * format.CodeStep));
        }
    }

    /// <summary>An odd picture gets its last column twice.</summary>
    private static void CopyPadded(ReadOnlySpan<byte> row, Span<byte> to, int sampleBytes)
    {
        row.CopyTo(to);
        if (to.Length > row.Length) row[^sampleBytes..].CopyTo(to[row.Length..]);
    }
}
