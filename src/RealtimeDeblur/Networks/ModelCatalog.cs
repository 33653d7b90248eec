namespace RealtimeDeblur.Networks;

/// <summary>Finds networks by the name they ship under, or by path.</summary>
public static class ModelCatalog
{
    /// <summary>Where shipped networks lie: <c>models/</c> beside the running program.</summary>
    public static string Folder { get; } = Path.Combine(AppContext.BaseDirectory, "models");

    /// <summary>Names of the shipped networks, sorted; empty where none are installed.</summary>
    public static IReadOnlyList<string> Names => NamesIn(Folder);

    /// <summary>Reads a network.</summary>
    /// <param name="nameOrPath">A shipped name such as <c>dbcnn</c>, or the path of a <c>.safetensors</c> file. A shipped name wins over a file of the same name here; write <c>./dbcnn</c> for that one.</param>
    /// <exception cref="FileNotFoundException">There is neither; the message lists the names.</exception>
    /// <exception cref="InvalidDataException">The file is damaged or holds something else.</exception>
    /// <exception cref="IOException">The file cannot be read.</exception>
    public static Network Load(string nameOrPath) => Load(nameOrPath, Folder);

    internal static Network Load(string nameOrPath, string folder)
    {
        if (nameOrPath.Length == 0) throw new ArgumentException("The name of the model is empty.");
        if (NamesIn(folder).Contains(nameOrPath)) return Read(Path.Combine(folder, nameOrPath + WeightsFile.Extension));
        if (File.Exists(nameOrPath)) return Read(nameOrPath);
        if (Directory.Exists(nameOrPath)) throw new FileNotFoundException($"{nameOrPath} is a folder; a model is a {WeightsFile.Extension} file.");
        if (Path.GetFileName(nameOrPath) != nameOrPath || nameOrPath.EndsWith(WeightsFile.Extension, StringComparison.OrdinalIgnoreCase))
            throw new FileNotFoundException($"The model file {nameOrPath} does not exist.");
        string[] names = NamesIn(folder);
        throw new FileNotFoundException(names.Length > 0
            ? $"There is no model '{nameOrPath}'. Choose from {string.Join(", ", names)}, or give the path of a {WeightsFile.Extension} file."
            : $"There is no model '{nameOrPath}', and none is installed in {folder}: give the path of a {WeightsFile.Extension} file, such as `deblur train` makes.");
    }

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

    private static string[] NamesIn(string folder) =>
        !Directory.Exists(folder) ? [] : [.. Directory.EnumerateFiles(folder, "*" + WeightsFile.Extension).Select(path => Path.GetFileNameWithoutExtension(path)).Order(StringComparer.Ordinal)];
}
