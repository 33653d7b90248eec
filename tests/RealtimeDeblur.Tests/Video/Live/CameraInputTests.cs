using System.Diagnostics;
using RealtimeDeblur.Imaging;
using RealtimeDeblur.Pipeline;
using RealtimeDeblur.Video.Live;
using Xunit;

namespace RealtimeDeblur.Tests.Video.Live;

/// <summary>OpenCV's reader on a FIFO that an encoder writes into.</summary>
public sealed class CameraInputTests : IDisposable
{
    private readonly TemporaryFolder _folder = new();
    private readonly string _fifo;

    public CameraInputTests()
    {
        _fifo = _folder["camera.fifo"];
        using Process made = Process.Start("mkfifo", _fifo);
        made.WaitForExit();
    }

    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    public void Dispose() => _folder.Dispose();

    [Fact]
    public void Open_WriterThatComesLaterAndReturnsInAnotherSize_GivesBoth()
    {
        var input = new CameraInput(_fifo);
        foreach ((int width, int height) in (ReadOnlySpan<(int, int)>)[(64, 48), (80, 60)])
        {
            using Process writer = Run($"sleep 0.3; {Writer(width, height, seconds: 2)}");
            using IFrameSource source = input.Open(Cancellation);
            Assert.True(source.TryRead(out Frame? frame));
            FlatPicture.Check(frame, width, height, tolerance: 6);
            long last = frame.Timestamp;
            frame.Dispose();
            int count = 1;
            IOException e = Assert.Throws<IOException>(() =>
            {
                while (source.TryRead(out frame))
                {
                    Assert.True(frame.Timestamp > last);
                    last = frame.Timestamp;
                    count++;
                    frame.Dispose();
                }
            });
            Assert.StartsWith($"{input.Name} sends no more pictures", e.Message, StringComparison.Ordinal);
            Assert.InRange(count, 1, 40);
            writer.WaitForExit();
        }
    }

    [Fact]
    public void Open_NobodyWrites_CanBeCancelled()
    {
        using var giveUp = new CancellationTokenSource(TimeSpan.FromSeconds(0.3));
        long begin = Stopwatch.GetTimestamp();
        Assert.ThrowsAny<OperationCanceledException>(() => new CameraInput(_fifo).Open(giveUp.Token));
        Assert.InRange(Stopwatch.GetElapsedTime(begin), TimeSpan.Zero, TimeSpan.FromSeconds(5));
    }

    [Fact]
    public void Open_Garbage_SaysSo()
    {
        byte[] garbage = new byte[1 << 18];
        new Random(1).NextBytes(garbage);
        File.WriteAllBytes(_folder["garbage"], garbage);
        using Process writer = Run($"cat {_folder["garbage"]} > {_fifo}");
        InvalidDataException e = Assert.Throws<InvalidDataException>(() => new CameraInput(_fifo).Open(Cancellation));
        Assert.Contains("sends no picture", e.Message, StringComparison.Ordinal);
        writer.WaitForExit();
    }

    [Fact]
    public void StopReading_WriterThatStalls_WakesTheReader()
    {
        // More bytes than are read ahead before the first picture.
        using Process stalled = Run(Writer(1280, 720, seconds: 0.5));
        // As long as somebody holds it open for writing, the FIFO does not end.
        using FileStream held = new(_fifo, FileMode.Open, FileAccess.ReadWrite, FileShare.ReadWrite);
        using IFrameSource source = new CameraInput(_fifo).Open(Cancellation);
        using var stopping = new Timer(_ => source.StopReading(), null, 1500, Timeout.Infinite);
        long begin = Stopwatch.GetTimestamp();
        while (source.TryRead(out Frame? frame)) frame.Dispose();
        Assert.InRange(Stopwatch.GetElapsedTime(begin), TimeSpan.Zero, TimeSpan.FromSeconds(4));
        stalled.WaitForExit();
    }

    [Fact]
    public void Open_NoSuchCamera_SaysWhatToDo()
    {
        Assert.Contains("Plug it in", Assert.Throws<IOException>(() => new CameraInput("63").Open(Cancellation)).Message, StringComparison.Ordinal);
        Assert.Contains("back door", Assert.Throws<IOException>(() => new CameraInput("back door").Open(Cancellation)).Message, StringComparison.Ordinal);
        File.WriteAllText(_folder["file"], "no camera");
        Assert.Contains("is no camera", Assert.Throws<FileNotFoundException>(() => new CameraInput(_folder["file"]).Open(Cancellation)).Message, StringComparison.Ordinal);
    }

    private static Process Run(string command) => Process.Start("sh", ["-c", command]);

    private string Writer(int width, int height, double seconds) => string.Create(System.Globalization.CultureInfo.InvariantCulture,
        $"ffmpeg -v quiet -nostdin -y -re -f lavfi -i color=c=0x{FlatPicture.R:x2}{FlatPicture.G:x2}{FlatPicture.B:x2}:s={width}x{height}:r=20:d={seconds} -q:v 2 -c:v mjpeg -flush_packets 1 -f nut {_fifo}");
}
