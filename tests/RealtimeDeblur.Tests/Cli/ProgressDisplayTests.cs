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
        Assert.Equal("Restoring clip.mp4: 50 of 200 frames (25 %), 10.0 frames/s, 15 s left\nRestoring clip.mp4: 100 of 200 frames (50 %), 10.0 frames/s, 10 s left\n", _lines.ToString());
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
        Assert.Equal("Training: 3600 of 7200 steps (50 %), 1.00 steps/s, 1 h 00 min left, loss 0.0021", lines[^1]);
    }

    [Fact]
    public void Report_WorkResumed_CountsOnlyTheOwnPartForSpeed()
    {
        using ProgressDisplay progress = Start("Training", "steps", total: 1100, alreadyDone: 900);
        _time.Advance(TimeSpan.FromSeconds(5));
        progress.Report(1000);
        Assert.Equal("Training: 1000 of 1100 steps (91 %), 20.0 steps/s, 5 s left\n", _lines.ToString());
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
        Assert.Equal("Reading: 3 of 3 files (100 %) in 1.5 s, 2.00 files/s\n", _lines.ToString());
    }

    [Fact]
    public void Report_WithAShare_TellsTimeLeftByItAndNoSpeed()
    {
        using ProgressDisplay progress = Start("All", "files", total: 200, alreadyDone: 0);
        _time.Advance(TimeSpan.FromMinutes(30));
        progress.Report(12, share: 0.25);
        Assert.Equal("All: 12 of 200 files (25 %), 1 h 30 min left\n", _lines.ToString());
    }

    [Fact]
    public void Report_SeveralAtOnce_EachHasItsLines()
    {
        ProgressScreen screen = ProgressScreen.ToLines(new StringWriter(_lines) { NewLine = "\n" }, _time);
        ProgressDisplay a = screen.Start("a", "frames", total: 10), b = screen.Start("b", "frames", total: null, isPart: true);
        _time.Advance(TimeSpan.FromSeconds(5));
        a.Report(5);
        b.Report(10, "2.0x real time");
        screen.Dispose();
        a.Dispose();
        Assert.Equal(["a: 5 of 10 frames (50 %), 1.00 frames/s, 5 s left", "b: 10 frames, 2.00 frames/s, 2.0x real time", "b: 10 frames in 5.0 s, 2.00 frames/s", "a: 5 of 10 frames (50 %) in 5.0 s, 1.00 frames/s"],
            _lines.ToString().TrimEnd('\n').Split('\n'));
    }

    [Fact]
    public void Log_OfAQuietRun_HasProgressOnceAMinuteRemarksAndTraces()
    {
        using TemporaryFolder folder = new();
        File.WriteAllText(folder["log.txt"], "earlier\n");
        using (RunLog log = new(folder["log.txt"], _time))
        {
            ProgressScreen screen = ProgressScreen.ToLines(TextWriter.Null, _time, log);
            using (ProgressDisplay progress = screen.Start("Restoring clip.mp4", "frames", total: 150))
            {
                for (int second = 1; second <= 150; second++)
                {
                    _time.Advance(TimeSpan.FromSeconds(1));
                    progress.Report(second);
                }
                screen.Note("clip.mp4: a remark.");
            }
            screen.Error("clip.mp4 is bad.", new IOException("why"));
        }
        Assert.Equal(
            [
                "earlier",
                "2026-05-17T22:01:00Z Restoring clip.mp4: 60 of 150 frames (40 %), 1.00 frames/s, 1 min 30 s left",
                "2026-05-17T22:02:00Z Restoring clip.mp4: 120 of 150 frames (80 %), 1.00 frames/s, 30 s left",
                "2026-05-17T22:02:30Z clip.mp4: a remark.",
                "2026-05-17T22:02:30Z Restoring clip.mp4: 150 of 150 frames (100 %) in 150.0 s, 1.00 frames/s",
                "2026-05-17T22:02:30Z clip.mp4 is bad.",
                "    System.IO.IOException: why",
            ],
            File.ReadAllLines(folder["log.txt"]));
    }

    private ProgressDisplay Start(string title, string unit, long? total, long alreadyDone) =>
        ProgressScreen.ToLines(new StringWriter(_lines) { NewLine = "\n" }, _time).Start(title, unit, total, alreadyDone);

    /// <summary>A clock that stands still until it is moved.</summary>
    private sealed class ManualTime : TimeProvider
    {
        private long _ticks;

        public override long TimestampFrequency => TimeSpan.TicksPerSecond;

        public override long GetTimestamp() => _ticks;

        public override DateTimeOffset GetUtcNow() => new DateTimeOffset(2026, 5, 17, 22, 0, 0, TimeSpan.Zero).AddTicks(_ticks);

        public void Advance(TimeSpan time) => _ticks += time.Ticks;
    }
}
