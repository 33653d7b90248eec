using System.Diagnostics;
using RealtimeDeblur.Compute;
using RealtimeDeblur.Imaging;
using RealtimeDeblur.Networks;
using RealtimeDeblur.Pipeline;
using RealtimeDeblur.Restoration;
using Xunit;

namespace RealtimeDeblur.Tests.Pipeline;

public sealed class LivePipelineTests
{
    private static readonly FrameFormat Format = new(PixelFormat.Bgr24, 66, 34);
    private static readonly FrameFormat OtherFormat = new(PixelFormat.Bgr24, 35, 49);
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(60);

    /// <summary>A fixed sigma: the result depends on nothing but the frame. No guard: it would leave noise alone.</summary>
    private static readonly DeblurOptions Options = new() { Sigma = SigmaSetting.Of(1.5f), Guard = false };

    public LivePipelineTests() => TestDevice.SkipWithoutDevice();

    [Fact]
    public void TryTake_LiveInput_GivesOriginalAndRestored()
    {
        using LivePipeline pipeline = Start(new ScriptedInput(new Connection(Format)));
        using LivePicture picture = TakeUntil(pipeline, picture => picture.IsRestored);

        using Frame expected = new(Format);
        ScriptedInput.Fill(expected, picture.Compared.Timestamp);
        Assert.Equal(expected.Data, picture.Compared.Data);
        Process("fast-camera", expected);
        Assert.Equal(expected.Data, picture.Restored.Data);
        Assert.True(picture.CapturedAt <= picture.TakenAt && picture.TakenAt <= picture.RestoredAt && picture.RestoredAt <= picture.FetchedAt);
    }

    [Fact]
    public void TryTake_BeforeTheKernelsAreBuilt_GivesFramesAsTheyAre()
    {
        using LivePipeline pipeline = Start(new ScriptedInput(new Connection(Format, IntervalMs: 0.5)));
        using LivePicture picture = TakeUntil(pipeline, _ => true);

        Assert.False(picture.IsRestored);
        Assert.Equal(picture.Compared.Data, picture.Restored.Data);
    }

    [Fact]
    public void TryTake_SlowConsumer_GetsFreshPicturesAndCountsTheOthers()
    {
        var input = new ScriptedInput(new Connection(Format, IntervalMs: 10));
        using LivePipeline pipeline = Start(input);
        int early = 0;
        TakeUntil(pipeline, picture =>
        {
            early++;
            return picture.IsRestored;
        }).Dispose();
        for (int i = 0; i < 10; i++)
        {
            Thread.Sleep(100);
            Assert.True(pipeline.TryTake(Patience, out LivePicture? picture));
            Present(pipeline, picture);
        }
        pipeline.Dispose();

        // Two frames apart, not the second that the pictures together took. The bound is wide: a test machine has moods.
        Assert.InRange(pipeline.Report.Latency.MedianMs, 0, 60);
        Assert.Equal(10, pipeline.Report.Shown);
        Assert.InRange(pipeline.Report.Dropped, 30, long.MaxValue);
        // The rest was under way at the end: in two mailboxes and on the device.
        Assert.InRange(pipeline.Report.Captured - pipeline.Report.Shown - pipeline.Report.Dropped - early, 0, 3);
    }

    [Fact]
    public void TryTake_EveryFrameCounted_AddsUp()
    {
        const int frames = 200;
        var input = new ScriptedInput(new Connection(Format, frames, IntervalMs: 2), new Connection(null, Failure: new IOException("It is gone.")));
        using LivePipeline pipeline = Start(input);
        var clock = Stopwatch.StartNew();
        while (clock.Elapsed < Patience && pipeline.ReadStatus().Trouble is null or "")
        {
            if (pipeline.TryTake(TimeSpan.FromMilliseconds(20), out LivePicture? picture)) Present(pipeline, picture);
        }
        while (pipeline.TryTake(TimeSpan.FromMilliseconds(200), out LivePicture? picture)) Present(pipeline, picture);
        pipeline.Dispose();

        Assert.InRange(pipeline.Report.Captured, 1, frames);
        Assert.Equal(pipeline.Report.Captured, pipeline.Report.Shown + pipeline.Report.Dropped);
        Assert.Equal(pipeline.Report.Shown, pipeline.Report.Latency.Count);
    }

    [Fact]
    public void TryTake_SourceAwaySizeChangedGarbage_GoesOnEachTime()
    {
        using var otherSeen = new ManualResetEventSlim();
        var input = new ScriptedInput(
            new Connection(null, Failure: new IOException("The camera is busy.")),
            new Connection(Format, Frames: 50),
            new Connection(null, Failure: new InvalidDataException("What it sends is no picture.")),
            new Connection(OtherFormat, Failure: new IOException("The cable came off."), End: otherSeen),
            new Connection(Format));
        using LivePipeline pipeline = Start(input);
        List<string> notices = [];
        pipeline.Noticed += notice =>
        {
            lock (notices) notices.Add(notice);
        };

        TakeUntil(pipeline, picture => picture.IsRestored && picture.Compared.Format == OtherFormat).Dispose();
        otherSeen.Set();
        TakeUntil(pipeline, picture => picture.IsRestored && picture.Compared.Format == Format).Dispose();

        Assert.Null(pipeline.ReadStatus().Trouble);
        Assert.Equal(Format, pipeline.ReadStatus().Format);
        lock (notices) Assert.Equal(["the script stopped; waiting for it.", "the script is there, 35x49.", "The cable came off.", "the script is there, 66x34."], notices.SkipWhile(notice => !notice.Contains("stopped", StringComparison.Ordinal)));
    }

    [Fact]
    public void TryTake_FiftyInterruptions_LeavesNothingBehind()
    {
        var input = new ScriptedInput([.. Enumerable.Range(0, 50).Select(i => new Connection(i % 2 == 0 ? Format : OtherFormat, Frames: 3, IntervalMs: 1)), new Connection(Format)]);
        using (LivePipeline pipeline = Start(input))
        {
            var clock = Stopwatch.StartNew();
            while (input.Opened <= 50 && clock.Elapsed < Patience)
            {
                if (pipeline.TryTake(TimeSpan.FromMilliseconds(20), out LivePicture? picture)) Present(pipeline, picture);
            }
            TakeUntil(pipeline, picture => picture.IsRestored && picture.Compared.Format == Format).Dispose();
        }
        Assert.Equal(51, input.Opened);
    }

    [Fact]
    public void TryTake_InputThatWillNotCome_Throws()
    {
        using LivePipeline pipeline = Start(new ScriptedInput(new Connection(null, Failure: new FileNotFoundException("ffmpeg was not found."))));

        FileNotFoundException failure = Assert.Throws<FileNotFoundException>(() => TakeUntil(pipeline, _ => true));

        Assert.Equal("ffmpeg was not found.", failure.Message);
    }

    [Fact]
    public void TryTake_UnknownDevice_Throws()
    {
        using LivePipeline pipeline = new(new ScriptedInput(new Connection(Format)), device: "no such device", model: null, Options);
        pipeline.Start();

        Assert.Contains("no such device", Assert.Throws<OpenClException>(() => TakeUntil(pipeline, _ => false)).Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Model_ChangedWhileRunning_TakesOver()
    {
        using LivePipeline pipeline = Start(new ScriptedInput(new Connection(Format)));
        TakeUntil(pipeline, picture => picture.IsRestored).Dispose();
        Assert.True(pipeline.ReadStatus().IsModelAutomatic);

        pipeline.Model = "tiny-camera";

        using Frame expected = new(Format);
        TakeUntil(pipeline, picture =>
        {
            ScriptedInput.Fill(expected, picture.Compared.Timestamp);
            Process("tiny-camera", expected);
            return picture.Restored.Data.SequenceEqual(expected.Data);
        }).Dispose();
        Assert.Equal(("tiny-camera", false), (pipeline.ReadStatus().Model, pipeline.ReadStatus().IsModelAutomatic));
    }

    /// <summary>They pass unchanged, which takes no time.</summary>
    [Fact]
    public void Model_SharpPictures_AreNoReasonForABetterOne()
    {
        using var pipeline = new LivePipeline(new ScriptedInput(new Connection(Format, IntervalMs: 20)), Environment.GetEnvironmentVariable("DEBLUR_TEST_DEVICE"), model: null, DeblurOptions.Default);
        pipeline.Start();
        TakeUntil(pipeline, picture => picture.IsRestored).Dispose();
        Assert.True(pipeline.ReadStatus().IsSharp);

        var clock = Stopwatch.StartNew();
        while (clock.Elapsed.TotalSeconds < ModelLadder.PatienceUp + 2)
        {
            if (pipeline.TryTake(TimeSpan.FromMilliseconds(100), out LivePicture? picture)) picture.Dispose();
        }
        Assert.Equal("fast-camera", pipeline.ReadStatus().Model);
    }

    [Fact]
    public void Model_ThatDoesNotExist_KeepsTheOneBeforeAndSaysSo()
    {
        using LivePipeline pipeline = Start(new ScriptedInput(new Connection(Format)));
        TakeUntil(pipeline, picture => picture.IsRestored).Dispose();

        pipeline.Model = "no-such-model";
        TakeUntil(pipeline, picture => picture.IsRestored && pipeline.ReadStatus().Trouble is not null).Dispose();
        Assert.Contains("no-such-model", pipeline.ReadStatus().Trouble, StringComparison.Ordinal);

        pipeline.Model = null;
        TakeUntil(pipeline, picture => picture.IsRestored && pipeline.ReadStatus().Trouble is null).Dispose();
    }

    [Fact]
    public void Compared_AnotherMethod_TakesThePlaceOfTheOriginalAndLeavesTheResult()
    {
        using LivePipeline pipeline = Start(new ScriptedInput(new Connection(Format)), model: "fast-camera", compared: "wiener:ratio=0.01");
        using (LivePicture picture = TakeUntil(pipeline, picture => picture.ComparedMethod is not null))
        {
            Assert.Equal("wiener:ratio=0.01", picture.ComparedMethod);
            using Frame left = new(Format), right = new(Format);
            ScriptedInput.Fill(left, picture.Compared.Timestamp);
            ScriptedInput.Fill(right, picture.Restored.Timestamp);
            Process("wiener:ratio=0.01", left);
            Process("fast-camera", right);
            Assert.Equal(left.Data, picture.Compared.Data);
            Assert.Equal(right.Data, picture.Restored.Data);
            Assert.Equal(picture.Restored.Timestamp, picture.Compared.Timestamp);
        }

        pipeline.Compared = null;

        using LivePicture alone = TakeUntil(pipeline, picture => picture.IsRestored && picture.ComparedMethod is null);
        using Frame original = new(Format);
        ScriptedInput.Fill(original, alone.Compared.Timestamp);
        Assert.Equal(original.Data, alone.Compared.Data);
    }

    [Theory]
    [InlineData("no-such-model")]
    [InlineData("wiener:no-such-parameter=1")]
    public void Compared_MethodThatCannotBeMade_LeavesTheFirstToWorkAndSaysWhy(string compared)
    {
        using LivePipeline pipeline = Start(new ScriptedInput(new Connection(Format)), compared: compared);
        using (LivePicture picture = TakeUntil(pipeline, picture => picture.IsRestored))
        {
            Assert.Null(picture.ComparedMethod);
            Assert.Contains("no-such", pipeline.ReadStatus().Trouble, StringComparison.Ordinal);
        }

        pipeline.Compared = "unsharp";

        TakeUntil(pipeline, picture => picture.ComparedMethod == "unsharp").Dispose();
        Assert.Null(pipeline.ReadStatus().Trouble);
    }

    [Fact]
    public void Options_Changed_ShowInThePicturesAfterwards()
    {
        using LivePipeline pipeline = Start(new ScriptedInput(new Connection(Format)));
        TakeUntil(pipeline, picture => picture.IsRestored && !picture.Restored.Data.SequenceEqual(picture.Compared.Data)).Dispose();

        pipeline.Options = Options with { Strength = 0 };

        TakeUntil(pipeline, picture => picture.IsRestored && picture.Restored.Data.SequenceEqual(picture.Compared.Data)).Dispose();
    }

    [Fact]
    public void IsPaused_ForAWhile_GivesNoPictureAndCountsNoFrame()
    {
        var input = new ScriptedInput(new Connection(Format));
        using LivePipeline pipeline = Start(input);
        TakeUntil(pipeline, picture => picture.IsRestored).Dispose();

        pipeline.IsPaused = true;
        while (pipeline.TryTake(TimeSpan.FromMilliseconds(200), out LivePicture? late)) late.Dispose();     // what was under way
        long given = Interlocked.Read(ref input.Given);
        Assert.False(pipeline.TryTake(TimeSpan.FromMilliseconds(100), out _));
        Assert.True(Interlocked.Read(ref input.Given) > given, "The source was not read on.");
        Assert.True(pipeline.ReadStatus().IsPaused);
        Assert.Null(pipeline.ReadStatus().Trouble);

        pipeline.IsPaused = false;
        TakeUntil(pipeline, picture => picture.IsRestored).Dispose();
    }

    [Fact]
    public void ReloadKernels_BrokenThenMended_KeepsTheOldOnesMeanwhile()
    {
        using var folder = new TemporaryFolder();
        Directory.CreateDirectory(folder["color"]);
        string file = folder["color/samples.cl"];
        string source = KernelSource.Read("color/samples.cl");
        using LivePipeline pipeline = new(new ScriptedInput(new Connection(Format)), device: null, model: "fast-camera", Options, folder.Path);
        pipeline.Start();
        TakeUntil(pipeline, picture => picture.IsRestored && !picture.Restored.Data.SequenceEqual(picture.Compared.Data)).Dispose();

        File.WriteAllText(file, source + "\nthis is no OpenCL\n");
        pipeline.ReloadKernels();
        TakeUntil(pipeline, picture => picture.IsRestored && pipeline.ReadStatus().Trouble is not null).Dispose();
        string trouble = pipeline.ReadStatus().Trouble!;
        Assert.Contains("does not build", trouble, StringComparison.Ordinal);
        Assert.Contains('\n', trouble);     // the compiler's own words follow
        using Frame expected = new(Format);
        using (LivePicture still = TakeUntil(pipeline, picture => picture.IsRestored))
        {
            ScriptedInput.Fill(expected, still.Compared.Timestamp);
            Process("fast-camera", expected);
            Assert.Equal(expected.Data, still.Restored.Data);
        }

        File.WriteAllText(file, source);
        pipeline.ReloadKernels();
        TakeUntil(pipeline, picture => picture.IsRestored && pipeline.ReadStatus().Trouble is null).Dispose();
    }

    [Fact]
    public void ReadStatus_WhileRunning_TellsRateLatencyAndBlur()
    {
        using LivePipeline pipeline = Start(new ScriptedInput(new Connection(Format, IntervalMs: 20)));
        var clock = Stopwatch.StartNew();
        while (clock.Elapsed < Patience && pipeline.Report.Shown < 60)
        {
            if (pipeline.TryTake(Patience, out LivePicture? picture)) Present(pipeline, picture);
        }

        LiveStatus status = pipeline.ReadStatus();
        Assert.InRange(status.FramesPerSecond, 10, 55);
        Assert.InRange(status.Latency.Median, 0.01, status.Latency.P99);
        Assert.All([status.Wait, status.Restore, status.HandOver, status.Present], stage => Assert.InRange(stage.Median, 0, status.Latency.P99));
        Assert.InRange(status.Restore.Median, 0.01, status.Restore.P99);
        Assert.Equal(1.5f, status.Sigma);
        Assert.Equal(60, status.Shown);
        Assert.NotNull(status.Device);
        Assert.NotNull(pipeline.Report.FirstRestored);
    }

    [Fact]
    public void Dispose_WhileNothingComes_Returns()
    {
        var pipeline = Start(new ScriptedInput(new Connection(Format, Frames: 0)));
        Assert.False(pipeline.TryTake(TimeSpan.FromMilliseconds(50), out _));
        pipeline.Dispose();
        pipeline.Dispose();
    }

    private static LivePipeline Start(ScriptedInput input, string? model = null, string? compared = null)
    {
        var pipeline = new LivePipeline(input, Environment.GetEnvironmentVariable("DEBLUR_TEST_DEVICE"), model, Options) { Compared = compared };
        pipeline.Start();
        return pipeline;
    }

    /// <summary>Takes pictures until one is as wanted; fails if none comes.</summary>
    private static LivePicture TakeUntil(LivePipeline pipeline, Func<LivePicture, bool> isWanted)
    {
        var clock = Stopwatch.StartNew();
        while (clock.Elapsed < Patience)
        {
            if (!pipeline.TryTake(TimeSpan.FromSeconds(1), out LivePicture? picture)) continue;
            if (isWanted(picture)) return picture;
            picture.Dispose();
        }
        throw new Xunit.Sdk.XunitException($"No such picture within {Patience.TotalSeconds} s; {pipeline.ReadStatus()}");
    }

    private static void Present(LivePipeline pipeline, LivePicture picture)
    {
        pipeline.Presented(picture);
        picture.Dispose();
    }

    private static void Process(string model, Frame frame)
    {
        using ComputeDevice device = TestDevice.OpenOrSkip();
        using var deblurrer = new Deblurrer(device, RestorationMethod.Load(model), frame.Format, Options);
        deblurrer.Process(frame);
    }
}
