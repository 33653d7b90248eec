using RealtimeDeblur.Imaging;

namespace RealtimeDeblur.Tests.Imaging;

/// <summary>A picture as other programs keep it: each plane in memory of its own, with bytes between its rows and none behind the last.</summary>
internal sealed class PaddedPicture
{
    private readonly byte[][] _planes;
    private readonly int[] _strides;

    private PaddedPicture(FrameFormat format, int padding)
    {
        Format = format;
        _strides = new int[4];
        _planes = [[], [], [], []];
        for (int i = 0; i < format.PlaneCount; i++)
        {
            _strides[i] = format.Plane(i).StrideBytes + padding;
            _planes[i] = new byte[_strides[i] * (format.Plane(i).Height - 1) + format.Plane(i).StrideBytes];
        }
    }

    public FrameFormat Format { get; }

    public FrameView View => new(_planes[0], _strides[0], _planes[1], _strides[1], _planes[2], _strides[2], _planes[3], _strides[3]);

    /// <summary>Random samples and padding.</summary>
    public static PaddedPicture Random(FrameFormat format, int padding, int seed)
    {
        PaddedPicture picture = new(format, padding);
        foreach (byte[] plane in picture._planes) new Random(seed++).NextBytes(plane);
        return picture;
    }

    /// <summary>The samples of a frame; random padding.</summary>
    public static PaddedPicture Of(Frame frame, int padding, int seed)
    {
        PaddedPicture picture = Random(frame.Format, padding, seed);
        frame.CopyTo(picture.View);
        return picture;
    }

    /// <summary>Samples in the order of a frame.</summary>
    public byte[] SampleBytes() => Bytes(arePadding: false);

    /// <summary>What lies between the rows.</summary>
    public byte[] PaddingBytes() => Bytes(arePadding: true);

    private byte[] Bytes(bool arePadding) =>
        [.. Enumerable.Range(0, Format.PlaneCount).SelectMany(i => _planes[i].Where((_, at) => at % _strides[i] >= Format.Plane(i).StrideBytes == arePadding))];
}
