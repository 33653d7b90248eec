using System.Diagnostics;
using Xunit;

namespace RealtimeDeblur.Tests.Video.Live;

/// <summary>A screen without a monitor (Xvfb).</summary>
internal sealed class XServer : IDisposable
{
    private readonly Process _process;

    private XServer(Process process, string display)
    {
        _process = process;
        Display = display;
    }

    /// <summary>What X11 programs call it.</summary>
    public string Display { get; }

    /// <summary>Starts one, on a number that is free; skips the test where Xvfb is not installed.</summary>
    /// <param name="size">Columns and rows, <c>640x480</c>.</param>
    public static XServer StartOrSkip(string size)
    {
        Assert.SkipUnless(File.Exists("/usr/bin/Xvfb"), "Xvfb is not installed (apt-get install xvfb).");
        // It writes the number it chose to the descriptor it is given.
        ProcessStartInfo start = new("Xvfb", ["-displayfd", "1", "-screen", "0", $"{size}x24", "-nolisten", "tcp"]) { RedirectStandardOutput = true, RedirectStandardError = true };
        Process process = Process.Start(start)!;
        process.ErrorDataReceived += (_, _) => { };
        process.BeginErrorReadLine();
        return new(process, $":{process.StandardOutput.ReadLine()}");
    }

    public void Dispose()
    {
        _process.Kill();
        _process.WaitForExit();
        _process.Dispose();
    }
}
