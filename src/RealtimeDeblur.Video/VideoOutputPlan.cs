using RealtimeDeblur.Imaging;

namespace RealtimeDeblur.Video;

/// <summary>How a restored video is stored: what is encoded, what is taken over as it is, and what gets lost.</summary>
public sealed record VideoOutputPlan
{
    private VideoOutputPlan(MediaStream video, VideoEncoding encoding)
    {
        Video = video;
        Encoding = encoding;
    }

    /// <summary>The stream of the source that is restored.</summary>
    public MediaStream Video { get; }

    /// <summary>How its restored frames are encoded.</summary>
    public VideoEncoding Encoding { get; }

    /// <summary>Streams of the source that become streams 1, 2, … of the output.</summary>
    public IReadOnlyList<MediaStream> Copied { get; private init; } = [];

    /// <summary>Those of them that the container cannot hold as they are: number in the output, and codec.</summary>
    public IReadOnlyList<(int Output, string Codec)> Reencoded { get; private init; } = [];

    /// <summary>What the user should know: streams left out, samples that change.</summary>
    public IReadOnlyList<string> Notes { get; private init; } = [];

    /// <summary>Decides how to store the restored frames of <paramref name="source"/>.</summary>
    /// <param name="source">The file.</param>
    /// <param name="video">Its stream that is restored.</param>
    /// <param name="frames">Format of the restored frames.</param>
    /// <param name="loss">What those could not hold of the stream's samples.</param>
    /// <param name="encoder">Encoder.</param>
    /// <param name="temporaryPath">A path with the output's ending that may be written to for a trial.</param>
    /// <exception cref="InvalidDataException">The container is unknown, or the encoder cannot take the frames.</exception>
    public static VideoOutputPlan Make(MediaInfo source, MediaStream video, FrameFormat frames, string? loss, VideoEncoder encoder, string temporaryPath)
    {
        VideoEncoding encoding = VideoEncoding.Make(video, frames, loss, encoder);
        List<string> notes = [.. encoding.Notes];
        MediaStream[] wanted = [.. source.Streams.Where(stream => stream.Index != video.Index && stream.Kind is not (MediaStreamKind.Video or MediaStreamKind.Data))];
        List<MediaStream> copied = [];
        List<(int, string)> reencoded = [];
        bool allFit = Fits(source, wanted, temporaryPath, out _);
        foreach (MediaStream stream in wanted)
        {
            if (allFit || Fits(source, [stream], temporaryPath, out string cause))
            {
                copied.Add(stream);
            }
            else if (stream.Kind == MediaStreamKind.Audio)
            {
                copied.Add(stream);
                string codec = Path.GetExtension(temporaryPath).Equals(".webm", StringComparison.OrdinalIgnoreCase) ? "libopus" : "aac";
                reencoded.Add((copied.Count, codec));
                notes.Add($"{stream.Label} does not fit into {Path.GetExtension(temporaryPath)} and is converted to {codec}");
            }
            else
            {
                notes.Add($"{stream.Label} is left out ({cause})");
            }
        }
        notes.AddRange(source.Streams.Where(stream => stream.Index != video.Index && stream.Kind is (MediaStreamKind.Video or MediaStreamKind.Data))
            .Select(stream => $"{stream.Label} is left out"));

        return new(video, encoding) { Copied = copied, Reencoded = reencoded, Notes = notes };
    }

    /// <summary>As <see cref="Make(MediaInfo, MediaStream, FrameFormat, string?, VideoEncoder, string)"/>, for frames that come from no file: there is nothing else to store.</summary>
    public static VideoOutputPlan Make(FrameFormat frames, VideoEncoder encoder)
    {
        VideoEncoding encoding = VideoEncoding.Make(frames, encoder);
        return new(new() { Index = 0, Kind = MediaStreamKind.Video, Codec = "rawvideo" }, encoding) { Notes = encoding.Notes };
    }

    /// <summary>Whether the output's container takes the streams unchanged: ffmpeg writes a file with them and no contents.</summary>
    private static bool Fits(MediaInfo source, MediaStream[] streams, string temporaryPath, out string cause)
    {
        cause = "";
        if (streams.Length == 0) return true;
        List<string> arguments = ["-hide_banner", "-v", "error", "-nostdin", "-y", "-i", FfmpegProcess.FileArgument(source.Path)];
        foreach (MediaStream stream in streams) arguments.AddRange(["-map", $"0:{stream.Index}"]);
        arguments.AddRange(["-c", "copy", "-t", "0", FfmpegProcess.FileArgument(temporaryPath)]);
        using FfmpegProcess trial = FfmpegProcess.Start("ffmpeg", arguments);
        bool fits = trial.WaitForExit() == 0;
        if (!fits) cause = $"{Path.GetExtension(temporaryPath)} does not hold it";
        return fits;
    }
}
