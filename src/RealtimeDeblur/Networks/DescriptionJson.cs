using System.Buffers;
using System.Text;
using System.Text.Encodings.Web;
using System.Text.Json;

namespace RealtimeDeblur.Networks;

/// <summary>A <see cref="NetworkDescription"/> as JSON text, the form it has in a weights file.</summary>
/// <remarks>
/// <c>{"architecture":"dbcnn","globalSkip":true,"layers":[{"name":"extract","C":1,"K":64,"size":9,"relu":true}, ...]}</c>, and where a network has them
/// <c>"scale"</c>, <c>"sigmaKnots":[0,0.5, ...]</c>, and <c>"with"</c>, <c>"skip"</c> and <c>"subtract"</c> of a layer.
/// </remarks>
internal static class DescriptionJson
{
    public static string Write(NetworkDescription description)
    {
        ArrayBufferWriter<byte> utf8 = new();
        using (Utf8JsonWriter json = new(utf8, new JsonWriterOptions { Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping }))
        {
            json.WriteStartObject();
            json.WriteString("architecture", description.Architecture);
            json.WriteBoolean("globalSkip", description.GlobalSkip);
            if (description.Scale != 1) json.WriteNumber("scale", description.Scale);
            if (description.IsConditioned)
            {
                json.WriteStartArray("sigmaKnots");
                foreach (float knot in description.SigmaKnots) json.WriteNumberValue(knot);
                json.WriteEndArray();
            }
            json.WriteStartArray("layers");
            foreach (ConvolutionLayer layer in description.Layers)
            {
                json.WriteStartObject();
                json.WriteString("name", layer.Name);
                json.WriteNumber("C", layer.C);
                json.WriteNumber("K", layer.K);
                json.WriteNumber("size", layer.Size);
                json.WriteBoolean("relu", layer.Relu);
                if (layer.With is not null) json.WriteString("with", layer.With);
                if (layer.Skip is not null) json.WriteString("skip", layer.Skip);
                if (layer.Subtract) json.WriteBoolean("subtract", true);
                json.WriteEndObject();
            }
            json.WriteEndArray();
            json.WriteEndObject();
        }
        return Encoding.UTF8.GetString(utf8.WrittenSpan);
    }

    /// <exception cref="JsonException">Not JSON.</exception>
    /// <exception cref="FormatException">JSON, but a member is missing or of another type.</exception>
    /// <exception cref="ArgumentException">The layers make no network.</exception>
    public static NetworkDescription Parse(string text)
    {
        using JsonDocument document = JsonDocument.Parse(text, new JsonDocumentOptions { AllowDuplicateProperties = false });
        JsonElement root = document.RootElement;
        List<ConvolutionLayer> layers = [];
        foreach (JsonElement layer in Member(root, "layers", JsonValueKind.Array).EnumerateArray())
        {
            layers.Add(new(Text(layer, "name"), Integer(layer, "C"), Integer(layer, "K"), Integer(layer, "size"), Flag(layer, "relu"))
            {
                With = Has(layer, "with") ? Text(layer, "with") : null,
                Skip = Has(layer, "skip") ? Text(layer, "skip") : null,
                Subtract = Has(layer, "subtract") && Flag(layer, "subtract"),
            });
        }
        return new(Text(root, "architecture"), layers, Flag(root, "globalSkip"), Has(root, "scale") ? Integer(root, "scale") : 1,
            Has(root, "sigmaKnots") ? [.. Member(root, "sigmaKnots", JsonValueKind.Array).EnumerateArray().Select(Knot)] : null);
    }

    private static bool Has(JsonElement parent, string name) => parent.ValueKind == JsonValueKind.Object && parent.TryGetProperty(name, out _);

    private static string Text(JsonElement parent, string name) => Member(parent, name, JsonValueKind.String).GetString()!;

    private static int Integer(JsonElement parent, string name) =>
        Member(parent, name, JsonValueKind.Number).TryGetInt32(out int value) ? value : throw new FormatException($"'{name}' is not a whole number");

    private static float Knot(JsonElement element) =>
        element.ValueKind == JsonValueKind.Number && element.TryGetSingle(out float value) ? value : throw new FormatException("'sigmaKnots' has an element that is not a number");

    private static bool Flag(JsonElement parent, string name) => Member(parent, name, JsonValueKind.True, JsonValueKind.False).GetBoolean();

    private static JsonElement Member(JsonElement parent, string name, params ReadOnlySpan<JsonValueKind> kinds)
    {
        if (parent.ValueKind != JsonValueKind.Object || !parent.TryGetProperty(name, out JsonElement member) || !kinds.Contains(member.ValueKind))
            throw new FormatException($"'{name}' is missing or of the wrong type");
        return member;
    }
}
