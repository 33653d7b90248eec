using System.Buffers.Binary;
using System.Text;
using RealtimeDeblur.Networks;
using Xunit;

namespace RealtimeDeblur.Tests.Networks;

public sealed class WeightsFileTests : IDisposable
{
    private readonly string _folder = Directory.CreateTempSubdirectory("weights-").FullName;

    public void Dispose() => Directory.Delete(_folder, recursive: true);

    [Theory]
    [InlineData(1, 9, 64, 1, 32, 5, true)]
    [InlineData(3, 3, 5, 3, 2, 1, false)]
    public void Write_ThenRead_GivesTheSameNetwork(int C, int f1, int n1, int f2, int n2, int f3, bool globalSkip)
    {
        NetworkDescription description = NetworkDescription.Dbcnn(C, f1, n1, f2, n2, f3, globalSkip);
        Network written = RandomNetwork.Create(description, seed: 1, new() { ["data"] = "231 photographs \"sharp\"", ["σ"] = "1.6\n2" });
        string path = Path.Combine(_folder, "dbcnn.safetensors");

        WeightsFile.Write(path, written);
        Network read = WeightsFile.Read(path);

        Assert.Equal("dbcnn", read.Name);
        Assert.Equal(description.Architecture, read.Description.Architecture);
        Assert.Equal(description.GlobalSkip, read.Description.GlobalSkip);
        Assert.Equal(description.Layers, read.Description.Layers);
        Assert.Equal(written.TrainingRecord, read.TrainingRecord);
        for (int i = 0; i < description.Layers.Count; i++)
        {
            Assert.Equal(written.Weights[i].Weight, read.Weights[i].Weight);
            Assert.Equal(written.Weights[i].Bias, read.Weights[i].Bias);
        }
    }

    [Theory]
    [MemberData(nameof(InferenceSessionTests.Descriptions), MemberType = typeof(InferenceSessionTests))]
    public void Write_ThenRead_GivesTheSameShape(NetworkDescription description)
    {
        string path = Path.Combine(_folder, "shape.safetensors");
        WeightsFile.Write(path, RandomNetwork.Create(description, seed: 1));
        NetworkDescription read = WeightsFile.Read(path).Description;
        Assert.Equal((description.Architecture, description.GlobalSkip, description.Scale, description.C), (read.Architecture, read.GlobalSkip, read.Scale, read.C));
        Assert.Equal(description.Layers, read.Layers);
        bool needsNewerReader = description.Scale > 1 || description.Layers.Any(layer => layer.With is not null || layer.Skip is not null);
        Assert.Contains(needsNewerReader ? "realtimedeblur/2" : "realtimedeblur/1", File.ReadAllText(path), StringComparison.Ordinal);
    }

    [Theory]
    [MemberData(nameof(InferenceSessionTests.Descriptions), MemberType = typeof(InferenceSessionTests))]
    public void Write_ConditionedNetwork_IsReadBackAndTooNewForOlderReaders(NetworkDescription plain)
    {
        NetworkDescription description = plain.WithSigmaKnots([0, 0.7f, 1e-5f + 1, 4]);
        Network written = RandomNetwork.Create(description, seed: 1, new() { ["degradation"] = "gaussian" });
        string path = Path.Combine(_folder, "dial.safetensors");
        WeightsFile.Write(path, written);
        Network read = WeightsFile.Read(path);

        Assert.True(read.IsConditioned);
        Assert.Equal(description.SigmaKnots, read.Description.SigmaKnots);
        Assert.Equal(description.Layers, read.Description.Layers);
        Assert.Equal((description.GlobalSkip, description.Scale), (read.Description.GlobalSkip, read.Description.Scale));
        Assert.Equal(written.TrainingRecord, read.TrainingRecord);
        Assert.Equal(Values(written), Values(read));
        Assert.Contains("\"format\":\"realtimedeblur/3\"", File.ReadAllText(path), StringComparison.Ordinal);
    }

    [Fact]
    public void Write_ConditionedNetwork_PutsKnotsFirst()
    {
        string header = Header(Dial());
        Assert.Contains("\\\"sigmaKnots\\\":[0,0.5,2]", header, StringComparison.Ordinal);
        Assert.Contains("\"extract.weight\":{\"dtype\":\"F32\",\"shape\":[3,2,1,3,3],\"data_offsets\":[0,216]}", header, StringComparison.Ordinal);
        Assert.Contains("\"extract.bias\":{\"dtype\":\"F32\",\"shape\":[3,2],\"data_offsets\":[216,240]}", header, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("[3,2,1,3,3]", "[2,1,3,3]", "dial.safetensors: layer 'extract' has shape 2x1x3x3, the network needs 3x2x1x3x3.")]
    [InlineData("[3,2,1,3,3]", "[2,2,1,3,3]", "dial.safetensors: layer 'extract' has shape 2x2x1x3x3, the network needs 3x2x1x3x3.")]
    [InlineData("[3,2]", "[2]", "dial.safetensors: the bias of layer 'extract' has shape 2, the network needs 3x2.")]
    [InlineData("[0,0.5,2]", "[0,2]", "dial.safetensors: layer 'extract' has shape 3x2x1x3x3, the network needs 2x2x1x3x3.")]
    [InlineData("[0,0.5,2]", "[0,2,2]", "dial.safetensors: The knots in sigma are pixels, 0 or more, and ascend; knot 3 is 2 after 2.")]
    [InlineData("[0,0.5,2]", "[-1,0.5,2]", "dial.safetensors: The knots in sigma are pixels, 0 or more, and ascend; knot 1 is -1.")]
    [InlineData("[0,0.5,2]", "[0,0.5,1e99]", "dial.safetensors: The knots in sigma are pixels, 0 or more, and ascend; knot 3 is ∞ after 0.5.")]
    [InlineData("[0,0.5,2]", "[1]", "dial.safetensors: A network has 2 to 64 knots in sigma, or none; not 1.")]
    [InlineData("[0,0.5,2]", "[]", "dial.safetensors: layer 'extract' has shape 3x2x1x3x3, the network needs 2x1x3x3.")]
    [InlineData("[0,0.5,2]", "[0,null,2]", "dial.safetensors: in the network's description 'sigmaKnots' has an element that is not a number; the file is damaged.")]
    [InlineData("[0,0.5,2]", "2", "dial.safetensors: in the network's description 'sigmaKnots' is missing or of the wrong type; the file is damaged.")]
    public void Read_DamagedConditionedHeader_SaysWhatIsWrong(string part, string damage, string message)
    {
        string header = Header(Dial());
        int at = header.IndexOf(part, StringComparison.Ordinal);
        Assert.True(at >= 0, $"the header has no {part}");
        string damaged = header[..at] + damage + header[(at + part.Length)..];

        InvalidDataException e = Assert.Throws<InvalidDataException>(() => WeightsFile.Read(Assemble(damaged, Values(Dial())), "dial.safetensors"));
        Assert.Equal(message.Replace("∞", float.PositiveInfinity.ToString(System.Globalization.CultureInfo.InvariantCulture), StringComparison.Ordinal), e.Message);
    }

    [Theory]
    [InlineData("x", null, false, "reads 'x', which no layer before it is called")]
    [InlineData("b", null, false, "reads 'b', which no layer before it is called")]
    [InlineData("a", null, false, "takes 2 channels, but 'a' and 'a' give 4")]
    [InlineData(null, "input", false, "gives 1 channels and cannot be added to 'input', which has 4")]
    [InlineData(null, null, true, "is subtracted from nothing")]
    public void Description_LayerThatDoesNotFit_SaysWhy(string? with, string? skip, bool subtract, string message)
    {
        ArgumentException e = Assert.Throws<ArgumentException>(() => new NetworkDescription("graph",
            [new("a", 4, 2, 1, true), new("b", 2, 1, 1, false) { With = with, Skip = skip, Subtract = subtract }, new("c", 1, 4, 1, false)], globalSkip: true, scale: 2));
        Assert.Contains(message, e.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Write_AnyNetwork_FollowsTheSafetensorsLayout()
    {
        string path = Path.Combine(_folder, "small.safetensors");
        Network network = Small();
        WeightsFile.Write(path, network);

        byte[] bytes = File.ReadAllBytes(path);
        int headerLength = (int)BinaryPrimitives.ReadUInt64LittleEndian(bytes);
        string header = Encoding.UTF8.GetString(bytes, 8, headerLength);

        Assert.Equal(0, headerLength % 8);
        Assert.StartsWith("{\"__metadata__\":{\"format\":\"realtimedeblur/1\",\"description\":", header, StringComparison.Ordinal);
        Assert.Contains("\"extract.weight\":{\"dtype\":\"F32\",\"shape\":[2,1,3,3],\"data_offsets\":[0,72]}", header, StringComparison.Ordinal);
        Assert.Contains("\"extract.bias\":{\"dtype\":\"F32\",\"shape\":[2],\"data_offsets\":[72,80]}", header, StringComparison.Ordinal);
        Assert.Equal(network.Weights[0].Weight[1], BinaryPrimitives.ReadSingleLittleEndian(bytes.AsSpan(8 + headerLength + 4)));
        Assert.Equal(8 + headerLength + 4 * network.Weights.Sum(w => w.Weight.Length + w.Bias.Length), bytes.Length);
    }

    [Fact]
    public void Read_TensorsInAnotherOrder_GivesTheSameNetwork()
    {
        // Other tools sort tensors by name: bias comes before weight, "map" after "extract".
        string header = Header(Small()).Replace("[0,72]", "[8,80]", StringComparison.Ordinal).Replace("[72,80]", "[0,8]", StringComparison.Ordinal);
        float[] data = [.. Small().Weights[0].Bias, .. Small().Weights[0].Weight, .. Values(Small()).AsSpan(20)];

        Network read = WeightsFile.Read(Assemble(header, data), "small.safetensors");

        Assert.Equal(Small().Weights[0].Weight, read.Weights[0].Weight);
        Assert.Equal(Small().Weights[0].Bias, read.Weights[0].Bias);
        Assert.Equal(Small().Weights[2].Weight, read.Weights[2].Weight);
    }

    [Fact]
    public void Write_OverAnExistingFile_ReplacesItAndLeavesNothingElse()
    {
        string path = Path.Combine(_folder, "small.safetensors");
        File.WriteAllText(path, "older");
        WeightsFile.Write(path, Small());
        Assert.Equal(3, WeightsFile.Read(path).Weights.Count);
        Assert.Equal([path], Directory.GetFiles(_folder));
    }

    [Fact]
    public void Write_WeightNotFinite_KeepsTheExistingFileAndNamesTheLayer()
    {
        string path = Path.Combine(_folder, "small.safetensors");
        WeightsFile.Write(path, Small());
        byte[] before = File.ReadAllBytes(path);
        Network diverged = Small();
        diverged.Weights[1].Weight[0] = float.NaN;

        InvalidDataException e = Assert.Throws<InvalidDataException>(() => WeightsFile.Write(path, diverged));

        Assert.Contains("layer 'map' has weights that are not finite", e.Message, StringComparison.Ordinal);
        Assert.Equal(before, File.ReadAllBytes(path));
        Assert.Equal([path], Directory.GetFiles(_folder));
    }

    [Fact]
    public void Write_FolderMissing_SaysSo()
    {
        IOException e = Assert.Throws<DirectoryNotFoundException>(() => WeightsFile.Write(Path.Combine(_folder, "none", "x.safetensors"), Small()));
        Assert.Contains("there is no folder", e.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Write_RecordUsesAKeyOfTheFormat_SaysSo()
    {
        Network network = RandomNetwork.Create(Small().Description, seed: 1, new() { ["description"] = "x" });
        InvalidDataException e = Assert.Throws<InvalidDataException>(() => WeightsFile.Write(Path.Combine(_folder, "x.safetensors"), network));
        Assert.Contains("'description' is a key of the file format", e.Message, StringComparison.Ordinal);
    }

    /// <summary>Each damage of the header, and the sentence it earns.</summary>
    [Theory]
    [InlineData("[2,2,1,1]", "[2,1,1,1]", "small.safetensors: layer 'map' has shape 2x1x1x1, the network needs 2x2x1x1.")]
    [InlineData("[2,2,1,1]", "[4]", "small.safetensors: layer 'map' has shape 4, the network needs 2x2x1x1.")]
    [InlineData("[2,2,1,1]", "[2,2,1,1,1]", "small.safetensors: layer 'map' has shape 2x2x1x1x1, the network needs 2x2x1x1.")]
    [InlineData("[2,2,1,1]", "[2,2,1,1.5]", "small.safetensors: tensor 'map.weight' lacks a readable dtype, shape or data_offsets; the file is damaged.")]
    [InlineData("\"shape\":[2,2,1,1],", "", "small.safetensors: tensor 'map.weight' lacks a readable dtype, shape or data_offsets; the file is damaged.")]
    [InlineData("\"map.weight\":{\"dtype\":\"F32\"", "\"map.weight\":{\"dtype\":\"F16\"", "small.safetensors: layer 'map' has values of type F16, the network needs F32.")]
    [InlineData("\"map.bias\"", "\"map.shift\"", "small.safetensors: the bias of layer 'map' is missing, the network needs a tensor 'map.bias'.")]
    [InlineData("\"map.bias\"", "\"map.weight\"", "small.safetensors: the header is not valid JSON, or names something twice; the file is damaged.")]
    [InlineData("[0,72]", "[0,76]", "small.safetensors: tensor 'extract.weight' has data_offsets 0 to 76, its shape needs 72 bytes; the file is damaged.")]
    [InlineData("[0,72]", "[72,0]", "small.safetensors: tensor 'extract.weight' has data_offsets 72 to 0, its shape needs 72 bytes; the file is damaged.")]
    [InlineData("[0,72]", "[-72,0]", "small.safetensors: tensor 'extract.weight' has data_offsets -72 to 0, its shape needs 72 bytes; the file is damaged.")]
    [InlineData("[0,72]", "[9223372036854775807,-9223372036854775737]", "small.safetensors: tensor 'extract.weight' has data_offsets 9223372036854775807 to -9223372036854775737, its shape needs 72 bytes; the file is damaged.")]
    [InlineData("[72,80]", "[68,76]", "small.safetensors: tensor 'extract.bias' begins at byte 68 of the data, 72 was expected; the file is damaged.")]
    [InlineData("[72,80]", "[76,84]", "small.safetensors: tensor 'extract.bias' begins at byte 76 of the data, 72 was expected; the file is damaged.")]
    [InlineData("realtimedeblur/1", "pt", "small.safetensors holds tensors but no network of RealtimeDeblur (no 'format' of 'realtimedeblur/1' in __metadata__); `deblur train` makes one.")]
    [InlineData("realtimedeblur/1", "realtimedeblur/9", "small.safetensors has format 'realtimedeblur/9', this version reads 'realtimedeblur/1' to 'realtimedeblur/3'; update RealtimeDeblur.")]
    [InlineData("\"description\"", "\"shape\"", "small.safetensors: there is no 'description' in __metadata__; the file is damaged.")]
    [InlineData("\\\"K\\\":2", "\\\"K\\\":2000000000", "small.safetensors: Layer 'extract' has 1 input and 2000000000 output channels; 1 to 1024 are possible.")]
    [InlineData("\\\"K\\\":2", "\\\"K\\\":\\\"2\\\"", "small.safetensors: in the network's description 'K' is missing or of the wrong type; the file is damaged.")]
    [InlineData("\\\"K\\\":2", "\\\"K\\\":2.5", "small.safetensors: in the network's description 'K' is not a whole number; the file is damaged.")]
    [InlineData("\\\"layers\\\":[", "\\\"layers\\\":[[", "small.safetensors: the network's description is not valid JSON; the file is damaged.")]
    [InlineData("\\\"name\\\":\\\"map\\\"", "\\\"name\\\":\\\"extract\\\"", "small.safetensors: Two layers are called 'extract'.")]
    [InlineData("{\"__metadata__\"", "{\"x\\ny\":{},\"__metadata__\"", "small.safetensors: tensor 'x?y' belongs to no layer of the network.")]
    [InlineData("\"format\":\"realtimedeblur/1\"", "\"format\":1", "small.safetensors: 'format' in __metadata__ is not a string; the file is damaged.")]
    [InlineData("\"format\":\"realtimedeblur/1\"", "\"format\":\"\\ud800\"", "small.safetensors: the header has text that is not valid Unicode; the file is damaged.")]
    public void Read_DamagedHeader_SaysWhatIsWrong(string part, string damage, string message)
    {
        string header = Header(Small());
        int at = header.IndexOf(part, StringComparison.Ordinal);
        Assert.True(at >= 0, $"the header has no {part}");
        string damaged = header[..at] + damage + header[(at + part.Length)..];

        InvalidDataException e = Assert.Throws<InvalidDataException>(() => WeightsFile.Read(Assemble(damaged, Values(Small())), "small.safetensors"));
        Assert.Equal(message, e.Message);
    }

    [Fact]
    public void Read_ValueNotFinite_NamesTheTensor()
    {
        float[] values = Values(Small());
        values[19] = float.PositiveInfinity;
        InvalidDataException e = Assert.Throws<InvalidDataException>(() => WeightsFile.Read(Assemble(Header(Small()), values), "small.safetensors"));
        Assert.Equal("small.safetensors: value 1 of tensor 'extract.bias' is Infinity, the network needs finite numbers; the file is damaged.", e.Message);
    }

    [Theory]
    [InlineData(-4, "small.safetensors has 112 bytes of data, the network needs 116; the file is cut short.")]
    [InlineData(4, "small.safetensors has 120 bytes of data, the network needs 116; the file is damaged.")]
    public void Read_DataOfAnotherLength_SaysBothLengths(int more, string message)
    {
        byte[] bytes = Assemble(Header(Small()), Values(Small())).ToArray();
        Array.Resize(ref bytes, bytes.Length + more);
        InvalidDataException e = Assert.Throws<InvalidDataException>(() => WeightsFile.Read(new MemoryStream(bytes), "small.safetensors"));
        Assert.Equal(message, e.Message);
    }

    [Theory]
    [InlineData(new byte[] { }, "x.bin has 0 bytes, too few for a .safetensors file.")]
    [InlineData(new byte[] { 255, 255, 255, 255, 255, 255, 255, 255, 123 }, "x.bin: the header would have 18,446,744,073,709,551,615 bytes, 1,048,576 are possible; this is no .safetensors file of a network.")]
    [InlineData(new byte[] { 3, 0, 0, 0, 0, 0, 0, 0, 123, 125 }, "x.bin: the header has 3 bytes, 2 follow; the file is cut short.")]
    [InlineData(new byte[] { 2, 0, 0, 0, 0, 0, 0, 0, 91, 93 }, "x.bin: the header is not a JSON object; the file is damaged.")]
    [InlineData(new byte[] { 2, 0, 0, 0, 0, 0, 0, 0, 123, 125 }, "x.bin holds tensors but no network of RealtimeDeblur (no 'format' of 'realtimedeblur/1' in __metadata__); `deblur train` makes one.")]
    public void Read_AnotherKindOfFile_SaysSo(byte[] bytes, string message)
    {
        InvalidDataException e = Assert.Throws<InvalidDataException>(() => WeightsFile.Read(new MemoryStream(bytes), "x.bin"));
        Assert.Equal(message, e.Message);
    }

    /// <summary>Every truncation, every byte of header and prefix replaced, and random flips: a network or one sentence, and never much memory.</summary>
    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void Read_AnyDamage_GivesANetworkOrOneSentenceAndLittleMemory(bool isConditioned)
    {
        Network network = isConditioned ? Dial() : Small();
        byte[] sound = Assemble(Header(network), Values(network)).ToArray();
        Random random = new(5);
        int refused = 0;
        for (int length = 0; length < sound.Length; length++) refused += Survives(sound[..length]) ? 0 : 1;
        Assert.Equal(sound.Length, refused);        // no prefix of a file is a file
        foreach (byte replacement in "\0\"{}[],:90-\\\u00ff"u8)
        {
            for (int at = 0; at < sound.Length; at++) Survives([.. sound[..at], replacement, .. sound[(at + 1)..]]);
        }
        for (int round = 0; round < 3000; round++)
        {
            byte[] damaged = [.. sound];
            for (int flips = random.Next(1, 6); flips > 0; flips--) damaged[random.Next(damaged.Length)] ^= (byte)(1 << random.Next(8));
            Survives(damaged);
        }
    }

    private static bool Survives(byte[] bytes)
    {
        const long MaxBytes = 1 << 20;      // a sound file of this size takes some 20 KiB to read
        long before = GC.GetAllocatedBytesForCurrentThread();
        bool isNetwork = true;
        try
        {
            WeightsFile.Read(new MemoryStream(bytes), "x.safetensors");
        }
        catch (InvalidDataException e)
        {
            isNetwork = false;
            Assert.StartsWith("x.safetensors", e.Message, StringComparison.Ordinal);
            Assert.EndsWith(".", e.Message, StringComparison.Ordinal);
            Assert.DoesNotContain('\n', e.Message);
            Assert.True(e.Message.Length < 400, e.Message);
        }
        Assert.InRange(GC.GetAllocatedBytesForCurrentThread() - before, 0, MaxBytes);
        return isNetwork;
    }

    private static Network Small() => RandomNetwork.Create(NetworkDescription.Dbcnn(1, 3, 2, 1, 2, 1), seed: 3);

    private static Network Dial() => RandomNetwork.Create(Small().Description.WithSigmaKnots([0, 0.5f, 2]), seed: 3);

    private static float[] Values(Network network) => [.. network.Weights.SelectMany(layer => layer.Weight.Concat(layer.Bias))];

    private string Header(Network network)
    {
        string path = Path.Combine(_folder, "header.safetensors");
        WeightsFile.Write(path, network);
        byte[] bytes = File.ReadAllBytes(path);
        File.Delete(path);
        return Encoding.UTF8.GetString(bytes, 8, (int)BinaryPrimitives.ReadUInt64LittleEndian(bytes));
    }

    private static MemoryStream Assemble(string header, float[] values)
    {
        byte[] text = Encoding.UTF8.GetBytes(header);
        MemoryStream stream = new();
        using BinaryWriter writer = new(stream, Encoding.UTF8, leaveOpen: true);
        writer.Write((ulong)text.Length);
        writer.Write(text);
        foreach (float value in values) writer.Write(value);
        writer.Flush();
        stream.Position = 0;
        return stream;
    }
}
