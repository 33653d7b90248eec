using RealtimeDeblur.Training.Data;

namespace RealtimeDeblur.Training.Patches;

/// <summary>A picture's place among <see cref="TrainingPictures.Samples"/>: planes of Width x Height bytes from Offset on.</summary>
internal readonly record struct PicturePlace(int Offset, int Width, int Height);

/// <summary>
/// The sharp pictures of a dataset's split in the form that the network sees, each once: luma Y = 16 + (65.481 R + 128.553 G + 24.966 B)/255 rounded to
/// 8 bits for C = 1, planes R, G, B for C = 3.
/// </summary>
internal sealed class TrainingPictures
{
    /// <summary>Offsets travel to the device as 32-bit integers.</summary>
    private const long MaxBytes = int.MaxValue;

    /// <param name="minSize">Pictures narrower or lower than this are left out.</param>
    /// <exception cref="InvalidDataException">No picture is large enough, or all together exceed 2 GiB.</exception>
    public TrainingPictures(PackedDataset dataset, DatasetSplit split, int C, int minSize)
    {
        PackedPair[] pairs = [.. dataset.Pairs.Where(pair => pair.Split == split && pair.Width >= minSize && pair.Height >= minSize).DistinctBy(pair => pair.SharpOffset)];
        if (pairs.Length == 0)
            throw new InvalidDataException($"The dataset has no {split.ToString().ToLowerInvariant()} picture of {minSize}x{minSize} pixels or more: add pictures, or train with a smaller --patch.");
        long bytes = pairs.Sum(pair => (long)C * pair.Width * pair.Height);
        if (bytes > MaxBytes) throw new InvalidDataException($"The dataset's {pairs.Length} pictures take {bytes:N0} bytes; at most {MaxBytes:N0} are possible. Use fewer or smaller pictures.");

        Samples = new byte[bytes];
        var places = new PicturePlace[pairs.Length];
        int offset = 0;
        for (int i = 0; i < pairs.Length; i++)
        {
            ReadOnlySpan<byte> rgb = dataset.Sharp(pairs[i]);
            int pixels = pairs[i].Width * pairs[i].Height;
            places[i] = new(offset, pairs[i].Width, pairs[i].Height);
            Span<byte> to = Samples.AsSpan(offset, C * pixels);
            if (C == 3) rgb.CopyTo(to);
            else Luma(rgb[..pixels], rgb[pixels..(2 * pixels)], rgb[(2 * pixels)..], to);
            offset += to.Length;
        }
        Places = places;
    }

    /// <summary>All pictures one after another, planes [C][Height][Width].</summary>
    public byte[] Samples { get; }

    public IReadOnlyList<PicturePlace> Places { get; }

    private static void Luma(ReadOnlySpan<byte> red, ReadOnlySpan<byte> green, ReadOnlySpan<byte> blue, Span<byte> luma)
    {
        for (int i = 0; i < luma.Length; i++)
            luma[i] = (byte)Math.Round(16 + (65.481 * red[i] + 128.553 * green[i] + 24.966 * blue[i]) / 255);
    }
}
