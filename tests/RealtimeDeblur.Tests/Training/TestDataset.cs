using RealtimeDeblur.Tests.Training.Data;
using RealtimeDeblur.Training.Data;
using Xunit;

namespace RealtimeDeblur.Tests.Training;

/// <summary>A packed dataset of a few drawn pictures; deleted with its folder.</summary>
internal sealed class TestDataset : IDisposable
{
    private readonly TestPictures _pictures = new();

    public TestDataset(int pictures = 5, int width = 80, int height = 72)
    {
        for (int i = 0; i < pictures; i++) _pictures.Add($"picture{i}.png", width, height);
        DatasetBuilder.Build(_pictures.Sharp, Folder, new() { PairsPerPicture = 1 }, cancellation: TestContext.Current.CancellationToken);
        Dataset = PackedDataset.Open(Folder);
    }

    public string Folder => _pictures.PathTo("dataset");

    public PackedDataset Dataset { get; }

    /// <summary>A path in the temporary folder.</summary>
    public string PathTo(string name) => _pictures.PathTo(name);

    public void Dispose()
    {
        Dataset.Dispose();
        _pictures.Dispose();
    }
}
