using System.Text.Json;
using OpenCvSharp;
using RealtimeDeblur.Cli.Demo;
using RealtimeDeblur.Networks;
using RealtimeDeblur.Tests.Networks;
using Xunit;

namespace RealtimeDeblur.Tests.Cli;

public sealed class DemoCommandTests : IDisposable
{
    private readonly TemporaryFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Fact]
    public void Demo_Json_MeasuresRestorationAndListsFilesThatExist()
    {
        JsonElement result = Demo(SmallNetwork.Sharpen(), "--json").Json;
        double blurred = result.GetProperty("psnrBlurred").GetDouble(), restored = result.GetProperty("psnrRestored").GetDouble();
        Assert.InRange(blurred, 20, 32);
        Assert.InRange(restored, blurred + 0.3, 40);
        Assert.InRange(result.GetProperty("framesPerSecond").GetDouble(), 0.001, 100_000);
        string[] files = [.. result.GetProperty("files").EnumerateArray().Select(file => file.GetString()!)];
        Assert.Equal(["blurred.mp4", "restored.mp4", "comparison.png"], files.Select(file => Path.GetFileName(file)));
        Assert.All(files, file => Assert.True(File.Exists(file), file));
    }

    [Fact]
    public void Demo_NetworkThatChangesNothing_RestoresNothing()
    {
        JsonElement result = Demo(SmallNetwork.Identity(), "--json").Json;
        Assert.Equal(result.GetProperty("psnrBlurred").GetDouble(), result.GetProperty("psnrRestored").GetDouble(), tolerance: 1e-9);
    }

    [Fact]
    public void Demo_Files_ShowTheClip()
    {
        CliResult run = Demo(SmallNetwork.Sharpen());
        Assert.True(run.ExitCode == 0, run.ToString());
        Assert.Contains("restored.mp4", run.Stdout);
        Assert.Equal(["blurred.mp4", "comparison.png", "model.safetensors", "restored.mp4"], _folder.Names);
        using Mat picture = Cv2.ImRead(_folder["comparison.png"]);
        Assert.Equal(DemoScene.Width, picture.Width);
        using Mat blurred = FirstFrame("blurred.mp4");
        using Mat restored = FirstFrame("restored.mp4");
        Assert.Equal(new Size(DemoScene.Width, DemoScene.Height), restored.Size());
        Assert.True(Detail(restored) > 1.03 * Detail(blurred), $"Mean gradient {Detail(restored)} in restored.mp4, {Detail(blurred)} in blurred.mp4.");
    }

    [Fact]
    public void Demo_Interrupted_LeavesNothing()
    {
        WeightsFile.Write(_folder["model.safetensors"], SmallNetwork.Identity());
        using CliProcess process = CliProcess.Start(["demo", "--seconds", "60", "-o", _folder["out"], "--model", _folder["model.safetensors"]]);
        process.WaitForStderr("Making a blurred clip:");
        process.Interrupt();
        CliResult result = process.Wait();
        Assert.True(result.ExitCode == 130, result.ToString());
        Assert.Equal("Interrupted.", result.Stderr.TrimEnd('\n').Split('\n')[^1]);
        Assert.Empty(Directory.EnumerateFileSystemEntries(_folder["out"]));
    }

    [Fact]
    public void Demo_UnknownModel_NamesIt() => Assert.Contains("'no-such-model'", CliProcess.Run(["demo", "--model", "no-such-model", "-o", _folder.Path]).FailureLine);

    [Fact]
    public void Demo_FolderThatCannotBeWritten_NamesIt()
    {
        WeightsFile.Write(_folder["model.safetensors"], SmallNetwork.Identity());
        Assert.Contains("/proc/demo", CliProcess.Run(["demo", "--model", _folder["model.safetensors"], "-o", "/proc/demo"]).FailureLine);
    }

    [Fact]
    public void Demo_WithoutOpenClDriver_SaysWhatToInstallAndLeavesNothing()
    {
        WeightsFile.Write(_folder["model.safetensors"], SmallNetwork.Identity());
        CliResult result = CliProcess.Run(["demo", "--model", _folder["model.safetensors"], "-o", _folder["out"]], new Dictionary<string, string?> { ["OCL_ICD_VENDORS"] = "/nonexistent" });
        Assert.Contains("pocl-opencl-icd", result.FailureLine);
        Assert.Empty(Directory.EnumerateFileSystemEntries(_folder["out"]));
    }

    [Fact]
    public void Demo_WithoutFfmpeg_SaysWhatToInstall()
    {
        WeightsFile.Write(_folder["model.safetensors"], SmallNetwork.Identity());
        CliResult result = CliProcess.Run(["demo", "--model", _folder["model.safetensors"], "-o", _folder["out"]], new Dictionary<string, string?> { ["PATH"] = "/nonexistent" });
        Assert.Contains("apt-get install ffmpeg", result.FailureLine);
    }

    [Theory]
    [InlineData("--sigma", "0")]
    [InlineData("--sigma", "-1")]
    [InlineData("--sigma", "wide")]
    [InlineData("--seconds", "0")]
    [InlineData("--seconds", "1e9")]
    public void Demo_NumberOutOfRange_IsWrongUsage(string option, string value) => Assert.Contains(option, CliProcess.Run(["demo", option, value]).UsageLine);

    [Fact]
    public void Scene_SameFrameTwice_IsTheSame()
    {
        byte[] first = new byte[3 * DemoScene.Width * DemoScene.Height], second = new byte[first.Length];
        DemoScene scene = new();
        scene.Draw(3, first);
        scene.Draw(4, second);
        Assert.False(first.AsSpan().SequenceEqual(second));
        scene.Draw(3, second);
        Assert.True(first.AsSpan().SequenceEqual(second));
    }

    /// <summary>Two frames through the given network, into the test's folder.</summary>
    private CliResult Demo(Network network, params string[] options)
    {
        WeightsFile.Write(_folder["model.safetensors"], network);
        return CliProcess.Run(["demo", "--seconds", "0.08", "-o", _folder.Path, "--model", _folder["model.safetensors"], .. options]);
    }

    private Mat FirstFrame(string file)
    {
        using VideoCapture capture = new(_folder[file]);
        Mat frame = new();
        Assert.True(capture.Read(frame));
        return frame;
    }

    /// <summary>Mean difference between neighbours.</summary>
    private static double Detail(Mat picture)
    {
        using Mat horizontal = new();
        Cv2.Absdiff(picture[0, picture.Rows, 1, picture.Cols], picture[0, picture.Rows, 0, picture.Cols - 1], horizontal);
        Scalar mean = Cv2.Mean(horizontal);
        return (mean.Val0 + mean.Val1 + mean.Val2) / 3;
    }
}
