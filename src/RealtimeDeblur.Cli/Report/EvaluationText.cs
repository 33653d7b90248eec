using System.Globalization;
using RealtimeDeblur.Restoration;
using RealtimeDeblur.Training.Data;
using RealtimeDeblur.Training.Evaluation;

namespace RealtimeDeblur.Cli.Report;

/// <summary>What an evaluation found, as tables and sentences: the same on the terminal, in Markdown and in HTML.</summary>
internal sealed class EvaluationText(EvaluationReport report)
{
    private readonly bool _hasSeveralBlurs = report.Results.Select(BlurOf).Distinct().Count() > 1;

    private readonly bool _hasSeveralSources = report.Results.Where(result => result.SigmaFrom is not null).Select(result => result.SigmaFrom).Distinct().Count() > 1;

    /// <summary>Figures that belong together: of one set under one degradation and shape.</summary>
    public IEnumerable<IGrouping<(DegradationKind Degradation, string Psf, string Set), EvaluationResult>> Groups => report.Results.GroupBy(result => (result.Degradation, result.Psf, result.Set));

    /// <summary>The sigma at which costs are stated and pictures shown: the nearest to <see cref="ExamplePicture.UsualSigma"/>.</summary>
    public float ShownSigma { get; } = report.Results.Select(result => result.Sigma).DefaultIfEmpty().MinBy(sigma => Math.Abs(sigma - ExamplePicture.UsualSigma));

    /// <summary>"Set5, camera blur, disc"; only the set where there is but one blur.</summary>
    public string Title(DegradationKind degradation, string psf, string set) => _hasSeveralBlurs ? $"{set}, {degradation.Name()} degradation, {psf} blur" : set;

    /// <summary>What a row is called: methods with what they knew of sigma.</summary>
    public static string Name(EvaluationResult result) => Name(result.Model, result.Kind, result.SigmaMode, result.Guard, result.SigmaFrom, result.IsOwnEstimator);

    /// <inheritdoc cref="Name(EvaluationResult)"/>
    public static string Name(RestoredExample example) => Name(example.Model, example.Kind, example.Mode, example.Guard, example.SigmaFrom, example.IsOwnEstimator);

    /// <summary>Everything, in the order in which it is read.</summary>
    public IEnumerable<ReportTable> Tables()
    {
        foreach (var group in Groups)
        {
            yield return QualityTable(group);
            if (group.Any(result => result.SigmaEstimate is not null)) yield return EstimateTable(group);
            if (report.Protocol.SharpHalf is not null) yield return SharpHalfTable(group);
        }
        foreach (ReportTable table in EstimatorTables()) yield return table;
        if (Setbacks() is { } setbacks) yield return setbacks;
    }

    /// <summary>A row per method, a column per sigma.</summary>
    public ReportTable QualityTable(IGrouping<(DegradationKind Degradation, string Psf, string Set), EvaluationResult> group)
    {
        int images = group.First().Images;
        float[] sigmas = [.. group.Select(result => result.Sigma).Distinct()];
        bool hasMethods = group.Any(result => result.MacPerPixel is not null);
        List<IGrouping<string, EvaluationResult>> models = [.. group.GroupBy(Name)];
        HashSet<(int, int)> strong = [];
        for (int s = 0; s < sigmas.Length; s++)
        {
            EvaluationResult? best = group.Where(result => result.Sigma == sigmas[s] && !result.KnowsSigma).MaxBy(result => result.Psnr);
            if (best is not null) strong.Add((models.FindIndex(model => model.Key == Name(best)), 1 + s));
        }
        return new(
            $"{Title(group.Key.Degradation, group.Key.Psf, group.Key.Set)}, {images} {(images == 1 ? "picture" : "pictures")}: PSNR in dB and SSIM",
            ["sigma", .. sigmas.Select(Number), .. hasMethods ? (string[])["MAC/pixel", "ms/MP"] : []],
            [.. models.Select(model => (IReadOnlyList<string>)[
                model.Key,
                .. model.Select(result => string.Create(CultureInfo.InvariantCulture, $"{result.Psnr:0.00} {result.Ssim:0.0000}")),
                .. hasMethods ? Cost(model.First(result => result.Sigma == ShownSigma)) : []])])
        { Strong = strong };

        static string[] Cost(EvaluationResult result) => [result.MacPerPixel?.ToString("N0", CultureInfo.InvariantCulture) ?? "", result.MsPerMegapixel?.ToString("0.0", CultureInfo.InvariantCulture) ?? ""];
    }

    /// <summary>Methods that share an estimator share its errors and a row.</summary>
    public ReportTable EstimateTable(IGrouping<(DegradationKind Degradation, string Psf, string Set), EvaluationResult> group) => new(
        $"{Title(group.Key.Degradation, group.Key.Psf, group.Key.Set)}: estimates of sigma",
        ["method", "sigma", "median", "median error", "90th percentile", "bias", "called sharp"],
        [.. group.Where(result => result.SigmaEstimate is not null).GroupBy(result => (result.Sigma, result.SigmaFrom, result.SigmaEstimate)).OrderBy(row => row.First().Model, StringComparer.Ordinal).Select(row =>
        {
            SigmaEstimateSummary errors = row.Key.SigmaEstimate!;
            return (IReadOnlyList<string>)[
                string.Join(", ", row.Select(result => result.IsOwnEstimator ? result.Model : $"{result.Model} by {Name(result.SigmaFrom!.Value)}").Distinct()), Number(row.Key.Sigma), errors.Median.ToString("0.00", CultureInfo.InvariantCulture),
                Percent(errors.MedianErrorPercent), Percent(errors.P90ErrorPercent), Signed(errors.Bias, "0.00"), Percent(100 * errors.SharpShare)];
        })]);

    /// <summary>What becomes of pictures of which one half is sharp.</summary>
    public ReportTable SharpHalfTable(IGrouping<(DegradationKind Degradation, string Psf, string Set), EvaluationResult> group) => new(
        $"{Title(group.Key.Degradation, group.Key.Psf, group.Key.Set)}, one half sharp: PSNR in dB of sharp half | blurred half (the same half where all is blurred)",
        ["sigma", .. group.Select(result => result.Sigma).Distinct().Select(Number)],
        [.. group.GroupBy(Name).Select(model => (IReadOnlyList<string>)[model.Key, .. model.Select(result => result.SharpHalf!).Select(halves =>
            string.Create(CultureInfo.InvariantCulture, $"{halves.PsnrSharpHalf:0.00} | {halves.PsnrBlurredHalf:0.00} ({halves.PsnrBlurredHalfAllOver:0.00})"))])]);

    /// <summary>The estimators of sigma beside one another, a table per set and condition.</summary>
    public IEnumerable<ReportTable> EstimatorTables() => report.Estimators.GroupBy(one => (one.Set, one.Condition)).Select(group => new ReportTable(
        $"{group.Key.Set}, {group.Key.Condition}: bias and quartile distance of the estimates, in % of sigma",
        ["sigma", .. group.Select(one => one.Sigma).Distinct().Select(Number), "MAC/pixel", "ms/MP"],
        [.. group.GroupBy(one => one.Estimator!.Value).Select(estimator => (IReadOnlyList<string>)[
            Name(estimator.Key),
            .. estimator.Select(one => one.Sigma == 0 ? string.Create(CultureInfo.InvariantCulture, $"mean {one.MeanSigma:0.00}") : $"{Signed(100 * one.Bias, "0.0")}, {(100 * one.QuartileDistance).ToString("0.0", CultureInfo.InvariantCulture)}"),
            estimator.First().MacPerPixel!.Value.ToString("N0", CultureInfo.InvariantCulture), estimator.First().MsPerMegapixel!.Value.ToString("0.0", CultureInfo.InvariantCulture)])]));

    /// <summary>Where the networks are behind, a row per degradation, blur, set and sigma, the worst first; null where that is nowhere.</summary>
    public ReportTable? Setbacks() => report.Verdict is not { Behind: { Count: > 0 } behind } ? null : new(
        "Where a network is behind methods that work blind, and by how much",
        ["set", "degradation", "blur", "sigma", "network", "PSNR", "ahead of it, by dB"],
        [.. behind.GroupBy(one => (one.Set, one.Degradation, one.Psf, one.Sigma, one.Model, one.Psnr)).Select(group => (IReadOnlyList<string>)[
            group.Key.Set, group.Key.Degradation.Name(), group.Key.Psf, Number(group.Key.Sigma), group.Key.Model, group.Key.Psnr.ToString("0.00", CultureInfo.InvariantCulture),
            string.Join(", ", group.Select(one => string.Create(CultureInfo.InvariantCulture, $"{one.Rival}{(_hasSeveralSources && one.RivalSigmaFrom is { } from ? $" by {Name(from)}" : "")} {one.PsnrRival - one.Psnr:0.000}")))])])
    { EndsInText = true };

    /// <summary>Whether the networks are ahead of all that works blind; null where nothing can be said.</summary>
    public string? Verdict()
    {
        if (report.Verdict is not { } verdict) return null;
        string models = verdict.Models.Values.Distinct().Count() == 1 ? verdict.Models.Values.First() : string.Join(" and ", verdict.Models.Select(one => $"{one.Value} (on {one.Key.Name()} degradation)"));
        string compared = $"{models}, finding sigma unaided, against every method of the literature that works blind, and against leaving the picture as it is: ";
        return compared + (verdict.Ahead == verdict.Compared ? $"ahead in all {verdict.Compared} comparisons, that is, at every degradation, blur, set and sigma."
            : $"of {verdict.Compared} comparisons (every degradation, blur, set and sigma) ahead in {verdict.Ahead}, level in {verdict.Level}, behind in {verdict.Behind.Count}.");
    }

    /// <summary>How the figures were made, in sentences.</summary>
    public IEnumerable<string> Notes()
    {
        foreach ((string name, string what) in report.Protocol.Methods) yield return $"{name}: {what}.";
        foreach (SigmaMode mode in report.Results.Where(result => result.Kind != MethodKind.Input).Select(result => result.SigmaMode).Distinct()) yield return $"({Name(mode)}): {report.Protocol.SigmaModes[mode]}.";
        if (report.Results.Any(IsUnguarded)) yield return "unguarded: without taking back what was corrected where the picture was not blurred by sigma.";
        yield return $"{report.Protocol.Degradation}; {report.Protocol.BorderPixels} pixels cut off each side; 78.13 dB means identical.";
        if (report.Protocol.SharpHalf is { } sharpHalf) yield return $"One half sharp: {sharpHalf}.";
        if (report.Results.Any(result => result.MsPerMegapixel is not null))
            yield return string.Create(CultureInfo.InvariantCulture, $"MAC/pixel and ms/MP (per million pixels): of filters at sigma {ShownSigma}; {report.Protocol.Time}; on {report.Protocol.Device}.");
        if (report.Protocol.Strength < 1) yield return string.Create(CultureInfo.InvariantCulture, $"Methods at strength {report.Protocol.Strength}.");
    }

    /// <summary>ours, polyblur or spectrum.</summary>
    public static string Name(SigmaSource source) => source.ToString().ToLowerInvariant();

    private static string Name(string model, MethodKind kind, SigmaMode mode, bool guard, SigmaSource? from, bool isOwnEstimator) => kind == MethodKind.Input ? model
        : $"{model} ({Name(mode)}{(from is { } source && !isOwnEstimator ? $", sigma by {Name(source)}" : "")}{(IsUnguarded(kind, mode, guard) ? ", unguarded" : "")})";

    private static bool IsUnguarded(EvaluationResult result) => IsUnguarded(result.Kind, result.SigmaMode, result.Guard);

    private static bool IsUnguarded(MethodKind kind, SigmaMode mode, bool guard) => kind == MethodKind.Network && mode != SigmaMode.Blind && !guard;

    private static (DegradationKind, string) BlurOf(EvaluationResult result) => (result.Degradation, result.Psf);

    private static string Name(SigmaMode mode) => mode.ToString().ToLowerInvariant();

    private static string Number(float value) => value.ToString(CultureInfo.InvariantCulture);

    private static string Percent(double percent) => double.IsNaN(percent) ? "" : percent.ToString("0.0", CultureInfo.InvariantCulture) + " %";

    private static string Signed(double value, string digits) => value.ToString($"+{digits};-{digits};{digits}", CultureInfo.InvariantCulture);
}
