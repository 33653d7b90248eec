using System.Buffers.Binary;

namespace RealtimeDeblur.Video;

/// <summary>
/// Reads the first video stream of a NUT stream, as <c>ffmpeg -c:v rawvideo -f nut</c> writes it (see <see cref="Nut"/>), and skips what else there is. Blocking; allocates nothing per frame.
/// </summary>
/// <remarks>Usage: the constructor reads the headers, then <see cref="TryReadFrameHeader"/> and <see cref="ReadFrameData"/> take turns.</remarks>
public sealed class NutReader
{
    /// <summary>More than any header needs; a larger one is damage.</summary>
    private const int MaxPacketBytes = 1 << 20;

    private const int MaxStreams = 256;

    private readonly Stream _stream;
    private readonly string _name;
    private readonly byte[] _buffer = new byte[1 << 16];
    private readonly FrameCode[] _frameCodes = new FrameCode[256];
    private readonly List<byte[]> _elidedBeginnings = [[]];
    private readonly List<Rational> _timeBases = [];
    private int _start;
    private int _end;
    private StreamState[] _streams = [];
    private int _videoStream = -1;
    private byte[] _packet = new byte[512];    // Of headers the larger ones, which are few, need more.
    private byte[] _beginning = [];
    private int _dataBytes;
    private long _skippedBytes;

    /// <summary>Reads up to the first frame. Does not own <paramref name="stream"/>, but reads past what it returns.</summary>
    /// <param name="stream">Where from.</param>
    /// <param name="name">What messages call it.</param>
    /// <exception cref="EndOfStreamException">The stream holds no frames, which is how ffmpeg shows that it could not decode any.</exception>
    /// <exception cref="InvalidDataException">Not a NUT stream with video.</exception>
    public NutReader(Stream stream, string name = "The stream of raw frames from ffmpeg")
    {
        _stream = stream;
        _name = name;
        foreach (byte expected in Nut.Identification)
        {
            if (ReadByte() != expected) throw Damaged("it does not begin as NUT");
        }
        NutVideoStream? video = null;
        while (true)
        {
            if (ReadByte() != Nut.StartcodeByte) throw Damaged("a packet is missing its startcode");
            ulong startcode = ReadStartcode();
            ReadOnlySpan<byte> packet = ReadPacket(startcode);
            if (startcode == Nut.MainStartcode)
            {
                ParseMainHeader(packet);
            }
            else if (startcode == Nut.StreamStartcode)
            {
                ParseStreamHeader(packet, ref video);
            }
            else if (startcode == Nut.SyncpointStartcode)
            {
                Video = video ?? throw Damaged("it holds no video");
                ParseSyncpoint(packet);
                return;
            }
        }
    }

    public NutVideoStream Video { get; }

    /// <summary>Whether there is more than <see cref="Video"/>, sound for instance.</summary>
    public bool HasOtherStreams => _streams.Length > 1;

    /// <summary>Goes to the next frame.</summary>
    /// <param name="pts">Presentation time in units of the stream's time base.</param>
    /// <param name="sizeBytes">Bytes that <see cref="ReadFrameData"/> has to take.</param>
    /// <returns>False at the end of the stream.</returns>
    /// <exception cref="EndOfStreamException">The stream ends inside a header.</exception>
    /// <exception cref="InvalidDataException">The stream is damaged.</exception>
    public bool TryReadFrameHeader(out long pts, out int sizeBytes)
    {
        pts = 0;
        sizeBytes = 0;
        while (true)
        {
            Skip();
            if (_start == _end && !Fill()) return false;
            byte code = ReadByte();
            if (code != Nut.StartcodeByte)
            {
                if (ReadFrameHeader(_frameCodes[code], out pts, out sizeBytes) == _videoStream) return true;
                _skippedBytes = _dataBytes;
                continue;
            }
            ulong startcode = ReadStartcode();
            if (startcode == Nut.SyncpointStartcode) ParseSyncpoint(ReadPacket(startcode));
            else SkipPacket();    // Headers are repeated now and then; an index follows the last frame, 4 bytes for every one.
        }
    }

    /// <summary>Reads the samples of the frame whose header was read last.</summary>
    /// <param name="data">As long as the header said; what a shorter one does not take is skipped.</param>
    /// <exception cref="EndOfStreamException">The stream ends inside the frame.</exception>
    public void ReadFrameData(Span<byte> data)
    {
        int sizeBytes = _beginning.Length + _dataBytes;
        if (data.Length > sizeBytes || data.Length < _beginning.Length) throw new ArgumentException($"The frame has {sizeBytes} bytes, not {data.Length}.", nameof(data));
        _skippedBytes = sizeBytes - data.Length;
        _beginning.CopyTo(data);
        data = data[_beginning.Length..];
        int buffered = Math.Min(_end - _start, data.Length);
        _buffer.AsSpan(_start, buffered).CopyTo(data);
        _start += buffered;
        _stream.ReadExactly(data[buffered..]);
    }

    private void Skip()
    {
        while (_skippedBytes > 0)
        {
            if (_start == _end && !Fill()) throw new EndOfStreamException("The stream of raw frames ended unexpectedly.");
            int skipped = (int)Math.Min(_skippedBytes, _end - _start);
            _start += skipped;
            _skippedBytes -= skipped;
        }
    }

    /// <returns>Number of the frame's stream.</returns>
    private int ReadFrameHeader(FrameCode code, out long pts, out int sizeBytes)
    {
        NutFrameFlags flags = code.Flags;
        if (Has(flags, NutFrameFlags.Coded)) flags ^= (NutFrameFlags)ReadNumber();
        if (Has(flags, NutFrameFlags.Invalid) || Has(flags, NutFrameFlags.SideData)) throw Damaged("a frame header is not valid");
        ulong number = Has(flags, NutFrameFlags.StreamId) ? ReadNumber() : code.Stream;
        if (number >= (ulong)_streams.Length) throw Damaged($"it holds a frame of stream {number}");
        ref StreamState stream = ref _streams[number];
        pts = Has(flags, NutFrameFlags.CodedPts) ? stream.DecodePts(ReadNumber()) : stream.LastPts + code.PtsDelta;
        stream.LastPts = pts;
        ulong size = code.SizeLsb;
        if (Has(flags, NutFrameFlags.SizeMsb)) size += code.SizeMultiplier * ReadNumber();
        if (Has(flags, NutFrameFlags.MatchTime)) ReadNumber();
        ulong beginning = Has(flags, NutFrameFlags.HeaderIndex) ? ReadNumber() : code.Beginning;
        ulong reserved = Has(flags, NutFrameFlags.Reserved) ? ReadNumber() : code.Reserved;
        for (; reserved > 0; reserved--) ReadNumber();
        if (Has(flags, NutFrameFlags.Checksum))
        {
            for (int i = 0; i < sizeof(uint); i++) ReadByte();
        }
        if (size > int.MaxValue || beginning >= (ulong)_elidedBeginnings.Count) throw Damaged("a frame header is not valid");
        _beginning = _elidedBeginnings[size > Nut.LengthChecksumThreshold ? 0 : (int)beginning];
        sizeBytes = (int)size;
        _dataBytes = sizeBytes - _beginning.Length;
        if (_dataBytes < 0) throw Damaged("a frame header is not valid");
        return (int)number;
    }

    /// <summary>As <see cref="Enum.HasFlag"/>, which makes objects until the compiler has optimised its caller.</summary>
    private static bool Has(NutFrameFlags flags, NutFrameFlags flag) => (flags & flag) != 0;

    private void ParseMainHeader(ReadOnlySpan<byte> packet)
    {
        var fields = new NutFields(this, packet);
        ulong version = fields.Unsigned();
        if (version != Nut.Version) throw Damaged($"it has version {version}, not {Nut.Version}");
        ulong streams = fields.Unsigned();
        if (streams is 0 or > MaxStreams) throw Damaged($"it holds {streams} streams");
        if (_streams.Length == 0) _streams = new StreamState[streams];    // A repetition changes nothing.
        fields.Unsigned();    // Largest distance between syncpoints.
        _timeBases.Clear();
        for (ulong i = fields.Unsigned(); i > 0; i--)
        {
            Rational timeBase = new((int)fields.Unsigned(), (int)fields.Unsigned());
            if (!timeBase.IsKnown) throw Damaged($"its time base is {timeBase.Numerator}/{timeBase.Denominator}");
            _timeBases.Add(timeBase);
        }
        if (_timeBases.Count == 0) throw Damaged("it has no time base");

        // 256 frame codes in runs; a run leaves out the fields that did not change, except size and reserved, which start at 0 again.
        long ptsDelta = 0;
        ulong multiplier = 1, stream = 0, beginning = 0;
        for (int code = 0; code < _frameCodes.Length;)
        {
            var flags = (NutFrameFlags)fields.Unsigned();
            ulong fieldCount = fields.Unsigned();
            if (fieldCount > 0) ptsDelta = fields.Signed();
            if (fieldCount > 1) multiplier = fields.Unsigned();
            if (fieldCount > 2) stream = fields.Unsigned();
            ulong size = fieldCount > 3 ? fields.Unsigned() : 0;
            ulong reserved = fieldCount > 4 ? fields.Unsigned() : 0;
            ulong count = fieldCount > 5 ? fields.Unsigned() : multiplier - size;
            if (fieldCount > 6) fields.Signed();    // Match time, for streams that come in pieces.
            if (fieldCount > 7) beginning = fields.Unsigned();
            for (ulong extra = 8; extra < fieldCount; extra++) fields.Unsigned();
            if (count == 0) throw Damaged("its frame code table is not valid");
            for (ulong i = 0; i < count && code < _frameCodes.Length; code++)
            {
                _frameCodes[code] = code == Nut.StartcodeByte
                    ? new(NutFrameFlags.Invalid, 0, 0, 0, 0, 0, 0)
                    : new(flags, ptsDelta, multiplier, size + i++, stream, reserved, beginning);
            }
        }
        _elidedBeginnings.RemoveRange(1, _elidedBeginnings.Count - 1);
        if (fields.AtEnd) return;
        for (ulong i = fields.Unsigned(); i > 0; i--) _elidedBeginnings.Add(fields.Bytes().ToArray());
    }

    /// <param name="packet">The header.</param>
    /// <param name="video">Set by the first one that describes video.</param>
    private void ParseStreamHeader(ReadOnlySpan<byte> packet, ref NutVideoStream? video)
    {
        const int videoClass = 0;
        var fields = new NutFields(this, packet);
        ulong number = fields.Unsigned();
        ulong streamClass = fields.Unsigned();
        uint fourCc = 0;
        ReadOnlySpan<byte> tag = fields.Bytes();
        for (int i = 0; i < Math.Min(tag.Length, sizeof(uint)); i++) fourCc |= (uint)tag[i] << (8 * i);
        ulong timeBaseIndex = fields.Unsigned();
        ulong ptsShift = fields.Unsigned();
        if (number >= (ulong)_streams.Length || timeBaseIndex >= (ulong)_timeBases.Count || ptsShift > 16) throw Damaged("a stream header is not valid");
        _streams[number] = new() { TimeBase = _timeBases[(int)timeBaseIndex], PtsShift = (int)ptsShift };
        if (streamClass != videoClass || video is not null) return;
        _videoStream = (int)number;
        fields.Unsigned();    // Largest gap without a checksum.
        fields.Unsigned();    // Decode delay.
        fields.Unsigned();    // Flags.
        fields.Bytes();       // Codec data: none for raw video.
        int width = (int)fields.Unsigned();
        int height = (int)fields.Unsigned();
        var aspect = new Rational((int)fields.Unsigned(), (int)fields.Unsigned());
        if (width < 1 || height < 1) throw Damaged($"its size is {width}x{height}");
        video = new(width, height, _streams[number].TimeBase, aspect, fourCc);
    }

    private void ParseSyncpoint(ReadOnlySpan<byte> packet)
    {
        // One time for all streams, in the time base that its remainder names.
        ulong coded = new NutFields(this, packet).Unsigned();
        Rational timeBase = _timeBases[(int)(coded % (ulong)_timeBases.Count)];
        var time = (Int128)(coded / (ulong)_timeBases.Count);
        foreach (ref StreamState stream in _streams.AsSpan())
        {
            // A stream whose header never came has no frames that could be read.
            if (stream.TimeBase.IsKnown) stream.LastPts = (long)(time * timeBase.Numerator * stream.TimeBase.Denominator / ((Int128)timeBase.Denominator * stream.TimeBase.Numerator));
        }
    }

    /// <summary>The rest of a startcode whose first byte was read.</summary>
    private ulong ReadStartcode()
    {
        ulong startcode = Nut.StartcodeByte;
        for (int i = 1; i < sizeof(ulong); i++) startcode = (startcode << 8) | ReadByte();
        return startcode;
    }

    /// <summary>The contents of a packet, valid until the next one is read.</summary>
    private ReadOnlySpan<byte> ReadPacket(ulong startcode)
    {
        ulong length = ReadNumber();
        if (length is < sizeof(uint) or > MaxPacketBytes) throw Damaged($"packet {startcode:X} claims {length} bytes");
        if (length > Nut.LengthChecksumThreshold)
        {
            for (int i = 0; i < sizeof(uint); i++) ReadByte();
        }
        if ((ulong)_packet.Length < length) _packet = new byte[length];
        Span<byte> packet = _packet.AsSpan(0, (int)length);
        for (int i = 0; i < packet.Length; i++) packet[i] = ReadByte();
        int contents = packet.Length - sizeof(uint);
        if (Nut.Crc(packet[..contents]) != BinaryPrimitives.ReadUInt32BigEndian(packet[contents..])) throw Damaged($"packet {startcode:X} has a wrong checksum");
        return packet[..contents];
    }

    private void SkipPacket()
    {
        ulong length = ReadNumber();
        if (length > uint.MaxValue) throw Damaged($"a packet claims {length} bytes");
        _skippedBytes = (long)length + (length > Nut.LengthChecksumThreshold ? sizeof(uint) : 0);
    }

    private ulong ReadNumber()
    {
        ulong value = 0;
        while (true)
        {
            byte b = ReadByte();
            value = (value << 7) | (uint)(b & 0x7F);
            if ((b & 0x80) == 0) return value;
        }
    }

    private byte ReadByte()
    {
        if (_start == _end && !Fill()) throw new EndOfStreamException("The stream of raw frames ended unexpectedly.");
        return _buffer[_start++];
    }

    private bool Fill()
    {
        _start = 0;
        _end = _stream.Read(_buffer);
        return _end > 0;
    }

    private InvalidDataException Damaged(string finding) => new($"{_name} cannot be read: {finding}.");

    private readonly record struct FrameCode(NutFrameFlags Flags, long PtsDelta, ulong SizeMultiplier, ulong SizeLsb, ulong Stream, ulong Reserved, ulong Beginning);

    /// <summary>What turns the coded timestamps of a stream into whole ones.</summary>
    private struct StreamState
    {
        public Rational TimeBase { get; init; }

        /// <summary>Bits of a shortened timestamp.</summary>
        public int PtsShift { get; init; }

        public long LastPts { get; set; }

        /// <summary>A timestamp is its low bits next to the last one, or, from 2^shift up, the whole value plus 2^shift.</summary>
        public readonly long DecodePts(ulong coded)
        {
            long whole = 1L << PtsShift;
            if ((long)coded >= whole || (long)coded < 0) return (long)coded - whole;
            long mask = whole - 1;
            long lowest = LastPts - mask / 2;
            return (((long)coded - lowest) & mask) + lowest;
        }
    }

    /// <summary>Takes the fields of a packet one after another.</summary>
    private ref struct NutFields(NutReader reader, ReadOnlySpan<byte> packet)
    {
        private ReadOnlySpan<byte> _rest = packet;

        public readonly bool AtEnd => _rest.IsEmpty;

        public ulong Unsigned()
        {
            ulong value = 0;
            while (true)
            {
                if (_rest.IsEmpty) throw reader.Damaged("a header ends too early");
                byte b = _rest[0];
                _rest = _rest[1..];
                value = (value << 7) | (uint)(b & 0x7F);
                if ((b & 0x80) == 0) return value;
            }
        }

        public long Signed()
        {
            long value = (long)Unsigned() + 1;
            return (value & 1) != 0 ? -(value >> 1) : value >> 1;
        }

        public ReadOnlySpan<byte> Bytes()
        {
            ulong length = Unsigned();
            if (length > (ulong)_rest.Length) throw reader.Damaged("a header ends too early");
            ReadOnlySpan<byte> bytes = _rest[..(int)length];
            _rest = _rest[(int)length..];
            return bytes;
        }
    }
}
