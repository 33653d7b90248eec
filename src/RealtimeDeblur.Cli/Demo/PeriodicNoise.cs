namespace RealtimeDeblur.Cli.Demo;

/// <summary>Gradient-free lattice noise that repeats, so that a map made of it has no seam.</summary>
/// <remarks>Value noise with quintic interpolation, after Perlin, "Improving noise", SIGGRAPH 2002; fractal sums after Musgrave.</remarks>
internal static class PeriodicNoise
{
    /// <summary>A number from 0 to 1 that depends on the three integers alone.</summary>
    public static float Hash(int x, int y, int seed)
    {
        uint h = (uint)x * 0x9E3779B1u ^ (uint)y * 0x85EBCA77u ^ (uint)seed * 0xC2B2AE3Du;
        h = (h ^ (h >> 15)) * 0x2C1B3C6Du;
        h = (h ^ (h >> 12)) * 0x297A2D39u;
        return ((h ^ (h >> 15)) >> 8) * (1f / (1 << 24));
    }

    /// <summary>Smooth noise, 0 to 1, one feature per unit, repeating every <paramref name="period"/> units, a power of two.</summary>
    public static float Smooth(float x, float y, int period, int seed)
    {
        float floorX = MathF.Floor(x), floorY = MathF.Floor(y);
        int mask = period - 1;
        int x0 = (int)floorX & mask, y0 = (int)floorY & mask;
        int x1 = (x0 + 1) & mask, y1 = (y0 + 1) & mask;
        float u = Ease(x - floorX), v = Ease(y - floorY);
        float top = float.Lerp(Hash(x0, y0, seed), Hash(x1, y0, seed), u);
        float bottom = float.Lerp(Hash(x0, y1, seed), Hash(x1, y1, seed), u);
        return float.Lerp(top, bottom, v);
    }

    /// <summary>Sum of octaves, each twice as fine and half as strong, 0 to 1.</summary>
    public static float Fractal(float x, float y, int period, int octaves, int seed)
    {
        float sum = 0, weight = 0.5f;
        for (int octave = 0; octave < octaves; octave++, weight /= 2, x *= 2, y *= 2, period *= 2)
            sum += weight * Smooth(x, y, period, seed + octave);
        return sum / (1 - 2 * weight);
    }

    /// <summary>Octaves folded at their middle, which makes the crests of mountains; 0 to 1.</summary>
    public static float Ridged(float x, float y, int period, int octaves, int seed)
    {
        float sum = 0, weight = 0.5f, total = 0, previous = 1;
        for (int octave = 0; octave < octaves; octave++, weight /= 2, x *= 2, y *= 2, period *= 2)
        {
            float crest = 1 - MathF.Abs(2 * Smooth(x, y, period, seed + octave) - 1);
            crest *= crest;
            sum += weight * crest * previous;
            total += weight;
            previous = crest;
        }
        return sum / total;
    }

    private static float Ease(float t) => t * t * t * (t * (t * 6 - 15) + 10);
}
