using System.Diagnostics;
using RealtimeDeblur.Compute;
using RealtimeDeblur.Imaging;
using RealtimeDeblur.Networks;
using RealtimeDeblur.Pipeline;
using RealtimeDeblur.Restoration;

namespace RealtimeDeblur.Video;

/// <summary>How a video file is restored.</summary>
public sealed record VideoRestorationOptions
{
    /// <summary>A codec or FFmpeg's name of an encoder, as <see cref="VideoEncoder.Find"/> takes it; null takes the one that suits the container.</summary>
    public string? Encoder { get; init; }

    /// <summary>0 to 100, higher is better, with one meaning for all encoders; null takes <see cref="VideoEncoder.DefaultQuality"/>.</summary>
    public int? Quality { get; init; }

    /// <summary>Options of ffmpeg for the encoder.</summary>
    public IReadOnlyList<EncoderOption> EncoderOptions { get; init; } = [];

    public DeblurOptions Deblur { get; init; } = DeblurOptions.Default;

    /// <summary>Whether an existing output is replaced.</summary>
    public bool Overwrite { get; init; }
}

/// <summary>How the restoration of a file ended.</summary>
public enum VideoRestorationStatus
{
    Done,

    /// <summary>The source ends early; what there is was restored and kept under the partial name.</summary>
    Truncated,

    /// <summary>Cancelled; the frames so far were kept under the partial name.</summary>
    Interrupted,
}

/// <summary>Result of <see cref="VideoRestoration.Run"/>.</summary>
/// <param name="Status">How it ended.</param>
/// <param name="Output">The file that was written; null if not one frame was, or none was wanted.</param>
/// <param name="Report">Frames and times.</param>
/// <param name="FirstFrame">From opening the input until the first restored frame was handed on: probing, starting ffmpeg, setting the device up, and the frame. Zero without frames.</param>
/// <param name="Remark">What the user should know, as a finished sentence; null if all went well.</param>
public sealed record VideoRestorationResult(VideoRestorationStatus Status, string? Output, PipelineReport Report, TimeSpan FirstFrame, string? Remark);

/// <summary>
/// Restores one video file into another: every frame with its own timestamp, sound and the rest unchanged. The output appears under its name when it is complete;
/// a restoration that is interrupted, or whose source ends early, leaves a playable file with <c>.partial</c> in its name instead.
/// Without an output it decodes and restores and drops the frames, which shows how fast that goes. Standard input and output take the place of either file: raw frames as NUT, no sound.
/// </summary>
public sealed class VideoRestoration : IDisposable
{
    private readonly string _inputName;
    private readonly string? _outputPath;
    private readonly VideoRestorationOptions _options;
    private readonly MediaInfo? _media;
    private readonly PendingFile? _file;
    private readonly long _openedAt = Stopwatch.GetTimestamp();

    /// <summary>Opens the input and checks everything that can be checked before frames flow.</summary>
    /// <param name="inputPath">The video; <see cref="StandardStreams.Path"/> for raw frames from standard input.</param>
    /// <param name="outputPath">File to write; its ending chooses the container. <see cref="StandardStreams.Path"/> sends raw frames to standard output. Null writes nothing.</param>
    /// <param name="options">How.</param>
    /// <exception cref="IOException">A file is missing, no video, in the way, or cannot be written; the message says which and what to do.</exception>
    public VideoRestoration(string inputPath, string? outputPath, VideoRestorationOptions options)
    {
        _inputName = inputPath;
        _outputPath = outputPath;
        _options = options;
        bool readsFile = inputPath != StandardStreams.Path, writesFile = outputPath is not (null or StandardStreams.Path);
        if (readsFile && writesFile && PendingFile.IsSameFile(inputPath, outputPath!)) throw new IOException($"{outputPath} is the input itself. Name another output with -o.");
        if (readsFile) _media = VideoProbe.ProbeVideo(inputPath);
        else _inputName = StandardStreams.InputName;
        if (writesFile) _file = new PendingFile(outputPath!, options.Overwrite);
    }

    /// <summary>Frames to expect, from what the file says of itself; null if it says nothing.</summary>
    public long? ExpectedFrames => _media?.MainVideo is not { } video ? null : video.FrameCount
        ?? ((video.DurationSeconds ?? _media.DurationSeconds) is { } seconds && video.FrameRate.IsKnown ? (long)Math.Round(seconds * video.FrameRate.Value) : null);

    /// <summary>Restores the file. Blocks until it is written.</summary>
    /// <param name="device">Where the network runs.</param>
    /// <param name="network">With one channel it restores luma; with three, RGB frames converted from the video's and back.</param>
    /// <param name="note">Told before the first frame what will be different in the output, one sentence each.</param>
    /// <param name="progress">Told of every frame.</param>
    /// <param name="cancellation">Ends it early, with a playable partial file.</param>
    /// <exception cref="IOException">Reading or writing failed. Nothing is left behind.</exception>
    public VideoRestorationResult Run(ComputeDevice device, Network network, Action<string> note, IProgress<PipelineProgress> progress, CancellationToken cancellation)
    {
        using IVideoSource source = OpenSource(network, note, cancellation);
        using IFrameSink sink = OpenSink(source, note);
        using var deblurrer = new Deblurrer(device, network, source.Format, _options.Deblur);
        var pipeline = new FramePipeline(source, deblurrer, sink);
        TimeSpan setUp = Stopwatch.GetElapsedTime(_openedAt);
        try
        {
            pipeline.Run(cancellation, progress);
        }
        catch (OperationCanceledException)
        {
            bool isPlayable = sink is FfmpegFrameSink { FrameCount: > 0 } file && file.CompleteEarly() && new FileInfo(_file!.TemporaryPath).Length > 0;
            string? partial = isPlayable ? KeepPartial() : null;
            return Result(VideoRestorationStatus.Interrupted, partial, partial is null ? null : $"{_inputName}: interrupted; what was restored so far is in {partial}.");
        }
        if (source.EarlyEnd is { } finding)
        {
            string? partial = KeepPartial();
            string kept = partial is null ? "" : $"; the {pipeline.Report.Frames} frames it has are in {partial}";
            string advice = _media is null ? "Look at what the program that sends it says" : "Copy or record it again";
            return Result(VideoRestorationStatus.Truncated, partial, $"{_inputName} ends early ({finding}){kept}. {advice}.");
        }
        _file?.Commit();
        string? damage = source is FfmpegFrameSource { Complaints: [string first, ..] } ? $"{_inputName} is damaged in places; ffmpeg reported: {first.TrimEnd('.')}." : null;
        return Result(VideoRestorationStatus.Done, _outputPath, damage);

        VideoRestorationResult Result(VideoRestorationStatus status, string? output, string? remark) =>
            new(status, output, pipeline.Report, pipeline.Report.Frames > 0 ? setUp + pipeline.Report.FirstFrame : TimeSpan.Zero, remark);
    }

    public void Dispose() => _file?.Dispose();

    private IVideoSource OpenSource(Network network, Action<string> note, CancellationToken cancellation)
    {
        if (_media is not null) return new FfmpegFrameSource(_media, _media.MainVideo!, asRgb: network.Description.C == 3);
        var source = new NutFrameSource(new StandardInputStream(), _inputName, cancellation);
        if (source.HasOtherStreams) note($"{_inputName}: only its first video is restored, sound and the rest are left out.");
        return source;
    }

    private IFrameSink OpenSink(IVideoSource source, Action<string> note)
    {
        if (_outputPath == StandardStreams.Path)
        {
            FileStream output = StandardStreams.OpenOutput();
            PipeSize.Enlarge(output);
            return new NutFrameSink(output, StandardStreams.OutputName, source.RawVideo);
        }
        if (_file is null) return new NullFrameSink();
        VideoEncoder encoder = VideoEncoder.Find(_options.Encoder ?? VideoEncoder.DefaultFor(_outputPath!), _options.Quality, _options.EncoderOptions);
        VideoOutputPlan plan = source is FfmpegFrameSource file ? VideoOutputPlan.Make(_media!, _media!.MainVideo!, source.Format, file.Loss, encoder, _file.TemporaryPath)
            : VideoOutputPlan.Make(source.Format, encoder);
        foreach (string remark in plan.Notes) note($"{_inputName}: {remark}.");
        return new FfmpegFrameSink(_file.TemporaryPath, _outputPath!, source.RawVideo, _media, plan);
    }

    /// <summary>Keeps an unfinished result as <c>clip.partial.mp4</c> beside <c>clip.mp4</c>; null where nothing is written.</summary>
    private string? KeepPartial()
    {
        if (_file is null) return null;
        string path = Path.Combine(Path.GetDirectoryName(Path.GetFullPath(_outputPath!))!, $"{Path.GetFileNameWithoutExtension(_outputPath)}.partial{Path.GetExtension(_outputPath)}");
        _file.CommitAs(path);
        return path;
    }
}
