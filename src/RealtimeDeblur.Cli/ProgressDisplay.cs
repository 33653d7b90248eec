using System.Globalization;
using RealtimeDeblur.Pipeline;
using Spectre.Console;

namespace RealtimeDeblur.Cli;

/// <summary>
/// Progress of one piece of work on stderr: a bar with speed and time left on a terminal, now and then a plain line elsewhere.
/// <see cref="Report"/> may be called from any thread and as often as one likes.
/// </summary>
internal sealed class ProgressDisplay : IProgress<PipelineProgress>, IDisposable
{
    /// <summary>Drawing takes a core 2 ms or more, which on a CPU are missing where the work is done.</summary>
    private static readonly TimeSpan DrawInterval = TimeSpan.FromMilliseconds(400);

    private readonly Lock _lock = new();
    private readonly string _title;
    private readonly string _unit;
    private readonly long? _total;
    private readonly long _alreadyDone;
    private readonly TimeProvider _time;
    private readonly long _startedAt;
    private readonly TextWriter? _lines;
    private readonly IAnsiConsole? _terminal;
    private readonly ManualResetEventSlim _finished = new();
    private readonly Thread? _drawing;
    private volatile ProgressTask? _bar;
    private TimeSpan _nextLine;
    private long _done;
    private string? _detail;

    private ProgressDisplay(string title, string unit, long? total, long alreadyDone, TextWriter? lines, IAnsiConsole? terminal, TimeProvider time)
    {
        (_title, _unit, _total, _alreadyDone, _done) = (title, unit, total, alreadyDone, alreadyDone);
        (_lines, _terminal, _time) = (lines, terminal, time);
        _startedAt = time.GetTimestamp();
        _nextLine = LineInterval;
        IsRunning = true;
        if (terminal is null) return;
        _drawing = new Thread(() => Draw(terminal)) { IsBackground = true, Name = "progress" };
        _drawing.Start();
    }

    public bool IsRunning { get; private set; }

    private TimeSpan Elapsed => _time.GetElapsedTime(_startedAt);

    /// <summary>Short work should look alive, a night's training should not fill a log.</summary>
    private TimeSpan LineInterval => TimeSpan.FromSeconds(Elapsed < TimeSpan.FromMinutes(1) ? 5 : 30);

    /// <summary>Shows progress on stderr in the form that suits it.</summary>
    public static ProgressDisplay Start(string title, string unit, long? total, long alreadyDone)
    {
        if (Console.IsErrorRedirected || Environment.GetEnvironmentVariable("TERM") is null or "dumb")
            return ToLines(title, unit, total, alreadyDone, Console.Error, TimeProvider.System);
        IAnsiConsole terminal = AnsiConsole.Create(new AnsiConsoleSettings { Out = new AnsiConsoleOutput(Console.Error), Interactive = InteractionSupport.Yes });
        return new(title, unit, total, alreadyDone, lines: null, terminal, TimeProvider.System);
    }

    internal static ProgressDisplay ToLines(string title, string unit, long? total, long alreadyDone, TextWriter lines, TimeProvider time) =>
        new(title, unit, total, alreadyDone, lines, terminal: null, time);

    /// <param name="done">How many are done, the ones done earlier included.</param>
    /// <param name="detail">What else the user may want to watch: "loss 0.0021".</param>
    public void Report(long done, string? detail = null)
    {
        // Outside the lock: the drawing thread holds Spectre's locks when it asks for ours.
        if (_bar is { } bar) bar.Value = done;
        lock (_lock)
        {
            (_done, _detail) = (done, detail);
            if (_lines is null || !IsRunning || Elapsed < _nextLine) return;
            _lines.WriteLine($"{_title}: {Count()}, {Status()}");
            _nextLine = Elapsed + LineInterval;
        }
    }

    /// <summary>Follows a pipeline, frame by frame.</summary>
    void IProgress<PipelineProgress>.Report(PipelineProgress value) => Report(value.Frames);

    /// <summary>Prints a line without damage to the bar.</summary>
    public void Note(string text)
    {
        if (_terminal is not null) _terminal.WriteLine(text);
        else _lines!.WriteLine(text);
    }

    public void Dispose()
    {
        lock (_lock)
        {
            if (!IsRunning) return;
            IsRunning = false;
            double seconds = Elapsed.TotalSeconds;
            if (_done > _alreadyDone) _lines?.WriteLine(string.Create(CultureInfo.InvariantCulture, $"{_title}: {Count()} in {seconds:0.0} s, {Speed()}"));
        }
        _finished.Set();
        _drawing?.Join();
        _finished.Dispose();
    }

    private void Draw(IAnsiConsole terminal) => new Progress(terminal) { RefreshRate = DrawInterval }
        .Columns(new TaskDescriptionColumn { Alignment = Justify.Left }, new ProgressBarColumn(), new PercentageColumn(), new StatusColumn(this))
        .Start(drawing =>
        {
            ProgressTask bar = drawing.AddTask(Markup.Escape(_title), maxValue: _total ?? 100);
            bar.IsIndeterminate = _total is null;
            bar.Value = _alreadyDone;
            _bar = bar;
            _finished.Wait();
            bar.StopTask();
        });

    private string Count() => _total is { } total and > 0
        ? string.Create(CultureInfo.InvariantCulture, $"{_done}/{total} {_unit} ({100.0 * _done / total:0} %)")
        : string.Create(CultureInfo.InvariantCulture, $"{_done} {_unit}");

    private double PerSecond => (_done - _alreadyDone) / Math.Max(Elapsed.TotalSeconds, 1e-6);

    private string Speed()
    {
        double speed = PerSecond;
        string digits = speed switch { >= 100 => "0", >= 10 => "0.0", _ => "0.00" };
        return $"{speed.ToString(digits, CultureInfo.InvariantCulture)} {_unit}/s";
    }

    private string Status()
    {
        string status = Speed();
        if (_total is { } total && PerSecond > 0) status += $", {Duration(TimeSpan.FromSeconds((total - _done) / PerSecond))} left";
        return _detail is null ? status : $"{status}, {_detail}";
    }

    private static string Duration(TimeSpan time) => time.TotalSeconds switch
    {
        < 60 => string.Create(CultureInfo.InvariantCulture, $"{Math.Ceiling(time.TotalSeconds):0} s"),
        < 3600 => $"{time.Minutes} min {time.Seconds:00} s",
        _ => $"{(int)time.TotalHours} h {time.Minutes:00} min",
    };

    /// <summary>Speed, time left and detail, worded as in the plain lines.</summary>
    private sealed class StatusColumn(ProgressDisplay display) : ProgressColumn
    {
        protected override bool NoWrap => true;

        public override Spectre.Console.Rendering.IRenderable Render(Spectre.Console.Rendering.RenderOptions options, ProgressTask task, TimeSpan deltaTime)
        {
            lock (display._lock) return new Text(display.Status());
        }
    }
}
