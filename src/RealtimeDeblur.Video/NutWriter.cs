using System.Buffers.Binary;
using System.Text;

namespace RealtimeDeblur.Video;

/// <summary>
/// Writes one raw video stream as NUT (see <see cref="Nut"/>), for <c>ffmpeg -f nut -i pipe:0</c>. Every frame stands alone: a syncpoint before it, its whole timestamp
/// and its size in its header. Blocking; allocates nothing per frame.
/// </summary>
public sealed class NutWriter
{
    /// <summary>The only frame code in use; 0 and 255 are best left invalid.</summary>
    private const byte FrameCode = 1;
    private const NutFrameFlags FrameFlags = NutFrameFlags.Key | NutFrameFlags.CodedPts | NutFrameFlags.SizeMsb | NutFrameFlags.Checksum;
    private const int MaxSyncpointDistance = 65536;

    private readonly Stream _stream;
    private readonly NutFieldBuffer _header = new();
    private readonly NutFieldBuffer _packet = new();

    /// <summary>Writes the headers. Does not own <paramref name="stream"/>.</summary>
    /// <exception cref="IOException">The reader went away.</exception>
    public NutWriter(Stream stream, NutVideoStream video)
    {
        _stream = stream;
        Rational timeBase = video.TimeBase.Reduced();
        if (timeBase != video.TimeBase) throw new ArgumentException($"The time base {video.TimeBase} is not in lowest terms.", nameof(video));

        _header.Bytes(Nut.Identification);

        _packet.Unsigned(Nut.Version);
        _packet.Unsigned(1);    // Streams.
        _packet.Unsigned(MaxSyncpointDistance);
        _packet.Unsigned(1);    // Time bases.
        _packet.Unsigned((ulong)timeBase.Numerator);
        _packet.Unsigned((ulong)timeBase.Denominator);
        FrameCodes(NutFrameFlags.Invalid, FrameCode);
        FrameCodes(FrameFlags, 1);
        FrameCodes(NutFrameFlags.Invalid, 256 - FrameCode - 1 - 1);    // The rest, in which 'N' does not count.
        _packet.Unsigned(0);    // No beginnings to leave out.
        EndPacket(Nut.MainStartcode);

        _packet.Unsigned(0);    // Stream number.
        _packet.Unsigned(0);    // Class: video.
        _packet.Unsigned(sizeof(uint));
        for (int shift = 0; shift < 32; shift += 8) _packet.Byte((byte)(video.FourCc >> shift));
        _packet.Unsigned(0);    // Time base.
        _packet.Unsigned(0);    // Bits of a shortened timestamp: they are never shortened.
        _packet.Unsigned(0);    // Largest gap without a checksum.
        _packet.Unsigned(0);    // Decode delay.
        _packet.Unsigned(0);    // Flags.
        _packet.Unsigned(0);    // Codec data.
        _packet.Unsigned((ulong)video.Width);
        _packet.Unsigned((ulong)video.Height);
        Rational aspect = video.SampleAspect.Reduced();
        _packet.Unsigned((ulong)aspect.Numerator);
        _packet.Unsigned((ulong)aspect.Denominator);
        _packet.Unsigned(0);    // Colour space: unknown.
        EndPacket(Nut.StreamStartcode);

        if (video.FrameRate.IsKnown)
        {
            _packet.Unsigned(1);    // About stream 0: plus 1.
            _packet.Unsigned(0);    // No chapter,
            _packet.Unsigned(0);    // its start,
            _packet.Unsigned(0);    // its length.
            _packet.Unsigned(1);    // Facts.
            Text("r_frame_rate");
            _packet.Unsigned(2);    // -1, signed: text follows.
            Text($"{video.FrameRate.Numerator}/{video.FrameRate.Denominator}");
            EndPacket(Nut.InfoStartcode);
        }
        Flush();

        void Text(string text)
        {
            byte[] bytes = Encoding.UTF8.GetBytes(text);
            _packet.Unsigned((ulong)bytes.Length);
            _packet.Bytes(bytes);
        }

        void FrameCodes(NutFrameFlags flags, int count)
        {
            _packet.Unsigned((ulong)flags);
            _packet.Unsigned(6);    // Fields that follow.
            _packet.Unsigned(0);    // Timestamp difference.
            _packet.Unsigned(1);    // Size multiplier.
            _packet.Unsigned(0);    // Stream.
            _packet.Unsigned(0);    // Size.
            _packet.Unsigned(0);    // Reserved.
            _packet.Unsigned((ulong)count);
        }
    }

    /// <summary>Appends a frame.</summary>
    /// <param name="pts">Presentation time in units of the stream's time base, 0 or more: NUT has no negative ones.</param>
    /// <param name="data">All samples.</param>
    /// <exception cref="IOException">The reader went away.</exception>
    public void WriteFrame(long pts, ReadOnlySpan<byte> data)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(pts);
        _packet.Unsigned((ulong)pts);
        _packet.Unsigned(0);    // Distance to an earlier syncpoint that is needed too: none.
        EndPacket(Nut.SyncpointStartcode);

        int start = _header.Length;
        _header.Byte(FrameCode);
        _header.Unsigned((ulong)pts + 1);    // The whole value: plus 2^0.
        _header.Unsigned((ulong)data.Length);
        _header.UInt32(Nut.Crc(_header.Written[start..]));
        Flush();
        _stream.Write(data);
    }

    private void EndPacket(ulong startcode)
    {
        _header.UInt64(startcode);
        _header.Unsigned((ulong)_packet.Length + sizeof(uint));
        _header.Bytes(_packet.Written);
        _header.UInt32(Nut.Crc(_packet.Written));
        _packet.Clear();
    }

    private void Flush()
    {
        _stream.Write(_header.Written);
        _header.Clear();
    }

    /// <summary>Collects fields. The largest collection is the headers, well below its size.</summary>
    private sealed class NutFieldBuffer
    {
        private readonly byte[] _bytes = new byte[512];

        public int Length { get; private set; }

        public ReadOnlySpan<byte> Written => _bytes.AsSpan(0, Length);

        public void Clear() => Length = 0;

        public void Byte(byte value) => _bytes[Length++] = value;

        public void Bytes(ReadOnlySpan<byte> values)
        {
            values.CopyTo(_bytes.AsSpan(Length));
            Length += values.Length;
        }

        public void UInt32(uint value)
        {
            BinaryPrimitives.WriteUInt32BigEndian(_bytes.AsSpan(Length), value);
            Length += sizeof(uint);
        }

        public void UInt64(ulong value)
        {
            BinaryPrimitives.WriteUInt64BigEndian(_bytes.AsSpan(Length), value);
            Length += sizeof(ulong);
        }

        public void Unsigned(ulong value)
        {
            int shift = 0;
            while (value >> shift > 0x7F) shift += 7;
            for (; shift > 0; shift -= 7) Byte((byte)(0x80 | (value >> shift)));
            Byte((byte)(value & 0x7F));
        }
    }
}
