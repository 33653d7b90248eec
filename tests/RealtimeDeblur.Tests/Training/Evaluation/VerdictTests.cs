using RealtimeDeblur.Restoration;
using RealtimeDeblur.Training.Data;
using RealtimeDeblur.Training.Evaluation;
using Xunit;

namespace RealtimeDeblur.Tests.Training.Evaluation;

public sealed class VerdictTests
{
    [Fact]
    public void Of_FirstNetworkAgainstTheBlind_ListsWhereItIsBehind()
    {
        Verdict verdict = Verdict.Of(
        [
            Result("blurred", MethodKind.Input, SigmaMode.Blind, 30),
            Result("fast", MethodKind.Network, SigmaMode.Given, 40),
            Result("fast", MethodKind.Network, SigmaMode.Auto, 35),
            Result("quality", MethodKind.Network, SigmaMode.Auto, 39),      // ours as well: no rival
            Result("wiener", MethodKind.Filter, SigmaMode.Given, 38),       // told sigma: no rival
            Result("wiener", MethodKind.Filter, SigmaMode.Auto, 36),
            Result("unsharp", MethodKind.Filter, SigmaMode.Auto, 35),
            Result("unsharp", MethodKind.Filter, SigmaMode.Auto, 50) with { Sigma = 3 },    // of another sigma: no rival
        ])!;
        Assert.Equal(("fast", 3, 1, 1), (verdict.Models[DegradationKind.Gaussian], verdict.Compared, verdict.Ahead, verdict.Level));
        Setback behind = Assert.Single(verdict.Behind);
        Assert.Equal(("wiener", 36, 35), (behind.Rival, behind.PsnrRival, behind.Psnr));
    }

    [Fact]
    public void Of_NetworksTrainedOnDifferentBlur_EachJudgedOnItsOwn()
    {
        EvaluationResult[] gaussian =
        [
            Result("blurred", MethodKind.Input, SigmaMode.Blind, 30), Result("fast", MethodKind.Network, SigmaMode.Auto, 35) with { TrainedOn = "gaussian" },
            Result("fast-camera", MethodKind.Network, SigmaMode.Auto, 33) with { TrainedOn = "camera" },
        ];
        Verdict verdict = Verdict.Of([.. gaussian, .. gaussian.Select(result => result with { Degradation = DegradationKind.Camera, Psnr = result.Psnr - (result.Model == "fast" ? 9 : 1) })])!;
        Assert.Equal([("Gaussian", "fast"), ("Camera", "fast-camera")], verdict.Models.Select(one => (one.Key.ToString(), one.Value)));
        Assert.Equal((2, 2), (verdict.Compared, verdict.Ahead));
    }

    [Fact]
    public void Of_NothingToCompare_IsNull()
    {
        Assert.Null(Verdict.Of([Result("blurred", MethodKind.Input, SigmaMode.Blind, 30), Result("wiener", MethodKind.Filter, SigmaMode.Auto, 36)]));
        Assert.Null(Verdict.Of([Result("fast", MethodKind.Network, SigmaMode.Auto, 36)]));
    }

    private static EvaluationResult Result(string model, MethodKind kind, SigmaMode mode, double psnr) => new(
        model, "set", 1.6f, mode == SigmaMode.Given, 1, psnr, 0.9, 30, 0.8, mode, kind == MethodKind.Network, null, null, null, null,
        kind, DegradationKind.Gaussian, "gaussian", mode == SigmaMode.Auto ? SigmaSource.Ours : null, mode == SigmaMode.Auto, null, null);
}
