using OpenCvSharp;
using RealtimeDeblur.Training.Data;

namespace RealtimeDeblur.Training.Estimation;

/// <summary>What is done to a plane of sharp luma: Gaussian blur, white noise, rounding to 8 bits, JPEG.</summary>
/// <param name="Sigma">Of the blur, in pixels.</param>
/// <param name="Noise">Standard deviation in code values of 8 bits; 0 for none.</param>
/// <param name="JpegQuality">1 to 100; null for no compression.</param>
internal readonly record struct LumaDegradation(float Sigma, float Noise, int? JpegQuality)
{
    /// <summary>Degrades a plane of 8 bits. The caller disposes the result.</summary>
    public Mat Apply(Mat luma, SeededRandom random)
    {
        using Mat precise = new();
        luma.ConvertTo(precise, MatType.CV_32F);
        using Mat blurred = Data.Degradation.GaussianBlur(precise, Sigma);
        if (Noise > 0) AddNoise(blurred, random);
        Mat rounded = new();
        blurred.ConvertTo(rounded, MatType.CV_8U);
        if (JpegQuality is not { } quality) return rounded;
        using (rounded)
        {
            Cv2.ImEncode(".jpg", rounded, out byte[] jpeg, [(int)ImwriteFlags.JpegQuality, quality]);
            return Cv2.ImDecode(jpeg, ImreadModes.Grayscale);
        }
    }

    private unsafe void AddNoise(Mat plane, SeededRandom random)
    {
        (int H, int W) = (plane.Rows, plane.Cols);
        for (int y = 0; y < H; y++)
        {
            var row = (float*)plane.Ptr(y);
            for (int x = 0; x < W; x++) row[x] += (float)(Noise * random.NextGaussian());
        }
    }
}
