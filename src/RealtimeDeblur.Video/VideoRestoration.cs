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
    /// <summary>FFmpeg's name of the encoder; null takes the one that suits the container.</summary>
    public string? Encoder { get; init; }

    /// <summary>Constant quality on the encoder's own scale, lower is better; null takes our default for it.</summary>
    public int? Quality { get; init; }

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
/// Without an output it decodes and restores and drops the frames, which shows how fast that goes.
/// </summary>
public sealed class VideoRestoration : IDisposable
{
    private readonly string _inputPath;
    private readonly string? _outputPath;
    private readonly VideoRestorationOptions _options;
    private readonly MediaInfo _media;
    private readonly MediaStream _video;
    private readonly PendingFile? _file;
    private readonly long _openedAt = Stopwatch.GetTimestamp();

    /// <summary>Opens the input and checks everything that can be checked before frames flow.</summary>
    /// <param name="inputPath">The video.</param>
    /// <param name="outputPath">File to write; its ending chooses the container. Null writes nothing.</param>
    /// <param name="options">How.</param>
    /// <exception cref="IOException">A file is missing, no video, in the way, or cannot be written; the message says which and what to do.</exception>
    public VideoRestoration(string inputPath, string? outputPath, VideoRestorationOptions options)
    {
        _inputPath = inputPath;
        _outputPath = outputPath;
        _options = options;
        if (outputPath is not null && PendingFile.IsSameFile(inputPath, outputPath)) throw new IOException($"{outputPath} is the input itself. Name another output with -o.");
        _media = VideoProbe.ProbeVideo(inputPath);
        _video = _media.MainVideo!;
        _file = outputPath is null ? null : new PendingFile(outputPath, options.Overwrite);
    }

    /// <summary>Frames to expect, from what the file says of itself; null if it says nothing.</summary>
    public long? ExpectedFrames => _video.FrameCount
        ?? ((_video.DurationSeconds ?? _media.DurationSeconds) is { } seconds && _video.FrameRate.IsKnown ? (long)Math.Round(seconds * _video.FrameRate.Value) : null);

    /// <summary>Restores the file. Blocks until it is written.</summary>
    /// <param name="device">Where the network runs.</param>
    /// <param name="network">With one channel it restores luma; with three, RGB frames converted from the video's and back.</param>
    /// <param name="note">Told before the first frame what will be different in the output, one sentence each.</param>
    /// <param name="progress">Told of every frame.</param>
    /// <param name="cancellation">Ends it early, with a playable partial file.</param>
    /// <exception cref="IOException">Reading or writing failed. Nothing is left behind.</exception>
    public VideoRestorationResult Run(ComputeDevice device, Network network, Action<string> note, IProgress<PipelineProgress> progress, CancellationToken cancellation)
    {
        using var source = new FfmpegFrameSource(_media, _video, asRgb: network.Description.C == 3);
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
            return Result(VideoRestorationStatus.Interrupted, partial, partial is null ? null : $"{_inputPath}: interrupted; what was restored so far is in {partial}.");
        }
        if (FindTruncation(source) is { } finding)
        {
            string? partial = KeepPartial();
            string kept = partial is null ? "" : $"; the {pipeline.Report.Frames} frames it has are in {partial}";
            return Result(VideoRestorationStatus.Truncated, partial, $"{_inputPath} ends early ({finding}){kept}. Copy or record it again.");
        }
        _file?.Commit();
        string? damage = source.Complaints.Count > 0 ? $"{_inputPath} is damaged in places; ffmpeg reported: {source.Complaints[0].TrimEnd('.')}." : null;
        return Result(VideoRestorationStatus.Done, _outputPath, damage);

        VideoRestorationResult Result(VideoRestorationStatus status, string? output, string? remark) =>
            new(status, output, pipeline.Report, pipeline.Report.Frames > 0 ? setUp + pipeline.Report.FirstFrame : TimeSpan.Zero, remark);
    }

    public void Dispose() => _file?.Dispose();

    private IFrameSink OpenSink(FfmpegFrameSource source, Action<string> note)
    {
        if (_file is null) return new NullFrameSink();
        VideoEncoder encoder = VideoEncoder.Find(_options.Encoder ?? VideoEncoder.DefaultFor(_outputPath!), _options.Quality);
        VideoOutputPlan plan = VideoOutputPlan.Make(_media, _video, source.Format, source.Loss, encoder, _file.TemporaryPath);
        foreach (string remark in plan.Notes) note($"{_inputPath}: {remark}.");
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

    /// <summary>Containers that announce their length, or their last block's, show when they are cut off; ffmpeg goes on with what is there and only mentions it.</summary>
    private string? FindTruncation(FfmpegFrameSource source)
    {
        if (source.Complaints.Any(line => line.Contains("partial file", StringComparison.Ordinal) || line.Contains("File ended prematurely", StringComparison.Ordinal)))
            return "the file is cut off";
        const double toleranceSeconds = 1;
        double end = source.LastTimestamp * source.RawVideo.TimeBase.Value - (_video.StartSeconds ?? 0);
        return _video.DurationSeconds is { } announced && end < announced * 0.98 - toleranceSeconds
            ? string.Create(System.Globalization.CultureInfo.InvariantCulture, $"{end:0.0} of {announced:0.0} s") : null;
    }
}
