using System.Buffers.Binary;
using RealtimeDeblur.Compute;
using RealtimeDeblur.Imaging;
using RealtimeDeblur.Networks;
using RealtimeDeblur.Restoration;
using RealtimeDeblur.Tests.Networks;
using Xunit;

namespace RealtimeDeblur.Tests.Restoration;

/// <summary>A deblurrer that finds sigma by itself. The estimator of these tests takes brightness for blur.</summary>
public sealed class SigmaFinderTests : IDisposable
{
    private static readonly FrameFormat Format = new(PixelFormat.Gray8, 64, 48);

    private readonly ComputeDevice _device = TestDevice.OpenOrSkip();

    public void Dispose() => _device.Dispose();

    private static Network Dial => RandomNetwork.Create(NetworkDescription.Dbcnn(n1: 8, n2: 8, f1: 3, f3: 3).WithSigmaKnots([0.5f, 1, 3]), seed: 1);

    [Fact]
    public void Process_Auto_RestoresEveryPictureWithItsOwnSigma()
    {
        using Deblurrer deblurrer = Create();
        foreach ((int brightness, float sigma) in new[] { (BrightnessEstimator.Mild, 1f), (BrightnessEstimator.Strong, 2.55f), (BrightnessEstimator.Strong, 2.55f), (BrightnessEstimator.Mild, 1f) })
        {
            using Frame frame = Create(brightness, seed: 1);
            deblurrer.Process(frame);
            Assert.False(deblurrer.LastIsSharp);
            Assert.Equal(sigma, deblurrer.LastSigma!.Value, 0.05);
            RestoredSamples.AssertSame(Restored(brightness, seed: 1, deblurrer.LastSigma.Value), frame.Data);
        }
    }

    [Theory]
    [InlineData(PixelFormat.Gray8)]
    [InlineData(PixelFormat.Yuv420P10)]
    [InlineData(PixelFormat.Rgb24)]
    public void Process_SharpFrame_LeavesEverySample(PixelFormat pixels)
    {
        FrameFormat format = new(pixels, 67, 45, ColorRange.Limited);
        foreach (bool isApart in (bool[])[false, true])
        {
            using Deblurrer deblurrer = Create(isApart: isApart, format: format);
            using Frame frame = new(format);
            Random random = new(1);
            // Around a quarter of full scale.
            for (int i = 0; i < frame.Data.Length; i += format.BytesPerSample)
            {
                if (format.BytesPerSample == 1) frame.Data[i] = (byte)random.Next(50, 70);
                else BinaryPrimitives.WriteUInt16LittleEndian(frame.Data[i..], (ushort)(random.Next(256, 296) * format.CodeStep));
            }
            byte[] before = frame.Data.ToArray();
            deblurrer.Process(frame);
            Assert.True(deblurrer.LastIsSharp, $"sigma {deblurrer.LastSigma}");
            Assert.InRange(deblurrer.LastSigma!.Value, 0, SigmaEstimate.SharpLimit);
            Assert.Equal(before, frame.Data);
        }
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void Process_SharpFrameAndViewOfConfidence_IsBlack(bool isApart)
    {
        using Deblurrer deblurrer = Create(isApart: isApart);
        using Frame frame = Create(BrightnessEstimator.Sharp, seed: 1);
        deblurrer.Options = deblurrer.Options with { View = DeblurView.Confidence };
        deblurrer.Process(frame);
        Assert.True(deblurrer.LastIsSharp);
        Assert.Equal(-1, frame.Data.IndexOfAnyExcept((byte)0));
    }

    /// <summary>Frames too small to tell anything have nothing to restore.</summary>
    [Fact]
    public void Process_FrameThatTellsNothing_LeavesEverySample()
    {
        FrameFormat format = new(PixelFormat.Gray8, 15, 9);
        using Deblurrer deblurrer = Create(format: format);
        using Frame frame = new(format);
        new Random(1).NextBytes(frame.Data);
        byte[] before = frame.Data.ToArray();
        deblurrer.Process(frame);
        Assert.Equal((0f, true), (deblurrer.LastSigma!.Value, deblurrer.LastIsSharp));
        Assert.Equal(before, frame.Data);
    }

    /// <summary>The first frame waits for its own estimate; a cut shows in the estimates three frames later, and the tracker wants three of them.</summary>
    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void Submit_CutInAVideo_FollowsIt(bool isApart)
    {
        int[] brightness = [.. Enumerable.Repeat(BrightnessEstimator.Strong, 6), .. Enumerable.Repeat(BrightnessEstimator.Mild, 10)];
        (float Sigma, bool IsSharp, byte[] Data)[] frames = Run(brightness, inFlight: Deblurrer.MaxInFlight, isApart);
        Assert.All(frames, frame => Assert.False(frame.IsSharp));
        Assert.All(frames[..8], frame => Assert.Equal(2.55f, frame.Sigma, 0.05));
        Assert.All(frames[12..], frame => Assert.Equal(1f, frame.Sigma, 0.05));
        foreach ((int i, (float sigma, _, byte[] data)) in frames.Index()) RestoredSamples.AssertSame(Restored(brightness[i], seed: i, sigma), data);
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void Submit_SharpSceneInAVideo_PassesUnchangedInOrder(bool isApart)
    {
        int[] brightness = [.. Enumerable.Repeat(BrightnessEstimator.Sharp, 8), .. Enumerable.Repeat(BrightnessEstimator.Strong, 8), .. Enumerable.Repeat(BrightnessEstimator.Sharp, 8)];
        (float Sigma, bool IsSharp, byte[] Data)[] frames = Run(brightness, inFlight: Deblurrer.MaxInFlight, isApart);
        Assert.All(frames[..8], frame => Assert.True(frame.IsSharp));
        Assert.False(frames[14].IsSharp);
        Assert.True(frames[^1].IsSharp);
        foreach ((int i, (float sigma, bool isSharp, byte[] data)) in frames.Index())
        {
            using Frame original = Create(brightness[i], seed: i);
            if (isSharp) Assert.Equal(original.Data.ToArray(), data);
            else RestoredSamples.AssertSame(Restored(brightness[i], seed: i, sigma), data);
        }
    }

    /// <summary>What comes out must not depend on who is how fast.</summary>
    [Fact]
    public void Submit_OneAfterTheOtherOrManyAtOnce_GivesTheSame()
    {
        Random random = new(2);
        int[] brightness = [.. Enumerable.Range(0, 24).Select(i => (i < 12 ? BrightnessEstimator.Mild : BrightnessEstimator.Sharp) + random.Next(-12, 13))];
        (float, bool, byte[])[] single = Run(brightness, inFlight: 1, isApart: false), together = Run(brightness, Deblurrer.MaxInFlight, isApart: true);
        Assert.Equal(single.Select(frame => (frame.Item1, frame.Item2)), together.Select(frame => (frame.Item1, frame.Item2)));
        foreach ((var one, var other) in single.Zip(together)) Assert.Equal(one.Item3, other.Item3);
    }

    /// <summary>A scene that goes on is looked at now and then; a cut is noticed all the same, and from there on as quickly as ever.</summary>
    [Fact]
    public void Submit_CutAfterALongScene_FollowsItAfterAFewFrames()
    {
        const int cut = 41;
        int[] brightness = [.. Enumerable.Repeat(BrightnessEstimator.Strong, cut), .. Enumerable.Repeat(BrightnessEstimator.Mild, 20)];
        (float Sigma, bool IsSharp, byte[] Data)[] frames = Run(brightness, inFlight: Deblurrer.MaxInFlight, isApart: false);
        int followed = Array.FindIndex(frames, frame => MathF.Abs(frame.Sigma - 1) < 0.05f);
        // Until the next look, three frames until what it tells is read, three estimates that agree, and three frames again.
        Assert.InRange(followed - cut, SigmaTracker.CutFrames, SigmaFinder.RestFrames + 3 + SigmaTracker.CutFrames + 3);
        Assert.All(frames[followed..], frame => Assert.Equal(1f, frame.Sigma, 0.05));
    }

    [Fact]
    public void Options_FromAutoToAValueAndBack_StartsAgain()
    {
        using Deblurrer deblurrer = Create();
        List<float> sigmas = [];
        foreach ((int brightness, SigmaSetting setting) in (IEnumerable<(int, SigmaSetting)>)
            [(BrightnessEstimator.Mild, SigmaSetting.Auto), (BrightnessEstimator.Mild, SigmaSetting.Auto), (BrightnessEstimator.Mild, SigmaSetting.Of(3)), (BrightnessEstimator.Mild, SigmaSetting.Off), (BrightnessEstimator.Strong, SigmaSetting.Auto)])
        {
            if (deblurrer.InFlight == Deblurrer.MaxInFlight) CollectOne();
            deblurrer.Options = deblurrer.Options with { Sigma = setting };
            deblurrer.Submit(Create(brightness, seed: 1));
        }
        while (deblurrer.InFlight > 0) CollectOne();
        Assert.Equal([1, 1, 3, 1, 2.5f], sigmas.Select(sigma => MathF.Round(sigma * 10) / 10));

        void CollectOne()
        {
            deblurrer.Collect().Dispose();
            sigmas.Add(deblurrer.LastSigma!.Value);
        }
    }

    [Fact]
    public void Submit_RunningLoop_AllocatesNeitherManagedNorDeviceMemory()
    {
        using Deblurrer deblurrer = Create();
        using FramePool pool = new(Format);
        Loop(300);
        long buffers = _device.BuffersCreated;
        AllocationAssert.None(() => Loop(300));
        Assert.Equal(buffers, _device.BuffersCreated);

        void Loop(int frames)
        {
            for (int i = 0; i < frames; i++)
            {
                if (deblurrer.InFlight == Deblurrer.MaxInFlight) deblurrer.Collect().Dispose();
                Frame frame = pool.Rent();
                frame.Data.Fill((byte)(60 + i / 2));     // from sharp to strongly blurred
                deblurrer.Submit(frame);
            }
            while (deblurrer.InFlight > 0) deblurrer.Collect().Dispose();
        }
    }

    [Fact]
    public void Dispose_FramesInFlight_DisposesThem()
    {
        Deblurrer deblurrer = Create();
        Frame[] frames = [Create(BrightnessEstimator.Sharp, seed: 1), Create(BrightnessEstimator.Sharp, seed: 2)];
        foreach (Frame frame in frames) deblurrer.Submit(frame);
        deblurrer.Dispose();
        Assert.All(frames, frame => Assert.Throws<ObjectDisposedException>(() => frame.Address));
    }

    private Deblurrer Create(bool isApart = false, FrameFormat? format = null) =>
        new(_device, Dial, format ?? Format, new() { Guard = false }, plan: null, memoryLimitBytes: null, isApart, BrightnessEstimator.Create());

    /// <summary>Noise of so much brightness.</summary>
    private static Frame Create(int brightness, int seed)
    {
        Frame frame = new(Format);
        Random random = new(seed);
        for (int i = 0; i < frame.Data.Length; i++) frame.Data[i] = (byte)(brightness + random.Next(-8, 9));
        return frame;
    }

    private byte[] Restored(int brightness, int seed, float sigma)
    {
        using Deblurrer plain = new(_device, Dial.At(sigma), Format);
        using Frame frame = Create(brightness, seed);
        plain.Process(frame);
        return frame.Data.ToArray();
    }

    private (float Sigma, bool IsSharp, byte[] Data)[] Run(int[] brightness, int inFlight, bool isApart)
    {
        using Deblurrer deblurrer = Create(isApart);
        List<(float, bool, byte[])> restored = [];
        for (int i = 0; i < brightness.Length; i++)
        {
            if (deblurrer.InFlight == inFlight) CollectOne();
            deblurrer.Submit(Create(brightness[i], seed: i));
        }
        while (deblurrer.InFlight > 0) CollectOne();
        return [.. restored];

        void CollectOne()
        {
            using Frame frame = deblurrer.Collect();
            restored.Add((deblurrer.LastSigma!.Value, deblurrer.LastIsSharp, frame.Data.ToArray()));
        }
    }
}
