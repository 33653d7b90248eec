using System.Buffers.Binary;
using RealtimeDeblur.Video;
using Xunit;

namespace RealtimeDeblur.Tests.Video;

public sealed class NutTests
{
    private static readonly NutVideoStream Gray4x3 = new(4, 3, new(1, 1000), new(16, 11), FourCc: 0x30303859);    // "Y800"

    [Fact]
    public void Crc_OfCheckString_IsPublishedValue() =>
        // CRC-32/MPEG-2 of "123456789" is 0376E6E7 with start value FFFFFFFF; that start equals xoring it onto the first four bytes.
        Assert.Equal(0x0376E6E7u, Nut.Crc([(byte)'1' ^ 0xFF, (byte)'2' ^ 0xFF, (byte)'3' ^ 0xFF, (byte)'4' ^ 0xFF, .. "56789"u8]));

    [Fact]
    public void WriterThenReader_AnyTimestamps_ReturnsFrames()
    {
        long[] times = [0, 33, 34, 1_000_000, 7, 5_000_000_000_000];
        using var stream = new MemoryStream();
        var writer = new NutWriter(stream, Gray4x3);
        for (int i = 0; i < times.Length; i++) writer.WriteFrame(times[i], [.. Enumerable.Range(i, 12).Select(value => (byte)value)]);
        stream.Position = 0;

        var reader = new NutReader(stream);
        Assert.Equal(Gray4x3, reader.Video);
        byte[] frame = new byte[12];
        for (int i = 0; i < times.Length; i++)
        {
            Assert.True(reader.TryReadFrameHeader(out long pts, out int sizeBytes));
            Assert.Equal((times[i], 12), (pts, sizeBytes));
            reader.ReadFrameData(frame);
            Assert.Equal([.. Enumerable.Range(i, 12).Select(value => (byte)value)], frame);
        }
        Assert.False(reader.TryReadFrameHeader(out _, out _));
    }

    [Theory]
    [InlineData("16x16", "gray", 256)]          // small enough for ffmpeg to leave out known beginnings
    [InlineData("1x1", "rgb24", 3)]
    [InlineData("333x201", "yuv420p", 333 * 201 + 2 * 167 * 101)]
    [InlineData("1280x720", "yuv422p10le", 1280 * 720 * 4)]
    public void Reader_StreamOfFfmpeg_ReturnsItsFrames(string size, string pixelFormat, int frameBytes)
    {
        using var folder = new TemporaryFolder();
        Ffmpeg.Run($"{Ffmpeg.TestPicture(size, 25, 0.4)} -c:v rawvideo -pix_fmt {pixelFormat} {folder["in.nut"]}");
        Ffmpeg.Run($"-i {folder["in.nut"]} -f rawvideo {folder["in.raw"]}");
        using FileStream stream = File.OpenRead(folder["in.nut"]);
        var reader = new NutReader(stream);
        Assert.Equal(size, $"{reader.Video.Width}x{reader.Video.Height}");

        using var samples = new MemoryStream();
        byte[] frame = new byte[frameBytes];
        for (int i = 0; reader.TryReadFrameHeader(out long pts, out int sizeBytes); i++)
        {
            Assert.Equal(frameBytes, sizeBytes);
            Assert.Equal(i / 25.0, pts * reader.Video.TimeBase.Value, 1e-9);
            reader.ReadFrameData(frame);
            samples.Write(frame);
        }
        Assert.Equal(File.ReadAllBytes(folder["in.raw"]), samples.ToArray());
    }

    [Fact]
    public void Reader_SoundBesideTheVideo_ReturnsTheFramesAlone()
    {
        using var folder = new TemporaryFolder();
        // Sound first: the video is stream 1.
        Ffmpeg.Run($"{Ffmpeg.Tone(440, 1)} {Ffmpeg.TestPicture("65x47", 25, 1)} -map 0:a -map 1:v -c:a pcm_s16le -c:v rawvideo -pix_fmt yuv420p {folder["in.nut"]}");
        Ffmpeg.Run($"-i {folder["in.nut"]} -map 0:v -f rawvideo {folder["in.raw"]}");
        using FileStream stream = File.OpenRead(folder["in.nut"]);
        var reader = new NutReader(stream);
        Assert.True(reader.HasOtherStreams);

        using var samples = new MemoryStream();
        byte[] frame = new byte[65 * 47 + 2 * 33 * 24];
        for (int i = 0; reader.TryReadFrameHeader(out long pts, out int sizeBytes); i++)
        {
            Assert.Equal(frame.Length, sizeBytes);
            Assert.Equal(i / 25.0, pts * reader.Video.TimeBase.Value, 1e-9);
            reader.ReadFrameData(frame);
            samples.Write(frame);
        }
        Assert.Equal(File.ReadAllBytes(folder["in.raw"]), samples.ToArray());
    }

    [Fact]
    public void Reader_IndexOfALongFilm_IsSkipped()
    {
        // ffmpeg ends with an index of 4 bytes per frame: after three hours it is larger than any header.
        const int indexBytes = 3_000_000;
        byte[] startcode = [0x4E, 0x58, 0xDD, 0x67, 0x2F, 0x23, 0xE6, 0x4E];
        byte[] length = [0x80 | (indexBytes >> 21), 0x80 | ((indexBytes >> 14) & 0x7F), 0x80 | ((indexBytes >> 7) & 0x7F), indexBytes & 0x7F];
        var reader = new NutReader(new MemoryStream([.. OneFrame(), .. startcode, .. length, .. new byte[sizeof(uint) + indexBytes]]));
        Assert.True(reader.TryReadFrameHeader(out _, out int sizeBytes));
        reader.ReadFrameData(new byte[sizeBytes]);
        Assert.False(reader.TryReadFrameHeader(out _, out _));
    }

    [Fact]
    public void Writer_ReadByFfmpeg_KeepsTimesSizeAndSamples()
    {
        using var folder = new TemporaryFolder();
        byte[] samples = [.. Enumerable.Range(0, 4 * 320 * 240).Select(value => (byte)(value * 31 >> 3))];
        using (FileStream stream = File.Create(folder["out.nut"]))
        {
            var writer = new NutWriter(stream, new(320, 240, new(1, 90000), new(1, 1), FourCc: 0x30303859));
            for (int i = 0; i < 4; i++) writer.WriteFrame(12345 + i * i * 3000, samples.AsSpan(i * 320 * 240, 320 * 240));
        }
        Ffmpeg.Run($"-i {folder["out.nut"]} -fps_mode passthrough -f rawvideo {folder["out.raw"]}");
        Assert.Equal(samples, File.ReadAllBytes(folder["out.raw"]));
        Assert.Equal(["0.137167", "0.170500", "0.270500", "0.437167"], Ffmpeg.FrameTimes(folder["out.nut"]));
        Assert.Equal("320", Ffmpeg.Property(folder["out.nut"], "v:0", "width"));
    }

    [Fact]
    public void Reader_EmptyStream_SaysThatItEnded() => Assert.Throws<EndOfStreamException>(() => new NutReader(new MemoryStream()));

    [Fact]
    public void Reader_OtherFormat_SaysSo() => Assert.Contains("does not begin as NUT", Assert.Throws<InvalidDataException>(() => new NutReader(new MemoryStream("nut/multimedia contain"u8.ToArray().Append((byte)'x').ToArray()))).Message);

    [Theory]
    [InlineData(60)]      // in the frame code table
    [InlineData(90)]
    public void Reader_DamagedHeader_SaysSo(int position)
    {
        byte[] stream = OneFrame();
        stream[position] ^= 0x40;
        Assert.Throws<InvalidDataException>(() => new NutReader(new MemoryStream(stream)));
    }

    [Fact]
    public void Reader_CutInsideFrame_Throws()
    {
        var reader = new NutReader(new MemoryStream(OneFrame()[..^1]));
        Assert.True(reader.TryReadFrameHeader(out _, out int sizeBytes));
        Assert.Throws<EndOfStreamException>(() => reader.ReadFrameData(new byte[sizeBytes]));
    }

    [Fact]
    public void Reader_PacketOfAbsurdLength_IsRefusedWithoutAllocation()
    {
        byte[] startcode = new byte[8];
        BinaryPrimitives.WriteUInt64BigEndian(startcode, Nut.MainStartcode);
        byte[] stream = [.. Nut.Identification, .. startcode, 0x8F, 0xFF, 0xFF, 0xFF, 0x7F];
        Assert.Contains("claims", Assert.Throws<InvalidDataException>(() => new NutReader(new MemoryStream(stream))).Message);
    }

    private static byte[] OneFrame()
    {
        using var stream = new MemoryStream();
        new NutWriter(stream, Gray4x3).WriteFrame(5, new byte[12]);
        return stream.ToArray();
    }
}
