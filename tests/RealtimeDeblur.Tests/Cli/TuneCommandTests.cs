using System.Text.Json;
using RealtimeDeblur.Networks;
using RealtimeDeblur.Tests.Networks;
using Xunit;

namespace RealtimeDeblur.Tests.Cli;

public sealed class TuneCommandTests : IDisposable
{
    private readonly string _folder = Directory.CreateTempSubdirectory("tune-").FullName;

    public void Dispose() => Directory.Delete(_folder, recursive: true);

    [Fact]
    public void Tune_Model_RemembersTheFastestPlanForBench()
    {
        TestDevice.SkipWithoutDevice();
        string model = Path.Combine(_folder, "soft.safetensors");
        WeightsFile.Write(model, RandomNetwork.Create(NetworkDescription.HalfResolution(maps: 8, hidden: 0), seed: 1));
        Dictionary<string, string?> ownCache = new() { ["XDG_CACHE_HOME"] = _folder };
        JsonElement tuned = CliProcess.Run(["tune", "--model", model, "--size", "70x64", "--json"], ownCache).Json;

        Assert.True(File.Exists(tuned.GetProperty("file").GetString()));
        JsonElement[] rows = [.. tuned.GetProperty("results").EnumerateArray()];
        Assert.True(rows.Length > 1);
        Assert.Single(rows, row => row.GetProperty("isDefault").GetBoolean());
        JsonElement fastest = Assert.Single(rows, row => row.GetProperty("isFastest").GetBoolean());
        Assert.Equal(rows[0], fastest);
        foreach (JsonElement row in rows)
        {
            Assert.Equal(("soft", 70, 64), (row.GetProperty("model").GetString(), row.GetProperty("width").GetInt32(), row.GetProperty("height").GetInt32()));
            Assert.Equal(JsonValueKind.Null, row.GetProperty("refusal").ValueKind);
            Assert.InRange(row.GetProperty("error").GetDouble(), 0, PlanTuner.Tolerance);
            Assert.True(row.GetProperty("deviceMs").GetDouble() > 0);
        }

        JsonElement bench = CliProcess.Run(["bench", "--model", model, "--size", "70x64", "--json"], ownCache).Json;
        Assert.Equal(fastest.GetProperty("plan").GetString(), bench.GetProperty("results")[0].GetProperty("plan").GetString());
    }

    [Fact]
    public void Tune_UnknownModel_FailsWithItsName() =>
        Assert.StartsWith("There is no model 'nosuch'", CliProcess.Run(["tune", "--model", "nosuch"]).FailureLine, StringComparison.Ordinal);
}
