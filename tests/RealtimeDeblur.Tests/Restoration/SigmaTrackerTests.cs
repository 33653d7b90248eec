using RealtimeDeblur.Restoration;
using Xunit;

namespace RealtimeDeblur.Tests.Restoration;

public sealed class SigmaTrackerTests
{
    private const double FrameSeconds = 1 / 30.0;

    [Fact]
    public void Current_BeforeTheFirstFrame_IsUnknown()
    {
        SigmaTracker tracker = new();
        Assert.Equal(SigmaEstimate.Unknown, tracker.Current);
        Assert.Equal(SigmaEstimate.Unknown, tracker.Update(SigmaEstimate.Unknown, FrameSeconds));
    }

    [Fact]
    public void Update_FirstFrame_IsTakenAsItIs()
    {
        SigmaEstimate current = new SigmaTracker().Update(Estimate(1.6f), FrameSeconds);
        Assert.Equal(1.6f, current.Sigma, 1e-5f);
        Assert.False(current.IsSharp);
    }

    [Fact]
    public void Update_NoisyEstimates_ShrinksTheirNoise()
    {
        Random random = new(1);
        SigmaTracker tracker = new();
        List<double> noise = [], tracked = [];
        for (int i = 0; i < 600; i++)
        {
            double error = 0.05 * Normal(random);
            SigmaEstimate current = tracker.Update(Estimate((float)(2 * Math.Exp(error))), FrameSeconds);
            if (i < 60) continue;
            noise.Add(error);
            tracked.Add(Math.Log(current.Sigma / 2));
        }
        // An exponential mean with gain g leaves g/(2 - g) of the variance: an eighth of the deviation at 30 frames per second.
        Assert.InRange(Deviation(tracked), 0, Deviation(noise) / 5);
        Assert.InRange(tracked.Average(), -0.01, 0.01);
    }

    [Fact]
    public void Update_SingleOutlier_HardlyMoves()
    {
        SigmaTracker tracker = Steady(1.6f);
        Assert.InRange(tracker.Update(Estimate(3.5f), FrameSeconds).Sigma, 1.6f, 1.63f);
        Assert.InRange(tracker.Update(Estimate(1.6f), FrameSeconds).Sigma, 1.59f, 1.63f);
    }

    [Fact]
    public void Update_OutliersThatContradictEachOther_AreNoCut()
    {
        SigmaTracker tracker = Steady(1.6f);
        for (int i = 0; i < 12; i++) Assert.InRange(tracker.Update(Estimate(i % 2 == 0 ? 3.5f : 0.7f), FrameSeconds).Sigma, 1.5f, 1.7f);
    }

    [Theory]
    [InlineData(3f, 1f)]
    [InlineData(1f, 2.5f)]
    [InlineData(0f, 2f)]
    [InlineData(2f, 0f)]
    public void Update_SceneCut_IsFollowedWithinThreeFrames(float before, float after)
    {
        SigmaTracker tracker = Steady(before);
        for (int i = 0; i < SigmaTracker.CutFrames; i++) tracker.Update(Estimate(after), FrameSeconds);
        Assert.Equal(after, tracker.Current.Sigma, 0.01f);
        Assert.Equal(after < SigmaEstimate.SharpLimit, tracker.Current.IsSharp);
    }

    [Fact]
    public void Update_SlowDrift_IsFollowedWithinTheTimeConstant()
    {
        SigmaTracker tracker = Steady(1.5f);
        for (int i = 0; i < 30; i++) tracker.Update(Estimate(1.7f), FrameSeconds);
        Assert.InRange(tracker.Current.Sigma, 1.61f, 1.65f);      // 63 % of the way
    }

    [Fact]
    public void Update_SlowFrames_CountMore()
    {
        SigmaTracker tracker = Steady(1.5f);
        for (int i = 0; i < 5; i++) tracker.Update(Estimate(1.7f), seconds: 0.2);
        Assert.InRange(tracker.Current.Sigma, 1.61f, 1.65f);
    }

    [Fact]
    public void Update_EstimatesRoundTheSharpLimit_NeverFlicker()
    {
        Random random = new(2);
        SigmaTracker tracker = new();
        int changes = 0;
        bool isSharp = tracker.Update(Estimate(SigmaEstimate.SharpLimit - 0.01f), FrameSeconds).IsSharp;
        Assert.True(isSharp);
        for (int i = 0; i < 3000; i++)
        {
            bool next = tracker.Update(Estimate(SigmaEstimate.SharpLimit + 0.06f * (float)Normal(random)), FrameSeconds).IsSharp;
            if (next != isSharp) changes++;
            isSharp = next;
        }
        Assert.InRange(changes, 0, 1);
    }

    [Theory]
    [InlineData(0.3f, true)]
    [InlineData(0.8f, false)]
    public void Update_ClearlyOnOneSide_ChangesSides(float after, bool isSharp)
    {
        SigmaTracker tracker = Steady(isSharp ? 1 : 0);
        for (int i = 0; i < 60; i++) tracker.Update(Estimate(after), FrameSeconds);
        Assert.Equal(isSharp, tracker.Current.IsSharp);
    }

    [Fact]
    public void Update_UnknownFrame_KeepsWhatIsKnown()
    {
        SigmaTracker tracker = Steady(2);
        SigmaEstimate before = tracker.Current;
        Assert.Equal(before, tracker.Update(SigmaEstimate.Unknown, FrameSeconds));
    }

    [Fact]
    public void Update_TimeThatDoesNotPass_ChangesNearlyNothing()
    {
        SigmaTracker tracker = Steady(2);
        foreach (double seconds in (double[])[0, -1, double.NaN]) Assert.Equal(2, tracker.Update(Estimate(2.2f), seconds).Sigma, 0.01f);
    }

    [Fact]
    public void Reset_AfterAScene_ForgetsIt()
    {
        SigmaTracker tracker = Steady(2);
        tracker.Reset();
        Assert.Equal(SigmaEstimate.Unknown, tracker.Current);
        Assert.Equal(1, tracker.Update(Estimate(1), FrameSeconds).Sigma, 1e-5f);
    }

    [Theory]
    [InlineData(0)]
    [InlineData(-1)]
    [InlineData(double.NaN)]
    [InlineData(double.PositiveInfinity)]
    public void Constructor_TimeConstantNotAboveZero_IsRefused(double seconds) => Assert.Throws<ArgumentOutOfRangeException>(() => new SigmaTracker(seconds));

    private static SigmaEstimate Estimate(float sigma) => new(MathF.Max(sigma, 0), Spread: 0.05f, sigma < SigmaEstimate.SharpLimit);

    private static SigmaTracker Steady(float sigma)
    {
        SigmaTracker tracker = new();
        for (int i = 0; i < 100; i++) tracker.Update(Estimate(sigma), FrameSeconds);
        return tracker;
    }

    private static double Normal(Random random) => Math.Sqrt(-2 * Math.Log(1 - random.NextDouble())) * Math.Cos(2 * Math.PI * random.NextDouble());

    private static double Deviation(List<double> values)
    {
        double mean = values.Average();
        return Math.Sqrt(values.Average(value => (value - mean) * (value - mean)));
    }
}
