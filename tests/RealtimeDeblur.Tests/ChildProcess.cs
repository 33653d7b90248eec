using System.Diagnostics;
using System.Runtime.InteropServices;
using Xunit;

namespace RealtimeDeblur.Tests;

/// <summary>
/// Runs an explicit test (<c>[Fact(Explicit = true)]</c>) of this assembly in a process of its own: one that may crash, or that needs another driver.
/// </summary>
internal static class ChildProcess
{
    private static readonly string Dotnet = Path.GetFullPath(Path.Combine(RuntimeEnvironment.GetRuntimeDirectory(), "../../../dotnet"));

    /// <summary>Runs the tests and gives what the process wrote to stderr; fails if they did not run and pass.</summary>
    /// <param name="testClass">Class of the explicit tests; all of them run.</param>
    /// <param name="environment">Variables to set on top of the test's own.</param>
    /// <param name="timeoutSeconds">After this long the process is killed and the test fails.</param>
    public static string RunExplicitTests(Type testClass, IReadOnlyDictionary<string, string> environment, int timeoutSeconds)
    {
        string[] arguments = ["exec", typeof(ChildProcess).Assembly.Location, "-class", testClass.FullName!, "-explicit", "only", "-noColor", "-parallelMode", "none"];
        ProcessStartInfo start = new(Dotnet, arguments) { RedirectStandardOutput = true, RedirectStandardError = true };
        foreach ((string name, string value) in environment) start.Environment[name] = value;
        using Process process = Process.Start(start)!;
        Task<string> stdout = process.StandardOutput.ReadToEndAsync(TestContext.Current.CancellationToken);
        Task<string> stderr = process.StandardError.ReadToEndAsync(TestContext.Current.CancellationToken);
        if (!process.WaitForExit(TimeSpan.FromSeconds(timeoutSeconds)))
        {
            process.Kill(entireProcessTree: true);
            process.WaitForExit();
            Assert.Fail($"{testClass.Name} did not end within {timeoutSeconds} s:\n{stdout.GetAwaiter().GetResult()}{stderr.GetAwaiter().GetResult()}");
        }
        string output = stdout.GetAwaiter().GetResult() + stderr.GetAwaiter().GetResult();
        Assert.True(process.ExitCode == 0, $"{testClass.Name} ended with {process.ExitCode} in its own process:\n{output}");
        Assert.True(output.Contains("Failed: 0, Skipped: 0", StringComparison.Ordinal) && !output.Contains("Total: 0", StringComparison.Ordinal), $"{testClass.Name} did not run in its own process:\n{output}");
        return stderr.GetAwaiter().GetResult();
    }
}
