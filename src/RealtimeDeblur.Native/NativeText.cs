using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;

namespace RealtimeDeblur.Native;

/// <summary>UTF-8 text, ended by a zero, at an address that C may keep as long as this object lives.</summary>
internal sealed unsafe class NativeText(string text)
{
    private static readonly byte* NoText = (byte*)Unsafe.AsPointer(ref MemoryMarshal.GetReference("\0"u8));     // data of the library's file: never moves

    ~NativeText() => Marshal.FreeCoTaskMem((nint)Address);

    public byte* Address { get; } = (byte*)Marshal.StringToCoTaskMemUTF8(text);

    /// <summary>"", valid for ever.</summary>
    public static byte* Empty => NoText;

    /// <summary>Text of C's; null for a null pointer.</summary>
    public static string? Read(byte* text) => Marshal.PtrToStringUTF8((nint)text);

    /// <summary>Writes text into an array of C's, cut where a character ends if it does not fit, always ended by a zero.</summary>
    public static void Write(string text, Span<byte> target)
    {
        System.Text.Unicode.Utf8.FromUtf16(text, target[..^1], out _, out int written);
        target[written..].Clear();
    }
}
