using System.Text.Json;
using RealtimeDeblur.Restoration;
using RealtimeDeblur.Tests.Training.Data;
using Xunit;

namespace RealtimeDeblur.Tests.Cli;

public sealed class TrainEstimatorCommandTests : IDisposable
{
    private readonly TestPictures _pictures = new();

    public void Dispose() => _pictures.Dispose();

    [Fact]
    public void TrainEstimator_WithImages_WritesWeightsAndPrintsTheirErrors()
    {
        TestDevice.SkipWithoutDevice();
        _pictures.Add("a.png", 96, 80);
        _pictures.Add("b.png", 80, 96);
        string file = _pictures.PathTo("sigma.safetensors");
        string[] command = ["train-estimator", _pictures.Sharp, "-o", file, "--samples", "3", "--epochs", "2", "--members", "2", "--seed", "7", "--images", _pictures.Sharp];
        JsonElement json = CliProcess.Run([.. command, "--json"]).Json;
        Assert.Equal("7", json.GetProperty("training").GetProperty("seed").GetString());
        List<JsonElement> results = [.. json.GetProperty("results").EnumerateArray()];
        Assert.Equal(3 * 7, results.Count);      // conditions and sigmas
        Assert.All(results, result => Assert.Equal(2, result.GetProperty("images").GetInt32()));
        Assert.Equal(JsonValueKind.Null, results[0].GetProperty("medianError").ValueKind);
        EstimatorWeights weights = EstimatorWeights.Load(file);
        Assert.Equal("gaussian", weights.TrainingRecord["degradation"]);

        CliResult again = CliProcess.Run(command);
        Assert.Equal(0, again.ExitCode);
        Assert.Contains("pictures, 2 pictures, gaussian, JPEG 80:", again.Stdout, StringComparison.Ordinal);
        Assert.Contains("Learning", again.Stderr, StringComparison.Ordinal);
        Assert.Equal(weights.Values, EstimatorWeights.Load(file).Values);
    }

    [Fact]
    public void TrainEstimator_WrongUsage_SaysWhatIsRight()
    {
        _pictures.Add("a.png");
        string file = _pictures.PathTo("sigma.safetensors");
        Assert.Contains(".safetensors", CliProcess.Run(["train-estimator", _pictures.Sharp, "-o", _pictures.PathTo("sigma.bin")]).UsageLine, StringComparison.Ordinal);
        Assert.Contains("--members must be 1 to 8", CliProcess.Run(["train-estimator", _pictures.Sharp, "-o", file, "--members", "9"]).UsageLine, StringComparison.Ordinal);
        Assert.Contains("There is no folder", CliProcess.Run(["train-estimator", _pictures.Sharp, "-o", _pictures.PathTo("none", "sigma.safetensors")]).FailureLine, StringComparison.Ordinal);
        Assert.Contains("nowhere", CliProcess.Run(["train-estimator", _pictures.PathTo("nowhere"), "-o", file]).FailureLine, StringComparison.Ordinal);
    }
}
