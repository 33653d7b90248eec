using System.Buffers.Binary;
using System.Security.Cryptography;
using OpenCvSharp;
using RealtimeDeblur.Training.Data;
using Xunit;

namespace RealtimeDeblur.Tests.Training.Data;

public sealed class PackedDatasetTests : IDisposable
{
    private readonly TestPictures _pictures = new();
    private readonly string _pack;
    private readonly DatasetResult _result;

    public PackedDatasetTests()
    {
        _pictures.Add("one.png", 33, 47);
        _pictures.Add("dépôt/two.png", 64, 32);
        _result = DatasetBuilder.Build(_pictures.Sharp, _pictures.PathTo("dataset"), new() { PairsPerPicture = 2 }, cancellation: TestContext.Current.CancellationToken);
        _pack = _result.PackPath;
    }

    public void Dispose() => _pictures.Dispose();

    [Fact]
    public void Open_FolderOrFile_HoldsThePicturesOfTheManifest()
    {
        using PackedDataset dataset = PackedDataset.Open(_pictures.PathTo("dataset"));
        using PackedDataset again = PackedDataset.Open(_pack);
        Assert.Equal(dataset.Pairs, again.Pairs);
        Assert.Equal("gaussian", dataset.Degradation);
        Assert.Equal(Convert.ToHexStringLower(SHA256.HashData(File.ReadAllBytes(_pictures.PathTo("dataset", "manifest.json")))), dataset.Sha256);
        Assert.Equal(dataset.Sha256, _result.Sha256);

        int index = 0;
        foreach (DatasetPicture picture in _result.Manifest.Pictures)
        {
            foreach (DatasetPair pair in picture.Pairs)
            {
                PackedPair packed = dataset.Pairs[index++];
                Assert.Equal((picture.Source, picture.Width, picture.Height, pair.Degradation.Sigma, picture.Split), (packed.Source, packed.Width, packed.Height, packed.Sigma, packed.Split));
                AssertPlanes(picture.Sharp.File, packed, dataset.Sharp(packed));
                AssertPlanes(pair.Blurred.File, packed, dataset.Blurred(packed));
            }
        }
        Assert.Equal(index, dataset.Pairs.Count);
    }

    [Fact]
    public void Sharp_AfterDispose_Throws()
    {
        PackedDataset dataset = PackedDataset.Open(_pack);
        dataset.Dispose();
        dataset.Dispose();
        Assert.Throws<ObjectDisposedException>(() => dataset.Sharp(dataset.Pairs[0]).Length);
    }

    [Fact]
    public void Sharp_PairOfAnotherDataset_Throws()
    {
        using PackedDataset dataset = PackedDataset.Open(_pack);
        Assert.Throws<ArgumentException>(() => dataset.Sharp(new PackedPair("x", 9999, 9999, 1, DatasetSplit.Training)).Length);
    }

    [Fact]
    public void Open_MissingFile_SaysHowToMakeOne()
    {
        FileNotFoundException e = Assert.Throws<FileNotFoundException>(() => PackedDataset.Open(_pictures.Sharp));
        Assert.Contains(Path.Combine(_pictures.Sharp, "dataset.pack"), e.Message, StringComparison.Ordinal);
        Assert.Contains("deblur dataset", e.Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(0)]
    [InlineData(7)]
    [InlineData(40)]
    [InlineData(64)]
    [InlineData(300)]
    [InlineData(-1)]
    public void Open_Truncated_NamesTheFileAndTheRemedy(int bytes)
    {
        byte[] whole = File.ReadAllBytes(_pack);
        AssertRefused(whole[..(bytes < 0 ? whole.Length + bytes : bytes)]);
    }

    [Theory]
    [InlineData(0, 0x20)]             // magic
    [InlineData(8, 2)]                // version
    [InlineData(12, 0)]               // number of pairs
    [InlineData(12, int.MaxValue)]
    [InlineData(12, -1)]
    [InlineData(16, 2)]               // degradation
    [InlineData(20, -1)]              // bytes of names
    [InlineData(24, 64)]              // bytes of the file
    [InlineData(28, 1)]
    [InlineData(64, 65)]              // offset of the first sharp picture
    [InlineData(64, 0)]
    [InlineData(64, 64 * 1000_000)]
    [InlineData(68, -64)]
    [InlineData(72, 64 * 1000_000)]   // offset of the first blurred picture
    [InlineData(80, 0)]               // width
    [InlineData(80, 60_000)]
    [InlineData(84, -1)]              // height
    [InlineData(88, 0x7FC00000)]      // sigma: NaN
    [InlineData(92, 2)]               // split
    [InlineData(96, 1 << 30)]         // start of the name
    [InlineData(100, -1)]             // bytes of the name
    public void Open_DamagedNumber_NamesTheFileAndTheRemedy(int offset, int value)
    {
        byte[] whole = File.ReadAllBytes(_pack);
        BinaryPrimitives.WriteInt32LittleEndian(whole.AsSpan(offset), value);
        AssertRefused(whole);
    }

    private void AssertRefused(byte[] contents)
    {
        string path = _pictures.PathTo("damaged.pack");
        File.WriteAllBytes(path, contents);
        InvalidDataException e = Assert.Throws<InvalidDataException>(() => PackedDataset.Open(path));
        Assert.StartsWith(path, e.Message, StringComparison.Ordinal);
        Assert.Contains("deblur dataset", e.Message, StringComparison.Ordinal);
        Assert.DoesNotContain('\n', e.Message);
    }

    private void AssertPlanes(string file, PackedPair pair, ReadOnlySpan<byte> planes)
    {
        using Mat picture = Cv2.ImRead(_pictures.PathTo("dataset", file));
        for (int c = 0; c < 3; c++)
        {
            for (int y = 0; y < pair.Height; y++)
            {
                for (int x = 0; x < pair.Width; x++)
                {
                    Vec3b pixel = picture.At<Vec3b>(y, x);
                    byte expected = c == 0 ? pixel.Item2 : c == 1 ? pixel.Item1 : pixel.Item0;
                    if (planes[(c * pair.Height + y) * pair.Width + x] != expected) Assert.Fail($"{file}: sample (c {c}, y {y}, x {x}) differs");
                }
            }
        }
    }
}
