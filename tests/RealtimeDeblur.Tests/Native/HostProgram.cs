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

    /// <summary>Runs a program to its end, whatever that is; one that takes longer than three minutes fails the test.</summary>
    public static HostResult Try(string program, params IEnumerable<string> arguments)
    {
        ProcessStartInfo start = new(program, arguments) { RedirectStandardOutput = true, RedirectStandardError = true, WorkingDirectory = Path.GetTempPath() };
        foreach ((string name, string value) in InstalledPlugins.Environment) start.Environment[name] = value;
        using Process process = Process.Start(start)!;
        Task<string> stdout = process.StandardOutput.ReadToEndAsync(), stderr = process.StandardError.ReadToEndAsync();
        if (!process.WaitForExit(TimeSpan.FromMinutes(3)))
        {
            process.Kill(entireProcessTree: true);
            Assert.Fail($"'{program} {string.Join(' ', arguments)}' did not end within three minutes:\n{stdout.GetAwaiter().GetResult()}{stderr.GetAwaiter().GetResult()}");
        }
        return new($"{program} {string.Join(' ', arguments)}", process.ExitCode, stdout.GetAwaiter().GetResult(), stderr.GetAwaiter().GetResult());
    }
}
