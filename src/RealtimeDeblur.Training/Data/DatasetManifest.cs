using System.Text.Json;
using System.Text.Json.Serialization;

namespace RealtimeDeblur.Training.Data;

/// <summary>A file of a dataset: where it is below the dataset's folder, and what must be in it.</summary>
internal sealed record DatasetFile(string File, long Bytes, string Sha256);

/// <summary>One blurred version of a picture.</summary>
internal sealed record DatasetPair(DatasetFile Blurred, Degradation Degradation);

/// <summary>One sharp picture and its blurred versions.</summary>
/// <param name="Source">Path below the folder of sharp pictures.</param>
/// <param name="SourceSha256">Hash of the source file, so that a changed source is noticed.</param>
/// <param name="Width">Columns.</param>
/// <param name="Height">Rows.</param>
/// <param name="Split">Side of the split.</param>
/// <param name="Sharp">The picture as stored.</param>
/// <param name="Pairs">Its blurred versions.</param>
internal sealed record DatasetPicture(string Source, string SourceSha256, int Width, int Height, DatasetSplit Split, DatasetFile Sharp, IReadOnlyList<DatasetPair> Pairs);

/// <summary>A picture that did not go into a dataset.</summary>
internal sealed record SkippedPicture(string Source, string Reason);

/// <summary>The settings that decide what is in a dataset; a dataset is only ever continued with its own.</summary>
/// <param name="Degradation">Kind of degradation.</param>
/// <param name="Sigma">Choice of sigmas as <see cref="SigmaChoice.Parse"/> reads it.</param>
/// <param name="PairsPerPicture">Blurred versions of each picture.</param>
/// <param name="Seed">Seed of every random choice.</param>
/// <param name="ValidationShare">Share of the pictures set aside for validation.</param>
internal sealed record DatasetSettings(DegradationKind Degradation, string Sigma, int PairsPerPicture, ulong Seed, double ValidationShare);

/// <summary>Everything about a dataset but its pixels: <c>manifest.json</c> in its folder.</summary>
/// <param name="Format">Names the kind of file.</param>
/// <param name="Version">Version of the kind of file.</param>
/// <param name="Tool">Program and version that made the dataset.</param>
/// <param name="Settings">Its settings.</param>
/// <param name="Pictures">Its pictures by source.</param>
/// <param name="Skipped">Pictures of the source folder that are not in it.</param>
internal sealed record DatasetManifest(
    string Format, int Version, string Tool, DatasetSettings Settings, IReadOnlyList<DatasetPicture> Pictures, IReadOnlyList<SkippedPicture> Skipped)
{
    public const string FileName = "manifest.json";
    internal const string FormatName = "realtimedeblur-dataset";
    internal const int CurrentVersion = 1;

    internal static JsonSerializerOptions Indented { get; } = Options(indented: true);

    /// <summary>One object per line, for the journal of a run.</summary>
    internal static JsonSerializerOptions Line { get; } = Options(indented: false);

    /// <exception cref="InvalidDataException">The file is no manifest.</exception>
    internal static DatasetManifest Read(string path)
    {
        DatasetManifest? manifest = null;
        try
        {
            manifest = JsonSerializer.Deserialize<DatasetManifest>(File.ReadAllBytes(path), Indented);
        }
        catch (JsonException)
        {
        }
        if (manifest is not { Format: FormatName, Version: CurrentVersion })
            throw new InvalidDataException($"{path} is not the manifest of a dataset that this program made. Choose another folder for the dataset, or remove that file.");
        return manifest;
    }

    private static JsonSerializerOptions Options(bool indented) => new(JsonSerializerDefaults.Web)
    {
        WriteIndented = indented,
        DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull,
        Converters = { new JsonStringEnumConverter(JsonNamingPolicy.CamelCase) },
        RespectRequiredConstructorParameters = true,
        RespectNullableAnnotations = true,
        Encoder = System.Text.Encodings.Web.JavaScriptEncoder.UnsafeRelaxedJsonEscaping,
    };
}
