using System.CommandLine;
using System.CommandLine.Help;
using System.CommandLine.Invocation;

namespace RealtimeDeblur.Cli;

/// <summary>A command of the program: what it does, a line that shows it at work, its options and arguments, and its code.</summary>
internal sealed class CliCommand : Command
{
    /// <param name="name">The word on the command line.</param>
    /// <param name="description">One sentence in the third person: "Restores video files."</param>
    /// <param name="example">A complete command line that does something sensible; the help ends with it.</param>
    /// <param name="run">The work. Returns normally when done and throws otherwise, see <see cref="Invocation"/>.</param>
    public CliCommand(string name, string description, string example, Action<Invocation> run) : base(name, description)
    {
        Example = example;
        SetAction(parsed => Invocation.Run(parsed, run));
    }

    public string Example { get; }
}

/// <summary>The standard help, followed by the command's example.</summary>
internal sealed class HelpWithExample(HelpAction standard) : SynchronousCommandLineAction
{
    public override bool ClearsParseErrors => true;

    public static bool IsAskedFor(ParseResult parsed) => parsed.Action is HelpWithExample;

    public override int Invoke(ParseResult parseResult)
    {
        int code = standard.Invoke(parseResult);
        string example = (parseResult.CommandResult.Command as CliCommand)?.Example ?? "deblur demo";
        parseResult.InvocationConfiguration.Output.WriteLine($"Example:\n  {example}\n");
        return code;
    }
}
