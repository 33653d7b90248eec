using System.Diagnostics;
using System.Runtime.InteropServices;
using RealtimeDeblur.Imaging;
using RealtimeDeblur.Pipeline;
using RealtimeDeblur.Video.Live;
using Xunit;

namespace RealtimeDeblur.Tests.Video.Live;

/// <summary>OpenCV, v4l2-ctl and ffmpeg on a camera and a loopback device that exist only for the process they run in (tests/native/fake_camera.c).</summary>
public sealed class FakeCameraTests
{
    [Fact]
    public void CameraAndLoopback_InAProcessOfTheirOwn_Work()
    {
        Assert.SkipUnless(File.Exists("/usr/bin/gcc") && File.Exists("/usr/bin/v4l2-ctl"), "gcc or v4l2-ctl is not installed (apt-get install gcc libc6-dev v4l-utils).");
        using var folder = new TemporaryFolder();
        string library = folder["fake_camera.so"];
        using (Process compiler = Process.Start("gcc", ["-O1", "-shared", "-fPIC", "-o", library, SourcePath(), "-ldl"]))
        {
            compiler.WaitForExit();
            Assert.Equal(0, compiler.ExitCode);
        }
        File.WriteAllBytes(folder["picture.jpg"], FlatPicture.Jpeg(1280, 720));
        File.WriteAllBytes(folder["turned.jpg"], FlatPicture.Jpeg(720, 1280));
        ChildProcess.RunExplicitTests(typeof(FakeCamera), timeoutSeconds: 120, environment: new Dictionary<string, string>
        {
            ["LD_PRELOAD"] = library,
            ["FAKE_CAMERA_STATE"] = folder["state"],
            ["FAKE_CAMERA_JPEG"] = folder["picture.jpg"],
            ["FAKE_CAMERA_JPEG_TURNED"] = folder["turned.jpg"],
            ["FAKE_CAMERA_OUTPUT"] = folder["written.yuv"],
        });
    }

    private static string SourcePath([System.Runtime.CompilerServices.CallerFilePath] string here = "") =>
        Path.GetFullPath(Path.Combine(Path.GetDirectoryName(here)!, "../../../native/fake_camera.c"));
}

/// <summary>Run by <see cref="FakeCameraTests"/>, one after another.</summary>
public sealed class FakeCamera
{
    private const string Camera = "/dev/video9", Loopback = "/dev/video10";

    private static readonly TimeSpan Generous = TimeSpan.FromSeconds(20);

    static FakeCamera() =>
        // What is called by its library's name would find the real functions; the stand-in passes on what it does not have.
        NativeLibrary.SetDllImportResolver(typeof(CameraInput).Assembly, (name, _, _) => name == "libc" ? NativeLibrary.Load(Environment.GetEnvironmentVariable("LD_PRELOAD")!) : 0);

    public FakeCamera() => Become("works");

    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    [Fact(Explicit = true)]
    public void ModesOf_Camera_AreThoseThatItHas() => Assert.Equal(
        ["MJPG 1280x720 at 30, 15 frames/s", "MJPG 640x480 at 30, 15 frames/s", "YUYV 640x480 at 30, 15 frames/s", "YUYV 1280x720 at 10, 5 frames/s", "YUYV 320x240 at 30, 15 frames/s"],
        CameraList.ModesOf(Camera)!.Select(mode => mode.ToString()));

    [Fact(Explicit = true)]
    public void Open_NothingAskedFor_GivesCompressedPicturesInHighDefinition()
    {
        using IFrameSource source = new CameraInput(Camera, note: text => Assert.Fail(text)).Open(Cancellation);
        for (int i = 0; i < 5; i++)
        {
            Assert.True(source.TryRead(out Frame? frame));
            using Frame owned = frame;
            FlatPicture.Check(frame, 1280, 720, tolerance: 4);
        }
    }

    [Fact(Explicit = true)]
    public void Open_ByNumberInASizeThatIsThere_GivesMovingUncompressedPictures()
    {
        using IFrameSource source = new CameraInput("9", new CameraRequest(640, 480, 30), text => Assert.Fail(text)).Open(Cancellation);
        Assert.Equal(new FrameFormat(PixelFormat.Bgr24, 640, 480, ColorRange.Full), source.Format);
        long lastTime = -1;
        int lastFrame = -1;
        for (int i = 0; i < 20; i++)
        {
            Assert.True(source.TryRead(out Frame? frame));
            using Frame owned = frame;
            Assert.True(frame.Timestamp > lastTime);
            lastTime = frame.Timestamp;
            // Luma rises by one per column until it starts again, from a column that moves by two per frame.
            int start = Enumerable.Range(0, 201).First(x => frame.Data[3 * (x + 1) + 1] < frame.Data[3 * x + 1] - 50) + 1;
            Assert.NotEqual(lastFrame, start);
            lastFrame = start;
        }
    }

    [Fact(Explicit = true)]
    public void Open_SizeThatIsNotThere_TellsWhatItGives()
    {
        List<string> notes = [];
        var input = new CameraInput(Camera, new CameraRequest(1920, 1080, 60), notes.Add);
        for (int i = 0; i < 2; i++)
        {
            using IFrameSource source = input.Open(Cancellation);
            Assert.Equal((1280, 720), (source.Format.Width, source.Format.Height));
        }
        Assert.Equal(["camera /dev/video9 gives 1280x720 at 30 frames/s, not 1920x1080 at 60."], notes);
    }

    [Theory(Explicit = true)]
    [InlineData("missing", "is not there")]
    [InlineData("unplugged", "is not there")]
    [InlineData("busy", "in use by another program")]
    [InlineData("silent", "sends no pictures")]
    public void Open_CameraInTrouble_SaysWhich(string state, string expected)
    {
        Become(state);
        long begin = Stopwatch.GetTimestamp();
        IOException e = Assert.Throws<IOException>(() => new CameraInput(Camera).Open(Cancellation));
        Assert.Contains(expected, e.Message, StringComparison.Ordinal);
        Assert.InRange(Stopwatch.GetElapsedTime(begin), TimeSpan.Zero, Generous);
    }

    [Fact(Explicit = true)]
    public void TryRead_CameraThatIsUnpluggedAndReturns_SaysSoAndCanBeOpenedAgain()
    {
        var input = new CameraInput(Camera);
        for (int i = 0; i < 2; i++)
        {
            Become("works");
            using IFrameSource source = input.Open(Cancellation);
            Become("unplugged");
            IOException e = Assert.Throws<IOException>(() => ReadToEnd(source));
            Assert.Contains("unplugged", e.Message, StringComparison.Ordinal);
        }
    }

    [Fact(Explicit = true)]
    public void TryRead_PicturesOfAnotherSize_Ends()
    {
        using IFrameSource source = new CameraInput(Camera).Open(Cancellation);
        Become("turned");
        ReadToEnd(source);
    }

    [Fact(Explicit = true)]
    public void Open_SilentCamera_CanBeCancelledAtOnce()
    {
        Become("silent");
        using var giveUp = new CancellationTokenSource(TimeSpan.FromSeconds(0.3));
        long begin = Stopwatch.GetTimestamp();
        Assert.ThrowsAny<OperationCanceledException>(() => new CameraInput(Camera).Open(giveUp.Token));
        Assert.InRange(Stopwatch.GetElapsedTime(begin), TimeSpan.Zero, TimeSpan.FromSeconds(2.5));
    }

    [Fact(Explicit = true)]
    public void Open_OutputDevice_IsNoCamera() =>
        Assert.Contains("Fake Loopback", Assert.Throws<FileNotFoundException>(() => new CameraInput(Loopback).Open(Cancellation)).Message, StringComparison.Ordinal);

    [Fact(Explicit = true)]
    public void VirtualCamera_FramesOfOtherSizes_ArriveInOneSizeAsYuv()
    {
        string written = Environment.GetEnvironmentVariable("FAKE_CAMERA_OUTPUT")!;
        File.Delete(written);
        using (var sink = new VirtualCameraSink(Loopback))
        {
            for (int i = 0; i < 5; i++) sink.Write(FlatPicture.Frame(65, 47, i * 33_000));
            sink.Write(FlatPicture.Frame(130, 47, 5 * 33_000));
            sink.Complete();
        }
        const int width = 66, height = 48, frameBytes = width * height * 3 / 2;
        byte[] bytes = File.ReadAllBytes(written);
        Assert.Equal(6 * frameBytes, bytes.Length);
        // BT.601, limited range.
        int y = (int)Math.Round(16 + (65.481 * FlatPicture.R + 128.553 * FlatPicture.G + 24.966 * FlatPicture.B) / 255);
        int cb = (int)Math.Round(128 + (-37.797 * FlatPicture.R - 74.203 * FlatPicture.G + 112 * FlatPicture.B) / 255);
        int cr = (int)Math.Round(128 + (112 * FlatPicture.R - 93.786 * FlatPicture.G - 18.214 * FlatPicture.B) / 255);
        Assert.All(bytes[..(width * height)], value => Assert.InRange(value, y - 1, y + 1));
        Assert.All(bytes[(width * height)..(width * height * 5 / 4)], value => Assert.InRange(value, cb - 1, cb + 1));
        Assert.All(bytes[(width * height * 5 / 4)..frameBytes], value => Assert.InRange(value, cr - 1, cr + 1));
    }

    [Fact(Explicit = true)]
    public void VirtualCamera_CameraOrBusyOrMissing_SaysWhich()
    {
        Assert.Contains("takes no pictures", Assert.Throws<IOException>(() => new VirtualCameraSink(Camera)).Message, StringComparison.Ordinal);
        Become("busy");
        using (var sink = new VirtualCameraSink(Loopback))
        {
            IOException e = Assert.Throws<IOException>(() =>
            {
                for (int i = 0; i < 100; i++) sink.Write(FlatPicture.Frame(640, 480, i * 33_000));
            });
            Assert.Contains("busy", e.Message, StringComparison.OrdinalIgnoreCase);
        }
        Become("missing");
        Assert.Contains("modprobe", Assert.Throws<IOException>(() => new VirtualCameraSink(Loopback)).Message, StringComparison.Ordinal);
    }

    [Theory(Explicit = true)]
    [InlineData("camera")]
    [InlineData("file")]
    [InlineData("pattern")]
    public void TryRead_ManyFrames_AllocatesNothing(string kind)
    {
        const int frames = 40, warmAfter = 20;
        using var folder = new TemporaryFolder();
        using IFrameSource source = Input(kind, folder).Open(Cancellation);
        long bytes = 0;
        for (int i = 0; i < warmAfter + frames; i++)
        {
            if (i == warmAfter) bytes = -GC.GetTotalAllocatedBytes(precise: true);
            Assert.True(source.TryRead(out Frame? frame));
            frame.Dispose();
        }
        bytes += GC.GetTotalAllocatedBytes(precise: true);
        // The rest of the process is never quite still; the smallest wrapper around a native object would be more.
        Assert.InRange(bytes, 0, 64 * frames);
    }

    [Theory(Explicit = true)]
    [InlineData("camera")]
    [InlineData("file")]
    [InlineData("pattern")]
    public void Open_FiftyTimes_LeavesNothingBehind(string kind)
    {
        using var folder = new TemporaryFolder();
        ILiveInput input = Input(kind, folder);
        OpenAndRead(input, times: 5);
        (int files, int threads, int children) = Counts();
        OpenAndRead(input, times: 50);
        // Threads of the runtime's own pool come and go.
        (int filesAfter, int threadsAfter, int childrenAfter) = Counts();
        Assert.InRange(filesAfter, 0, files + 2);
        Assert.InRange(threadsAfter, 0, threads + 5);
        Assert.InRange(childrenAfter, 0, children);
    }

    private static ILiveInput Input(string kind, TemporaryFolder folder) => kind switch
    {
        "camera" => new CameraInput(Camera, new CameraRequest(320, 240, 30)),
        "file" => Clip(folder["clip.mkv"]),
        _ => new PatternInput(64, 48, framesPerSecond: 50),
    };

    private static FfmpegLiveInput Clip(string path)
    {
        Ffmpeg.Run($"{Ffmpeg.TestPicture("64x48", 50, 0.2)} -c:v ffv1 {path}");
        return FfmpegLiveInput.FromFile(path);
    }

    private static void OpenAndRead(ILiveInput input, int times)
    {
        for (int i = 0; i < times; i++)
        {
            using IFrameSource source = input.Open(Cancellation);
            Assert.True(source.TryRead(out Frame? frame));
            frame.Dispose();
        }
    }

    private static (int Files, int Threads, int Children) Counts()
    {
        GC.Collect();
        GC.WaitForPendingFinalizers();
        string[] threads = Directory.GetDirectories("/proc/self/task");
        return (Directory.GetFileSystemEntries("/proc/self/fd").Length, threads.Length, threads.Sum(ChildrenOf));
    }

    /// <summary>Processes that a thread started and that have not been waited for.</summary>
    private static int ChildrenOf(string thread)
    {
        try
        {
            return File.ReadAllText($"{thread}/children").Split(' ', StringSplitOptions.RemoveEmptyEntries).Length;
        }
        catch (IOException)
        {
            // The thread has ended in the meantime.
            return 0;
        }
    }

    private static void ReadToEnd(IFrameSource source)
    {
        while (source.TryRead(out Frame? frame)) frame.Dispose();
    }

    private static void Become(string state) => File.WriteAllText(Environment.GetEnvironmentVariable("FAKE_CAMERA_STATE")!, state);
}
