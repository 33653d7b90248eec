namespace RealtimeDeblur.Video;

/// <summary>
/// What reader and writer of the NUT container share. NUT carries raw frames between ffmpeg and us because it is the one format for pipes that keeps
/// a timestamp per frame; raw video and YUV4MPEG become constant rate.
/// </summary>
/// <remarks>
/// A stream is the identification, a main header, stream headers, then frames with a syncpoint before some of them. Everything but a frame is a packet:
/// 64-bit startcode, length, contents, CRC-32. Numbers (v) take 7 bits per byte, most significant first, bit 7 set on all but the last;
/// signed ones (s) alternate 0, 1, -1, 2, -2. Format: "NUT Open Container Format" of Niedermayer and Felker, version 3.
/// </remarks>
internal static class Nut
{
    public const int Version = 3;
    public const ulong MainStartcode = 0x4E4D7A561F5F04AD;
    public const ulong StreamStartcode = 0x4E5311405BF2F9DB;
    public const ulong SyncpointStartcode = 0x4E4BE4ADEECA4569;
    public const ulong InfoStartcode = 0x4E49AB68B596BA78;

    /// <summary>Every startcode begins with this byte, so no frame does.</summary>
    public const byte StartcodeByte = (byte)'N';

    /// <summary>Packets above this length have a checksum after it; frames above it never leave out a known beginning.</summary>
    public const int LengthChecksumThreshold = 4096;

    private static readonly uint[] CrcTable = BuildCrcTable();

    /// <summary>First bytes of every stream.</summary>
    public static ReadOnlySpan<byte> Identification => "nut/multimedia container\0"u8;

    /// <summary>CRC-32 with polynomial 04C11DB7, start value 0, not reflected.</summary>
    public static uint Crc(ReadOnlySpan<byte> data, uint crc = 0)
    {
        foreach (byte b in data) crc = (crc << 8) ^ CrcTable[(crc >> 24) ^ b];
        return crc;
    }

    private static uint[] BuildCrcTable()
    {
        const uint polynomial = 0x04C11DB7;
        var table = new uint[256];
        for (uint i = 0; i < table.Length; i++)
        {
            uint crc = i << 24;
            for (int bit = 0; bit < 8; bit++) crc = (crc & 0x80000000) != 0 ? (crc << 1) ^ polynomial : crc << 1;
            table[i] = crc;
        }
        return table;
    }
}

/// <summary>How the header of a frame is written: bits of a frame code's flags.</summary>
[Flags]
internal enum NutFrameFlags
{
    None = 0,
    Key = 1,
    EndOfRelevance = 2,
    CodedPts = 8,
    StreamId = 16,
    SizeMsb = 32,
    Checksum = 64,
    Reserved = 128,
    SideData = 256,
    HeaderIndex = 1024,
    MatchTime = 2048,
    Coded = 4096,
    Invalid = 8192,
}

/// <summary>The one raw video stream inside a NUT stream.</summary>
/// <param name="Width">Columns, 1 or more.</param>
/// <param name="Height">Rows, 1 or more.</param>
/// <param name="TimeBase">Seconds per unit of a timestamp.</param>
/// <param name="SampleAspect">Width of a pixel over its height; unknown is allowed.</param>
/// <param name="FourCc">Sample layout, as FFmpeg names it: four bytes, first byte lowest.</param>
public sealed record NutVideoStream(int Width, int Height, Rational TimeBase, Rational SampleAspect, uint FourCc)
{
    /// <summary>
    /// Mean frame rate, if it is known; sent along for ffmpeg, which otherwise guesses it from the first frames. Where times vary it then takes the time base's clock, with which encoders plan for
    /// thousands of frames per second, or refuse. Not read back.
    /// </summary>
    public Rational FrameRate { get; init; }
}
