namespace RealtimeDeblur.Training.Patches;

/// <summary>What the device needs to make one patch, in the layout of <c>kernels/train/degrade.cl</c>.</summary>
/// <param name="Picture">Which picture it is cut from.</param>
/// <param name="Left">Column of the network's input in the picture; may lie outside, where the picture mirrors.</param>
/// <param name="Top">Row of the network's input in the picture.</param>
/// <param name="Orientation">One of the square's eight symmetries, 0 to 7.</param>
/// <param name="Sigma">Gaussian blur in pixels; 0 for none.</param>
/// <param name="ReadNoise">Standard deviation in linear light, full scale 1.</param>
/// <param name="ShotNoise">Variance per unit of linear light.</param>
/// <param name="JpegQuality">1 to 100; 0 for no compression.</param>
/// <param name="Weight">The patch's weight in the loss.</param>
/// <param name="NoiseSeed">Seed of the patch's noise.</param>
internal readonly record struct PatchPlan(PicturePlace Picture, int Left, int Top, int Orientation, float Sigma, float ReadNoise, float ShotNoise, int JpegQuality, float Weight, int NoiseSeed)
{
    public const int Ints = 8;

    /// <summary>Floats before the taps.</summary>
    public const int FixedFloats = 3;

    public void WriteInts(Span<int> to)
    {
        to[0] = Picture.Offset;
        to[1] = Picture.Width;
        to[2] = Picture.Height;
        to[3] = Left;
        to[4] = Top;
        to[5] = Orientation;
        to[6] = JpegQuality;
        to[7] = NoiseSeed;
    }

    /// <summary>Noise levels, weight and the Gaussian's taps, cut at ceil(4 sigma) as everywhere in this project and normalised.</summary>
    public void WriteFloats(Span<float> to)
    {
        to[0] = ReadNoise;
        to[1] = ShotNoise;
        to[2] = Weight;
        Span<float> taps = to[FixedFloats..];
        taps.Clear();
        int centre = taps.Length / 2, radius = Math.Min(RadiusOf(Sigma), centre);
        double sum = 0;
        for (int i = -radius; i <= radius; i++) sum += Tap(i);
        for (int i = -radius; i <= radius; i++) taps[centre + i] = (float)(Tap(i) / sum);
    }

    /// <summary>Taps on either side of the centre.</summary>
    public static int RadiusOf(float sigma) => (int)MathF.Ceiling(4 * sigma);

    private double Tap(int i) => Sigma > 0 ? Math.Exp(-i * i / (2.0 * Sigma * Sigma)) : i == 0 ? 1 : 0;
}
