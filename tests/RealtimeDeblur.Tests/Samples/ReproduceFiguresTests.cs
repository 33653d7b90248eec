using System.Diagnostics;
using System.Runtime.InteropServices;
using System.Runtime.Versioning;
using RealtimeDeblur.Tests.Scripts;
using RealtimeDeblur.Tests.Training.Data;
using Xunit;

namespace RealtimeDeblur.Tests.Samples;

/// <summary>The script that makes the README's figures, in its short form; without the benchmarks of other programs, which are a build of their own.</summary>
[SupportedOSPlatform("linux")]
public sealed class ReproduceFiguresTests
{
    [Fact]
    public void Script_Quick_MakesEveryFigureAndTable()
    {
        TestDevice.SkipWithoutDevice();
        using TestPictures pictures = new();
        foreach (string name in (string[])["one/a.png", "one/b.png", "two/c.png"]) pictures.Add(name, 96, 80);
        string output = pictures.PathTo("figures");
        (string stderr, int exitCode) = Run(pictures, "--quick", pictures.Sharp, output);
        Assert.True(exitCode == 0, stderr);
        foreach (string file in (string[])["report.html", "quality.md", "quality.json", "bench.txt", "before-after.jpg", "demo.txt", "programs.txt"])
        {
            Assert.True(new FileInfo(Path.Combine(output, file)) is { Exists: true, Length: > 0 }, $"{file}: {stderr}");
        }
        string quality = File.ReadAllText(Path.Combine(output, "quality.md"));
        foreach (string expected in (string[])["one, gaussian degradation, disc blur, 2 pictures", "two, camera degradation, gaussian blur, 1 picture", "| fast (auto) |", "| wiener:ratio=best (given) |"]) Assert.Contains(expected, quality, StringComparison.Ordinal);
        Assert.True(File.Exists(Path.Combine(output, "live.jpg")) || stderr.Contains("needs Xvfb", StringComparison.Ordinal), stderr);
    }

    [Fact]
    public void Script_NoSuchFolder_SaysSo()
    {
        using TestPictures pictures = new();
        (string stderr, int exitCode) = Run(pictures, pictures.PathTo("nowhere"));
        Assert.Equal(1, exitCode);
        Assert.StartsWith("There is no folder", stderr, StringComparison.Ordinal);
    }

    private static (string Stderr, int ExitCode) Run(TestPictures pictures, params string[] arguments)
    {
        string program = pictures.PathTo("deblur");
        string dotnet = Path.GetFullPath(Path.Combine(RuntimeEnvironment.GetRuntimeDirectory(), "../../../dotnet"));
        File.WriteAllText(program, $"#!/bin/sh\nexec '{dotnet}' '{Path.Combine(AppContext.BaseDirectory, "deblur.dll")}' \"$@\"\n");
        File.SetUnixFileMode(program, UnixFileMode.UserRead | UnixFileMode.UserExecute);
        ProcessStartInfo start = new("bash", [Path.Combine(ScriptTests.FindCheckout(), "samples/reproduce-figures/reproduce"), .. arguments])
        {
            RedirectStandardOutput = true,
            RedirectStandardError = true,
            WorkingDirectory = pictures.Root,
        };
        start.Environment["DEBLUR"] = program;
        start.Environment["BENCHMARKS"] = "echo";
        using Process process = Process.Start(start)!;
        Task<string> stderr = process.StandardError.ReadToEndAsync(TestContext.Current.CancellationToken);
        process.StandardOutput.ReadToEnd();
        process.WaitForExit();
        return (stderr.GetAwaiter().GetResult(), process.ExitCode);
    }
}
