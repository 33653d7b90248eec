using System.Diagnostics;
using Xunit;

namespace RealtimeDeblur.Tests.Video;

/// <summary>ffmpeg and ffprobe as independent makers and judges of clips.</summary>
internal static class Ffmpeg
{
    /// <summary>Runs ffmpeg; a failure fails the test with what it said.</summary>
    /// <param name="arguments">Separated by spaces; no argument contains one.</param>
    public static void Run(string arguments) => Start("ffmpeg", "-hide_banner -v error -nostdin -y " + arguments);

    /// <summary>A picture that moves and has fine detail, of any size, as input arguments.</summary>
    public static string TestPicture(string size, int rate, double seconds) =>
        string.Create(System.Globalization.CultureInfo.InvariantCulture, $"-f lavfi -i testsrc2=s=320x240:r={rate}:d={seconds},scale={size.Replace('x', ':')}");

    /// <summary>A tone, as input arguments.</summary>
    public static string Tone(int hertz, double seconds) => string.Create(System.Globalization.CultureInfo.InvariantCulture, $"-f lavfi -i sine=f={hertz}:d={seconds}");

    /// <summary>A property of a stream, as ffprobe prints it.</summary>
    public static string Property(string path, string stream, string name) => Start("ffprobe", $"-v error -select_streams {stream} -show_entries stream={name} -of default=nw=1:nk=1 {path}").Trim();

    /// <summary>Properties of the first decoded frame of the video, with commas between.</summary>
    public static string FirstFrame(string path, string names) =>
        Start("ffprobe", $"-v error -select_streams v:0 -read_intervals %+#1 -show_entries frame={names} -of csv=p=0 {path}").Split('\n')[0].Trim().TrimEnd(',');

    /// <summary>Presentation times of the decoded frames of a stream in seconds, to the microsecond.</summary>
    public static string[] FrameTimes(string path, string stream = "v:0") =>
        [.. Start("ffprobe", $"-v error -select_streams {stream} -show_entries frame=pts_time -of default=nw=1:nk=1 {path}").Split('\n', StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries)];

    /// <summary>Times and contents of the packets of a stream.</summary>
    public static string PacketHashes(string path, string stream) => Start("ffmpeg", $"-hide_banner -v error -nostdin -copyts -i {path} -map 0:{stream} -c copy -f framehash -hash md5 -");

    /// <summary>MD5 of the contents of all packets of a stream.</summary>
    public static string PacketHash(string path, string stream) => Start("ffmpeg", $"-hide_banner -v error -nostdin -i {path} -map 0:{stream} -c copy -f hash -hash md5 -");

    /// <summary>MD5 of the decoded samples of every frame of a stream, one after another.</summary>
    public static string[] FrameHashes(string path, string stream = "v:0", string options = "") =>
        [.. Start("ffmpeg", $"-hide_banner -v error -nostdin -i {path} -map 0:{stream} -fps_mode passthrough {options} -f framehash -hash md5 -")
            .Split('\n', StringSplitOptions.RemoveEmptyEntries).Where(line => !line.StartsWith('#')).Select(line => line.Split(',')[^1].Trim())];

    /// <summary>Mean PSNR of two videos in dB, over all samples, after conversion to one layout.</summary>
    public static double Psnr(string a, string b, string pixelFormat)
    {
        string log = Path.GetTempFileName();
        try
        {
            Run($"-i {a} -i {b} -lavfi [0:v]format={pixelFormat}[a];[1:v]format={pixelFormat}[b];[a][b]psnr=stats_file={log} -f null -");
            return File.ReadLines(log).Select(line => line.Split(' ').First(field => field.StartsWith("psnr_avg:", StringComparison.Ordinal))["psnr_avg:".Length..])
                .Average(value => value == "inf" ? 100 : double.Parse(value, System.Globalization.CultureInfo.InvariantCulture));
        }
        finally
        {
            File.Delete(log);
        }
    }

    private static string Start(string program, string arguments)
    {
        ProcessStartInfo start = new(program) { RedirectStandardOutput = true, RedirectStandardError = true };
        foreach (string argument in arguments.Split(' ', StringSplitOptions.RemoveEmptyEntries)) start.ArgumentList.Add(argument);
        using Process process = Process.Start(start)!;
        Task<string> errors = process.StandardError.ReadToEndAsync();
        string output = process.StandardOutput.ReadToEnd();
        process.WaitForExit();
        Assert.True(process.ExitCode == 0, $"{program} {arguments}\n{errors.Result}");
        return output;
    }
}
