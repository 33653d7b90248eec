using System.Diagnostics;
using Xunit;

namespace RealtimeDeblur.Tests;

/// <summary>A file system with hardly any room, unmounted on disposal.</summary>
internal sealed class SmallDisk : IDisposable
{
    private readonly string _path;

    private SmallDisk(string path) => _path = path;

    /// <summary>Mounts one at a path. The test is skipped where that is not allowed.</summary>
    public static SmallDisk MountOrSkip(string path, int kibibytes)
    {
        Directory.CreateDirectory(path);
        if (Run("mount", "-t", "tmpfs", "-o", $"size={kibibytes}k", "tmpfs", path) != 0) Assert.Skip("Mounting a small file system takes root.");
        return new(path);
    }

    public void Dispose() => Run("umount", _path);

    private static int Run(string program, params string[] arguments)
    {
        using Process process = Process.Start(new ProcessStartInfo(program, arguments) { RedirectStandardError = true })!;
        process.WaitForExit();
        return process.ExitCode;
    }
}
