namespace RealtimeDeblur.Networks;

/// <summary>Files that appear complete or not at all, whatever stops the program.</summary>
internal static class AtomicFile
{
    /// <summary>Lets <paramref name="write"/> fill a temporary file beside <paramref name="path"/>, flushes it to the disk and gives it its name.</summary>
    /// <param name="path">Replaced where it exists; stays as it was when anything fails.</param>
    /// <param name="write">Writes the contents.</param>
    /// <exception cref="IOException">The file cannot be written.</exception>
    public static void Write(string path, Action<Stream> write)
    {
        if (path.Length == 0) throw new ArgumentException("The name of the file to write is empty.");
        string folder = Path.GetDirectoryName(Path.GetFullPath(path)) ?? throw new IOException($"Cannot write {path}: it is a folder.");
        if (!Directory.Exists(folder)) throw new DirectoryNotFoundException($"Cannot write {path}: there is no folder {folder}.");
        if (Directory.Exists(path)) throw new IOException($"Cannot write {path}: it is a folder.");
        string temporary = Path.Combine(folder, $".{Path.GetFileName(path)}.{Guid.NewGuid():N}.tmp");
        try
        {
            using (FileStream stream = new(temporary, FileMode.CreateNew, FileAccess.Write))
            {
                write(stream);
                stream.Flush(flushToDisk: true);
            }
            File.Move(temporary, path, overwrite: true);
        }
        catch (UnauthorizedAccessException e)
        {
            throw new IOException($"Cannot write {path}: no permission to write to {folder}.", e);
        }
        finally
        {
            File.Delete(temporary);     // does nothing after the move
        }
    }
}
