using System.Text.Json;
using RealtimeDeblur.Networks;
using RealtimeDeblur.Tests.Networks;
using Xunit;

namespace RealtimeDeblur.Tests.Cli;

public sealed class BenchCommandTests : IDisposable
{
    private readonly string _folder = Directory.CreateTempSubdirectory("bench-").FullName;

    public void Dispose() => Directory.Delete(_folder, recursive: true);

    [Fact]
    public void Bench_ModelAndSizes_MeasuresEach()
    {
        TestDevice.SkipWithoutDevice();
        string model = Path.Combine(_folder, "soft.safetensors");
        WeightsFile.Write(model, RandomNetwork.Create(NetworkDescription.Dbcnn(C: 3, f1: 3, n1: 16, n2: 16, f3: 3), seed: 1));
        JsonElement json = CliProcess.Run(["bench", "--model", model, "--size", "64x80,96x64", "--json"]).Json;

        Assert.NotEqual("", json.GetProperty("device").GetString());
        Assert.True(json.GetProperty("fmaPeakGmacPerSecond").GetDouble() > 0);
        JsonElement[] rows = [.. json.GetProperty("results").EnumerateArray()];
        Assert.Equal([(64, 80), (96, 64)], rows.Select(row => (row.GetProperty("width").GetInt32(), row.GetProperty("height").GetInt32())));
        foreach (JsonElement row in rows)
        {
            Assert.Equal("soft", row.GetProperty("model").GetString());
            Assert.Equal(3 * 9 * 16 + 16 * 16 + 16 * 9 * 3, row.GetProperty("macPerPixel").GetInt32());
            Assert.True(row.GetProperty("deviceMs").GetDouble() > 0);
            Assert.InRange(row.GetProperty("p99Ms").GetDouble(), row.GetProperty("medianMs").GetDouble(), double.MaxValue);
            Assert.True(row.GetProperty("framesPerSecond").GetDouble() > 0);
            Assert.True(row.GetProperty("shareOfPeak").GetDouble() > 0);
        }
    }

    [Theory]
    [InlineData("1280")]
    [InlineData("640x48")]
    [InlineData("640x480,-1x64")]
    public void Bench_SizeThatIsNone_IsWrongUsage(string size) =>
        Assert.Contains("such as 640x480,1280x720", CliProcess.Run(["bench", $"--size={size}"]).UsageLine, StringComparison.Ordinal);

    [Fact]
    public void Bench_UnknownModel_FailsWithItsName() =>
        Assert.StartsWith("There is no model 'nosuch'", CliProcess.Run(["bench", "--model", "nosuch"]).FailureLine, StringComparison.Ordinal);
}
