namespace RealtimeDeblur.Imaging;

/// <summary>
/// A picture in memory of somebody else: for each plane its rows, the first one first, and the bytes from the beginning of one row to that of the next, so that rows may have bytes between them.
/// A view owns nothing and knows no format: whoever takes it checks that every plane of the format is there, that a stride is not shorter than a row, and that the last row's samples are all there.
/// </summary>
public readonly ref struct FrameView
{
    private readonly Span<byte> _plane0, _plane1, _plane2, _plane3;

    /// <param name="plane0">Luma, grey, or interleaved RGB.</param>
    /// <param name="stride0Bytes">Of its rows.</param>
    /// <param name="plane1">Cb, or Cb and Cr in turns; nothing for formats of one plane.</param>
    /// <param name="stride1Bytes">Of its rows.</param>
    /// <param name="plane2">Cr, for formats of three planes.</param>
    /// <param name="stride2Bytes">Of its rows.</param>
    /// <param name="plane3">Transparency, for formats of four planes.</param>
    /// <param name="stride3Bytes">Of its rows.</param>
    public FrameView(Span<byte> plane0, int stride0Bytes, Span<byte> plane1 = default, int stride1Bytes = 0, Span<byte> plane2 = default, int stride2Bytes = 0,
        Span<byte> plane3 = default, int stride3Bytes = 0)
    {
        _plane0 = plane0;
        _plane1 = plane1;
        _plane2 = plane2;
        _plane3 = plane3;
        Strides = new(stride0Bytes, stride1Bytes, stride2Bytes, stride3Bytes);
    }

    private PlaneStrides Strides { get; }

    /// <summary>Planes one after another without gaps, as in <see cref="Frame.Data"/>.</summary>
    /// <param name="format">Of the picture.</param>
    /// <param name="samples">At least <see cref="FrameFormat.SizeBytes"/> long.</param>
    /// <exception cref="ArgumentException">There are fewer bytes.</exception>
    public static FrameView Packed(FrameFormat format, Span<byte> samples)
    {
        ReadOnlyFrameView.CheckPacked(format, samples.Length);
        PlaneLayout plane0 = format.Plane(0);
        if (format.PlaneCount == 1) return new(samples, plane0.StrideBytes);
        PlaneLayout plane1 = format.Plane(1), plane2 = format.Plane(Math.Min(2, format.PlaneCount - 1)), plane3 = format.Plane(format.PlaneCount - 1);
        return new(samples, plane0.StrideBytes, samples[plane1.OffsetBytes..], plane1.StrideBytes, samples[plane2.OffsetBytes..], plane2.StrideBytes, samples[plane3.OffsetBytes..], plane3.StrideBytes);
    }

    /// <summary>The same picture, only to be read.</summary>
    public static implicit operator ReadOnlyFrameView(FrameView view) => new(view._plane0, view.Strides[0], view._plane1, view.Strides[1], view._plane2, view.Strides[2], view._plane3, view.Strides[3]);

    /// <summary>Rows of plane 0, 1, 2 or 3, as given.</summary>
    internal Span<byte> Rows(int plane) => plane switch { 0 => _plane0, 1 => _plane1, 2 => _plane2, _ => _plane3 };

    internal int StrideBytes(int plane) => Strides[plane];
}

/// <summary>As <see cref="FrameView"/>, of a picture that is only read.</summary>
public readonly ref struct ReadOnlyFrameView
{
    private readonly ReadOnlySpan<byte> _plane0, _plane1, _plane2, _plane3;

    /// <inheritdoc cref="FrameView(Span{byte}, int, Span{byte}, int, Span{byte}, int, Span{byte}, int)"/>
    public ReadOnlyFrameView(ReadOnlySpan<byte> plane0, int stride0Bytes, ReadOnlySpan<byte> plane1 = default, int stride1Bytes = 0, ReadOnlySpan<byte> plane2 = default, int stride2Bytes = 0,
        ReadOnlySpan<byte> plane3 = default, int stride3Bytes = 0)
    {
        _plane0 = plane0;
        _plane1 = plane1;
        _plane2 = plane2;
        _plane3 = plane3;
        Strides = new(stride0Bytes, stride1Bytes, stride2Bytes, stride3Bytes);
    }

    private PlaneStrides Strides { get; }

    /// <inheritdoc cref="FrameView.Packed"/>
    public static ReadOnlyFrameView Packed(FrameFormat format, ReadOnlySpan<byte> samples)
    {
        CheckPacked(format, samples.Length);
        PlaneLayout plane0 = format.Plane(0);
        if (format.PlaneCount == 1) return new(samples, plane0.StrideBytes);
        PlaneLayout plane1 = format.Plane(1), plane2 = format.Plane(Math.Min(2, format.PlaneCount - 1)), plane3 = format.Plane(format.PlaneCount - 1);
        return new(samples, plane0.StrideBytes, samples[plane1.OffsetBytes..], plane1.StrideBytes, samples[plane2.OffsetBytes..], plane2.StrideBytes, samples[plane3.OffsetBytes..], plane3.StrideBytes);
    }

    /// <inheritdoc cref="FrameView.Rows"/>
    internal ReadOnlySpan<byte> Rows(int plane) => plane switch { 0 => _plane0, 1 => _plane1, 2 => _plane2, _ => _plane3 };

    internal int StrideBytes(int plane) => Strides[plane];

    internal static void CheckPacked(FrameFormat format, int bytes)
    {
        if (bytes < format.SizeBytes) throw new ArgumentException($"A {format.Width}x{format.Height} picture of {format.Pixels} takes {format.SizeBytes} bytes; there are {bytes}.");
    }
}

/// <summary>Bytes from one row to the next, for each plane.</summary>
internal readonly record struct PlaneStrides(int Plane0, int Plane1, int Plane2, int Plane3)
{
    public int this[int plane] => plane switch { 0 => Plane0, 1 => Plane1, 2 => Plane2, _ => Plane3 };
}
