namespace RealtimeDeblur.Cli;

/// <summary>What the program returns to its caller.</summary>
internal static class ExitCode
{
    public const int Done = 0;

    /// <summary>One line on stderr says what failed and what to do.</summary>
    public const int Failed = 1;

    /// <summary>The command line itself makes no sense; nothing was started.</summary>
    public const int WrongUsage = 2;

    /// <summary>Stopped by Ctrl-C or SIGTERM: 128 + SIGINT, as shells report it.</summary>
    public const int Interrupted = 130;
}
