using System.Buffers.Binary;
using System.Text;

namespace RealtimeDeblur.Training.Data;

/// <summary>One picture to be packed and the blurred versions of it.</summary>
/// <param name="Source">Path below the folder of sharp pictures.</param>
/// <param name="Width">Columns.</param>
/// <param name="Height">Rows.</param>
/// <param name="Split">Side of the split.</param>
/// <param name="Sigmas">Blur of each version, in pixels.</param>
internal sealed record PackedPicture(string Source, int Width, int Height, DatasetSplit Split, IReadOnlyList<float> Sigmas)
{
    public int SizeBytes => checked(3 * Width * Height);
}

/// <summary>Writes the file that <see cref="PackedDataset"/> reads. Sizes are known beforehand, so that pictures are decoded and written by several threads at once, each to its own place.</summary>
internal static class PackedDatasetWriter
{
    /// <param name="path">Final name. The file appears there complete or not at all.</param>
    /// <param name="degradation">Recorded in the header.</param>
    /// <param name="manifestSha256">32 bytes, recorded in the header.</param>
    /// <param name="pictures">What to pack, in order.</param>
    /// <param name="read">Fills a span with planar R, G, B of picture <c>index</c>: its sharp form for version -1, else that blurred version. Called from several threads.</param>
    /// <param name="cancellation">Checked before every picture.</param>
    public static void Write(
        string path, DegradationKind degradation, ReadOnlySpan<byte> manifestSha256, IReadOnlyList<PackedPicture> pictures,
        PictureReader read, CancellationToken cancellation)
    {
        using MemoryStream names = new();
        using MemoryStream pairs = new();
        int count = pictures.Sum(picture => picture.Sigmas.Count);
        int nameBytes = pictures.Sum(picture => Encoding.UTF8.GetByteCount(picture.Source));
        long next = Align(PackedDataset.HeaderBytes + (long)count * PackedDataset.PairHeaderBytes + nameBytes);
        Span<byte> entry = stackalloc byte[PackedDataset.PairHeaderBytes];
        var offsets = new long[pictures.Count];
        for (int index = 0; index < pictures.Count; index++)
        {
            PackedPicture picture = pictures[index];
            offsets[index] = next;
            long step = Align(picture.SizeBytes);
            byte[] name = Encoding.UTF8.GetBytes(picture.Source);
            for (int version = 0; version < picture.Sigmas.Count; version++)
            {
                entry.Clear();
                BinaryPrimitives.WriteInt64LittleEndian(entry, next);
                BinaryPrimitives.WriteInt64LittleEndian(entry[8..], next + (version + 1) * step);
                BinaryPrimitives.WriteInt32LittleEndian(entry[16..], picture.Width);
                BinaryPrimitives.WriteInt32LittleEndian(entry[20..], picture.Height);
                BinaryPrimitives.WriteSingleLittleEndian(entry[24..], picture.Sigmas[version]);
                BinaryPrimitives.WriteInt32LittleEndian(entry[28..], (int)picture.Split);
                BinaryPrimitives.WriteInt32LittleEndian(entry[32..], (int)names.Length);
                BinaryPrimitives.WriteInt32LittleEndian(entry[36..], name.Length);
                pairs.Write(entry);
            }
            names.Write(name);
            next += (picture.Sigmas.Count + 1) * step;
        }

        Span<byte> header = stackalloc byte[PackedDataset.HeaderBytes];
        header.Clear();
        PackedDataset.Magic.CopyTo(header);
        BinaryPrimitives.WriteInt32LittleEndian(header[8..], PackedDataset.Version);
        BinaryPrimitives.WriteInt32LittleEndian(header[12..], count);
        BinaryPrimitives.WriteInt32LittleEndian(header[16..], (int)degradation);
        BinaryPrimitives.WriteInt32LittleEndian(header[20..], nameBytes);
        BinaryPrimitives.WriteInt64LittleEndian(header[24..], next);
        manifestSha256.CopyTo(header[32..]);

        string temporary = path + ".partial";
        try
        {
            using (FileStream stream = new(temporary, FileMode.Create, FileAccess.Write, FileShare.None, bufferSize: 1 << 16))
            {
                stream.Write(header);
                pairs.WriteTo(stream);
                names.WriteTo(stream);
                stream.SetLength(next);
                stream.Flush();
                EveryProcessor.For(pictures.Count, index =>
                {
                    PackedPicture picture = pictures[index];
                    byte[] planes = new byte[picture.SizeBytes];
                    for (int version = -1; version < picture.Sigmas.Count; version++)
                    {
                        read(index, version, planes);
                        RandomAccess.Write(stream.SafeFileHandle, planes, offsets[index] + (version + 1) * Align(picture.SizeBytes));
                    }
                }, cancellation);
                stream.Flush(flushToDisk: true);
            }
            File.Move(temporary, path, overwrite: true);
        }
        catch
        {
            File.Delete(temporary);
            throw;
        }
    }

    /// <summary>Reads one picture as planar R, G, B into <paramref name="planes"/>.</summary>
    public delegate void PictureReader(int index, int version, Span<byte> planes);

    private static long Align(long offset) => (offset + PackedDataset.AlignmentBytes - 1) / PackedDataset.AlignmentBytes * PackedDataset.AlignmentBytes;
}
