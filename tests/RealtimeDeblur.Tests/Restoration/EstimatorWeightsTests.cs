using System.Buffers.Binary;
using System.Text;
using RealtimeDeblur.Networks;
using RealtimeDeblur.Restoration;
using Xunit;

namespace RealtimeDeblur.Tests.Restoration;

public sealed class EstimatorWeightsTests : IDisposable
{
    private static readonly EstimatorShape Shape = new(Members: 2, Hidden: 8, Heads: 3, Values: 5, Out: 8);

    private readonly TemporaryFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Fact]
    public void Write_AndLoad_GivesTheSame()
    {
        EstimatorWeights written = RandomEstimator.Create(Shape);
        written.Write(_folder["one.safetensors"]);
        EstimatorWeights read = EstimatorWeights.Load(_folder["one.safetensors"]);
        Assert.Equal(written.Shape, read.Shape);
        Assert.Equal(written.Values, read.Values);
        Assert.Equal(written.TrainingRecord, read.TrainingRecord);
        Assert.Equal(["one.safetensors"], _folder.Names);
    }

    [Fact]
    public void Load_UnknownName_SaysWhatShips() =>
        Assert.Contains("(gaussian, camera)", Assert.Throws<FileNotFoundException>(() => EstimatorWeights.Load("gausian")).Message, StringComparison.Ordinal);

    [Fact]
    public void Load_FileOfANetwork_SaysSo()
    {
        string path = _folder["network.safetensors"];
        WeightsFile.Write(path, Networks.RandomNetwork.Create(NetworkDescription.Dbcnn(n1: 2, n2: 2), seed: 1));
        Assert.Contains("'realtimedeblur-estimator/1'", Assert.Throws<InvalidDataException>(() => EstimatorWeights.Load(path)).Message, StringComparison.Ordinal);
    }

    [Fact]
    public void NetworkReader_FileOfAnEstimator_SaysSo()
    {
        string path = _folder["estimator.safetensors"];
        RandomEstimator.Create(Shape).Write(path);
        Assert.Throws<InvalidDataException>(() => WeightsFile.Read(path));
    }

    [Fact]
    public void ModelCatalog_EstimatorsBesideNetworks_AreNotListed() => Assert.DoesNotContain(ModelCatalog.Names, name => name.StartsWith("sigma", StringComparison.Ordinal));

    [Fact]
    public void Load_TruncatedAnywhere_IsRefused()
    {
        byte[] whole = Bytes();
        for (int length = 0; length < whole.Length; length += length < 1500 ? 37 : 997)
            Assert.Throws<InvalidDataException>(() => EstimatorWeights.Read(new MemoryStream(whole, 0, length), "cut.safetensors"));
        Assert.Throws<InvalidDataException>(() => EstimatorWeights.Read(new MemoryStream([.. whole, 0, 0, 0, 0]), "long.safetensors"));
    }

    [Theory]
    [InlineData("realtimedeblur-estimator/1", "realtimedeblur-estimator/2", "has format")]
    [InlineData("\\\"hidden\\\":8", "\\\"hidden\\\":9", "hidden must be a multiple of 8")]
    [InlineData("\\\"members\\\":2", "\\\"members\\\":3", "needs 3x30x8")]
    [InlineData("\\\"members\\\":2", "\\\"members\\\":x", "not a JSON object")]
    [InlineData("\"tile1.bias\"", "\"tile1.bios\"", "'tile1.bias' is missing")]
    [InlineData("\"F32\"", "\"F16\"", "type F32")]
    public void Load_HeaderChanged_SaysWhatIsWrong(string from, string to, string message)
    {
        byte[] file = Bytes();
        int length = (int)BinaryPrimitives.ReadUInt64LittleEndian(file);
        string header = Encoding.UTF8.GetString(file, 8, length);
        Assert.Contains(from, header, StringComparison.Ordinal);
        Encoding.UTF8.GetBytes(header.Replace(from, to, StringComparison.Ordinal)).CopyTo(file, 8);
        Assert.Contains(message, Assert.Throws<InvalidDataException>(() => EstimatorWeights.Read(new MemoryStream(file), "odd.safetensors")).Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Load_NumberThatIsNone_IsRefused()
    {
        byte[] file = Bytes();
        BinaryPrimitives.WriteSingleLittleEndian(file.AsSpan(file.Length - 4), float.NaN);
        Assert.Contains("not finite", Assert.Throws<InvalidDataException>(() => EstimatorWeights.Read(new MemoryStream(file), "nan.safetensors")).Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Write_NumberThatIsNone_WritesNothing()
    {
        EstimatorWeights weights = RandomEstimator.Create(Shape);
        weights.Values[^1] = float.PositiveInfinity;
        Assert.Throws<InvalidDataException>(() => weights.Write(_folder["one.safetensors"]));
        Assert.Empty(_folder.Names);
    }

    private byte[] Bytes()
    {
        string path = _folder["bytes.safetensors"];
        RandomEstimator.Create(Shape).Write(path);
        return File.ReadAllBytes(path);
    }
}
