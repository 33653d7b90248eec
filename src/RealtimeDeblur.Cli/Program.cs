using System.CommandLine;
using System.CommandLine.Help;
using RealtimeDeblur.Cli.Commands;

namespace RealtimeDeblur.Cli;

/// <summary>Entry point: the list of commands. <see cref="Invocation"/> tells how to add one.</summary>
internal static class Program
{
    /// <summary>All commands, in the order of the help.</summary>
    internal static Command[] Commands() =>
    [
        DemoCommand.Create(),
        LiveCommand.Create(),
        VideoCommand.Create(),
        ImageCommand.Create(),
        TrainCommand.Create(),
        TrainEstimatorCommand.Create(),
        DevicesCommand.Create(),
        BenchCommand.Create(),
        TuneCommand.Create(),
        ExportCommand.Create(),
        DatasetCommand.Create(),
        EvalCommand.Create(),
    ];

    private static int Main(string[] args)
    {
        RootCommand root = new("Sharpens mildly blurred video and pictures with small convolutional networks on any OpenCL device.")
        {
            SharedOptions.Device,
            SharedOptions.Json,
            SharedOptions.Verbose,
            SharedOptions.Quiet,
            SharedOptions.Plain,
            SharedOptions.Log,
        };
        foreach (Command command in Commands()) root.Add(command);
        HelpOption help = root.Options.OfType<HelpOption>().Single();
        help.Action = new HelpWithExample((HelpAction)help.Action!);

        if (!WrongUsage.TryParse(root, args.Length > 0 ? args : ["--help"], out ParseResult? parsed, out string? wrong))
        {
            ErrorLine.Write(wrong);
            return ExitCode.WrongUsage;
        }
        return parsed.Invoke(new InvocationConfiguration { EnableDefaultExceptionHandler = false, ProcessTerminationTimeout = null });
    }
}
