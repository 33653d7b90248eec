using System.Diagnostics;
using System.Runtime.ExceptionServices;
using RealtimeDeblur.Compute;
using RealtimeDeblur.Imaging;
using RealtimeDeblur.Networks;
using RealtimeDeblur.Pipeline;
using RealtimeDeblur.Restoration;

namespace RealtimeDeblur.Video.Segments;

/// <summary>What is restored and how, as far as single frames are concerned.</summary>
/// <param name="Media">The file.</param>
/// <param name="Video">Its stream that is restored.</param>
/// <param name="Format">Of its frames.</param>
/// <param name="KeepsRotation">Whether they lie as they are stored.</param>
/// <param name="Options">How they are restored.</param>
/// <param name="Encoding">How they are encoded.</param>
/// <param name="Grid">How they are divided into segments.</param>
/// <param name="StartSeconds">Frames before this time, on the file's clock, are not wanted.</param>
/// <param name="EndSeconds">Nor are frames from here on; infinity for all.</param>
internal sealed record SegmentedVideo(MediaInfo Media, MediaStream Video, FrameFormat Format, bool KeepsRotation, VideoRestorationOptions Options, VideoEncoding Encoding, SegmentGrid Grid, double StartSeconds, double EndSeconds);

/// <summary>
/// Restores a video segment by segment into a <see cref="WorkFolder"/>, leaving out those that are there. Every segment is encoded by itself, and what is known of the blur is written down at its end:
/// whoever goes on behind it makes the same pictures as a run that was never interrupted.
/// </summary>
/// <param name="video">What and how.</param>
/// <param name="method">With it.</param>
/// <param name="device">On it.</param>
/// <param name="work">Where to.</param>
/// <param name="shownPath">What messages call the result.</param>
/// <param name="progress">Told of every frame; first, with no time elapsed, how many were there before.</param>
internal sealed class SegmentedRestoration(SegmentedVideo video, RestorationMethod method, ComputeDevice device, WorkFolder work, string shownPath, IProgress<PipelineProgress> progress) : IDisposable
{
    /// <summary>
    /// How far before the frames that are wanted decoding begins, in seconds: the first keyframe there should be one whose followers are all decodable. Where that does not reach back to a frame that is
    /// known to come before, the next one is tried; infinity decodes from the beginning.
    /// </summary>
    private static readonly double[] SeekMargins = [2, 15, double.PositiveInfinity];

    private readonly IProgress<PipelineProgress> _progress = progress;
    private readonly long _startedAt = Stopwatch.GetTimestamp();
    private Deblurrer? _deblurrer;
    private Deblurrer? _compared;
    private SegmentSource? _source;
    private FfmpegFrameSource? _file;
    private Task? _finishing;
    private SegmentSink? _open;
    private long _framesBefore;
    private long _lastTimestamp;

    /// <summary>Figures of the frames that were restored.</summary>
    public PipelineReport Report { get; } = new();

    /// <summary>What the decoder complained about.</summary>
    public string? Complaint { get; private set; }

    /// <summary>The segment that a cancellation broke off, complete as far as it goes; null without one that has frames.</summary>
    public (string Path, long FirstTimestamp, long LastTimestamp, Rational TimeBase)? BrokenOff { get; private set; }

    private string Extension => video.Encoding.SegmentExtension;

    /// <summary>Restores the segments of a block that are not there. Blocks until they are written.</summary>
    /// <param name="first">First segment of the block.</param>
    /// <param name="end">First segment behind it; null if the block is open.</param>
    /// <param name="cancellation">Ends it early.</param>
    /// <exception cref="IOException">Reading or writing failed.</exception>
    /// <exception cref="OpenClException">The device failed.</exception>
    /// <exception cref="OperationCanceledException">Cancelled; the segments so far are finished.</exception>
    public void RestoreBlock(int first, int? end, CancellationToken cancellation)
    {
        SegmentRecord? last = null;
        int segment = first;
        while (segment != end)
        {
            if (work.Find(segment, Extension) is { } record)
            {
                last = record;
                _framesBefore += record.Frames;
                if (record.IsLast) break;
                segment++;
                continue;
            }
            _progress.Report(new(_framesBefore, last?.LastTimestamp ?? 0, TimeSpan.Zero));
            int? gapEnd = work.NextFinished(segment, end, Extension) ?? end;
            if (RestoreGap(segment, gapEnd, last, cancellation)) return;
            segment = gapEnd!.Value;
        }
        _progress.Report(new(_framesBefore, last?.LastTimestamp ?? 0, TimeSpan.Zero));
    }

    /// <summary>Restores segments that follow each other.</summary>
    /// <param name="segment">The first.</param>
    /// <param name="end">The first behind them; null if they go on to the end.</param>
    /// <param name="before">The one before them; null at the beginning of a block.</param>
    /// <param name="cancellation">Ends it early.</param>
    /// <returns>Whether the video ended in them.</returns>
    private bool RestoreGap(int segment, int? end, SegmentRecord? before, CancellationToken cancellation)
    {
        try
        {
            Open(segment, before, cancellation);
            _deblurrer ??= new(device, method, _source!.Format, video.Options.Deblur);
            _deblurrer.BlurMemory = before?.BlurMemory;
            if (video.Options.ComparedMethod is { } other)
            {
                _compared ??= new(device, other, _source!.Format, video.Options.Deblur);
                _compared.BlurMemory = before?.ComparedBlurMemory;
            }
            _lastTimestamp = before?.LastTimestamp ?? 0;
            while (true)
            {
                Restore(segment, cancellation);
                bool isLast = _source!.IsAtEnd;
                Commit(segment, isLast);
                if (isLast || ++segment == end) break;
                _source.NextSegment();
            }
            _finishing?.Wait(cancellation);
            if (_source.IsAtEnd && _file!.Complaints is [string complaint, ..]) Complaint ??= complaint;
            return _source.IsAtEnd;
        }
        catch (AggregateException e)
        {
            ExceptionDispatchInfo.Throw(e.InnerException!);
            throw;
        }
        catch (OperationCanceledException)
        {
            BreakOff(segment);
            throw;
        }
        finally
        {
            Close();
        }
    }

    public void Dispose()
    {
        Close();
        _deblurrer?.Dispose();
        _compared?.Dispose();
    }

    /// <summary>Opens the video so that the frames of a segment come next. Passing over those before it can take long; a cancellation ends it.</summary>
    private void Open(int segment, SegmentRecord? before, CancellationToken cancellation)
    {
        double start = video.Grid.StartSeconds(segment);
        bool isAtBeginning = segment == 0 && start <= (video.Video.StartSeconds ?? double.NegativeInfinity);
        foreach (double margin in isAtBeginning ? [double.PositiveInfinity] : SeekMargins)
        {
            double? from = double.IsInfinity(margin) ? null : Math.Min(start, before?.LastSeconds ?? start) - margin;
            _file = TryOpen(from);
            if (_file is null) continue;
            if (_file.Format != video.Format) throw new InvalidDataException($"{video.Media.Path}: its frames are {Describe(_file.Format)}, but the file announces {Describe(video.Format)}. Convert it first.");
            using (cancellation.UnsafeRegister(static file => ((FfmpegFrameSource)file!).StopReading(), _file))
                _source = new(_file, video.Grid, segment, before?.LastTimestamp ?? long.MinValue, video.StartSeconds, video.EndSeconds);
            cancellation.ThrowIfCancellationRequested();
            // Only a frame that is known to come before shows that none was left out.
            if (from is null || (before is null ? _source.LastPassed is not null : _source.LastPassed == before.LastTimestamp)) return;
            CloseSource();
        }
    }

    /// <summary>Null where nothing can be decoded from a time on, which there may be no frame behind.</summary>
    private FfmpegFrameSource? TryOpen(double? fromSeconds)
    {
        try
        {
            return new(video.Media, video.Video, video.Options.NeedsRgb(method), video.Options.Deinterlace, video.KeepsRotation, fromSeconds);
        }
        catch (InvalidDataException) when (fromSeconds is not null)
        {
            return null;
        }
    }

    private void Restore(int segment, CancellationToken cancellation)
    {
        NutVideoStream raw = _file!.RawVideo with { Width = ComparedFrames.FormatOf(_source!.Format, video.Options.Comparison).Width };
        work.DeletePending(segment);
        _open = new(work.PendingSegmentPath(segment, Extension), shownPath, raw, video.Encoding);
        using ComparedFrames? both = video.Options.Comparison == VideoComparison.None ? null : new(_source, _open, video.Options.Comparison, _compared);
        var pipeline = new FramePipeline(both ?? (IFrameSource)_source, _deblurrer!, both ?? (IFrameSink)_open);
        try
        {
            pipeline.Run(cancellation, new Later(this, _framesBefore + Report.Frames));
        }
        finally
        {
            Report.Add(pipeline.Report);
            Report.Elapsed = Stopwatch.GetElapsedTime(_startedAt);
        }
    }

    /// <summary>Has the open segment finished while the next one is restored; waits for the one before.</summary>
    private void Commit(int segment, bool isLast)
    {
        SegmentSink sink = _open!;
        _open = null;
        string? earlyEnd = isLast && double.IsInfinity(video.EndSeconds) ? _file!.EarlyEnd : null;
        float[]? memory = _deblurrer!.BlurMemory, comparedMemory = _compared?.BlurMemory;
        if (sink.FrameCount > 0) _lastTimestamp = sink.LastTimestamp;
        long lastTimestamp = _lastTimestamp;
        Rational timeBase = _file!.RawVideo.TimeBase;
        _finishing?.Wait();
        _finishing = Task.Factory.StartNew(() =>
        {
            using SegmentSink owned = sink;
            sink.Finish();
            work.Commit(segment, Extension, sink.FrameCount == 0 ? SegmentRecord.Empty(lastTimestamp, timeBase, isLast, earlyEnd, memory, comparedMemory)
                : new(sink.FrameCount, sink.FirstTimestamp, lastTimestamp, timeBase, 0, "", isLast, earlyEnd, memory, comparedMemory));
        }, CancellationToken.None, TaskCreationOptions.LongRunning, TaskScheduler.Default);
    }

    private void BreakOff(int segment)
    {
        if (_open is not { FrameCount: > 0 } sink) return;
        sink.Finish();
        BrokenOff = (work.PendingSegmentPath(segment, Extension), sink.FirstTimestamp, sink.LastTimestamp, _file!.RawVideo.TimeBase);
    }

    private void Close()
    {
        try
        {
            _finishing?.Wait();
        }
        catch (AggregateException)
        {
            // Whoever waits for a segment is told; here another failure is on its way.
        }
        _finishing = null;
        _open?.Dispose();
        _open = null;
        CloseSource();
    }

    private void CloseSource()
    {
        // The one has taken the other over, if it came so far.
        if (_source is not null) _source.Dispose();
        else _file?.Dispose();
        (_source, _file) = (null, null);
    }

    private static string Describe(FrameFormat format) => $"{format.Width}x{format.Height} {format.Pixels}";

    /// <summary>Progress of one segment as that of the whole.</summary>
    private sealed class Later(SegmentedRestoration restoration, long framesBefore) : IProgress<PipelineProgress>
    {
        public void Report(PipelineProgress value) => restoration._progress.Report(new(framesBefore + value.Frames, value.Timestamp, Stopwatch.GetElapsedTime(restoration._startedAt)));
    }
}
