using System.Globalization;

namespace RealtimeDeblur.Cli;

/// <summary>The file of --log: one entry per line, each behind the time in UTC; what continues an entry is indented. Safe for use from several threads.</summary>
internal sealed class RunLog : IDisposable
{
    private readonly Lock _lock = new();
    private readonly StreamWriter _file;
    private readonly TimeProvider _time;

    /// <summary>Opens the file; what is in it stays.</summary>
    /// <exception cref="IOException">It cannot be written.</exception>
    public RunLog(string path, TimeProvider time)
    {
        _time = time;
        try
        {
            _file = new(new FileStream(path, FileMode.Append, FileAccess.Write, FileShare.ReadWrite)) { AutoFlush = true };
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new IOException($"Cannot write the log {path}: {e.Message.TrimEnd('.')}. Choose another place with --log.", e);
        }
        AppDomain.CurrentDomain.UnhandledException += WriteUnhandled;
    }

    public void Write(string text)
    {
        string time = _time.GetUtcNow().ToString("yyyy-MM-dd'T'HH:mm:ss'Z'", CultureInfo.InvariantCulture);
        lock (_lock)
        {
            try
            {
                _file.WriteLine($"{time} {text.TrimEnd().ReplaceLineEndings("\n    ")}");
            }
            catch (IOException)
            {
                // A full disk must not end the work that the log is about. It comes out again when the log is closed.
            }
        }
    }

    public void Dispose()
    {
        AppDomain.CurrentDomain.UnhandledException -= WriteUnhandled;
        lock (_lock) _file.Dispose();
    }

    private void WriteUnhandled(object sender, UnhandledExceptionEventArgs end) => Write($"Ended by {end.ExceptionObject}");
}
