using System.Reflection;
using System.Text;

namespace RealtimeDeblur.Compute;

/// <summary>The text of the kernel files, which travel inside the assembly.</summary>
internal static class KernelSource
{
    private const string Prefix = "kernels/";
    private const string Include = "#include \"";

    /// <summary>Paths below <c>kernels/</c>, e.g. <c>conv/conv2d.cl</c>.</summary>
    public static IReadOnlyList<string> Files { get; } =
        [.. Assembly.GetExecutingAssembly().GetManifestResourceNames().Where(name => name.StartsWith(Prefix, StringComparison.Ordinal)).Select(name => name[Prefix.Length..]).Order(StringComparer.Ordinal)];

    /// <summary>Reads a file with every <c>#include "color/samples.cl"</c> replaced by that file, because drivers have no folder to look in.</summary>
    /// <param name="file">Path below <c>kernels/</c>.</param>
    /// <param name="folder">Folder whose files take the place of those of the same path; null for none.</param>
    /// <exception cref="ArgumentException">There is no such file.</exception>
    /// <exception cref="IOException">A file of the folder cannot be read.</exception>
    public static string Read(string file, string? folder = null)
    {
        using Stream stream = Open(file, folder);
        using var reader = new StreamReader(stream);
        var text = new StringBuilder();
        int number = 0;
        while (reader.ReadLine() is { } line)
        {
            number++;
            if (line.StartsWith(Include, StringComparison.Ordinal)) text.Append(Read(line[Include.Length..line.LastIndexOf('"')], folder)).Append($"#line {number + 1}\n");
            else text.Append(line).Append('\n');
        }
        return text.ToString();
    }

    private static Stream Open(string file, string? folder)
    {
        if (folder is not null && Path.Combine(folder, file) is var path && File.Exists(path)) return File.OpenRead(path);
        return Assembly.GetExecutingAssembly().GetManifestResourceStream(Prefix + file)
            ?? throw new ArgumentException($"There is no kernel file '{file}'; there are {string.Join(", ", Files)}.", nameof(file));
    }
}
