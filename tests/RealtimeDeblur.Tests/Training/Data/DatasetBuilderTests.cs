using System.Security.Cryptography;
using OpenCvSharp;
using RealtimeDeblur.Training.Data;
using Xunit;

namespace RealtimeDeblur.Tests.Training.Data;

public sealed class DatasetBuilderTests : IDisposable
{
    private readonly TestPictures _pictures = new();

    private string Dataset => _pictures.PathTo("dataset");

    public void Dispose() => _pictures.Dispose();

    [Fact]
    public void Build_SamePicturesAndSeed_GivesTheSameBytes()
    {
        AddPictures(4);
        foreach (DegradationKind kind in Enum.GetValues<DegradationKind>())
        {
            DatasetOptions options = new() { Degradation = kind, Seed = 7 };
            DatasetBuilder.Build(_pictures.Sharp, _pictures.PathTo($"{kind}-a"), options, cancellation: TestContext.Current.CancellationToken);
            DatasetBuilder.Build(_pictures.Sharp, _pictures.PathTo($"{kind}-b"), options, cancellation: TestContext.Current.CancellationToken);
            DatasetBuilder.Build(_pictures.Sharp, _pictures.PathTo($"{kind}-c"), options with { Seed = 8 }, cancellation: TestContext.Current.CancellationToken);
            Dictionary<string, string> first = Hashes(_pictures.PathTo($"{kind}-a"));
            Assert.Equal(first, Hashes(_pictures.PathTo($"{kind}-b")));
            Assert.NotEqual(first["dataset.pack"], Hashes(_pictures.PathTo($"{kind}-c"))["dataset.pack"]);
        }
    }

    [Fact]
    public void Build_GaussianAtFixedSigma_StoresWhatOpenCvBlurs()
    {
        AddPictures(2);
        DatasetResult result = Build(new() { Sigma = SigmaChoice.Fixed(0, 1.6f) });
        foreach (DatasetPicture picture in result.Manifest.Pictures)
        {
            using Mat source = Cv2.ImRead(Path.Combine(_pictures.Sharp, picture.Source));
            using Mat sharp = Cv2.ImRead(Path.Combine(Dataset, picture.Sharp.File));
            Assert.Equal(0, Cv2.Norm(source, sharp, NormTypes.INF));
            Assert.Equal([0, 1.6f], picture.Pairs.Select(pair => pair.Degradation.Sigma));

            using Mat precise = new();
            using Mat expected = new();
            source.ConvertTo(precise, MatType.CV_32F);
            Cv2.GaussianBlur(precise, precise, new Size(15, 15), 1.6, 1.6, BorderTypes.Reflect101);
            precise.ConvertTo(expected, MatType.CV_8U);
            using Mat untouched = Cv2.ImRead(Path.Combine(Dataset, picture.Pairs[0].Blurred.File));
            using Mat blurred = Cv2.ImRead(Path.Combine(Dataset, picture.Pairs[1].Blurred.File));
            Assert.Equal(0, Cv2.Norm(source, untouched, NormTypes.INF));
            Assert.Equal(0, Cv2.Norm(expected, blurred, NormTypes.INF));
        }
    }

    [Fact]
    public void Build_RangeOfSigma_CoversTheRangeInEveryPicture()
    {
        AddPictures(5);
        DatasetResult result = Build(new() { Sigma = SigmaChoice.Range(1, 3), PairsPerPicture = 4 });
        foreach (DatasetPicture picture in result.Manifest.Pictures)
        {
            for (int i = 0; i < 4; i++) Assert.InRange(picture.Pairs[i].Degradation.Sigma, 1 + 0.5f * i, 1.5f + 0.5f * i);
        }
        Assert.Equal(20, result.Manifest.Pictures.SelectMany(picture => picture.Pairs).Select(pair => pair.Degradation.Sigma).Distinct().Count());
    }

    [Theory]
    [InlineData(1, 0.1, 0)]
    [InlineData(2, 0.1, 1)]
    [InlineData(20, 0.1, 2)]
    [InlineData(3, 0.9, 2)]
    [InlineData(3, 0, 0)]
    public void Build_SplitsByPicture_AtLeastOneOnEachSide(int count, double share, int validation)
    {
        AddPictures(count);
        DatasetResult result = Build(new() { ValidationShare = share, Sigma = SigmaChoice.Fixed(1) });
        Assert.Equal(validation, result.Manifest.Pictures.Count(picture => picture.Split == DatasetSplit.Validation));
        foreach (DatasetPicture picture in result.Manifest.Pictures)
        {
            string folder = picture.Split == DatasetSplit.Validation ? "/validation/" : "/training/";
            Assert.All(picture.Pairs.Select(pair => pair.Blurred).Prepend(picture.Sharp), file => Assert.Contains(folder, file.File, StringComparison.Ordinal));
        }
    }

    [Fact]
    public void Build_Interrupted_ContinuesToTheSameBytes()
    {
        AddPictures(6);
        DatasetOptions options = new() { Degradation = DegradationKind.Camera };
        DatasetBuilder.Build(_pictures.Sharp, _pictures.PathTo("whole"), options, cancellation: TestContext.Current.CancellationToken);

        using CancellationTokenSource interrupt = new();
        OnProgress stopAfterTwo = new(progress =>
        {
            if (progress is { Stage: DatasetStage.Blurring, Done: 2 }) interrupt.Cancel();
        });
        Assert.ThrowsAny<OperationCanceledException>(() => DatasetBuilder.Build(_pictures.Sharp, Dataset, options, stopAfterTwo, interrupt.Token));
        Assert.False(File.Exists(Path.Combine(Dataset, "manifest.json")));
        Assert.False(File.Exists(Path.Combine(Dataset, "dataset.pack")));

        DatasetResult result = Build(options);
        Assert.InRange(result.Reused, 1, 5);
        Assert.Equal(Hashes(_pictures.PathTo("whole")), Hashes(Dataset));
    }

    [Fact]
    public void Build_JournalCutShort_ContinuesWithWhatIsWhole()
    {
        AddPictures(3);
        DatasetOptions options = new() { Sigma = SigmaChoice.Fixed(1) };
        Build(options);
        Dictionary<string, string> whole = Hashes(Dataset);
        File.Delete(Path.Combine(Dataset, "manifest.json"));
        File.WriteAllText(Path.Combine(Dataset, "manifest.partial.jsonl"), """{"degradation":"gaussian","sigma":"1","pairsPerPicture":1,"seed":1,"validationShare":0.1}""" + "\n{\"source\":\"pic");
        Assert.Equal(0, Build(options).Reused);
        Assert.Equal(whole, Hashes(Dataset));
    }

    [Fact]
    public void Build_FinishedDatasetWithADamagedPicture_RepairsThatPictureOnly()
    {
        AddPictures(4);
        DatasetResult first = Build(new());
        Dictionary<string, string> whole = Hashes(Dataset);
        string damaged = Path.Combine(Dataset, first.Manifest.Pictures[2].Pairs[0].Blurred.File);
        File.WriteAllBytes(damaged, File.ReadAllBytes(damaged)[..100]);
        File.Delete(Path.Combine(Dataset, "dataset.pack"));

        Assert.Equal(3, Build(new()).Reused);
        Assert.Equal(whole, Hashes(Dataset));
    }

    [Fact]
    public void Build_SourceChangedOrGone_FollowsTheSources()
    {
        AddPictures(5);
        Build(new());
        _pictures.Add("picture2.png", seed: 99);
        File.Delete(Path.Combine(_pictures.Sharp, "picture3.png"));

        DatasetResult result = Build(new());
        Assert.Equal(4, result.Manifest.Pictures.Count);
        DatasetBuilder.Build(_pictures.Sharp, _pictures.PathTo("fresh"), new(), cancellation: TestContext.Current.CancellationToken);
        Assert.Equal(Hashes(_pictures.PathTo("fresh")), Hashes(Dataset));
    }

    [Fact]
    public void Build_OtherSettings_RefusesAndNamesThem()
    {
        AddPictures(2);
        Build(new());
        Dictionary<string, string> before = Hashes(Dataset);
        InvalidDataException e = Assert.Throws<InvalidDataException>(() => Build(new() { Seed = 2, Sigma = SigmaChoice.Fixed(1, 2) }));
        Assert.Contains("sigma 0..3 instead of 1,2, pairs per picture 4 instead of 2, seed 1 instead of 2", e.Message, StringComparison.Ordinal);
        Assert.Equal(before, Hashes(Dataset));
    }

    [Fact]
    public void Build_BadPictures_AreSkippedWithTheReason()
    {
        AddPictures(2);
        _pictures.AddFile("broken.png", [0x89, (byte)'P', (byte)'N', (byte)'G', 1, 2, 3]);
        _pictures.AddFile("empty.jpg", []);
        _pictures.AddFile("text.tif", "no picture"u8.ToArray());
        _pictures.AddFile("notes.txt", "no picture either"u8.ToArray());
        _pictures.Add("whole.jpg");
        _pictures.Add("tiny.png", width: 31, height: 200);
        byte[] jpeg = File.ReadAllBytes(Path.Combine(_pictures.Sharp, "whole.jpg"));
        _pictures.AddFile("cut.jpg", jpeg[..(jpeg.Length / 2)]);

        DatasetResult result = Build(new());
        Assert.Equal(["picture0.png", "picture1.png", "whole.jpg"], result.Manifest.Pictures.Select(picture => picture.Source));
        Assert.Equal(["broken.png", "cut.jpg", "empty.jpg", "text.tif", "tiny.png"], result.Manifest.Skipped.Select(picture => picture.Source));
        Assert.Equal("truncated JPEG", result.Manifest.Skipped[1].Reason);
        Assert.Equal("31x200 is too small, 32x32 is the least", result.Manifest.Skipped[4].Reason);
    }

    [Fact]
    public void Build_FolderWithoutPictures_RefusesAndWritesNothing()
    {
        Directory.CreateDirectory(_pictures.Sharp);
        Assert.Contains(_pictures.Sharp, Assert.Throws<InvalidDataException>(() => Build(new())).Message, StringComparison.Ordinal);
        _pictures.AddFile("empty.png", []);
        Assert.Contains("empty.png: empty file", Assert.Throws<InvalidDataException>(() => Build(new())).Message, StringComparison.Ordinal);
        Assert.Throws<DirectoryNotFoundException>(() => DatasetBuilder.Build(_pictures.PathTo("nowhere"), Dataset, new(), cancellation: TestContext.Current.CancellationToken));
        Assert.False(Directory.Exists(Dataset));
    }

    [Fact]
    public void Build_FoldersInsideEachOther_Refuses()
    {
        AddPictures(1);
        string link = _pictures.PathTo("link");
        Directory.CreateSymbolicLink(link, _pictures.Sharp);
        foreach (string inside in (string[])[_pictures.Sharp, Path.Combine(_pictures.Sharp, "dataset"), Path.Combine(link, "dataset"), _pictures.Root])
        {
            Assert.Throws<ArgumentException>(() => DatasetBuilder.Build(_pictures.Sharp, inside, new(), cancellation: TestContext.Current.CancellationToken));
        }
        Assert.Equal(["picture0.png"], Directory.GetFileSystemEntries(_pictures.Sharp).Select(Path.GetFileName));
    }

    [Fact]
    public void Build_FolderOfOtherFiles_RefusesAndLeavesThem()
    {
        AddPictures(1);
        Directory.CreateDirectory(Dataset);
        File.WriteAllText(Path.Combine(Dataset, "letter.txt"), "Dear");
        Assert.Contains("not a dataset's", Assert.Throws<InvalidDataException>(() => Build(new())).Message, StringComparison.Ordinal);
        File.WriteAllText(Path.Combine(Dataset, "manifest.json"), "{}");
        Assert.Contains("manifest.json", Assert.Throws<InvalidDataException>(() => Build(new())).Message, StringComparison.Ordinal);
        Assert.Equal(2, Directory.GetFileSystemEntries(Dataset).Length);
    }

    [Fact]
    public void Build_NamesThatDifferInTheEndingOnly_KeepTheirOwnFiles()
    {
        _pictures.Add("a.png", seed: 1);
        _pictures.Add("a.bmp", seed: 2);
        _pictures.Add("sub/a.png", seed: 3);
        DatasetResult result = Build(new() { Sigma = SigmaChoice.Fixed(1) });
        Assert.Equal(3, result.Manifest.Pictures.Select(picture => picture.Sharp.File).Distinct().Count());
        Assert.Equal(3, result.Manifest.Pictures.Select(picture => picture.Sharp.Sha256).Distinct().Count());
        Assert.Equal(["a.bmp", "a.png", "sub/a.png"], result.Manifest.Pictures.Select(picture => picture.Source));
    }

    [Fact]
    public void Build_Camera_RecordsWhatItDid()
    {
        AddPictures(12);
        DatasetResult result = Build(new() { Degradation = DegradationKind.Camera, PairsPerPicture = 8 });
        List<Degradation> all = [.. result.Manifest.Pictures.SelectMany(picture => picture.Pairs).Select(pair => pair.Degradation)];
        Assert.All(all, degradation =>
        {
            Assert.True(degradation.LinearLight);
            Assert.InRange(degradation.ReadNoise, 0, 2);
            Assert.InRange(MathF.Sqrt(degradation.ReadNoise * degradation.ReadNoise + degradation.ShotNoise * degradation.ShotNoise), 0, 4.001f);
            Assert.InRange(degradation.JpegQuality ?? 80, 60, 98);
            Assert.InRange(degradation.H264Qp ?? 20, 18, 32);
        });
        Assert.Contains(all, degradation => degradation.JpegQuality is null);
        Assert.Contains(all, degradation => degradation.JpegFullChroma);
        Assert.Contains(all, degradation => degradation.H264Qp is not null);
        Assert.Contains(all, degradation => degradation.NoiseCorrelation > 0);
        Assert.Contains(all, degradation => degradation.SharpeningAmount > 0);
        Assert.Contains(all, degradation => degradation.Shape is not null);
        Assert.Equal(all, DatasetManifest.Read(Path.Combine(Dataset, DatasetManifest.FileName)).Pictures.SelectMany(picture => picture.Pairs).Select(pair => pair.Degradation));
        Assert.Contains(all, degradation => degradation is { ReadNoise: 0, ShotNoise: 0 });
        using PackedDataset packed = PackedDataset.Open(Dataset);
        Assert.Equal("camera", packed.Degradation);
    }

    private DatasetResult Build(DatasetOptions options) => DatasetBuilder.Build(_pictures.Sharp, Dataset, options, cancellation: TestContext.Current.CancellationToken);

    private void AddPictures(int count)
    {
        for (int i = 0; i < count; i++) _pictures.Add($"picture{i}.png", 40 + i, 36);
    }

    private static Dictionary<string, string> Hashes(string directory) => Directory.GetFiles(directory, "*", SearchOption.AllDirectories)
        .ToDictionary(file => Path.GetRelativePath(directory, file), file => Convert.ToHexString(SHA256.HashData(File.ReadAllBytes(file))));

    /// <summary>Reports on the calling thread, unlike <see cref="Progress{T}"/>.</summary>
    private sealed class OnProgress(Action<DatasetProgress> handler) : IProgress<DatasetProgress>
    {
        public void Report(DatasetProgress value) => handler(value);
    }
}
