using System.CommandLine;

namespace RealtimeDeblur.Cli;

/// <summary>Options that every command takes. Commands read them through <see cref="Invocation"/>.</summary>
internal static class SharedOptions
{
    public static Option<string?> Device { get; } = new("--device")
    {
        Description = "OpenCL device: its number in 'deblur devices' or part of its name. Without it a GPU is taken before a CPU.",
        HelpName = "SELECTOR",
        Recursive = true,
    };

    public static Option<bool> Json { get; } = new("--json")
    {
        Description = "Print the result as one JSON object on stdout; everything else goes to stderr.",
        Recursive = true,
    };

    public static Option<bool> Verbose { get; } = new("--verbose")
    {
        Description = "Print details of the work, and the full trace of an error.",
        Recursive = true,
    };

    public static Option<bool> Quiet { get; } = new("--quiet")
    {
        Description = "Print nothing but errors and the result.",
        Recursive = true,
    };

    public static Option<bool> Plain { get; } = new("--plain")
    {
        Description = "Show progress as lines on a terminal too, instead of bars.",
        Recursive = true,
    };

    public static Option<string?> Log { get; } = new("--log")
    {
        Description = "Append to a file, with times: the command, remarks, progress once a minute, results, and errors with their trace.",
        HelpName = "FILE",
        Recursive = true,
    };
}
