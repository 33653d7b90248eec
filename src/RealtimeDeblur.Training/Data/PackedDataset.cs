using System.Buffers.Binary;
using System.IO.MemoryMappedFiles;
using System.Text;

namespace RealtimeDeblur.Training.Data;

/// <summary>Which half of the learning a pair serves. The split is by picture: pairs of one picture are all on the same side.</summary>
internal enum DatasetSplit
{
    Training,
    Validation,
}

/// <summary>One sharp picture and one blurred version of it.</summary>
/// <param name="Source">The picture's path below the folder the dataset was made from, with <c>/</c> between its parts.</param>
/// <param name="Width">Columns, 1 or more.</param>
/// <param name="Height">Rows, 1 or more.</param>
/// <param name="Sigma">Standard deviation of the Gaussian blur, in pixels; 0 for none.</param>
/// <param name="Split">Whether to learn from the pair or to judge by it.</param>
internal sealed record PackedPair(string Source, int Width, int Height, float Sigma, DatasetSplit Split)
{
    /// <summary>First byte of the sharp picture in the file. Pairs of one picture share it.</summary>
    internal long SharpOffset { get; init; }

    /// <summary>First byte of the blurred picture in the file.</summary>
    internal long BlurredOffset { get; init; }

    /// <summary>Bytes of either picture: three planes of 8-bit samples.</summary>
    public int SizeBytes => checked(3 * Width * Height);
}

/// <summary>
/// A dataset's pictures decoded into one file that is mapped into memory, so that a trainer crops patches without decoding or
/// copying, and the file alone travels to another machine. Read-only, and safe for use from several threads until it is disposed.
/// </summary>
/// <remarks>
/// The file, all numbers little-endian:
/// <code>
/// header, 64 bytes
///    0  8 bytes  magic "RTDPAIRS"
///    8  uint32   version, 1
///   12  uint32   number of pairs, 1 or more
///   16  uint32   degradation: 0 gaussian, 1 camera
///   20  uint32   bytes of the names that follow the pair headers
///   24  uint64   bytes of the whole file
///   32  32 bytes SHA-256 of the manifest.json it was packed from
/// pair headers, 48 bytes each
///    0  uint64   offset of the sharp picture, a multiple of 64; pairs of one picture may share it
///    8  uint64   offset of the blurred picture, a multiple of 64
///   16  uint32   width
///   20  uint32   height
///   24  float32  sigma in pixels, 0 or more
///   28  uint32   split: 0 training, 1 validation
///   32  uint32   start of the source's name, from the start of the names
///   36  uint32   bytes of the source's name
///   40  8 bytes  zero
/// names, UTF-8
/// pictures, planar R, G, B: [3][height][width], 8 bits, no padding between rows; each starts at a multiple of 64
/// </code>
/// </remarks>
internal sealed unsafe class PackedDataset : IDisposable
{
    /// <summary>Name of the packed file in a dataset's folder.</summary>
    public const string FileName = "dataset.pack";

    internal const int Version = 1;
    internal const int HeaderBytes = 64;
    internal const int PairHeaderBytes = 48;

    /// <summary>Pictures start on a cache line, so that vector loads never straddle the start of one.</summary>
    internal const int AlignmentBytes = 64;

    private readonly MemoryMappedFile _file;
    private readonly MemoryMappedViewAccessor _view;
    private readonly long _sizeBytes;
    private byte* _start;

    private PackedDataset(string path, MemoryMappedFile file, long sizeBytes)
    {
        _file = file;
        _sizeBytes = sizeBytes;
        _view = file.CreateViewAccessor(0, sizeBytes, MemoryMappedFileAccess.Read);
        _view.SafeMemoryMappedViewHandle.AcquirePointer(ref _start);
        try
        {
            var header = new ReadOnlySpan<byte>(_start, HeaderBytes);
            uint degradation = BinaryPrimitives.ReadUInt32LittleEndian(header[16..]);
            if (degradation > (uint)DegradationKind.Camera) throw Damaged(path, $"its degradation is {degradation}, 0 and 1 exist");
            Degradation = ((DegradationKind)degradation).Name();
            Sha256 = Convert.ToHexStringLower(header.Slice(32, 32));
            Pairs = ReadPairs(path);
        }
        catch
        {
            Dispose();
            throw;
        }
    }

    internal static ReadOnlySpan<byte> Magic => "RTDPAIRS"u8;

    /// <summary>All pairs, sorted by source and then sigma; never empty.</summary>
    public IReadOnlyList<PackedPair> Pairs { get; }

    /// <summary>How the blurred pictures were made: <c>gaussian</c> or <c>camera</c>.</summary>
    public string Degradation { get; }

    /// <summary>
    /// SHA-256 of the manifest the file was packed from, in lower-case hexadecimal. The manifest holds the hash of every picture, so equal values mean equal
    /// pictures and settings. Read from the file's header, not recomputed.
    /// </summary>
    public string Sha256 { get; }

    /// <summary>Maps a packed dataset into memory. Reads only its headers.</summary>
    /// <param name="path">The dataset's folder, or the packed file itself.</param>
    /// <exception cref="IOException">The file is not there or cannot be read.</exception>
    /// <exception cref="InvalidDataException">The file is no packed dataset, or is damaged.</exception>
    public static PackedDataset Open(string path)
    {
        string file = Directory.Exists(path) ? Path.Combine(path, FileName) : path;
        if (!File.Exists(file))
        {
            throw new FileNotFoundException(
                $"There is no packed dataset at {file}. Make one with: deblur dataset SHARP_DIR -o {(Path.GetFileName(path) == FileName ? Path.GetDirectoryName(Path.GetFullPath(path)) : path)}", file);
        }

        using FileStream stream = new(file, FileMode.Open, FileAccess.Read, FileShare.Read);
        Span<byte> header = stackalloc byte[HeaderBytes];
        int read = stream.ReadAtLeast(header, HeaderBytes, throwOnEndOfStream: false);
        if (read < Magic.Length || !header.StartsWith(Magic))
            throw new InvalidDataException($"{file} is not a packed dataset. Make one with: deblur dataset SHARP_DIR -o DATASET");
        uint version = read < HeaderBytes ? Version : BinaryPrimitives.ReadUInt32LittleEndian(header[8..]);
        if (version != Version)
            throw new InvalidDataException($"{file} has version {version} of the packed form; this program reads version {Version}. {Remedy}");
        ulong expected = read < HeaderBytes ? HeaderBytes : BinaryPrimitives.ReadUInt64LittleEndian(header[24..]);
        if ((ulong)stream.Length != expected)
            throw Damaged(file, $"it has {stream.Length:N0} bytes and should have {expected:N0}");

        MemoryMappedFile mapped = MemoryMappedFile.CreateFromFile(stream, null, 0, MemoryMappedFileAccess.Read, HandleInheritability.None, leaveOpen: true);
        return new PackedDataset(file, mapped, stream.Length);
    }

    /// <summary>The sharp picture of a pair: planar R, G, B, [3][Height][Width], 8 bits. Points into the mapped file; not valid after <see cref="Dispose"/>.</summary>
    public ReadOnlySpan<byte> Sharp(PackedPair pair) => Picture(pair.SharpOffset, pair.SizeBytes);

    /// <summary>The blurred picture of a pair, laid out as <see cref="Sharp"/>.</summary>
    public ReadOnlySpan<byte> Blurred(PackedPair pair) => Picture(pair.BlurredOffset, pair.SizeBytes);

    public void Dispose()
    {
        if (_start is null) return;
        _start = null;
        _view.SafeMemoryMappedViewHandle.ReleasePointer();
        _view.Dispose();
        _file.Dispose();
    }

    private const string Remedy = "Run the deblur dataset command that made it again: it keeps the finished pictures and packs them afresh.";

    private static InvalidDataException Damaged(string path, string how) => new($"{path} is damaged: {how}. {Remedy}");

    private PackedPair[] ReadPairs(string path)
    {
        var header = new ReadOnlySpan<byte>(_start, HeaderBytes);
        uint count = BinaryPrimitives.ReadUInt32LittleEndian(header[12..]);
        uint nameBytes = BinaryPrimitives.ReadUInt32LittleEndian(header[20..]);
        long names = HeaderBytes + (long)count * PairHeaderBytes;
        long pictures = names + nameBytes;
        if (count == 0) throw Damaged(path, "it holds no pair");
        if (pictures > _sizeBytes || nameBytes > int.MaxValue) throw Damaged(path, $"{count:N0} pairs and {nameBytes:N0} bytes of names do not fit into its {_sizeBytes:N0} bytes");

        var pairs = new PackedPair[count];
        for (int i = 0; i < pairs.Length; i++)
        {
            var entry = new ReadOnlySpan<byte>(_start + HeaderBytes + (long)i * PairHeaderBytes, PairHeaderBytes);
            ulong sharp = BinaryPrimitives.ReadUInt64LittleEndian(entry);
            ulong blurred = BinaryPrimitives.ReadUInt64LittleEndian(entry[8..]);
            uint width = BinaryPrimitives.ReadUInt32LittleEndian(entry[16..]);
            uint height = BinaryPrimitives.ReadUInt32LittleEndian(entry[20..]);
            float sigma = BinaryPrimitives.ReadSingleLittleEndian(entry[24..]);
            uint split = BinaryPrimitives.ReadUInt32LittleEndian(entry[28..]);
            uint nameStart = BinaryPrimitives.ReadUInt32LittleEndian(entry[32..]);
            uint nameLength = BinaryPrimitives.ReadUInt32LittleEndian(entry[36..]);

            if (width is 0 or > ushort.MaxValue || height is 0 or > ushort.MaxValue || 3UL * width * height > int.MaxValue)
                throw Damaged(path, $"pair {i + 1} of {count} is said to be {width}x{height}");
            ulong picture = 3UL * width * height;
            foreach (ulong offset in (ReadOnlySpan<ulong>)[sharp, blurred])
            {
                if (offset < (ulong)pictures || offset % AlignmentBytes != 0 || offset > (ulong)_sizeBytes || picture > (ulong)_sizeBytes - offset)
                    throw Damaged(path, $"pair {i + 1} of {count} points to {picture:N0} bytes at {offset:N0} of {_sizeBytes:N0}");
            }
            if (!float.IsFinite(sigma) || sigma < 0 || split > (uint)DatasetSplit.Validation || (ulong)nameStart + nameLength > nameBytes)
                throw Damaged(path, $"pair {i + 1} of {count} has sigma {sigma}, split {split} and a name at {nameStart}+{nameLength}");

            string source = Encoding.UTF8.GetString(_start + names + nameStart, (int)nameLength);
            pairs[i] = new PackedPair(source, (int)width, (int)height, sigma, (DatasetSplit)split) { SharpOffset = (long)sharp, BlurredOffset = (long)blurred };
        }
        return pairs;
    }

    private ReadOnlySpan<byte> Picture(long offset, int sizeBytes)
    {
        ObjectDisposedException.ThrowIf(_start is null, this);
        if (offset < HeaderBytes || sizeBytes > _sizeBytes - offset) throw new ArgumentException("The pair is not one of this dataset's.", nameof(offset));
        return new ReadOnlySpan<byte>(_start + offset, sizeBytes);
    }
}
