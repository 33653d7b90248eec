using System.Buffers;
using System.Buffers.Binary;
using System.Runtime.InteropServices;
using System.Text.Encodings.Web;
using System.Text.Json;
using RealtimeDeblur.Networks;

namespace RealtimeDeblur.Restoration;

/// <summary>Sizes of the networks of an estimator; what they compute stands in <c>restore/sigma_network.cl</c>.</summary>
/// <param name="Members">Networks whose results are averaged, 1 to 8.</param>
/// <param name="Hidden">Units of the two layers that look at a tile, a multiple of 8 up to 128.</param>
/// <param name="Heads">Attentions, 1 to 32.</param>
/// <param name="Values">Numbers that an attention averages, 1 to 64; with the heads a multiple of 8.</param>
/// <param name="Out">Units of the layer that looks at the frame, a multiple of 8 up to 128.</param>
internal sealed record EstimatorShape(int Members, int Hidden = 32, int Heads = 8, int Values = 16, int Out = 32)
{
    /// <summary>Statistics of a tile, see <c>restore/sigma_features.cl</c>.</summary>
    public const int Features = 30;

    /// <summary>What the outputs predict: quantiles of the level (<see cref="SigmaScale"/>) of frames that look alike.</summary>
    public static IReadOnlyList<float> Quantiles { get; } = [0.15f, 0.3f, 0.4f, 0.5f, 0.85f];

    /// <summary>Names and shapes of all tensors, in the order of the kernel's buffer.</summary>
    public IReadOnlyList<(string Name, int[] Shape)> Tensors =>
    [
        ("feature.mean", [Features]), ("feature.scale", [Features]),
        ("tile1.weight", [Members, Features, Hidden]), ("tile1.bias", [Members, Hidden]),
        ("tile2.weight", [Members, Hidden, Hidden]), ("tile2.bias", [Members, Hidden]),
        ("tile3.weight", [Members, Hidden, Heads + Values]), ("tile3.bias", [Members, Heads + Values]),
        ("out1.weight", [Members, Heads * Values, Out]), ("out1.bias", [Members, Out]),
        ("out2.weight", [Members, Out, Quantiles.Count]), ("out2.bias", [Members, Quantiles.Count]),
    ];

    /// <summary>All numbers.</summary>
    public int Count => Tensors.Sum(tensor => Length(tensor.Shape));

    /// <summary>Multiply-accumulates of the networks for one tile, and once for the frame.</summary>
    public (long PerTile, long PerFrame) MultiplyAccumulates => (
        (long)Members * (Features * Hidden + Hidden * Hidden + Hidden * (Heads + Values) + Heads * Values),
        (long)Members * (Heads * Values * Out + Out * Quantiles.Count));

    /// <summary>Why the sizes are not possible; null where they are.</summary>
    public string? Refusal =>
        Members is < 1 or > 8 ? "members must be 1 to 8"
        : Hidden is < 8 or > 128 || Hidden % 8 != 0 ? "hidden must be a multiple of 8 up to 128"
        : Heads is < 1 or > 32 ? "heads must be 1 to 32"
        : Values is < 1 or > 64 || (Heads + Values) % 8 != 0 ? "values must be 1 to 64, and a multiple of 8 together with heads"
        : Out is < 8 or > 128 || Out % 8 != 0 ? "out must be a multiple of 8 up to 128"
        : null;

    /// <summary>Macros for <c>restore/sigma_network.cl</c>.</summary>
    public string Macros => $"-DMEMBERS={Members} -DHIDDEN={Hidden} -DHEADS={Heads} -DVALUES={Values} -DOUT={Out}";

    public static int Length(int[] shape) => shape.Aggregate(1, (product, size) => product * size);
}

/// <summary>What a <see cref="SigmaEstimator"/> has learned. Immutable.</summary>
/// <remarks>
/// One <c>.safetensors</c> file, as <see cref="WeightsFile"/> describes the format. In its metadata <c>format</c> is <see cref="Format"/>, <c>shape</c> holds the sizes as JSON, and all other pairs
/// are the record of the training. Nothing of a file is believed before it is checked.
/// </remarks>
internal sealed class EstimatorWeights
{
    /// <summary>Value of the metadata key <c>format</c>. The number changes when an older reader would misread the file, and when the statistics that the weights were learned from change.</summary>
    public const string Format = "realtimedeblur-estimator/1";

    private const string MetadataKey = "__metadata__", FormatKey = "format", ShapeKey = "shape", ShippedFolder = "estimator/sigma-";

    /// <param name="shape">Sizes.</param>
    /// <param name="values">All tensors one after another, see <see cref="EstimatorShape.Tensors"/>. Takes ownership.</param>
    /// <param name="trainingRecord">Free text pairs for the file's metadata.</param>
    internal EstimatorWeights(EstimatorShape shape, float[] values, IReadOnlyDictionary<string, string> trainingRecord)
    {
        if (shape.Refusal is { } refusal) throw new ArgumentException($"These sizes of an estimator are not possible: {refusal}.", nameof(shape));
        if (values.Length != shape.Count) throw new ArgumentException($"{values.Length} numbers for an estimator of {shape.Count}.", nameof(values));
        (Shape, Values, TrainingRecord) = (shape, values, trainingRecord);
    }

    /// <summary>How the weights came to be: data, degradation, seed, figures.</summary>
    public IReadOnlyDictionary<string, string> TrainingRecord { get; }

    internal EstimatorShape Shape { get; }

    internal float[] Values { get; }

    /// <summary>Reads weights.</summary>
    /// <param name="nameOrPath">A shipped name, <c>gaussian</c> or <c>camera</c>, or the path of a <c>.safetensors</c> file.</param>
    /// <exception cref="FileNotFoundException">There is neither.</exception>
    /// <exception cref="InvalidDataException">The file is damaged or holds something else; the message says what was expected and found.</exception>
    /// <exception cref="IOException">The file cannot be read.</exception>
    public static EstimatorWeights Load(string nameOrPath)
    {
        if (nameOrPath.Length == 0) throw new ArgumentException("The name of the estimator is empty.", nameof(nameOrPath));
        using (Stream? shipped = ModelCatalog.OpenShipped(ShippedFolder + nameOrPath))
        {
            if (shipped is not null) return Read(shipped, nameOrPath);
        }
        if (!File.Exists(nameOrPath))
            throw new FileNotFoundException($"There are no weights of an estimator '{nameOrPath}': give a name that ships (gaussian, camera), or the path of a {WeightsFile.Extension} file such as `deblur train-estimator` makes.");
        try
        {
            using FileStream stream = File.OpenRead(nameOrPath);
            return Read(stream, Path.GetFileName(nameOrPath));
        }
        catch (UnauthorizedAccessException e)
        {
            throw new IOException($"Cannot read {nameOrPath}: no permission.", e);
        }
    }

    /// <summary>Writes the weights. The file appears complete or not at all.</summary>
    /// <param name="path">Replaced where it exists.</param>
    /// <exception cref="IOException">The file cannot be written.</exception>
    public void Write(string path)
    {
        byte[] header = EncodeHeader();
        AtomicFile.Write(path, stream =>
        {
            Span<byte> length = stackalloc byte[sizeof(ulong)];
            BinaryPrimitives.WriteUInt64LittleEndian(length, (ulong)header.Length);
            stream.Write(length);
            stream.Write(header);
            stream.Write(MemoryMarshal.AsBytes<float>(Values));
        });
    }

    internal static EstimatorWeights Read(Stream stream, string name)
    {
        using JsonDocument header = WeightsFile.ReadHeader(stream, name);
        try
        {
            (EstimatorShape shape, Dictionary<string, string> record) = ReadMetadata(header.RootElement, name);
            CheckTensors(header.RootElement, shape, stream.Length - stream.Position, name);
            float[] values = new float[shape.Count];
            stream.ReadExactly(MemoryMarshal.AsBytes(values.AsSpan()));
            if (!Array.TrueForAll(values, float.IsFinite)) throw new InvalidDataException($"{name} holds weights that are not finite numbers; the file is damaged.");
            return new(shape, values, record);
        }
        catch (InvalidOperationException e)     // JsonElement's answer to text that is no Unicode
        {
            throw new InvalidDataException($"{name}: the header has text that is not valid Unicode; the file is damaged.", e);
        }
    }

    private static (EstimatorShape Shape, Dictionary<string, string> Record) ReadMetadata(JsonElement header, string name)
    {
        Dictionary<string, string> record = [];
        if (header.TryGetProperty(MetadataKey, out JsonElement metadata))
        {
            if (metadata.ValueKind != JsonValueKind.Object) throw new InvalidDataException($"{name}: {MetadataKey} is not a JSON object; the file is damaged.");
            foreach (JsonProperty pair in metadata.EnumerateObject())
            {
                if (pair.Value.ValueKind != JsonValueKind.String) throw new InvalidDataException($"{name}: a value in {MetadataKey} is not a string; the file is damaged.");
                record.Add(pair.Name, pair.Value.GetString()!);
            }
        }
        if (!record.Remove(FormatKey, out string? format) || format != Format)
            throw new InvalidDataException($"{name} has {(format is null ? "no format" : $"format '{WeightsFile.Printable(format)}'")}, the estimator of sigma needs '{Format}'; `deblur train-estimator` makes such a file.");
        if (!record.Remove(ShapeKey, out string? text)) throw new InvalidDataException($"{name}: there is no '{ShapeKey}' in {MetadataKey}; the file is damaged.");
        try
        {
            using JsonDocument sizes = JsonDocument.Parse(text);
            EstimatorShape shape = new(Size("members"), Size("hidden"), Size("heads"), Size("values"), Size("out"));
            return shape.Refusal is null ? (shape, record) : throw new InvalidDataException($"{name}: of the estimator's sizes {shape.Refusal}; the file is damaged.");

            int Size(string key) => sizes.RootElement.TryGetProperty(key, out JsonElement value) && value.ValueKind == JsonValueKind.Number && value.TryGetInt32(out int size) ? size
                : throw new InvalidDataException($"{name}: '{ShapeKey}' lacks the number '{key}'; the file is damaged.");
        }
        catch (Exception e) when (e is JsonException or InvalidOperationException)
        {
            throw new InvalidDataException($"{name}: '{ShapeKey}' is not a JSON object; the file is damaged.", e);
        }
    }

    /// <summary>Every tensor must be there, and lie where <see cref="Write"/> puts it.</summary>
    private static void CheckTensors(JsonElement header, EstimatorShape shape, long dataBytes, string name)
    {
        long offset = 0;
        int found = header.EnumerateObject().Count(entry => entry.Name != MetadataKey);
        if (found != shape.Tensors.Count) throw new InvalidDataException($"{name} has {found} tensors, the estimator needs {shape.Tensors.Count}.");
        foreach ((string tensor, int[] expected) in shape.Tensors)
        {
            if (!header.TryGetProperty(tensor, out JsonElement entry)) throw new InvalidDataException($"{name}: tensor '{tensor}' is missing.");
            if (entry.ValueKind != JsonValueKind.Object || !entry.TryGetProperty("dtype", out JsonElement dtype) || dtype.ValueKind != JsonValueKind.String || !dtype.ValueEquals("F32")
                || !WeightsFile.TryReadIntegers(entry, "shape", maxLength: 8, out List<long> actual) || !WeightsFile.TryReadIntegers(entry, "data_offsets", maxLength: 2, out List<long> offsets) || offsets.Count != 2)
                throw new InvalidDataException($"{name}: tensor '{tensor}' is not of type F32 with a readable shape and data_offsets; the file is damaged.");
            if (!actual.SequenceEqual(expected.Select(size => (long)size)))
                throw new InvalidDataException($"{name}: tensor '{tensor}' has shape {string.Join('x', actual)}, the estimator needs {string.Join('x', expected)}.");
            long end = offset + sizeof(float) * EstimatorShape.Length(expected);
            if (offsets[0] != offset || offsets[1] != end) throw new InvalidDataException($"{name}: tensor '{tensor}' lies at bytes {offsets[0]} to {offsets[1]}, {offset} to {end} was expected; the file is damaged.");
            offset = end;
        }
        if (offset != dataBytes) throw new InvalidDataException($"{name} has {dataBytes:N0} bytes of data, the estimator needs {offset:N0}; the file is {(dataBytes < offset ? "cut short" : "damaged")}.");
    }

    private byte[] EncodeHeader()
    {
        if (!Array.TrueForAll(Values, float.IsFinite)) throw new InvalidDataException("The estimator has weights that are not finite, so nothing is written; train it with another seed.");
        ArrayBufferWriter<byte> utf8 = new();
        using (Utf8JsonWriter json = new(utf8, new JsonWriterOptions { Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping }))
        {
            json.WriteStartObject();
            json.WriteStartObject(MetadataKey);
            json.WriteString(FormatKey, Format);
            json.WriteString(ShapeKey, $$"""{"members":{{Shape.Members}},"hidden":{{Shape.Hidden}},"heads":{{Shape.Heads}},"values":{{Shape.Values}},"out":{{Shape.Out}}}""");
            foreach ((string key, string value) in TrainingRecord) json.WriteString(key, value);
            json.WriteEndObject();
            long offset = 0;
            foreach ((string tensor, int[] shape) in Shape.Tensors) WeightsFile.WriteTensor(json, tensor, shape, ref offset);
            json.WriteEndObject();
        }
        byte[] header = new byte[(utf8.WrittenCount + sizeof(ulong) - 1) / sizeof(ulong) * sizeof(ulong)];
        utf8.WrittenSpan.CopyTo(header);
        header.AsSpan(utf8.WrittenCount).Fill((byte)' ');
        return header;
    }
}
