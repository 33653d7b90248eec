using System.Runtime.InteropServices;
using System.Text;

namespace RealtimeDeblur.Native;

/// <summary>Writes to stderr as C does. <see cref="Console"/> would take hold of the host's terminal and signals.</summary>
internal static unsafe partial class StandardError
{
    public static void WriteLine(string line)
    {
        byte[] text = Encoding.UTF8.GetBytes(line + "\n");
        fixed (byte* p = text) _ = Write(2, p, (nuint)text.Length);     // a message that cannot be written is lost
    }

    [LibraryImport("libc", EntryPoint = "write")]
    private static partial nint Write(int file, byte* text, nuint bytes);
}
