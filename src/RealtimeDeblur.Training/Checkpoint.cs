using System.Security.Cryptography;
using System.Text.Json;
using RealtimeDeblur.Networks;

namespace RealtimeDeblur.Training;

/// <summary>All that a run needs to go on exactly where it stopped.</summary>
/// <param name="Options">The run's options.</param>
/// <param name="Dataset">Identity of the dataset.</param>
/// <param name="Step">Steps done.</param>
/// <param name="BestPsnr">Best validation so far, dB; NaN before the first.</param>
/// <param name="Parameters">Flat parameters.</param>
/// <param name="OptimizerState">Moments and the like.</param>
internal sealed record Checkpoint(TrainingOptions Options, string Dataset, int Step, double BestPsnr, float[] Parameters, float[] OptimizerState)
{
    private const string Magic = "RealtimeDeblur training state 1";
    private const int MaxFloats = 1 << 28;

    /// <summary>Writes the file, completely or not at all. A SHA-256 closes it.</summary>
    public void Write(string path)
    {
        using var content = new MemoryStream();
        using (var writer = new BinaryWriter(content, System.Text.Encoding.UTF8, leaveOpen: true))
        {
            writer.Write(Magic);
            writer.Write(JsonSerializer.Serialize(Options));
            writer.Write(Dataset);
            writer.Write(Step);
            writer.Write(BestPsnr);
            WriteFloats(writer, Parameters);
            WriteFloats(writer, OptimizerState);
        }
        byte[] bytes = content.ToArray();
        AtomicFile.Write(path, file =>
        {
            file.Write(bytes);
            file.Write(SHA256.HashData(bytes));
        });
    }

    /// <exception cref="InvalidDataException">The file is no checkpoint or is damaged.</exception>
    /// <exception cref="IOException">The file cannot be read.</exception>
    public static Checkpoint Read(string path)
    {
        byte[] file = File.ReadAllBytes(path);
        int length = file.Length - SHA256.HashSizeInBytes;
        if (length < 0 || !SHA256.HashData(file.AsSpan(0, length)).AsSpan().SequenceEqual(file.AsSpan(length)))
            throw new InvalidDataException($"{path} is damaged or no training state; start the training again without --resume.");
        try
        {
            using var reader = new BinaryReader(new MemoryStream(file, 0, length));
            if (reader.ReadString() != Magic) throw new InvalidDataException($"{path} was written by another version; start the training again without --resume.");
            TrainingOptions options = JsonSerializer.Deserialize<TrainingOptions>(reader.ReadString())!;
            return new(options, reader.ReadString(), reader.ReadInt32(), reader.ReadDouble(), ReadFloats(reader), ReadFloats(reader));
        }
        catch (Exception e) when (e is EndOfStreamException or JsonException or FormatException)
        {
            throw new InvalidDataException($"{path} is no training state; start the training again without --resume.", e);
        }
    }

    private static void WriteFloats(BinaryWriter writer, float[] values)
    {
        writer.Write(values.Length);
        foreach (float value in values) writer.Write(value);
    }

    private static float[] ReadFloats(BinaryReader reader)
    {
        int count = reader.ReadInt32();
        if (count is < 0 or > MaxFloats || count > (reader.BaseStream.Length - reader.BaseStream.Position) / sizeof(float)) throw new EndOfStreamException();
        float[] values = new float[count];
        for (int i = 0; i < count; i++) values[i] = reader.ReadSingle();
        return values;
    }
}
