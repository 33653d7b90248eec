using System.Reflection;

namespace RealtimeDeblur.Networks;

/// <summary>Finds networks by the name they ship under, or by path. What ships travels inside the assembly.</summary>
public static class ModelCatalog
{
    private const string Prefix = "models/";

    private static readonly Assembly Shipping = Assembly.GetExecutingAssembly();

    /// <summary>Names of the shipped networks, sorted.</summary>
    public static IReadOnlyList<string> Names { get; } =
        [.. Shipping.GetManifestResourceNames().Where(name => name.StartsWith(Prefix, StringComparison.Ordinal) && !name[Prefix.Length..].Contains('/')).Select(name => Path.GetFileNameWithoutExtension(name)).Order(StringComparer.Ordinal)];

    /// <summary>Reads a network.</summary>
    /// <param name="nameOrPath">A shipped name such as <c>fast-camera</c>, or the path of a <c>.safetensors</c> file. A shipped name wins over a file of the same name here; write <c>./fast-camera</c> for that one.</param>
    /// <exception cref="ArgumentException">The name is empty.</exception>
    /// <exception cref="FileNotFoundException">There is neither; the message lists the names.</exception>
    /// <exception cref="InvalidDataException">The file is damaged or holds something else.</exception>
    /// <exception cref="IOException">The file cannot be read.</exception>
    public static Network Load(string nameOrPath)
    {
        if (nameOrPath.Length == 0) throw new ArgumentException("The name of the model is empty.", nameof(nameOrPath));
        if (Names.Contains(nameOrPath))
        {
            using Stream shipped = OpenShipped(nameOrPath)!;
            return WeightsFile.Read(shipped, nameOrPath);
        }
        if (File.Exists(nameOrPath)) return Read(nameOrPath);
        if (Directory.Exists(nameOrPath)) throw new FileNotFoundException($"{nameOrPath} is a folder; a model is a {WeightsFile.Extension} file.");
        if (Path.GetFileName(nameOrPath) != nameOrPath || nameOrPath.EndsWith(WeightsFile.Extension, StringComparison.OrdinalIgnoreCase))
            throw new FileNotFoundException($"The model file {nameOrPath} does not exist.");
        throw new FileNotFoundException($"There is no model '{nameOrPath}'. Choose from {string.Join(", ", Names)}, or give the path of a {WeightsFile.Extension} file.");
    }

    /// <summary>Reads a network from a stream, a file in memory for instance.</summary>
    /// <param name="stream">The contents of a <c>.safetensors</c> file, from the stream's position to its end. Must be able to seek; stays open.</param>
    /// <param name="name">What messages call the network.</param>
    /// <exception cref="ArgumentException">The stream cannot seek.</exception>
    /// <exception cref="InvalidDataException">It is damaged or holds something else; the message says what was expected and found.</exception>
    /// <exception cref="IOException">It cannot be read.</exception>
    public static Network Load(Stream stream, string name) => WeightsFile.Read(stream, name);

    /// <summary>Opens weights that ship; null where there are none of that name.</summary>
    /// <param name="name">Path below <c>models/</c> without the ending, e.g. <c>estimator/sigma-camera</c>.</param>
    internal static Stream? OpenShipped(string name) => Shipping.GetManifestResourceStream(Prefix + name + WeightsFile.Extension);

    private static Network Read(string path)
    {
        try
        {
            return WeightsFile.Read(path);
        }
        catch (UnauthorizedAccessException e)
        {
            throw new IOException($"Cannot read {path}: no permission.", e);
        }
    }
}
