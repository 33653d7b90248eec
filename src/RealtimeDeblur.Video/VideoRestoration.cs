using System.Diagnostics;
using System.Globalization;
using System.IO.Hashing;
using System.Reflection;
using System.Runtime.InteropServices;
using RealtimeDeblur.Compute;
using RealtimeDeblur.Imaging;
using RealtimeDeblur.Networks;
using RealtimeDeblur.Pipeline;
using RealtimeDeblur.Restoration;
using RealtimeDeblur.Video.Segments;

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

    /// <summary>How the frames are restored.</summary>
    public DeblurOptions Deblur { get; init; } = DeblurOptions.Default;

    /// <summary>Whether an existing output is replaced, and unfinished work on it thrown away.</summary>
    public bool Overwrite { get; init; }

    /// <summary>Whether unfinished work on the output is gone on with. It has to have been begun with the same settings.</summary>
    public bool Resume { get; init; }

    /// <summary>Whether to make one picture of the two fields of every frame.</summary>
    public bool Deinterlace { get; init; }

    /// <summary>Which share of the work to do, where several machines share it; the one that finishes last joins the pieces.</summary>
    public Shard Shard { get; init; } = Shard.Whole;

    /// <summary>Number of the stream to restore, from 0; null takes <see cref="MediaInfo.MainVideo"/>.</summary>
    public int? Stream { get; init; }

    /// <summary>Where the result begins, counted from the beginning of the file; null at the beginning.</summary>
    public TimeSpan? Start { get; init; }

    /// <summary>How long it is; null goes on to the end.</summary>
    public TimeSpan? Duration { get; init; }

    /// <summary>Whether, without a <see cref="Start"/>, so much is taken from the middle.</summary>
    public bool FromMiddle { get; init; }

    /// <summary>Whether the result shows the original too.</summary>
    public VideoComparison Comparison { get; init; }

    /// <summary>In a <see cref="Comparison"/>, what restores the original at the left; null shows it as it is.</summary>
    public RestorationMethod? ComparedMethod { get; init; }

    /// <summary>Whether frames have to be RGB, for a method or for the one it is compared with.</summary>
    internal bool NeedsRgb(RestorationMethod method) => method.C == 3 || ComparedMethod is { C: 3 };
}

/// <summary>How the restoration of a file ended.</summary>
public enum VideoRestorationStatus
{
    Done,

    /// <summary>This share of the work is done; others are not.</summary>
    ShareDone,

    /// <summary>The source ends early; what there is was restored and kept under the partial name.</summary>
    Truncated,

    /// <summary>Cancelled; the frames so far were kept under the partial name, and what it takes to go on.</summary>
    Interrupted,
}

/// <summary>Result of <see cref="VideoRestoration.Run"/>.</summary>
/// <param name="Status">How it ended.</param>
/// <param name="Output">The file that was written; null if not one frame was, or none was wanted.</param>
/// <param name="Report">Frames and times.</param>
/// <param name="FirstFrame">From opening the input until the first restored frame was handed on: probing, starting ffmpeg, setting the device up, and the frame. Zero without frames.</param>
/// <param name="Remark">What the user should know, as a finished sentence; null if all went well.</param>
public sealed record VideoRestorationResult(VideoRestorationStatus Status, string? Output, PipelineReport Report, TimeSpan FirstFrame, string? Remark);

/// <summary>What <see cref="VideoRestoration.Run"/> would do with a file.</summary>
/// <param name="Source">The file.</param>
/// <param name="Video">Its stream that would be restored.</param>
/// <param name="Encoder">FFmpeg's name; null where nothing is encoded.</param>
/// <param name="PixelFormat">FFmpeg's name of the layout that would be encoded; null where nothing is.</param>
/// <param name="Notes">What would be different in the output, one clause each.</param>
/// <param name="Begun">What an earlier run left and would be gone on with; null if nothing.</param>
/// <param name="Obstacle">Why that cannot be done; null if it can.</param>
public sealed record VideoRestorationPlan(MediaInfo Source, MediaStream Video, string? Encoder, string? PixelFormat, IReadOnlyList<string> Notes, string? Begun, string? Obstacle);

/// <summary>
/// Restores one video file into another: every frame with its own timestamp, sound and the rest unchanged. The output appears under its name when it is complete. Until then it grows in a folder beside it,
/// segment by segment (<see cref="VideoRestorationOptions.Resume"/> goes on with one that was left behind, whatever ended its maker). A restoration that is interrupted, or whose source ends early,
/// leaves a playable file with <c>.partial</c> in its name.
/// Without an output it decodes and restores and drops the frames, which shows how fast that goes. Standard input and output take the place of either file: raw frames as NUT, or as YUV4MPEG2
/// where the input is that, no sound.
/// </summary>
public sealed class VideoRestoration : IDisposable
{
    /// <summary>Ending of the folders in which results grow.</summary>
    public const string WorkFolderEnding = WorkFolder.Ending;

    private readonly string _inputName;
    private readonly string? _outputPath;
    private readonly VideoRestorationOptions _options;
    private readonly MediaInfo? _media;
    private readonly MediaStream? _video;
    private readonly PendingFile? _file;

    /// <summary>Whether there was a file of the output's name, and whether nothing is left to do on it.</summary>
    private readonly bool _wasThere, _isDone;

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
        if (readsFile)
        {
            _media = VideoProbe.ProbeVideo(inputPath);
            _video = StreamOf(_media, options.Stream);
            if (options.Deinterlace) _video = _video with { FieldOrder = FieldOrder.Progressive, FieldOrderTag = "progressive" };
            if (_media.DurationSeconds is { } seconds)
            {
                if (options.Start?.TotalSeconds >= seconds) throw new InvalidDataException(string.Create(CultureInfo.InvariantCulture, $"{inputPath} is {seconds:0.0} s long: there is nothing from {options.Start.Value.TotalSeconds:0.0} s on. Choose an earlier --start."));
                if (options.FromMiddle && options.Start is null && options.Duration is { } duration) _options = options with { Start = TimeSpan.FromSeconds(Math.Max(0, (seconds - duration.TotalSeconds) / 2)) };
            }
        }
        else _inputName = StandardStreams.InputName;
        if (!writesFile) return;
        if (!readsFile) _file = new PendingFile(outputPath!, options.Overwrite);
        else if (Directory.Exists(outputPath)) throw new IOException($"{outputPath} is a folder. Name a file.");
        else
        {
            WorkFolder.DeleteLeftOver(outputPath!);
            _wasThere = File.Exists(outputPath);
            // Beside unfinished work it is an older one that is to be replaced, or the new one of a run that was killed before it could clean up.
            bool isInTheWay = _wasThere && !options.Overwrite && !WorkFolder.IsBegun(outputPath!);
            // A share that comes late finds the work done.
            _isDone = isInTheWay && IsShared;
            if (isInTheWay && !IsShared) throw new IOException($"{outputPath} exists. Add --overwrite to replace it, or choose another name with -o.");
        }
    }

    /// <summary>Removes what the making of a finished result may have left beside it when it was killed in its last moment.</summary>
    /// <param name="outputPath">The result.</param>
    public static void CleanUp(string outputPath) => WorkFolder.DeleteLeftOver(outputPath);

    /// <summary>Frames to expect, from what the file says of itself; null if it says nothing.</summary>
    public long? ExpectedFrames => _video is null ? null
        : _options.Start is null && _options.Duration is null && _video.FrameCount is { } count ? count
        : DurationSeconds is { } seconds && _video.FrameRate.IsKnown ? (long)Math.Round(seconds * _video.FrameRate.Value) : null;

    /// <summary>Length of what is restored; null if the file does not say.</summary>
    public double? DurationSeconds
    {
        get
        {
            double? whole = _video?.DurationSeconds ?? _media?.DurationSeconds;
            double? rest = whole - (_options.Start?.TotalSeconds ?? 0);
            return _options.Duration is { } wanted ? Math.Min(wanted.TotalSeconds, rest ?? double.PositiveInfinity) : rest;
        }
    }

    private bool IsShared => _options.Shard.Count > 1;

    private bool IsSlice => _options.Start is not null || _options.Duration is not null;

    /// <summary>When what is restored begins and ends, in seconds on the file's clock.</summary>
    private double StartSeconds => (_media!.StartSeconds ?? 0) + (_options.Start?.TotalSeconds ?? 0);

    private double EndSeconds => _media is not null && _options.Duration is { } duration ? StartSeconds + duration.TotalSeconds : double.PositiveInfinity;

    /// <summary>Mean frames per second; null if the file says nothing.</summary>
    public double? FrameRate => _video is { FrameRate.IsKnown: true } ? _video.FrameRate.Value : null;

    /// <summary>Restores the file. Blocks until it is written.</summary>
    /// <param name="device">Where it runs.</param>
    /// <param name="method">With one channel it restores luma; with three, RGB frames converted from the video's and back.</param>
    /// <param name="note">Told before the first frame what will be different in the output, one sentence each.</param>
    /// <param name="progress">Told of every frame. Where earlier work is gone on with, the first report has their number and no time elapsed.</param>
    /// <param name="cancellation">Ends it early, with a playable partial file.</param>
    /// <exception cref="IOException">Reading or writing failed. What is finished of the output is kept in its work folder.</exception>
    public VideoRestorationResult Run(ComputeDevice device, RestorationMethod method, Action<string> note, IProgress<PipelineProgress> progress, CancellationToken cancellation) =>
        _media is not null && _outputPath is not (null or StandardStreams.Path) ? RestoreFile(device, method, note, progress, cancellation) : RestoreStream(device, method, note, progress, cancellation);

    public void Dispose() => _file?.Dispose();

    /// <summary>Says what <see cref="Run"/> would do, and does nothing.</summary>
    /// <param name="method">As for <see cref="Run"/>.</param>
    /// <exception cref="IOException">It could do nothing.</exception>
    /// <exception cref="InvalidOperationException">The input is no file.</exception>
    public VideoRestorationPlan Plan(RestorationMethod method)
    {
        if (_media is null) throw new InvalidOperationException("Only of a file it is known before what is in it.");
        if (_outputPath is null or StandardStreams.Path) return new(_media, _video!, null, null, [], null, null);
        (SegmentedVideo video, ContainerPlan container) = Prepare(method);
        bool isBegun = WorkFolder.IsBegun(_outputPath);
        bool goesOn = isBegun && (_options.Resume || IsShared);
        string? obstacle = goesOn ? WorkFolder.Obstacle(_outputPath, Settings(video, method))
            : isBegun && !_options.Overwrite ? "it was begun before: add --resume to go on with it, or --overwrite to start afresh" : null;
        return new(_media, _video!, video.Encoding.Encoder.Name, video.Encoding.PixelFormat, [.. video.Encoding.Notes, .. container.Notes],
            goesOn && obstacle is null ? $"goes on with what is in {WorkFolder.PathFor(_outputPath)}" : null, obstacle);
    }

    /// <summary>Decides everything that does not depend on the device.</summary>
    private (SegmentedVideo Video, ContainerPlan Container) Prepare(RestorationMethod method)
    {
        VideoEncoder encoder = VideoEncoder.Find(_options.Encoder ?? VideoEncoder.DefaultFor(_outputPath!, _video), _options.Quality, _options.EncoderOptions);
        // Players know turned pictures better than mirrored ones.
        bool keepsRotation = _video!.RotationDegrees != 0 && !_video.IsMirrored && ContainerPlan.HoldsRotation(_outputPath!);
        FrameFormat format = FfmpegFrameSource.FormatOf(_media!, _video, asRgb: _options.NeedsRgb(method), keepsRotation, out string? loss);
        var encoding = VideoEncoding.Make(_video, ComparedFrames.FormatOf(format, _options.Comparison), loss, encoder);
        var container = ContainerPlan.Make(_media!, _video, keepsRotation, _outputPath!);
        double start = IsSlice ? StartSeconds : _video.StartSeconds ?? _media!.StartSeconds ?? 0;
        return (new(_media!, _video, format, keepsRotation, _options, encoding, SegmentGrid.For(_video, start), IsSlice ? start : double.NegativeInfinity, EndSeconds), container);
    }

    private VideoRestorationResult RestoreFile(ComputeDevice device, RestorationMethod method, Action<string> note, IProgress<PipelineProgress> progress, CancellationToken cancellation)
    {
        if (_isDone) return DoneByOthers(new PipelineReport());
        (SegmentedVideo video, ContainerPlan container) = Prepare(method);
        foreach (string remark in video.Encoding.Notes.Concat(container.Notes)) note($"{_inputName}: {remark}.");
        WorkFolderMode mode = _options.Resume || IsShared ? WorkFolderMode.Resume : _options.Overwrite ? WorkFolderMode.StartAfresh : WorkFolderMode.RefuseExisting;
        using WorkFolder work = WorkFolder.Open(_outputPath!, Settings(video, method), mode);
        work.Claim(_options.Shard, _outputPath!);
        // Others may have finished it, and removed their folder, since this one was opened.
        if (IsShared && !_wasThere && File.Exists(_outputPath))
        {
            if (!work.HasSegments) work.Delete();
            return DoneByOthers(new PipelineReport());
        }

        using var restoration = new SegmentedRestoration(video, method, device, work, _outputPath!, progress);
        TimeSpan setUp = Stopwatch.GetElapsedTime(_openedAt);
        try
        {
            int blocks = video.Grid.BlockCount((_media!.StartSeconds ?? 0) + _media.DurationSeconds is { } end ? Math.Min(end, EndSeconds) : null);
            if (!IsShared) restoration.RestoreBlock(0, null, cancellation);
            else
            {
                for (int block = 0; block < blocks; block++)
                {
                    if (!_options.Shard.Has(Path.GetFileName(_outputPath!), block)) continue;
                    int first = block * video.Grid.SegmentsPerBlock;
                    restoration.RestoreBlock(first, block == blocks - 1 ? null : first + video.Grid.SegmentsPerBlock, cancellation);
                }
            }
            return Join(work, video, container, restoration, setUp, cancellation);
        }
        catch (OperationCanceledException)
        {
            return Interrupt(work, video, container, restoration, setUp);
        }
        catch (Exception e) when (e is IOException or InvalidDataException or OpenClException)
        {
            // Whoever joins the segments removes them, once the result is there.
            if (IsShared && !Directory.Exists(work.Path) && File.Exists(_outputPath)) return DoneByOthers(restoration.Report);
            if (!Directory.Exists(work.Path)) throw new IOException($"{_outputPath}: the folder in which it grows, {work.Path}, is gone: somebody removed it, or its disk. Start again.", e);
            bool isResumable = work.HasSegments;
            if (!isResumable && !IsShared) work.Delete();
            throw isResumable ? new IOException($"{e.Message} What is finished of {_outputPath} is kept: add --resume to go on with it.", e) : e;
        }
    }

    private VideoRestorationResult DoneByOthers(PipelineReport report) => new(VideoRestorationStatus.ShareDone, null, report, TimeSpan.Zero, $"{_inputName}: {_outputPath} is there; nothing was left to do for share {_options.Shard}.");

    /// <summary>Makes the result of the segments, if they are all there.</summary>
    private VideoRestorationResult Join(WorkFolder work, SegmentedVideo video, ContainerPlan container, SegmentedRestoration restoration, TimeSpan setUp, CancellationToken cancellation)
    {
        List<(string, long, Rational)> segments = Finished(work, video, out SegmentRecord? last);
        if (last is not { IsLast: true }) return Result(VideoRestorationStatus.ShareDone, null, restoration, setUp, $"{_inputName}: share {_options.Shard} is done; the one that is done last writes {_outputPath}.");
        if (!work.TryClaimJoin()) return Result(VideoRestorationStatus.ShareDone, null, restoration, setUp, $"{_inputName}: share {_options.Shard} is done, and another joins them to {_outputPath}.");
        if (segments.Count == 0)
        {
            work.Delete();
            throw new InvalidDataException($"{_inputName} has no frames{(IsSlice ? " between these times" : "")}. There is nothing to restore.");
        }
        WriteJoined(segments, work, video, container, endSeconds: null, cancellation);
        if (last.EarlyEnd is { } finding)
        {
            string partial = KeepPartial(work);
            work.Delete();
            return Result(VideoRestorationStatus.Truncated, partial, restoration, setUp, $"{_inputName} ends early ({finding}); the frames it has are in {partial}. Copy or record it again.");
        }
        File.Move(work.JoinedPath(Path.GetExtension(_outputPath!)), _outputPath!, overwrite: true);
        if (work.GavePartial) File.Delete(PartialPath);
        work.Delete();
        string? damage = restoration.Complaint is { } complaint ? $"{_inputName} is damaged in places; ffmpeg reported: {complaint.TrimEnd('.')}." : null;
        return Result(VideoRestorationStatus.Done, _outputPath, restoration, setUp, damage);
    }

    /// <summary>Gives the user what there is, to look at; the work folder stays.</summary>
    private VideoRestorationResult Interrupt(WorkFolder work, SegmentedVideo video, ContainerPlan container, SegmentedRestoration restoration, TimeSpan setUp)
    {
        if (IsShared) return Result(VideoRestorationStatus.Interrupted, null, restoration, setUp, null);
        List<(string, long, Rational)> segments = Finished(work, video, out SegmentRecord? last);
        double? end = last?.LastSeconds;
        if (restoration.BrokenOff is { } open)
        {
            segments.Add((open.Path, open.FirstTimestamp, open.TimeBase));
            end = open.LastTimestamp * open.TimeBase.Value;
        }
        if (segments.Count == 0 || end is null)
        {
            work.Delete();
            return Result(VideoRestorationStatus.Interrupted, null, restoration, setUp, null);
        }
        double frame = 1 / (video.Video.FrameRate.IsKnown ? video.Video.FrameRate.Value : 30);
        WriteJoined(segments, work, video, container, end + frame, CancellationToken.None);
        string partial = KeepPartial(work);
        bool isResumable = work.HasSegments;
        if (isResumable) work.NotePartial();
        else work.Delete();
        return Result(VideoRestorationStatus.Interrupted, partial, restoration, setUp, $"{_inputName}: interrupted; what was restored so far is in {partial}{(isResumable ? ", and --resume goes on with it" : "")}.");
    }

    private void WriteJoined(List<(string, long, Rational)> segments, WorkFolder work, SegmentedVideo video, ContainerPlan container, double? endSeconds, CancellationToken cancellation)
    {
        double? end = double.IsInfinity(video.EndSeconds) ? endSeconds : Math.Min(video.EndSeconds, endSeconds ?? double.PositiveInfinity);
        work.DeletePending(null);
        try
        {
            VideoJoin.Run(segments, container, video.Encoding, Path.Combine(work.Path, "segments.txt"), work.JoinedPath(Path.GetExtension(_outputPath!)), _outputPath!, IsSlice ? StartSeconds : null, end, cancellation);
        }
        catch (IOException)
        {
            // Where the disk is full, this is what fills it.
            if (Directory.Exists(work.Path)) work.DeletePending(null);
            throw;
        }
    }

    /// <summary>The segments with frames that are there without a gap, from the first on.</summary>
    /// <param name="work"/><param name="video"/>
    /// <param name="last">The last one, frames or not; null if there is none.</param>
    private static List<(string Path, long FirstTimestamp, Rational TimeBase)> Finished(WorkFolder work, SegmentedVideo video, out SegmentRecord? last)
    {
        List<(string, long, Rational)> segments = [];
        last = null;
        for (int segment = 0; last is not { IsLast: true } && work.Find(segment, video.Encoding.SegmentExtension) is { } record; segment++)
        {
            if (record.Frames > 0) segments.Add((work.SegmentPath(segment, video.Encoding.SegmentExtension), record.FirstTimestamp, record.TimeBase));
            last = record;
        }
        return segments;
    }

    private static VideoRestorationResult Result(VideoRestorationStatus status, string? output, SegmentedRestoration restoration, TimeSpan setUp, string? remark) =>
        new(status, output, restoration.Report, restoration.Report.Frames > 0 ? setUp + restoration.Report.FirstFrame : TimeSpan.Zero, remark);

    /// <summary>Everything that the result depends on, in words.</summary>
    private Dictionary<string, string> Settings(SegmentedVideo video, RestorationMethod method)
    {
        var input = new FileInfo(_media!.Path);
        DeblurOptions deblur = _options.Deblur;
        return new()
        {
            ["input"] = string.Create(CultureInfo.InvariantCulture, $"{input.Name}, {input.Length} bytes, changed {input.LastWriteTimeUtc:yyyy-MM-dd HH:mm:ss}"),
            ["stream"] = string.Create(CultureInfo.InvariantCulture, $"{video.Video.Index}"),
            ["method"] = NameOf(method),
            ["strength"] = deblur.Strength.ToString(CultureInfo.InvariantCulture),
            ["sigma"] = deblur.Sigma.ToString(),
            ["sigma from"] = deblur.SigmaFrom.ToString().ToLowerInvariant(),
            ["guard"] = deblur.Guard ? "on" : "off",
            ["encoding"] = string.Join(' ', video.Encoding.Arguments),
            ["deinterlacing"] = _options.Deinterlace ? "on" : "off",
            ["comparison"] = $"{_options.Comparison.ToString().ToLowerInvariant()}{(_options.ComparedMethod is { } compared ? $" with {NameOf(compared)}" : "")}",
            ["slice"] = IsSlice ? string.Create(CultureInfo.InvariantCulture, $"from {_options.Start ?? TimeSpan.Zero:c}, {(_options.Duration is { } duration ? duration.ToString("c", CultureInfo.InvariantCulture) : "to the end")}") : "all of it",
            ["segments"] = string.Create(CultureInfo.InvariantCulture, $"{video.Grid.LengthMicroseconds / 1e6} s"),
            ["deblur version"] = typeof(VideoRestoration).Assembly.GetCustomAttribute<AssemblyInformationalVersionAttribute>()?.InformationalVersion ?? "unknown",
            ["ffmpeg version"] = FfmpegProcess.Version,
        };
    }

    private static string NameOf(RestorationMethod method) => method.Network is { } network ? $"{method.Name} ({HashOf(network)})" : method.Name;

    private static string HashOf(Network network)
    {
        var hash = new XxHash128();
        foreach (LayerWeights layer in network.Weights)
        {
            hash.Append(MemoryMarshal.AsBytes<float>(layer.Weight));
            hash.Append(MemoryMarshal.AsBytes<float>(layer.Bias));
        }
        return Convert.ToHexStringLower(hash.GetCurrentHash())[..8];
    }

    private static MediaStream StreamOf(MediaInfo media, int? number)
    {
        if (number is null) return media.MainVideo!;
        MediaStream[] videos = [.. media.Streams.Where(stream => stream is { Kind: MediaStreamKind.Video, Width: > 0, Height: > 0 })];
        return videos.FirstOrDefault(stream => stream.Index == number)
            ?? throw new InvalidDataException($"{media.Path}: stream {number} is no video. There is {string.Join(", ", videos.Select(stream => $"--stream {stream.Index} ({stream.Width}x{stream.Height})"))}.");
    }

    /// <summary>Where standard streams or nothing take the place of a file: there is nothing to go on with later.</summary>
    private VideoRestorationResult RestoreStream(ComputeDevice device, RestorationMethod method, Action<string> note, IProgress<PipelineProgress> progress, CancellationToken cancellation)
    {
        IVideoSource source = OpenSource(method, note, cancellation);
        using var frames = new SegmentSource(source, IsSlice && _media is not null ? StartSeconds : double.NegativeInfinity, EndSeconds);
        FrameFormat shown = ComparedFrames.FormatOf(source.Format, _options.Comparison);
        using IFrameSink sink = OpenSink(source, shown, note);
        using var deblurrer = new Deblurrer(device, method, source.Format, _options.Deblur);
        using Deblurrer? compared = _options.ComparedMethod is { } other ? new(device, other, source.Format, _options.Deblur) : null;
        using ComparedFrames? both = _options.Comparison == VideoComparison.None ? null : new(frames, sink, _options.Comparison, compared);
        var pipeline = new FramePipeline(both ?? (IFrameSource)frames, deblurrer, both ?? sink);
        TimeSpan setUp = Stopwatch.GetElapsedTime(_openedAt);
        try
        {
            pipeline.Run(cancellation, progress);
        }
        catch (OperationCanceledException)
        {
            bool isPlayable = sink is FfmpegFrameSink { FrameCount: > 0 } file && file.CompleteEarly() && new FileInfo(_file!.TemporaryPath).Length > 0;
            string? partial = isPlayable ? PartialPath : null;
            if (isPlayable) _file!.CommitAs(PartialPath);
            return Result(VideoRestorationStatus.Interrupted, partial, partial is null ? null : $"{_inputName}: interrupted; what was restored so far is in {partial}.");
        }
        if (source.EarlyEnd is { } finding && !IsSlice)
        {
            string? partial = _file is null ? null : PartialPath;
            _file?.CommitAs(PartialPath);
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

    private IVideoSource OpenSource(RestorationMethod method, Action<string> note, CancellationToken cancellation)
    {
        if (_media is not null) return new FfmpegFrameSource(_media, _video!, asRgb: _options.NeedsRgb(method), _options.Deinterlace, fromSeconds: IsSlice ? StartSeconds : null);
        var input = new StandardInputStream();
        using (cancellation.Register(input.Dispose))
        {
            if (input.Peek() == Yuv4MpegFrameSource.Signature[0]) return new Yuv4MpegFrameSource(input, _inputName);
        }
        var source = new NutFrameSource(input, _inputName, cancellation);
        if (source.HasOtherStreams) note($"{_inputName}: only its first video is restored, sound and the rest are left out.");
        return source;
    }

    private IFrameSink OpenSink(IVideoSource source, FrameFormat format, Action<string> note)
    {
        NutVideoStream raw = source.RawVideo with { Width = format.Width };
        if (_outputPath == StandardStreams.Path)
        {
            FileStream output = StandardStreams.OpenOutput();
            PipeSize.Enlarge(output);
            return source is Yuv4MpegFrameSource { Header: var header } ? new Yuv4MpegFrameSink(output, StandardStreams.OutputName, header, raw.Width) : new NutFrameSink(output, StandardStreams.OutputName, raw);
        }
        if (_file is null) return new NullFrameSink();
        var encoding = VideoEncoding.Make(format, VideoEncoder.Find(_options.Encoder ?? VideoEncoder.DefaultFor(_outputPath!), _options.Quality, _options.EncoderOptions));
        foreach (string remark in encoding.Notes) note($"{_inputName}: {remark}.");
        return new FfmpegFrameSink(_file.TemporaryPath, _outputPath!, raw, encoding);
    }

    /// <summary>Beside <c>clip.mp4</c>, <c>clip.partial.mp4</c>.</summary>
    private string PartialPath => Path.Combine(Path.GetDirectoryName(Path.GetFullPath(_outputPath!))!, $"{Path.GetFileNameWithoutExtension(_outputPath)}.partial{Path.GetExtension(_outputPath)}");

    /// <summary>Gives an unfinished result, which was joined, its name.</summary>
    private string KeepPartial(WorkFolder work)
    {
        File.Move(work.JoinedPath(Path.GetExtension(_outputPath!)), PartialPath, overwrite: true);
        return PartialPath;
    }
}
