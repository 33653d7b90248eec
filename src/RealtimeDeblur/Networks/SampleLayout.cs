using RealtimeDeblur.Compute;
using RealtimeDeblur.Imaging;

namespace RealtimeDeblur.Networks;

/// <summary>
/// How the samples that a network reads and writes lie in memory, and how they map to its working space. The kernels' half of it, and the meaning of every argument, is <c>color/samples.cl</c>.
/// </summary>
/// <param name="Options">Macros for kernels that include it.</param>
/// <param name="Stride">Samples from one row to the next.</param>
/// <param name="W">Columns of the frame in pixels.</param>
/// <param name="H">Rows of the frame in pixels.</param>
/// <param name="Scale">working = Offset + Scale * sample.</param>
/// <param name="Offset">See <paramref name="Scale"/>.</param>
/// <param name="CodesPerUnit">Code values per unit of the working space.</param>
internal sealed record SampleLayout(string Options, int Stride, int W, int H, float Scale, float Offset, float CodesPerUnit)
{
    private const float LumaBlack = 16f, LumaSpan = 219f, EightBitMax = 255f;

    // Positions of FRAME_ARGUMENTS and RESTORED_ARGUMENTS in color/samples.cl.
    private const int FrameArgument = 0, StrideArgument = 1, OriginXArgument = 6, OriginYArgument = 7, RestoredArgument = 8, GainArgument = 9, SkipXArgument = 10;

    /// <summary>Position of a kernel's own first argument after FRAME_ARGUMENTS.</summary>
    public const int AfterFrame = 8;

    /// <summary>Position of a kernel's own first argument after FRAME_ARGUMENTS and RESTORED_ARGUMENTS.</summary>
    public const int AfterRestored = 14;

    /// <summary>float [C][H][W], working values as they are.</summary>
    public static SampleLayout Planar(int C, int W, int H) => new($"-DPLANAR -DSAMPLE=float -DMAX_CODE=1 -DSAMPLES=1 -DRED=0 -DC={C}", W, W, H, 1, 0, 1);

    /// <summary>Plane 0 of a frame: luma, or interleaved RGB.</summary>
    /// <param name="format">Of the frame.</param>
    /// <param name="C">Channels of the network: 1 or, for RGB formats, 3.</param>
    public static SampleLayout Of(FrameFormat format, int C)
    {
        // working = offset + scale * code; see the head of color/samples.cl.
        int step = format.CodeStep;
        float maxCode = format.MaxValue;
        bool lumaOfRgb = format.IsRgb && C == 1;
        bool fullRangeLuma = !format.IsRgb && format.Range == ColorRange.Full;
        (float scale, float offset, float codesPerUnit) =
            lumaOfRgb ? (1 / (EightBitMax * maxCode), LumaBlack / EightBitMax, maxCode * EightBitMax / LumaSpan)
            : fullRangeLuma ? (AtDepth(format, LumaSpan) / (maxCode * maxCode), AtDepth(format, LumaBlack) / maxCode, maxCode * maxCode / AtDepth(format, LumaSpan))
            : (1 / maxCode, 0, maxCode);
        string options = $"-DSAMPLE={(format.BytesPerSample == 2 ? "ushort" : "uchar")} -DMAX_CODE={format.MaxValue * step} -DCODE_STEP={step} -DSAMPLES={format.SamplesPerPixel} "
            + $"-DRED={(format.Pixels is PixelFormat.Bgr24 or PixelFormat.Bgra32 ? 2 : 0)} -DC={C}";
        return new(options, format.Plane(0).StrideBytes / format.BytesPerSample, format.Width, format.Height, scale / step, offset, codesPerUnit);
    }

    /// <summary>Binds what no frame changes.</summary>
    public void Bind(Kernel kernel) => kernel.BindFrom(StrideArgument, Stride, W, H, Scale, Offset);

    /// <summary>Binds the frame that a kernel reads.</summary>
    public static void BindFrame(Kernel kernel, KernelArgument frame) => kernel.Bind(FrameArgument, frame);

    /// <summary>Binds where the tile begins, in pixels of the frame.</summary>
    public static void BindOrigin(Kernel kernel, int originX, int originY) => kernel.BindFrom(OriginXArgument, originX, originY);

    /// <summary>Binds where a last layer writes, and the share of the network's change that it writes, 0 to 1.</summary>
    public void BindRestored(Kernel last, KernelArgument restored, float strength) => last.BindFrom(RestoredArgument, restored, strength * CodesPerUnit);

    /// <summary>Binds which pixels of the tile a last layer keeps.</summary>
    public static void BindKept(Kernel last, int skipX, int skipY, int columns, int rows) => last.BindFrom(SkipXArgument, skipX, skipY, columns, rows);

    /// <summary>An 8-bit luma quantity at the format's bit depth: 16 becomes 64 at 10 bit.</summary>
    private static float AtDepth(FrameFormat format, float eightBit) => eightBit * (1 << (format.BitDepth - 8));
}
