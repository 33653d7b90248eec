using System.Runtime.InteropServices;
using OpenCvSharp;
using RealtimeDeblur.Imaging;

namespace RealtimeDeblur.Video.Live;

/// <summary>
/// A picture in motion with things that show blur: a street of houses passing by, a Siemens star, gratings, a zone plate, patches, print, and a clock with the frame's number.
/// Everything is drawn and blurred once; a frame is put together from the parts by copying.
/// </summary>
/// <remarks>
/// That is exact, not an imitation: the parts that move are strips that wrap around, and every part ends in so many rows of one and the same grey that blur does not reach from one into
/// the other. So a frame equals the sharp one, which a sigma of 0 gives, after a Gaussian; except near the left and right edge, where what passes outside the picture
/// blurs into it, as it does for a camera.
/// </remarks>
internal sealed class TestPattern
{
    private const string Clock = "0123456789:. ";
    private const int ClockLength = 17;         // 00:00.000  000000
    private const int Channels = 3;

    private static readonly Scalar Ground = new(58, 54, 52);

    private readonly byte[] _street;
    private readonly byte[] _chart;
    private readonly byte[] _print;
    private readonly byte[][] _digits;
    private readonly int _streetRows;
    private readonly int _chartRows;
    private readonly int _printRows;
    private readonly int _stripWidth;
    private readonly int _digitWidth;
    private readonly int _digitRows;

    /// <param name="width">Columns, 1 or more.</param>
    /// <param name="height">Rows, 1 or more.</param>
    /// <param name="sigma">Standard deviation of the blur in pixels, 0 or more.</param>
    /// <param name="margin">Rows of grey at the end of every part; null takes as many as blur reaches.</param>
    public TestPattern(int width, int height, double sigma, int? margin = null)
    {
        Format = new(PixelFormat.Bgr24, width, height, ColorRange.Full);
        int apart = margin ?? MarginFor(sigma);
        _streetRows = height / 2;
        _printRows = height / 9;
        _chartRows = height - _streetRows - _printRows;
        _stripWidth = 2 * width;
        _street = Blurred(TestPatternParts.Street(_stripWidth, _streetRows, apart, Ground), sigma, wraps: true);
        _print = Blurred(TestPatternParts.Print(_stripWidth, _printRows, apart, Ground), sigma, wraps: true);
        _chart = Blurred(TestPatternParts.Chart(width, _chartRows, apart, Ground, out Rect clock), sigma, wraps: false);
        // The clock is the top of the chart; its characters stand apart by two margins, each in a cell of its own.
        (_digitWidth, _digitRows) = (clock.Width / ClockLength, clock.Height);
        _digits = [.. Clock.Select(digit => _digitWidth < 1 || _digitRows < 1 ? [] : Blurred(TestPatternParts.Character(digit, _digitWidth, _digitRows, apart, Ground), sigma, wraps: false))];
    }

    public FrameFormat Format { get; }

    /// <summary>As far as blur reaches, and one row for edges that are drawn smoothly.</summary>
    public static int MarginFor(double sigma) => (int)Math.Ceiling(4 * sigma) + 1;

    /// <summary>Draws a frame. The pattern repeats, apart from its clock.</summary>
    /// <param name="number">The frame's number, 0 or more.</param>
    /// <param name="milliseconds">What the clock shows.</param>
    /// <param name="bgr">[H][W][3] as B, G, R, filled.</param>
    public void Draw(long number, long milliseconds, Span<byte> bgr)
    {
        int stride = Format.Width * Channels;
        CopyStrip(_street, (int)(number * 3 % _stripWidth), bgr[..(_streetRows * stride)]);
        _chart.CopyTo(bgr[(_streetRows * stride)..]);
        DrawClock(number, milliseconds, bgr.Slice(_streetRows * stride, _chartRows * stride));
        CopyStrip(_print, (int)(number * 2 % _stripWidth), bgr[((_streetRows + _chartRows) * stride)..]);
    }

    private void CopyStrip(byte[] strip, int from, Span<byte> bgr)
    {
        int stride = Format.Width * Channels, stripStride = _stripWidth * Channels;
        int first = Math.Min(stride, stripStride - from * Channels);
        for (int start = 0, row = 0; start < bgr.Length; start += stride, row += stripStride)
        {
            strip.AsSpan(row + from * Channels, first).CopyTo(bgr[start..]);
            strip.AsSpan(row, stride - first).CopyTo(bgr[(start + first)..]);
        }
    }

    private void DrawClock(long number, long milliseconds, Span<byte> chart)
    {
        if (_digitWidth < 1 || _digitRows < 1) return;
        Span<char> text = stackalloc char[ClockLength];
        text.Fill(' ');
        TimeSpan time = TimeSpan.FromMilliseconds(milliseconds);
        text.TryWrite($"{time.Minutes:00}:{time.Seconds:00}.{time.Milliseconds:000}  {number % 1000000:000000}", out _);
        int stride = Format.Width * Channels, cellStride = _digitWidth * Channels;
        for (int i = 0; i < text.Length; i++)
        {
            byte[] digit = _digits[Clock.IndexOf(text[i], StringComparison.Ordinal)];
            for (int y = 0; y < _digitRows; y++) digit.AsSpan(y * cellStride, cellStride).CopyTo(chart[(y * stride + i * cellStride)..]);
        }
    }

    /// <summary>Blurs a part and disposes it.</summary>
    private static byte[] Blurred(Mat part, double sigma, bool wraps)
    {
        using Mat sharp = part;
        byte[] bytes = new byte[sharp.Rows * sharp.Cols * Channels];
        if (bytes.Length == 0) return bytes;
        if (sigma > 0)
        {
            int reach = (int)Math.Ceiling(4 * sigma), side = 2 * reach + 1;
            // Wider by as much as blur reaches, with what comes round the other side.
            using Mat wide = new();
            int around = wraps ? reach : 0;
            Cv2.CopyMakeBorder(sharp, wide, 0, 0, around, around, BorderTypes.Wrap);
            Cv2.GaussianBlur(wide, wide, new Size(side, side), sigma, sigma, BorderTypes.Reflect101);
            using Mat middle = wide[new Rect(around, 0, sharp.Cols, sharp.Rows)];
            middle.CopyTo(sharp);
        }
        Marshal.Copy(sharp.Data, bytes, 0, bytes.Length);
        return bytes;
    }
}
