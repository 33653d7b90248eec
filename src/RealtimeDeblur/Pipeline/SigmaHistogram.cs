using RealtimeDeblur.Networks;
using RealtimeDeblur.Restoration;

namespace RealtimeDeblur.Pipeline;

/// <summary>Median of any number of sigmas in fixed memory: a count for every step of <see cref="InferenceSession.SigmaStep"/>. Not safe for use by two threads at once.</summary>
internal sealed class SigmaHistogram
{
    private readonly long[] _counts = new long[(int)(SigmaSetting.MaxSigma / InferenceSession.SigmaStep) + 1];
    private long _count;

    /// <summary>Null without entries; of an even number the lower one of the two in the middle.</summary>
    public float? Median
    {
        get
        {
            if (_count == 0) return null;
            long seen = 0;
            int step = 0;
            while ((seen += _counts[step]) < (_count + 1) / 2) step++;
            return step * InferenceSession.SigmaStep;
        }
    }

    /// <param name="sigma">In pixels.</param>
    public void Add(float sigma)
    {
        _count++;
        _counts[Math.Clamp((int)MathF.Round(sigma / InferenceSession.SigmaStep), 0, _counts.Length - 1)]++;
    }

    /// <summary>Takes over the entries of another one.</summary>
    public void Add(SigmaHistogram other)
    {
        _count += other._count;
        for (int i = 0; i < _counts.Length; i++) _counts[i] += other._counts[i];
    }
}
