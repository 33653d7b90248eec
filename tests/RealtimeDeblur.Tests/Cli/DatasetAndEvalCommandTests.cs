using System.Text.Json;
using RealtimeDeblur.Networks;
using RealtimeDeblur.Tests.Networks;
using RealtimeDeblur.Tests.Training.Data;
using RealtimeDeblur.Training.Data;
using Xunit;

namespace RealtimeDeblur.Tests.Cli;

public sealed class DatasetAndEvalCommandTests : IDisposable
{
    private readonly TestPictures _pictures = new();

    private string Dataset => _pictures.PathTo("dataset");

    public void Dispose() => _pictures.Dispose();

    [Fact]
    public void Dataset_FolderOfPictures_PrintsTheSummaryAndListsWhatItSkipped()
    {
        _pictures.Add("a.png");
        _pictures.Add("b.jpg");
        _pictures.AddFile("broken.png", [1, 2, 3]);
        CliResult result = CliProcess.Run(["dataset", _pictures.Sharp, "-o", Dataset, "--sigma", "1,2", "--seed", "5"]);
        Assert.Equal(0, result.ExitCode);
        Assert.Contains("2 pictures, 2 pairs for training and 2 for validation, gaussian, sigma 1,2, seed 5", result.Stdout, StringComparison.Ordinal);
        Assert.Contains("Skipped 1:\n  broken.png: not a picture", result.Stdout, StringComparison.Ordinal);
        Assert.Contains("Blurring", result.Stderr, StringComparison.Ordinal);

        JsonElement again = CliProcess.Run(["dataset", _pictures.Sharp, "-o", Dataset, "--sigma", "1,2", "--seed", "5", "--json"]).Json;
        Assert.Equal(2, again.GetProperty("reused").GetInt32());
        Assert.Equal("broken.png", again.GetProperty("skipped")[0].GetProperty("source").GetString());
        using PackedDataset packed = PackedDataset.Open(Dataset);
        Assert.Equal(packed.Sha256, again.GetProperty("sha256").GetString());
        Assert.Equal(4, packed.Pairs.Count);
    }

    [Fact]
    public void Dataset_Interrupted_ContinuesWithTheSameCommand()
    {
        for (int i = 0; i < 12; i++) _pictures.Add($"picture{i}.png", 160, 120);
        string[] command = ["dataset", _pictures.Sharp, "-o", Dataset, "--degradation", "camera", "--pairs-per-picture", "60"];
        using CliProcess process = CliProcess.Start(command);
        string journal = Path.Combine(Dataset, "manifest.partial.jsonl");
        Assert.True(SpinWait.SpinUntil(() => File.Exists(journal) && new FileInfo(journal).Length > 1000, TimeSpan.FromSeconds(120)), process.StderrSoFar);
        process.Interrupt();
        CliResult interrupted = process.Wait();
        Assert.Equal(130, interrupted.ExitCode);
        Assert.Contains("The same command continues where this one stopped.", interrupted.Stderr, StringComparison.Ordinal);
        Assert.False(File.Exists(Path.Combine(Dataset, "manifest.json")));

        Assert.InRange(CliProcess.Run([.. command, "--json"]).Json.GetProperty("reused").GetInt32(), 1, 11);
        Assert.False(File.Exists(journal));
    }

    [Fact]
    public void Dataset_OtherSettings_FailsWithOneLine()
    {
        _pictures.Add("a.png");
        Assert.Equal(0, CliProcess.Run(["dataset", _pictures.Sharp, "-o", Dataset]).ExitCode);
        Assert.Contains("degradation gaussian instead of camera", CliProcess.Run(["dataset", _pictures.Sharp, "-o", Dataset, "--degradation", "camera"]).FailureLine, StringComparison.Ordinal);
    }

    [Fact]
    public void Dataset_NoPictures_FailsWithOneLine()
    {
        _pictures.AddFile("notes.txt", [65]);
        Assert.Contains("holds no pictures", CliProcess.Run(["dataset", _pictures.Sharp, "-o", Dataset]).FailureLine, StringComparison.Ordinal);
        Assert.Contains("inside the folder of sharp pictures", CliProcess.Run(["dataset", _pictures.Sharp, "-o", Path.Combine(_pictures.Sharp, "out")]).FailureLine, StringComparison.Ordinal);
        Assert.False(Directory.Exists(Dataset));
    }

    [Fact]
    public void Dataset_UnwritableOutput_FailsWithOneLine()
    {
        _pictures.Add("a.png");
        File.WriteAllText(Dataset, "a file, not a folder");
        Assert.Contains($"{Dataset} is a file", CliProcess.Run(["dataset", _pictures.Sharp, "-o", Dataset]).FailureLine, StringComparison.Ordinal);
        string inside = Path.Combine(Dataset, "below");
        Assert.Contains(Dataset, CliProcess.Run(["dataset", _pictures.Sharp, "-o", inside]).LastLineOfFailure, StringComparison.Ordinal);
        Assert.Equal("a file, not a folder", File.ReadAllText(Dataset));
    }

    [Theory]
    [InlineData("--sigma", "3..1", "--sigma")]
    [InlineData("--pairs-per-picture", "0", "--pairs-per-picture must be 1 to 1000")]
    [InlineData("--validation", "1", "--validation must be 0 to 0.9")]
    [InlineData("--degradation", "rain", "--degradation must be gaussian or camera, not 'rain'")]
    public void Dataset_BadOption_IsWrongUsage(string option, string value, string message) =>
        Assert.Contains(message, CliProcess.Run(["dataset", _pictures.Sharp, "-o", Dataset, option, value]).UsageLine, StringComparison.Ordinal);

    [Fact]
    public void Eval_ModelOnAFolderOfSets_HasTheDocumentedJson()
    {
        TestDevice.SkipWithoutDevice();
        _pictures.Add("one/a.png");
        _pictures.Add("two/b.png");
        string model = _pictures.PathTo("same.safetensors");
        NetworkDescription description = new("identity", [new("same", 1, 1, 1, Relu: false)], globalSkip: false);
        WeightsFile.Write(model, new Network("same", description, [new([1], [0])]));

        JsonElement json = CliProcess.Run(["eval", model, "--images", _pictures.Sharp, "--sigma", "1,1.6", "--json"]).Json;
        Assert.Equal(8, json.GetProperty("protocol").GetProperty("borderPixels").GetInt32());
        List<JsonElement> results = [.. json.GetProperty("results").EnumerateArray()];
        Assert.Equal(2 * 2 * 6, results.Count);
        foreach (JsonElement result in results)
        {
            Assert.Equal(1, result.GetProperty("images").GetInt32());
            Assert.Contains(result.GetProperty("set").GetString(), (string[])["one", "two"]);
            Assert.Contains(result.GetProperty("sigma").GetDouble(), (double[])[1, 1.6]);
            bool isBaseline = result.GetProperty("model").GetString() != "same";
            Assert.Equal(isBaseline ? JsonValueKind.Null : JsonValueKind.Number, result.GetProperty("macPerPixel").ValueKind);
            Assert.Equal(isBaseline ? JsonValueKind.Null : JsonValueKind.Number, result.GetProperty("msPerMegapixel").ValueKind);
            Assert.Equal(JsonValueKind.Null, result.GetProperty("sigmaEstimate").ValueKind);
            Assert.Equal(result.GetProperty("knowsSigma").GetBoolean() ? "given" : "blind", result.GetProperty("sigmaMode").GetString());
            if (isBaseline) continue;
            Assert.Equal(1, result.GetProperty("macPerPixel").GetInt32());
            Assert.Equal(result.GetProperty("psnrBlurred").GetDouble(), result.GetProperty("psnr").GetDouble());
            Assert.Equal(result.GetProperty("ssimBlurred").GetDouble(), result.GetProperty("ssim").GetDouble());
        }
    }

    [Fact]
    public void Eval_ConditionedModel_IsToldSigmaOrSaysWhatIsMissing()
    {
        TestDevice.SkipWithoutDevice();
        _pictures.Add("a.png");
        string model = _pictures.PathTo("dial.safetensors");
        WeightsFile.Write(model, SmallNetwork.Dial(new() { ["degradation"] = "rain" }));
        string[] command = ["eval", model, "--images", _pictures.Sharp, "--sigma", "0.5,1", "--baselines", "none"];

        CliResult given = CliProcess.Run([.. command, "--sigma-mode", "given", "--strength", "0.5"]);
        Assert.Equal(0, given.ExitCode);
        Assert.Contains("\n  dial (given) ", given.Stdout, StringComparison.Ordinal);
        Assert.Contains("MAC/pixel", given.Stdout, StringComparison.Ordinal);
        Assert.Contains("(given): the network was told the true sigma", given.Stdout, StringComparison.Ordinal);
        Assert.Contains("Models at strength 0.5.", given.Stdout, StringComparison.Ordinal);

        Assert.Contains("no estimator of its sigma is installed", CliProcess.Run(command).FailureLine, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("--sigma-mode", "blind", "--sigma-mode must be given, auto or both.")]
    [InlineData("--strength", "2", "--strength must be 0 to 1, e.g. 0.6.")]
    public void Eval_BadOption_IsWrongUsage(string option, string value, string message) =>
        Assert.Contains(message, CliProcess.Run(["eval", "--images", _pictures.Sharp, option, value]).UsageLine, StringComparison.Ordinal);

    [Fact]
    public void Eval_WithoutModel_PrintsATableOfBaselines()
    {
        _pictures.Add("a.png");
        CliResult result = CliProcess.Run(["eval", "--images", _pictures.Sharp, "--sigma", "0.5,1", "--degradation", "camera", "--noise", "1", "--jpeg", "0"]);
        Assert.Equal(0, result.ExitCode);
        Assert.Contains("pictures, 1 picture: PSNR", result.Stdout, StringComparison.Ordinal);
        foreach (string name in (string[])["blurred", "unsharp", "wiener", "wiener-fixed", "polyblur"]) Assert.Contains($"\n  {name} ", result.Stdout, StringComparison.Ordinal);
        Assert.Contains("noise of standard deviation 1/255", result.Stdout, StringComparison.Ordinal);
    }

    [Fact]
    public void Eval_NothingToDoOrNothingThere_SaysSo()
    {
        _pictures.Add("a.png");
        Assert.Contains("name a model", CliProcess.Run(["eval", "--images", _pictures.Sharp, "--baselines", "none"]).UsageLine, StringComparison.Ordinal);
        Assert.Contains("--degradation camera", CliProcess.Run(["eval", "--images", _pictures.Sharp, "--noise", "2"]).UsageLine, StringComparison.Ordinal);
        Assert.Contains("single values", CliProcess.Run(["eval", "--images", _pictures.Sharp, "--sigma", "0..3"]).UsageLine, StringComparison.Ordinal);
        Assert.Contains("There is no folder", CliProcess.Run(["eval", "--images", _pictures.PathTo("nowhere")]).FailureLine, StringComparison.Ordinal);
        Assert.Contains("nowhere.safetensors", CliProcess.Run(["eval", _pictures.PathTo("nowhere.safetensors"), "--images", _pictures.Sharp]).FailureLine, StringComparison.Ordinal);
    }
}
