using System.Globalization;

namespace RealtimeDeblur.Video.Segments;

/// <summary>The segments of a video, joined without being encoded again, and everything else of the source around them.</summary>
internal static class VideoJoin
{
    private const double Million = 1e6;

    /// <summary>Writes a file. Blocks until it is on the disk.</summary>
    /// <param name="segments">Files of the segments that have frames, in order, at least one; and the timestamp of the first frame of each, with what it counts in.</param>
    /// <param name="plan">What else the result holds.</param>
    /// <param name="encoding">How they were encoded.</param>
    /// <param name="listPath">A file that may be written, for ffmpeg.</param>
    /// <param name="path">The file; replaced if it exists.</param>
    /// <param name="shownPath">What messages call it.</param>
    /// <param name="startSeconds">Where the result begins on the source's clock, which becomes its 0; null keeps the clock and takes everything from the beginning.</param>
    /// <param name="endSeconds">Where it ends; null takes everything to the end.</param>
    /// <param name="cancellation">Gives up.</param>
    /// <exception cref="IOException">ffmpeg could not do it; the message says why.</exception>
    /// <exception cref="OperationCanceledException">Cancelled.</exception>
    public static void Run(IReadOnlyList<(string Path, long FirstTimestamp, Rational TimeBase)> segments, ContainerPlan plan, VideoEncoding encoding, string listPath, string path, string shownPath, double? startSeconds, double? endSeconds, CancellationToken cancellation)
    {
        // ffmpeg puts each file where the one before ends, and finds out by itself where a file begins, which is not always where its first frame is shown. Said where every file begins, and that it lasts until
        // the next one begins, they stay where they are; the time of the first is taken off all, and put back on all. A microsecond more, and seeking the beginning never fails for rounding.
        long[] starts = [.. segments.Select(segment => StartMicroseconds(segment.Path, segment.FirstTimestamp + SegmentSink.LeadOf(segment.TimeBase), segment.TimeBase) + 1)];
        double firstSeconds = (StartMicroseconds(segments[0].Path, segments[0].FirstTimestamp, segments[0].TimeBase) + 1) / Million;
        List<string> list = ["ffconcat version 1.0"];
        for (int i = 0; i < segments.Count; i++)
        {
            list.Add($"file {Path.GetFileName(segments[i].Path)}");
            list.Add($"inpoint {Seconds(starts[i] / Million)}");
            if (i + 1 < segments.Count) list.Add($"duration {Seconds((starts[i + 1] - starts[i]) / Million)}");
        }
        File.WriteAllLines(listPath, list);

        List<string> arguments = ["-hide_banner", "-v", "error", "-nostdin", "-y"];
        double fileStart = plan.Source.StartSeconds ?? 0;
        // A slice begins at 0, and ffmpeg takes the time to which it seeks off the source by itself.
        if (startSeconds is null) arguments.Add("-copyts");
        arguments.AddRange(["-itsoffset", Seconds(firstSeconds - (startSeconds ?? 0)), "-f", "concat", "-safe", "0", "-i", FfmpegProcess.FileArgument(listPath)]);
        if (startSeconds - fileStart is > 0 and { } seek) arguments.AddRange(["-ss", Seconds(seek)]);
        if (endSeconds is { } end) arguments.AddRange(["-t", Seconds(Math.Max(end - (startSeconds ?? fileStart), 1 / Million))]);
        arguments.AddRange(["-i", FfmpegProcess.FileArgument(plan.Source.Path), .. plan.Arguments(restored: 0, original: 1, encoding, isSlice: startSeconds is not null), FfmpegProcess.FileArgument(path)]);

        using FfmpegProcess join = FfmpegProcess.Start("ffmpeg", arguments);
        using (cancellation.Register(join.Kill))
        {
            int exitCode = join.WaitForExit();
            cancellation.ThrowIfCancellationRequested();
            if (exitCode != 0 || join.FailedToWrite)
            {
                throw !File.Exists(plan.Source.Path) ? new FileNotFoundException($"{plan.Source.Path} is gone, and with it the sound and everything else that belongs into {shownPath}. Bring it back.")
                    : new IOException($"{shownPath}: ffmpeg could not write it ({join.Cause}). Free space, choose another place with -o, or another encoder.");
            }
        }
        WorkFolder.FlushToDisk(path);
    }

    /// <summary>When a segment begins, as ffmpeg reads it: Matroska counts milliseconds.</summary>
    private static long StartMicroseconds(string path, long timestamp, Rational timeBase) => Path.GetExtension(path) == ".mkv" ? timeBase.In(1000, timestamp) * 1000 : timeBase.In(1_000_000, timestamp);

    private static string Seconds(double seconds) => seconds.ToString("0.000000", CultureInfo.InvariantCulture);
}
