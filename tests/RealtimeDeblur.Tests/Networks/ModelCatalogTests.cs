using RealtimeDeblur.Networks;
using Xunit;

namespace RealtimeDeblur.Tests.Networks;

public sealed class ModelCatalogTests : IDisposable
{
    private readonly string _folder = Directory.CreateTempSubdirectory("models-").FullName;

    public ModelCatalogTests()
    {
        foreach (string name in (string[])["dbcnn", "dbcnn-camera"])
            WeightsFile.Write(Path.Combine(_folder, name + ".safetensors"), RandomNetwork.Create(NetworkDescription.Dbcnn(n1: 2, n2: 2), seed: 1));
    }

    public void Dispose() => Directory.Delete(_folder, recursive: true);

    [Theory]
    [InlineData("dbcnn")]
    [InlineData("dbcnn-camera")]
    public void Load_ShippedName_ReadsIt(string name) => Assert.Equal(name, ModelCatalog.Load(name, _folder).Name);

    [Fact]
    public void Load_Path_ReadsTheFile() => Assert.Equal("dbcnn", ModelCatalog.Load(Path.Combine(_folder, "dbcnn.safetensors"), folder: "/nowhere").Name);

    [Fact]
    public void Load_UnknownName_ListsTheKnownOnes()
    {
        FileNotFoundException e = Assert.Throws<FileNotFoundException>(() => ModelCatalog.Load("dbcn", _folder));
        Assert.Equal("There is no model 'dbcn'. Choose from dbcnn, dbcnn-camera, or give the path of a .safetensors file.", e.Message);
    }

    [Fact]
    public void Load_UnknownNameAndNoneInstalled_SaysWhereItLooked()
    {
        FileNotFoundException e = Assert.Throws<FileNotFoundException>(() => ModelCatalog.Load("dbcnn", "/nowhere/models"));
        Assert.StartsWith("There is no model 'dbcnn', and none is installed in /nowhere/models", e.Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("some/where/dbcnn")]
    [InlineData("dbcnn2.safetensors")]
    public void Load_PathThatDoesNotExist_SaysSo(string path)
    {
        FileNotFoundException e = Assert.Throws<FileNotFoundException>(() => ModelCatalog.Load(path, _folder));
        Assert.Equal($"The model file {path} does not exist.", e.Message);
    }

    [Fact]
    public void Load_Folder_SaysSo()
    {
        FileNotFoundException e = Assert.Throws<FileNotFoundException>(() => ModelCatalog.Load(_folder, _folder));
        Assert.Equal($"{_folder} is a folder; a model is a .safetensors file.", e.Message);
    }
}
