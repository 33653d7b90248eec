using System.Globalization;
using System.IO.Hashing;
using System.Text.Json;
using System.Text.Json.Serialization.Metadata;
using RealtimeDeblur.Networks;

namespace RealtimeDeblur.Video.Segments;

/// <summary>
/// A folder beside the result, in which it grows: a manifest that says what it is for, and a file and a record for every segment that is finished. A run that is killed leaves it, and another
/// goes on with it. Several runs, on several machines too, may work in one folder as long as each does other segments.
/// </summary>
/// <remarks>
/// <code>
/// holiday.mp4.deblur-work/
///     manifest.json       input, model, settings: a run with others is refused
///     00000.mp4  00000.json   segment and its record, which is written last: without it the segment does not count
///     00001.mp4  00001.json
///     share-1-of-1.lock   held by the run that does that share
///     join.lock           held by the run that joins the segments
/// </code>
/// A segment and the joined result are written under names that no other run uses (<c>.00002-1f0c9a2b.mp4</c>): the ffmpeg of a run that was killed may go on for a while. A finished folder is renamed
/// before it is deleted, so that nobody works in a folder that is being emptied.
/// Files are flushed to the disk before their records are, so that a record is true after a loss of power, too; a segment whose length or hash is not that of its record does not count either.
/// </remarks>
internal sealed class WorkFolder : IDisposable
{
    public const string Ending = ".deblur-work";

    /// <summary>In place of <see cref="Ending"/> while the folder is deleted.</summary>
    private const string DoneEnding = ".done" + Ending;

    private const int Version = 1;
    private const string ManifestName = "manifest.json", RecordEnding = ".json", LockEnding = ".lock", PartialMark = "partial", Joined = "joined";

    private readonly string _mark = Guid.NewGuid().ToString("N")[..8];
    private readonly List<FileStream> _locks = [];
    private readonly Dictionary<int, SegmentRecord> _known = [];

    private WorkFolder(string path) => Path = path;

    /// <summary>Where it is.</summary>
    public string Path { get; }

    /// <summary>Where the work folder of a result is.</summary>
    public static string PathFor(string outputPath) => System.IO.Path.GetFullPath(outputPath) + Ending;

    /// <summary>Whether there is unfinished work on a result.</summary>
    public static bool IsBegun(string outputPath) => Directory.Exists(PathFor(outputPath));

    /// <summary>Opens the folder of a result, or makes it.</summary>
    /// <param name="outputPath">The result.</param>
    /// <param name="settings">Everything that the pictures depend on.</param>
    /// <param name="mode">What becomes of a folder that is there.</param>
    /// <exception cref="IOException">There is one that is not to be used, or not fit to be; or it cannot be written. The message says why and what to do.</exception>
    public static WorkFolder Open(string outputPath, IReadOnlyDictionary<string, string> settings, WorkFolderMode mode)
    {
        string path = PathFor(outputPath);
        if (File.Exists(path)) throw new IOException($"{path} is in the way: it is a file, and the work on {outputPath} needs a folder of that name. Move it.");
        if (Directory.Exists(path))
        {
            WorkManifest? manifest = ReadManifest(path, outputPath);
            if (mode == WorkFolderMode.StartAfresh && manifest is not null)
            {
                if (Directory.EnumerateFiles(path, "*" + LockEnding).Any(IsHeld)) throw InUse(outputPath);
                SetAside(outputPath);
                DeleteLeftOver(outputPath);
            }
            else if (mode == WorkFolderMode.RefuseExisting && manifest is not null)
                throw new IOException($"{outputPath} was begun before, and its finished part is in {path}. Add --resume to go on with it, or --overwrite to start afresh.");
            else if (manifest is not null) CheckSettings(manifest, settings, outputPath, path);
        }
        try
        {
            Directory.CreateDirectory(path);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new IOException($"Cannot write to {System.IO.Path.GetDirectoryName(path)}: {e.Message.TrimEnd('.')}. Choose another place with -o.", e);
        }
        var folder = new WorkFolder(path);
        string manifestPath = System.IO.Path.Combine(path, ManifestName);
        // Several runs that share a folder may all be here at once: they write the same.
        if (!File.Exists(manifestPath)) WriteJson(manifestPath, new(Version, settings), SegmentJson.Default.WorkManifest);
        return folder;
    }

    /// <summary>Why the folder of a result cannot be gone on with; null if it can, or there is none.</summary>
    public static string? Obstacle(string outputPath, IReadOnlyDictionary<string, string> settings)
    {
        string path = PathFor(outputPath);
        try
        {
            if (Directory.Exists(path) && ReadManifest(path, outputPath) is { } manifest) CheckSettings(manifest, settings, outputPath, path);
            return null;
        }
        catch (IOException e)
        {
            return e.Message;
        }
    }

    /// <summary>Claims a share of the work until the folder is disposed or the process ends, however it ends.</summary>
    /// <param name="shard">The share.</param>
    /// <param name="outputPath">For the message.</param>
    /// <exception cref="IOException">Another process does it, or the work is divided in another way.</exception>
    public void Claim(Shard shard, string outputPath)
    {
        string ending = string.Create(CultureInfo.InvariantCulture, $"-of-{shard.Count}{LockEnding}");
        if (!TryLock(string.Create(CultureInfo.InvariantCulture, $"share-{shard.Number}-of-{shard.Count}"))
            || Directory.EnumerateFiles(Path, $"share-*{LockEnding}").Any(path => !path.EndsWith(ending, StringComparison.Ordinal) && IsHeld(path))) throw InUse(outputPath);
    }

    /// <summary>Claims the joining of the segments.</summary>
    /// <returns>False if another process does it.</returns>
    public bool TryClaimJoin() => TryLock("join");

    /// <summary>Where the result is made before it gets its name.</summary>
    /// <param name="extension">Of its container.</param>
    public string JoinedPath(string extension) => PendingPath(Joined, extension);

    /// <summary>Where a segment is once it is finished.</summary>
    /// <param name="segment">From 0.</param>
    /// <param name="extension">Of its container, with the dot.</param>
    public string SegmentPath(int segment, string extension) => System.IO.Path.Combine(Path, NameOf(segment) + extension);

    /// <summary>Where a segment is written until then.</summary>
    public string PendingSegmentPath(int segment, string extension) => PendingPath(NameOf(segment), extension);

    /// <summary>Deletes what a run that was killed, or failed, left of a segment or of the result that it had not finished.</summary>
    /// <param name="segment">From 0; null for the result.</param>
    public void DeletePending(int? segment)
    {
        foreach (string path in Directory.EnumerateFiles(Path, $".{(segment is { } number ? NameOf(number) : Joined)}-*")) File.Delete(path);
    }

    private static string NameOf(int segment) => segment.ToString("00000", CultureInfo.InvariantCulture);

    private string PendingPath(string name, string extension) => System.IO.Path.Combine(Path, $".{name}-{_mark}{extension}");

    /// <summary>A finished segment.</summary>
    /// <returns>Null if it is not there, or not as its record says.</returns>
    public SegmentRecord? Find(int segment, string extension)
    {
        if (_known.TryGetValue(segment, out SegmentRecord? known)) return known;
        known = Read(segment, extension);
        if (known is not null) _known.Add(segment, known);
        return known;
    }

    /// <summary>The first finished segment in a range; null if there is none.</summary>
    /// <param name="from">Start of the range.</param>
    /// <param name="end">Its end; null if it is open.</param>
    /// <param name="extension">Of the segments' container.</param>
    public int? NextFinished(int from, int? end, string extension)
    {
        IEnumerable<int> there = Directory.EnumerateFiles(Path, "*" + RecordEnding)
            .Select(path => int.TryParse(System.IO.Path.GetFileNameWithoutExtension(path), NumberStyles.None, CultureInfo.InvariantCulture, out int segment) ? segment : -1)
            .Where(segment => segment >= from && (end is null || segment < end)).Order();
        foreach (int segment in there)
        {
            if (Find(segment, extension) is not null) return segment;
        }
        return null;
    }

    private SegmentRecord? Read(int segment, string extension)
    {
        string recordPath = SegmentPath(segment, RecordEnding);
        if (!File.Exists(recordPath)) return null;
        try
        {
            SegmentRecord? record = JsonSerializer.Deserialize(File.ReadAllBytes(recordPath), SegmentJson.Default.SegmentRecord);
            if (record is null or { Frames: 0 }) return record;
            var file = new FileInfo(SegmentPath(segment, extension));
            return file.Exists && file.Length == record.Bytes && Hash(file.FullName) == record.Hash ? record : null;
        }
        catch (Exception e) when (e is JsonException or IOException)
        {
            return null;
        }
    }

    /// <summary>Whether anything was finished.</summary>
    public bool HasSegments => Directory.EnumerateFiles(Path, "*" + RecordEnding).Any(path => System.IO.Path.GetFileName(path) != ManifestName);

    /// <summary>Makes a segment count. Its file, if it has frames, is complete, under its pending name.</summary>
    /// <param name="segment">From 0.</param>
    /// <param name="extension">Of its container.</param>
    /// <param name="record">What it holds; length and hash are filled in here.</param>
    /// <exception cref="IOException">It cannot be written down.</exception>
    public void Commit(int segment, string extension, SegmentRecord record)
    {
        if (record.Frames > 0)
        {
            string path = PendingSegmentPath(segment, extension);
            FlushToDisk(path);
            record = record with { Bytes = new FileInfo(path).Length, Hash = Hash(path) };
            File.Move(path, SegmentPath(segment, extension), overwrite: true);
        }
        WriteJson(SegmentPath(segment, RecordEnding), record, SegmentJson.Default.SegmentRecord);
        _known[segment] = record;
    }

    /// <summary>Remembers that an unfinished result was given to the user, so that the finished one replaces it.</summary>
    public void NotePartial() => File.WriteAllBytes(System.IO.Path.Combine(Path, PartialMark), []);

    /// <summary>Whether it was.</summary>
    public bool GavePartial => File.Exists(System.IO.Path.Combine(Path, PartialMark));

    /// <summary>Removes the folder and everything in it.</summary>
    public void Delete()
    {
        string outputPath = Path[..^Ending.Length];
        SetAside(outputPath);
        Dispose();
        DeleteLeftOver(outputPath);
    }

    /// <summary>Removes what a run that was killed had begun to remove.</summary>
    public static void DeleteLeftOver(string outputPath)
    {
        try
        {
            Directory.Delete(System.IO.Path.GetFullPath(outputPath) + DoneEnding, recursive: true);
        }
        catch (DirectoryNotFoundException)
        {
            // There is none, or another share deletes it too.
        }
    }

    public void Dispose()
    {
        foreach (FileStream held in _locks) held.Dispose();
        _locks.Clear();
    }

    /// <summary>Waits until a file is on the disk.</summary>
    public static void FlushToDisk(string path)
    {
        using FileStream file = new(path, FileMode.Open, FileAccess.ReadWrite);
        file.Flush(flushToDisk: true);
    }

    private static IOException InUse(string outputPath) => new($"Another deblur is at work on {outputPath}. Wait for it, or choose another output.");

    private bool TryLock(string name)
    {
        try
        {
            _locks.Add(OpenLock(System.IO.Path.Combine(Path, name + LockEnding)));
            return true;
        }
        catch (IOException) when (Directory.Exists(Path))
        {
            return false;
        }
    }

    private static bool IsHeld(string lockPath)
    {
        try
        {
            OpenLock(lockPath).Dispose();
            return false;
        }
        catch (FileNotFoundException)
        {
            return false;
        }
        catch (IOException)
        {
            return true;
        }
    }

    private static FileStream OpenLock(string path) => new(path, FileMode.OpenOrCreate, FileAccess.ReadWrite, FileShare.None);

    private static void SetAside(string outputPath)
    {
        DeleteLeftOver(outputPath);
        try
        {
            Directory.Move(PathFor(outputPath), System.IO.Path.GetFullPath(outputPath) + DoneEnding);
        }
        catch (DirectoryNotFoundException)
        {
            // Somebody removed it.
        }
    }

    /// <summary>Null for a folder that is as good as not there: a run was killed while it made it.</summary>
    private static WorkManifest? ReadManifest(string path, string outputPath)
    {
        string manifestPath = System.IO.Path.Combine(path, ManifestName);
        if (!File.Exists(manifestPath))
        {
            return !Directory.EnumerateFileSystemEntries(path).Any(entry => !System.IO.Path.GetFileName(entry).StartsWith($".{ManifestName}", StringComparison.Ordinal)) ? null
                : throw new IOException($"{path} is no work folder of ours (there is no {ManifestName} in it), but the work on {outputPath} needs that name. Move it.");
        }
        try
        {
            WorkManifest? manifest = JsonSerializer.Deserialize(File.ReadAllBytes(manifestPath), SegmentJson.Default.WorkManifest);
            if (manifest?.Settings is not null && manifest.Version == Version) return manifest;
            throw new IOException($"{path} was made by another version of deblur. Delete it and start afresh.");
        }
        catch (JsonException e)
        {
            throw new IOException($"{manifestPath} cannot be read ({e.Message.TrimEnd('.')}). Delete the folder and start afresh.", e);
        }
    }

    private static void CheckSettings(WorkManifest manifest, IReadOnlyDictionary<string, string> settings, string outputPath, string path)
    {
        foreach (string name in manifest.Settings.Keys.Union(settings.Keys))
        {
            string before = manifest.Settings.GetValueOrDefault(name, "not said"), now = settings.GetValueOrDefault(name, "not said");
            if (before != now)
                throw new IOException($"{outputPath} cannot be gone on with: its {name} was {before} and is {now}. Give the same settings as before, or add --overwrite to start afresh (what is finished is in {path}).");
        }
    }

    private static void WriteJson<T>(string path, T value, JsonTypeInfo<T> type)
    {
        try
        {
            AtomicFile.Write(path, stream => JsonSerializer.Serialize(stream, value, type));
        }
        catch (DirectoryNotFoundException e)
        {
            throw new IOException($"The work folder {System.IO.Path.GetDirectoryName(path)} is gone: somebody removed it, or its disk. Start again.", e);
        }
    }

    private static string Hash(string path)
    {
        using FileStream file = File.OpenRead(path);
        var hash = new XxHash128();
        hash.Append(file);
        return Convert.ToHexStringLower(hash.GetCurrentHash());
    }
}

/// <summary>What becomes of a work folder that is there already.</summary>
internal enum WorkFolderMode
{
    /// <summary>It is an error.</summary>
    RefuseExisting,

    /// <summary>Its work is gone on with.</summary>
    Resume,

    /// <summary>It is deleted, and the work starts at the beginning.</summary>
    StartAfresh,
}
