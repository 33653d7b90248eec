using Spectre.Console;

namespace RealtimeDeblur.Cli;

/// <summary>
/// The part of stderr that a run writes to while it works: on a terminal a bar for everything under way, with remarks above them; elsewhere plain lines. The log is told too.
/// Safe for use from several threads.
/// </summary>
internal sealed class ProgressScreen : IDisposable
{
    /// <summary>Drawing takes a core 2 ms or more, which on a CPU are missing where the work is done.</summary>
    private static readonly TimeSpan DrawInterval = TimeSpan.FromMilliseconds(400);

    /// <summary>Columns for what stands on both sides of a bar.</summary>
    private const int TextWidth = 100;

    private readonly Lock _lock = new();
    private readonly List<ProgressDisplay> _running = [];
    private readonly TextWriter _lines;
    private readonly IAnsiConsole? _terminal;
    private readonly RunLog? _log;
    private readonly TimeProvider _time;
    private Drawing? _drawing;

    private ProgressScreen(TextWriter lines, IAnsiConsole? terminal, RunLog? log, TimeProvider time) => (_lines, _terminal, _log, _time) = (lines, terminal, log, time);

    /// <summary>Stderr in the form that suits it.</summary>
    /// <param name="quiet">Nothing but errors.</param>
    /// <param name="plain">Lines on a terminal too.</param>
    /// <param name="log">Gets remarks, errors and now and then the progress, whatever the screen shows.</param>
    public static ProgressScreen OnStderr(bool quiet, bool plain, RunLog? log)
    {
        if (quiet) return ToLines(TextWriter.Null, TimeProvider.System, log);
        if (plain || Console.IsErrorRedirected || Environment.GetEnvironmentVariable("TERM") is null or "dumb") return ToLines(Console.Error, TimeProvider.System, log);
        return new(Console.Error, AnsiConsole.Create(new AnsiConsoleSettings { Out = new AnsiConsoleOutput(Console.Error), Interactive = InteractionSupport.Yes }), log, TimeProvider.System);
    }

    internal static ProgressScreen ToLines(TextWriter lines, TimeProvider time, RunLog? log = null) => new(lines, terminal: null, log, time);

    /// <summary>Starts to show a piece of work; disposing what is returned ends it.</summary>
    /// <param name="title">What is going on: "Restoring clip.mp4".</param>
    /// <param name="unit">What is counted, in the plural: "frames".</param>
    /// <param name="total">How many there will be; null where nobody knows.</param>
    /// <param name="alreadyDone">How many an earlier run did; they do not count for the speed.</param>
    /// <param name="isPart">Whether it is one of many: its bar goes when it ends, and a line takes its place.</param>
    public ProgressDisplay Start(string title, string unit, long? total, long alreadyDone = 0, bool isPart = false)
    {
        var display = new ProgressDisplay(this, title, unit, total, alreadyDone, isPart, _time);
        lock (_lock)
        {
            if (_terminal is not null) (_drawing ??= new(_terminal)).Add(display);
            _running.Add(display);
        }
        return display;
    }

    /// <summary>Shows a remark and logs it.</summary>
    public void Note(string text)
    {
        _log?.Write(text);
        if (_drawing is null) _lines.WriteLine(text);
        else _terminal!.WriteLine(text);
    }

    /// <summary>Shows an error that the work goes on after, even if quiet, and logs it with its trace.</summary>
    /// <param name="line">What failed and what to do.</param>
    /// <param name="cause">What was thrown, if anything.</param>
    public void Error(string line, Exception? cause)
    {
        _log?.Write(cause is null ? line : $"{line}\n{cause}");
        if (_drawing is null) ErrorLine.Write(line);
        else _terminal!.Write(new Text($"{line}\n", new Style(Color.Red)));
    }

    /// <summary>Ends whatever is still shown.</summary>
    public void Dispose()
    {
        while (true)
        {
            ProgressDisplay last;
            lock (_lock)
            {
                if (_running.Count == 0) return;
                last = _running[^1];
            }
            last.Dispose();
        }
    }

    /// <summary>A line about work that goes on; bars show it anyway.</summary>
    internal void WriteProgress(string line)
    {
        if (_terminal is null) _lines.WriteLine(line);
    }

    internal void LogProgress(string line) => _log?.Write(line);

    /// <param name="display">What has ended.</param>
    /// <param name="line">Sums it up; null where nothing was done.</param>
    internal void End(ProgressDisplay display, string? line)
    {
        if (line is not null)
        {
            _log?.Write(line);
            if (_terminal is null) _lines.WriteLine(line);
            else if (display.IsPart) _terminal.WriteLine(line);
        }
        lock (_lock)
        {
            _running.Remove(display);
            _drawing?.Remove(display);
            if (_running.Count > 0) return;
            _drawing?.Dispose();
            _drawing = null;
        }
    }

    /// <summary>Bars on a terminal, drawn by a thread of their own, which holds Spectre's locks when it asks for those of the displays.</summary>
    private sealed class Drawing : IDisposable
    {
        private readonly ManualResetEventSlim _started = new();
        private readonly ManualResetEventSlim _finished = new();
        private readonly Thread _thread;
        private ProgressContext _bars = null!;

        public Drawing(IAnsiConsole terminal)
        {
            _thread = new Thread(() => Draw(terminal)) { IsBackground = true, Name = "progress" };
            _thread.Start();
            _started.Wait();
        }

        public void Add(ProgressDisplay display)
        {
            ProgressTask bar = _bars.AddTask(Markup.Escape(display.Title), maxValue: display.Total ?? 100);
            bar.Tag = display;
            bar.IsIndeterminate = display.Total is null;
            bar.Value = display.AlreadyDone;
            display.Bar = bar;
        }

        public void Remove(ProgressDisplay display)
        {
            display.Bar!.StopTask();
            if (display.IsPart) _bars.RemoveTask(display.Bar);
        }

        public void Dispose()
        {
            _finished.Set();
            _thread.Join();
            _finished.Dispose();
            _started.Dispose();
        }

        private void Draw(IAnsiConsole terminal) => new Progress(terminal) { RefreshRate = DrawInterval }
            .Columns(new TaskDescriptionColumn { Alignment = Justify.Left }, new ProgressBarColumn { Width = Math.Clamp(terminal.Profile.Width - TextWidth, 10, 40) }, new PercentageColumn(), new StatusColumn())
            .Start(bars =>
            {
                _bars = bars;
                _started.Set();
                _finished.Wait();
            });
    }

    /// <summary>Count, speed, time left and detail, worded as in the plain lines.</summary>
    private sealed class StatusColumn : ProgressColumn
    {
        protected override bool NoWrap => true;

        public override Spectre.Console.Rendering.IRenderable Render(Spectre.Console.Rendering.RenderOptions options, ProgressTask task, TimeSpan deltaTime) =>
            new Text((task.Tag as ProgressDisplay)?.BarText ?? "");
    }
}
