using OpenCvSharp;
using RealtimeDeblur.Compute;
using RealtimeDeblur.Imaging;
using RealtimeDeblur.Networks;
using RealtimeDeblur.Restoration;
using RealtimeDeblur.Video;
using Xunit;

namespace RealtimeDeblur.Tests.Video;

public sealed class MatRestorationTests
{
    private static readonly DeblurOptions Options = new() { Sigma = SigmaSetting.Of(1.5f), Guard = false };

    public static TheoryData<int> Channels => [1, 3, 4];

    /// <summary>A part of a larger picture, so that rows have bytes between them.</summary>
    [Theory]
    [MemberData(nameof(Channels))]
    public void Process_PartOfAPicture_RestoresAsAFrameAndLeavesTheRest(int channels)
    {
        using ComputeDevice device = TestDevice.OpenOrSkip();
        using Mat whole = Noise(channels), before = whole.Clone(), part = new(whole, new Rect(5, 3, 40, 30)), output = new();
        using var deblurrer = new Deblurrer(device, ModelCatalog.Load("tiny-camera"), MatRestoration.FrameFormatOf(part), Options);

        deblurrer.Process(part, output);
        Assert.True(AreSame(before, whole));
        using Mat expected = ByFrame(deblurrer, part);
        Assert.True(AreSame(expected, output));
        Assert.False(AreSame(part, output));

        deblurrer.Process(part, part);
        Assert.True(AreSame(expected, part));
        using Mat right = new(whole, new Rect(45, 0, 15, 50)), rightBefore = new(before, new Rect(45, 0, 15, 50));
        Assert.True(AreSame(rightBefore, right));
    }

    [Theory]
    [MemberData(nameof(Channels))]
    public void SubmitAndCollect_SeveralPictures_ComeBackInOrder(int channels)
    {
        using ComputeDevice device = TestDevice.OpenOrSkip();
        using Mat picture = Noise(channels), second = new(), output = new();
        Cv2.Flip(picture, second, FlipMode.X);
        using var deblurrer = new Deblurrer(device, ModelCatalog.Load("tiny-camera"), MatRestoration.FrameFormatOf(picture), Options);
        using Mat expected = ByFrame(deblurrer, picture), expectedSecond = ByFrame(deblurrer, second);

        deblurrer.Submit(picture);
        deblurrer.Submit(second);
        deblurrer.Collect(output);
        Assert.True(AreSame(expected, output));
        deblurrer.Collect(output);
        Assert.True(AreSame(expectedSecond, output));
    }

    [Fact]
    public void Process_OtherTypesAndSizes_SaysWhatToDo()
    {
        using ComputeDevice device = TestDevice.OpenOrSkip();
        using Mat picture = Noise(3), grey = Noise(1), floats = new(4, 4, MatType.CV_32FC1), empty = new();
        using var deblurrer = new Deblurrer(device, ModelCatalog.Load("tiny-camera"), MatRestoration.FrameFormatOf(picture), Options);
        Assert.Contains("make another one", Assert.Throws<ArgumentException>(() => deblurrer.Process(grey, empty)).Message, StringComparison.Ordinal);
        Assert.Contains("convert it", Assert.Throws<ArgumentException>(() => MatRestoration.FrameFormatOf(floats)).Message, StringComparison.Ordinal);
        Assert.Contains("empty", Assert.Throws<ArgumentException>(() => deblurrer.Submit(empty)).Message, StringComparison.Ordinal);
        using var planar = new Deblurrer(device, ModelCatalog.Load("tiny-camera"), new(PixelFormat.Yuv420P8, 8, 8), Options);
        Assert.Contains("collect a frame", Assert.Throws<ArgumentException>(() => planar.Collect(empty)).Message, StringComparison.Ordinal);
    }

    private static Mat Noise(int channels)
    {
        Mat noise = new(50, 60, MatType.CV_8UC(channels));
        Cv2.SetTheRNG(1);
        Cv2.Randu(noise, new Scalar(0, 0, 0, 0), new Scalar(256, 256, 256, 256));
        return noise;
    }

    private static Mat ByFrame(Deblurrer deblurrer, Mat picture)
    {
        using Frame frame = new(deblurrer.Format);
        Mat samples = Mat.FromPixelData(picture.Rows, picture.Cols, picture.Type(), frame.Address);
        using (samples)
        {
            picture.CopyTo(samples);
            deblurrer.Process(frame);
            return samples.Clone();
        }
    }

    private static bool AreSame(Mat one, Mat other) => one.Size() == other.Size() && one.Type() == other.Type() && Cv2.Norm(one, other, NormTypes.INF) == 0;
}
