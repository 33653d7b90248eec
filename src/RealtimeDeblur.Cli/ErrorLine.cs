using System.Text.RegularExpressions;

namespace RealtimeDeblur.Cli;

/// <summary>The options fit the syntax but not each other, or not the input. The message says which and how it is done right.</summary>
internal sealed class UsageException(string message) : Exception(message);

/// <summary>Turns an exception into the single line that the user reads on stderr.</summary>
internal static partial class ErrorLine
{
    private static bool HasColor => !Console.IsErrorRedirected && string.IsNullOrEmpty(Environment.GetEnvironmentVariable("NO_COLOR")) && Environment.GetEnvironmentVariable("TERM") is not (null or "dumb");

    public static void Write(Exception error, bool verbose)
    {
        Write(Describe(error));
        if (verbose) Console.Error.WriteLine(error);
    }

    /// <summary>Prints one line, red on a terminal.</summary>
    public static void Write(string line) => Console.Error.WriteLine(HasColor ? $"\e[31m{line}\e[0m" : line);

    /// <summary>The message as one line: without what .NET adds for programmers, and marked as our mistake where it is one.</summary>
    public static string Describe(Exception error)
    {
        while (error is AggregateException or TypeInitializationException && error.InnerException is not null) error = error.InnerException;
        string message = ParameterSuffix().Replace(FirstLine(error.Message), "");
        return error switch
        {
            DllNotFoundException when message.Contains("OpenCvSharp", StringComparison.Ordinal) =>
                "OpenCV's native library could not be loaded: install GTK 3, which it links (apt-get install libgtk-3-0).",
            UnauthorizedAccessException => $"{message} Check its permissions, or choose another place.",
            IOException when message.StartsWith("No space left on device", StringComparison.Ordinal) => $"{message}. Free some space, or choose another place.",
            OutOfMemoryException => $"Out of memory: {message} Close other programs or work on smaller frames.",
            NullReferenceException or IndexOutOfRangeException or InvalidCastException or ObjectDisposedException or KeyNotFoundException or NotImplementedException =>
                $"This is a mistake in deblur ({error.GetType().Name}: {message}). Please report it with what --verbose prints.",
            _ => message,
        };
    }

    private static string FirstLine(string text) => text.AsSpan().Trim().EnumerateLines() is var lines && lines.MoveNext() ? lines.Current.TrimEnd().ToString() : "Unknown error.";

    [GeneratedRegex(@" \(Parameter '[^']*'\)$")]
    private static partial Regex ParameterSuffix();
}
