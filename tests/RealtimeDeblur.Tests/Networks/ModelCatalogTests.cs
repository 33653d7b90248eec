using RealtimeDeblur.Networks;
using Xunit;

namespace RealtimeDeblur.Tests.Networks;

public sealed class ModelCatalogTests : IDisposable
{
    private readonly TemporaryFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Fact]
    public void Names_Shipped_AreThoseOfTheModelCard() => Assert.Equal(
        ["dbcnn", "dbcnn-bp", "dbcnn-bp-camera", "dbcnn-camera", "fast", "fast-camera", "quality", "quality-camera", "tiny", "tiny-camera"], ModelCatalog.Names);

    [Theory]
    [InlineData("dbcnn")]
    [InlineData("fast-camera")]
    public void Load_ShippedName_ReadsIt(string name) => Assert.Equal(name, ModelCatalog.Load(name).Name);

    [Fact]
    public void Load_Path_ReadsTheFile()
    {
        WeightsFile.Write(_folder["dbcnn.safetensors"], RandomNetwork.Create(NetworkDescription.Dbcnn(n1: 2, n2: 2), seed: 1));
        Network network = ModelCatalog.Load(_folder["dbcnn.safetensors"]);
        Assert.Equal("dbcnn", network.Name);
        Assert.Equal(2, network.Description.Layers[0].K);
    }

    [Fact]
    public void Load_UnknownName_ListsTheKnownOnes()
    {
        FileNotFoundException e = Assert.Throws<FileNotFoundException>(() => ModelCatalog.Load("dbcn"));
        Assert.Equal($"There is no model 'dbcn'. Choose from {string.Join(", ", ModelCatalog.Names)}, or give the path of a .safetensors file.", e.Message);
    }

    [Fact]
    public void Load_Empty_SaysSo() => Assert.StartsWith("The name of the model is empty.", Assert.Throws<ArgumentException>(() => ModelCatalog.Load("")).Message, StringComparison.Ordinal);

    [Theory]
    [InlineData("some/where/dbcnn")]
    [InlineData("dbcnn2.safetensors")]
    [InlineData("estimator/sigma-camera")]
    public void Load_PathThatDoesNotExist_SaysSo(string path)
    {
        FileNotFoundException e = Assert.Throws<FileNotFoundException>(() => ModelCatalog.Load(path));
        Assert.Equal($"The model file {path} does not exist.", e.Message);
    }

    [Fact]
    public void Load_Folder_SaysSo()
    {
        FileNotFoundException e = Assert.Throws<FileNotFoundException>(() => ModelCatalog.Load(_folder.Path));
        Assert.Equal($"{_folder.Path} is a folder; a model is a .safetensors file.", e.Message);
    }
}
