using RealtimeDeblur.Pipeline;
using Xunit;

namespace RealtimeDeblur.Tests.Pipeline;

public sealed class MailboxTests
{
    [Fact]
    public void TryTake_AfterTwoPuts_GivesTheNewestAndCountsTheOther()
    {
        var mailbox = new Mailbox<Letter>();
        Letter first = new(), second = new();

        Assert.True(mailbox.Put(first));
        Assert.True(mailbox.Put(second));

        Assert.True(mailbox.TryTake(TimeSpan.Zero, out Letter? taken));
        Assert.Same(second, taken);
        Assert.Equal((1, 0), (first.Disposals, second.Disposals));
        Assert.Equal(1, mailbox.Dropped);
        Assert.False(mailbox.TryTake(TimeSpan.Zero, out _));
    }

    [Fact]
    public void TryTake_CapacityOfThree_KeepsTheOrderOfTheNewestThree()
    {
        var mailbox = new Mailbox<Letter>(capacity: 3);
        Letter[] letters = [new(), new(), new(), new()];
        foreach (Letter letter in letters) mailbox.Put(letter);

        foreach (Letter expected in letters[1..])
        {
            Assert.True(mailbox.TryTake(TimeSpan.Zero, out Letter? taken));
            Assert.Same(expected, taken);
        }
        Assert.Equal(1, letters[0].Disposals);
        Assert.Equal(1, mailbox.Dropped);
    }

    [Fact]
    public void TryTake_NothingComes_ReturnsAfterTheTimeout() => Assert.False(new Mailbox<Letter>().TryTake(TimeSpan.FromMilliseconds(1), out _));

    [Fact]
    public void TryTake_WhileWaiting_GetsWhatAnotherThreadPuts()
    {
        var mailbox = new Mailbox<Letter>();
        Letter letter = new();
        var producer = new Thread(() => mailbox.Put(letter));
        producer.Start();

        Assert.True(mailbox.TryTake(TimeSpan.FromSeconds(60), out Letter? taken));
        Assert.Same(letter, taken);
        producer.Join();
    }

    [Fact]
    public void Close_WithALetterInside_DisposesItAndWakesTheConsumer()
    {
        var mailbox = new Mailbox<Letter>();
        Letter inside = new(), late = new();
        mailbox.Put(inside);

        mailbox.Close();

        Assert.False(mailbox.TryTake(Timeout.InfiniteTimeSpan, out _));
        Assert.False(mailbox.Put(late));
        Assert.Equal((1, 1), (inside.Disposals, late.Disposals));
        Assert.Equal(0, mailbox.Dropped);
    }

    private sealed class Letter : IDisposable
    {
        public int Disposals { get; private set; }

        public void Dispose() => Disposals++;
    }
}
