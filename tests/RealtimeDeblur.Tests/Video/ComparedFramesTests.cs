using System.Diagnostics.CodeAnalysis;
using RealtimeDeblur.Compute;
using RealtimeDeblur.Imaging;
using RealtimeDeblur.Pipeline;
using RealtimeDeblur.Restoration;
using RealtimeDeblur.Video;
using Xunit;

namespace RealtimeDeblur.Tests.Video;

public sealed class ComparedFramesTests
{
    [Theory]
    [InlineData(PixelFormat.Yuv420P8, 8, 6)]
    [InlineData(PixelFormat.Yuv420P8, 7, 5)]
    [InlineData(PixelFormat.Yuv422P10, 9, 4)]
    [InlineData(PixelFormat.Yuv444P8, 5, 3)]
    [InlineData(PixelFormat.Nv12, 7, 5)]
    [InlineData(PixelFormat.Rgb24, 5, 3)]
    [InlineData(PixelFormat.Gray8, 1, 1)]
    public void Side_AnyLayout_PutsOriginalLeftAndRestoredRight(PixelFormat pixels, int width, int height)
    {
        var format = new FrameFormat(pixels, width, height);
        using Frame joined = Join(format, VideoComparison.Side);
        Assert.Equal((width + width % 2) * 2, joined.Format.Width);
        for (int plane = 0; plane < format.PlaneCount; plane++)
        {
            int half = joined.Format.Plane(plane).StrideBytes / 2;
            for (int i = 0; i < joined.PlaneData(plane).Length; i++) Assert.Equal(i % (2 * half) < half ? 1 : 2, joined.PlaneData(plane)[i]);
        }
    }

    [Theory]
    [InlineData(PixelFormat.Yuv420P8, 16, 6)]
    [InlineData(PixelFormat.Yuv420P8, 17, 5)]
    [InlineData(PixelFormat.Yuv444P10, 13, 3)]
    [InlineData(PixelFormat.Rgba32, 12, 3)]
    public void Split_AnyLayout_ChangesAtTheSameColumnInEveryPlane(PixelFormat pixels, int width, int height)
    {
        var format = new FrameFormat(pixels, width, height);
        using Frame joined = Join(format, VideoComparison.Split);
        Assert.Equal(format, joined.Format);
        int seam = width / 4 * 2;
        for (int plane = 0; plane < format.PlaneCount; plane++)
        {
            PlaneLayout layout = format.Plane(plane);
            int sampleBytes = layout.StrideBytes / layout.Width, column = seam * layout.Width / (layout.Width < width ? width + width % 2 : width);
            for (int y = 0; y < layout.Height; y++)
            {
                for (int x = 0; x < layout.Width; x++)
                {
                    byte first = joined.PlaneData(plane)[y * layout.StrideBytes + x * sampleBytes];
                    if (plane == 0 && x >= column && x < column + 2) Assert.True(first is not (1 or 2), $"no line at column {x}");
                    else Assert.Equal(x < column ? 1 : 2, first);
                }
            }
        }
    }

    [Fact]
    public void Write_WithAnotherMethod_RestoresTheLeftPicture()
    {
        using ComputeDevice device = TestDevice.OpenOrSkip();
        var format = new FrameFormat(PixelFormat.Yuv420P8, 34, 18);
        var options = new DeblurOptions { Sigma = SigmaSetting.Of(1.5f), Guard = false };
        using var deblurrer = new Deblurrer(device, RestorationMethod.Parse("unsharp"), format, options);
        using Frame original = new(format), expected = new(format);
        Fill(original);
        Fill(expected);
        deblurrer.Process(expected);

        var sink = new KeepingSink();
        using var frames = new ComparedFrames(new FilledSource(format, Fill), sink, VideoComparison.Side, deblurrer);
        for (int i = 0; i < 2; i++)
        {
            Assert.True(frames.TryRead(out Frame? frame));
            frames.Write(frame);
            using Frame joined = sink.Frame!;
            for (int y = 0; y < format.Height; y++)
            {
                ReadOnlySpan<byte> row = joined.PlaneData(0).Slice(y * joined.Format.Plane(0).StrideBytes);
                Assert.Equal(expected.PlaneData(0).Slice(y * format.Plane(0).StrideBytes, format.Width), row[..format.Width]);
                Assert.Equal(original.PlaneData(0).Slice(y * format.Plane(0).StrideBytes, format.Width), row.Slice(format.Width, format.Width));
            }
        }

        static void Fill(Frame frame)
        {
            for (int i = 0; i < frame.Data.Length; i++) frame.Data[i] = (byte)(60 + i * 7 % 120);
        }
    }

    /// <summary>An original of ones and a restored frame of twos.</summary>
    private static Frame Join(FrameFormat format, VideoComparison comparison)
    {
        var sink = new KeepingSink();
        using var frames = new ComparedFrames(new FilledSource(format, frame => frame.Data.Fill(1)), sink, comparison);
        Assert.True(frames.TryRead(out Frame? frame));
        frame.Data.Fill(2);
        frame.Timestamp = 42;
        frames.Write(frame);
        Assert.Equal(42, sink.Frame!.Timestamp);
        var copy = new Frame(sink.Frame.Format);
        sink.Frame.Data.CopyTo(copy.Data);
        sink.Frame.Dispose();
        return copy;
    }

    private sealed class FilledSource(FrameFormat format, Action<Frame> fill) : IFrameSource
    {
        public FrameFormat Format => format;

        public bool TryRead([NotNullWhen(true)] out Frame? frame)
        {
            frame = new(format);
            fill(frame);
            return true;
        }

        public void StopReading()
        {
        }

        public void Dispose()
        {
        }
    }

    private sealed class KeepingSink : IFrameSink
    {
        public Frame? Frame { get; private set; }

        public void Write(Frame frame) => Frame = frame;

        public void Complete()
        {
        }

        public void Dispose()
        {
        }
    }
}
