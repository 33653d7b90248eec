using System.Reflection;
using System.Security.Cryptography;
using System.Text.Json;
using OpenCvSharp;

namespace RealtimeDeblur.Training.Data;

/// <summary>How a dataset is made.</summary>
internal sealed record DatasetOptions
{
    public DegradationKind Degradation { get; init; } = DegradationKind.Gaussian;

    public SigmaChoice Sigma { get; init; } = SigmaChoice.Range(0, 3);

    /// <summary>Blurred versions of each picture, 1 to 1000; null for <see cref="SigmaChoice.NaturalPairCount"/>.</summary>
    public int? PairsPerPicture { get; init; }

    public ulong Seed { get; init; } = 1;

    /// <summary>Share of the pictures set aside for validation, 0 to 0.9; above 0, at least one picture.</summary>
    public double ValidationShare { get; init; } = 0.1;
}

/// <summary>What a running build is at.</summary>
internal enum DatasetStage
{
    /// <summary>Reading every source picture.</summary>
    Checking,

    /// <summary>Blurring and storing.</summary>
    Blurring,

    /// <summary>Writing the packed form.</summary>
    Packing,
}

/// <summary>Pictures done of all pictures in a stage.</summary>
internal readonly record struct DatasetProgress(DatasetStage Stage, int Done, int Total);

/// <summary>A finished dataset.</summary>
/// <param name="Manifest">Its manifest.</param>
/// <param name="Sha256">Hash of the manifest file: the dataset's identity.</param>
/// <param name="PackPath">The packed form.</param>
/// <param name="PackBytes">Its size.</param>
/// <param name="Reused">Pictures that an earlier run had finished.</param>
internal sealed record DatasetResult(DatasetManifest Manifest, string Sha256, string PackPath, long PackBytes, int Reused);

/// <summary>
/// Makes a deblur dataset from a folder of sharp pictures: each picture is stored as PNG beside blurred versions of it, with a manifest, and packed for the trainer.
/// <code>
/// DATASET/sharp/training/NAME.png        DATASET/manifest.json
/// DATASET/blurred/training/NAME-1.png    DATASET/dataset.pack
/// DATASET/sharp/validation/…             DATASET/blurred/validation/…
/// </code>
/// The same pictures, options and version of this program give the same bytes. A journal remembers finished pictures, so a run that
/// was interrupted continues; manifest and pack appear complete or not at all.
/// </summary>
internal static class DatasetBuilder
{
    /// <summary>Smallest side of a picture that is used, in pixels: below, there is no room for a patch and the reach of a blur.</summary>
    public const int MinimumSide = 32;

    /// <summary>Share of camera blurs that are no isotropic Gaussian, as the trainer draws them by default.</summary>
    private const float ShapeShare = 0.15f;

    private const string JournalName = "manifest.partial.jsonl";

    /// <summary>Builds or continues a dataset. Blocks until it is complete; uses all processors.</summary>
    /// <param name="sharpDirectory">Folder tree of pictures. Only read.</param>
    /// <param name="datasetDirectory">Where the dataset goes; created if absent.</param>
    /// <param name="options">What to make.</param>
    /// <param name="progress">Told after every picture of a stage, from any thread.</param>
    /// <param name="cancellation">Stops after the pictures in hand; a later call continues.</param>
    /// <exception cref="ArgumentException">An option is out of range, or the folders lie inside each other.</exception>
    /// <exception cref="InvalidDataException">There is nothing usable in the source folder, or the target holds something else.</exception>
    /// <exception cref="IOException">A file could not be read or written.</exception>
    /// <exception cref="OperationCanceledException"><paramref name="cancellation"/> was asked for.</exception>
    public static DatasetResult Build(
        string sharpDirectory, string datasetDirectory, DatasetOptions options, IProgress<DatasetProgress>? progress = null, CancellationToken cancellation = default)
    {
        int pairsPerPicture = options.PairsPerPicture ?? options.Sigma.NaturalPairCount;
        if (pairsPerPicture is < 1 or > 1000) throw new ArgumentException($"The pairs per picture must be 1 to 1000, not {pairsPerPicture}.");
        if (options.ValidationShare is not (>= 0 and <= 0.9)) throw new ArgumentException($"The share of validation must be 0 to 0.9, not {options.ValidationShare}.");
        DatasetSettings settings = new(options.Degradation, options.Sigma.ToString(), pairsPerPicture, options.Seed, options.ValidationShare);

        if (!Directory.Exists(sharpDirectory))
            throw new DirectoryNotFoundException($"There is no folder {sharpDirectory}. Give the folder that holds the sharp pictures.");
        if (File.Exists(datasetDirectory)) throw new IOException($"{datasetDirectory} is a file. Give a folder for the dataset.");
        RefuseNesting(sharpDirectory, datasetDirectory);
        List<string> sources = PictureFile.List(sharpDirectory);
        if (sources.Count == 0)
            throw new InvalidDataException($"{sharpDirectory} holds no pictures. Give a folder with sharp photographs (PNG, JPEG, TIFF, WebP, BMP, ...).");

        Dictionary<string, DatasetPicture> finished = FinishedPictures(datasetDirectory, settings);
        (List<Plan> plans, List<SkippedPicture> skipped) = Survey(sharpDirectory, sources, options, progress, cancellation);
        if (plans.Count == 0)
            throw new InvalidDataException($"None of the {sources.Count} pictures in {sharpDirectory} can be used; the first is {skipped[0].Source}: {skipped[0].Reason}.");

        Directory.CreateDirectory(datasetDirectory);
        using FileStream journal = OpenJournal(datasetDirectory, FileMode.Append, FileAccess.Write);
        // An interruption may have cut the last line short: start below it.
        if (journal.Position > 0) journal.WriteByte((byte)'\n');
        else Append(journal, settings);

        (DatasetPicture[] pictures, int reused) = Store(sharpDirectory, datasetDirectory, plans, settings, options.Sigma, finished, journal, progress, cancellation);
        DeleteLeftovers(datasetDirectory, finished, pictures);
        return Finish(datasetDirectory, settings, pictures, skipped, reused, journal, progress, cancellation);
    }

    /// <summary>What will be made of one source picture.</summary>
    private sealed record Plan(string Source, string SourceSha256, string Name, DatasetSplit Split);

    private static void RefuseNesting(string sharpDirectory, string datasetDirectory)
    {
        string sharp = RealPath(sharpDirectory);
        string dataset = RealPath(datasetDirectory);
        if (Contains(sharp, dataset)) throw new ArgumentException($"The dataset cannot go into {datasetDirectory}: that is inside the folder of sharp pictures, which is never changed. Choose a folder outside {sharpDirectory}.");
        if (Contains(dataset, sharp)) throw new ArgumentException($"The dataset cannot go into {datasetDirectory}: the sharp pictures are inside it and would mix with it. Choose another folder.");

        static bool Contains(string outer, string inner) => inner == outer || inner.StartsWith(outer.TrimEnd('/') + '/', StringComparison.Ordinal);
    }

    /// <summary>The path with every symbolic link followed; parts that do not exist stay as they are.</summary>
    private static string RealPath(string path)
    {
        string full = Path.GetFullPath(path);
        string? parent = Path.GetDirectoryName(full);
        if (parent is null) return full;
        string here = Path.Combine(RealPath(parent), Path.GetFileName(full));
        DirectoryInfo folder = new(here);
        return folder.Exists && folder.ResolveLinkTarget(returnFinalTarget: true) is { } target ? RealPath(target.FullName) : here;
    }

    /// <summary>What earlier runs with the same settings have stored, by source: the manifest's pictures and the journal's.</summary>
    private static Dictionary<string, DatasetPicture> FinishedPictures(string directory, DatasetSettings settings)
    {
        string manifestPath = Path.Combine(directory, DatasetManifest.FileName);
        bool hasJournal = File.Exists(Path.Combine(directory, JournalName));
        Dictionary<string, DatasetPicture> finished = [];
        if (File.Exists(manifestPath))
        {
            DatasetManifest manifest = DatasetManifest.Read(manifestPath);
            RefuseOtherSettings(directory, manifest.Settings, settings);
            foreach (DatasetPicture picture in manifest.Pictures) finished[picture.Source] = picture;
        }
        else if (!hasJournal && Directory.Exists(directory) && Directory.EnumerateFileSystemEntries(directory).Any())
        {
            throw new InvalidDataException($"{directory} holds files that are not a dataset's. Choose an empty or a new folder.");
        }

        if (!hasJournal) return finished;
        using StreamReader journal = new(OpenJournal(directory, FileMode.Open, FileAccess.Read));
        while (journal.ReadLine() is { } line)
        {
            if (Parse<DatasetPicture>(line) is { } picture) finished[picture.Source] = picture;
            else if (Parse<DatasetSettings>(line) is { } earlier) RefuseOtherSettings(directory, earlier, settings);
        }
        return finished;

        // A line that an interruption cut short is neither.
        static T? Parse<T>(string line) where T : class
        {
            try
            {
                return JsonSerializer.Deserialize<T>(line, DatasetManifest.Line);
            }
            catch (JsonException)
            {
                return null;
            }
        }
    }

    private static void RefuseOtherSettings(string directory, DatasetSettings earlier, DatasetSettings asked)
    {
        if (earlier == asked) return;
        throw new InvalidDataException($"{directory} holds a dataset made with other settings: {Difference(earlier, asked)}. Use those settings to continue it, or choose another folder.");
    }

    private static string Difference(DatasetSettings earlier, DatasetSettings asked)
    {
        List<string> parts = [];
        Compare("degradation", earlier.Degradation.Name(), asked.Degradation.Name());
        Compare("sigma", earlier.Sigma, asked.Sigma);
        Compare("pairs per picture", earlier.PairsPerPicture, asked.PairsPerPicture);
        Compare("seed", earlier.Seed, asked.Seed);
        Compare("validation share", earlier.ValidationShare, asked.ValidationShare);
        return string.Join(", ", parts);

        void Compare<T>(string what, T before, T now)
        {
            if (!Equals(before, now)) parts.Add(FormattableString.Invariant($"{what} {before} instead of {now}"));
        }
    }

    /// <summary>Opens the journal for this process alone, which keeps two runs from writing one dataset.</summary>
    private static FileStream OpenJournal(string directory, FileMode mode, FileAccess access)
    {
        string path = Path.Combine(directory, JournalName);
        try
        {
            return new FileStream(path, mode, access, FileShare.None);
        }
        catch (IOException e) when (e.GetType() == typeof(IOException) && File.Exists(path))
        {
            throw new IOException($"{path} cannot be opened: {e.Message} If another run is writing this dataset, wait for it or choose another folder.", e);
        }
    }

    private static void Append<T>(FileStream journal, T entry)
    {
        JsonSerializer.Serialize(journal, entry, DatasetManifest.Line);
        journal.WriteByte((byte)'\n');
        journal.Flush();
    }

    /// <summary>Reads every source once: which can be used, what each is called in the dataset, and on which side of the split it falls.</summary>
    private static (List<Plan> Plans, List<SkippedPicture> Skipped) Survey(
        string directory, List<string> sources, DatasetOptions options, IProgress<DatasetProgress>? progress, CancellationToken cancellation)
    {
        var hashes = new string?[sources.Count];
        var reasons = new string[sources.Count];
        int done = 0;
        EveryProcessor.For(sources.Count, i =>
        {
            (hashes[i], reasons[i]) = Inspect(Path.Combine(directory, sources[i]));
            progress?.Report(new(DatasetStage.Checking, Interlocked.Increment(ref done), sources.Count));
        }, cancellation);

        List<SkippedPicture> skipped = [];
        List<(string Source, string Hash)> usable = [];
        for (int i = 0; i < sources.Count; i++)
        {
            if (hashes[i] is { } hash) usable.Add((sources[i], hash));
            else skipped.Add(new(sources[i], reasons[i]));
        }

        int validationCount = options.ValidationShare == 0 || usable.Count < 2 ? 0
            : Math.Clamp((int)Math.Round(options.ValidationShare * usable.Count), 1, usable.Count - 1);
        HashSet<string> validation = [.. usable.Select(picture => picture.Source)
            .OrderBy(source => SeededRandom.Hash(options.Seed, source)).ThenBy(source => source, StringComparer.Ordinal).Take(validationCount)];

        // Two sources may differ in their endings only; then the whole name, or a number, tells them apart. Case is ignored for file systems that ignore it.
        HashSet<string> taken = new(StringComparer.OrdinalIgnoreCase);
        List<Plan> plans = [];
        foreach ((string source, string hash) in usable)
        {
            string stem = source[..^Path.GetExtension(source).Length];
            string name = stem;
            for (int attempt = 1; !taken.Add(name); attempt++) name = attempt == 1 ? source : $"{source}-{attempt}";
            plans.Add(new(source, hash, name, validation.Contains(source) ? DatasetSplit.Validation : DatasetSplit.Training));
        }
        return (plans, skipped);
    }

    private static (string? Sha256, string Reason) Inspect(string path)
    {
        byte[] file;
        try
        {
            file = File.ReadAllBytes(path);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            return (null, e.Message);
        }
        (Mat? picture, string reason) = PictureFile.Decode(file);
        using (picture)
        {
            if (picture is null) return (null, reason);
            return Math.Min(picture.Width, picture.Height) < MinimumSide
                ? (null, $"{picture.Width}x{picture.Height} is too small, {MinimumSide}x{MinimumSide} is the least")
                : (Hex(file), "");
        }
    }

    private static (DatasetPicture[] Pictures, int Reused) Store(
        string sharpDirectory, string datasetDirectory, List<Plan> plans, DatasetSettings settings, SigmaChoice sigma,
        Dictionary<string, DatasetPicture> finished, FileStream journal, IProgress<DatasetProgress>? progress, CancellationToken cancellation)
    {
        var pictures = new DatasetPicture[plans.Count];
        int done = 0;
        int reused = 0;
        EveryProcessor.For(plans.Count, i =>
        {
            Plan plan = plans[i];
            if (finished.TryGetValue(plan.Source, out DatasetPicture? earlier) && IsStillGood(datasetDirectory, earlier, plan))
            {
                pictures[i] = earlier;
                Interlocked.Increment(ref reused);
            }
            else
            {
                pictures[i] = StorePicture(sharpDirectory, datasetDirectory, plan, settings, sigma, cancellation);
                lock (journal) Append(journal, pictures[i]);
            }
            progress?.Report(new(DatasetStage.Blurring, Interlocked.Increment(ref done), plans.Count));
        }, cancellation);
        return (pictures, reused);
    }

    private static bool IsStillGood(string directory, DatasetPicture earlier, Plan plan) =>
        earlier.SourceSha256 == plan.SourceSha256 && earlier.Split == plan.Split && earlier.Sharp.File == SharpFile(plan)
        && earlier.Pairs.Select(pair => pair.Blurred).Prepend(earlier.Sharp).All(file =>
        {
            FileInfo info = new(Path.Combine(directory, file.File));
            return info.Exists && info.Length == file.Bytes && Hex(File.ReadAllBytes(info.FullName)) == file.Sha256;
        });

    private static string SharpFile(Plan plan) => $"sharp/{Folder(plan.Split)}/{plan.Name}.png";

    private static string Folder(DatasetSplit split) => split == DatasetSplit.Validation ? "validation" : "training";

    private static DatasetPicture StorePicture(
        string sharpDirectory, string datasetDirectory, Plan plan, DatasetSettings settings, SigmaChoice choice, CancellationToken cancellation)
    {
        byte[] source = File.ReadAllBytes(Path.Combine(sharpDirectory, plan.Source));
        (Mat? decoded, string reason) = PictureFile.Decode(source);
        using Mat sharp = decoded ?? throw new IOException($"{plan.Source} changed while the dataset was made: {reason}. Run the same command again.");
        DatasetFile sharpFile = StorePng(datasetDirectory, SharpFile(plan), sharp);
        List<DatasetPair> pairs = [];
        for (int version = 0; version < settings.PairsPerPicture; version++)
        {
            cancellation.ThrowIfCancellationRequested();
            SeededRandom random = new(settings.Seed, $"{plan.Source}/{version}");
            float sigma = choice.Draw(version, settings.PairsPerPicture, random);
            Degradation degradation = settings.Degradation == DegradationKind.Camera ? Degradation.RandomCamera(sigma, ShapeShare, random) : new Degradation(sigma);
            using Mat blurred = degradation.Apply(sharp, random);
            pairs.Add(new(StorePng(datasetDirectory, $"blurred/{Folder(plan.Split)}/{plan.Name}-{version + 1}.png", blurred), degradation));
        }
        return new(plan.Source, Hex(source), sharp.Width, sharp.Height, plan.Split, sharpFile, pairs);
    }

    private static DatasetFile StorePng(string directory, string file, Mat picture)
    {
        // Level 1 takes a third of the time of the default for a few percent of size.
        Cv2.ImEncode(".png", picture, out byte[] png, [(int)ImwriteFlags.PngCompression, 1]);
        string path = Path.Combine(directory, file);
        Directory.CreateDirectory(Path.GetDirectoryName(path)!);
        File.WriteAllBytes(path, png);
        return new(file, png.Length, Hex(png));
    }

    /// <summary>Deletes what an earlier run stored and this one does not contain, because its source is gone or changed sides.</summary>
    private static void DeleteLeftovers(string directory, Dictionary<string, DatasetPicture> finished, DatasetPicture[] pictures)
    {
        HashSet<string> kept = [.. pictures.SelectMany(Files)];
        foreach (string file in finished.Values.SelectMany(Files).Where(file => !kept.Contains(file))) File.Delete(Path.Combine(directory, file));

        static IEnumerable<string> Files(DatasetPicture picture) => picture.Pairs.Select(pair => pair.Blurred.File).Prepend(picture.Sharp.File);
    }

    private static DatasetResult Finish(
        string directory, DatasetSettings settings, DatasetPicture[] pictures, List<SkippedPicture> skipped, int reused, FileStream journal,
        IProgress<DatasetProgress>? progress, CancellationToken cancellation)
    {
        string version = typeof(DatasetBuilder).Assembly.GetCustomAttribute<AssemblyInformationalVersionAttribute>()!.InformationalVersion.Split('+')[0];
        DatasetManifest manifest = new(DatasetManifest.FormatName, DatasetManifest.CurrentVersion, $"RealtimeDeblur {version}", settings, pictures, skipped);
        byte[] json = JsonSerializer.SerializeToUtf8Bytes(manifest, DatasetManifest.Indented);
        byte[] hash = SHA256.HashData(json);

        int packed = 0;
        string packPath = Path.Combine(directory, PackedDataset.FileName);
        PackedDatasetWriter.Write(
            packPath, settings.Degradation, hash,
            [.. pictures.Select(picture => new PackedPicture(picture.Source, picture.Width, picture.Height, picture.Split, [.. picture.Pairs.Select(pair => pair.Degradation.Sigma)]))],
            (index, pair, planes) =>
            {
                DatasetFile file = pair < 0 ? pictures[index].Sharp : pictures[index].Pairs[pair].Blurred;
                ReadPlanes(Path.Combine(directory, file.File), pictures[index].Width, pictures[index].Height, planes);
                if (pair == settings.PairsPerPicture - 1) progress?.Report(new(DatasetStage.Packing, Interlocked.Increment(ref packed), pictures.Length));
            },
            cancellation);

        string manifestPath = Path.Combine(directory, DatasetManifest.FileName);
        File.WriteAllBytes(manifestPath + ".partial", json);
        File.Move(manifestPath + ".partial", manifestPath, overwrite: true);
        journal.Dispose();
        File.Delete(journal.Name);
        return new(manifest, Convert.ToHexStringLower(hash), packPath, new FileInfo(packPath).Length, reused);
    }

    private static unsafe void ReadPlanes(string path, int width, int height, Span<byte> planes)
    {
        using Mat picture = Cv2.ImRead(path, ImreadModes.Color);
        if (picture.Width != width || picture.Height != height)
            throw new IOException($"{path} changed while the dataset was made. Run the same command again.");
        fixed (byte* start = planes)
        {
            // OpenCV's order is B, G, R; the planes are R, G, B.
            for (int channel = 0; channel < 3; channel++)
            {
                using Mat plane = Mat.FromPixelData(height, width, MatType.CV_8UC1, (nint)(start + (long)channel * width * height));
                Cv2.ExtractChannel(picture, plane, 2 - channel);
            }
        }
    }

    private static string Hex(byte[] data) => Convert.ToHexStringLower(SHA256.HashData(data));
}
