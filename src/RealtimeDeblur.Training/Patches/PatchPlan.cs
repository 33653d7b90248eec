using RealtimeDeblur.Training.Data;

namespace RealtimeDeblur.Training.Patches;

/// <summary>What the device needs to make one patch.</summary>
/// <param name="Picture">Which picture it is cut from.</param>
/// <param name="Left">Column of the network's input in the picture; may lie outside, where the picture mirrors.</param>
/// <param name="Top">Row of the network's input in the picture.</param>
/// <param name="Orientation">One of the square's eight symmetries, 0 to 7.</param>
/// <param name="Degradation">What is done to it.</param>
/// <param name="Weight">The patch's weight in the loss.</param>
/// <param name="NoiseSeed">Seed of the patch's noise.</param>
internal readonly record struct PatchPlan(PicturePlace Picture, int Left, int Top, int Orientation, Degradation Degradation, float Weight, int NoiseSeed)
{
    /// <summary>PATCH_INTS and LEVEL_FLOATS of <c>kernels/train/degrade.cl</c>.</summary>
    public const int Ints = 13, Floats = 9;

    /// <summary>Width of the blur in pixels, what a network's dial gets; 0 for none. See <see cref="BlurShape"/> for what it means for each shape.</summary>
    public float Sigma => Degradation.Sigma;

    /// <summary>Writes the integers in the order that the kernel file lists.</summary>
    public void WriteInts(Span<int> to)
    {
        to[0] = Picture.Offset;
        to[1] = Picture.Width;
        to[2] = Picture.Height;
        to[3] = Left;
        to[4] = Top;
        to[5] = Orientation;
        to[6] = NoiseSeed;
        to[7] = Sigma == 0 ? 0 : Degradation.Shape?.Kind switch { null => 0, BlurShapeKind.Anisotropic => 1, _ => 2 };
        to[8] = BlurShape.ReachOf(Sigma);
        to[9] = Degradation.H264Qp is not null ? 2 : Degradation.JpegQuality is not null ? 1 : 0;
        to[10] = Degradation.H264Qp ?? Degradation.JpegQuality ?? 0;
        to[11] = ChromaQp(Degradation.H264Qp ?? 0);
        to[12] = Degradation.JpegFullChroma ? 0 : 1;
    }

    /// <summary>Writes the levels in the order that the kernel file lists.</summary>
    public void WriteFloats(Span<float> to)
    {
        to[0] = Weight;
        (to[1], to[2], to[3]) = Sigma == 0 ? default : Degradation.Shape switch
        {
            null => (1 / (Sigma * Sigma), 0, 0),
            { Kind: BlurShapeKind.Disc } => (BlurShape.RadiusOf(Sigma), 0, 0),
            BlurShape shape => Floats3(shape.Precision(Sigma)),
        };
        to[4] = Degradation.ReadNoise / 255;
        to[5] = Degradation.ShotNoise * Degradation.ShotNoise / (255f * 255f * Degradation.MidGrey);
        to[6] = Degradation.NoiseCorrelation;
        to[7] = Degradation.SharpeningRadius;
        to[8] = Degradation.SharpeningAmount;

        static (float, float, float) Floats3((double XX, double XY, double YY) of) => ((float)of.XX, (float)of.XY, (float)of.YY);
    }

    /// <summary>QP of chroma for one of luma: Table 8-15 of ITU-T H.264.</summary>
    internal static int ChromaQp(int qp) => qp < 30 ? qp : ChromaQps[qp - 30];

    private static ReadOnlySpan<byte> ChromaQps => [29, 30, 31, 32, 32, 33, 34, 34, 35, 35, 36, 36, 37, 37, 37, 38, 38, 38, 39, 39, 39, 39];
}
