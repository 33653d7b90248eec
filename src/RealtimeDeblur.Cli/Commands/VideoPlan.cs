using System.Globalization;
using RealtimeDeblur.Video;

namespace RealtimeDeblur.Cli.Commands;

/// <summary>What would be done with a file.</summary>
internal enum PlannedAction
{
    Restore,

    /// <summary>Its output exists.</summary>
    Skip,

    /// <summary>It cannot be restored.</summary>
    Fail,
}

/// <summary>One file in the result of <c>deblur video --dry-run</c>. What the file does not tell is null.</summary>
/// <param name="Input">As named by the user.</param>
/// <param name="Output">What would be written; null if nothing.</param>
/// <param name="Action">What would be done.</param>
/// <param name="Container">FFmpeg's names of the input's format, with commas.</param>
/// <param name="Video">The stream that would be restored.</param>
/// <param name="DurationSeconds">Length.</param>
/// <param name="Error">Why it cannot be restored and what to do; null if it can.</param>
internal sealed record VideoPlan(string Input, string? Output, PlannedAction Action, string? Container, PlannedStream? Video, double? DurationSeconds, string? Error)
{
    /// <summary>Looks into a file, and changes nothing.</summary>
    /// <param name="input">The video, or standard input.</param>
    /// <param name="output">Where it would be written; null for nowhere.</param>
    /// <param name="isSkipped">Whether it is left out, because its output exists.</param>
    public static VideoPlan Make(string input, string? output, bool isSkipped)
    {
        var plan = new VideoPlan(input, output, isSkipped ? PlannedAction.Skip : PlannedAction.Restore, null, null, null, null);
        if (input == StandardStreams.Path) return plan;
        try
        {
            if (output is not null && PendingFile.IsSameFile(input, output)) throw new IOException($"{output} is the input itself. Name another output with -o.");
            MediaInfo media = VideoProbe.ProbeVideo(input);
            MediaStream video = media.MainVideo!;
            return plan with
            {
                Container = media.Container,
                Video = new(video.Index, video.Codec, video.Width, video.Height, video.FrameRate.IsKnown ? video.FrameRate.Value : null, video.PixelFormat),
                DurationSeconds = video.DurationSeconds ?? media.DurationSeconds,
            };
        }
        catch (Exception e) when (e is IOException or InvalidDataException)
        {
            return isSkipped ? plan : plan with { Action = PlannedAction.Fail, Error = ErrorLine.Describe(e) };
        }
    }

    /// <summary>What people read of it.</summary>
    public IEnumerable<string> Lines()
    {
        yield return VideoCommand.NameOf(Input, StandardStreams.InputName);
        if (Video is not null) yield return $"  input   {Container}, {Video.Describe()}{(DurationSeconds is { } seconds ? $", {TimeSpan.FromSeconds(Math.Round(seconds, 1)):h\\:mm\\:ss\\.f}" : "")}";
        yield return $"  output  {(Output is null ? "none" : VideoCommand.NameOf(Output, StandardStreams.OutputName))}";
        yield return Action switch
        {
            PlannedAction.Skip => "  skip    the output exists; --overwrite replaces it",
            PlannedAction.Fail => $"  fail    {Error}",
            _ => "  restore",
        };
    }
}

/// <summary>The video stream in a <see cref="VideoPlan"/>.</summary>
internal sealed record PlannedStream(int Index, string Codec, int Width, int Height, double? FrameRate, string? PixelFormat)
{
    public string Describe() => string.Create(CultureInfo.InvariantCulture, $"stream {Index}: {Codec}, {Width}x{Height}{(FrameRate is { } rate ? $", {rate:0.###} frames/s" : "")}{(PixelFormat is null ? "" : $", {PixelFormat}")}");
}
