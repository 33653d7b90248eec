using System.Globalization;
using RealtimeDeblur.Compute;

namespace RealtimeDeblur.Native;

/// <summary>Devices that are open. Deblurrers of one process share them, and they stay open without any, so that the next deblurrer finds its kernels built.</summary>
internal static class SharedDevices
{
    private static readonly Dictionary<int, Entry> Open = [];     // Also the lock.

    /// <summary>Takes a device; given back by disposing the lease.</summary>
    /// <param name="selector">As for <see cref="ComputeDevice.Open"/>.</param>
    /// <exception cref="OpenClException">No device matches, or it could not be opened.</exception>
    public static Lease Take(string? selector)
    {
        lock (Open)
        {
            DeviceInfo[] devices = [.. ComputeDevice.List()];
            int index = selector is null ? 0 : ComputeDevice.Find(devices, selector);
            if (index < 0 || index >= devices.Length || !Open.TryGetValue(index, out Entry? entry))
            {
                // Where nothing matches this says so.
                ComputeDevice device = ComputeDevice.Open(index >= 0 ? index.ToString(CultureInfo.InvariantCulture) : selector);
                entry = new(device);
                Open.Add(device.Info.Index, entry);
                Log.Write(LogLevel.Info, $"Opened {device.Info.Name} ({device.Info.Platform}).");
            }
            entry.Users++;
            return new(entry);
        }
    }

    /// <summary>Closes those that nobody uses.</summary>
    public static void CloseIdle()
    {
        lock (Open)
        {
            foreach (Entry entry in Open.Values.Where(entry => entry.Users == 0).ToArray()) Close(entry);
        }
    }

    private static void Close(Entry entry)
    {
        Open.Remove(entry.Device.Info.Index);
        entry.Device.Dispose();
        Log.Write(LogLevel.Info, $"Closed {entry.Device.Info.Name}.");
    }

    /// <summary>One user's hold on a device.</summary>
    internal sealed class Lease(Entry entry)
    {
        public ComputeDevice Device => entry.Device;

        /// <summary>Gives the device back, once.</summary>
        /// <param name="isBroken">It failed: it is closed if nobody else uses it, so that it is opened afresh for the next.</param>
        public void Return(bool isBroken = false)
        {
            lock (Open)
            {
                entry.Users--;
                if (isBroken && entry.Users == 0) Close(entry);
            }
        }
    }

    internal sealed class Entry(ComputeDevice device)
    {
        public ComputeDevice Device { get; } = device;

        public int Users { get; set; }
    }
}
