using OpenCvSharp;

namespace RealtimeDeblur.Training.Evaluation;

/// <summary>A plane of 8-bit luma, limited range, rows one after another.</summary>
/// <param name="Samples">[H][W].</param>
/// <param name="W">Columns.</param>
/// <param name="H">Rows.</param>
internal sealed record LumaPlane(byte[] Samples, int W, int H)
{
    /// <summary>Luma of one pixel: 16 + (65.481 R + 128.553 G + 24.966 B)/255, rounded; 16 for black to 235 for white.</summary>
    public static byte Of(byte r, byte g, byte b) => (byte)Math.Round(16 + (65.481 * r + 128.553 * g + 24.966 * b) / 255);

    /// <summary>Luma of a picture with B, G, R.</summary>
    internal static unsafe LumaPlane Of(Mat picture)
    {
        int W = picture.Width;
        int H = picture.Height;
        var samples = new byte[W * H];
        for (int y = 0; y < H; y++)
        {
            ReadOnlySpan<byte> row = new((void*)picture.Ptr(y), 3 * W);
            for (int x = 0; x < W; x++) samples[y * W + x] = Of(row[3 * x + 2], row[3 * x + 1], row[3 * x]);
        }
        return new(samples, W, H);
    }

    /// <summary>A copy as an OpenCV picture of another depth, values unchanged. The caller disposes it.</summary>
    internal Mat ToMat(MatType type)
    {
        using Mat bytes = Mat.FromPixelData(H, W, MatType.CV_8UC1, Samples);
        Mat converted = new();
        bytes.ConvertTo(converted, type);
        return converted;
    }

    /// <summary>A copy of a one-channel picture of any depth, rounded and clipped to 8 bits.</summary>
    internal static LumaPlane FromMat(Mat picture)
    {
        var samples = new byte[picture.Width * picture.Height];
        using Mat bytes = Mat.FromPixelData(picture.Height, picture.Width, MatType.CV_8UC1, samples);
        picture.ConvertTo(bytes, MatType.CV_8UC1);
        return new(samples, picture.Width, picture.Height);
    }
}
