using RealtimeDeblur.Networks;
using RealtimeDeblur.Tests.Networks;
using Xunit;

namespace RealtimeDeblur.Tests.Cli;

public sealed class ExportCommandTests : IDisposable
{
    private readonly string _folder = Directory.CreateTempSubdirectory("export-").FullName;
    private readonly string _model;

    public ExportCommandTests()
    {
        _model = Path.Combine(_folder, "soft.safetensors");
        WeightsFile.Write(_model, RandomNetwork.Create(NetworkDescription.Dbcnn(f1: 3, n1: 2, n2: 2, f3: 1), seed: 1));
    }

    public void Dispose() => Directory.Delete(_folder, recursive: true);

    [Fact]
    public void Export_Model_WritesWhatOnnxRuntimeOpensAndSaysWhatItWrote()
    {
        string output = Path.Combine(_folder, "soft.onnx");
        var json = CliProcess.Run(["export", _model, "-o", output, "--json"]).Json;
        Assert.Equal("soft", json.GetProperty("model").GetString());
        Assert.Equal(output, json.GetProperty("output").GetString());
        Assert.Equal(new FileInfo(output).Length, json.GetProperty("sizeBytes").GetInt64());
        Assert.Equal(1, json.GetProperty("channels").GetInt32());
        Assert.Equal(3 * 3 * 2 + 2 * 2 + 2, json.GetProperty("macPerPixel").GetInt32());
        using Microsoft.ML.OnnxRuntime.InferenceSession session = new(output);
        Assert.Equal(["blurred"], session.InputNames);
    }

    [Fact]
    public void Export_ConditionedModel_WritesTheWeightsOfOneSigma()
    {
        string dial = Path.Combine(_folder, "dial.safetensors"), output = Path.Combine(_folder, "dial.onnx"), plain = Path.Combine(_folder, "plain.onnx");
        Network network = RandomNetwork.Create(NetworkDescription.Dbcnn(f1: 3, n1: 2, n2: 2, f3: 1).WithSigmaKnots([0, 1, 3]), seed: 1);
        WeightsFile.Write(dial, network);
        Assert.Equal("dial depends on the blur's sigma, and an ONNX model has the weights of a single one: choose it, e.g. --sigma 1.6.", CliProcess.Run(["export", dial, "-o", output]).UsageLine);
        Assert.Contains("--sigma must be 0 to 4 pixels", CliProcess.Run(["export", dial, "-o", output, "--sigma", "5"]).UsageLine, StringComparison.Ordinal);
        Assert.False(File.Exists(output));

        Assert.Equal(1.6, CliProcess.Run(["export", dial, "-o", output, "--sigma", "1.6", "--json"]).Json.GetProperty("sigma").GetDouble(), 1e-6);

        OnnxExport.Write(WeightsFile.Read(dial).At(1.6f), plain);
        Assert.Equal(File.ReadAllBytes(plain), File.ReadAllBytes(output));
        Assert.Equal("soft restores every blur alike: leave --sigma out.", CliProcess.Run(["export", _model, "-o", output, "--sigma", "1.6"]).UsageLine);
    }

    [Fact]
    public void Export_UnknownModel_FailsWithItsName() =>
        Assert.StartsWith("There is no model 'nosuch'", CliProcess.Run(["export", "nosuch", "-o", Path.Combine(_folder, "x.onnx")]).FailureLine, StringComparison.Ordinal);

    [Fact]
    public void Export_DamagedModel_FailsWithFileAndReasonAndWritesNothing()
    {
        byte[] bytes = File.ReadAllBytes(_model);
        File.WriteAllBytes(_model, bytes[..^4]);
        string line = CliProcess.Run(["export", _model, "-o", Path.Combine(_folder, "x.onnx")]).FailureLine;
        Assert.StartsWith("soft.safetensors has 112 bytes of data, the network needs 116; the file is cut short.", line, StringComparison.Ordinal);
        Assert.Equal([_model], Directory.GetFiles(_folder));
    }

    [Fact]
    public void Export_FolderMissing_FailsWithIt() =>
        Assert.Contains("there is no folder", CliProcess.Run(["export", _model, "-o", Path.Combine(_folder, "none", "x.onnx")]).FailureLine, StringComparison.Ordinal);

    [Fact]
    public void Export_NoOutput_IsWrongUsage() => Assert.Contains("--output", CliProcess.Run(["export", _model]).UsageLine, StringComparison.Ordinal);
}
