using System.Globalization;
using System.Runtime.Versioning;
using OpenCvSharp;
using RealtimeDeblur.Tests.Cli;
using RealtimeDeblur.Tests.Scripts;
using RealtimeDeblur.Tests.Training.Data;
using Xunit;

namespace RealtimeDeblur.Tests.Native;

/// <summary>Pictures through <c>samples/c/first.c</c> and through the command line.</summary>
[SupportedOSPlatform("linux")]
public sealed class SameAsCommandLineTests
{
    [Theory]
    [InlineData("fast-camera", null)]
    [InlineData("tiny", null)]
    [InlineData("fast-camera", 1.3)]
    [InlineData("dbcnn-bp-camera", 2.0)]
    public void Picture_ThroughC_IsTheOneThatDeblurImageMakes(string model, double? sigma)
    {
        TestDevice.SkipWithoutDevice();
        using TemporaryFolder folder = new();
        using Mat picture = TestPictures.Draw(203, 141, seed: 3);
        Cv2.GaussianBlur(picture, picture, new Size(11, 11), 1.4);
        Cv2.ImWrite(folder["soft.png"], picture);
        Cv2.ImWrite(folder["soft.ppm"], picture);
        string sigmaText = sigma?.ToString(CultureInfo.InvariantCulture) ?? "auto";

        CliResult result = CliProcess.Run(["image", folder["soft.png"], "-o", folder["cli.png"], "--model", model, "--sigma", sigmaText]);
        Assert.True(result.ExitCode == 0, result.ToString());
        First(sigma is null ? [folder["soft.ppm"], folder["c.ppm"], model] : [folder["soft.ppm"], folder["c.ppm"], model, sigmaText]);

        using Mat throughCli = Cv2.ImRead(folder["cli.png"]), throughC = Cv2.ImRead(folder["c.ppm"]);
        Assert.Equal(picture.Size(), throughC.Size());
        Assert.True(Cv2.Norm(throughC, picture, NormTypes.INF) > 5, "Nothing was restored.");
        Assert.Equal(0, Cv2.Norm(throughC, throughCli, NormTypes.INF));
    }

    [Fact]
    public void OwnWeights_TrainedByTheScript_RestoreFromC()
    {
        TestDevice.SkipWithoutDevice();
        using TestPictures pictures = new();
        for (int i = 0; i < 12; i++) pictures.Add($"{i}.png", 150, 140);
        string output = pictures.PathTo("own"), program = pictures.PathTo("deblur");
        File.WriteAllText(program, $"#!/bin/sh\nexec {CliProcess.InShell} \"$@\"\n");
        File.SetUnixFileMode(program, UnixFileMode.UserRead | UnixFileMode.UserExecute);
        using Mat picture = TestPictures.Draw(96, 64, seed: 1);
        Cv2.GaussianBlur(picture, picture, new Size(9, 9), 1.2);
        Cv2.ImWrite(pictures.PathTo("soft.ppm"), picture);

        (int exitCode, string said) = NativeBuild.Run("env", [$"DEBLUR={program}", "STEPS=32", Path.Combine(ScriptTests.FindCheckout(), "samples/own-weights"), pictures.Sharp, output]);
        Assert.True(exitCode == 0, said);
        First([pictures.PathTo("soft.ppm"), pictures.PathTo("own.ppm"), Path.Combine(output, "mine.safetensors"), "1.2"]);
        First([pictures.PathTo("soft.ppm"), pictures.PathTo("shipped.ppm"), "tiny-camera", "1.2"]);

        using Mat own = Cv2.ImRead(pictures.PathTo("own.ppm")), shipped = Cv2.ImRead(pictures.PathTo("shipped.ppm"));
        Assert.True(Cv2.Norm(own, picture, NormTypes.INF) > 5, "Nothing was restored.");
        Assert.True(Cv2.Norm(own, shipped, NormTypes.INF) > 0, "The weights are those it began with.");
    }

    private static void First(string[] arguments)
    {
        (int exitCode, string output) = NativeBuild.Run(Path.Combine(NativeBuild.FolderOrSkip(), "samples/first"), arguments);
        Assert.True(exitCode == 0, output);
    }
}
