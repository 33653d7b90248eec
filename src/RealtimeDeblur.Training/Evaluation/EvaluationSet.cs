using RealtimeDeblur.Training.Data;

namespace RealtimeDeblur.Training.Evaluation;

/// <summary>Sharp pictures that a method is judged by together; its figures are means over them.</summary>
/// <param name="Name">What tables call it: the name of its folder.</param>
/// <param name="Files">The pictures, in ordinal order of their names.</param>
internal sealed record EvaluationSet(string Name, IReadOnlyList<string> Files)
{
    /// <summary>Finds the sets in a folder: the folder itself if pictures lie in it, and every folder below it in which pictures lie.</summary>
    /// <exception cref="DirectoryNotFoundException">There is no such folder.</exception>
    /// <exception cref="InvalidDataException">There are no pictures in it.</exception>
    public static IReadOnlyList<EvaluationSet> Find(string directory)
    {
        if (!Directory.Exists(directory)) throw new DirectoryNotFoundException($"There is no folder {directory}. Give a folder of sharp pictures, or one that holds such folders.");
        List<EvaluationSet> sets = [.. PictureFile.List(directory)
            .Select(name => Path.Combine(directory, name))
            .GroupBy(file => Path.GetDirectoryName(file)!)
            .OrderBy(folder => folder.Key, StringComparer.Ordinal)
            .Select(folder => new EvaluationSet(Path.GetFileName(Path.GetFullPath(folder.Key).TrimEnd('/')), [.. folder]))];
        return sets.Count > 0 ? sets : throw new InvalidDataException($"{directory} holds no pictures. Give a folder of sharp pictures, or one that holds such folders.");
    }
}
