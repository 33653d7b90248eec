using RealtimeDeblur.Imaging;
using RealtimeDeblur.Pipeline;
using Xunit;

namespace RealtimeDeblur.Tests.Pipeline;

public sealed class FrameQueueTests
{
    private static readonly FrameFormat Tiny = new(PixelFormat.Gray8, 1, 1);

    [Fact]
    public void AddAndTake_BetweenTwoThreads_KeepsOrderAndLosesNothing()
    {
        const int count = 20_000;
        var queue = new FrameQueue(2);
        using var pool = new FramePool(Tiny);
        var producer = new Thread(() =>
        {
            for (int i = 0; i < count; i++)
            {
                Frame frame = pool.Rent();
                frame.Timestamp = i;
                queue.Add(frame);
            }
            queue.End();
        });
        producer.Start();
        long expected = 0;
        while (queue.Take(out Frame? frame))
        {
            using (frame) Assert.Equal(expected++, frame.Timestamp);
        }
        Assert.Equal(count, expected);
        producer.Join();
    }

    [Fact]
    public void Add_ToFullQueue_WaitsUntilOneIsTaken()
    {
        var queue = new FrameQueue(1);
        queue.Add(new Frame(Tiny));
        var producer = new Thread(() => queue.Add(new Frame(Tiny)));
        producer.Start();
        Assert.False(producer.Join(TimeSpan.FromMilliseconds(50)));
        Assert.True(queue.Take(out Frame? first));
        first.Dispose();
        producer.Join();
        Assert.True(queue.TryTake(out Frame? second));
        second.Dispose();
        Assert.False(queue.TryTake(out _));
    }

    [Fact]
    public void Close_WakesBothSidesAndDisposesFrames()
    {
        var full = new FrameQueue(1);
        var inside = new Frame(Tiny);
        var late = new Frame(Tiny);
        full.Add(inside);
        bool accepted = true;
        var producer = new Thread(() => accepted = full.Add(late));
        var empty = new FrameQueue(1);
        bool taken = true;
        var consumer = new Thread(() => taken = empty.Take(out _));
        producer.Start();
        consumer.Start();
        full.Close();
        empty.Close();
        producer.Join();
        consumer.Join();
        Assert.False(accepted);
        Assert.False(taken);
        Assert.Throws<ObjectDisposedException>(() => inside.Address);
        Assert.Throws<ObjectDisposedException>(() => late.Address);
    }

    [Fact]
    public void End_WithFramesInside_StillDeliversThem()
    {
        var queue = new FrameQueue(2);
        queue.Add(new Frame(Tiny));
        queue.End();
        Assert.True(queue.Take(out Frame? frame));
        frame.Dispose();
        Assert.False(queue.Take(out _));
    }
}
