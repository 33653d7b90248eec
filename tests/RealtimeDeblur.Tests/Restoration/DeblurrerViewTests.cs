using RealtimeDeblur.Compute;
using RealtimeDeblur.Imaging;
using RealtimeDeblur.Networks;
using RealtimeDeblur.Restoration;
using RealtimeDeblur.Tests.Imaging;
using RealtimeDeblur.Tests.Networks;
using Xunit;

namespace RealtimeDeblur.Tests.Restoration;

/// <summary>Pictures in memory of the caller's give what frames give.</summary>
public sealed class DeblurrerViewTests
{
    private const int Padding = 11;

    public static TheoryData<PixelFormat> Formats => [.. Enum.GetValues<PixelFormat>()];

    private static Network Conditioned => RandomNetwork.Create(NetworkDescription.Dbcnn(n1: 8, n2: 8, f1: 3, f3: 3).WithSigmaKnots([0.5f, 1, 3]), seed: 1);

    // Noise is what the guard leaves alone.
    private static DeblurOptions Options => new() { Sigma = SigmaSetting.Of(1.5f), Guard = false };

    [Theory]
    [MemberData(nameof(Formats))]
    public void Process_PaddedRows_RestoresAsAFrameAndLeavesInputAndPadding(PixelFormat pixels)
    {
        using ComputeDevice device = TestDevice.OpenOrSkip();
        var format = new FrameFormat(pixels, 37, 23);
        using var deblurrer = new Deblurrer(device, Conditioned, format, Options);
        using Frame frame = Noise(format, seed: 1);
        PaddedPicture input = PaddedPicture.Of(frame, Padding, seed: 2), output = PaddedPicture.Random(format, Padding + 5, seed: 3);
        (byte[] before, byte[] inputPadding, byte[] outputPadding) = (input.SampleBytes(), input.PaddingBytes(), output.PaddingBytes());

        deblurrer.Process(input.View, output.View);

        deblurrer.Process(frame);
        Assert.NotEqual(before, frame.Data.ToArray());
        Assert.Equal(frame.Data.ToArray(), output.SampleBytes());
        Assert.Equal(before, input.SampleBytes());
        Assert.Equal(inputPadding, input.PaddingBytes());
        Assert.Equal(outputPadding, output.PaddingBytes());
    }

    [Theory]
    [MemberData(nameof(Formats))]
    public void Process_InPlace_RestoresAsAFrame(PixelFormat pixels)
    {
        using ComputeDevice device = TestDevice.OpenOrSkip();
        var format = new FrameFormat(pixels, 36, 21);
        using var deblurrer = new Deblurrer(device, Conditioned, format, Options);
        using Frame frame = Noise(format, seed: 4);
        PaddedPicture picture = PaddedPicture.Of(frame, Padding, seed: 5);
        byte[] padding = picture.PaddingBytes();

        deblurrer.Process(picture.View, picture.View);

        deblurrer.Process(frame);
        Assert.Equal(frame.Data.ToArray(), picture.SampleBytes());
        Assert.Equal(padding, picture.PaddingBytes());
    }

    [Theory]
    [InlineData(PixelFormat.P010)]
    [InlineData(PixelFormat.Bgra32)]
    public void SubmitAndCollect_PicturesChangedAfterwards_ComeBackInOrderAsFramesDo(PixelFormat pixels)
    {
        using ComputeDevice device = TestDevice.OpenOrSkip();
        var format = new FrameFormat(pixels, 36, 21);
        using var deblurrer = new Deblurrer(device, Conditioned, format, Options);
        List<byte[]> expected = [];
        PaddedPicture output = PaddedPicture.Random(format, Padding, seed: 6);
        for (int i = 0; i < 7; i++)
        {
            using Frame frame = Noise(format, seed: 10 + i);
            byte[] samples = frame.Data.ToArray();
            deblurrer.Process(frame);
            expected.Add(frame.Data.ToArray());
            Assert.NotEqual(samples, expected[i]);
        }
        int collected = 0;
        for (int i = 0; i < expected.Count; i++)
        {
            if (deblurrer.InFlight == Deblurrer.MaxInFlight) CollectOne();
            using Frame frame = Noise(format, seed: 10 + i);
            PaddedPicture input = PaddedPicture.Of(frame, Padding, seed: 7);
            deblurrer.Submit(input.View);
            input.View.Rows(0).Clear();
        }
        while (deblurrer.InFlight > 0) CollectOne();
        Assert.Equal(expected.Count, collected);

        void CollectOne()
        {
            deblurrer.Collect(output.View);
            Assert.Equal(expected[collected++], output.SampleBytes());
        }
    }

    /// <summary>As on a device with memory of its own, for which pictures go through pinned memory.</summary>
    [Theory]
    [InlineData(PixelFormat.Yuv420P8)]
    [InlineData(PixelFormat.Rgb48)]
    public void ProcessSubmitCollect_MemoryApart_RestoreAsAFrame(PixelFormat pixels)
    {
        using ComputeDevice device = TestDevice.OpenOrSkip();
        var format = new FrameFormat(pixels, 36, 21);
        using var deblurrer = new Deblurrer(device, Conditioned, format, Options, plan: null, memoryLimitBytes: null, isApart: true);
        for (int i = 0; i < 3; i++)
        {
            using Frame frame = Noise(format, seed: 20 + i);
            PaddedPicture input = PaddedPicture.Of(frame, Padding, seed: 1), output = PaddedPicture.Random(format, Padding, seed: 2);
            deblurrer.Process(frame);
            deblurrer.Process(input.View, output.View);
            Assert.Equal(frame.Data.ToArray(), output.SampleBytes());
            deblurrer.Submit(input.View);
            deblurrer.Collect(input.View);
            Assert.Equal(frame.Data.ToArray(), input.SampleBytes());
        }
    }

    [Fact]
    public void Collect_PictureThatDoesNotFit_LeavesTheFrameInFlight()
    {
        using ComputeDevice device = TestDevice.OpenOrSkip();
        var format = new FrameFormat(PixelFormat.Gray8, 8, 6);
        using var deblurrer = new Deblurrer(device, Conditioned, format, Options);
        byte[] samples = new byte[48];
        deblurrer.Submit(new FrameView(samples, 8));
        Assert.Throws<ArgumentException>(() => deblurrer.Collect(new FrameView(samples, 7)));
        Assert.Equal(1, deblurrer.InFlight);
        deblurrer.Collect(new FrameView(samples, 8));
        Assert.Throws<InvalidOperationException>(() => deblurrer.Collect(new FrameView(samples, 8)));
    }

    [Fact]
    public void Submit_PictureThatDoesNotFitOrOneTooMany_SaysSoAndKeepsTheRest()
    {
        using ComputeDevice device = TestDevice.OpenOrSkip();
        var format = new FrameFormat(PixelFormat.Gray8, 8, 6);
        using var deblurrer = new Deblurrer(device, Conditioned, format, Options);
        byte[] samples = new byte[48];
        Assert.Throws<ArgumentException>(() => deblurrer.Submit(new FrameView(samples, 9)));
        for (int i = 0; i < Deblurrer.MaxInFlight; i++) deblurrer.Submit(new FrameView(samples, 8));
        Assert.Throws<InvalidOperationException>(() => deblurrer.Submit(new FrameView(samples, 8)));
        Assert.Throws<InvalidOperationException>(() => deblurrer.Process(new FrameView(samples, 8), new FrameView(samples, 8)));
        Assert.Equal(Deblurrer.MaxInFlight, deblurrer.InFlight);
    }

    [Fact]
    public void Process_AfterDisposal_Throws()
    {
        using ComputeDevice device = TestDevice.OpenOrSkip();
        var deblurrer = new Deblurrer(device, Conditioned, new(PixelFormat.Gray8, 8, 6), Options);
        deblurrer.Dispose();
        Assert.Throws<ObjectDisposedException>(() => deblurrer.Process(new FrameView(new byte[48], 8), new FrameView(new byte[48], 8)));
    }

    /// <summary>Alone and in flight, with the guard, with the blur estimated, in formats of one and of three planes.</summary>
    [Theory]
    [InlineData(PixelFormat.Rgba32)]
    [InlineData(PixelFormat.Yuv420P8)]
    public void ProcessSubmitCollect_AfterTheFirstPicture_AllocateNothing(PixelFormat pixels)
    {
        using ComputeDevice device = TestDevice.OpenOrSkip();
        var format = new FrameFormat(pixels, 128, 96);
        using var deblurrer = new Deblurrer(device, ModelCatalog.Load("tiny-camera"), format);
        byte[] samples = new byte[format.SizeBytes];
        new Random(1).NextBytes(samples);
        for (int i = 0; i < 3; i++) Round();
        long buffers = device.BuffersCreated;
        AllocationAssert.None(() =>
        {
            for (int i = 0; i < 5; i++) Round();
        });
        Assert.Equal(buffers, device.BuffersCreated);

        void Round()
        {
            deblurrer.Process(FrameView.Packed(format, samples), FrameView.Packed(format, samples));
            for (int j = 0; j < Deblurrer.MaxInFlight; j++) deblurrer.Submit(ReadOnlyFrameView.Packed(format, samples));
            while (deblurrer.InFlight > 0) deblurrer.Collect(FrameView.Packed(format, samples));
        }
    }

    [Fact]
    public void Process_P010_RestoresTheCodesOf10BitPlanar()
    {
        using ComputeDevice device = TestDevice.OpenOrSkip();
        FrameFormat planar = new(PixelFormat.Yuv420P10, 64, 40), pairs = planar with { Pixels = PixelFormat.P010 };
        using Frame tenBit = Noise(planar, seed: 9), shifted = Noise(pairs, seed: 9);
        for (int i = 0; i < tenBit.PlaneData(0).Length; i += 2)
        {
            int code = 4 * (100 + i % 97);
            (tenBit.PlaneData(0)[i], tenBit.PlaneData(0)[i + 1]) = ((byte)code, (byte)(code >> 8));
            (shifted.PlaneData(0)[i], shifted.PlaneData(0)[i + 1]) = ((byte)(code << 6), (byte)(code >> 2));
        }
        byte[] chroma = shifted.PlaneData(1).ToArray();
        using (var deblurrer = new Deblurrer(device, ModelCatalog.Load("tiny-camera"), planar, Options)) deblurrer.Process(tenBit);
        using (var deblurrer = new Deblurrer(device, ModelCatalog.Load("tiny-camera"), pairs, Options)) deblurrer.Process(shifted);

        for (int i = 0; i < tenBit.PlaneData(0).Length; i += 2)
            Assert.Equal((tenBit.PlaneData(0)[i] | tenBit.PlaneData(0)[i + 1] << 8) << 6, shifted.PlaneData(0)[i] | shifted.PlaneData(0)[i + 1] << 8);
        Assert.Equal(chroma, shifted.PlaneData(1).ToArray());
    }

    private static Frame Noise(FrameFormat format, int seed)
    {
        var frame = new Frame(format);
        var random = new Random(seed);
        for (int i = 0; i < frame.Data.Length; i += format.BytesPerSample)
        {
            int sample = random.Next(format.MaxValue + 1) * format.CodeStep;
            frame.Data[i] = (byte)sample;
            if (format.BytesPerSample == 2) frame.Data[i + 1] = (byte)(sample >> 8);
        }
        return frame;
    }
}
