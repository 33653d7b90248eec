using RealtimeDeblur.Training.Data;

namespace RealtimeDeblur.Tests.Training.Patches;

/// <summary>The degradations of <c>kernels/train/degrade.cl</c> on planes [C][H][W] of code values, in double precision, slow and obvious. Definition of each operation.</summary>
internal static class ReferenceDegradation
{
    /// <summary>The blur's taps over [-reach, reach]^2, sum 1.</summary>
    public static double[,] Psf(Degradation degradation)
    {
        double sigma = degradation.Sigma;
        int reach = (int)Math.Ceiling(4 * sigma);
        double[,] taps = new double[2 * reach + 1, 2 * reach + 1];
        double sum = 0;
        for (int y = -reach; y <= reach; y++)
        for (int x = -reach; x <= reach; x++)
            sum += taps[y + reach, x + reach] = Weight(x, y);
        for (int y = -reach; y <= reach; y++)
        for (int x = -reach; x <= reach; x++)
            taps[y + reach, x + reach] /= sum;
        return taps;

        double Weight(int x, int y)
        {
            if (sigma == 0) return 1;
            if (degradation.Shape is null) return Math.Exp(-(x * x + y * y) / (2 * sigma * sigma));
            if (degradation.Shape.Kind == BlurShapeKind.Disc) return Math.Clamp(2 * sigma + 0.5 - Math.Sqrt(x * x + y * y), 0, 1);
            // Coordinates along the axes, each over its own standard deviation.
            double along = (x * Math.Cos(degradation.Shape.Angle) + y * Math.Sin(degradation.Shape.Angle)) / (sigma * Math.Sqrt(degradation.Shape.Ratio));
            double across = (y * Math.Cos(degradation.Shape.Angle) - x * Math.Sin(degradation.Shape.Angle)) / (sigma / Math.Sqrt(degradation.Shape.Ratio));
            return Math.Exp(-(along * along + across * across) / 2);
        }
    }

    /// <summary>v + amount*(luma - G*luma), clipped to black and white; beyond the border the outermost pixel repeats.</summary>
    public static double[] Sharpen(double[] planes, int C, int size, double radius, double amount)
    {
        double[] luma = new double[size * size], result = new double[planes.Length];
        for (int i = 0; i < luma.Length; i++)
            luma[i] = C == 1 ? planes[i] : 0.299 * planes[i] + 0.587 * planes[size * size + i] + 0.114 * planes[2 * size * size + i];
        for (int y = 0; y < size; y++)
        for (int x = 0; x < size; x++)
        {
            double sum = 0, weights = 0;
            for (int dy = -6; dy <= 6; dy++)
            for (int dx = -6; dx <= 6; dx++)
            {
                double weight = Math.Exp(-(dx * dx + dy * dy) / (2 * radius * radius));
                sum += weight * luma[Math.Clamp(y + dy, 0, size - 1) * size + Math.Clamp(x + dx, 0, size - 1)];
                weights += weight;
            }
            for (int c = 0; c < C; c++)
            {
                int i = (c * size + y) * size + x;
                result[i] = Math.Clamp(planes[i] + amount * (luma[y * size + x] - sum / weights), C == 1 ? 16 : 0, C == 1 ? 235 : 255);
            }
        }
        return result;
    }

    /// <summary>What a codec leaves of whole code values. A block in which some coefficient lies so near a rounding boundary that single precision may fall to the other side becomes NaN.</summary>
    public static double[] Compress(double[] codes, int C, int size, Degradation degradation)
    {
        bool isJpeg = degradation.H264Qp is null;
        int pixels = size * size;
        double[][] planes = new double[C][];
        for (int c = 0; c < C; c++) planes[c] = new double[pixels];
        for (int i = 0; i < pixels; i++)
        {
            if (C == 1)
            {
                planes[0][i] = isJpeg ? Math.Round((codes[i] - 16) * 255 / 219) : codes[i];
                continue;
            }
            (double r, double g, double b) = (codes[i], codes[pixels + i], codes[2 * pixels + i]);
            double luma = 0.299 * r + 0.587 * g + 0.114 * b, cb = (b - luma) / 1.772, cr = (r - luma) / 1.402;
            planes[0][i] = Round(isJpeg ? luma : 16 + 219 * luma / 255);
            planes[1][i] = Round(128 + cb * (isJpeg ? 1 : 224 / 255.0));
            planes[2][i] = Round(128 + cr * (isJpeg ? 1 : 224 / 255.0));
        }
        planes[0] = Blocks(planes[0], size, 0, degradation);
        for (int c = 1; c < C; c++)
            planes[c] = degradation.JpegFullChroma ? Blocks(planes[c], size, c, degradation) : Twice(Blocks(Half(planes[c], size), size / 2, c, degradation), size / 2);

        double[] result = new double[codes.Length];
        for (int i = 0; i < pixels; i++)
        {
            if (C == 1)
            {
                result[i] = isJpeg ? 16 + planes[0][i] * 219 / 255 : Math.Clamp(planes[0][i], 16, 235);
                continue;
            }
            double range = isJpeg ? 1 : 255 / 224.0;
            (double luma, double cb, double cr) = (isJpeg ? planes[0][i] : (planes[0][i] - 16) * 255 / 219, (planes[1][i] - 128) * range, (planes[2][i] - 128) * range);
            result[i] = Math.Clamp(luma + 1.402 * cr, 0, 255);
            result[pixels + i] = Math.Clamp(luma - (0.299 * 1.402 * cr + 0.114 * 1.772 * cb) / 0.587, 0, 255);
            result[2 * pixels + i] = Math.Clamp(luma + 1.772 * cb, 0, 255);
        }
        return result;
    }

    private static double[] Half(double[] plane, int size)
    {
        double[] half = new double[size * size / 4];
        for (int y = 0; y < size / 2; y++)
        for (int x = 0; x < size / 2; x++)
        {
            // Whole numbers over 4: a half is no matter of precision, and rounds to even.
            half[y * size / 2 + x] = Math.Round((plane[2 * y * size + 2 * x] + plane[2 * y * size + 2 * x + 1] + plane[(2 * y + 1) * size + 2 * x] + plane[(2 * y + 1) * size + 2 * x + 1]) / 4);
        }
        return half;
    }

    private static double[] Twice(double[] plane, int size)
    {
        double[] twice = new double[4 * size * size];
        for (int y = 0; y < 2 * size; y++)
        for (int x = 0; x < 2 * size; x++)
        {
            // The centre of pixel x of the large plane lies at (x + 1/2)/2 - 1/2 of the small one.
            double v = y / 2.0 - 0.25, u = x / 2.0 - 0.25;
            (int top, int left) = ((int)Math.Floor(v), (int)Math.Floor(u));
            for (int dy = 0; dy <= 1; dy++)
            for (int dx = 0; dx <= 1; dx++)
                twice[y * 2 * size + x] += (1 - Math.Abs(v - top - dy)) * (1 - Math.Abs(u - left - dx)) * plane[Math.Clamp(top + dy, 0, size - 1) * size + Math.Clamp(left + dx, 0, size - 1)];
        }
        return twice;
    }

    private static double[] Blocks(double[] plane, int size, int channel, Degradation degradation)
    {
        double[] result = new double[plane.Length];
        for (int top = 0; top < size; top += 8)
        for (int left = 0; left < size; left += 8)
        {
            double[,] block = new double[8, 8], coefficient = new double[8, 8];
            bool isUncertain = false;
            for (int y = 0; y < 8; y++)
            for (int x = 0; x < 8; x++)
                block[y, x] = plane[Math.Min(top + y, size - 1) * size + Math.Min(left + x, size - 1)] - 128;
            for (int v = 0; v < 8; v++)
            for (int u = 0; u < 8; u++)
            {
                double sum = 0;
                for (int y = 0; y < 8; y++)
                for (int x = 0; x < 8; x++)
                    sum += block[y, x] * Cosine(v, y) * Cosine(u, x);
                double step = Step(channel, 8 * v + u, degradation), level = Math.Abs(sum) / step + (degradation.H264Qp is null ? 0.5 : 1 / 3.0);
                isUncertain |= Math.Abs(level - Math.Round(level)) < 1e-3 && Math.Round(level) > 0;
                coefficient[v, u] = Math.CopySign(Math.Floor(level) * step, sum);
            }
            for (int y = 0; y < 8 && top + y < size; y++)
            for (int x = 0; x < 8 && left + x < size; x++)
            {
                double sum = 128;
                for (int v = 0; v < 8; v++)
                for (int u = 0; u < 8; u++)
                    sum += coefficient[v, u] * Cosine(v, y) * Cosine(u, x);
                result[(top + y) * size + left + x] = isUncertain ? double.NaN : Round(Math.Clamp(sum, 0, 255));
            }
        }
        return result;
    }

    private static double Cosine(int u, int x) => Math.Sqrt((u == 0 ? 1.0 : 2.0) / 8) * Math.Cos((2 * x + 1) * u * Math.PI / 16);

    private static double Step(int channel, int i, Degradation degradation)
    {
        if (degradation.H264Qp is { } qp)
        {
            // Chroma's QP falls behind from 30 on: 29, 30, 31, 32, 32, 33 for 30 to 35.
            if (channel > 0 && qp >= 30) qp -= qp < 34 ? 1 : 2;
            return Math.Pow(2, (qp - 4) / 6.0);
        }
        int quality = degradation.JpegQuality!.Value, scale = quality < 50 ? 5000 / quality : 200 - 2 * quality;
        return Math.Clamp(((channel == 0 ? LumaTable : ChromaTable)[i] * scale + 50) / 100, 1, 255);
    }

    /// <summary>Rounds; a value so near a half that single precision may fall to the other side is NaN.</summary>
    private static double Round(double value) => Math.Abs(value - Math.Floor(value) - 0.5) < 2e-4 ? double.NaN : Math.Round(value);

    // ITU-T T.81, tables K.1 and K.2.
    private static readonly int[] LumaTable =
    [
        16, 11, 10, 16, 24, 40, 51, 61,
        12, 12, 14, 19, 26, 58, 60, 55,
        14, 13, 16, 24, 40, 57, 69, 56,
        14, 17, 22, 29, 51, 87, 80, 62,
        18, 22, 37, 56, 68, 109, 103, 77,
        24, 35, 55, 64, 81, 104, 113, 92,
        49, 64, 78, 87, 103, 121, 120, 101,
        72, 92, 95, 98, 112, 100, 103, 99,
    ];
    private static readonly int[] ChromaTable =
    [
        17, 18, 24, 47, 99, 99, 99, 99,
        18, 21, 26, 66, 99, 99, 99, 99,
        24, 26, 56, 99, 99, 99, 99, 99,
        47, 66, 99, 99, 99, 99, 99, 99,
        99, 99, 99, 99, 99, 99, 99, 99,
        99, 99, 99, 99, 99, 99, 99, 99,
        99, 99, 99, 99, 99, 99, 99, 99,
        99, 99, 99, 99, 99, 99, 99, 99,
    ];
}
