using System.Diagnostics;
using System.Runtime.InteropServices;
using RealtimeDeblur.Tests.Scripts;
using Xunit;

namespace RealtimeDeblur.Tests.Native;

/// <summary>The library for C, with its samples and tests, as CMake builds them. Built when a test first asks; what is up to date stays, so the next run takes seconds.</summary>
internal static class NativeBuild
{
    private static readonly string Checkout = ScriptTests.FindCheckout();
    private static readonly Lazy<string?> Failure = new(Build);

    /// <summary>The build folder. Skips the test without CMake or a C compiler; a build that fails fails it.</summary>
    public static string FolderOrSkip()
    {
        foreach (string tool in (string[])["cmake", "gcc", "make"])
        {
            if (!(Environment.GetEnvironmentVariable("PATH") ?? "").Split(':').Any(folder => File.Exists(Path.Combine(folder, tool)))) Assert.Skip($"{tool} is not installed.");
        }
        if (Failure.Value is { } failure) Assert.Fail(failure);
        return Folder;
    }

    /// <summary>Runs a program to its end; both outputs come together.</summary>
    public static (int ExitCode, string Output) Run(string program, IReadOnlyList<string> arguments, int timeoutSeconds = 600)
    {
        ProcessStartInfo start = new(program, arguments) { WorkingDirectory = Checkout, RedirectStandardOutput = true, RedirectStandardError = true, RedirectStandardInput = true };
        using Process process = Process.Start(start)!;
        process.StandardInput.Close();
        Task<string> stdout = process.StandardOutput.ReadToEndAsync(TestContext.Current.CancellationToken), stderr = process.StandardError.ReadToEndAsync(TestContext.Current.CancellationToken);
        if (!process.WaitForExit(TimeSpan.FromSeconds(timeoutSeconds)))
        {
            process.Kill(entireProcessTree: true);
            process.WaitForExit();
            Assert.Fail($"{program} {string.Join(' ', arguments)} did not end within {timeoutSeconds} s:\n{stdout.GetAwaiter().GetResult()}{stderr.GetAwaiter().GetResult()}");
        }
        return (process.ExitCode, stdout.GetAwaiter().GetResult() + stderr.GetAwaiter().GetResult());
    }

    private static string Folder => Path.Combine(Checkout, "artifacts/native");

    private static string? Build()
    {
        string dotnet = Path.GetFullPath(Path.Combine(RuntimeEnvironment.GetRuntimeDirectory(), "../../../dotnet"));
        foreach (string[] arguments in (string[][])[["-S", Checkout, "-B", Folder, "-DREALTIMEDEBLUR_PROGRAM=OFF", $"-DDOTNET={dotnet}"], ["--build", Folder, "--parallel", "2"]])
        {
            (int exitCode, string output) = Run("cmake", arguments, timeoutSeconds: 900);
            if (exitCode != 0) return $"cmake {string.Join(' ', arguments)} ended with {exitCode}:\n{output}";
        }
        return null;
    }
}
