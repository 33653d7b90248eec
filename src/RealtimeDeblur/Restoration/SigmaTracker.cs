namespace RealtimeDeblur.Restoration;

/// <summary>
/// Follows the blur of a video: steadier than the estimates of its frames, and as quick as a cut. A plain value computation without a device; one thread at a time.
/// </summary>
/// <remarks>
/// Levels (<see cref="SigmaScale"/>) go through an exponential mean, whose first estimates count alike. A single estimate far from it moves it no further than the limit of
/// plausible ones does (Huber, "Robust estimation of a location parameter", 1964); <see cref="CutFrames"/> of them in a row, on the same side and near each other, are another scene, and the
/// mean starts again from their median. Whether the frame is sharp has hysteresis of <see cref="Hysteresis"/> pixels to either side of <see cref="SigmaEstimate.SharpLimit"/>.
/// </remarks>
internal sealed class SigmaTracker
{
    /// <summary>Estimates far from the mean that make a cut.</summary>
    public const int CutFrames = 3;

    /// <summary>How far sigma must pass the sharp limit, in pixels, before <see cref="SigmaEstimate.IsSharp"/> changes.</summary>
    public const float Hysteresis = 0.05f;

    /// <summary>Estimates until the mean is steady.</summary>
    private const int SettlingEstimates = 8;

    private const int MaxCount = 1 << 24;

    private const int SavedCount = 5 + CutFrames;

    // In levels: an estimate further from the mean than both of these is not noise of one scene. The errors of one scene's frames are alike; 0.2 is more than they differ.
    private const float PlausibleSpreads = 2, PlausibleLevels = 0.2f;

    private readonly double _timeConstant;
    private readonly float[] _candidates = new float[CutFrames];
    private int _candidateCount;
    private int _count;
    private float _level;
    private float _spread;
    private bool _isSharp;

    /// <param name="timeConstantSeconds">After a change too small to be a cut, the mean has come 63 % of the way after this time. Above 0.</param>
    public SigmaTracker(double timeConstantSeconds = 1)
    {
        if (!(timeConstantSeconds > 0 && double.IsFinite(timeConstantSeconds)))
            throw new ArgumentOutOfRangeException(nameof(timeConstantSeconds), timeConstantSeconds, "The time constant must be above 0 seconds, e.g. 1.");
        _timeConstant = timeConstantSeconds;
    }

    /// <summary>The blur of the frame that was told last; <see cref="SigmaEstimate.Unknown"/> before the first that tells anything.</summary>
    public SigmaEstimate Current => _count == 0 ? SigmaEstimate.Unknown : new(Math.Min(SigmaScale.ToSigma(_level), SigmaEstimate.MaxSigma), _spread, _isSharp);

    /// <summary>Whether there is nothing to decide: the mean is steady, and the last estimate agreed with it. While it is not, every estimate counts.</summary>
    public bool IsSettled => _count >= SettlingEstimates && _candidateCount == 0;

    /// <summary>Takes the estimate of the next frame.</summary>
    /// <param name="estimate">Of one frame. An unknown one changes nothing.</param>
    /// <param name="seconds">Time since the estimate before, e.g. 1/30. Times that are not above 0 count as a thousandth of a second: a clock that stands still, or jumped back.</param>
    /// <returns><see cref="Current"/>.</returns>
    public SigmaEstimate Update(SigmaEstimate estimate, double seconds)
    {
        if (!estimate.IsKnown) return Current;
        float level = SigmaScale.ToLevel(Math.Clamp(estimate.Sigma, 0, SigmaEstimate.MaxSigma));
        if (_count == 0)
        {
            Restart(level, estimate.Spread);
            _isSharp = estimate.Sigma < SigmaEstimate.SharpLimit;
            return Current;
        }

        float difference = level - _level;
        float plausible = MathF.Max(PlausibleLevels, PlausibleSpreads * MathF.Min(estimate.Spread, _spread));
        if (MathF.Abs(difference) <= plausible)
        {
            _candidateCount = 0;
        }
        else if (IsCut(level, plausible))
        {
            Array.Sort(_candidates);
            Restart(_candidates[CutFrames / 2], estimate.Spread);
            FollowSharpness();
            return Current;
        }
        double share = Math.Max(1 - Math.Exp(-(seconds >= 1e-3 ? seconds : 1e-3) / _timeConstant), 1.0 / (_count + 1));
        _level += (float)share * Math.Clamp(difference, -plausible, plausible);
        _spread += (float)share * (estimate.Spread - _spread);
        // A mean of more than these is as steady as it gets; saved as a float it stays exact.
        if (_count < MaxCount) _count++;
        FollowSharpness();
        return Current;
    }

    /// <summary>Forgets everything, as before the first frame.</summary>
    public void Reset() => (_count, _candidateCount, _isSharp) = (0, 0, false);

    /// <summary>Everything that the next estimate depends on, as numbers.</summary>
    public float[] Save() => [_level, _spread, _count, _isSharp ? 1 : 0, _candidateCount, .. _candidates];

    /// <summary>Goes on where the tracker was that saved this.</summary>
    /// <exception cref="ArgumentException">It is nothing that <see cref="Save"/> gave.</exception>
    public void Load(ReadOnlySpan<float> saved)
    {
        if (saved.Length != SavedCount || saved[4] is not (>= 0 and < CutFrames)) throw new ArgumentException("These numbers are no saved state of a tracker.", nameof(saved));
        (_level, _spread, _count, _isSharp, _candidateCount) = (saved[0], saved[1], (int)saved[2], saved[3] != 0, (int)saved[4]);
        saved[(SavedCount - CutFrames)..].CopyTo(_candidates);
    }

    private bool IsCut(float level, float plausible)
    {
        // Estimates that contradict each other are noise, however far they are from the mean.
        if (_candidateCount > 0 && (MathF.Abs(level - _candidates[_candidateCount - 1]) > plausible || level > _level != _candidates[0] > _level)) _candidateCount = 0;
        _candidates[_candidateCount++] = level;
        return _candidateCount == CutFrames;
    }

    private void Restart(float level, float spread) => (_level, _spread, _count, _candidateCount) = (level, spread, 1, 0);

    private void FollowSharpness()
    {
        float sigma = SigmaScale.ToSigma(_level);
        _isSharp = _isSharp ? sigma < SigmaEstimate.SharpLimit + Hysteresis : sigma < SigmaEstimate.SharpLimit - Hysteresis;
    }
}
