using OpenCvSharp;
using RealtimeDeblur.Imaging;

namespace RealtimeDeblur.Video.Live;

/// <summary>
/// Gives frames of any size the size of the first one, for outputs that cannot change theirs: as large as fits, in the middle, black around it. Frames are <see cref="PixelFormat.Bgr24"/>.
/// </summary>
internal sealed class Letterbox : IDisposable
{
    private readonly Size _picture;
    private readonly Mat _canvas;

    /// <param name="first">Format of the first frame.</param>
    /// <param name="makesEven">Whether width and height have to be even: odd ones grow by one, with what lies at the edge.</param>
    public Letterbox(FrameFormat first, bool makesEven)
    {
        if (first.Pixels != PixelFormat.Bgr24) throw new ArgumentException($"Live outputs take Bgr24 frames, not {first.Pixels}.", nameof(first));
        _picture = new(first.Width, first.Height);
        int odd = makesEven ? 1 : 0;
        Format = first with { Width = first.Width + (first.Width & odd), Height = first.Height + (first.Height & odd) };
        _canvas = new(Format.Height, Format.Width, MatType.CV_8UC3, Scalar.Black);
    }

    /// <summary>Format of what <see cref="Fit"/> gives.</summary>
    public FrameFormat Format { get; }

    /// <summary>That format with times in microseconds, as NUT describes it.</summary>
    public NutVideoStream RawStream
    {
        get
        {
            const uint bgr24 = 'B' | 'G' << 8 | 'R' << 16 | 24 << 24;
            return new(Format.Width, Format.Height, new Rational(1, 1_000_000), new Rational(1, 1), bgr24);
        }
    }

    /// <summary>The frame in that format.</summary>
    /// <returns>All samples; the frame's own where they fit as they are, valid until the frame is disposed or the next call.</returns>
    public unsafe ReadOnlySpan<byte> Fit(Frame frame)
    {
        FrameFormat given = frame.Format;
        if (given.Width == Format.Width && given.Height == Format.Height) return frame.Data;
        using Mat picture = Mat.FromPixelData(given.Height, given.Width, MatType.CV_8UC3, frame.Address);
        if (given.Width == _picture.Width && given.Height == _picture.Height)
        {
            Cv2.CopyMakeBorder(picture, _canvas, 0, Format.Height - given.Height, 0, Format.Width - given.Width, BorderTypes.Replicate);
        }
        else
        {
            double scale = Math.Min((double)Format.Width / given.Width, (double)Format.Height / given.Height);
            int width = Math.Clamp((int)Math.Round(given.Width * scale), 1, Format.Width), height = Math.Clamp((int)Math.Round(given.Height * scale), 1, Format.Height);
            _canvas.SetTo(Scalar.Black);
            using Mat middle = _canvas[new Rect((Format.Width - width) / 2, (Format.Height - height) / 2, width, height)];
            Cv2.Resize(picture, middle, middle.Size(), interpolation: scale < 1 ? InterpolationFlags.Area : InterpolationFlags.Cubic);
        }
        return new(_canvas.DataPointer, Format.SizeBytes);
    }

    public void Dispose() => _canvas.Dispose();
}
