using System.Text.Json;
using RealtimeDeblur.Preview;

namespace RealtimeDeblur.Cli.Live;

/// <summary>What the window remembers from one run to the next: <c>realtimedeblur/live.json</c> in the user's configuration folder. A file that cannot be read or written does no harm.</summary>
internal static class LiveSettings
{
    private static readonly JsonSerializerOptions Format = new() { PropertyNamingPolicy = JsonNamingPolicy.CamelCase, WriteIndented = true };

    private static string? File => Environment.GetFolderPath(Environment.SpecialFolder.ApplicationData, Environment.SpecialFolderOption.DoNotVerify) is { Length: > 0 } folder
        ? Path.Combine(folder, "realtimedeblur", "live.json") : null;

    public static PreviewView Load()
    {
        try
        {
            return File is { } file && System.IO.File.Exists(file) ? JsonSerializer.Deserialize<PreviewView>(System.IO.File.ReadAllBytes(file), Format) ?? new() : new();
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException or JsonException)
        {
            return new();
        }
    }

    public static void Save(PreviewView view)
    {
        if (File is not { } file) return;
        string temporary = $"{file}.{Environment.ProcessId}.tmp";
        try
        {
            Directory.CreateDirectory(Path.GetDirectoryName(file)!);
            System.IO.File.WriteAllBytes(temporary, JsonSerializer.SerializeToUtf8Bytes(view, Format));
            System.IO.File.Move(temporary, file, overwrite: true);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            // The next run begins with the defaults.
        }
    }
}
