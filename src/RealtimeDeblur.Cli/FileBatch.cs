using RealtimeDeblur.Video;

namespace RealtimeDeblur.Cli;

/// <summary>How one file of a batch ended.</summary>
internal enum FileStatus
{
    Done,
    Failed,

    /// <summary>The input ends early; its beginning was restored and kept under a partial name.</summary>
    Truncated,

    /// <summary>Stopped by Ctrl-C; the frames so far were kept under a partial name.</summary>
    Interrupted,
}

/// <summary>A file to restore and where its result goes.</summary>
internal readonly record struct FileTask(string Input, string Output);

/// <summary>The files that <c>deblur video</c> and <c>deblur image</c> work on: what the words on the command line stand for, and what happens when one of several fails.</summary>
internal static class FileBatch
{
    private const string ResultMark = "-restored";

    /// <summary>Turns files and folders into tasks.</summary>
    /// <param name="inputs">Files, taken as they are, and folders, searched through with their subfolders.</param>
    /// <param name="output">File for a single input file, else a folder; null puts every result beside its input as <c>NAME-restored.EXT</c>.</param>
    /// <param name="kind">What is looked for in folders, in the plural: "videos".</param>
    /// <param name="extensions">Endings of those, with their dot.</param>
    /// <param name="outputExtension">Ending of the result for the ending of an input.</param>
    /// <exception cref="IOException">A folder holds nothing of the kind, or the output cannot be meant.</exception>
    public static IReadOnlyList<FileTask> Plan(IReadOnlyList<string> inputs, string? output, string kind, IReadOnlyCollection<string> extensions, Func<string, string> outputExtension)
    {
        bool intoFolder = output is not null && (inputs.Count > 1 || Directory.Exists(inputs[0]) || Directory.Exists(output) || Path.EndsInDirectorySeparator(output));
        if (intoFolder && File.Exists(output)) throw new UsageException($"-o {output} is a file, but there may be several results: name a folder.");
        List<FileTask> tasks = [];
        foreach (string input in inputs)
        {
            if (!Directory.Exists(input))
            {
                tasks.Add(new(input, output is null ? BesideInput(input) : intoFolder ? Path.Combine(output, ResultName(Path.GetFileName(input))) : output));
                continue;
            }
            string[] found = [.. Directory.EnumerateFiles(input, "*", SearchOption.AllDirectories)
                .Where(file => extensions.Contains(Path.GetExtension(file).ToLowerInvariant()) && !Path.GetFileName(file).StartsWith('.') && (output is not null || !IsResult(file)))
                .Order(StringComparer.Ordinal)];
            if (found.Length == 0) throw new FileNotFoundException($"The folder {input} holds no {kind} ({string.Join(", ", extensions.Select(extension => extension[1..]))}).");
            tasks.AddRange(found.Select(file => new FileTask(file, output is null ? BesideInput(file) : Path.Combine(output, Path.GetDirectoryName(Path.GetRelativePath(input, file))!, ResultName(Path.GetFileName(file))))));
        }
        if (tasks.GroupBy(task => Path.GetFullPath(task.Output)).FirstOrDefault(group => group.Count() > 1) is { } clash)
            throw new UsageException($"{clash.First().Input} and {clash.Last().Input} would both be written to {clash.First().Output}: restore them into different folders.");
        return tasks;

        string ResultName(string file) => Path.GetFileNameWithoutExtension(file) + outputExtension(Path.GetExtension(file));

        string BesideInput(string file) => Path.Combine(Path.GetDirectoryName(file) ?? "", Path.GetFileNameWithoutExtension(file) + ResultMark + outputExtension(Path.GetExtension(file)));
    }

    /// <summary>Works through the tasks; one that fails does not stop the rest.</summary>
    /// <param name="run">The invocation.</param>
    /// <param name="tasks">What to do.</param>
    /// <param name="restore">Does one task. A failure is thrown.</param>
    /// <param name="failed">The entry for a task that failed with the given line.</param>
    /// <param name="print">Prints the entries of what was done.</param>
    /// <param name="errorOf">An entry's error; null if it is in order.</param>
    /// <param name="toStderr">Whether stdout belongs to something else.</param>
    /// <exception cref="Exception">The only task's own failure, or a summary of several, after the result was printed.</exception>
    public static void Run<TEntry>(Invocation run, IReadOnlyList<FileTask> tasks, Func<FileTask, TEntry> restore, Func<FileTask, string, TEntry> failed, Action<TEntry, TextWriter> print, Func<TEntry, string?> errorOf, bool toStderr = false)
    {
        List<TEntry> entries = [];
        Exception? onlyFailure = null;
        foreach (FileTask task in tasks)
        {
            if (run.Cancellation.IsCancellationRequested) break;
            try
            {
                entries.Add(restore(task));
            }
            catch (Exception e) when (e is not UsageException)
            {
                entries.Add(failed(task, ErrorLine.Describe(e)));
                onlyFailure = e;
            }
            if (tasks.Count > 1 && errorOf(entries[^1]) is { } error) run.Note(error);
        }
        run.Result(new BatchResult<TEntry>(entries), (result, text) =>
        {
            foreach (TEntry entry in result.Files.Where(entry => errorOf(entry) is null)) print(entry, text);
        }, toStderr);
        run.Cancellation.ThrowIfCancellationRequested();
        int failures = entries.Count(entry => errorOf(entry) is not null);
        if (failures == 0) return;
        if (tasks.Count > 1) throw new IOException($"{failures} of {tasks.Count} files could not be restored; see the lines above.");
        throw onlyFailure ?? new IOException(errorOf(entries[0]));
    }

    private static bool IsResult(string file) => Path.GetFileNameWithoutExtension(file) is var name && (name.EndsWith(ResultMark, StringComparison.Ordinal) || name.EndsWith($"{ResultMark}.partial", StringComparison.Ordinal));
}

/// <summary>Result of a command that works on files.</summary>
internal sealed record BatchResult<TEntry>(IReadOnlyList<TEntry> Files);
