using System.Text.Json.Serialization;
using OpenCvSharp;
using RealtimeDeblur.Video;

namespace RealtimeDeblur.Training.Data;

/// <summary>What was done to one sharp picture; everything needed to do it again, but for the random numbers of the noise.</summary>
/// <param name="Sigma">Standard deviation of the Gaussian blur in pixels, 0 for none; for other shapes as <see cref="BlurShape"/> says.</param>
internal sealed record Degradation(float Sigma)
{
    /// <summary>Standard deviations of the sharpening's Gaussian, in pixels.</summary>
    internal const float MinSharpeningRadius = 0.8f, MaxSharpeningRadius = 1.5f;

    /// <summary>Linear light of mid-grey, code value 127.5 of sRGB: where noise levels are stated.</summary>
    public const float MidGrey = 0.2122f;

    // cv::IMWRITE_JPEG_SAMPLING_FACTOR, which the wrapper's ImwriteFlags does not list.
    private const int JpegSamplingFactor = 7;

    /// <summary>Shape of the blur; null for an isotropic Gaussian.</summary>
    public BlurShape? Shape { get; init; }

    /// <summary>Whether the blur acts on linear light (decoded from sRGB and encoded again), as a lens does, or on the stored values.</summary>
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingDefault)]
    public bool LinearLight { get; init; }

    /// <summary>Standard deviation of the noise that does not depend on brightness, in 1/255 of full scale in linear light; 0 for none.</summary>
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingDefault)]
    public float ReadNoise { get; init; }

    /// <summary>Standard deviation at mid-grey of the noise whose variance grows in proportion to brightness, in 1/255 of full scale in linear light; 0 for none.</summary>
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingDefault)]
    public float ShotNoise { get; init; }

    /// <summary>
    /// How alike the noise of neighbouring pixels is, as demosaicing and denoising make it: white noise is smoothed by (a, 1, a) along rows and columns, with this a, 0 to 0.5, and
    /// scaled back to the stated deviations.
    /// </summary>
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingDefault)]
    public float NoiseCorrelation { get; init; }

    /// <summary>Standard deviation in pixels of the Gaussian of the camera's own unsharp mask, which acts on gamma-encoded luma; above 0 to 1.5, or 0 for no mask.</summary>
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingDefault)]
    public float SharpeningRadius { get; init; }

    /// <summary>Share of the detail that the unsharp mask adds; 0 for none.</summary>
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingDefault)]
    public float SharpeningAmount { get; init; }

    /// <summary>QP of an H.264 intra frame, 0 to 51, colour at half resolution; null for none. Excludes <see cref="JpegQuality"/>.</summary>
    public int? H264Qp { get; init; }

    /// <summary>JPEG quality 1 to 100; null for no compression.</summary>
    public int? JpegQuality { get; init; }

    /// <summary>Whether JPEG keeps colour at full resolution (4:4:4) or at half (4:2:0).</summary>
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingDefault)]
    public bool JpegFullChroma { get; init; }

    /// <summary>
    /// A camera's degradation at a level stated by two numbers: <paramref name="noise"/> is the standard deviation at mid-grey, in 1/255 of full scale in linear light
    /// (which the sRGB curve leaves nearly unchanged there), a quarter of it read noise and the rest shot noise, added as variances.
    /// </summary>
    public static Degradation Camera(float sigma, float noise, int? jpegQuality) => new(sigma)
    {
        LinearLight = true,
        ReadNoise = noise / 4,
        ShotNoise = noise * MathF.Sqrt(15f / 16),
        JpegQuality = jpegQuality,
    };

    /// <summary>
    /// A random camera. Of the blurs <paramref name="shapeShare"/> have another shape than the isotropic Gaussian: anisotropic up to 2:1 or, up to radius 3, just as often a disc. No
    /// noise in one of five, else 0 to 4 at mid-grey of which read noise is 0 to 2 and more often little than much, correlated in half. Sharpening by up to 0.6 in one of three, which
    /// sharpens the blur itself. No codec in one of four, else as often JPEG of quality 60 to 98, with half-resolution colour in three of four, as H.264 of QP 18 to 32.
    /// </summary>
    internal static Degradation RandomCamera(float sigma, float shapeShare, SeededRandom random)
    {
        const float MaxRatio = 2, MaxRadius = 3, MaxAmount = 0.6f;
        // Every number is drawn whether it is used or not, so that a change of one share leaves the other draws alone.
        bool isShaped = random.NextDouble() < shapeShare && sigma > 0;
        bool isDisc = random.NextDouble() < 0.5 && BlurShape.RadiusOf(sigma) <= MaxRadius;
        double ratio = Math.Pow(MaxRatio, random.NextDouble()), angle = Math.PI * random.NextDouble();
        bool isNoisy = random.NextDouble() >= 0.2;
        double total = 4 * random.NextDouble(), share = random.NextDouble();
        double read = Math.Min(total, 2) * share * share;
        double correlation = Math.Max(0, random.NextDouble() - 0.5);
        bool isSharpened = random.NextDouble() < 1 / 3.0;
        double radius = MinSharpeningRadius + (MaxSharpeningRadius - MinSharpeningRadius) * random.NextDouble(), amount = MaxAmount * random.NextDouble();
        double codec = random.NextDouble();
        int quality = random.NextInt(60, 98), qp = random.NextInt(18, 32);
        bool isFullChroma = random.NextDouble() < 0.25, isJpeg = codec is >= 0.25 and < 0.625;
        return new(sigma)
        {
            Shape = !isShaped ? null : isDisc ? BlurShape.Disc : BlurShape.Anisotropic(Rounded(ratio), Rounded(angle)),
            LinearLight = true,
            ReadNoise = isNoisy ? Rounded(read) : 0,
            ShotNoise = isNoisy ? Rounded(Math.Sqrt(total * total - read * read)) : 0,
            NoiseCorrelation = isNoisy ? Rounded(correlation) : 0,
            SharpeningRadius = isSharpened ? Rounded(radius) : 0,
            SharpeningAmount = isSharpened ? Rounded(amount) : 0,
            JpegQuality = isJpeg ? quality : null,
            JpegFullChroma = isJpeg && isFullChroma,
            H264Qp = codec >= 0.625 ? qp : null,
        };

        static float Rounded(double value) => MathF.Round((float)value, 3);
    }

    /// <summary>
    /// A random camera of isotropic Gaussian blur, white noise and JPEG only, for thousands of crops where each through ffmpeg would take too long: no noise in one of five, else 0 to 4
    /// at mid-grey of which read noise is 0 to 2 and more often little than much; no JPEG in one of four, else quality 70 to 98, with half-resolution colour in three of four.
    /// </summary>
    internal static Degradation RandomCamera(float sigma, SeededRandom random)
    {
        double total = random.NextDouble() < 0.2 ? 0 : 4 * random.NextDouble();
        double share = random.NextDouble();
        double read = Math.Min(total, 2) * share * share;
        bool jpeg = random.NextDouble() >= 0.25;
        return new(sigma)
        {
            LinearLight = true,
            ReadNoise = MathF.Round((float)read, 3),
            ShotNoise = MathF.Round((float)Math.Sqrt(total * total - read * read), 3),
            JpegQuality = jpeg ? random.NextInt(70, 98) : null,
            JpegFullChroma = jpeg && random.NextDouble() < 0.25,
        };
    }

    /// <summary>Degrades a picture. H.264 starts ffmpeg.</summary>
    /// <param name="sharp">8 bits, one channel or B, G, R; gamma-encoded sRGB. Not modified.</param>
    /// <param name="random">Source of the noise; not asked when there is none.</param>
    /// <returns>A picture of the same size and type. The caller disposes it.</returns>
    internal Mat Apply(Mat sharp, SeededRandom random)
    {
        Mat degraded = LinearLight ? ApplyInLinearLight(sharp, random) : Blur(sharp);
        if (JpegQuality is null && H264Qp is null) return degraded;
        using (degraded)
        {
            if (H264Qp is { } qp) return H264IntraFrame.RoundTrip(degraded, qp);
            // Sampling factors as OpenCV takes them: horizontal and vertical factor of Y, Cb, Cr, a hexadecimal digit each.
            int sampling = JpegFullChroma ? 0x111111 : 0x221111;
            Cv2.ImEncode(".jpg", degraded, out byte[] jpeg, [(int)ImwriteFlags.JpegQuality, JpegQuality!.Value, JpegSamplingFactor, sampling]);
            return Cv2.ImDecode(jpeg, sharp.Channels() == 1 ? ImreadModes.Grayscale : ImreadModes.Color);
        }
    }

    /// <summary>The blur alone, on the values as they are; pictures of 8 bits are rounded. As <see cref="GaussianBlur"/> for all shapes.</summary>
    /// <returns>A new picture of the same type. The caller disposes it.</returns>
    internal Mat Blur(Mat picture)
    {
        if (Shape is null || Sigma == 0) return GaussianBlur(picture, Sigma);
        using Mat psf = Shape.Psf(Sigma);
        using Mat precise = new();
        picture.ConvertTo(precise, MatType.CV_32F);
        Cv2.Filter2D(precise, precise, MatType.CV_32F, psf, borderType: BorderTypes.Reflect101);
        Mat blurred = new();
        precise.ConvertTo(blurred, picture.Depth());
        return blurred;
    }

    /// <summary>
    /// OpenCV's Gaussian blur as every figure of this project uses it: kernel side 2*ceil(4 sigma)+1, border reflected without repeating its outermost pixel. Eight-bit pictures are
    /// blurred in floating point and rounded, because OpenCV's own path for 8 bits rounds the kernel's weights to 1/256: that is not the blur of the stated sigma (0.1 dB of the
    /// blurred picture's PSNR at sigma 0.5, and 0.4 dB of what can be restored at sigma 3).
    /// </summary>
    /// <returns>A new picture of the same type, a copy for <paramref name="sigma"/> 0. The caller disposes it.</returns>
    internal static Mat GaussianBlur(Mat picture, double sigma)
    {
        if (sigma == 0) return picture.Clone();
        int side = 2 * (int)Math.Ceiling(4 * sigma) + 1;
        Mat blurred = new();
        if (picture.Depth() != MatType.CV_8U)
        {
            Cv2.GaussianBlur(picture, blurred, new Size(side, side), sigma, sigma, BorderTypes.Reflect101);
            return blurred;
        }
        using Mat precise = new();
        picture.ConvertTo(precise, MatType.CV_32F);
        Cv2.GaussianBlur(precise, precise, new Size(side, side), sigma, sigma, BorderTypes.Reflect101);
        precise.ConvertTo(blurred, MatType.CV_8U);
        return blurred;
    }

    private Mat ApplyInLinearLight(Mat sharp, SeededRandom random)
    {
        using Mat table = Mat.FromPixelData(1, 256, MatType.CV_32FC1, Srgb.DecodeTable);
        using Mat linear = new();
        Cv2.LUT(sharp, table, linear);
        using Mat light = Blur(linear);

        double readVariance = ReadNoise * ReadNoise / (255.0 * 255.0);
        double shotVariance = ShotNoise * ShotNoise / (255.0 * 255.0 * MidGrey);
        using Mat? noise = readVariance + shotVariance > 0 ? Noise(light, random) : null;
        using Mat codes = new(light.Size(), light.Type());
        int H = light.Rows;
        for (int y = 0; y < H; y++)
        {
            Span<float> from = RowOf<float>(light, y), normal = noise is null ? [] : RowOf<float>(noise, y), to = RowOf<float>(codes, y);
            for (int i = 0; i < to.Length; i++)
            {
                float value = from[i];
                if (noise is not null) value += (float)Math.Sqrt(readVariance + shotVariance * value) * normal[i];
                to[i] = Srgb.EncodeExactly(value);
            }
        }
        if (SharpeningAmount > 0) Sharpen(codes);
        Mat degraded = new();
        codes.ConvertTo(degraded, MatType.CV_8U);
        return degraded;
    }

    /// <summary>Normal numbers of variance 1 in the shape of a picture, as alike as <see cref="NoiseCorrelation"/> says.</summary>
    private Mat Noise(Mat like, SeededRandom random)
    {
        int margin = NoiseCorrelation > 0 ? 1 : 0;
        using Mat white = new(like.Rows + 2 * margin, like.Cols + 2 * margin, like.Type());
        int H = like.Rows + 2 * margin;
        for (int y = 0; y < H; y++)
        {
            foreach (ref float value in RowOf<float>(white, y)) value = (float)random.NextGaussian();
        }
        if (margin == 0) return white.Clone();
        float norm = MathF.Sqrt(1 + 2 * NoiseCorrelation * NoiseCorrelation), side = NoiseCorrelation / norm;
        using Mat taps = Mat.FromPixelData(1, 3, MatType.CV_32FC1, new[] { side, 1 / norm, side });
        Cv2.SepFilter2D(white, white, MatType.CV_32F, taps, taps);
        return white[new Rect(margin, margin, like.Cols, like.Rows)].Clone();
    }

    /// <summary>Adds the detail of luma to every channel, in place: B, G, R or luma, code values.</summary>
    private void Sharpen(Mat codes)
    {
        using Mat luma = new();
        if (codes.Channels() == 3) Cv2.CvtColor(codes, luma, ColorConversionCodes.BGR2GRAY);
        else codes.CopyTo(luma);
        using Mat detail = GaussianBlur(luma, SharpeningRadius);
        Cv2.Subtract(luma, detail, detail);
        if (codes.Channels() == 3) Cv2.CvtColor(detail, detail, ColorConversionCodes.GRAY2BGR);
        Cv2.AddWeighted(codes, 1, detail, SharpeningAmount, 0, codes);
    }

    private static unsafe Span<T> RowOf<T>(Mat picture, int y) where T : unmanaged => new((void*)picture.Ptr(y), picture.Cols * picture.Channels());
}
