using RealtimeDeblur.Pipeline;
using Xunit;

namespace RealtimeDeblur.Tests.Pipeline;

public sealed class ModelLadderTests
{
    private const double IntervalMs = 1000.0 / 30;

    private double _seconds;

    [Fact]
    public void Update_RestoringTakesLongerThanTheInterval_StepsDownAfterAWhile()
    {
        ModelLadder ladder = new([26784, 4752, 2016], start: 1);

        double changedAfter = RunUntilChanged(ladder, _ => 40);

        Assert.Equal(2, ladder.Current);
        Assert.InRange(changedAfter, ModelLadder.PatienceDown, ModelLadder.PatienceDown + 1);
    }

    [Fact]
    public void Update_RoomForTheBetterNetwork_StepsUpAfterAWhile()
    {
        ModelLadder ladder = new([26784, 4752, 2016], start: 1);

        double changedAfter = RunUntilChanged(ladder, _ => 3);

        Assert.Equal(0, ladder.Current);
        Assert.InRange(changedAfter, ModelLadder.PatienceUp, ModelLadder.PatienceUp + 1);
    }

    [Theory]
    [InlineData(1, 12.0)]       // keeps up, but the better one would not
    [InlineData(2, 100.0)]      // nothing smaller is left
    [InlineData(0, 1.0)]        // nothing better is there
    public void Update_NowhereToGo_StaysForEver(int start, double restoreMs)
    {
        ModelLadder ladder = new([26784, 4752, 2016], start);

        Assert.False(Run(ladder, _ => restoreMs, seconds: 600));
    }

    [Fact]
    public void Update_SingleStall_DoesNotCount()
    {
        ModelLadder ladder = new([26784, 4752, 2016], start: 1);

        Assert.False(Run(ladder, frame => frame % 60 == 0 ? 200 : 15, seconds: 60));
    }

    [Fact]
    public void Update_IntervalUnknown_ChangesNothing()
    {
        ModelLadder ladder = new([26784, 4752, 2016], start: 1);

        for (int i = 0; i < 1000; i++) Assert.False(ladder.Update(500, intervalMs: 0, i));
    }

    [Fact]
    public void Update_BetterNetworkKeepsFailing_IsTriedLessAndLessOften()
    {
        // The small one seems to leave room for the middle one, which is too slow nevertheless.
        ModelLadder ladder = new([26784, 4752, 2016], start: 2);
        List<double> pauses = [];

        for (int i = 0; i < 4; i++)
        {
            pauses.Add(RunUntilChanged(ladder, _ => 8));
            Assert.Equal(1, ladder.Current);
            RunUntilChanged(ladder, _ => 40);
            Assert.Equal(2, ladder.Current);
        }

        for (int i = 1; i < pauses.Count; i++) Assert.InRange(pauses[i] / pauses[i - 1], 1.5, 2.5);
    }

    private double RunUntilChanged(ModelLadder ladder, Func<int, double> restoreMs)
    {
        double start = _seconds;
        Assert.True(Run(ladder, restoreMs, seconds: 1000));
        return _seconds - start;
    }

    private bool Run(ModelLadder ladder, Func<int, double> restoreMs, double seconds)
    {
        double end = _seconds + seconds;
        for (int frame = 1; _seconds < end; frame++)
        {
            _seconds += IntervalMs / 1000;
            if (ladder.Update(restoreMs(frame), IntervalMs, _seconds)) return true;
        }
        return false;
    }
}
