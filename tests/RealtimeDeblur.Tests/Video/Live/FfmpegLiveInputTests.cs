using System.Diagnostics;
using RealtimeDeblur.Imaging;
using RealtimeDeblur.Pipeline;
using RealtimeDeblur.Tests.Preview;
using RealtimeDeblur.Video.Live;
using Xunit;

namespace RealtimeDeblur.Tests.Video.Live;

/// <summary>Streams that come, go, change and lie; files and screens.</summary>
public sealed class FfmpegLiveInputTests : IDisposable
{
    private static readonly TimeSpan Generous = TimeSpan.FromSeconds(20);

    private readonly TemporaryFolder _folder = new();

    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    public void Dispose() => _folder.Dispose();

    [Fact]
    public void Open_StreamOfPictures_GivesThemWithTimes()
    {
        using var server = new JpegServer((_, connection) =>
        {
            connection.SendHeader();
            connection.SendPictures(FlatPicture.Jpeg(64, 48), -1);
        });
        long before = Stopwatch.GetTimestamp();
        using IFrameSource source = FfmpegLiveInput.FromUrl(server.Url).Open(Cancellation);
        long last = -1;
        for (int i = 0; i < 10; i++)
        {
            Assert.True(source.TryRead(out Frame? frame));
            using Frame owned = frame;
            FlatPicture.Check(frame, 64, 48, tolerance: 4);
            Assert.InRange(frame.Timestamp, last + 1, (long)Generous.TotalMicroseconds);
            Assert.InRange(frame.CapturedAt, before, Stopwatch.GetTimestamp());
            last = frame.Timestamp;
        }
    }

    [Fact]
    public void TryRead_ServerThatEndsAndReturns_EndsAndCanBeOpenedAgain()
    {
        using var server = new JpegServer((number, connection) =>
        {
            connection.SendHeader();
            connection.SendPictures(number == 0 ? FlatPicture.Jpeg(64, 48) : FlatPicture.Jpeg(80, 60), 10);
        });
        FfmpegLiveInput input = FfmpegLiveInput.FromUrl(server.Url);
        using (IFrameSource source = input.Open(Cancellation))
        {
            Assert.InRange(ReadToEnd(source), 8, 10);
        }
        using IFrameSource again = input.Open(Cancellation);
        Assert.Equal((80, 60), (again.Format.Width, again.Format.Height));
    }

    [Theory]
    [InlineData(32, 24)]
    [InlineData(48, 64)]    // a phone that is turned: as many bytes
    public void TryRead_PicturesThatChangeSize_Ends(int width, int height)
    {
        using var server = new JpegServer((_, connection) =>
        {
            connection.SendHeader();
            connection.SendPictures(FlatPicture.Jpeg(64, 48), 10);
            connection.SendPictures(FlatPicture.Jpeg(width, height), -1);
        });
        using IFrameSource source = FfmpegLiveInput.FromUrl(server.Url).Open(Cancellation);
        Assert.InRange(ReadToEnd(source), 1, 10);
    }

    [Fact]
    public void Open_ServerThatSendsGarbage_SaysSo()
    {
        using var server = new JpegServer((_, connection) =>
        {
            // More than ffmpeg looks at before it gives up.
            byte[] garbage = new byte[1 << 21];
            new Random(1).NextBytes(garbage);
            connection.Send("HTTP/1.0 200 OK\r\n\r\n"u8);
            connection.Send(garbage);
            connection.Hold();
        });
        Exception e = Assert.Throws<InvalidDataException>(() => FfmpegLiveInput.FromUrl(server.Url).Open(Cancellation));
        Assert.StartsWith($"{server.Url} sends no picture that ffmpeg can read", e.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void TryRead_GarbageAfterPictures_EndsOrGoesOn()
    {
        byte[] garbage = new byte[1 << 16];
        new Random(1).NextBytes(garbage);
        using var server = new JpegServer((_, connection) =>
        {
            connection.SendHeader();
            connection.SendPictures(FlatPicture.Jpeg(64, 48), 10);
            connection.SendPictures(garbage, 3);
        });
        using IFrameSource source = FfmpegLiveInput.FromUrl(server.Url).Open(Cancellation);
        Assert.InRange(ReadToEnd(source), 8, 13);
    }

    [Fact]
    public void Open_ServerThatSaysNothing_CanBeCancelled()
    {
        using var server = new JpegServer((_, connection) => connection.Hold());
        using var giveUp = new CancellationTokenSource(TimeSpan.FromSeconds(0.5));
        long begin = Stopwatch.GetTimestamp();
        Assert.ThrowsAny<OperationCanceledException>(() => FfmpegLiveInput.FromUrl(server.Url).Open(giveUp.Token));
        Assert.InRange(Stopwatch.GetElapsedTime(begin), TimeSpan.Zero, Generous / 2);
    }

    [Fact]
    public void TryRead_ServerThatFallsSilent_EndsAfterAWhile()
    {
        using var server = new JpegServer((_, connection) =>
        {
            connection.SendHeader();
            connection.SendPictures(FlatPicture.Jpeg(64, 48), 5);
            connection.Hold();
        });
        using IFrameSource source = FfmpegLiveInput.FromUrl(server.Url).Open(Cancellation);
        long begin = Stopwatch.GetTimestamp();
        Assert.InRange(ReadToEnd(source), 1, 5);
        Assert.InRange(Stopwatch.GetElapsedTime(begin), TimeSpan.FromSeconds(4), Generous);
    }

    [Fact]
    public void StopReading_WhileWaiting_WakesTheReader()
    {
        using var server = new JpegServer((_, connection) =>
        {
            connection.SendHeader();
            connection.SendPictures(FlatPicture.Jpeg(64, 48), 5);
            connection.Hold();
        });
        using IFrameSource source = FfmpegLiveInput.FromUrl(server.Url).Open(Cancellation);
        using var stopping = new Timer(_ => source.StopReading(), null, TimeSpan.FromSeconds(1), Timeout.InfiniteTimeSpan);
        long begin = Stopwatch.GetTimestamp();
        ReadToEnd(source);
        Assert.InRange(Stopwatch.GetElapsedTime(begin), TimeSpan.Zero, TimeSpan.FromSeconds(4));
        source.StopReading();
        Assert.False(source.TryRead(out _));
    }

    [Fact]
    public void Open_NobodyThere_NamesAddressWithoutPassword()
    {
        int port;
        using (var server = new JpegServer((_, _) => { })) port = server.Port;
        FfmpegLiveInput input = FfmpegLiveInput.FromUrl($"http://me:secret@127.0.0.1:{port}/video");
        Exception e = Assert.Throws<IOException>(() => input.Open(Cancellation));
        Assert.Contains($"http://127.0.0.1:{port}/video", e.Message, StringComparison.Ordinal);
        Assert.Contains("Connection refused", e.Message, StringComparison.Ordinal);
        Assert.DoesNotContain("secret", e.Message + input.Name, StringComparison.Ordinal);
    }

    [Fact]
    public void Open_UnknownProtocol_FailsForGood() =>
        Assert.Throws<FileNotFoundException>(() => FfmpegLiveInput.FromUrl("telepathy://camera/1").Open(Cancellation));

    [Theory]
    [InlineData("garden")]
    [InlineData("/dev/video0")]
    public void FromUrl_NoAddress_IsRefused(string url) => Assert.Throws<ArgumentException>(() => FfmpegLiveInput.FromUrl(url));

    [Fact]
    public void FromFile_MissingOrNoVideo_FailsAtOnce()
    {
        Assert.Throws<FileNotFoundException>(() => FfmpegLiveInput.FromFile(_folder["nothing.mp4"]));
        File.WriteAllText(_folder["text.mp4"], "This is no video.");
        Assert.Throws<InvalidDataException>(() => FfmpegLiveInput.FromFile(_folder["text.mp4"]));
    }

    [Fact]
    public void Open_File_PlaysAtItsSpeedAgainAndAgain()
    {
        Ffmpeg.Run($"-f lavfi -i color=c=0x{FlatPicture.R:x2}{FlatPicture.G:x2}{FlatPicture.B:x2}:s=64x48:r=10:d=0.5 -vf scale=out_color_matrix=bt709,format=yuv444p -c:v ffv1 -colorspace bt709 -color_range tv {_folder["clip.mkv"]}");
        FfmpegLiveInput input = FfmpegLiveInput.FromFile(_folder["clip.mkv"]);
        long begin = Stopwatch.GetTimestamp();
        using IFrameSource source = input.Open(Cancellation);
        for (int i = 0; i < 12; i++)
        {
            Assert.True(source.TryRead(out Frame? frame));
            using Frame owned = frame;
            FlatPicture.Check(frame, 64, 48, tolerance: 4);
        }
        Assert.InRange(Stopwatch.GetElapsedTime(begin), TimeSpan.FromSeconds(0.8), Generous);
    }

    [Fact]
    public void Open_TurnedFile_StandsUpright()
    {
        Ffmpeg.Run($"{Ffmpeg.TestPicture("64x48", 10, 0.5)} -c:v libx264 -pix_fmt yuv420p {_folder["lying.mp4"]}");
        Ffmpeg.Run($"-i {_folder["lying.mp4"]} -c copy -metadata:s:v:0 rotate=90 {_folder["turned.mp4"]}");
        using IFrameSource source = FfmpegLiveInput.FromFile(_folder["turned.mp4"]).Open(Cancellation);
        Assert.Equal((48, 64), (source.Format.Width, source.Format.Height));
    }

    [Fact]
    public void Open_Screen_GivesTheRegionAskedFor()
    {
        using XvfbDisplay screen = XvfbDisplay.StartOrSkip();
        string display = screen.Environment["DISPLAY"];
        using (IFrameSource whole = FfmpegLiveInput.FromScreen(display).Open(Cancellation))
        {
            Assert.Equal((1600, 1000), (whole.Format.Width, whole.Format.Height));
            Assert.True(whole.TryRead(out Frame? frame));
            frame.Dispose();
        }
        using IFrameSource part = FfmpegLiveInput.FromScreen(display, new ScreenRegion(10, 20, 50, 30), framesPerSecond: 15, showsPointer: false).Open(Cancellation);
        Assert.Equal((50, 30), (part.Format.Width, part.Format.Height));
        Exception e = Assert.Throws<IOException>(() => FfmpegLiveInput.FromScreen(display, new ScreenRegion(1590, 20, 50, 30)).Open(Cancellation));
        Assert.Contains("outside the screen", e.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Open_NoSuchScreen_SaysSo() =>
        Assert.Contains(":4711", Assert.Throws<IOException>(() => FfmpegLiveInput.FromScreen(":4711").Open(Cancellation)).Message, StringComparison.Ordinal);

    private static int ReadToEnd(IFrameSource source)
    {
        int count = 0;
        while (source.TryRead(out Frame? frame))
        {
            frame.Dispose();
            count++;
        }
        return count;
    }
}
