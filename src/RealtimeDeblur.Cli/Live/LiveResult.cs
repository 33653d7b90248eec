using RealtimeDeblur.Pipeline;

namespace RealtimeDeblur.Cli.Live;

/// <summary>Result of <c>deblur live</c>.</summary>
/// <param name="Source">Where the pictures came from.</param>
/// <param name="Width">Columns of the last picture; 0 if none came.</param>
/// <param name="Height">Rows of the last picture.</param>
/// <param name="Model">The network that ran last.</param>
/// <param name="Device">Where it ran; null if none was opened.</param>
/// <param name="Captured">Frames that came from the source, pauses left out.</param>
/// <param name="Shown">Pictures presented: drawn, or written to the output.</param>
/// <param name="Dropped">Frames that gave way to newer ones.</param>
/// <param name="FramesPerSecond">Pictures presented per second, from the first to the last.</param>
/// <param name="FirstRestoredMs">From the start of the work until the first restored picture was presented; null if none was.</param>
/// <param name="LatencyMs">From capture to presentation.</param>
/// <param name="Stages">Where that time went.</param>
internal sealed record LiveResult(
    string Source, int Width, int Height, string Model, string? Device, long Captured, long Shown, long Dropped, double FramesPerSecond, double? FirstRestoredMs, Duration LatencyMs, LiveStages Stages)
{
    /// <summary>Of a pipeline that has been disposed.</summary>
    public static LiveResult Of(string source, LivePipeline pipeline)
    {
        LiveReport report = pipeline.Report;
        LiveStatus status = pipeline.ReadStatus();
        return new(source, status.Format?.Width ?? 0, status.Format?.Height ?? 0, status.Model, status.Device, report.Captured, report.Shown, report.Dropped, report.FramesPerSecond,
            report.FirstRestored?.TotalMilliseconds, Duration.Of(report.Latency), new(Duration.Of(report.Wait), Duration.Of(report.Restore), Duration.Of(report.HandOver), Duration.Of(report.Present)));
    }

    public void Print(TextWriter text)
    {
        text.WriteLine(FormattableString.Invariant($"{Source}: {Shown} pictures shown, {FramesPerSecond:0.0} per second, {Dropped} of {Captured} frames dropped"));
        if (Shown == 0) return;
        text.WriteLine(FormattableString.Invariant($"  latency   {LatencyMs.Median:0.0} ms from capture to presentation (99 %: {LatencyMs.P99:0.0} ms)"));
        text.WriteLine(FormattableString.Invariant($"  of that   {Stages.Wait.Median:0.0} waiting, {Stages.Restore.Median:0.0} restoring with {Model}, {Stages.HandOver.Median:0.0} handed over, {Stages.Present.Median:0.0} presenting"));
    }
}

/// <summary>Milliseconds per picture of each stage, in the order of the way.</summary>
/// <param name="Wait">From capture until work on the frame began.</param>
/// <param name="Restore">Upload, network, download.</param>
/// <param name="HandOver">From the result until it was fetched for presentation.</param>
/// <param name="Present">From there until it was drawn or written.</param>
internal sealed record LiveStages(Duration Wait, Duration Restore, Duration HandOver, Duration Present);

/// <summary>Milliseconds: the median, and what 99 of 100 do not exceed.</summary>
internal sealed record Duration(double Median, double P99)
{
    public static Duration Of(DurationHistogram histogram) => new(histogram.MedianMs, histogram.P99Ms);
}
