using System.Text.RegularExpressions;

namespace RealtimeDeblur.Cli;

/// <summary>
/// A pattern of paths that the shell did not expand, with the shell's wildcards: <c>*</c> and <c>?</c> for any or one character of a name, <c>[ab]</c> for one of several, <c>**</c> for folders of any depth.
/// </summary>
internal sealed class FilePattern
{
    private static readonly char[] Wildcards = ['*', '?', '['];

    private readonly Regex _relativePath;
    private readonly int _depth;

    private FilePattern(string folder, string[] wild)
    {
        Folder = folder;
        _depth = wild.Any(part => part.Contains("**")) ? int.MaxValue : wild.Length - 1;
        string expression = Regex.Escape(string.Join('/', wild)).Replace(@"\*\*/", "(.*/)?").Replace(@"\*\*", ".*").Replace(@"\*", "[^/]*").Replace(@"\?", "[^/]");
        _relativePath = new($"^{Regex.Replace(expression, @"\\\[(!?)([^\]/]+)\]", set => $"[{(set.Groups[1].Length > 0 ? "^" : "")}{set.Groups[2].Value}]")}$", RegexOptions.Singleline);
        NamesEnding = Path.GetExtension(wild[^1]) is { Length: > 1 } ending && ending.IndexOfAny(Wildcards) < 0;
    }

    /// <summary>The part before the first wildcard.</summary>
    public string Folder { get; }

    /// <summary>Whether it says which ending files have.</summary>
    public bool NamesEnding { get; }

    /// <returns>Null where the path has no wildcard.</returns>
    public static FilePattern? Parse(string path)
    {
        string[] parts = path.Split('/', StringSplitOptions.RemoveEmptyEntries);
        string[] literal = [.. parts.TakeWhile(part => part.IndexOfAny(Wildcards) < 0)];
        if (literal.Length == parts.Length) return null;
        return new(path.StartsWith('/') ? $"/{string.Join('/', literal)}" : literal.Length > 0 ? string.Join('/', literal) : ".", parts[literal.Length..]);
    }

    /// <summary>The files it stands for, in no order.</summary>
    public IEnumerable<string> Files()
    {
        if (!Directory.Exists(Folder)) return [];
        EnumerationOptions options = new() { RecurseSubdirectories = true, MaxRecursionDepth = _depth, AttributesToSkip = FileAttributes.None, IgnoreInaccessible = false };
        return Directory.EnumerateFiles(Folder, "*", options).Select(file => Path.GetRelativePath(Folder, file)).Where(file => _relativePath.IsMatch(file)).Select(file => Folder == "." ? file : Path.Combine(Folder, file));
    }
}
