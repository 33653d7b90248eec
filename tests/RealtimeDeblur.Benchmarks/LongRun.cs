using System.CommandLine;
using System.Diagnostics;
using System.Globalization;

namespace RealtimeDeblur.Benchmarks;

/// <summary>
/// Memory of <c>deblur video</c> over hours: a clip of ten seconds, repeated, is restored by the program itself, and its resident memory is read from /proc meanwhile. What grows with the length of a video shows
/// as a difference between the first minute and the end. The ffmpegs beside it, which live for one segment or decode, are not counted.
/// </summary>
internal static class LongRun
{
    private const int ClipSeconds = 10;

    private static readonly string[] FastOptions = ["--model", "tiny-camera", "--encoder", "mpeg4"];

    /// <summary>By then kernels are built, pools filled and code compiled.</summary>
    private static readonly TimeSpan WarmUp = TimeSpan.FromMinutes(1);

    private static readonly TimeSpan Interval = TimeSpan.FromSeconds(1);

    private static readonly TimeSpan LineInterval = TimeSpan.FromMinutes(5);

    public static Command Create()
    {
        Option<double> hours = new("--hours") { Description = "Length of the video.", DefaultValueFactory = _ => 2 };
        Option<string> size = new("--size") { Description = "Frame size.", DefaultValueFactory = _ => "640x360" };
        Option<string> program = new("--program") { Description = "deblur, built.", DefaultValueFactory = _ => "./deblur" };
        Argument<string[]> options = new("OPTIONS") { Description = $"Options of deblur video, after --. Without any: {string.Join(' ', FastOptions)}", Arity = ArgumentArity.ZeroOrMore };
        Command command = new("long-run", "Resident memory of deblur video after its first minute and at the end of a long video.") { hours, size, program, options };
        command.SetAction(parsed =>
        {
            string folder = Directory.CreateTempSubdirectory("deblur-long-run-").FullName;
            try
            {
                return Measure(folder, parsed.GetValue(hours), parsed.GetValue(size)!, parsed.GetValue(program)!, parsed.GetValue(options) is { Length: > 0 } given ? given : FastOptions);
            }
            finally
            {
                Directory.Delete(folder, recursive: true);
            }
        });
        return command;
    }

    private static int Measure(string folder, double hours, string size, string program, string[] options)
    {
        string clip = Path.Combine(folder, "clip.mkv"), video = Path.Combine(folder, "long.mkv");
        int repeats = (int)Math.Ceiling(hours * 3600 / ClipSeconds) - 1;
        Ffmpeg($"-f lavfi -i testsrc2=s={size}:r=25:d={ClipSeconds} -f lavfi -i sine=d={ClipSeconds} -c:v libx264 -preset veryfast -c:a aac {clip}");
        Ffmpeg($"-stream_loop {repeats} -i {clip} -c copy {video}");

        using Process deblur = Process.Start(program, ["video", video, "-o", Path.Combine(folder, "restored.mkv"), .. options]);
        long start = Stopwatch.GetTimestamp(), first = 0, last = 0;
        TimeSpan nextLine = WarmUp;
        while (!deblur.WaitForExit(Interval))
        {
            TimeSpan elapsed = Stopwatch.GetElapsedTime(start);
            // A process that is at its end has none any more.
            if (ResidentKibibytes(deblur.Id) is not { } resident) continue;
            last = resident;
            if (elapsed < nextLine) continue;
            if (first == 0) first = last;
            Console.WriteLine(string.Create(CultureInfo.InvariantCulture, $"{elapsed.TotalMinutes:0} min: {last / 1024.0:0.0} MiB resident"));
            nextLine = elapsed < LineInterval ? LineInterval : nextLine + LineInterval;
        }
        TimeSpan whole = Stopwatch.GetElapsedTime(start);
        Console.WriteLine(string.Create(CultureInfo.InvariantCulture, $"{hours:0.###} h of {size} in {whole.TotalMinutes:0.0} min; at the end {last / 1024.0:0.0} MiB resident")
            + (first > 0 ? string.Create(CultureInfo.InvariantCulture, $", after the first minute {first / 1024.0:0.0} MiB: {100.0 * last / first - 100:+0.0;-0.0} %") : "; it was done within a minute"));
        return deblur.ExitCode;
    }

    private static long? ResidentKibibytes(int process)
    {
        try
        {
            return File.ReadLines($"/proc/{process}/status").FirstOrDefault(line => line.StartsWith("VmRSS:", StringComparison.Ordinal)) is { } line
                ? long.Parse(line.Split(' ', StringSplitOptions.RemoveEmptyEntries)[^2], CultureInfo.InvariantCulture) : null;
        }
        catch (IOException)
        {
            return null;
        }
    }

    private static void Ffmpeg(string arguments)
    {
        using Process ffmpeg = Process.Start("ffmpeg", $"-v error -nostdin -y {arguments}".Split(' '));
        ffmpeg.WaitForExit();
        if (ffmpeg.ExitCode != 0) throw new InvalidOperationException($"ffmpeg {arguments} ended with {ffmpeg.ExitCode}.");
    }
}
