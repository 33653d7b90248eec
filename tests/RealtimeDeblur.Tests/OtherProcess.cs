using System.Globalization;
using System.Runtime.InteropServices;
using Xunit;

namespace RealtimeDeblur.Tests;

/// <summary>Signals by their numbers on Linux.</summary>
public enum Signal
{
    Interrupt = 2,
    Kill = 9,
    Terminate = 15,
    Continue = 18,
    Stop = 19,
}

/// <summary>A process of this machine, which the test need not have started: the ffmpeg of a program, for example. It is found by what its command line or environment names.</summary>
/// <param name="Id">Its number.</param>
/// <param name="CommandLine">Arguments, with spaces between them.</param>
internal readonly record struct OtherProcess(int Id, string CommandLine)
{
    /// <summary>Processes that run, or are stopped, and whose command lines have all the texts in them.</summary>
    public static OtherProcess[] Find(params string[] texts) => [.. All("cmdline").Where(process => texts.All(text => process.CommandLine.Contains(text, StringComparison.Ordinal)))];

    /// <summary>Numbers of the processes that have a variable of this value, except this one.</summary>
    public static int[] FindByVariable(string name, string value) => [.. All("cmdline").Select(process => process.Id).Where(id => Variable(id, name) == value)];

    /// <summary>Waits until there is one whose command line has all the texts in it; fails the test if none comes.</summary>
    /// <param name="timeoutSeconds">How long.</param>
    /// <param name="texts">What to look for.</param>
    public static OtherProcess WaitFor(int timeoutSeconds, params string[] texts)
    {
        OtherProcess[] found = [];
        Assert.True(SpinWait.SpinUntil(() => (found = Find(texts)).Length > 0, TimeSpan.FromSeconds(timeoutSeconds)), $"No process with '{string.Join("' and '", texts)}' in its command line came within {timeoutSeconds} s.");
        return found[0];
    }

    /// <summary>Sends a signal; nothing happens if the process has ended.</summary>
    public static void Send(int id, Signal signal) => _ = Kill(id, (int)signal);

    /// <inheritdoc cref="Send(int, Signal)"/>
    public void Send(Signal signal) => Send(Id, signal);

    /// <summary>Whether it was stopped and waits to be continued.</summary>
    public bool IsStopped => StatusOf(Id) is ['T', ..];

    /// <summary>The process that started another one; 0 if that has ended.</summary>
    public static int ParentOf(int id) => StatusOf(id) is { } status ? int.Parse(status.Split(' ')[1], CultureInfo.InvariantCulture) : 0;

    /// <summary>Value of a variable in the environment of a process; null without one.</summary>
    public static string? Variable(int id, string name) => Read(id, "environ")?.Split('\0').FirstOrDefault(entry => entry.StartsWith($"{name}=", StringComparison.Ordinal))?[(name.Length + 1)..];

    /// <summary>What /proc says behind the program's name, which may hold anything: state, parent, ...; null if there is no such process.</summary>
    private static string? StatusOf(int id) => Read(id, "stat") is { } text ? text[(text.LastIndexOf(')') + 2)..] : null;

    private static IEnumerable<OtherProcess> All(string file)
    {
        foreach (string folder in Directory.EnumerateDirectories("/proc"))
        {
            // One that has ended and was not waited for has no command line.
            if (int.TryParse(Path.GetFileName(folder), out int id) && id != Environment.ProcessId && Read(id, file) is { Length: > 0 } text) yield return new(id, text.Replace('\0', ' ').TrimEnd());
        }
    }

    private static string? Read(int id, string file)
    {
        try
        {
            return File.ReadAllText($"/proc/{id}/{file}");
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            return null;    // it ended, or is another user's
        }
    }

    [DllImport("libc", EntryPoint = "kill")]
    [DefaultDllImportSearchPaths(DllImportSearchPath.SafeDirectories)]
    private static extern int Kill(int process, int signal);
}
