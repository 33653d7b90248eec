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
/// <see cref="Console"/>, so that they do not run into a progress bar. A command that prints a result and then fails (three of four files) calls <see cref="Result"/> first and throws after.</para>
/// </remarks>
internal sealed class Invocation
{
    private readonly ParseResult _parsed;
    private ProgressDisplay? _progress;

    private Invocation(ParseResult parsed, CancellationToken cancellation)
    {
        _parsed = parsed;
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
    public ComputeDevice OpenDevice()
    {
        ComputeDevice device = ComputeDevice.Open(Device);
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
    public void Note(string text)
    {
        if (_progress is { IsRunning: true }) _progress.Note(text);
        else Console.Error.WriteLine(text);
    }

    /// <summary>Prints a remark on stderr if --verbose is given.</summary>
    public void Detail(string text)
    {
        if (Verbose) Note(text);
    }

    /// <summary>Starts to show the progress of one piece of work on stderr; dispose it when the work ends, before the next one starts.</summary>
    /// <param name="title">What is going on: "Restoring clip.mp4".</param>
    /// <param name="unit">What is counted, in the plural: "frames".</param>
    /// <param name="total">How many there will be; null where nobody knows.</param>
    /// <param name="alreadyDone">How many an earlier run did; they do not count for the speed.</param>
    public ProgressDisplay StartProgress(string title, string unit, long? total, long alreadyDone = 0) =>
        _progress = ProgressDisplay.Start(title, unit, total, alreadyDone);

    /// <summary>Runs a command's code and turns the way it ends into an exit code.</summary>
    internal static int Run(ParseResult parsed, Action<Invocation> command)
    {
        using CancellationTokenSource stop = new();
        void OnSignal(PosixSignalContext signal)
        {
            signal.Cancel = !stop.IsCancellationRequested;
            stop.Cancel();
        }
        using PosixSignalRegistration interrupt = PosixSignalRegistration.Create(PosixSignal.SIGINT, OnSignal);
        using PosixSignalRegistration terminate = PosixSignalRegistration.Create(PosixSignal.SIGTERM, OnSignal);

        Invocation invocation = new(parsed, stop.Token);
        try
        {
            command(invocation);
        }
        catch (Exception) when (stop.IsCancellationRequested)
        {
            // Whatever broke after Ctrl-C broke because of it (a child process that got the signal too, a closed pipe).
        }
        catch (Exception error)
        {
            invocation._progress?.Dispose();
            ErrorLine.Write(error, invocation.Verbose);
            return error is UsageException ? ExitCode.WrongUsage : ExitCode.Failed;
        }
        if (!stop.IsCancellationRequested) return ExitCode.Done;
        invocation._progress?.Dispose();
        Console.Error.WriteLine("Interrupted.");
        return ExitCode.Interrupted;
    }
}
