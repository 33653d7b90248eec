using System.Runtime.InteropServices;
using System.Text;
using Microsoft.Win32.SafeHandles;

namespace RealtimeDeblur.Video.Live;

/// <summary>A path under which a camera, or a FIFO in its place, is to be found: opened without waiting, only to see what it is. Disposal closes it.</summary>
internal sealed unsafe partial class VideoDevice : IDisposable
{
    private const int ReadOnly = 0, NonBlocking = 0x800, CloseOnExec = 0x80000;     // O_*, asm-generic/fcntl.h
    private const int NoEntry = 2, NoSuchDevice = 6, AccessDenied = 13, Busy = 16, NoDevice = 19;      // E*, asm-generic/errno-base.h
    private const int GetPipeSize = 1032;       // F_GETPIPE_SZ, linux/fcntl.h
    private const short Readable = 1;           // POLLIN

    // linux/videodev2.h: VIDIOC_QUERYCAP and offsets in struct v4l2_capability.
    private const nuint QueryCapabilities = 0x80685600;
    private const int CapabilityBytes = 104, CardOffset = 16, CardBytes = 32, AllCapabilitiesOffset = 84, DeviceCapabilitiesOffset = 88;
    private const uint VideoCapture = 0x1, VideoOutput = 0x2, VideoCapturePlanes = 0x1000, VideoOutputPlanes = 0x2000, HasDeviceCapabilities = 0x80000000;

    private readonly SafeFileHandle _file;

    private VideoDevice(SafeFileHandle file) => _file = file;

    /// <summary>Opens it.</summary>
    /// <param name="path">The path.</param>
    /// <param name="name">What messages call it.</param>
    /// <param name="missing">What to say when there is no such device.</param>
    /// <exception cref="IOException">It is missing, may not be used, or is busy; the message says which and what to do.</exception>
    public static VideoDevice Open(string path, string name, string missing)
    {
        SafeFileHandle file = OpenFile(path, ReadOnly | NonBlocking | CloseOnExec);
        if (!file.IsInvalid)
        {
            var device = new VideoDevice(file);
            device.Identify();
            return device;
        }
        int error = Marshal.GetLastPInvokeError();
        file.Dispose();
        throw new IOException(error switch
        {
            NoEntry or NoSuchDevice or NoDevice => missing,
            AccessDenied => $"{name} may not be used: {path} belongs to others. Add yourself to its group (sudo usermod -aG video $USER) and log in again.",
            Busy => $"{name} is in use by another program. Close that program.",
            _ => $"{name} cannot be opened: {path}: {Marshal.GetPInvokeErrorMessage(error)}. Unplug it and plug it in again.",
        });
    }

    /// <summary>Whether it is a FIFO.</summary>
    public bool IsPipe { get; private set; }

    /// <summary>Whether pictures can be read from it.</summary>
    public bool IsCamera { get; private set; }

    /// <summary>Whether pictures can be written to it.</summary>
    public bool IsOutput { get; private set; }

    /// <summary>What the device calls itself; empty if it is none.</summary>
    public string Card { get; private set; } = "";

    /// <summary>Waits until there is something to read.</summary>
    /// <exception cref="OperationCanceledException">Cancelled.</exception>
    public void WaitForData(CancellationToken cancellation)
    {
        // Short turns, because nothing else wakes it.
        const int turnMs = 20;
        var entry = new PollEntry { File = (int)_file.DangerousGetHandle(), Events = Readable };
        while (Poll(&entry, 1, turnMs) <= 0 || (entry.Returned & Readable) == 0)
        {
            // Without a writer, poll returns at once when there was one before.
            if (cancellation.WaitHandle.WaitOne(entry.Returned != 0 ? turnMs : 0)) throw new OperationCanceledException(cancellation);
        }
    }

    public void Dispose() => _file.Dispose();

    private void Identify()
    {
        IsPipe = ControlFile(_file, GetPipeSize, 0) >= 0;
        byte* capability = stackalloc byte[CapabilityBytes];
        if (ControlDevice(_file, QueryCapabilities, capability) != 0) return;
        uint capabilities = *(uint*)(capability + AllCapabilitiesOffset);
        // The device at hand, not what else belongs to the same hardware.
        if ((capabilities & HasDeviceCapabilities) != 0) capabilities = *(uint*)(capability + DeviceCapabilitiesOffset);
        IsCamera = (capabilities & (VideoCapture | VideoCapturePlanes)) != 0;
        IsOutput = (capabilities & (VideoOutput | VideoOutputPlanes)) != 0;
        Card = Encoding.UTF8.GetString(capability + CardOffset, CardBytes).TrimEnd('\0');
    }

    private struct PollEntry
    {
        public int File;
        public short Events;
        public short Returned;
    }

    [LibraryImport("libc", EntryPoint = "open", SetLastError = true, StringMarshalling = StringMarshalling.Utf8)]
    [DefaultDllImportSearchPaths(DllImportSearchPath.SafeDirectories)]
    private static partial SafeFileHandle OpenFile(string path, int flags);

    [LibraryImport("libc", EntryPoint = "fcntl")]
    [DefaultDllImportSearchPaths(DllImportSearchPath.SafeDirectories)]
    private static partial int ControlFile(SafeFileHandle file, int command, int argument);

    [LibraryImport("libc", EntryPoint = "ioctl")]
    [DefaultDllImportSearchPaths(DllImportSearchPath.SafeDirectories)]
    private static partial int ControlDevice(SafeFileHandle file, nuint request, byte* argument);

    [LibraryImport("libc", EntryPoint = "poll")]
    [DefaultDllImportSearchPaths(DllImportSearchPath.SafeDirectories)]
    private static partial int Poll(PollEntry* entries, nuint count, int timeoutMs);
}
