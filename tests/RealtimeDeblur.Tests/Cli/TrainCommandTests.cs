using System.Text.Json;
using RealtimeDeblur.Networks;
using RealtimeDeblur.Tests.Training;
using Xunit;

namespace RealtimeDeblur.Tests.Cli;

public sealed class TrainCommandTests
{
    /// <summary>A network and patches so small that a hundred steps take a second.</summary>
    private static readonly string[] Small = ["--f1", "5", "--n1", "16", "--n2", "16", "--f3", "3", "--patch", "26", "--batch", "2", "--validate-every", "32"];

    [Fact]
    public void Train_SmallNetwork_WritesModelCurveAndLosses()
    {
        TestDevice.SkipWithoutDevice();
        using TestDataset data = new();
        string model = data.PathTo("mine.safetensors");
        CliResult result = CliProcess.Run(["train", data.Folder, "-o", model, .. Small, "--steps", "64", "--json"]);
        Assert.True(result.ExitCode == 0, result.Stderr);
        JsonElement json = result.Json;
        Assert.Equal(64, json.GetProperty("steps").GetInt32());
        Assert.Equal(6, json.GetProperty("validation").GetArrayLength());
        foreach (JsonElement file in json.GetProperty("files").EnumerateArray()) Assert.True(new FileInfo(file.GetString()!).Length > 0, file.GetString());
        Assert.Equal("PNG"u8.ToArray(), File.ReadAllBytes(data.PathTo("mine.png"))[1..4]);
        Assert.Equal(16, WeightsFile.Read(model).Description.Layers[0].K);
        Assert.Equal("gaussian", WeightsFile.Read(model).TrainingRecord["degradation"]);
    }

    [Fact]
    public void Train_Interrupted_KeepsItsStateAndRefusesOtherOptions()
    {
        TestDevice.SkipWithoutDevice();
        using TestDataset data = new();
        string model = data.PathTo("mine.safetensors");
        using (CliProcess process = CliProcess.Start(["train", data.Folder, "-o", model, .. Small, "--steps", "2000000"]))
        {
            process.WaitForStderr("steps");
            process.Interrupt();
            CliResult stopped = process.Wait();
            Assert.Equal(130, stopped.ExitCode);
            Assert.Contains("--resume", stopped.Stderr, StringComparison.Ordinal);
        }
        Assert.True(File.Exists(data.PathTo("mine.state")));
        CliResult wrong = CliProcess.Run(["train", data.Folder, "-o", model, "--resume", "--batch", "8"]);
        Assert.Contains("--batch and --resume", wrong.UsageLine, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(2, "must end in .safetensors", "DATASET", "-o", "mine.bin")]
    [InlineData(2, "must be odd", "DATASET", "-o", "m.safetensors", "--f1", "8")]
    [InlineData(2, "--steps must be", "DATASET", "-o", "m.safetensors", "--steps", "0")]
    [InlineData(2, "no factor at a blur", "DATASET", "-o", "m.safetensors", "--emphasis", "3")]
    [InlineData(1, "no packed dataset", ".", "-o", "m.safetensors")]
    [InlineData(1, "deblur dataset", "/nowhere", "-o", "m.safetensors")]
    [InlineData(1, "no folder", "DATASET", "-o", "nowhere/m.safetensors")]
    [InlineData(1, "--resume", "DATASET", "-o", "m.safetensors", "--resume")]
    public void Train_BadInput_OneLineThatSaysWhatToDo(int exitCode, string expected, params string[] arguments)
    {
        TestDevice.SkipWithoutDevice();
        using TestDataset data = new(pictures: 3);
        CliResult result = CliProcess.Run(["train", .. arguments.Select(argument => argument == "DATASET" ? data.Folder : argument)], workingDirectory: Path.GetDirectoryName(data.Folder));
        Assert.Contains(expected, exitCode == 2 ? result.UsageLine : result.FailureLine, StringComparison.Ordinal);
        Assert.False(File.Exists(data.PathTo("m.safetensors")));
    }
}
