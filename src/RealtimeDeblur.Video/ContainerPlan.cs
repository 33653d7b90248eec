using System.Globalization;
using System.Numerics;

namespace RealtimeDeblur.Video;

/// <summary>How the file around a restored video is made: what is taken over as it is, what has to be converted, and what gets lost.</summary>
internal sealed record ContainerPlan
{
    private const long FineClock = 1_000_000;

    private readonly string _extension;

    private ContainerPlan(MediaInfo source, MediaStream video, string extension) => (Source, Video, _extension) = (source, video, extension);

    public MediaInfo Source { get; }

    /// <summary>The stream of the source that is restored; the result takes its place among the others.</summary>
    public MediaStream Video { get; }

    /// <summary>Streams of the source that the result has, in its order, <see cref="Video"/> among them; with the codec for those that the container cannot hold as they are.</summary>
    public IReadOnlyList<(MediaStream Stream, string? Codec)> Streams { get; private init; } = [];

    /// <summary>The rotation that the result asks players for, as ffprobe says it: counterclockwise degrees. 0 where the restored frames stand upright.</summary>
    public int Rotation { get; private init; }

    /// <summary>What the user should know, one clause each.</summary>
    public IReadOnlyList<string> Notes { get; private init; } = [];

    /// <summary>Whether a result can ask players to turn it, so that frames can stay as they are stored: in QuickTime's family, by an ffmpeg up to 5. Later ones give up the option for it, and a picture that lies on its side would be worse than one that was turned.</summary>
    public static bool HoldsRotation(string path) => IsMovie(path) && FfmpegProcess.Version.Split('.')[0].TrimStart('n') is "4" or "5";

    /// <summary>Decides what the result holds.</summary>
    /// <param name="source">The file.</param>
    /// <param name="video">Its stream that is restored.</param>
    /// <param name="keepsRotation">Whether the restored frames lie as they are stored, so that players have to turn them.</param>
    /// <param name="outputPath">The result; its ending chooses the container.</param>
    /// <exception cref="InvalidDataException">ffmpeg does not know the container.</exception>
    public static ContainerPlan Make(MediaInfo source, MediaStream video, bool keepsRotation, string outputPath)
    {
        string extension = Path.GetExtension(outputPath);
        string trialFolder = Directory.CreateTempSubdirectory("deblur-").FullName;
        string trialPath = Path.Combine(trialFolder, "trial" + extension);
        try
        {
            List<string> notes = [];
            List<(MediaStream, string?)> streams = [];
            // QuickTime's chapters are a track of text too, which ffmpeg makes anew of the chapters that it copies.
            MediaStream[] all = [.. source.Streams.Where(stream => stream is not { Kind: MediaStreamKind.Data, Tag: "text" })];
            bool allFit = Fits(source, [.. all.Where(stream => stream.Index != video.Index)], trialPath);
            foreach (MediaStream stream in all)
            {
                if (stream.Index == video.Index || allFit || Fits(source, [stream], trialPath)) streams.Add((stream, null));
                else if (SubstituteFor(stream, extension) is { } codec && Fits(source, [stream], trialPath, codec))
                {
                    streams.Add((stream, codec));
                    notes.Add($"{stream.Label} does not fit into {extension} and is converted to {codec}");
                }
                else notes.Add($"{stream.Label} is left out ({extension} does not hold it)");
            }
            notes.AddRange(streams.Where(kept => kept.Item1 is { Kind: MediaStreamKind.Video } && kept.Item1.Index != video.Index).Select(kept => $"{kept.Item1.Label} stays as it is; --stream {kept.Item1.Index} restores it instead"));
            return new(source, video, extension) { Streams = streams, Notes = notes, Rotation = keepsRotation ? -(int)Math.Round(video.RotationDegrees) : 0 };
        }
        finally
        {
            Directory.Delete(trialFolder, recursive: true);
        }
    }

    /// <summary>ffmpeg's options for the result, after its inputs.</summary>
    /// <param name="restored">Number of the input whose only stream is the restored video.</param>
    /// <param name="original">Number of the input that is the source.</param>
    /// <param name="encoding">How the restored video was encoded.</param>
    /// <param name="isSlice">Whether the source is entered in its middle.</param>
    public List<string> Arguments(int restored, int original, VideoEncoding encoding, bool isSlice)
    {
        List<string> arguments = [];
        // Unless everything is mapped by hand, ffmpeg's own choice is off for some streams and on for others.
        foreach ((MediaStream stream, _) in Streams) arguments.AddRange(["-map", stream.Index == Video.Index ? $"{restored}:v:0" : $"{original}:{stream.Index}"]);
        arguments.AddRange(["-c", "copy", "-copy_unknown", "-map_metadata", $"{original}", "-map_chapters", $"{original}"]);
        for (int i = 0; i < Streams.Count; i++)
        {
            (MediaStream stream, string? codec) = Streams[i];
            arguments.AddRange([$"-map_metadata:s:{i}", $"{original}:s:{stream.Index}"]);
            if (codec is not null) arguments.AddRange([$"-c:{i}", codec]);
            // Sound begins with the slice; what comes before, from the last keyframe on, would be there to be skipped.
            else if (isSlice && stream.Kind == MediaStreamKind.Audio) arguments.AddRange([$"-copypriorss:{i}", "0"]);
            if (stream.Index != Video.Index) continue;
            arguments.AddRange([$"-disposition:{i}", stream.Dispositions.Count > 0 ? string.Join('+', stream.Dispositions) : "0"]);
            arguments.AddRange(encoding.TagArguments($"{i}"));
            // Apple's players know HEVC by this name only.
            if (encoding.Encoder.IsHevc && IsMovie(_extension)) arguments.AddRange([$"-tag:{i}", "hvc1"]);
            if (Rotation != 0) arguments.AddRange([$"-metadata:s:{i}", string.Create(CultureInfo.InvariantCulture, $"rotate={(Rotation + 360) % 360}")]);
        }
        // The timestamps are those of the source already; nothing is to be moved. Streams may be sparse or late.
        arguments.AddRange(["-max_muxing_queue_size", "9999", .. ContainerArguments()]);
        return arguments;
    }

    /// <summary>ffmpeg's options for the container.</summary>
    private IReadOnlyList<string> ContainerArguments()
    {
        switch (_extension.ToLowerInvariant())
        {
            case var movie when IsMovie(movie):
                // The video keeps its clock. Late starts are stored in the film's own, which should express both video and sound.
                long videoClock = CommonClock([Video.TimeBase.Reduced().Denominator, .. Streams.Where(kept => kept.Stream.Kind == MediaStreamKind.Video).Select(kept => (long)kept.Stream.TimeBase.Reduced().Denominator)], Video.TimeBase.Reduced().Denominator);
                int sampleRate = Streams.Select(kept => kept.Stream).FirstOrDefault(stream => stream.Kind == MediaStreamKind.Audio)?.SampleRate ?? 0;
                long filmClock = CommonClock([videoClock, sampleRate], FineClock);
                return ["-video_track_timescale", videoClock.ToString(CultureInfo.InvariantCulture), "-movie_timescale", filmClock.ToString(CultureInfo.InvariantCulture), "-movflags", "+faststart"];
            case ".mkv" or ".webm":
                // Reading Matroska, ffmpeg takes Opus's lead-in off its times; writing, it forgets to put it back.
                return ["-avoid_negative_ts", "disabled", .. Streams.SelectMany((kept, i) => kept.Stream is { Codec: "opus", StartSeconds: < 0 }
                    ? [$"-bsf:{i}", string.Create(CultureInfo.InvariantCulture, $"setts=ts=TS+round({-kept.Stream.StartSeconds}/TB)")] : Array.Empty<string>())];
            case ".ts" or ".m2ts" or ".mts":
                return ["-muxdelay", "0", "-muxpreload", "0"];
            default:
                return [];
        }
    }

    /// <summary>Whether a file is of QuickTime's family.</summary>
    public static bool IsMovie(string path) => Path.GetExtension(path).ToLowerInvariant() is ".mp4" or ".m4v" or ".mov";

    /// <summary>The codec that a stream may be converted to where the container does not hold its own; null if there is none.</summary>
    private static string? SubstituteFor(MediaStream stream, string extension) => (stream.Kind, extension.ToLowerInvariant()) switch
    {
        (MediaStreamKind.Audio, ".webm") => "libopus",
        (MediaStreamKind.Audio, _) => "aac",
        (MediaStreamKind.Subtitle, ".webm") => "webvtt",
        (MediaStreamKind.Subtitle, var movie) when IsMovie(movie) => "mov_text",
        (MediaStreamKind.Subtitle, ".mkv") => "srt",
        _ => null,
    };

    /// <summary>Whether the output's container takes streams: ffmpeg writes a file with them and next to no contents.</summary>
    private static bool Fits(MediaInfo source, IReadOnlyList<MediaStream> streams, string trialPath, string codec = "copy")
    {
        if (streams.Count == 0) return true;
        List<string> arguments = ["-hide_banner", "-v", "error", "-nostdin", "-y", "-i", FfmpegProcess.FileArgument(source.Path)];
        foreach (MediaStream stream in streams) arguments.AddRange(["-map", $"0:{stream.Index}"]);
        arguments.AddRange(["-c", codec, "-copy_unknown", "-t", "0", FfmpegProcess.FileArgument(trialPath)]);
        using FfmpegProcess trial = FfmpegProcess.Start("ffmpeg", arguments);
        return trial.WaitForExit() == 0;
    }

    /// <summary>Ticks per second in which all clocks count whole numbers, if that leaves room for hours.</summary>
    /// <param name="clocks">Ticks per second; those of 0 do not matter.</param>
    /// <param name="otherwise">What to take if it does not.</param>
    private static long CommonClock(IEnumerable<long> clocks, long otherwise)
    {
        const long largest = 10_000_000;
        long common = 1;
        foreach (long clock in clocks.Where(clock => clock > 0))
        {
            common = common / (long)BigInteger.GreatestCommonDivisor(common, clock) * clock;
            if (common > largest) return otherwise;
        }
        return common;
    }
}
