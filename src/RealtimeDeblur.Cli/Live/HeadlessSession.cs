using System.Globalization;
using RealtimeDeblur.Imaging;
using RealtimeDeblur.Pipeline;

namespace RealtimeDeblur.Cli.Live;

/// <summary>Live pictures without a window: every one goes to all outputs, and counts as presented once the slowest has it.</summary>
internal static class HeadlessSession
{
    /// <summary>So often the end of the run is looked for while no picture comes.</summary>
    private static readonly TimeSpan Look = TimeSpan.FromMilliseconds(50);

    /// <summary>Runs until it is cancelled.</summary>
    /// <param name="run">The invocation.</param>
    /// <param name="pipeline">Started.</param>
    /// <param name="outputs">Completed at the end. The caller disposes them.</param>
    /// <param name="title">What the progress display says.</param>
    /// <param name="end">Ends it.</param>
    /// <exception cref="IOException">The source will not come, or an output failed.</exception>
    public static void Run(Invocation run, LivePipeline pipeline, IReadOnlyList<IFrameSink> outputs, string title, CancellationToken end)
    {
        FramePool? copies = null;
        using ProgressDisplay progress = run.StartProgress(title, "pictures", total: null);
        try
        {
            while (!end.IsCancellationRequested)
            {
                if (!pipeline.TryTake(Look, out LivePicture? taken)) continue;
                using LivePicture picture = taken;
                foreach (IFrameSink output in outputs) output.Write(LiveOutput.CopyOf(picture.Restored, ref copies));
                pipeline.Presented(picture);
                if (pipeline.Report.Shown % 15 == 0) progress.Report(pipeline.Report.Shown, Describe(pipeline.ReadStatus()));
            }
        }
        finally
        {
            progress.Report(pipeline.Report.Shown);
            copies?.Dispose();
        }
        foreach (IFrameSink output in outputs) output.Complete();
    }

    private static string Describe(LiveStatus status) => string.Create(CultureInfo.InvariantCulture,
        $"{status.Model}, {status.Latency.Median:0} ms late, {status.Dropped} dropped{(status.IsSharp ? ", sharp" : status.Sigma is { } sigma ? $", sigma {sigma:0.0}" : "")}");
}
