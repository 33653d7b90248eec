using System.Runtime.ExceptionServices;
using RealtimeDeblur.Compute;
using RealtimeDeblur.Video;
using Spectre.Console;

namespace RealtimeDeblur.Cli;

/// <summary>How one file of a batch ended.</summary>
internal enum FileStatus
{
    Done,

    /// <summary>The output was there already.</summary>
    Skipped,

    /// <summary>This machine's share of it is done; others are not.</summary>
    Shared,

    Failed,

    /// <summary>The input ends early; its beginning was restored and kept under a partial name.</summary>
    Truncated,

    /// <summary>Stopped by Ctrl-C; the frames so far were kept under a partial name.</summary>
    Interrupted,
}

/// <summary>A file to restore and where its result goes.</summary>
internal readonly record struct FileTask(string Input, string Output)
{
    /// <summary>
    /// Whether there is a result, which only --overwrite replaces. Not if there is unfinished work on it, or it is the input itself, or the input is gone: what to do then shows when the task is tried.
    /// </summary>
    public bool HasResult => Output != StandardStreams.Path && File.Exists(Output) && !Directory.Exists(Output + VideoRestoration.WorkFolderEnding) && File.Exists(Input) && !PendingFile.IsSameFile(Input, Output);
}

/// <summary>A task in the hands of a worker.</summary>
/// <param name="Task">What to do.</param>
/// <param name="Worker">Who does it, counted from 0: one does one task at a time.</param>
/// <param name="IsOneOfMany">Whether there are other tasks.</param>
/// <param name="ReportShare">Told now and then which share of it is done, 0 to 1.</param>
internal readonly record struct FileJob(FileTask Task, int Worker, bool IsOneOfMany, Action<double> ReportShare);

/// <summary>One file in the result of a batch.</summary>
internal interface IFileEntry<TSelf> where TSelf : IFileEntry<TSelf>
{
    string Input { get; }

    FileStatus Status { get; }

    /// <summary>What went wrong and what to do; null if nothing.</summary>
    string? Error { get; }

    /// <summary>Heads of the columns of <see cref="Cells"/>.</summary>
    static abstract IReadOnlyList<string> Columns { get; }

    /// <summary>The entry of a file that was not restored.</summary>
    static abstract TSelf NotRestored(FileTask task, FileStatus status, string? error);

    /// <summary>What a line about a file that was restored says.</summary>
    string Describe();

    /// <summary>What the table of several files says, besides name and status.</summary>
    IReadOnlyList<string> Cells();
}

/// <summary>Makes the rest of a batch pointless, such as a device that does not open.</summary>
internal sealed class BatchEndException(Exception cause) : Exception(cause.Message, cause);

/// <summary>The files that <c>deblur video</c> and <c>deblur image</c> work on: what the words on the command line stand for, and what happens when one of several fails.</summary>
internal static class FileBatch
{
    /// <summary>What is added to the names of results beside their inputs.</summary>
    public const string ResultMark = "-restored";

    /// <summary>What is added to the names of previews and comparisons, which are not to be taken for results, wherever they are.</summary>
    public const string PreviewMark = "-preview", ComparisonMark = "-compared";

    /// <summary>Turns files, folders and patterns into tasks. A file that is named twice, or is another's result, is done once.</summary>
    /// <param name="inputs">Files, taken as they are; folders, searched through with their subfolders; patterns that the shell did not expand.</param>
    /// <param name="output">File for a single input file, else a folder; null puts every result beside its input as <c>NAME-restored.EXT</c>.</param>
    /// <param name="kind">What is looked for in folders, in the plural: "videos".</param>
    /// <param name="extensions">Endings of those, with their dot.</param>
    /// <param name="outputExtension">Ending of the result for the ending of an input.</param>
    /// <param name="mark">What is added to the names of results.</param>
    /// <exception cref="IOException">A folder or pattern stands for nothing of the kind.</exception>
    /// <exception cref="UsageException">The output cannot be meant.</exception>
    public static IReadOnlyList<FileTask> Plan(IReadOnlyList<string> inputs, string? output, string kind, IReadOnlyCollection<string> extensions, Func<string, string> outputExtension, string mark = ResultMark)
    {
        bool intoFolder = output is not null && (inputs.Count > 1 || !File.Exists(inputs[0]) && (Directory.Exists(inputs[0]) || FilePattern.Parse(inputs[0]) is not null) || Directory.Exists(output) || Path.EndsInDirectorySeparator(output));
        if (intoFolder && File.Exists(output)) throw new UsageException($"-o {output} is a file, but there may be several results: name a folder.");
        List<FileTask> tasks = [];
        foreach (string input in inputs)
        {
            if (Directory.Exists(input))
                AddFound(input, Directory.EnumerateFiles(input, "*", SearchOption.AllDirectories).Where(IsOfKind), $"The folder {input} holds no {kind} ({string.Join(", ", extensions.Select(extension => extension[1..]))}).");
            else if (!File.Exists(input) && FilePattern.Parse(input) is { } pattern)
                AddFound(pattern.Folder, pattern.Files().Where(file => pattern.NamesEnding || IsOfKind(file)), $"The pattern {input} matches no {kind}: * stands for any part of a name, ** for folders of any depth.");
            else
                tasks.Add(new(input, output is null ? BesideInput(input) : intoFolder ? Path.Combine(output, ResultName(Path.GetFileName(input))) : output));
        }
        tasks = [.. tasks.DistinctBy(task => Path.GetFullPath(task.Input))];
        // After a first run its results match the pattern, or lie in the folder, that names the inputs.
        Dictionary<string, string> inputOf = [];
        foreach (FileTask task in tasks)
        {
            inputOf.TryAdd(Path.GetFullPath(task.Output), task.Input);
            inputOf.TryAdd(Path.ChangeExtension(Path.GetFullPath(task.Output), $".partial{Path.GetExtension(task.Output)}"), task.Input);
        }
        tasks.RemoveAll(task => inputOf.TryGetValue(Path.GetFullPath(task.Input), out string? other) && other != task.Input);
        // clip.avi and clip.wmv, which both become clip.mkv, become clip.avi.mkv and clip.wmv.mkv.
        foreach (var several in tasks.GroupBy(task => Path.GetFullPath(task.Output)).Where(group => group.Count() > 1).ToArray())
        {
            foreach (FileTask task in several.Where(task => Path.GetExtension(task.Input) != Path.GetExtension(task.Output))) tasks[tasks.IndexOf(task)] = task with { Output = Path.ChangeExtension(task.Output, Path.GetExtension(task.Input) + Path.GetExtension(task.Output)) };
        }
        if (tasks.GroupBy(task => Path.GetFullPath(task.Output)).FirstOrDefault(group => group.Count() > 1) is { } clash)
            throw new UsageException($"{clash.First().Input} and {clash.Last().Input} would both be written to {clash.First().Output}: restore them into different folders.");
        return tasks;

        void AddFound(string root, IEnumerable<string> files, string nothing)
        {
            string[] found = [.. files.Where(file => !Path.GetFileName(file).StartsWith('.') && !IsInWorkFolder(file) && (output is not null || !IsResult(file))).Order(StringComparer.Ordinal)];
            if (found.Length == 0) throw new FileNotFoundException(nothing);
            tasks.AddRange(found.Select(file => new FileTask(file, output is null ? BesideInput(file) : Path.Combine(output, Path.GetDirectoryName(Path.GetRelativePath(root, file))!, ResultName(Path.GetFileName(file))))));
        }

        bool IsOfKind(string file) => extensions.Contains(Path.GetExtension(file).ToLowerInvariant());

        string ResultName(string file) => Path.GetFileNameWithoutExtension(file) + (mark == ResultMark ? "" : mark) + outputExtension(Path.GetExtension(file));

        string BesideInput(string file) => Path.Combine(Path.GetDirectoryName(file) ?? "", Path.GetFileNameWithoutExtension(file) + mark + outputExtension(Path.GetExtension(file)));
    }

    /// <summary>Opens a device for the files of a batch. The caller disposes it.</summary>
    /// <exception cref="BatchEndException">It does not open.</exception>
    public static ComputeDevice OpenDevice(Invocation run, string? selector)
    {
        try
        {
            return run.OpenDevice(selector);
        }
        catch (OpenClException e)
        {
            throw new BatchEndException(e);
        }
    }

    /// <summary>Works through the tasks, several at once; one that fails does not stop the rest. Blocks until all are done.</summary>
    /// <param name="run">The invocation.</param>
    /// <param name="tasks">What to do.</param>
    /// <param name="overwrite">Whether results that are there are made again rather than skipped.</param>
    /// <param name="jobs">How many tasks are worked on at a time.</param>
    /// <param name="restore">Does one task, on a thread of its worker. A failure is thrown.</param>
    /// <param name="workOf">How much work a task is, in any unit; asked on another thread meanwhile. Null where one is like another, or nobody knows.</param>
    /// <param name="toStderr">Whether stdout belongs to something else.</param>
    /// <exception cref="Exception">The only task's own failure, or a summary of several, after the result was printed.</exception>
    public static void Run<TEntry>(Invocation run, IReadOnlyList<FileTask> tasks, bool overwrite, int jobs, Func<FileJob, TEntry> restore, Func<FileTask, double?>? workOf = null, bool toStderr = false)
        where TEntry : class, IFileEntry<TEntry>
    {
        bool many = tasks.Count > 1;
        var entries = new TEntry?[tasks.Count];
        Exception? failure = null;
        ExceptionDispatchInfo? end = null;
        int next = -1;
        bool IsWorking() => end is null && !run.Cancellation.IsCancellationRequested;

        using (ProgressDisplay? display = many ? run.StartProgress("All", "files", tasks.Count) : null)
        {
            var progress = new BatchProgress(tasks.Count, display);
            Thread[] workers = [.. Enumerable.Range(0, Math.Min(jobs, tasks.Count)).Select(worker => new Thread(() => Work(worker, progress)) { Name = $"deblur job {worker}" })];
            var looking = new Thread(() => Look(progress)) { Name = "deblur estimate" };
            foreach (Thread worker in workers) worker.Start();
            if (many && workOf is not null) looking.Start();
            foreach (Thread worker in workers) worker.Join();
            if (many && workOf is not null) looking.Join();
        }
        TEntry[] ended = [.. entries.OfType<TEntry>()];
        if (ended.Length > 0 || end is null) run.Result(new BatchResult<TEntry>(ended), Print, toStderr);
        run.Log(Count(ended));
        run.Cancellation.ThrowIfCancellationRequested();
        end?.Throw();
        int failures = ended.Count(entry => entry.Error is not null);
        if (failures == 0) return;
        if (many) throw new IOException($"{failures} of {tasks.Count} files could not be restored; see the lines above.");
        throw failure ?? new IOException(ended[0].Error);

        void Print(BatchResult<TEntry> result, TextWriter text)
        {
            if (many) PrintTable(result.Files, text);
            else if (ended is [{ Status: FileStatus.Done or FileStatus.Shared or FileStatus.Skipped }]) text.WriteLine(LineOf(ended[0], tasks[0]));
        }

        void Work(int worker, BatchProgress progress)
        {
            while (IsWorking())
            {
                int i = Interlocked.Increment(ref next);
                if (i >= tasks.Count) return;
                FileTask task = tasks[i];
                Exception? cause = null;
                TEntry entry;
                try
                {
                    entry = !overwrite && task.HasResult ? TEntry.NotRestored(task, FileStatus.Skipped, null) : restore(new(task, worker, many, share => progress.Report(i, share)));
                }
                catch (Exception e) when (e is BatchEndException || !many && e is UsageException)
                {
                    end = ExceptionDispatchInfo.Capture(e);
                    return;
                }
                catch (Exception e)
                {
                    // Whatever broke after Ctrl-C broke because of it.
                    entry = run.Cancellation.IsCancellationRequested ? TEntry.NotRestored(task, FileStatus.Interrupted, null) : TEntry.NotRestored(task, FileStatus.Failed, ErrorLine.Describe(e));
                    failure = cause = e;
                }
                entries[i] = entry;
                progress.End(i, entry.Status is FileStatus.Done or FileStatus.Shared);
                if (many && entry.Error is not null) run.Error(entry.Error, cause);
                else if (many && entry.Status == FileStatus.Skipped) run.Note(LineOf(entry, task));
                else if (entry.Error is null) run.Log(cause is null ? LineOf(entry, task) : $"{LineOf(entry, task)}\n{cause}");
            }
        }

        void Look(BatchProgress progress)
        {
            for (int i = 0; i < tasks.Count && IsWorking() && Volatile.Read(ref next) < tasks.Count; i++)
            {
                try
                {
                    if ((overwrite || !tasks[i].HasResult) && workOf!(tasks[i]) is { } work) progress.Expect(i, work);
                }
                catch (Exception)
                {
                    // Only an estimate is missing. What is wrong comes out when the file is restored.
                }
            }
        }
    }

    private static string LineOf<TEntry>(TEntry entry, FileTask task) where TEntry : IFileEntry<TEntry> => entry.Status switch
    {
        FileStatus.Skipped => $"{task.Output} exists, skipped. Add --overwrite to replace it.",
        FileStatus.Interrupted => $"{task.Input}: interrupted.",
        _ => entry.Describe(),
    };

    private static void PrintTable<TEntry>(IReadOnlyList<TEntry> entries, TextWriter text) where TEntry : IFileEntry<TEntry>
    {
        IAnsiConsole console = AnsiConsole.Create(new AnsiConsoleSettings { Out = new AnsiConsoleOutput(text) });
        // A file has no width to respect.
        if (Console.IsOutputRedirected) console.Profile.Width = 1000;
        Table table = new() { Border = Console.IsOutputRedirected ? TableBorder.None : TableBorder.Simple };
        table.AddColumns("file", "status");
        foreach (string column in TEntry.Columns) table.AddColumn(new TableColumn(column).RightAligned().NoWrap());
        foreach (TEntry entry in entries) table.AddRow([.. ((string[])[entry.Input, StatusWord(entry.Status), .. entry.Cells()]).Select(Markup.Escape)]);
        console.Write(table);
        text.WriteLine(Count(entries));
        foreach (TEntry entry in entries)
        {
            if (entry.Error is { } error) text.WriteLine(error.Contains(entry.Input, StringComparison.Ordinal) ? $"  {error}" : $"  {entry.Input}: {error}");
        }
    }

    /// <summary>"197 restored, 2 skipped, 1 failed".</summary>
    private static string Count<TEntry>(IReadOnlyList<TEntry> entries) where TEntry : IFileEntry<TEntry> =>
        string.Join(", ", ((string[])["restored", "share done", "skipped", "failed", "interrupted"])
            .Select(word => (Word: word, Count: entries.Count(entry => StatusWord(entry.Status) == word)))
            .Where(status => status.Count > 0 || status.Word == "restored")
            .Select(status => $"{status.Count} {status.Word}"));

    private static string StatusWord(FileStatus status) => status switch
    {
        FileStatus.Done => "restored",
        FileStatus.Shared => "share done",
        FileStatus.Truncated or FileStatus.Failed => "failed",
        _ => status.ToString().ToLowerInvariant(),
    };

    private static bool IsInWorkFolder(string file) => Path.GetDirectoryName(file)!.Split('/').Any(folder => folder.EndsWith(VideoRestoration.WorkFolderEnding, StringComparison.Ordinal));

    private static bool IsResult(string file) => Path.GetFileNameWithoutExtension(file) is var name
        && ((string[])[ResultMark, PreviewMark, ComparisonMark]).Any(mark => name.EndsWith(mark, StringComparison.Ordinal) || name.EndsWith($"{mark}.partial", StringComparison.Ordinal));
}

/// <summary>Result of a command that works on files.</summary>
internal sealed record BatchResult<TEntry>(IReadOnlyList<TEntry> Files);
