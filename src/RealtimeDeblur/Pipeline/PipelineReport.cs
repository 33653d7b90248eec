namespace RealtimeDeblur.Pipeline;

/// <summary>How far a running pipeline has come.</summary>
/// <param name="Frames">Frames delivered to the sink.</param>
/// <param name="Timestamp">Presentation time of the last one, in units of the source's time base.</param>
/// <param name="Elapsed">Time since the pipeline started.</param>
public readonly record struct PipelineProgress(long Frames, long Timestamp, TimeSpan Elapsed);

/// <summary>What a pipeline did and where its time went. A stage's time does not include waiting for its neighbours.</summary>
public sealed class PipelineReport
{
    /// <summary>Frames delivered to the sink.</summary>
    public long Frames { get; internal set; }

    /// <summary>From start to the sink's completion.</summary>
    public TimeSpan Elapsed { get; internal set; }

    /// <summary>From start until the sink had taken the first frame; zero before that.</summary>
    public TimeSpan FirstFrame { get; internal set; }

    /// <summary>Frames written over the time since the start.</summary>
    public double FramesPerSecond => Elapsed > TimeSpan.Zero ? Frames / Elapsed.TotalSeconds : 0;

    /// <summary>Median of the sigmas with which frames were restored, or that were estimated where they passed unchanged, in pixels; null where the network is not conditioned on sigma.</summary>
    public float? MedianSigma => Sigmas.Median;

    /// <summary>Time the source took per frame.</summary>
    public DurationHistogram Read { get; } = new();

    /// <summary>Time from a frame's submission to the device until its result was collected; overlaps with that of the frames around it.</summary>
    public DurationHistogram Restore { get; } = new();

    /// <summary>Time the sink took per frame.</summary>
    public DurationHistogram Write { get; } = new();

    /// <summary>Time from <see cref="Imaging.Frame.CapturedAt"/> until the sink had taken the frame.</summary>
    public DurationHistogram Latency { get; } = new();

    internal SigmaHistogram Sigmas { get; } = new();

    /// <summary>Takes over what another pipeline did after this one.</summary>
    internal void Add(PipelineReport next)
    {
        if (Frames == 0) FirstFrame = Elapsed + next.FirstFrame;
        Frames += next.Frames;
        Elapsed += next.Elapsed;
        Read.Add(next.Read);
        Restore.Add(next.Restore);
        Write.Add(next.Write);
        Latency.Add(next.Latency);
        Sigmas.Add(next.Sigmas);
    }
}
