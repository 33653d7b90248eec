using System.Diagnostics;
using System.Runtime.InteropServices;
using System.Text.RegularExpressions;

namespace RealtimeDeblur.Video;

/// <summary>
/// One run of ffmpeg or ffprobe: its pipes, the lines it wrote to stderr, and the one among them that tells the user why it failed.
/// Disposal kills it if it still runs.
/// </summary>
internal sealed partial class FfmpegProcess : IDisposable
{
    /// <summary>Lines kept of what may be a flood: the first ones name the cause.</summary>
    private const int MaxErrorLines = 200;

    private const int SigInt = 2;

    /// <summary>Exit codes above this one stand for signals.</summary>
    private const int SignalExit = 128;

    private static readonly Lazy<string> InstalledVersion = new(() =>
    {
        using FfmpegProcess ffmpeg = Start("ffmpeg", ["-version"], pipeOutput: true);
        using var reader = new StreamReader(ffmpeg.Output);
        string[] words = reader.ReadToEnd().Split(' ', 4);
        return words.Length > 2 ? words[2] : "unknown";
    });

    private readonly Process _process;
    private readonly List<string> _errorLines = [];
    private readonly Lock _lock = new();

    private FfmpegProcess(Process process)
    {
        _process = process;
        process.ErrorDataReceived += (_, line) => KeepErrorLine(line.Data);
        process.Start();
        process.BeginErrorReadLine();
    }

    /// <summary>Stdout of the process as raw bytes.</summary>
    public Stream Output => _process.StandardOutput.BaseStream;

    /// <summary>Stdin of the process as raw bytes; closing it tells the process that there is no more.</summary>
    public Stream Input => _process.StandardInput.BaseStream;

    /// <summary>What went wrong, cleaned of addresses and component names; complete after <see cref="WaitForExit"/>.</summary>
    public IReadOnlyList<string> ErrorLines
    {
        get
        {
            lock (_lock) return [.. _errorLines];
        }
    }

    /// <summary>The line that names the cause best, or a substitute when the process said nothing.</summary>
    public string Cause
    {
        get
        {
            IReadOnlyList<string> lines = ErrorLines;
            // The system's own words come late, after the components that could not go on; other causes come first.
            return lines.FirstOrDefault(line => line.Contains("No space left on device", StringComparison.Ordinal)) is not null ? "no space is left on the device"
                : lines.FirstOrDefault(line => line.Contains("Permission denied", StringComparison.Ordinal)) is not null ? "permission denied"
                // That a connection ended says less than what followed from it.
                : lines.FirstOrDefault(line => !line.StartsWith("Stream ends prematurely", StringComparison.Ordinal)) is { } first ? first.TrimEnd('.', ' ')
                : _process.HasExited && _process.ExitCode > SignalExit ? $"it was ended by signal {_process.ExitCode - SignalExit}"
                : "it gave no reason";
        }
    }

    /// <summary>Whether it complained that its output could not be finished: it returns 0 for some such files.</summary>
    public bool FailedToWrite => ErrorLines.Any(line => line.StartsWith("Error writing trailer", StringComparison.Ordinal) || line.StartsWith("Error closing file", StringComparison.Ordinal)
        || line.StartsWith("av_interleaved_write_frame()", StringComparison.Ordinal) || line.Contains("No space left on device", StringComparison.Ordinal));

    /// <summary>Starts a program whose stdin, stdout, both or none are pipes to us.</summary>
    /// <param name="program"><c>ffmpeg</c> or <c>ffprobe</c>, searched in PATH.</param>
    /// <param name="arguments">As they are; no quoting.</param>
    /// <param name="pipeInput">Whether <see cref="Input"/> is used.</param>
    /// <param name="pipeOutput">Whether <see cref="Output"/> is used.</param>
    /// <exception cref="FileNotFoundException">The program is not installed.</exception>
    public static FfmpegProcess Start(string program, IEnumerable<string> arguments, bool pipeInput = false, bool pipeOutput = false)
    {
        string path = FindInPath(program) ?? throw new FileNotFoundException($"{program} was not found. Install it (apt-get install ffmpeg) or put its folder on PATH.");
        // In a session of its own: Ctrl-C on a terminal reaches every process in the foreground, but only we may end this one.
        string? ownSession = FindInPath("setsid");
        var start = new ProcessStartInfo(ownSession ?? path)
        {
            RedirectStandardInput = pipeInput,
            RedirectStandardOutput = pipeOutput,
            RedirectStandardError = true,
        };
        // SVT-AV1 writes a page about itself to stderr otherwise.
        start.Environment["SVT_LOG"] = "1";
        if (ownSession is not null) start.ArgumentList.Add(path);
        foreach (string argument in arguments) start.ArgumentList.Add(argument);
        var process = new FfmpegProcess(new Process { StartInfo = start });
        if (pipeInput) PipeSize.Enlarge(process.Input);
        if (pipeOutput) PipeSize.Enlarge(process.Output);
        return process;
    }

    /// <summary>Version of the installed ffmpeg, as it says it: "5.1.6-0+deb12u1".</summary>
    /// <exception cref="FileNotFoundException">It is not installed.</exception>
    public static string Version => InstalledVersion.Value;

    /// <summary>How a file is named to ffmpeg, so that no character in it has a meaning.</summary>
    public static string FileArgument(string path) => "file:" + Path.GetFullPath(path);

    /// <summary>Waits for the process and for the last line it wrote.</summary>
    /// <returns>Its exit code.</returns>
    public int WaitForExit()
    {
        _process.WaitForExit();
        return _process.ExitCode;
    }

    /// <summary>Ends the process at once; no error if it has ended.</summary>
    public void Kill()
    {
        try
        {
            _process.Kill();
        }
        catch (InvalidOperationException)
        {
            // It ended in the meantime.
        }
    }

    /// <summary>Asks ffmpeg to stop reading and to finish its output.</summary>
    public void Interrupt()
    {
        // Fails if it ended in the meantime, which is as good.
        if (!_process.HasExited) _ = SendSignal(_process.Id, SigInt);
    }

    public void Dispose()
    {
        Kill();
        _process.WaitForExit();
        _process.Dispose();
    }

    private void KeepErrorLine(string? line)
    {
        if (line is null) return;
        string clean = FilePrefix().Replace(ComponentPrefix().Replace(line.Trim(), ""), "");
        if (clean.Length == 0 || clean.StartsWith("Conversion failed", StringComparison.Ordinal) || clean.StartsWith("Last message repeated", StringComparison.Ordinal)) return;
        lock (_lock)
        {
            if (_errorLines.Count < MaxErrorLines) _errorLines.Add(clean);
        }
    }

    private static string? FindInPath(string program) => (Environment.GetEnvironmentVariable("PATH") ?? "")
        .Split(Path.PathSeparator, StringSplitOptions.RemoveEmptyEntries)
        .Select(folder => Path.Combine(folder, program))
        .FirstOrDefault(File.Exists);

    [LibraryImport("libc", EntryPoint = "kill")]
    [DefaultDllImportSearchPaths(DllImportSearchPath.SafeDirectories)]
    private static partial int SendSignal(int process, int signal);

    [GeneratedRegex(@"^(\[[^\]]* @ 0x[0-9a-f]+\] ?)+")]
    private static partial Regex ComponentPrefix();

    [GeneratedRegex(@"^(Error opening input: |file:[^:]*: )")]
    private static partial Regex FilePrefix();
}
