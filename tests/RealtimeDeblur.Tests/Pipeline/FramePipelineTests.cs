using System.Diagnostics;
using System.Diagnostics.CodeAnalysis;
using RealtimeDeblur.Compute;
using RealtimeDeblur.Imaging;
using RealtimeDeblur.Pipeline;
using RealtimeDeblur.Restoration;
using RealtimeDeblur.Tests.Networks;
using Xunit;

namespace RealtimeDeblur.Tests.Pipeline;

public sealed class FramePipelineTests : IDisposable
{
    private static readonly FrameFormat Format = new(PixelFormat.Yuv420P8, 33, 17);

    private readonly ComputeDevice _device = TestDevice.OpenOrSkip();
    private readonly Deblurrer _deblurrer;

    public FramePipelineTests() => _deblurrer = new(_device, SmallNetwork.Sharpen(), Format);

    public void Dispose()
    {
        _deblurrer.Dispose();
        _device.Dispose();
    }

    [Theory]
    [InlineData(0)]
    [InlineData(1)]
    [InlineData(Deblurrer.MaxInFlight + 1)]
    [InlineData(100)]
    public void Run_AnyNumberOfFrames_DeliversEachRestoredAndInOrder(int count)
    {
        using var source = new NoiseSource(Format, count);
        using var sink = new MemorySink();
        PipelineReport report = new FramePipeline(source, _deblurrer, sink).Run(TestContext.Current.CancellationToken);

        Assert.True(sink.IsComplete);
        Assert.Equal(count, report.Frames);
        Assert.Equal(Enumerable.Range(0, count).Select(i => (long)i * NoiseSource.TicksPerFrame), sink.Frames.Select(frame => frame.Timestamp));
        foreach ((long timestamp, byte[] samples) in sink.Frames)
        {
            using Frame expected = NoiseSource.Make(Format, (int)(timestamp / NoiseSource.TicksPerFrame));
            _deblurrer.Process(expected);
            Assert.Equal(expected.Data.ToArray(), samples);
        }
    }

    [Fact]
    public void Run_ManyFrames_ReusesAHandful()
    {
        using var source = new NoiseSource(Format, 300);
        using var sink = new MemorySink(keep: false);
        new FramePipeline(source, _deblurrer, sink).Run(TestContext.Current.CancellationToken, new CountingProgress());
        // In the source's hand, two queues of two, three in flight, between the threads, in the sink's hand.
        Assert.InRange(source.DistinctFrames, 1, 10);
    }

    [Fact]
    public void Run_Finished_ReportsTimesOfEveryStage()
    {
        using var source = new NoiseSource(Format, 20);
        using var sink = new MemorySink(millisecondsPerFrame: 5);
        var progress = new CountingProgress();
        PipelineReport report = new FramePipeline(source, _deblurrer, sink).Run(TestContext.Current.CancellationToken, progress);
        Assert.Equal([20, 20, 20, 20], [report.Read.Count, report.Restore.Count, report.Write.Count, report.Latency.Count]);
        Assert.InRange(report.Write.MedianMs, 4.9, 1000);
        Assert.True(report.Latency.MedianMs > report.Write.MedianMs);
        Assert.True(report.Elapsed.TotalMilliseconds >= 20 * 5);
        Assert.Equal(20, progress.Last.Frames);
        Assert.Equal(19 * NoiseSource.TicksPerFrame, progress.Last.Timestamp);
    }

    [Fact]
    public void Run_SourceFails_RethrowsAndLeavesTheDeblurrerIdle()
    {
        using var source = new NoiseSource(Format, 100, failAt: 7);
        using var sink = new MemorySink();
        IOException error = Assert.Throws<IOException>(() => new FramePipeline(source, _deblurrer, sink).Run(TestContext.Current.CancellationToken));
        Assert.Equal("The source broke.", error.Message);
        Assert.False(sink.IsComplete);
        Assert.Equal(0, _deblurrer.InFlight);
    }

    [Fact]
    public void Run_SinkFails_StopsTheSourceAndRethrows()
    {
        using var source = new NoiseSource(Format, int.MaxValue);
        using var sink = new MemorySink(failAt: 5);
        IOException error = Assert.Throws<IOException>(() => new FramePipeline(source, _deblurrer, sink).Run(TestContext.Current.CancellationToken));
        Assert.Equal("The sink broke.", error.Message);
        Assert.False(sink.IsComplete);
        Assert.Equal(0, _deblurrer.InFlight);
    }

    [Fact]
    public void Run_DeblurrerFails_StopsAndRethrows()
    {
        using var source = new NoiseSource(Format, int.MaxValue, otherFormatAt: 9);
        using var sink = new MemorySink();
        Assert.Throws<ArgumentException>(() => new FramePipeline(source, _deblurrer, sink).Run(TestContext.Current.CancellationToken));
        Assert.False(sink.IsComplete);
        Assert.Equal(0, _deblurrer.InFlight);
    }

    [Fact]
    public void Run_Cancelled_DeliversAnUnbrokenBeginning()
    {
        using var source = new NoiseSource(Format, int.MaxValue);
        using var cancellation = new CancellationTokenSource();
        using var sink = new MemorySink(afterFrame: frames =>
        {
            if (frames == 10) cancellation.Cancel();
        });
        Assert.Throws<OperationCanceledException>(() => new FramePipeline(source, _deblurrer, sink).Run(cancellation.Token));
        Assert.False(sink.IsComplete);
        Assert.InRange(sink.Frames.Count, 10, 10 + 10);
        Assert.Equal(Enumerable.Range(0, sink.Frames.Count).Select(i => (long)i * NoiseSource.TicksPerFrame), sink.Frames.Select(frame => frame.Timestamp));
        Assert.Equal(0, _deblurrer.InFlight);
    }

    [Fact]
    public void Run_CancelledWhileTheSourceWaits_Ends()
    {
        using var source = new NoiseSource(Format, int.MaxValue, waitAt: 3);
        using var sink = new MemorySink();
        using var cancellation = new CancellationTokenSource(TimeSpan.FromMilliseconds(200));
        Assert.Throws<OperationCanceledException>(() => new FramePipeline(source, _deblurrer, sink).Run(cancellation.Token));
        Assert.Equal(3, sink.Frames.Count);
    }

    [Fact]
    public void Constructor_DeblurrerOfOtherFormat_NamesBoth()
    {
        using var source = new NoiseSource(Format with { Width = 32 }, 1);
        using var sink = new MemorySink();
        Assert.Contains("32", Assert.Throws<ArgumentException>(() => new FramePipeline(source, _deblurrer, sink)).Message);
    }

    [Fact]
    public void Run_SecondTime_IsRefused()
    {
        using var source = new NoiseSource(Format, 1);
        using var sink = new MemorySink();
        var pipeline = new FramePipeline(source, _deblurrer, sink);
        pipeline.Run(TestContext.Current.CancellationToken);
        Assert.Throws<InvalidOperationException>(() => pipeline.Run(TestContext.Current.CancellationToken));
    }

    private sealed class CountingProgress : IProgress<PipelineProgress>
    {
        public PipelineProgress Last { get; private set; }

        public void Report(PipelineProgress value) => Last = value;
    }

    /// <summary>Frames of noise that their number seeds, and everything that a source can do wrong.</summary>
    private sealed class NoiseSource(FrameFormat format, int count, int failAt = -1, int otherFormatAt = -1, int waitAt = -1) : IFrameSource
    {
        public const int TicksPerFrame = 1001;
        private readonly FramePool _pool = new(format);
        private readonly HashSet<Frame> _seen = new(64, ReferenceEqualityComparer.Instance);
        private readonly ManualResetEventSlim _stopped = new();
        private int _next;

        public FrameFormat Format => format;

        public int DistinctFrames => _seen.Count;

        public static Frame Make(FrameFormat format, int number)
        {
            var frame = new Frame(format);
            Fill(frame, number);
            return frame;
        }

        public bool TryRead([NotNullWhen(true)] out Frame? frame)
        {
            frame = null;
            if (_next == waitAt) _stopped.Wait();
            if (_next >= count || _stopped.IsSet) return false;
            if (_next == failAt) throw new IOException("The source broke.");
            frame = _next == otherFormatAt ? new Frame(format with { Height = format.Height + 1 }) : _pool.Rent();
            _seen.Add(frame);
            Fill(frame, _next);
            frame.Timestamp = (long)_next++ * TicksPerFrame;
            frame.CapturedAt = Stopwatch.GetTimestamp();
            return true;
        }

        public void StopReading() => _stopped.Set();

        public void Dispose()
        {
            _pool.Dispose();
            _stopped.Dispose();
        }

        private static void Fill(Frame frame, int number)
        {
            uint state = (uint)number * 2654435761 + 1;
            foreach (ref byte sample in frame.Data)
            {
                state = state * 1664525 + 1013904223;
                sample = (byte)(16 + (state >> 24) % 220);
            }
        }
    }

    private sealed class MemorySink(bool keep = true, int failAt = -1, int millisecondsPerFrame = 0, Action<int>? afterFrame = null) : IFrameSink
    {
        private int _count;

        public List<(long Timestamp, byte[] Samples)> Frames { get; } = [];

        public bool IsComplete { get; private set; }

        public void Write(Frame frame)
        {
            using Frame owned = frame;
            if (_count == failAt) throw new IOException("The sink broke.");
            if (millisecondsPerFrame > 0) Thread.Sleep(millisecondsPerFrame);
            if (keep) Frames.Add((frame.Timestamp, frame.Data.ToArray()));
            _count++;
            afterFrame?.Invoke(_count);
        }

        public void Complete() => IsComplete = true;

        public void Dispose()
        {
        }
    }
}
