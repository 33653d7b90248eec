using RealtimeDeblur.Training.Data;

namespace RealtimeDeblur.Training.Patches;

/// <summary>
/// Draws the patches of a step: where they are cut, how they are turned, how they are degraded. All draws depend on the seed and the step's number only,
/// which is what lets a resumed run continue as if it had never stopped.
/// </summary>
internal sealed class PatchSampler
{
    /// <summary>Three of four patches are the more detailed of two candidates: flat ones teach little.</summary>
    private const double PreferDetail = 0.75;

    private readonly TrainingPictures _pictures;
    private readonly TrainingOptions _options;
    private readonly int _pad;
    private readonly long[] _pixelsBefore;

    public PatchSampler(TrainingPictures pictures, TrainingOptions options, int pad)
    {
        (_pictures, _options, _pad) = (pictures, options, pad);
        _pixelsBefore = new long[pictures.Places.Count + 1];
        for (int i = 0; i < pictures.Places.Count; i++) _pixelsBefore[i + 1] = _pixelsBefore[i] + (long)pictures.Places[i].Width * pictures.Places[i].Height;
    }

    /// <summary>Draws the batch of a step.</summary>
    /// <param name="step">Counted from 1.</param>
    /// <param name="batch">Overwritten.</param>
    public void Draw(int step, Span<PatchPlan> batch)
    {
        SeededRandom random = new((ulong)_options.Seed, $"step {step}");
        for (int i = 0; i < batch.Length; i++)
        {
            (PicturePlace picture, int left, int top) = Place(random);
            if (random.NextDouble() < PreferDetail)
            {
                (PicturePlace other, int otherLeft, int otherTop) = Place(random);
                if (Detail(other, otherLeft, otherTop) > Detail(picture, left, top)) (picture, left, top) = (other, otherLeft, otherTop);
            }
            int orientation = random.NextInt(0, 7);
            float sigma = random.NextDouble() < _options.SharpShare ? 0 : _options.SigmaMin + (float)random.NextDouble() * (_options.SigmaMax - _options.SigmaMin);
            Degradation degradation = _options.Degradation == DegradationKind.Camera ? Degradation.RandomCamera(sigma, _options.ShapeShare, random) : new Degradation(sigma);
            batch[i] = Plan(picture, left - _pad, top - _pad, orientation, degradation, Weight(sigma), random.NextInt(0, int.MaxValue - 1));
        }
    }

    /// <summary>A patch with a given degradation.</summary>
    public static PatchPlan Plan(PicturePlace picture, int left, int top, int orientation, Degradation degradation, float weight, int noiseSeed) =>
        new(picture, left, top, orientation, degradation, weight, noiseSeed);

    /// <summary>
    /// A patch's weight in the loss. The error that a good restoration leaves grows with the blur about as e(sigma) = sigma^2/(sigma^2 + 2.2) (fitted to the PSNR of
    /// small networks from sigma 0.5 to 3); left alone, wide blurs drown mild ones. Weighting by a power of 1/e lets every blur count.
    /// </summary>
    private float Weight(float sigma)
    {
        const float HalfError = 2.2f, Floor = 0.1f;
        return MathF.Pow(1 / (Floor + sigma * sigma / (sigma * sigma + HalfError)), _options.SigmaBalance) * Emphasis(sigma);
    }

    private float Emphasis(float sigma)
    {
        IReadOnlyList<SigmaFactor> knots = _options.Emphasis;
        if (knots.Count == 0) return 1;
        if (sigma <= knots[0].Sigma) return knots[0].Factor;
        for (int i = 1; i < knots.Count; i++)
        {
            if (sigma > knots[i].Sigma) continue;
            float share = (sigma - knots[i - 1].Sigma) / (knots[i].Sigma - knots[i - 1].Sigma);
            return knots[i - 1].Factor + share * (knots[i].Factor - knots[i - 1].Factor);
        }
        return knots[^1].Factor;
    }

    private (PicturePlace Picture, int Left, int Top) Place(SeededRandom random)
    {
        // Every pixel of the data is as likely as any other, so large pictures come more often.
        long pixel = (long)(random.NextDouble() * _pixelsBefore[^1]);
        int found = Array.BinarySearch(_pixelsBefore, pixel);
        PicturePlace picture = _pictures.Places[found >= 0 ? found : ~found - 1];
        return (picture, random.NextInt(0, picture.Width - _options.PatchSize), random.NextInt(0, picture.Height - _options.PatchSize));
    }

    /// <summary>Sum of squared Laplacians over a part of the first plane's pixels.</summary>
    private long Detail(PicturePlace picture, int left, int top)
    {
        ReadOnlySpan<byte> plane = _pictures.Samples.AsSpan(picture.Offset, picture.Width * picture.Height);
        long sum = 0;
        for (int y = top + 1; y < top + _options.PatchSize - 1; y += 4)
        for (int x = left + 1; x < left + _options.PatchSize - 1; x += 3)
        {
            int i = y * picture.Width + x;
            int laplacian = 4 * plane[i] - plane[i - 1] - plane[i + 1] - plane[i - picture.Width] - plane[i + picture.Width];
            sum += laplacian * laplacian;
        }
        return sum;
    }
}
