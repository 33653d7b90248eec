using System.Diagnostics;
using System.Runtime.InteropServices;
using System.Text;
using System.Text.Json;
using Xunit;

namespace RealtimeDeblur.Tests.Cli;

/// <summary>
/// Runs the built program in a process of its own, with its output captured. Both streams are redirected, so the program writes plain lines.
/// <code>
/// CliResult result = CliProcess.Run(["video", "notes.mp4", "-o", output]);
/// Assert.Contains("notes.mp4", result.FailureLine);
/// </code>
/// </summary>
internal sealed class CliProcess : IDisposable
{
    private static readonly string Dotnet = Path.GetFullPath(Path.Combine(RuntimeEnvironment.GetRuntimeDirectory(), "../../../dotnet"));

    private readonly Process _process;
    private readonly StringBuilder _stdout = new();
    private readonly StringBuilder _stderr = new();
    private readonly string _commandLine;

    private CliProcess(string program, IReadOnlyList<string> arguments, IReadOnlyDictionary<string, string?>? environment, string? workingDirectory)
    {
        _commandLine = $"{program} {string.Join(' ', arguments)}";
        ProcessStartInfo start = new(Dotnet)
        {
            WorkingDirectory = workingDirectory ?? Path.GetTempPath(),
            RedirectStandardInput = true,
            RedirectStandardOutput = true,
            RedirectStandardError = true,
            StandardOutputEncoding = Encoding.UTF8,
            StandardErrorEncoding = Encoding.UTF8,
        };
        start.ArgumentList.Add(Path.Combine(AppContext.BaseDirectory, $"{program}.dll"));
        foreach (string argument in arguments) start.ArgumentList.Add(argument);
        foreach ((string name, string? value) in environment ?? new Dictionary<string, string?>()) start.Environment[name] = value;
        _process = new Process { StartInfo = start };
        _process.OutputDataReceived += (_, line) => Append(_stdout, line.Data);
        _process.ErrorDataReceived += (_, line) => Append(_stderr, line.Data);
        _process.Start();
        _process.StandardInput.Close();
        _process.BeginOutputReadLine();
        _process.BeginErrorReadLine();
    }

    /// <summary>The program as the beginning of a shell's command line.</summary>
    public static string InShell => $"'{Dotnet}' '{Path.Combine(AppContext.BaseDirectory, "deblur.dll")}'";

    public int Id => _process.Id;

    public bool HasExited => _process.HasExited;

    /// <summary>What the process has written to stderr so far.</summary>
    public string StderrSoFar
    {
        get
        {
            lock (_stderr) return _stderr.ToString();
        }
    }

    /// <summary>Runs the program to its end.</summary>
    /// <param name="arguments">Command and options.</param>
    /// <param name="environment">Variables to set, or with null to remove, on top of the test's own.</param>
    /// <param name="workingDirectory">Current directory; the temporary folder if not given.</param>
    /// <param name="timeoutSeconds">After this long the process is killed and the test fails with what it had written.</param>
    public static CliResult Run(IReadOnlyList<string> arguments, IReadOnlyDictionary<string, string?>? environment = null, string? workingDirectory = null, int timeoutSeconds = 180)
    {
        using CliProcess process = Start(arguments, environment, workingDirectory);
        return process.Wait(timeoutSeconds);
    }

    /// <summary>Runs another program that lies beside the tests, such as a sample, to its end.</summary>
    public static CliResult RunProgram(string program, IReadOnlyList<string> arguments)
    {
        using CliProcess process = new(program, arguments, environment: null, workingDirectory: null);
        return process.Wait();
    }

    /// <summary>Starts the program and returns. The caller disposes it, which kills it if it still runs.</summary>
    public static CliProcess Start(IReadOnlyList<string> arguments, IReadOnlyDictionary<string, string?>? environment = null, string? workingDirectory = null) =>
        new("deblur", arguments, environment, workingDirectory);

    /// <summary>Sends what Ctrl-C sends.</summary>
    public void Interrupt() => OtherProcess.Send(_process.Id, Signal.Interrupt);

    /// <summary>Sends it a signal, and none to the processes that it started.</summary>
    public void Send(Signal signal) => OtherProcess.Send(_process.Id, signal);

    /// <summary>Kills it, but not the processes that it started, and waits for its end; these may still hold its outputs.</summary>
    public void KillAlone()
    {
        Send(Signal.Kill);
        Assert.True(SpinWait.SpinUntil(() => _process.HasExited, TimeSpan.FromSeconds(30)), $"'{_commandLine}' cannot be killed.");
    }

    /// <summary>Waits until the process has written <paramref name="text"/> to stderr.</summary>
    public void WaitForStderr(string text, int timeoutSeconds = 120)
    {
        Assert.True(
            SpinWait.SpinUntil(() => StderrSoFar.Contains(text, StringComparison.Ordinal) || _process.HasExited, TimeSpan.FromSeconds(timeoutSeconds)) && StderrSoFar.Contains(text, StringComparison.Ordinal),
            $"'{_commandLine}' did not write '{text}' to stderr, but: {StderrSoFar}");
    }

    /// <summary>Waits for the end of the process.</summary>
    public CliResult Wait(int timeoutSeconds = 180)
    {
        if (!_process.WaitForExit(TimeSpan.FromSeconds(timeoutSeconds)))
        {
            _process.Kill(entireProcessTree: true);
            Assert.Fail($"'{_commandLine}' did not end within {timeoutSeconds} s. stderr: {StderrSoFar}");
        }
        _process.WaitForExit();
        return new(_commandLine, _process.ExitCode, _stdout.ToString(), _stderr.ToString());
    }

    public void Dispose()
    {
        if (!_process.HasExited) _process.Kill(entireProcessTree: true);
        _process.Dispose();
    }

    private static void Append(StringBuilder text, string? line)
    {
        if (line is null) return;
        lock (text) text.Append(line).Append('\n');
    }
}

/// <summary>How a run of the program ended and what it wrote.</summary>
internal sealed record CliResult(string CommandLine, int ExitCode, string Stdout, string Stderr)
{
    /// <summary>The one line that a failed run (exit code 1) prints on stderr; fails the test if it is not exactly one, or if anything went to stdout.</summary>
    public string FailureLine => SingleLine(expectedExitCode: 1);

    /// <summary>The one line that wrong usage (exit code 2) prints on stderr.</summary>
    public string UsageLine => SingleLine(expectedExitCode: 2);

    /// <summary>The last line on stderr of a failed run, for commands that report progress before they fail.</summary>
    public string LastLineOfFailure
    {
        get
        {
            Assert.True(ExitCode == 1, $"Exit code 1 expected: {this}");
            return Stderr.TrimEnd('\n').Split('\n')[^1];
        }
    }

    /// <summary>The object that --json printed; fails the test if the run failed, or if stdout holds anything but one object.</summary>
    public JsonElement Json
    {
        get
        {
            Assert.True(ExitCode == 0, $"Exit code 0 expected: {this}");
            using JsonDocument document = JsonDocument.Parse(Stdout);
            Assert.Equal(JsonValueKind.Object, document.RootElement.ValueKind);
            return document.RootElement.Clone();
        }
    }

    /// <summary>What a failing test shows.</summary>
    public override string ToString() => $"'{CommandLine}' ended with {ExitCode}\nstdout: {Stdout}\nstderr: {Stderr}";

    private string SingleLine(int expectedExitCode)
    {
        Assert.True(ExitCode == expectedExitCode, $"Exit code {expectedExitCode} expected: {this}");
        Assert.True(Stdout.Length == 0, $"Nothing expected on stdout: {this}");
        string line = Assert.Single(Stderr.TrimEnd('\n').Split('\n'));
        Assert.False(string.IsNullOrWhiteSpace(line), $"A line expected on stderr: {this}");
        return line;
    }
}
