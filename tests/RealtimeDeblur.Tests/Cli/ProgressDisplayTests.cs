using System.Text;
using RealtimeDeblur.Cli;
using Xunit;

namespace RealtimeDeblur.Tests.Cli;

public sealed class ProgressDisplayTests
{
    private readonly StringBuilder _lines = new();
    private readonly ManualTime _time = new();

    [Fact]
    public void Report_Redirected_PrintsALineEveryFiveSecondsAtFirst()
    {
        using ProgressDisplay progress = Start("Restoring clip.mp4", "frames", total: 200, alreadyDone: 0);
        for (int second = 1; second <= 12; second++)
        {
            _time.Advance(TimeSpan.FromSeconds(1));
            progress.Report(second * 10);
        }
        Assert.Equal("Restoring clip.mp4: 50/200 frames (25 %), 10.0 frames/s, 15 s left\nRestoring clip.mp4: 100/200 frames (50 %), 10.0 frames/s, 10 s left\n", _lines.ToString());
    }

    [Fact]
    public void Report_RedirectedForAnHour_PrintsTwoLinesAMinute()
    {
        using ProgressDisplay progress = Start("Training", "steps", total: 7200, alreadyDone: 0);
        for (int second = 1; second <= 3600; second++)
        {
            _time.Advance(TimeSpan.FromSeconds(1));
            progress.Report(second, "loss 0.0021");
        }
        string[] lines = _lines.ToString().TrimEnd('\n').Split('\n');
        Assert.InRange(lines.Length, 120, 135);
        Assert.Equal("Training: 3600/7200 steps (50 %), 1.00 steps/s, 1 h 00 min left, loss 0.0021", lines[^1]);
    }

    [Fact]
    public void Report_WorkResumed_CountsOnlyTheOwnPartForSpeed()
    {
        using ProgressDisplay progress = Start("Training", "steps", total: 1100, alreadyDone: 900);
        _time.Advance(TimeSpan.FromSeconds(5));
        progress.Report(1000);
        Assert.Equal("Training: 1000/1100 steps (91 %), 20.0 steps/s, 5 s left\n", _lines.ToString());
    }

    [Fact]
    public void Report_TotalUnknown_ShowsCountAndSpeed()
    {
        using ProgressDisplay progress = Start("Reading", "frames", total: null, alreadyDone: 0);
        _time.Advance(TimeSpan.FromSeconds(10));
        progress.Report(1234);
        Assert.Equal("Reading: 1234 frames, 123 frames/s\n", _lines.ToString());
    }

    [Fact]
    public void Dispose_AfterWork_SumsUpOnce()
    {
        ProgressDisplay progress = Start("Reading", "files", total: 3, alreadyDone: 0);
        _time.Advance(TimeSpan.FromSeconds(1.5));
        progress.Report(3);
        progress.Dispose();
        progress.Dispose();
        Assert.Equal("Reading: 3/3 files (100 %) in 1.5 s, 2.00 files/s\n", _lines.ToString());
    }

    private ProgressDisplay Start(string title, string unit, long? total, long alreadyDone) =>
        ProgressDisplay.ToLines(title, unit, total, alreadyDone, new StringWriter(_lines) { NewLine = "\n" }, _time);

    /// <summary>A clock that stands still until it is moved.</summary>
    private sealed class ManualTime : TimeProvider
    {
        private long _ticks;

        public override long TimestampFrequency => TimeSpan.TicksPerSecond;

        public override long GetTimestamp() => _ticks;

        public void Advance(TimeSpan time) => _ticks += time.Ticks;
    }
}
