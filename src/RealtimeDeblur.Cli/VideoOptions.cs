using System.CommandLine;
using RealtimeDeblur.Video;

namespace RealtimeDeblur.Cli;

/// <summary>The options of <c>deblur video</c> that say which part of a file is restored, by whom, and how it is shown.</summary>
internal static class VideoOptions
{
    public static Option<bool> Resume() => new("--resume") { Description = "Go on with files that an earlier run left unfinished, with the same settings: at most a few seconds of work are lost, whatever stopped it." };

    public static Option<Shard?> Shard()
    {
        const string Example = "--shard must be NUMBER/COUNT, e.g. 3/16, or auto for array jobs of Slurm and indexed jobs of Kubernetes.";
        return new("--shard")
        {
            Description = "Do one share of the work, e.g. 3/16, where several machines share it on one file system: long files are divided too, and whoever is done last joins the pieces. auto takes the share from an array job of Slurm or an indexed job of Kubernetes. Start a share that was lost once more, and it goes on.",
            HelpName = "NUMBER/COUNT|auto",
            CustomParser = result =>
            {
                string text = result.Tokens[0].Value;
                if (Video.Shard.TryParse(text, out Shard shard)) return shard;
                if (!text.Equals("auto", StringComparison.OrdinalIgnoreCase)) result.AddError(Example);
                else
                {
                    try
                    {
                        return Video.Shard.FromScheduler(Environment.GetEnvironmentVariable);
                    }
                    catch (InvalidOperationException e)
                    {
                        result.AddError(e.Message);
                    }
                }
                return null;
            },
        };
    }

    public static Option<int?> Stream() => new("--stream") { Description = "Number of the video stream to restore, from 0 as ffprobe counts. Without it the largest one that moves.", HelpName = "NUMBER" };

    public static Option<TimeSpan?> Start() => Time("--start", "Restore from this time on, e.g. 90, 1:30 or 0:01:30.5. The result begins at 0.");

    public static Option<TimeSpan?> Duration() => Time("--duration", "Restore this much, e.g. 20s or 1:30.");

    public static Option<TimeSpan?> Preview() => Time("--preview", "Restore only so much, e.g. 10s, from the middle of each file or from --start on, into NAME-preview: a look before the whole.");

    public static Option<VideoComparison> Compare() => new("--compare")
    {
        Description = "Show the original too: left half original and right half restored (split), or the whole pictures side by side (side).",
        HelpName = "none|split|side",
        DefaultValueFactory = _ => VideoComparison.None,
    };

    public static Option<string?> CompareWith() => new("--compare-with")
    {
        Description = "With --compare, show what another method makes of the video in place of the original: a filter as for --method, or a network as for --model.",
        HelpName = "METHOD",
    };

    /// <summary>A time within a video.</summary>
    public static Option<TimeSpan?> Time(string name, string description) => new(name)
    {
        Description = description,
        HelpName = "TIME",
        CustomParser = result =>
        {
            if (MediaTime.TryParse(result.Tokens[0].Value, out TimeSpan time)) return time;
            result.AddError($"{name} must be a time, e.g. 90, 10s, 1:30 or 0:01:30.5.");
            return null;
        },
    };
}
