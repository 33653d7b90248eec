using System.Diagnostics;
using System.Runtime.InteropServices;
using System.Runtime.Versioning;
using RealtimeDeblur.Networks;
using RealtimeDeblur.Tests.Scripts;
using RealtimeDeblur.Tests.Training.Data;
using Xunit;

namespace RealtimeDeblur.Tests.Samples;

/// <summary>The script that trains what ships, with one network and few steps.</summary>
[SupportedOSPlatform("linux")]
public sealed class TrainAllTests
{
    [Fact]
    public void Script_OneNetworkAndFewSteps_MakesBothModelsAndSkipsThemTheNextTime()
    {
        TestDevice.SkipWithoutDevice();
        using TestPictures pictures = new();
        for (int i = 0; i < 12; i++) pictures.Add($"{i}.png", 150, 140);
        string output = pictures.PathTo("models"), program = pictures.PathTo("deblur");
        string dotnet = Path.GetFullPath(Path.Combine(RuntimeEnvironment.GetRuntimeDirectory(), "../../../dotnet"));
        File.WriteAllText(program, $"#!/bin/sh\nexec '{dotnet}' '{Path.Combine(AppContext.BaseDirectory, "deblur.dll")}' \"$@\"\n");
        File.SetUnixFileMode(program, UnixFileMode.UserRead | UnixFileMode.UserExecute);

        Run();

        Network gaussian = WeightsFile.Read(Path.Combine(output, "tiny.safetensors")), camera = WeightsFile.Read(Path.Combine(output, "tiny-camera.safetensors"));
        Assert.True(gaussian.IsConditioned);
        Assert.Equal("gaussian", gaussian.TrainingRecord["degradation"]);
        Assert.Equal("camera", camera.TrainingRecord["degradation"]);
        Assert.Equal("tiny", camera.TrainingRecord["startedFrom"]);
        Assert.Contains("tiny-camera is there already", Run(), StringComparison.Ordinal);

        string Run()
        {
            ProcessStartInfo start = new("bash", [Path.Combine(ScriptTests.FindCheckout(), "samples/train-all"), pictures.Sharp, output]) { RedirectStandardOutput = true, RedirectStandardError = true };
            foreach ((string name, string value) in (IEnumerable<(string, string)>)[("DEBLUR", program), ("NETWORKS", "tiny"), ("STEPS", "32")]) start.Environment[name] = value;
            using Process process = Process.Start(start)!;
            Task<string> stderr = process.StandardError.ReadToEndAsync(TestContext.Current.CancellationToken);
            string stdout = process.StandardOutput.ReadToEnd();
            process.WaitForExit();
            Assert.True(process.ExitCode == 0, $"{stdout}{stderr.GetAwaiter().GetResult()}");
            return stdout;
        }
    }
}
