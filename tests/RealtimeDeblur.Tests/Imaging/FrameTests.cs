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
    [InlineData(PixelFormat.Yuv422P10, 2 * (35 + 2 * 4 * 5))]
    [InlineData(PixelFormat.Bgr24, 3 * 35)]
    [InlineData(PixelFormat.Bgra32, 4 * 35)]
    [InlineData(PixelFormat.Rgb48, 6 * 35)]
    public void SizeBytes_OddSize_CountsEverySample(PixelFormat pixels, int expected) => Assert.Equal(expected, new FrameFormat(pixels, 7, 5).SizeBytes);

    [Theory]
    [MemberData(nameof(Formats))]
    public void CopyPlane_WithPaddedRows_BringsEverySampleThereAndBackAndLeavesThePadding(PixelFormat pixels)
    {
        const int padding = 13;
        const byte mark = 0xA5;
        var format = new FrameFormat(pixels, 7, 5);
        using var frame = new Frame(format);
        for (int i = 0; i < format.PlaneCount; i++)
        {
            PlaneLayout plane = format.Plane(i);
            int stride = plane.StrideBytes + padding;
            // The last row has no padding: hosts need not allocate any behind it.
            byte[] source = new byte[stride * (plane.Height - 1) + plane.StrideBytes], target = new byte[source.Length];
            new Random(i).NextBytes(source);
            Array.Fill(target, mark);

            frame.CopyPlaneFrom(i, source, stride);
            frame.CopyPlaneTo(i, target, stride);

            for (int at = 0; at < target.Length; at++) Assert.Equal(at % stride < plane.StrideBytes ? source[at] : mark, target[at]);
            Assert.Equal(source.AsSpan(stride, plane.StrideBytes), frame.PlaneData(i)[plane.StrideBytes..(2 * plane.StrideBytes)]);
        }
    }

    [Fact]
    public void CopyPlane_StrideOrRowsTooShort_SaysWhatIsNeeded()
    {
        using var frame = new Frame(new FrameFormat(PixelFormat.Rgba32, 7, 5));
        Assert.Contains("28 bytes", Assert.Throws<ArgumentException>(() => frame.CopyPlaneFrom(0, new byte[1000], 27)).Message, StringComparison.Ordinal);
        Assert.Contains("take 156 bytes; there are 155", Assert.Throws<ArgumentException>(() => frame.CopyPlaneTo(0, new byte[155], 32)).Message, StringComparison.Ordinal);
        Assert.Throws<ArgumentOutOfRangeException>(() => frame.CopyPlaneFrom(1, new byte[1000], 32));
    }

    [Fact]
    public void CopyPlane_AfterDisposal_Throws()
    {
        var frame = new Frame(new FrameFormat(PixelFormat.Gray8, 7, 5));
        frame.Dispose();
        Assert.Throws<ObjectDisposedException>(() => frame.CopyPlaneFrom(0, new byte[35], 7));
    }
}
