namespace RealtimeDeblur.Video;

/// <summary>
/// A file in the making: written under a hidden temporary name in the folder where it belongs, renamed when complete, deleted otherwise.
/// Nobody ever sees half a file under its final name.
/// </summary>
public sealed class PendingFile : IDisposable
{
    private readonly string _finalPath;
    private bool _settled;

    /// <summary>Creates the temporary file, empty, and the folder if it is missing.</summary>
    /// <param name="path">Final path.</param>
    /// <param name="overwrite">Whether a file of that name may be replaced.</param>
    /// <exception cref="IOException">The name is taken, or nothing can be written there.</exception>
    public PendingFile(string path, bool overwrite)
    {
        _finalPath = Path.GetFullPath(path);
        if (Directory.Exists(_finalPath)) throw new IOException($"{path} is a folder. Name a file.");
        if (!overwrite && File.Exists(_finalPath)) throw new IOException($"{path} exists. Add --overwrite to replace it, or choose another name with -o.");
        string folder = Path.GetDirectoryName(_finalPath)!;
        TemporaryPath = Path.Combine(folder, $".{Path.GetFileNameWithoutExtension(_finalPath)}-{Guid.NewGuid().ToString("N")[..8]}{Path.GetExtension(_finalPath)}");
        try
        {
            Directory.CreateDirectory(folder);
            using FileStream created = new(TemporaryPath, FileMode.CreateNew);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new IOException($"Cannot write to {folder}: {e.Message.TrimEnd('.')}. Choose another place with -o.", e);
        }
    }

    /// <summary>Where to write. The ending is that of the final name.</summary>
    public string TemporaryPath { get; }

    /// <summary>Gives the finished file its name.</summary>
    public void Commit() => CommitAs(_finalPath);

    /// <summary>Gives the file another name in the same folder, replacing what has it.</summary>
    public void CommitAs(string path)
    {
        File.Move(TemporaryPath, path, overwrite: true);
        _settled = true;
    }

    /// <summary>Deletes the file unless it was committed.</summary>
    public void Dispose()
    {
        if (_settled) return;
        _settled = true;
        File.Delete(TemporaryPath);
    }

    /// <summary>Whether two paths lead to the same file, through links or not. Neither has to exist.</summary>
    public static bool IsSameFile(string a, string b) => RealPath(a) == RealPath(b);

    private static string RealPath(string path)
    {
        string real = Path.GetPathRoot(Path.GetFullPath(path))!;
        foreach (string part in Path.GetFullPath(path).Split(Path.DirectorySeparatorChar, StringSplitOptions.RemoveEmptyEntries))
        {
            real = Path.Combine(real, part);
            FileSystemInfo entry = Directory.Exists(real) ? new DirectoryInfo(real) : new FileInfo(real);
            if (entry.LinkTarget is not null) real = entry.ResolveLinkTarget(returnFinalTarget: true)!.FullName;
        }
        return real;
    }
}
