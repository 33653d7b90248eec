using System.Diagnostics;
using System.Globalization;
using Xunit;

namespace RealtimeDeblur.Tests.Preview;

/// <summary>A screen of 1600x1000 pixels in memory, for windows in child processes; nothing of it can be seen. Ends with its disposal.</summary>
internal sealed class XvfbDisplay : IDisposable
{
    private readonly Process _server;

    private XvfbDisplay(Process server, int number)
    {
        _server = server;
        Environment = new Dictionary<string, string>
        {
            ["DISPLAY"] = string.Create(CultureInfo.InvariantCulture, $":{number}"),
            ["WAYLAND_DISPLAY"] = "",
            ["LIBGL_ALWAYS_SOFTWARE"] = "1",      // the same pixels on every machine
        };
    }

    /// <summary>Variables that make a process use it.</summary>
    public Dictionary<string, string> Environment { get; }

    /// <summary>Starts it, or skips the test where Xvfb or xdotool is not installed.</summary>
    public static XvfbDisplay StartOrSkip()
    {
        foreach (string program in (string[])["Xvfb", "xdotool"]) Assert.SkipUnless(IsInstalled(program), $"{program} is not installed (sudo apt-get install {program.ToLowerInvariant()}).");
        // It picks a free number and writes it to its standard output (file 1). Without -noreset it starts anew when its last window closes, and is away meanwhile.
        ProcessStartInfo start = new("Xvfb", ["-displayfd", "1", "-screen", "0", "1600x1000x24", "-nolisten", "tcp", "-noreset"]) { RedirectStandardOutput = true, RedirectStandardError = true };
        Process server = Process.Start(start)!;
        string? number = server.StandardOutput.ReadLine();
        if (number is null) Assert.Fail($"Xvfb did not start: {server.StandardError.ReadToEnd()}");
        // Xvfb says little, but a full pipe must not stop it.
        server.BeginErrorReadLine();
        return new(server, int.Parse(number, CultureInfo.InvariantCulture));
    }

    public void Dispose()
    {
        _server.Kill();
        _server.WaitForExit();
        _server.Dispose();
    }

    private static bool IsInstalled(string program) =>
        (System.Environment.GetEnvironmentVariable("PATH") ?? "").Split(Path.PathSeparator).Any(folder => File.Exists(Path.Combine(folder, program)));
}
