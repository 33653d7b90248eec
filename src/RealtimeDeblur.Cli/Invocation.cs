using System.CommandLine;
using System.Runtime.InteropServices;
using RealtimeDeblur.Compute;

namespace RealtimeDeblur.Cli;

/// <summary>
/// One run of a command: the values of its options, the options that all commands share, the token that Ctrl-C cancels, and the only ways to the screen.
/// </summary>
/// <remarks>
/// <para>A command is one file in <c>Commands/</c>, listed in <c>Program.Commands</c>:</para>
/// <code>
/// internal static class MirrorCommand
/// {
///     public static Command Create()
///     {
///         Argument&lt;string&gt; input = new("INPUT") { Description = "Picture to mirror." };
///         return new CliCommand("mirror", "Mirrors a picture.", "deblur mirror photo.png", run =>
///         {
///             using ProgressDisplay progress = run.StartProgress("Mirroring photo.png", "rows", total: rows);
///             for (int y = 0; y &lt; rows; y++)
///             {
///                 run.Cancellation.ThrowIfCancellationRequested();
///                 ...
///                 progress.Report(y + 1);
///             }
///             run.Result(new MirrorResult(output, rows), (result, text) => text.WriteLine($"{result.Output}: {result.Rows} rows"));
///         })
///         { input };
///     }
/// }
/// </code>
/// <para>How it ends decides the exit code (<see cref="ExitCode"/>). Returning means done. Any exception means failed: its message, a finished sentence that names the thing and
/// what to do, becomes the one red line on stderr (<see cref="ErrorLine"/>); <see cref="UsageException"/> means wrong usage. After Ctrl-C or SIGTERM the token is cancelled: let
/// <see cref="OperationCanceledException"/> through, or finish what is worth finishing and return; both count as interrupted. A second signal ends the process at once.</para>
/// <para>Results go to <see cref="Result"/> once, which prints text or, with --json, the object. Remarks go to <see cref="Note"/> and <see cref="Detail"/>, never to
/// <see cref="Console"/>, so that they do not run into a progress bar and reach the log. A command that prints a result and then fails (three of four files) calls <see cref="Result"/> first and throws after.</para>
/// </remarks>
internal sealed class Invocation
{
    private readonly ParseResult _parsed;
    private readonly RunLog? _log;
    private readonly ProgressScreen _screen;

    private Invocation(ParseResult parsed, RunLog? log, CancellationToken cancellation)
    {
        _parsed = parsed;
        _log = log;
        _screen = ProgressScreen.OnStderr(parsed.GetValue(SharedOptions.Quiet), parsed.GetValue(SharedOptions.Plain), log);
        Cancellation = cancellation;
    }

    /// <summary>Value of --device; null leaves the choice to <see cref="ComputeDevice.Open"/>.</summary>
    public string? Device => _parsed.GetValue(SharedOptions.Device);

    public bool Json => _parsed.GetValue(SharedOptions.Json);

    public bool Verbose => _parsed.GetValue(SharedOptions.Verbose);

    /// <summary>Cancelled by Ctrl-C and SIGTERM.</summary>
    public CancellationToken Cancellation { get; }

    public T Get<T>(Option<T> option) => _parsed.GetValue(option)!;

    public T Get<T>(Argument<T> argument) => _parsed.GetRequiredValue(argument);

    /// <summary>Whether the option stands on the command line, rather than having its default.</summary>
    public bool IsGiven(Option option) => _parsed.GetResult(option) is { Implicit: false };

    /// <summary>Opens the device that --device asks for. The caller disposes it.</summary>
    public ComputeDevice OpenDevice() => OpenDevice(Device);

    /// <summary>Opens a device. The caller disposes it.</summary>
    public ComputeDevice OpenDevice(string? selector)
    {
        ComputeDevice device = ComputeDevice.Open(selector);
        Detail($"Device: {device.Info.Name} ({device.Info.Driver})");
        return device;
    }

    /// <summary>Prints the command's result on stdout: with --json as one JSON object in camelCase, else by <paramref name="print"/>. Call it once.</summary>
    /// <param name="result">What was found.</param>
    /// <param name="print">Prints it as text.</param>
    /// <param name="toStderr">Whether stdout belongs to something else.</param>
    public void Result<T>(T result, Action<T, TextWriter> print, bool toStderr = false)
    {
        if (Json) ResultJson.Write(result, toStderr);
        else print(result, toStderr ? Console.Error : Console.Out);
    }

    /// <summary>Prints a remark that the user should see, on stderr.</summary>
    public void Note(string text) => _screen.Note(text);

    /// <summary>Prints a remark on stderr if --verbose is given; the log has it anyway.</summary>
    public void Detail(string text)
    {
        if (Verbose) Note(text);
        else Log(text);
    }

    /// <summary>Prints an error that the command goes on after, on stderr, and with --verbose its trace.</summary>
    /// <param name="line">What failed and what to do.</param>
    /// <param name="cause">What was thrown, if anything.</param>
    public void Error(string line, Exception? cause)
    {
        _screen.Error(line, cause);
        if (Verbose && cause is not null) _screen.Note(cause.ToString());
    }

    /// <summary>Writes a line to the log, if there is one, and nowhere else.</summary>
    public void Log(string text) => _log?.Write(text);

    /// <summary>Starts to show the progress of a piece of work on stderr; dispose it when the work ends. The parameters are those of <see cref="ProgressScreen.Start"/>.</summary>
    public ProgressDisplay StartProgress(string title, string unit, long? total, long alreadyDone = 0, bool isPart = false) =>
        _screen.Start(title, unit, total, alreadyDone, isPart);

    /// <summary>Runs a command's code and turns the way it ends into an exit code.</summary>
    internal static int Run(ParseResult parsed, Action<Invocation> command)
    {
        try
        {
            using RunLog? log = parsed.GetValue(SharedOptions.Log) is { } path ? new RunLog(path, TimeProvider.System) : null;
            log?.Write($"deblur {string.Join(' ', parsed.Tokens.Select(token => token.Value))}");
            int exitCode = Run(parsed, log, command);
            log?.Write($"Ended with exit code {exitCode}.");
            return exitCode;
        }
        catch (IOException error)
        {
            // Of the log itself.
            ErrorLine.Write(error, parsed.GetValue(SharedOptions.Verbose));
            return ExitCode.Failed;
        }
    }

    private static int Run(ParseResult parsed, RunLog? log, Action<Invocation> command)
    {
        using CancellationTokenSource stop = new();
        void OnSignal(PosixSignalContext signal)
        {
            signal.Cancel = !stop.IsCancellationRequested;
            log?.Write($"Received {signal.Signal}.");
            stop.Cancel();
        }
        using PosixSignalRegistration interrupt = PosixSignalRegistration.Create(PosixSignal.SIGINT, OnSignal);
        using PosixSignalRegistration terminate = PosixSignalRegistration.Create(PosixSignal.SIGTERM, OnSignal);

        Invocation invocation = new(parsed, log, stop.Token);
        try
        {
            command(invocation);
        }
        catch (Exception error) when (stop.IsCancellationRequested)
        {
            // Whatever broke after Ctrl-C broke because of it (a child process that got the signal too, a closed pipe).
            if (error is not OperationCanceledException) log?.Write(error.ToString());
        }
        catch (Exception error)
        {
            invocation._screen.Dispose();
            log?.Write(error.ToString());
            ErrorLine.Write(error, invocation.Verbose);
            return error is UsageException ? ExitCode.WrongUsage : ExitCode.Failed;
        }
        if (!stop.IsCancellationRequested) return ExitCode.Done;
        invocation._screen.Dispose();
        Console.Error.WriteLine("Interrupted.");
        return ExitCode.Interrupted;
    }
}
