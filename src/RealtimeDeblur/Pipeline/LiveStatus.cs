using RealtimeDeblur.Imaging;

namespace RealtimeDeblur.Pipeline;

/// <summary>What a live pipeline is doing at one moment, for a display.</summary>
public sealed record LiveStatus
{
    /// <summary>Of the frames that come in; null before the first.</summary>
    public FrameFormat? Format { get; init; }

    /// <summary>The network that runs, or the first that will.</summary>
    public required string Model { get; init; }

    /// <summary>Whether the pipeline chooses the network by itself.</summary>
    public bool IsModelAutomatic { get; init; }

    /// <summary>Name of the device that restores; null before one is open.</summary>
    public string? Device { get; init; }

    /// <summary>Pictures presented per second, over the last second or so; 0 where none were.</summary>
    public double FramesPerSecond { get; init; }

    /// <summary>From capture to presentation, of the last pictures; zeros where none were presented lately.</summary>
    public RecentDuration Latency { get; init; }

    /// <summary>Of that: until work on the frame began.</summary>
    public RecentDuration Wait { get; init; }

    /// <summary>Of that: upload, network, download, and what <see cref="LivePipeline.Compared"/> takes.</summary>
    public RecentDuration Restore { get; init; }

    /// <summary>Of that: until the result was fetched for presentation.</summary>
    public RecentDuration HandOver { get; init; }

    /// <summary>Of that: until it was presented.</summary>
    public RecentDuration Present { get; init; }

    /// <summary>Pictures presented so far.</summary>
    public long Shown { get; init; }

    /// <summary>Frames that came in and gave way to newer ones.</summary>
    public long Dropped { get; init; }

    /// <summary>Blur of the last frame: sigma in pixels; null where it is not known.</summary>
    public float? Sigma { get; init; }

    /// <summary>Whether the last frame was found sharp and passed unchanged.</summary>
    public bool IsSharp { get; init; }

    /// <summary>Whether the last picture is held.</summary>
    public bool IsPaused { get; init; }

    /// <summary>What keeps the picture from coming, or from being restored as wanted: finished sentences, one a line; null if nothing.</summary>
    public string? Trouble { get; init; }
}

/// <summary>What a live pipeline did from its start to its end, as measured on every frame.</summary>
public sealed class LiveReport
{
    /// <summary>Frames that came from the source while it was not paused, without those that gave way before the first picture was asked for.</summary>
    public long Captured { get; internal set; }

    /// <summary>Pictures presented.</summary>
    public long Shown { get; internal set; }

    /// <summary>Frames that gave way to newer ones, before they were restored or after.</summary>
    public long Dropped { get; internal set; }

    /// <summary>From the first presented picture to the last.</summary>
    public TimeSpan Elapsed { get; internal set; }

    /// <summary>Pictures presented per second, over all of them; 0 before the second.</summary>
    public double FramesPerSecond => Elapsed > TimeSpan.Zero ? (Shown - 1) / Elapsed.TotalSeconds : 0;

    /// <summary>From the pipeline's start until a restored picture had been presented; null if none was.</summary>
    public TimeSpan? FirstRestored { get; internal set; }

    /// <summary>From capture to presentation.</summary>
    public DurationHistogram Latency { get; } = new();

    /// <summary>From capture until work on the frame began.</summary>
    public DurationHistogram Wait { get; } = new();

    /// <summary>The work: the copy of the original, upload, network, download, and what <see cref="LivePipeline.Compared"/> takes.</summary>
    public DurationHistogram Restore { get; } = new();

    /// <summary>From the result until it was fetched for presentation.</summary>
    public DurationHistogram HandOver { get; } = new();

    /// <summary>From there until it was presented.</summary>
    public DurationHistogram Present { get; } = new();
}
