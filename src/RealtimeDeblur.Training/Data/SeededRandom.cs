using System.Buffers.Binary;
using System.Security.Cryptography;
using System.Text;

namespace RealtimeDeblur.Training.Data;

/// <summary>
/// Random numbers that depend on a seed and a name only, so that a picture gets the same ones whichever thread or run reaches it:
/// SplitMix64 (Steele, Lea and Flood, "Fast splittable pseudorandom number generators", OOPSLA 2014), started from a hash of both.
/// </summary>
internal sealed class SeededRandom(ulong seed, string name)
{
    private ulong _state = Hash(seed, name);
    private double _spare = double.NaN;

    /// <summary>Where a name falls among all names for a seed: a fixed 64-bit value.</summary>
    public static ulong Hash(ulong seed, string name)
    {
        Span<byte> digest = stackalloc byte[SHA256.HashSizeInBytes];
        SHA256.HashData(Encoding.UTF8.GetBytes($"{seed}/{name}"), digest);
        return BinaryPrimitives.ReadUInt64LittleEndian(digest);
    }

    /// <summary>Uniform, 0 inclusive to 1 exclusive.</summary>
    public double NextDouble() => (Next() >> 11) * (1.0 / (1UL << 53));

    /// <summary>Uniform integer from <paramref name="low"/> to <paramref name="high"/>, both included.</summary>
    public int NextInt(int low, int high) => low + (int)(NextDouble() * (high - low + 1));

    /// <summary>Normal with mean 0 and standard deviation 1, by Box and Muller's transform.</summary>
    public double NextGaussian()
    {
        if (!double.IsNaN(_spare))
        {
            double spare = _spare;
            _spare = double.NaN;
            return spare;
        }
        double radius = Math.Sqrt(-2 * Math.Log(1 - NextDouble()));
        (double sin, double cos) = Math.SinCos(2 * Math.PI * NextDouble());
        _spare = radius * sin;
        return radius * cos;
    }

    private ulong Next()
    {
        ulong z = _state += 0x9E3779B97F4A7C15;
        z = (z ^ (z >> 30)) * 0xBF58476D1CE4E5B9;
        z = (z ^ (z >> 27)) * 0x94D049BB133111EB;
        return z ^ (z >> 31);
    }
}
