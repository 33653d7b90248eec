using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;

namespace RealtimeDeblur.Imaging;

/// <summary>One plane of a frame: where it starts in the frame's memory and how its rows lie there.</summary>
/// <param name="OffsetBytes">First byte, from the start of the frame.</param>
/// <param name="StrideBytes">Bytes from one row to the next.</param>
/// <param name="Width">Samples per row; an interleaved pixel counts once.</param>
/// <param name="Height">Rows.</param>
public readonly record struct PlaneLayout(int OffsetBytes, int StrideBytes, int Width, int Height);

/// <summary>Size and sample layout of a frame. Rows and planes follow each other without padding, as FFmpeg's raw video does with alignment 1.</summary>
/// <param name="Pixels">Sample layout.</param>
/// <param name="Width">Columns of the full-size plane, 1 or more.</param>
/// <param name="Height">Rows of the full-size plane, 1 or more.</param>
/// <param name="Range">Meaning of luma code values; ignored for RGB forms, which are full range.</param>
public readonly record struct FrameFormat(PixelFormat Pixels, int Width, int Height, ColorRange Range = ColorRange.Limited)
{
    /// <summary>Whether plane 0 holds R, G and B, rather than luma.</summary>
    public bool IsRgb => Pixels is PixelFormat.Rgb24 or PixelFormat.Bgr24 or PixelFormat.Rgba32 or PixelFormat.Bgra32 or PixelFormat.Rgb48 or PixelFormat.Rgba64;

    /// <summary>Whether plane 3 holds transparency.</summary>
    private bool HasAlphaPlane => Pixels is PixelFormat.Yuva420P8 or PixelFormat.Yuva422P8 or PixelFormat.Yuva444P8 or PixelFormat.Yuva420P10 or PixelFormat.Yuva422P10 or PixelFormat.Yuva444P10;

    /// <summary>Bits that carry the sample: 8, 10 or 16.</summary>
    public int BitDepth => Pixels switch
    {
        PixelFormat.Gray10 or PixelFormat.Yuv420P10 or PixelFormat.Yuv422P10 or PixelFormat.Yuv444P10 or PixelFormat.P010
            or PixelFormat.Yuva420P10 or PixelFormat.Yuva422P10 or PixelFormat.Yuva444P10 => 10,
        PixelFormat.Rgb48 or PixelFormat.Rgba64 => 16,
        _ => 8,
    };

    /// <summary>Largest code value: 255, 1023 or 65535. Words of <see cref="PixelFormat.P010"/> hold <see cref="CodeStep"/> times the code value.</summary>
    public int MaxValue => (1 << BitDepth) - 1;

    /// <summary>What a sample grows by from one code value to the next: 64 for <see cref="PixelFormat.P010"/>, else 1.</summary>
    internal int CodeStep => Pixels == PixelFormat.P010 ? 64 : 1;

    /// <summary>1, or 2 for samples of more than 8 bits.</summary>
    public int BytesPerSample => BitDepth > 8 ? 2 : 1;

    /// <summary>Samples of a pixel that lie side by side in plane 0: 3 or 4 for the RGB forms, else 1.</summary>
    public int SamplesPerPixel => Pixels is PixelFormat.Rgba32 or PixelFormat.Bgra32 or PixelFormat.Rgba64 ? 4 : IsRgb ? 3 : 1;

    /// <summary>3 for planar YCbCr forms, 4 for those with transparency, 2 for <see cref="PixelFormat.Nv12"/> and <see cref="PixelFormat.P010"/>, 1 for grey and interleaved RGB.</summary>
    public int PlaneCount => Pixels is PixelFormat.Gray8 or PixelFormat.Gray10 || IsRgb ? 1 : HasPairs ? 2 : HasAlphaPlane ? 4 : 3;

    /// <summary>Whether plane 1 holds Cb and Cr in turns.</summary>
    private bool HasPairs => Pixels is PixelFormat.Nv12 or PixelFormat.P010;

    /// <summary>Whether a chroma sample stands for two columns.</summary>
    internal bool HasHalfWidthChroma => Pixels is PixelFormat.Yuv420P8 or PixelFormat.Yuv422P8 or PixelFormat.Yuv420P10 or PixelFormat.Yuv422P10
        or PixelFormat.Yuva420P8 or PixelFormat.Yuva422P8 or PixelFormat.Yuva420P10 or PixelFormat.Yuva422P10 || HasPairs;

    /// <summary>Whether a chroma sample stands for two rows.</summary>
    internal bool HasHalfHeightChroma => Pixels is PixelFormat.Yuv420P8 or PixelFormat.Yuv420P10 or PixelFormat.Yuva420P8 or PixelFormat.Yuva420P10 || HasPairs;

    /// <summary>Bytes of the whole frame.</summary>
    public int SizeBytes
    {
        get
        {
            PlaneLayout last = Plane(PlaneCount - 1);
            return checked(last.OffsetBytes + last.StrideBytes * last.Height);
        }
    }

    /// <summary>Layout of plane <paramref name="index"/>: 0 is luma (or the only plane), 1 is Cb, 2 is Cr, 3 is transparency; of two-plane forms 1 is both, a pair counting as one sample. Odd sizes round chroma up.</summary>
    /// <exception cref="ArgumentOutOfRangeException">There is no such plane.</exception>
    public PlaneLayout Plane(int index)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(index);
        ArgumentOutOfRangeException.ThrowIfGreaterThanOrEqual(index, PlaneCount);
        int fullStride = checked(Width * BytesPerSample * SamplesPerPixel);
        if (index == 0) return new(0, fullStride, Width, Height);

        int chromaWidth = HasHalfWidthChroma ? (Width + 1) / 2 : Width;
        int chromaHeight = HasHalfHeightChroma ? (Height + 1) / 2 : Height;
        int chromaStride = chromaWidth * BytesPerSample * (HasPairs ? 2 : 1);
        int offset = checked(fullStride * Height + (index - 1) * chromaStride * chromaHeight);
        return index == 3 ? new(offset, fullStride, Width, Height) : new(offset, chromaStride, chromaWidth, chromaHeight);
    }

    /// <summary>Whether a picture is one of this format.</summary>
    /// <exception cref="ArgumentException">It is not; the message says why.</exception>
    internal void Check(ReadOnlyFrameView picture)
    {
        for (int i = 0; i < PlaneCount; i++)
        {
            PlaneLayout plane = Plane(i);
            int strideBytes = picture.StrideBytes(i), length = picture.Rows(i).Length;
            if (strideBytes < plane.StrideBytes)
                throw new ArgumentException($"Rows of plane {i} have {plane.StrideBytes} bytes ({plane.Width} samples of {Pixels}); a stride of {strideBytes} is too short.", nameof(picture));
            long needed = (long)strideBytes * (plane.Height - 1) + plane.StrideBytes;
            if (length < needed) throw new ArgumentException($"Plane {i} has {plane.Height} rows, which with a stride of {strideBytes} take {needed} bytes; there are {length}.", nameof(picture));
        }
    }

    /// <summary>Copies the samples of a plane from one place to another, unless both are the same.</summary>
    internal void CopyRows(int index, ReadOnlySpan<byte> from, int fromStrideBytes, Span<byte> to, int toStrideBytes)
    {
        PlaneLayout plane = Plane(index);
        if (fromStrideBytes == toStrideBytes)
        {
            if (Unsafe.AreSame(in MemoryMarshal.GetReference(from), in MemoryMarshal.GetReference(to))) return;
            if (fromStrideBytes == plane.StrideBytes)
            {
                from[..(plane.StrideBytes * plane.Height)].CopyTo(to);
                return;
            }
        }
        for (int y = 0; y < plane.Height; y++) from.Slice(y * fromStrideBytes, plane.StrideBytes).CopyTo(to[(y * toStrideBytes)..]);
    }
}
