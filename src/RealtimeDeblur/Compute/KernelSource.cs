using System.Reflection;

namespace RealtimeDeblur.Compute;

/// <summary>The text of the kernel files, which travel inside the assembly.</summary>
internal static class KernelSource
{
    private const string Prefix = "kernels/";

    /// <summary>Paths below <c>kernels/</c>, e.g. <c>conv/conv2d.cl</c>.</summary>
    public static IReadOnlyList<string> Files { get; } =
        [.. Assembly.GetExecutingAssembly().GetManifestResourceNames().Where(name => name.StartsWith(Prefix, StringComparison.Ordinal)).Select(name => name[Prefix.Length..]).Order(StringComparer.Ordinal)];

    /// <exception cref="ArgumentException">There is no such file.</exception>
    public static string Read(string file)
    {
        using Stream? stream = Assembly.GetExecutingAssembly().GetManifestResourceStream(Prefix + file)
            ?? throw new ArgumentException($"There is no kernel file '{file}'; there are {string.Join(", ", Files)}.", nameof(file));
        using var reader = new StreamReader(stream);
        return reader.ReadToEnd();
    }
}
