using RealtimeDeblur.Training.Data;

namespace RealtimeDeblur.Training.Evaluation;

/// <summary>
/// Whether networks that find sigma by themselves are ahead of everything of the literature that works blind as well, and of leaving the picture alone: by mean PSNR, at every degradation, shape, set and sigma.
/// Each degradation is the matter of the first network that was trained on it, as users choose it; of the first of all where there is none.
/// </summary>
/// <param name="Models">The networks, by the degradation that they are judged on.</param>
/// <param name="Compared">Number of comparisons: one for each rival at each degradation, shape, set and sigma.</param>
/// <param name="Ahead">How many of them the networks win.</param>
/// <param name="Level">How many end equal, to the last digit.</param>
/// <param name="Behind">The others, the largest difference first.</param>
internal sealed record Verdict(IReadOnlyDictionary<DegradationKind, string> Models, int Compared, int Ahead, int Level, IReadOnlyList<Setback> Behind)
{
    /// <summary>Judges; null where there is no network that works blind, or nothing to compare it with.</summary>
    public static Verdict? Of(IReadOnlyList<EvaluationResult> results)
    {
        Dictionary<DegradationKind, string> models = [];
        foreach (DegradationKind degradation in results.Select(result => result.Degradation).Distinct())
        {
            EvaluationResult[] champions = [.. results.Where(result => result.Degradation == degradation && IsChampion(result))];
            if ((champions.FirstOrDefault(result => result.TrainedOn == degradation.Name()) ?? champions.FirstOrDefault())?.Model is { } model) models[degradation] = model;
        }
        (int compared, int ahead, int level) = (0, 0, 0);
        List<Setback> behind = [];
        foreach (EvaluationResult ours in results.Where(result => IsChampion(result) && models[result.Degradation] == result.Model))
        {
            foreach (EvaluationResult rival in results.Where(rival => rival is { Kind: not MethodKind.Network, KnowsSigma: false } && IsSameTask(rival, ours)))
            {
                compared++;
                if (ours.Psnr > rival.Psnr) ahead++;
                else if (ours.Psnr == rival.Psnr) level++;
                else behind.Add(new(ours.Degradation, ours.Psf, ours.Set, ours.Sigma, ours.Model, rival.Model, rival.SigmaFrom, rival.Psnr, ours.Psnr));
            }
        }
        return compared == 0 ? null : new(models, compared, ahead, level, [.. behind.OrderByDescending(one => one.PsnrRival - one.Psnr)]);
    }

    /// <summary>As users run it: guarded where it can be, sigma from its own estimator.</summary>
    private static bool IsChampion(EvaluationResult result) =>
        result is { Kind: MethodKind.Network, SigmaMode: SigmaMode.Blind } or { Kind: MethodKind.Network, SigmaMode: SigmaMode.Auto, Guard: true, IsOwnEstimator: true };

    private static bool IsSameTask(EvaluationResult a, EvaluationResult b) => (a.Degradation, a.Psf, a.Set, a.Sigma) == (b.Degradation, b.Psf, b.Set, b.Sigma);
}

/// <summary>Where a network is behind.</summary>
/// <param name="Degradation"/><param name="Psf"/><param name="Set"/><param name="Sigma"/>
/// <param name="Model">The network.</param>
/// <param name="Rival">The method that is ahead.</param>
/// <param name="RivalSigmaFrom">What estimated sigma for it; null where nothing did.</param>
/// <param name="PsnrRival">Its mean PSNR in dB.</param>
/// <param name="Psnr">The network's.</param>
internal sealed record Setback(DegradationKind Degradation, string Psf, string Set, float Sigma, string Model, string Rival, Restoration.SigmaSource? RivalSigmaFrom, double PsnrRival, double Psnr);
