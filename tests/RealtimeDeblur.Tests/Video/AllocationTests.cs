using RealtimeDeblur.Compute;
using RealtimeDeblur.Imaging;
using RealtimeDeblur.Pipeline;
using RealtimeDeblur.Restoration;
using RealtimeDeblur.Tests.Networks;
using RealtimeDeblur.Video;
using Xunit;

namespace RealtimeDeblur.Tests.Video;

/// <summary>A thousand frames on their way through all threads allocate nothing. What is counted belongs to the whole process, so these tests run when no other does.</summary>
[CollectionDefinition(nameof(AllocationTests), DisableParallelization = true)]
[Collection(nameof(AllocationTests))]
public sealed class AllocationTests : IDisposable
{
    private const int WarmAfter = 100, Frames = 1000;

    /// <summary>The smallest object takes 24 bytes; one in three frames would go beyond this. The rest of the process is never quite still.</summary>
    private const long ToleratedBytes = 8 * Frames;

    private readonly TemporaryFolder _folder = new();
    private readonly ComputeDevice _device = TestDevice.OpenOrSkip();

    public void Dispose()
    {
        _device.Dispose();
        _folder.Dispose();
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void Run_ThousandFramesFromFile_AllocatesNothing(bool writesFile)
    {
        Ffmpeg.Run(string.Create(System.Globalization.CultureInfo.InvariantCulture, $"{Ffmpeg.TestPicture("64x48", 25, (WarmAfter + Frames + 1) / 25.0)} -c:v rawvideo {_folder["clip.nut"]}"));
        MediaInfo media = VideoProbe.ProbeVideo(_folder["clip.nut"]);
        using var source = new FfmpegFrameSource(media, media.MainVideo!);
        using var deblurrer = new Deblurrer(_device, SmallNetwork.Sharpen(), source.Format);
        using IFrameSink sink = writesFile ? Encode(media, source) : new NullFrameSink();
        var allocations = new AllocationCounter(_device);
        new FramePipeline(source, deblurrer, sink).Run(TestContext.Current.CancellationToken, allocations);
        Assert.InRange(allocations.Bytes, 0, ToleratedBytes);
        // Frames wait in more places when the threads' pace changes; each keeps its buffer.
        Assert.InRange(allocations.Buffers, 0, 10);
    }

    [Fact]
    public void Run_HundredSegments_KeepNothingInMemory()
    {
        // One frame a second: segments of ten.
        Ffmpeg.Run($"-f lavfi -i testsrc2=s=64x48:r=1:d=1230 -c:v libx264 -preset ultrafast {_folder["clip.mp4"]}");
        var memory = new MemoryWatch();
        using var restoration = new VideoRestoration(_folder["clip.mp4"], _folder["out.mp4"], new() { EncoderOptions = [EncoderOption.Parse("preset=ultrafast")] });
        restoration.Run(_device, SmallNetwork.Sharpen(), _ => { }, memory, TestContext.Current.CancellationToken);
        // Of every segment its record stays, which is less than a kilobyte.
        Assert.InRange((memory.After - memory.Before) / 100, -100_000, 1500);
    }

    private FfmpegFrameSink Encode(MediaInfo media, FfmpegFrameSource source)
    {
        VideoEncoder encoder = VideoEncoder.Find("rawvideo", quality: null);
        return new(_folder["out.nut"], "out.nut", source.RawVideo, VideoEncoding.Make(media.MainVideo!, source.Format, loss: null, encoder));
    }

    /// <summary>What the process allocates between two frames.</summary>
    private sealed class AllocationCounter(ComputeDevice device) : IProgress<PipelineProgress>
    {
        public long Bytes { get; private set; } = -1;

        public long Buffers { get; private set; } = -1;

        public void Report(PipelineProgress value)
        {
            if (value.Frames == WarmAfter) (Bytes, Buffers) = (-GC.GetTotalAllocatedBytes(precise: true), -device.BuffersCreated);
            if (value.Frames == WarmAfter + Frames) (Bytes, Buffers) = (Bytes + GC.GetTotalAllocatedBytes(precise: true), Buffers + device.BuffersCreated);
        }
    }

    /// <summary>What the process needs after 20 and after 120 segments.</summary>
    private sealed class MemoryWatch : IProgress<PipelineProgress>
    {
        public long Before { get; private set; }

        public long After { get; private set; }

        public void Report(PipelineProgress value)
        {
            if (value.Frames == 205) Before = GC.GetTotalMemory(forceFullCollection: true);
            if (value.Frames == 1205) After = GC.GetTotalMemory(forceFullCollection: true);
        }
    }
}
