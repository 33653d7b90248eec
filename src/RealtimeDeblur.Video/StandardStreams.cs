using Microsoft.Win32.SafeHandles;

namespace RealtimeDeblur.Video;

/// <summary>Standard input and output as ways for frames.</summary>
public static class StandardStreams
{
    /// <summary>Takes the place of a path on command lines.</summary>
    public const string Path = "-";

    /// <summary>What messages call standard input.</summary>
    public const string InputName = "standard input";

    /// <summary>What messages call standard output.</summary>
    public const string OutputName = "standard output";

    /// <summary>Opens standard output, unbuffered. The console's own stream would hide that its reader went away.</summary>
    public static FileStream OpenOutput()
    {
        const int standardOutput = 1;
        return new(new SafeFileHandle(standardOutput, ownsHandle: false), FileAccess.Write, bufferSize: 0);
    }

    /// <summary>Sends on what a stream for other programs holds back.</summary>
    /// <param name="stream">Where the frames went.</param>
    /// <param name="name">What messages call it.</param>
    /// <exception cref="IOException">The reader went away, or there is no room.</exception>
    internal static void Flush(Stream stream, string name)
    {
        try
        {
            stream.Flush();
        }
        catch (IOException e)
        {
            throw Failure(name, e);
        }
    }

    /// <summary>What the user should know when writing to a stream for other programs failed.</summary>
    /// <param name="name">What messages call the stream.</param>
    /// <param name="error">The failure.</param>
    internal static IOException Failure(string name, IOException error)
    {
        string cause = error.Message.TrimEnd('.');
        // It may be a file.
        return cause.StartsWith("No space left on device", StringComparison.Ordinal) ? new($"{name} cannot be written: no space is left on the device. Free some, or choose another place.", error)
            : new($"{name}: the program that read the pictures is gone ({cause}). Start it again.", error);
    }
}
