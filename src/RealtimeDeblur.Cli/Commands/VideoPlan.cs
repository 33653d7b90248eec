using System.Globalization;
using RealtimeDeblur.Restoration;
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
/// <param name="DurationSeconds">Length of what would be restored.</param>
/// <param name="Encoder">FFmpeg's name.</param>
/// <param name="PixelFormat">FFmpeg's name of the layout that would be encoded.</param>
/// <param name="Notes">What would be different in the output.</param>
/// <param name="Begun">What an earlier run left; null if nothing.</param>
/// <param name="Error">Why it cannot be restored and what to do; null if it can.</param>
internal sealed record VideoPlan(string Input, string? Output, PlannedAction Action, string? Container, PlannedStream? Video, double? DurationSeconds, string? Encoder, string? PixelFormat, IReadOnlyList<string> Notes, string? Begun, string? Error)
{
    /// <summary>Looks into a file, and changes nothing.</summary>
    /// <param name="input">The video, or standard input.</param>
    /// <param name="output">Where it would be written; null for nowhere.</param>
    /// <param name="isSkipped">Whether it is left out, because its output exists.</param>
    /// <param name="method">What would restore it.</param>
    /// <param name="options">How.</param>
    public static VideoPlan Make(string input, string? output, bool isSkipped, RestorationMethod method, VideoRestorationOptions options)
    {
        var plan = new VideoPlan(input, output, isSkipped ? PlannedAction.Skip : PlannedAction.Restore, null, null, null, null, null, [], null, null);
        if (input == StandardStreams.Path || isSkipped) return plan;
        try
        {
            using var restoration = new VideoRestoration(input, output, options);
            VideoRestorationPlan found = restoration.Plan(method);
            return plan with
            {
                Container = found.Source.Container,
                Video = new(found.Video.Index, found.Video.Codec, found.Video.Width, found.Video.Height, found.Video.FrameRate.IsKnown ? found.Video.FrameRate.Value : null, found.Video.PixelFormat),
                DurationSeconds = restoration.DurationSeconds,
                Encoder = found.Encoder,
                PixelFormat = found.PixelFormat,
                Notes = found.Notes,
                Begun = found.Begun,
                Action = found.Obstacle is null ? PlannedAction.Restore : PlannedAction.Fail,
                Error = found.Obstacle,
            };
        }
        catch (Exception e) when (e is IOException or InvalidDataException or ArgumentException)
        {
            return plan with { Action = PlannedAction.Fail, Error = ErrorLine.Describe(e) };
        }
    }

    /// <summary>What people read of it.</summary>
    public IEnumerable<string> Lines()
    {
        yield return VideoCommand.NameOf(Input, StandardStreams.InputName);
        if (Video is not null) yield return $"  input   {Container}, {Video.Describe()}{(DurationSeconds is { } seconds ? $", {TimeSpan.FromSeconds(Math.Round(seconds, 1)):h\\:mm\\:ss\\.f}" : "")}";
        yield return $"  output  {(Output is null ? "none" : VideoCommand.NameOf(Output, StandardStreams.OutputName))}{(Encoder is null ? "" : $", {Encoder}, {PixelFormat}")}";
        foreach (string note in Notes) yield return $"  note    {note}";
        yield return Action switch
        {
            PlannedAction.Skip => "  skip    the output exists; --overwrite replaces it",
            PlannedAction.Fail => $"  fail    {Error}",
            _ => Begun is null ? "  restore" : $"  resume  {Begun}",
        };
    }
}

/// <summary>The video stream in a <see cref="VideoPlan"/>.</summary>
internal sealed record PlannedStream(int Index, string Codec, int Width, int Height, double? FrameRate, string? PixelFormat)
{
    public string Describe() => string.Create(CultureInfo.InvariantCulture, $"stream {Index}: {Codec}, {Width}x{Height}{(FrameRate is { } rate ? $", {rate:0.###} frames/s" : "")}{(PixelFormat is null ? "" : $", {PixelFormat}")}");
}
