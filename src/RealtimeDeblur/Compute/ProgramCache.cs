using System.IO.Hashing;
using System.Text;

namespace RealtimeDeblur.Compute;

/// <summary>
/// Compiled programs on disk, one file per device, driver, source and options. A file is the XXH128 of key and payload followed by the payload, so that a damaged
/// or misplaced one is noticed before a driver sees it. Nothing here is ever fatal: what cannot be read or written is built again.
/// </summary>
/// <param name="folder">Where the files lie; made on first use. Null keeps nothing.</param>
internal sealed class ProgramCache(string? folder)
{
    private const int DigestBytes = 16;

    /// <summary>Below the user's cache folder, or nowhere when there is none.</summary>
    public static ProgramCache Default { get; } = new(CacheFolder.Below("kernels"));

    /// <summary>Names the file for a program.</summary>
    public static string Key(DeviceInfo device, string source, string options) =>
        Convert.ToHexStringLower(XxHash128.Hash(Encoding.UTF8.GetBytes(string.Join('\0', device.Platform, device.Name, device.Driver, options, source))));

    /// <returns>The stored binary, or null when there is none or it is damaged.</returns>
    public byte[]? Read(string key)
    {
        if (folder is null) return null;
        try
        {
            byte[] file = File.ReadAllBytes(PathOf(key));
            if (file.Length <= DigestBytes) return null;
            ReadOnlySpan<byte> payload = file.AsSpan(DigestBytes);
            return Digest(key, payload).AsSpan().SequenceEqual(file.AsSpan(0, DigestBytes)) ? payload.ToArray() : null;
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            return null;
        }
    }

    /// <summary>Stores a binary under a temporary name and renames it, so that a reader never sees half a file.</summary>
    public void Write(string key, ReadOnlySpan<byte> binary)
    {
        if (folder is null) return;
        string temporary = $"{PathOf(key)}.{Environment.ProcessId}.{Environment.CurrentManagedThreadId}.tmp";
        try
        {
            Directory.CreateDirectory(folder);
            try
            {
                using (FileStream file = File.Create(temporary))
                {
                    file.Write(Digest(key, binary));
                    file.Write(binary);
                }
                File.Move(temporary, PathOf(key), overwrite: true);
            }
            finally
            {
                File.Delete(temporary);     // does nothing after the move
            }
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            // A full or read-only disk costs the next start a second, nothing more.
        }
    }

    private static byte[] Digest(string key, ReadOnlySpan<byte> binary)
    {
        XxHash128 hash = new();
        hash.Append(Encoding.UTF8.GetBytes(key));
        hash.Append(binary);
        return hash.GetCurrentHash();
    }

    private string PathOf(string key) => Path.Combine(folder!, key + ".bin");
}
