using System.Buffers;
using System.IO.Hashing;
using System.Text;
using System.Text.Json;
using RealtimeDeblur.Compute;

namespace RealtimeDeblur.Networks;

/// <summary>
/// Plans that were measured to be the fastest, one file per device and driver: <c>{"device":..., "driver":..., "plans":[{"network":..., "W":..., "H":..., "plan":..., "deviceMs":...}, ...]}</c>.
/// Nothing here is ever fatal: what cannot be read is as if it were not there.
/// </summary>
/// <param name="folder">Where the files lie; made on first use. Null keeps nothing.</param>
internal sealed class TuningFile(string? folder)
{
    /// <summary>Below the user's cache folder, or nowhere when there is none.</summary>
    public static TuningFile Default { get; } = new(CacheFolder.Below("tuning"));

    /// <summary>The plan that was fastest for this shape of network on this device; for a size that was not measured, that of the one with the nearest number of pixels.</summary>
    public InferencePlan? Find(DeviceInfo device, NetworkDescription description, int W, int H)
    {
        string network = ShapeOf(description);
        Entry? nearest = Read(device).Where(entry => entry.Network == network)
            .OrderBy(entry => entry.W == W && entry.H == H ? 0 : 1).ThenBy(entry => Math.Abs(Math.Log((double)entry.W * entry.H / ((double)W * H)))).FirstOrDefault();
        try
        {
            return nearest is null ? null : InferencePlan.Parse(nearest.Plan);
        }
        catch (FormatException)
        {
            return null;
        }
    }

    /// <summary>Stores a plan in the place of an earlier one for the same network and size.</summary>
    /// <exception cref="IOException">The file cannot be written.</exception>
    public string? Write(DeviceInfo device, NetworkDescription description, int W, int H, InferencePlan plan, double deviceMs)
    {
        if (folder is null) return null;
        var entry = new Entry(ShapeOf(description), W, H, plan.ToString(), deviceMs);
        Entry[] entries = [.. Read(device).Where(other => (other.Network, other.W, other.H) != (entry.Network, W, H)), entry];
        ArrayBufferWriter<byte> utf8 = new();
        using (Utf8JsonWriter json = new(utf8, new JsonWriterOptions { Indented = true }))
        {
            json.WriteStartObject();
            json.WriteString("device", device.Name);
            json.WriteString("driver", device.Driver);
            json.WriteStartArray("plans");
            foreach (Entry one in entries)
            {
                json.WriteStartObject();
                json.WriteString("network", one.Network);
                json.WriteNumber("W", one.W);
                json.WriteNumber("H", one.H);
                json.WriteString("plan", one.Plan);
                json.WriteNumber("deviceMs", one.DeviceMs);
                json.WriteEndObject();
            }
            json.WriteEndArray();
            json.WriteEndObject();
        }
        Directory.CreateDirectory(folder);
        string path = PathOf(device);
        AtomicFile.Write(path, stream => stream.Write(utf8.WrittenSpan));
        return path;
    }

    private Entry[] Read(DeviceInfo device)
    {
        if (folder is null) return [];
        try
        {
            using JsonDocument document = JsonDocument.Parse(File.ReadAllBytes(PathOf(device)));
            return [.. document.RootElement.GetProperty("plans").EnumerateArray().Select(one => new Entry(
                one.GetProperty("network").GetString()!, one.GetProperty("W").GetInt32(), one.GetProperty("H").GetInt32(), one.GetProperty("plan").GetString()!, one.GetProperty("deviceMs").GetDouble()))];
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException or JsonException or KeyNotFoundException or InvalidOperationException or FormatException)
        {
            return [];
        }
    }

    /// <summary>Names the shape of a network: its layers, not its weights, nor at how many sigmas it has some.</summary>
    private static string ShapeOf(NetworkDescription description) =>
        $"{description.Architecture} {Convert.ToHexStringLower(XxHash128.Hash(Encoding.UTF8.GetBytes(DescriptionJson.Write(description.WithSigmaKnots([])))))[..16]}";

    private string PathOf(DeviceInfo device) =>
        Path.Combine(folder!, Convert.ToHexStringLower(XxHash128.Hash(Encoding.UTF8.GetBytes(string.Join('\0', device.Platform, device.Name, device.Driver))))[..16] + ".json");

    private sealed record Entry(string Network, int W, int H, string Plan, double DeviceMs);
}
