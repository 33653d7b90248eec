using System.Diagnostics;
using Xunit;

namespace RealtimeDeblur.Tests.Native;

/// <summary>How a program of others' ended that had our plugin loaded.</summary>
internal sealed record HostResult(string CommandLine, int ExitCode, string Stdout, string Stderr)
{
    public override string ToString() => $"'{CommandLine}' ended with {ExitCode}\nstdout: {Stdout}\nstderr: {Stderr}";
}

/// <summary>Runs ffmpeg, GStreamer's and MLT's programs with our plugins in their search path.</summary>
internal static class HostProgram
{
    private const int PatienceSeconds = 90;

    /// <summary>Skips the test where a program is missing.</summary>
    public static void Require(string program, string package)
    {
        if (Find(program) is null) Assert.Skip($"{program} is missing (Debian package {package}).");
    }

    public static string? Find(string program) =>
        (Environment.GetEnvironmentVariable("PATH") ?? "").Split(':').Select(folder => Path.Combine(folder, program)).FirstOrDefault(File.Exists);

    /// <summary>Runs a program to a successful end.</summary>
    public static HostResult Run(string program, params IEnumerable<string> arguments)
    {
        HostResult result = Try(program, arguments);
        Assert.True(result.ExitCode == 0, result.ToString());
        return result;
    }

    /// <summary>
    /// Runs a program to its end, whatever that is. One that does not come to it gets a second try: gst-launch-1.0 of 1.22 now and then waits for ever with all its threads idle,
    /// after an error of any element, or when a short film ends before it plays.
    /// </summary>
    public static HostResult Try(string program, params IEnumerable<string> arguments) =>
        RunToEnd(program, arguments) ?? RunToEnd(program, arguments) ?? throw new InvalidOperationException($"'{program} {string.Join(' ', arguments)}' did not end within {PatienceSeconds} s, twice.");

    private static HostResult? RunToEnd(string program, IEnumerable<string> arguments)
    {
        ProcessStartInfo start = new(program, arguments) { RedirectStandardOutput = true, RedirectStandardError = true, WorkingDirectory = Path.GetTempPath() };
        foreach ((string name, string value) in InstalledPlugins.Environment) start.Environment[name] = value;
        using Process process = Process.Start(start)!;
        Task<string> stdout = process.StandardOutput.ReadToEndAsync(), stderr = process.StandardError.ReadToEndAsync();
        bool ended = process.WaitForExit(TimeSpan.FromSeconds(PatienceSeconds));
        if (!ended) process.Kill(entireProcessTree: true);
        HostResult result = new($"{program} {string.Join(' ', arguments)}", ended ? process.ExitCode : -1, stdout.GetAwaiter().GetResult(), stderr.GetAwaiter().GetResult());
        return ended ? result : null;
    }
}
