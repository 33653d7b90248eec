using System.Text.Json;
using RealtimeDeblur.Networks;
using RealtimeDeblur.Restoration;
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
        string file = _pictures.PathTo("same.safetensors");
        NetworkDescription description = new("identity", [new("same", 1, 1, 1, Relu: false)], globalSkip: false);
        WeightsFile.Write(file, new Network("same", description, [new([1], [0])]));

        JsonElement json = CliProcess.Run(["eval", file, "--images", _pictures.Sharp, "--sigma", "1,1.6", "--method", "unsharp,wiener:ratio=best", "--sigma-mode", "given", "--json"]).Json;
        Assert.Equal(8, json.GetProperty("protocol").GetProperty("borderPixels").GetInt32());
        Assert.Equal("gaussian", json.GetProperty("protocol").GetProperty("psf").GetString());
        Assert.Equal(1, json.GetProperty("protocol").GetProperty("strength").GetDouble());
        Assert.Contains("true sigma", json.GetProperty("protocol").GetProperty("sigmaModes").GetProperty("given").GetString(), StringComparison.Ordinal);
        List<JsonElement> results = [.. json.GetProperty("results").EnumerateArray()];
        Assert.Equal(2 * 2 * 4, results.Count);
        Assert.Equal(["input", "network", "filter", "filter"], results.Take(4).Select(result => result.GetProperty("kind").GetString()));
        Assert.Equal(["blurred", "same", "unsharp", "wiener:ratio=best"], results.Select(result => result.GetProperty("model").GetString()).Distinct());
        foreach (JsonElement result in results)
        {
            Assert.Equal(1, result.GetProperty("images").GetInt32());
            Assert.Contains(result.GetProperty("set").GetString(), (string[])["one", "two"]);
            Assert.Contains(result.GetProperty("sigma").GetDouble(), (double[])[1, 1.6]);
            string model = result.GetProperty("model").GetString()!;
            JsonValueKind cost = model is "same" or "unsharp" ? JsonValueKind.Number : JsonValueKind.Null;
            Assert.Equal((cost, cost), (result.GetProperty("macPerPixel").ValueKind, result.GetProperty("msPerMegapixel").ValueKind));
            Assert.Equal(("gaussian", "gaussian"), (result.GetProperty("degradation").GetString(), result.GetProperty("psf").GetString()));
            Assert.Equal(JsonValueKind.Null, result.GetProperty("sigmaEstimate").ValueKind);
            Assert.False(result.GetProperty("guard").GetBoolean());
            Assert.Equal(JsonValueKind.Null, result.GetProperty("sharpHalf").ValueKind);
            Assert.Equal(result.GetProperty("knowsSigma").GetBoolean() ? "given" : "blind", result.GetProperty("sigmaMode").GetString());
            if (model != "same") continue;
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
        string[] command = ["eval", model, "--images", _pictures.Sharp, "--sigma", "0.5,1", "--method", "none"];

        CliResult given = CliProcess.Run([.. command, "--sigma-mode", "given", "--guard", "both", "--strength", "0.5"]);
        Assert.Equal(0, given.ExitCode);
        Assert.Contains("\n  dial (given) ", given.Stdout, StringComparison.Ordinal);
        Assert.Contains("\n  dial (given, unguarded) ", given.Stdout, StringComparison.Ordinal);
        Assert.Contains("MAC/pixel", given.Stdout, StringComparison.Ordinal);
        Assert.Contains("(given): the method was told the true sigma", given.Stdout, StringComparison.Ordinal);
        Assert.Contains("Methods at strength 0.5.", given.Stdout, StringComparison.Ordinal);

        JsonElement halves = CliProcess.Run([.. command, "--sigma-mode", "given", "--sharp-half", "--json"]).Json.GetProperty("results")[1];
        Assert.Equal(("given", true), (halves.GetProperty("sigmaMode").GetString(), halves.GetProperty("guard").GetBoolean()));
        foreach (string key in (string[])["psnrSharpHalf", "psnrBlurredHalf", "psnrBlurredHalfAllOver"]) Assert.InRange(halves.GetProperty("sharpHalf").GetProperty(key).GetDouble(), 10, 79);

        Assert.Contains("no estimator of its sigma is installed", CliProcess.Run(command).FailureLine, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("--sigma-mode", "blind", "--sigma-mode must be given, auto or both.")]
    [InlineData("--guard", "maybe", "--guard must be on, off or both.")]
    [InlineData("--strength", "2", "--strength must be 0 to 1, e.g. 0.6.")]
    [InlineData("--method", "magic", "--method: There is no method 'magic'")]
    [InlineData("--method", "wiener:ratio=best:noise=1", "wiener has no parameter 'noise'")]
    [InlineData("--method", "unsharp:amount=best:radius=best", "one parameter can be searched")]
    [InlineData("--sigma-from", "own,guess", "--sigma-from must be one or several of own, ours, polyblur, spectrum, not 'guess'.")]
    [InlineData("--degradation", "rain", "--degradation must be one or several of gaussian, camera, not 'rain'.")]
    [InlineData("--report", "figures.pdf", "--report writes .html or .md files, not figures.pdf.")]
    public void Eval_BadOption_IsWrongUsage(string option, string value, string message) =>
        Assert.Contains(message, CliProcess.Run(["eval", "--images", _pictures.Sharp, option, value]).UsageLine, StringComparison.Ordinal);

    [Fact]
    public void Eval_WithoutModel_PrintsATableOfFilters()
    {
        TestDevice.SkipWithoutDevice();
        _pictures.Add("a.png");
        CliResult result = CliProcess.Run(["eval", "--images", _pictures.Sharp, "--sigma", "0.5,1", "--sigma-mode", "given", "--degradation", "camera", "--noise", "1", "--jpeg", "0", "--sharp-half"]);
        Assert.True(result.ExitCode == 0, result.ToString());
        Assert.Contains("pictures, 1 picture: PSNR", result.Stdout, StringComparison.Ordinal);
        Assert.Contains("\n  blurred ", result.Stdout, StringComparison.Ordinal);
        foreach (FilterDescription filter in RestorationMethod.Filters) Assert.Contains($"\n  {filter.Name} (given) ", result.Stdout, StringComparison.Ordinal);
        Assert.Contains("pictures, one half sharp: PSNR", result.Stdout, StringComparison.Ordinal);
        Assert.Contains("noise of standard deviation 1/255", result.Stdout, StringComparison.Ordinal);
    }

    [Fact]
    public void Eval_DiscThroughH264_SaysWhatItDid()
    {
        TestDevice.SkipWithoutDevice();
        _pictures.Add("a.png");
        JsonElement json = CliProcess.Run(["eval", "--images", _pictures.Sharp, "--sigma", "1", "--sigma-mode", "given", "--method", "unsharp", "--psf", "gaussian,disc", "--degradation", "camera", "--h264", "24", "--json"]).Json;
        string degradation = json.GetProperty("protocol").GetProperty("degradation").GetString()!;
        Assert.Equal("gaussian,disc", json.GetProperty("protocol").GetProperty("psf").GetString());
        Assert.Contains("disc of radius 2 sigma", degradation, StringComparison.Ordinal);
        Assert.Contains("H.264 intra frame of QP 24", degradation, StringComparison.Ordinal);
        Assert.Equal(["gaussian", "gaussian", "disc", "disc"], json.GetProperty("results").EnumerateArray().Select(result => result.GetProperty("psf").GetString()));
    }

    [Fact]
    public void Eval_Estimators_ComparesThemOverSigmaAndCondition()
    {
        TestDevice.SkipWithoutDevice();
        _pictures.Add("a.png", 160, 120);
        string markdown = _pictures.PathTo("report.md");
        JsonElement json = CliProcess.Run(["eval", "--images", _pictures.Sharp, "--sigma", "0,1,2", "--method", "none", "--estimators", "--report", markdown, "--json"]).Json;
        List<JsonElement> estimators = [.. json.GetProperty("estimators").EnumerateArray()];
        Assert.Equal(["ours", "polyblur", "spectrum"], estimators.Select(one => one.GetProperty("estimator").GetString()).Distinct());
        Assert.Equal(["gaussian", "gaussian, noise 2", "gaussian, JPEG 80"], estimators.Select(one => one.GetProperty("condition").GetString()).Distinct());
        Assert.Equal(3 * 3 * 3, estimators.Count);
        Assert.All(estimators, one => Assert.True(one.GetProperty("msPerMegapixel").GetDouble() > 0));
        string text = File.ReadAllText(markdown);
        Assert.Contains("**pictures, gaussian, noise 2: bias and quartile distance of the estimates, in % of sigma**", text, StringComparison.Ordinal);
        Assert.Contains("| sigma | 0 | 1 | 2 |", text, StringComparison.Ordinal);
    }

    [Fact]
    public void Eval_NothingToDoOrNothingThere_SaysSo()
    {
        _pictures.Add("a.png");
        Assert.Contains("name a model", CliProcess.Run(["eval", "--images", _pictures.Sharp, "--method", "none"]).UsageLine, StringComparison.Ordinal);
        Assert.Contains("--degradation camera", CliProcess.Run(["eval", "--images", _pictures.Sharp, "--noise", "2"]).UsageLine, StringComparison.Ordinal);
        Assert.Contains("--degradation camera", CliProcess.Run(["eval", "--images", _pictures.Sharp, "--h264", "20"]).UsageLine, StringComparison.Ordinal);
        Assert.Contains("exclude each other", CliProcess.Run(["eval", "--images", _pictures.Sharp, "--degradation", "camera", "--h264", "20", "--jpeg", "80"]).UsageLine, StringComparison.Ordinal);
        Assert.Contains("--psf must be one or several", CliProcess.Run(["eval", "--images", _pictures.Sharp, "--psf", "square"]).UsageLine, StringComparison.Ordinal);
        Assert.Contains("single values", CliProcess.Run(["eval", "--images", _pictures.Sharp, "--sigma", "0..3"]).UsageLine, StringComparison.Ordinal);
        Assert.Contains("There is no folder", CliProcess.Run(["eval", "--images", _pictures.Sharp, "--report", _pictures.PathTo("nowhere", "report.html")]).FailureLine, StringComparison.Ordinal);
        Assert.Contains("There is no folder", CliProcess.Run(["eval", "--images", _pictures.PathTo("nowhere")]).FailureLine, StringComparison.Ordinal);
        Assert.Contains("nowhere.safetensors", CliProcess.Run(["eval", _pictures.PathTo("nowhere.safetensors"), "--images", _pictures.Sharp]).FailureLine, StringComparison.Ordinal);
    }
}
