using RealtimeDeblur.Cli.Live;
using RealtimeDeblur.Imaging;
using RealtimeDeblur.Pipeline;
using Xunit;

namespace RealtimeDeblur.Tests.Cli;

public sealed class LiveOutputTests
{
    private static readonly FrameFormat Format = new(PixelFormat.Bgr24, 4, 3);

    [Fact]
    public void Complete_AfterAFewFrames_HasWrittenThemAll()
    {
        var sink = new MemorySink();
        using var output = new LiveOutput("memory", sink, capacity: 3);
        using var frame = new Frame(Format);
        for (int i = 0; i < 3; i++)
        {
            frame.Data.Fill((byte)i);
            output.Send(frame);
        }
        output.Complete();
        Assert.Equal([0, 1, 2], sink.Written);
        Assert.True(sink.IsComplete);
        Assert.Equal(0, output.Dropped);
    }

    /// <summary>A program that was stopped while it reads standard output must not keep the window from closing.</summary>
    [Fact]
    public void Complete_ReaderThatTakesNothing_GivesUpAndSaysSo()
    {
        using var stuck = new ManualResetEventSlim();
        var output = new LiveOutput("standard output", new MemorySink(stuck));
        using var frame = new Frame(Format);
        output.Send(frame);
        Assert.Contains("standard output does not take", Assert.Throws<IOException>(output.Complete).Message, StringComparison.Ordinal);
        stuck.Set();
        output.Dispose();
    }

    private sealed class MemorySink(ManualResetEventSlim? stuck = null) : IFrameSink
    {
        public List<byte> Written { get; } = [];

        public bool IsComplete { get; private set; }

        public void Write(Frame frame)
        {
            stuck?.Wait();
            Written.Add(frame.Data[0]);
            frame.Dispose();
        }

        public void Complete() => IsComplete = true;

        public void Dispose()
        {
        }
    }
}
