using System.ComponentModel;
using System.Diagnostics;
using System.Globalization;

namespace RealtimeDeblur.Video.Live;

/// <summary>A camera that is plugged in.</summary>
/// <param name="Path">Its device, e.g. <c>/dev/video0</c>.</param>
/// <param name="Name">What it calls itself.</param>
/// <param name="Modes">What it offers; empty if that is not known.</param>
public sealed record CameraDescription(string Path, string Name, IReadOnlyList<CameraMode> Modes);

/// <summary>The cameras that are plugged in, as the kernel and <c>v4l2-ctl</c> describe them.</summary>
public static class CameraList
{
    private const string SystemFolder = "/sys/class/video4linux";
    private const string DevicePrefix = "/dev/";

    /// <summary>All cameras, by number, with their modes. Devices of which v4l2-ctl knows that they give no pictures are left out.</summary>
    /// <param name="remark">What is missing from the list and why, as a finished sentence; null if nothing is.</param>
    public static IReadOnlyList<CameraDescription> Find(out string? remark)
    {
        remark = null;
        List<CameraDescription> cameras = [];
        foreach (CameraDescription device in Devices(SystemFolder))
        {
            IReadOnlyList<CameraMode>? modes = ModesOf(device.Path);
            // Most cameras have a second device, for what they tell about a picture.
            if (modes is { Count: 0 }) continue;
            if (modes is null) remark = "The cameras' sizes and rates are not known, because v4l2-ctl is not installed (apt-get install v4l-utils).";
            cameras.Add(device with { Modes = modes ?? [] });
        }
        return cameras;
    }

    /// <summary>The devices in the kernel's list, by number, without their modes.</summary>
    /// <param name="folder">The kernel's list; it need not exist.</param>
    internal static IReadOnlyList<CameraDescription> Devices(string folder = SystemFolder)
    {
        const string prefix = "video";
        if (!Directory.Exists(folder)) return [];
        return [.. new DirectoryInfo(folder).EnumerateFileSystemInfos($"{prefix}*")
            .Where(entry => int.TryParse(entry.Name.AsSpan(prefix.Length), NumberStyles.None, CultureInfo.InvariantCulture, out _))
            .OrderBy(entry => int.Parse(entry.Name.AsSpan(prefix.Length), CultureInfo.InvariantCulture))
            .Select(entry => new CameraDescription(DevicePrefix + entry.Name, Line(Path.Combine(entry.FullName, "name")) ?? entry.Name, []))];
    }

    /// <summary>The first device whose name contains a text, capitals or not; null if there is none.</summary>
    internal static string? PathOf(string partOfName, string folder = SystemFolder) =>
        Devices(folder).FirstOrDefault(device => device.Name.Contains(partOfName, StringComparison.OrdinalIgnoreCase))?.Path;

    /// <summary>What a device offers; null if v4l2-ctl is not installed or does not answer.</summary>
    internal static IReadOnlyList<CameraMode>? ModesOf(string device)
    {
        const int patienceMs = 3000;
        ProcessStartInfo start = new("v4l2-ctl", ["--device", device, "--list-formats-ext"]) { RedirectStandardOutput = true, RedirectStandardError = true };
        try
        {
            using Process process = Process.Start(start)!;
            Task<string> listing = process.StandardOutput.ReadToEndAsync();
            Task<string> complaints = process.StandardError.ReadToEndAsync();
            if (!process.WaitForExit(patienceMs) || !Task.WaitAll([listing, complaints], patienceMs))
            {
                process.Kill();
                return null;
            }
            return CameraMode.Parse(listing.Result);
        }
        catch (Win32Exception)
        {
            return null;
        }
    }

    private static string? Line(string path)
    {
        try
        {
            return File.ReadAllText(path).Trim();
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            return null;
        }
    }
}
