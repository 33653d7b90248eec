namespace RealtimeDeblur.Training.Data;

/// <summary>The transfer curve of sRGB (IEC 61966-2-1) between 8-bit code values and linear light from 0 to 1.</summary>
internal static class Srgb
{
    /// <summary>Linear light of every code value.</summary>
    public static float[] DecodeTable { get; } = [.. Enumerable.Range(0, 256).Select(code => (float)Decode(code / 255.0))];

    /// <summary>The nearest code value; light outside 0 to 1 is clipped.</summary>
    public static byte Encode(float light) => (byte)(EncodeExactly(light) + 0.5f);

    /// <summary>The code value before rounding, 0 to 255; light outside 0 to 1 is clipped.</summary>
    public static float EncodeExactly(float light)
    {
        float clipped = Math.Clamp(light, 0f, 1f);
        return 255 * (clipped <= 0.0031308f ? 12.92f * clipped : 1.055f * MathF.Pow(clipped, 1 / 2.4f) - 0.055f);
    }

    private static double Decode(double encoded) => encoded <= 0.04045 ? encoded / 12.92 : Math.Pow((encoded + 0.055) / 1.055, 2.4);
}
