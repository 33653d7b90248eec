using System.Buffers;
using System.Text;

namespace RealtimeDeblur.Networks;

/// <summary>Writes messages in the wire format of Protocol Buffers (protobuf.dev/programming-guides/encoding): as much of it as ONNX needs.</summary>
internal sealed class ProtobufWriter
{
    private const int VarintType = 0;
    private const int LengthDelimitedType = 2;

    private readonly ArrayBufferWriter<byte> _buffer = new();

    public ReadOnlySpan<byte> Written => _buffer.WrittenSpan;

    public void Integer(int field, long value)
    {
        Varint((ulong)(field << 3 | VarintType));
        Varint((ulong)value);
    }

    public void Text(int field, string value) => Bytes(field, Encoding.UTF8.GetBytes(value));

    public void Bytes(int field, ReadOnlySpan<byte> value)
    {
        Varint((ulong)(field << 3 | LengthDelimitedType));
        Varint((ulong)value.Length);
        _buffer.Write(value);
    }

    /// <summary>A message within this one, filled by <paramref name="write"/>.</summary>
    public void Message(int field, Action<ProtobufWriter> write)
    {
        ProtobufWriter content = new();
        write(content);
        Bytes(field, content.Written);
    }

    /// <summary>Seven bits per byte, lowest first; the top bit says that more follow.</summary>
    private void Varint(ulong value)
    {
        Span<byte> bytes = _buffer.GetSpan(10);
        int count = 0;
        for (; value > 0x7f; value >>= 7) bytes[count++] = (byte)(value | 0x80);
        bytes[count++] = (byte)value;
        _buffer.Advance(count);
    }
}
