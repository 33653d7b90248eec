using System.Text;

namespace RealtimeDeblur.Video.Live;

/// <summary>
/// Writes B, G, R frames as YUV4MPEG2: 4:2:0 with chroma in the middle of four pixels, BT.601, limited range, constant rate. Blocking; allocates nothing per frame.
/// </summary>
/// <remarks>Y = 16 + 65.481 R + 128.553 G + 24.966 B, Cb = 128 - 37.797 R - 74.203 G + 112 B, Cr = 128 + 112 R - 93.786 G - 18.214 B for R, G, B from 0 to 1 (ITU-R BT.601).</remarks>
internal sealed class Yuv4MpegWriter
{
    private const int Shift = 16;       // fixed point
    private const int Half = 1 << (Shift - 1);

    private readonly Stream _stream;
    private readonly int _width;
    private readonly int _height;
    private readonly double _framesPerSecond;
    private readonly byte[] _samples;
    private long _written;

    /// <summary>Writes the header. Does not own <paramref name="stream"/>.</summary>
    public Yuv4MpegWriter(Stream stream, int width, int height, double framesPerSecond)
    {
        _stream = stream;
        (_width, _height) = (width, height);
        _framesPerSecond = framesPerSecond;
        _samples = new byte[FrameMark.Length + width * height + 2 * ((width + 1) / 2) * ((height + 1) / 2)];
        FrameMark.CopyTo(_samples);
        Rational rate = new Rational((int)Math.Round(framesPerSecond * 1000), 1000).Reduced();
        _stream.Write(Encoding.ASCII.GetBytes($"YUV4MPEG2 W{width} H{height} F{rate.Numerator}:{rate.Denominator} Ip A1:1 C420jpeg XCOLORRANGE=LIMITED\n"));
    }

    private static ReadOnlySpan<byte> FrameMark => "FRAME\n"u8;

    /// <summary>Writes a frame at once, after the one before as often as the time between them demands. Of two frames within one tick of the rate the second is left out.</summary>
    /// <param name="microseconds">Its time; of the first frame 0.</param>
    /// <param name="bgr">[H][W][3].</param>
    public void WriteFrame(long microseconds, ReadOnlySpan<byte> bgr)
    {
        long tick = (long)Math.Round(microseconds * 1e-6 * _framesPerSecond);
        while (_written > 0 && _written < tick) Emit();
        if (_written > tick) return;
        Convert(bgr);
        Emit();
    }

    private void Emit()
    {
        _stream.Write(_samples);
        _written++;
    }

    private void Convert(ReadOnlySpan<byte> bgr)
    {
        Span<byte> luma = _samples.AsSpan(FrameMark.Length, _width * _height);
        int chromaWidth = (_width + 1) / 2, chromaSize = chromaWidth * ((_height + 1) / 2);
        Span<byte> cb = _samples.AsSpan(FrameMark.Length + luma.Length, chromaSize), cr = _samples.AsSpan(FrameMark.Length + luma.Length + chromaSize, chromaSize);
        for (int i = 0, p = 0; i < luma.Length; i++, p += 3)
            luma[i] = (byte)(16 + ((6416 * bgr[p] + 33039 * bgr[p + 1] + 16829 * bgr[p + 2] + Half) >> Shift));
        for (int y = 0; y < _height; y += 2)
        {
            ReadOnlySpan<byte> upper = bgr[(y * _width * 3)..], lower = bgr[(Math.Min(y + 1, _height - 1) * _width * 3)..];
            for (int x = 0; x < chromaWidth; x++)
            {
                // Sums of four; at an odd edge the last pixel counts twice.
                int p = 6 * x, q = 2 * x + 1 < _width ? p + 3 : p;
                int b = upper[p] + upper[q] + lower[p] + lower[q], g = upper[p + 1] + upper[q + 1] + lower[p + 1] + lower[q + 1], r = upper[p + 2] + upper[q + 2] + lower[p + 2] + lower[q + 2];
                int at = y / 2 * chromaWidth + x;
                cb[at] = (byte)(128 + ((28784 * b - 19070 * g - 9714 * r + 4 * Half) >> (Shift + 2)));
                cr[at] = (byte)(128 + ((28784 * r - 24103 * g - 4681 * b + 4 * Half) >> (Shift + 2)));
            }
        }
    }
}
