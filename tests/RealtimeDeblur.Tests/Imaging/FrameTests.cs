using RealtimeDeblur.Imaging;
using Xunit;

namespace RealtimeDeblur.Tests.Imaging;

public sealed class FrameTests
{
    public static TheoryData<PixelFormat> Formats => [.. Enum.GetValues<PixelFormat>()];

    /// <summary>Odd sizes, where chroma rounds up.</summary>
    [Theory]
    [MemberData(nameof(Formats))]
    public void Planes_AnyFormat_FillTheFrameWithoutGaps(PixelFormat pixels)
    {
        var format = new FrameFormat(pixels, 7, 5);
        int end = 0;
        for (int i = 0; i < format.PlaneCount; i++)
        {
            PlaneLayout plane = format.Plane(i);
            Assert.Equal(end, plane.OffsetBytes);
            end += plane.StrideBytes * plane.Height;
        }
        Assert.Equal(format.SizeBytes, end);
        Assert.Throws<ArgumentOutOfRangeException>(() => format.Plane(format.PlaneCount));
    }

    [Theory]
    [InlineData(PixelFormat.Gray8, 35)]
    [InlineData(PixelFormat.Yuv420P8, 35 + 2 * 4 * 3)]
    [InlineData(PixelFormat.Nv12, 35 + 2 * 4 * 3)]
    [InlineData(PixelFormat.P010, 2 * (35 + 2 * 4 * 3))]
    [InlineData(PixelFormat.Yuv422P10, 2 * (35 + 2 * 4 * 5))]
    [InlineData(PixelFormat.Bgr24, 3 * 35)]
    [InlineData(PixelFormat.Bgra32, 4 * 35)]
    [InlineData(PixelFormat.Rgb48, 6 * 35)]
    [InlineData(PixelFormat.Rgba64, 8 * 35)]
    [InlineData(PixelFormat.Yuva420P8, 35 + 2 * 4 * 3 + 35)]
    [InlineData(PixelFormat.Yuva422P10, 2 * (35 + 2 * 4 * 5 + 35))]
    public void SizeBytes_OddSize_CountsEverySample(PixelFormat pixels, int expected) => Assert.Equal(expected, new FrameFormat(pixels, 7, 5).SizeBytes);

    [Theory]
    [MemberData(nameof(Formats))]
    public void Copy_WithPaddedRows_BringsEverySampleThereAndBackAndLeavesThePadding(PixelFormat pixels)
    {
        PaddedPicture picture = PaddedPicture.Random(new(pixels, 7, 5), padding: 13, seed: 1);
        PaddedPicture target = PaddedPicture.Random(new(pixels, 7, 5), padding: 6, seed: 2);
        byte[] paddingBefore = target.PaddingBytes();
        using var frame = new Frame(picture.Format);

        frame.CopyFrom(picture.View);
        frame.CopyTo(target.View);

        Assert.Equal(picture.SampleBytes(), frame.Data.ToArray());
        Assert.Equal(picture.SampleBytes(), target.SampleBytes());
        Assert.Equal(paddingBefore, target.PaddingBytes());
    }

    [Theory]
    [MemberData(nameof(Formats))]
    public void Packed_AnyFormat_IsTheFramesOwnOrder(PixelFormat pixels)
    {
        var format = new FrameFormat(pixels, 7, 5);
        byte[] samples = new byte[format.SizeBytes], back = new byte[format.SizeBytes];
        new Random(3).NextBytes(samples);
        using var frame = new Frame(format);

        frame.CopyFrom(ReadOnlyFrameView.Packed(format, samples));
        frame.CopyTo(FrameView.Packed(format, back));

        Assert.Equal(samples, frame.Data.ToArray());
        Assert.Equal(samples, back);
        Assert.Throws<ArgumentException>(() => frame.CopyFrom(FrameView.Packed(format, back.AsSpan(1))));
    }

    [Fact]
    public void Copy_StrideRowsOrPlanesTooShort_SaysWhatIsNeeded()
    {
        using var frame = new Frame(new FrameFormat(PixelFormat.Rgba32, 7, 5));
        Assert.Contains("28 bytes", Assert.Throws<ArgumentException>(() => frame.CopyFrom(new FrameView(new byte[1000], 27))).Message, StringComparison.Ordinal);
        Assert.Contains("take 156 bytes; there are 155", Assert.Throws<ArgumentException>(() => frame.CopyTo(new FrameView(new byte[155], 32))).Message, StringComparison.Ordinal);
        using var planar = new Frame(new FrameFormat(PixelFormat.Yuv420P8, 7, 5));
        Assert.Contains("plane 2", Assert.Throws<ArgumentException>(() => planar.CopyFrom(new FrameView(new byte[35], 7, new byte[12], 4))).Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Copy_AfterDisposal_Throws()
    {
        var frame = new Frame(new FrameFormat(PixelFormat.Gray8, 7, 5));
        frame.Dispose();
        Assert.Throws<ObjectDisposedException>(() => frame.CopyFrom(new FrameView(new byte[35], 7)));
    }
}
