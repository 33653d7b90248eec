using System.Diagnostics;
using System.Runtime.ExceptionServices;
using RealtimeDeblur.Imaging;
using RealtimeDeblur.Restoration;

namespace RealtimeDeblur.Pipeline;

/// <summary>
/// Runs every frame of a source through a <see cref="Deblurrer"/> into a sink, in order, losing none.
/// </summary>
/// <remarks>
/// Three threads, two bounded queues:
/// <code>
/// source --> [read thread] --> queue --> [GPU thread: submits, collects; up to MaxInFlight frames] --> queue --> [write thread] --> sink
/// </code>
/// A stage that is ahead waits. The first exception of any thread stops all three and comes out of <see cref="Run"/>; queued frames are disposed.
/// Cancellation ends the source: frames that are on the device or behind it still reach the sink, so that it holds an unbroken beginning.
/// The link between read and GPU thread decides what happens to frames that come too fast; this one waits, a live picture would keep the newest.
/// Nothing is allocated per frame. The caller owns source, deblurrer and sink.
/// </remarks>
public sealed class FramePipeline
{
    /// <summary>Frames waiting between two threads: enough that a short stall of one does not idle the next, few enough to keep memory small.</summary>
    private const int QueueCapacity = 2;

    private readonly IFrameSource _source;
    private readonly Deblurrer _deblurrer;
    private readonly IFrameSink _sink;
    private readonly FrameQueue _blurred = new(QueueCapacity);
    private readonly FrameQueue _restored = new(QueueCapacity);
    private readonly PipelineReport _report = new();
    private readonly long[] _submittedAt = new long[Deblurrer.MaxInFlight];
    private Exception? _failure;
    private volatile bool _stopping;
    private int _started;

    /// <exception cref="ArgumentException">The deblurrer was made for another format than the source delivers.</exception>
    public FramePipeline(IFrameSource source, Deblurrer deblurrer, IFrameSink sink)
    {
        if (source.Format != deblurrer.Format)
            throw new ArgumentException($"The deblurrer was made for {deblurrer.Format}, the source delivers {source.Format}.", nameof(deblurrer));
        _source = source;
        _deblurrer = deblurrer;
        _sink = sink;
    }

    /// <summary>Processes the whole stream and returns when the sink has finished it. Runs once.</summary>
    /// <param name="cancellation">Ends the source early.</param>
    /// <param name="progress">Told of every frame, on the write thread; has to return quickly.</param>
    /// <exception cref="OperationCanceledException">Cancelled. The sink holds the frames so far and was not completed.</exception>
    /// <exception cref="InvalidOperationException">It ran before.</exception>
    public PipelineReport Run(CancellationToken cancellation, IProgress<PipelineProgress>? progress = null)
    {
        if (Interlocked.Exchange(ref _started, 1) != 0) throw new InvalidOperationException("A pipeline runs once; make another.");
        long start = Stopwatch.GetTimestamp();
        // Registered before anything runs: a cancellation while the first frames pass must not wait for this thread.
        using (cancellation.UnsafeRegister(static pipeline => ((FramePipeline)pipeline!).StopReading(), this))
        {
            Thread[] threads =
            [
                StartThread("deblur read", ReadFrames),
                StartThread("deblur gpu", RestoreFrames),
                StartThread("deblur write", () => WriteFrames(start, progress)),
            ];
            foreach (Thread thread in threads) thread.Join();
        }
        if (_failure is not null) ExceptionDispatchInfo.Throw(_failure);
        cancellation.ThrowIfCancellationRequested();
        _sink.Complete();
        _report.Elapsed = Stopwatch.GetElapsedTime(start);
        return _report;
    }

    /// <summary>Figures so far; complete once <see cref="Run"/> has ended, however it ended.</summary>
    public PipelineReport Report => _report;

    private Thread StartThread(string name, Action stage)
    {
        var thread = new Thread(() => FailOnException(stage)) { Name = name };
        thread.Start();
        return thread;
    }

    /// <summary>Runs part of a thread; an exception is kept if it is the first, and stops everything.</summary>
    private void FailOnException(Action stage)
    {
        try
        {
            stage();
        }
        catch (Exception e)
        {
            Interlocked.CompareExchange(ref _failure, e, null);
            _blurred.Close();
            _restored.Close();
            StopReading();
        }
    }

    private void StopReading()
    {
        _stopping = true;
        _source.StopReading();
    }

    private void ReadFrames()
    {
        while (true)
        {
            long start = Stopwatch.GetTimestamp();
            if (_stopping || !_source.TryRead(out Frame? frame)) break;
            _report.Read.Add(Stopwatch.GetTimestamp() - start);
            if (!_blurred.Add(frame)) break;
        }
        _blurred.End();
    }

    private void RestoreFrames()
    {
        FailOnException(SubmitAndCollect);
        // After a failure: the deblurrer goes back to its owner idle.
        FailOnException(() =>
        {
            while (_deblurrer.InFlight > 0) _deblurrer.Collect().Dispose();
        });
        // After a cancellation: the read thread does not wait for room.
        _blurred.Close();
        _restored.End();
    }

    private void SubmitAndCollect()
    {
        long submitted = 0;
        long collected = 0;
        while (true)
        {
            int inFlight = (int)(submitted - collected);
            Frame? frame = null;
            bool hasFrame = !_stopping && inFlight < Deblurrer.MaxInFlight && (inFlight == 0 ? _blurred.Take(out frame) : _blurred.TryTake(out frame));
            if (hasFrame)
            {
                _submittedAt[submitted++ % Deblurrer.MaxInFlight] = Stopwatch.GetTimestamp();
                Submit(frame!);
                continue;
            }
            if (inFlight == 0) return;
            Frame restored = _deblurrer.Collect();
            _report.Restore.Add(Stopwatch.GetTimestamp() - _submittedAt[collected++ % Deblurrer.MaxInFlight]);
            if (_deblurrer.LastSigma is { } sigma) _report.Sigmas.Add(sigma);
            if (!_restored.Add(restored)) return;
        }
    }

    private void Submit(Frame frame)
    {
        try
        {
            _deblurrer.Submit(frame);
        }
        catch
        {
            frame.Dispose();    // A deblurrer that throws leaves it to its caller.
            throw;
        }
    }

    private void WriteFrames(long start, IProgress<PipelineProgress>? progress)
    {
        while (_restored.Take(out Frame? frame))
        {
            long capturedAt = frame.CapturedAt;
            long timestamp = frame.Timestamp;
            long writeStart = Stopwatch.GetTimestamp();
            _sink.Write(frame);
            long end = Stopwatch.GetTimestamp();
            _report.Write.Add(end - writeStart);
            _report.Latency.Add(end - capturedAt);
            _report.Elapsed = Stopwatch.GetElapsedTime(start, end);
            if (_report.Frames++ == 0) _report.FirstFrame = _report.Elapsed;
            progress?.Report(new(_report.Frames, timestamp, _report.Elapsed));
        }
    }
}
