using System.Buffers;
using System.Buffers.Binary;
using System.Runtime.InteropServices;
using System.Text.Encodings.Web;
using System.Text.Json;

namespace RealtimeDeblur.Networks;

/// <summary>Reads and writes a network as one <c>.safetensors</c> file: shape, weights and training record together.</summary>
/// <remarks>
/// The format (github.com/huggingface/safetensors): 8 bytes of header length, little-endian; the header, JSON padded with spaces
/// to a multiple of 8; then the tensors, float32, little-endian, without gaps. The header maps each tensor's name to its <c>dtype</c>, <c>shape</c> and
/// <c>data_offsets</c>, and <c>__metadata__</c> to pairs of strings. Of these, <c>format</c> is <see cref="Format"/>, <see cref="GraphFormat"/> or <see cref="ConditionedFormat"/>, <c>description</c>
/// holds the network's shape as JSON, and every other pair belongs to <see cref="Network.TrainingRecord"/>. A layer has two tensors, <c>NAME.weight</c> [K][C][Size][Size] and <c>NAME.bias</c> [K].
/// <para>
/// In a network conditioned on sigma the description has <c>sigmaKnots</c>, and a dimension for the knots comes first in every tensor: <c>NAME.weight</c> [knots][K][C][Size][Size], <c>NAME.bias</c> [knots][K].
/// Each network has the lowest format number that its readers need: those of an earlier one then say that they are too old instead of misreading the file.
/// </para>
/// <para>
/// A file may come from anywhere, so nothing is believed before it is checked: sizes against the real length of the file ahead of
/// any allocation, names and shapes against the description, values for being finite.
/// </para>
/// </remarks>
internal static class WeightsFile
{
    /// <summary>Ending of the files.</summary>
    public const string Extension = ".safetensors";

    /// <summary>Value of the metadata key <c>format</c>: our name and the number that changes when an older reader would misread the file.</summary>
    public const string Format = "realtimedeblur/1";

    /// <summary>Value of <c>format</c> where the network has what readers of the first did not know: a scale, or layers that read or add other tensors than the one before.</summary>
    public const string GraphFormat = "realtimedeblur/2";

    /// <summary>Value of <c>format</c> where the weights depend on sigma.</summary>
    public const string ConditionedFormat = "realtimedeblur/3";

    /// <summary>Largest header accepted. The largest description takes some 20 KiB of it; the rest is for the training record.</summary>
    public const int MaxHeaderBytes = 1 << 20;

    private const string MetadataKey = "__metadata__";
    private const string FormatKey = "format";
    private const string DescriptionKey = "description";

    /// <summary>Reads the network in a file.</summary>
    /// <param name="path">A <c>.safetensors</c> file. Its name without the ending becomes the network's.</param>
    /// <exception cref="InvalidDataException">The file is damaged or holds something else; the message says what was expected and found.</exception>
    /// <exception cref="IOException">The file cannot be read.</exception>
    public static Network Read(string path)
    {
        using FileStream stream = File.OpenRead(path);
        return Read(stream, Path.GetFileName(path));
    }

    /// <summary>Reads the network in a stream, from its position to its end.</summary>
    /// <param name="stream">Must be able to seek, because its length is what the header is checked against. Stays open.</param>
    /// <param name="name">File name for messages; without the ending it becomes the network's.</param>
    /// <inheritdoc cref="Read(string)" path="/exception"/>
    public static Network Read(Stream stream, string name)
    {
        if (!stream.CanSeek) throw new ArgumentException($"{name} is a pipe or a device; a network is read from a file.");
        using JsonDocument header = ReadHeader(stream, name);
        try
        {
            (NetworkDescription description, Dictionary<string, string> record) = ReadMetadata(header.RootElement, name);
            List<Tensor> tensors = LocateTensors(header.RootElement, description, stream.Length - stream.Position, name);
            return ReadTensors(stream, tensors, description, record, name);
        }
        catch (InvalidOperationException e)     // JsonElement's answer to text that is no Unicode
        {
            throw new InvalidDataException($"{name}: the header has text that is not valid Unicode; the file is damaged.", e);
        }
    }

    /// <summary>Writes a network. The file appears complete or not at all.</summary>
    /// <param name="path">Replaced where it exists.</param>
    /// <param name="network">Its weights must be finite.</param>
    /// <exception cref="InvalidDataException">A weight is not finite, or the training record is too long or uses a key of the format.</exception>
    /// <exception cref="IOException">The file cannot be written.</exception>
    public static void Write(string path, Network network)
    {
        CheckFinite(network);
        byte[] header = EncodeHeader(network);
        AtomicFile.Write(path, stream =>
        {
            Span<byte> length = stackalloc byte[sizeof(ulong)];
            BinaryPrimitives.WriteUInt64LittleEndian(length, (ulong)header.Length);
            stream.Write(length);
            stream.Write(header);
            foreach (LayerWeights layer in network.Weights)
            {
                stream.Write(MemoryMarshal.AsBytes<float>(layer.Weight));
                stream.Write(MemoryMarshal.AsBytes<float>(layer.Bias));
            }
        });
    }

    /// <summary>A tensor of the file, found to be what the description asks for.</summary>
    /// <param name="Layer">Index of its layer.</param>
    /// <param name="IsBias">Bias or weight of the layer.</param>
    /// <param name="Name">Name in the file.</param>
    /// <param name="Begin">Its first byte, counted from the end of the header.</param>
    private sealed record Tensor(int Layer, bool IsBias, string Name, long Begin);

    internal static JsonDocument ReadHeader(Stream stream, string name)
    {
        long available = stream.Length - stream.Position;
        if (available < sizeof(ulong)) throw new InvalidDataException($"{name} has {available} bytes, too few for a {Extension} file.");
        Span<byte> prefix = stackalloc byte[sizeof(ulong)];
        stream.ReadExactly(prefix);
        available -= sizeof(ulong);
        ulong length = BinaryPrimitives.ReadUInt64LittleEndian(prefix);
        if (length > MaxHeaderBytes) throw new InvalidDataException($"{name}: the header would have {length:N0} bytes, {MaxHeaderBytes:N0} are possible; this is no {Extension} file of a network.");
        if (length > (ulong)available) throw new InvalidDataException($"{name}: the header has {length:N0} bytes, {available:N0} follow; the file is cut short.");
        byte[] header = new byte[length];
        stream.ReadExactly(header);
        try
        {
            JsonDocument document = JsonDocument.Parse(header, new JsonDocumentOptions { AllowDuplicateProperties = false });
            if (document.RootElement.ValueKind == JsonValueKind.Object) return document;
            document.Dispose();
            throw new InvalidDataException($"{name}: the header is not a JSON object; the file is damaged.");
        }
        catch (Exception e) when (e is JsonException or InvalidOperationException)
        {
            throw new InvalidDataException($"{name}: the header is not valid JSON, or names something twice; the file is damaged.", e);
        }
    }

    private static (NetworkDescription Description, Dictionary<string, string> Record) ReadMetadata(JsonElement header, string name)
    {
        Dictionary<string, string> record = [];
        if (header.TryGetProperty(MetadataKey, out JsonElement metadata))
        {
            if (metadata.ValueKind != JsonValueKind.Object) throw new InvalidDataException($"{name}: {MetadataKey} is not a JSON object; the file is damaged.");
            foreach (JsonProperty pair in metadata.EnumerateObject())
            {
                if (pair.Value.ValueKind != JsonValueKind.String) throw new InvalidDataException($"{name}: '{Printable(pair.Name)}' in {MetadataKey} is not a string; the file is damaged.");
                record.Add(pair.Name, pair.Value.GetString()!);
            }
        }
        if (!record.Remove(FormatKey, out string? format) || !format.StartsWith("realtimedeblur/", StringComparison.Ordinal))
            throw new InvalidDataException($"{name} holds tensors but no network of RealtimeDeblur (no '{FormatKey}' of '{Format}' in {MetadataKey}); `deblur train` makes one.");
        if (format is not (Format or GraphFormat or ConditionedFormat))
            throw new InvalidDataException($"{name} has format '{Printable(format)}', this version reads '{Format}' to '{ConditionedFormat}'; update RealtimeDeblur.");
        if (!record.Remove(DescriptionKey, out string? description))
            throw new InvalidDataException($"{name}: there is no '{DescriptionKey}' in {MetadataKey}; the file is damaged.");
        try
        {
            return (DescriptionJson.Parse(description), record);
        }
        catch (JsonException e)
        {
            throw new InvalidDataException($"{name}: the network's description is not valid JSON; the file is damaged.", e);
        }
        catch (FormatException e)
        {
            throw new InvalidDataException($"{name}: in the network's description {e.Message}; the file is damaged.", e);
        }
        catch (ArgumentException e)
        {
            string reason = e.Message.Replace($" (Parameter '{e.ParamName}')", "", StringComparison.Ordinal);
            throw new InvalidDataException($"{name}: {reason}", e);
        }
    }

    /// <summary>Checks every entry of the header against the description and the bytes that follow it.</summary>
    /// <returns>The tensors in the order of their data.</returns>
    private static List<Tensor> LocateTensors(JsonElement header, NetworkDescription description, long dataBytes, string name)
    {
        List<(Tensor Tensor, long End)> found = [];
        for (int i = 0; i < description.Layers.Count; i++)
        {
            ConvolutionLayer layer = description.Layers[i];
            Locate(i, isBias: false, $"{layer.Name}.weight", $"layer '{layer.Name}'", WeightShape(description, layer));
            Locate(i, isBias: true, $"{layer.Name}.bias", $"the bias of layer '{layer.Name}'", BiasShape(description, layer));
        }
        foreach (JsonProperty entry in header.EnumerateObject())
        {
            if (entry.Name != MetadataKey && !found.Exists(f => f.Tensor.Name == entry.Name))
                throw new InvalidDataException($"{name}: tensor '{Printable(entry.Name)}' belongs to no layer of the network.");
        }
        found.Sort((a, b) => a.Tensor.Begin.CompareTo(b.Tensor.Begin));
        long expected = 0;
        foreach ((Tensor tensor, long end) in found)
        {
            if (tensor.Begin != expected) throw new InvalidDataException($"{name}: tensor '{tensor.Name}' begins at byte {tensor.Begin:N0} of the data, {expected:N0} was expected; the file is damaged.");
            expected = end;
        }
        if (expected != dataBytes) throw new InvalidDataException($"{name} has {dataBytes:N0} bytes of data, the network needs {expected:N0}; the file is {(dataBytes < expected ? "cut short" : "damaged")}.");
        return found.ConvertAll(f => f.Tensor);

        void Locate(int layer, bool isBias, string tensorName, string what, ReadOnlySpan<int> shape)
        {
            if (!header.TryGetProperty(tensorName, out JsonElement entry)) throw new InvalidDataException($"{name}: {what} is missing, the network needs a tensor '{tensorName}'.");
            if (entry.ValueKind != JsonValueKind.Object
                || !entry.TryGetProperty("dtype", out JsonElement dtype) || dtype.ValueKind != JsonValueKind.String
                || !TryReadIntegers(entry, "shape", maxLength: 8, out List<long> actual)
                || !TryReadIntegers(entry, "data_offsets", maxLength: 2, out List<long> offsets) || offsets.Count != 2)
                throw new InvalidDataException($"{name}: tensor '{tensorName}' lacks a readable dtype, shape or data_offsets; the file is damaged.");
            if (!dtype.ValueEquals("F32")) throw new InvalidDataException($"{name}: {what} has values of type {Printable(dtype.GetString()!)}, the network needs F32.");
            long bytes = sizeof(float);
            bool same = actual.Count == shape.Length;
            for (int i = 0; i < shape.Length; i++)
            {
                same = same && actual[i] == shape[i];
                bytes *= shape[i];
            }
            if (!same) throw new InvalidDataException($"{name}: {what} has shape {string.Join('x', actual)}, the network needs {string.Join('x', shape.ToArray())}.");
            (long begin, long end) = (offsets[0], offsets[1]);
            if (begin < 0 || begin > long.MaxValue - bytes || end != begin + bytes)
                throw new InvalidDataException($"{name}: tensor '{tensorName}' has data_offsets {begin} to {end}, its shape needs {bytes:N0} bytes; the file is damaged.");
            found.Add((new Tensor(layer, isBias, tensorName, begin), end));
        }
    }

    internal static bool TryReadIntegers(JsonElement entry, string key, int maxLength, out List<long> values)
    {
        values = [];
        if (!entry.TryGetProperty(key, out JsonElement array) || array.ValueKind != JsonValueKind.Array || array.GetArrayLength() > maxLength) return false;
        foreach (JsonElement element in array.EnumerateArray())
        {
            if (element.ValueKind != JsonValueKind.Number || !element.TryGetInt64(out long value)) return false;
            values.Add(value);
        }
        return true;
    }

    private static Network ReadTensors(Stream stream, List<Tensor> tensors, NetworkDescription description, Dictionary<string, string> record, string name)
    {
        var weights = new float[description.Layers.Count][];
        var biases = new float[description.Layers.Count][];
        foreach (Tensor tensor in tensors)
        {
            ConvolutionLayer layer = description.Layers[tensor.Layer];
            float[] values = new float[(tensor.IsBias ? layer.K : layer.WeightCount) * description.WeightSets];
            stream.ReadExactly(MemoryMarshal.AsBytes(values.AsSpan()));
            int bad = Array.FindIndex(values, value => !float.IsFinite(value));
            if (bad >= 0) throw new InvalidDataException($"{name}: value {bad} of tensor '{tensor.Name}' is {values[bad]}, the network needs finite numbers; the file is damaged.");
            (tensor.IsBias ? biases : weights)[tensor.Layer] = values;
        }
        string networkName = name.EndsWith(Extension, StringComparison.OrdinalIgnoreCase) ? name[..^Extension.Length] : name;
        return new(networkName, description, [.. weights.Zip(biases, (weight, bias) => new LayerWeights(weight, bias))], record);
    }

    private static void CheckFinite(Network network)
    {
        for (int i = 0; i < network.Weights.Count; i++)
        {
            (float[] weight, float[] bias) = network.Weights[i];
            if (!Array.TrueForAll(weight, float.IsFinite) || !Array.TrueForAll(bias, float.IsFinite))
                throw new InvalidDataException($"{network.Name}: layer '{network.Description.Layers[i].Name}' has weights that are not finite, so nothing is written; train it with a lower learning rate.");
        }
    }

    private static byte[] EncodeHeader(Network network)
    {
        ArrayBufferWriter<byte> utf8 = new();
        using (Utf8JsonWriter json = new(utf8, new JsonWriterOptions { Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping }))
        {
            json.WriteStartObject();
            json.WriteStartObject(MetadataKey);
            json.WriteString(FormatKey, FormatOf(network.Description));
            json.WriteString(DescriptionKey, DescriptionJson.Write(network.Description));
            foreach ((string key, string value) in network.TrainingRecord)
            {
                if (key is FormatKey or DescriptionKey) throw new InvalidDataException($"{network.Name}: '{key}' is a key of the file format; the training record needs another name for it.");
                json.WriteString(key, value);
            }
            json.WriteEndObject();
            long offset = 0;
            foreach (ConvolutionLayer layer in network.Description.Layers)
            {
                WriteTensor(json, $"{layer.Name}.weight", WeightShape(network.Description, layer), ref offset);
                WriteTensor(json, $"{layer.Name}.bias", BiasShape(network.Description, layer), ref offset);
            }
            json.WriteEndObject();
        }
        byte[] header = new byte[(utf8.WrittenCount + sizeof(ulong) - 1) / sizeof(ulong) * sizeof(ulong)];
        if (header.Length > MaxHeaderBytes) throw new InvalidDataException($"{network.Name}: the training record makes a header of {header.Length:N0} bytes, {MaxHeaderBytes:N0} are possible; shorten it.");
        utf8.WrittenSpan.CopyTo(header);
        header.AsSpan(utf8.WrittenCount).Fill((byte)' ');
        return header;
    }

    private static string FormatOf(NetworkDescription description) =>
        description.IsConditioned ? ConditionedFormat : description is { Scale: 1, IsPlainChain: true } ? Format : GraphFormat;

    private static int[] WeightShape(NetworkDescription description, ConvolutionLayer layer) => [.. KnotShape(description), layer.K, layer.C, layer.Size, layer.Size];

    private static int[] BiasShape(NetworkDescription description, ConvolutionLayer layer) => [.. KnotShape(description), layer.K];

    private static int[] KnotShape(NetworkDescription description) => description.IsConditioned ? [description.SigmaKnots.Count] : [];

    internal static void WriteTensor(Utf8JsonWriter json, string name, ReadOnlySpan<int> shape, ref long offset)
    {
        long bytes = sizeof(float);
        json.WriteStartObject(name);
        json.WriteString("dtype", "F32");
        json.WriteStartArray("shape");
        foreach (int size in shape)
        {
            json.WriteNumberValue(size);
            bytes *= size;
        }
        json.WriteEndArray();
        json.WriteStartArray("data_offsets");
        json.WriteNumberValue(offset);
        json.WriteNumberValue(offset += bytes);
        json.WriteEndArray();
        json.WriteEndObject();
    }

    /// <summary>Text from a file for a message: one line, of bounded length.</summary>
    internal static string Printable(string text) =>
        string.Concat(text.Take(64).Select(c => char.IsControl(c) || char.IsSurrogate(c) ? '?' : c));
}
