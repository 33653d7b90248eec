using System.Globalization;
using RealtimeDeblur.Pipeline;
using Spectre.Console;

namespace RealtimeDeblur.Cli;

/// <summary>
/// Progress of one piece of work on a <see cref="ProgressScreen"/>: a bar with speed and time left on a terminal, now and then a plain line elsewhere and in the log.
/// <see cref="Report"/> may be called from any thread and as often as one likes.
/// </summary>
internal sealed class ProgressDisplay : IProgress<PipelineProgress>, IDisposable
{
    private static readonly TimeSpan LogInterval = TimeSpan.FromMinutes(1);

    private readonly Lock _lock = new();
    private readonly ProgressScreen _screen;
    private readonly string _unit;
    private readonly TimeProvider _time;
    private readonly long _startedAt;
    private TimeSpan _nextLine;
    private TimeSpan _nextLogged = LogInterval;
    private bool _isRunning = true;
    private long _done;
    private double? _share;
    private string? _detail;

    /// <summary>See <see cref="ProgressScreen.Start"/>.</summary>
    internal ProgressDisplay(ProgressScreen screen, string title, string unit, long? total, long alreadyDone, bool isPart, TimeProvider time)
    {
        (_screen, Title, _unit, Total, AlreadyDone, IsPart, _done) = (screen, title, unit, total, alreadyDone, isPart, alreadyDone);
        _time = time;
        _startedAt = time.GetTimestamp();
        _nextLine = LineInterval;
    }

    internal string Title { get; }

    internal long? Total { get; }

    internal long AlreadyDone { get; private set; }

    internal bool IsPart { get; }

    /// <summary>On a terminal, what it is drawn as.</summary>
    internal ProgressTask? Bar { get; set; }

    /// <summary>What stands beside the bar.</summary>
    internal string BarText
    {
        get
        {
            lock (_lock) return Join(Count(), Status());
        }
    }

    private TimeSpan Elapsed => _time.GetElapsedTime(_startedAt);

    /// <summary>Short work should look alive, a night's training should not fill a log.</summary>
    private TimeSpan LineInterval => TimeSpan.FromSeconds(Elapsed < TimeSpan.FromMinutes(1) ? 5 : 30);

    /// <summary>Says after the start how many an earlier run did; they do not count for the speed.</summary>
    public void GoOnFrom(long alreadyDone)
    {
        lock (_lock) (AlreadyDone, _done) = (alreadyDone, alreadyDone);
    }

    /// <param name="done">How many are done, the ones done earlier included.</param>
    /// <param name="detail">What else the user may want to watch: "loss 0.0021".</param>
    /// <param name="share">Share of the work that is done, 0 to 1, where that says more than the count: bar and time left follow it, and there is no speed.</param>
    public void Report(long done, string? detail = null, double? share = null)
    {
        // Outside the lock: the drawing thread holds Spectre's locks when it asks for ours.
        if (Bar is { } bar) bar.Value = share * bar.MaxValue ?? done;
        lock (_lock)
        {
            if (!_isRunning) return;
            (_done, _detail, _share) = (done, detail, share);
            TimeSpan elapsed = Elapsed;
            if (elapsed >= _nextLine)
            {
                _screen.WriteProgress(Line());
                _nextLine = elapsed + LineInterval;
            }
            if (elapsed >= _nextLogged)
            {
                _screen.LogProgress(Line());
                _nextLogged = elapsed + LogInterval;
            }
        }
    }

    /// <summary>Follows a pipeline, frame by frame.</summary>
    void IProgress<PipelineProgress>.Report(PipelineProgress value) => Report(value.Frames);

    public void Dispose()
    {
        string? line = null;
        lock (_lock)
        {
            if (!_isRunning) return;
            _isRunning = false;
            if (_done > AlreadyDone) line = string.Create(CultureInfo.InvariantCulture, $"{Title}: {CountAndPercent()} in {Elapsed.TotalSeconds:0.0} s{(_share is null ? $", {Speed()}" : "")}");
        }
        _screen.End(this, line);
    }

    private string Line() => $"{Title}: {Join(CountAndPercent(), Status())}";

    private string Status() => Join(_share is null ? Speed() : null, TimeLeft(), _detail);

    private string Count() => Total is > 0 ? $"{_done} of {Total} {_unit}" : $"{_done} {_unit}";

    private string CountAndPercent() => Total is { } total and > 0 ? string.Create(CultureInfo.InvariantCulture, $"{Count()} ({100 * (_share ?? (double)_done / total):0} %)") : Count();

    private static string Join(params string?[] parts) => string.Join(", ", parts.Where(part => !string.IsNullOrEmpty(part)));

    private double PerSecond => (_done - AlreadyDone) / Math.Max(Elapsed.TotalSeconds, 1e-6);

    private string Speed()
    {
        double speed = PerSecond;
        string digits = speed switch { >= 100 => "0", >= 10 => "0.0", _ => "0.00" };
        return $"{speed.ToString(digits, CultureInfo.InvariantCulture)} {_unit}/s";
    }

    private string? TimeLeft()
    {
        double seconds = _share is { } share ? Elapsed.TotalSeconds * (1 - share) / share : (Total - _done) / PerSecond ?? double.NaN;
        return seconds < TimeSpan.MaxValue.TotalSeconds ? $"{Duration(TimeSpan.FromSeconds(Math.Max(0, seconds)))} left" : null;
    }

    private static string Duration(TimeSpan time) => time.TotalSeconds switch
    {
        < 60 => string.Create(CultureInfo.InvariantCulture, $"{Math.Ceiling(time.TotalSeconds):0} s"),
        < 3600 => $"{time.Minutes} min {time.Seconds:00} s",
        _ => $"{(int)time.TotalHours} h {time.Minutes:00} min",
    };
}
