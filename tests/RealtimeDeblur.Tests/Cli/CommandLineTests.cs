using System.Text.Json;
using RealtimeDeblur.Cli;
using Xunit;

namespace RealtimeDeblur.Tests.Cli;

/// <summary>What holds for every command: exit codes, one line per error, --json alone on stdout, help with an example.</summary>
public sealed class CommandLineTests
{
    public static TheoryData<string> CommandNames => [.. Program.Commands().Select(command => command.Name)];

    [Fact]
    public void Help_WithoutCommand_ListsCommandsAndSucceeds()
    {
        CliResult result = CliProcess.Run([]);
        Assert.Equal(0, result.ExitCode);
        Assert.Contains("devices", result.Stdout);
        Assert.Empty(result.Stderr);
    }

    [Theory]
    [MemberData(nameof(CommandNames))]
    public void Help_OfEveryCommand_HasSharedOptionsAndExampleOfThatCommand(string command)
    {
        CliResult result = CliProcess.Run([command, "--help"]);
        Assert.Equal(0, result.ExitCode);
        Assert.Contains("--device", result.Stdout);
        Assert.Contains("--json", result.Stdout);
        Assert.Contains("--verbose", result.Stdout);
        Assert.Contains($"Example:\n  deblur {command}", result.Stdout);
    }

    [Theory]
    [MemberData(nameof(CommandNames))]
    public void UnknownOption_OfEveryCommand_IsWrongUsageAndSuggestsNearest(string command) =>
        Assert.Contains("Did you mean '--json'?", CliProcess.Run([command, "--jsn"]).UsageLine);

    [Fact]
    public void UnknownCommand_SuggestsNearest() => Assert.Contains("Did you mean 'devices'?", CliProcess.Run(["devics"]).UsageLine);

    [Fact]
    public void UnknownCommand_NothingNear_PointsToHelp()
    {
        string line = CliProcess.Run(["xylophone"]).UsageLine;
        Assert.Contains("xylophone", line);
        Assert.Contains("deblur --help", line);
        Assert.DoesNotContain("Did you mean", line);
    }

    [Theory]
    [InlineData("image", "--show", "heat", "it is confidence or restored.")]
    [InlineData("train", "--loss", "l7", "it is l1 or mse.")]
    public void OptionWithAnUnknownChoice_NamesTheChoicesAndNoTypes(string command, string option, string value, string choices)
    {
        string line = CliProcess.Run([command, "something", option, value, "-o", "m.safetensors"]).UsageLine;
        Assert.Contains($"'{value}'", line, StringComparison.Ordinal);
        Assert.Contains(choices, line, StringComparison.Ordinal);
        Assert.DoesNotContain("RealtimeDeblur", line, StringComparison.Ordinal);
    }

    [Fact]
    public void OptionWithoutItsValue_IsWrongUsage() => Assert.Contains("--device", CliProcess.Run(["devices", "--device"]).UsageLine);

    [Fact]
    public void Devices_Json_IsOneObjectWithDocumentedKeys()
    {
        JsonElement devices = CliProcess.Run(["devices", "--json"]).Json.GetProperty("devices");
        Assert.NotEqual(0, devices.GetArrayLength());
        foreach (JsonElement device in devices.EnumerateArray())
        {
            foreach (string key in (string[])["name", "platform", "type", "driver"]) Assert.NotEqual("", device.GetProperty(key).GetString());
            Assert.InRange(device.GetProperty("computeUnits").GetInt32(), 1, int.MaxValue);
            Assert.InRange(device.GetProperty("memoryBytes").GetInt64(), 1, long.MaxValue);
            foreach (string key in (string[])["supportsFp16", "halfArithmetic", "tensorCores"]) device.GetProperty(key).GetBoolean();
        }
    }

    [Fact]
    public void Devices_AsText_NamesEveryDeviceOfTheJson()
    {
        JsonElement devices = CliProcess.Run(["devices", "--json"]).Json.GetProperty("devices");
        string text = CliProcess.Run(["devices"]).Stdout;
        foreach (JsonElement device in devices.EnumerateArray())
        {
            Assert.Contains(device.GetProperty("name").GetString()!, text);
            Assert.Contains($"announced, {(device.GetProperty("halfArithmetic").GetBoolean() ? "works" : "does not work")}\n   tensor cores   {(device.GetProperty("tensorCores").GetBoolean() ? "work" : "none")}\n", text);
        }
    }

    [Fact]
    public void Devices_UnknownSelector_NamesItAndTheChoices()
    {
        string line = CliProcess.Run(["devices", "--device", "no such device"]).FailureLine;
        Assert.Contains("'no such device'", line);
        Assert.Contains("0: ", line);
    }

    [Theory]
    [InlineData]
    [InlineData("--json")]
    public void Devices_WithoutOpenClDriver_SaysWhatToInstall(params string[] options)
    {
        CliResult result = CliProcess.Run(["devices", .. options], new Dictionary<string, string?> { ["OCL_ICD_VENDORS"] = "/nonexistent" });
        Assert.Contains("pocl-opencl-icd", result.FailureLine);
    }

    [Fact]
    public void Verbose_OnFailure_AddsTheTraceAfterTheLine()
    {
        CliResult result = CliProcess.Run(["devices", "--device", "no such device", "--verbose"]);
        Assert.Equal(1, result.ExitCode);
        Assert.Contains("   at RealtimeDeblur.", result.Stderr);
    }

    [Fact]
    public void Log_OfAFailure_HasTheCommandTheTraceAndTheExitCode()
    {
        using TemporaryFolder folder = new();
        string line = CliProcess.Run(["devices", "--device", "no such device", "--quiet", "--log", folder["log.txt"]]).FailureLine;
        string[] log = File.ReadAllLines(folder["log.txt"]);
        Assert.EndsWith($"Z deblur devices --device no such device --quiet --log {folder["log.txt"]}", log[0], StringComparison.Ordinal);
        Assert.Contains(log, entry => entry.EndsWith(line, StringComparison.Ordinal));
        Assert.Contains(log, entry => entry.StartsWith("       at RealtimeDeblur.", StringComparison.Ordinal));
        Assert.EndsWith("Z Ended with exit code 1.", log[^1], StringComparison.Ordinal);
    }

    [Fact]
    public void Log_WhereNothingCanBeWritten_SaysSo() =>
        Assert.StartsWith("Cannot write the log /nonexistent/log.txt: ", CliProcess.Run(["devices", "--log", "/nonexistent/log.txt"]).FailureLine, StringComparison.Ordinal);
}
