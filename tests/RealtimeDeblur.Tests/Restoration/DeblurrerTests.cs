using RealtimeDeblur.Compute;
using RealtimeDeblur.Imaging;
using RealtimeDeblur.Networks;
using RealtimeDeblur.Restoration;
using RealtimeDeblur.Tests.Networks;
using RealtimeDeblur.Tests.Reference;
using Xunit;

namespace RealtimeDeblur.Tests.Restoration;

public sealed class DeblurrerTests
{
    public static TheoryData<PixelFormat, ColorRange> Formats
    {
        get
        {
            TheoryData<PixelFormat, ColorRange> formats = [];
            foreach (PixelFormat pixels in Enum.GetValues<PixelFormat>())
            {
                formats.Add(pixels, ColorRange.Limited);
                formats.Add(pixels, ColorRange.Full);
            }
            return formats;
        }
    }

    private static Network Blind => RandomNetwork.Create(NetworkDescription.Dbcnn(n1: 8, n2: 8, f1: 3, f3: 3), seed: 1);

    [Theory]
    [MemberData(nameof(Formats))]
    public void Process_IdentityNetwork_LeavesEverySample(PixelFormat pixels, ColorRange range)
    {
        using ComputeDevice device = TestDevice.OpenOrSkip();
        var format = new FrameFormat(pixels, 37, 23, range);
        using var deblurrer = new Deblurrer(device, Identity(1), format);
        AssertUnchanged(deblurrer, RandomFrame(format, seed: 1));
        if (!format.IsRgb) return;
        using var rgb = new Deblurrer(device, Identity(3), format);
        AssertUnchanged(rgb, RandomFrame(format, seed: 2));
    }

    [Theory]
    [MemberData(nameof(Formats))]
    public void Process_StrengthZero_LeavesEverySample(PixelFormat pixels, ColorRange range)
    {
        using ComputeDevice device = TestDevice.OpenOrSkip();
        var format = new FrameFormat(pixels, 31, 17, range);
        using var deblurrer = new Deblurrer(device, Blind, format, new() { Strength = 0 });
        AssertUnchanged(deblurrer, RandomFrame(format, seed: 3));
    }

    /// <summary>Every sample against the definition: code to working space, reference network, change back to codes, rounding, clamping.</summary>
    [Theory]
    [MemberData(nameof(Formats))]
    public void Process_AnyFormat_EqualsReferenceAndLeavesChroma(PixelFormat pixels, ColorRange range)
    {
        using ComputeDevice device = TestDevice.OpenOrSkip();
        var format = new FrameFormat(pixels, 29, 18, range);
        foreach (float strength in new[] { 1f, 0.4f })
        {
            using var deblurrer = new Deblurrer(device, Blind, format, new() { Strength = strength });
            using Frame frame = RandomFrame(format, seed: 4);
            double[] before = Samples(frame);
            byte[] all = frame.Data.ToArray();
            deblurrer.Process(frame);

            Tensor working = Working(format, before);
            Tensor restored = ReferenceConvolution.Forward(Blind, working);
            double codesPerUnit = format.IsRgb ? format.MaxValue * 255.0 / 219
                : format.MaxValue * (range == ColorRange.Full ? format.MaxValue / (219.0 * (format.MaxValue + 1) / 256) : 1);
            double[] after = Samples(frame);
            int perPixel = format.SamplesPerPixel;
            for (int i = 0; i < after.Length; i++)
            {
                if (SampleOrder.IsAlpha(format, i))
                {
                    Assert.Equal(before[i], after[i]);
                    continue;
                }
                double exact = Math.Clamp(before[i] + strength * codesPerUnit * (restored.Values[i / perPixel] - working.Values[i / perPixel]), 0, format.MaxValue);
                // Half a code for rounding, and the float error of the network, which matters at 16 bit.
                Assert.InRange(after[i], exact - 0.5 - format.MaxValue * 1e-5, exact + 0.5 + format.MaxValue * 1e-5);
            }
            if (!format.IsRgb) Assert.Equal(all.AsSpan(LumaBytes(format)), frame.Data[LumaBytes(format)..]);
        }
    }

    [Fact]
    public void Process_RgbNetwork_EqualsReference()
    {
        using ComputeDevice device = TestDevice.OpenOrSkip();
        Network network = RandomNetwork.Create(NetworkDescription.Dbcnn(C: 3, n1: 8, n2: 8, f1: 3, f3: 3), seed: 5);
        foreach (PixelFormat pixels in new[] { PixelFormat.Rgb24, PixelFormat.Bgr24, PixelFormat.Rgb48 })
        {
            var format = new FrameFormat(pixels, 19, 22);
            using var deblurrer = new Deblurrer(device, network, format);
            using Frame frame = RandomFrame(format, seed: 6);
            double[] before = Samples(frame);
            deblurrer.Process(frame);
            double[] after = Samples(frame);

            Tensor working = new(1, 3, 22, 19);
            for (int i = 0; i < before.Length; i++) working.Values[Channel(i) * 19 * 22 + i / 3] = before[i] / format.MaxValue;
            Tensor restored = ReferenceConvolution.Forward(network, working);
            for (int i = 0; i < after.Length; i++)
            {
                double exact = Math.Clamp(restored.Values[Channel(i) * 19 * 22 + i / 3] * format.MaxValue, 0, format.MaxValue);
                Assert.InRange(after[i], exact - 0.5 - format.MaxValue * 1e-5, exact + 0.5 + format.MaxValue * 1e-5);
            }

            int Channel(int i) => pixels == PixelFormat.Bgr24 ? 2 - i % 3 : i % 3;
        }
    }

    [Theory]
    [InlineData(PixelFormat.Rgb24)]
    [InlineData(PixelFormat.Bgr24)]
    [InlineData(PixelFormat.Rgb48)]
    public void Process_LumaNetworkOnRgb_ChangesRedGreenBlueAlike(PixelFormat pixels)
    {
        using ComputeDevice device = TestDevice.OpenOrSkip();
        var format = new FrameFormat(pixels, 24, 16);
        using var deblurrer = new Deblurrer(device, Blind, format, new() { Strength = 0.05f });
        // Mid-range samples: nothing clamps.
        using Frame frame = RandomFrame(format, seed: 7, low: 0.4, high: 0.6);
        double[] before = Samples(frame);
        deblurrer.Process(frame);
        double[] after = Samples(frame);
        double[] changes = [.. after.Zip(before, (a, b) => a - b)];
        Assert.Contains(changes, change => change != 0);
        for (int i = 0; i < changes.Length; i += 3)
        {
            Assert.Equal(changes[i], changes[i + 1]);
            Assert.Equal(changes[i], changes[i + 2]);
        }
    }

    [Theory]
    [InlineData(PixelFormat.Gray8, false)]
    [InlineData(PixelFormat.Yuv420P10, true)]
    [InlineData(PixelFormat.Rgb48, false)]
    public void Process_FrameCutIntoTiles_IsIdentical(PixelFormat pixels, bool isApart)
    {
        using ComputeDevice device = TestDevice.OpenOrSkip();
        var format = new FrameFormat(pixels, 83, 71);
        using Frame whole = RandomFrame(format, seed: 8);
        using Frame tiled = RandomFrame(format, seed: 8);
        var plan = new InferencePlan("general");
        using (var deblurrer = new Deblurrer(device, Blind, format, options: null, plan, memoryLimitBytes: null, isApart)) deblurrer.Process(whole);
        using (var deblurrer = new Deblurrer(device, Blind, format, options: null, plan, memoryLimitBytes: 60_000, isApart)) deblurrer.Process(tiled);
        Assert.Equal(whole.Data, tiled.Data);
    }

    [Theory]
    [InlineData(ColorRange.Limited)]
    [InlineData(ColorRange.Full)]
    public void Process_FlatFrame_StaysFlat(ColorRange range)
    {
        using ComputeDevice device = TestDevice.OpenOrSkip();
        var format = new FrameFormat(PixelFormat.Gray8, 40, 33, range);
        using var deblurrer = new Deblurrer(device, Blind, format);
        using var frame = new Frame(format);
        frame.Data.Fill(100);
        deblurrer.Process(frame);
        Assert.Single(frame.Data.ToArray().Distinct());
    }

    /// <summary>In the frame's own memory, and in memory of the device, with three queues.</summary>
    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void Collect_ThreeInFlight_ReturnsThemInOrderAndRestored(bool isApart)
    {
        using ComputeDevice device = TestDevice.OpenOrSkip();
        var format = new FrameFormat(PixelFormat.Yuv420P8, 33, 21);
        using var deblurrer = new Deblurrer(device, Blind, format, options: null, plan: null, memoryLimitBytes: null, isApart);
        using var alone = new Deblurrer(device, Blind, format, options: null, plan: null, memoryLimitBytes: null, isApart: true);
        var submitted = new Queue<Frame>();
        for (int i = 0; i < 10; i++)
        {
            if (deblurrer.InFlight == Deblurrer.MaxInFlight) CollectOne();
            Frame frame = RandomFrame(format, seed: i);
            frame.Timestamp = i;
            deblurrer.Submit(frame);
            submitted.Enqueue(frame);
        }
        Assert.Equal(3, deblurrer.InFlight);
        while (deblurrer.InFlight > 0) CollectOne();
        Assert.Empty(submitted);

        void CollectOne()
        {
            using Frame collected = deblurrer.Collect();
            Assert.Same(submitted.Dequeue(), collected);
            using Frame expected = RandomFrame(format, seed: (int)collected.Timestamp);
            alone.Process(expected);
            Assert.Equal(expected.Data, collected.Data);
        }
    }

    [Fact]
    public void Options_SwappedBetweenFrames_TakeEffectWithTheNextSubmit()
    {
        using ComputeDevice device = TestDevice.OpenOrSkip();
        var format = new FrameFormat(PixelFormat.Gray8, 20, 20);
        using var deblurrer = new Deblurrer(device, Blind, format);
        deblurrer.Submit(RandomFrame(format, seed: 1));
        deblurrer.Options = deblurrer.Options with { Strength = 0 };
        deblurrer.Submit(RandomFrame(format, seed: 1));
        using Frame original = RandomFrame(format, seed: 1);
        using Frame first = deblurrer.Collect();
        using Frame second = deblurrer.Collect();
        Assert.False(original.Data.SequenceEqual(first.Data));
        Assert.Equal(original.Data, second.Data);
    }

    private static Network Dial => RandomNetwork.Create(NetworkDescription.Dbcnn(n1: 8, n2: 8, f1: 3, f3: 3).WithSigmaKnots([0.5f, 1, 3]), seed: 1);

    [Theory]
    [InlineData("1.25", 1.25f)]
    [InlineData("0", 0.5f)]         // the nearest knot
    [InlineData("off", 1f)]
    public void Process_SigmaThatIsSet_EqualsThePlainNetwork(string setting, float sigma)
    {
        using ComputeDevice device = TestDevice.OpenOrSkip();
        var format = new FrameFormat(PixelFormat.Yuv420P8, 37, 23);
        using Frame expected = RandomFrame(format, seed: 1), actual = RandomFrame(format, seed: 1);
        using (var plain = new Deblurrer(device, Dial.At(sigma), format))
        {
            plain.Process(expected);
            Assert.Null(plain.LastSigma);
        }
        using var deblurrer = new Deblurrer(device, Dial, format, new() { Sigma = SigmaSetting.Parse(setting), Guard = false });
        Assert.Null(deblurrer.LastSigma);
        deblurrer.Process(actual);
        Assert.Equal((sigma, false), (deblurrer.LastSigma, deblurrer.LastIsSharp));
        RestoredSamples.AssertSame(expected.Data, actual.Data);
    }

    [Fact]
    public void Process_ConditionedNetworkWithStrengthZero_LeavesEverySample()
    {
        using ComputeDevice device = TestDevice.OpenOrSkip();
        var format = new FrameFormat(PixelFormat.Rgb24, 37, 23);
        using var deblurrer = new Deblurrer(device, Dial, format, new() { Strength = 0, Sigma = SigmaSetting.Of(2) });
        AssertUnchanged(deblurrer, RandomFrame(format, seed: 3));
    }

    /// <summary>A sigma for every frame, set while others are on the way.</summary>
    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void Options_SigmaChangesWhileFramesAreInFlight_EveryFrameGetsItsOwn(bool isApart)
    {
        using ComputeDevice device = TestDevice.OpenOrSkip();
        var format = new FrameFormat(PixelFormat.Gray8, 181, 123);
        float[] sigmas = [0.5f, 2.5f, 1, 3, 1.5f, 0.75f, 1, 3];
        using var deblurrer = new Deblurrer(device, Dial, format, new() { Sigma = SigmaSetting.Off, Guard = false }, plan: null, memoryLimitBytes: null, isApart);
        int collected = 0;
        for (int i = 0; i < sigmas.Length; i++)
        {
            if (deblurrer.InFlight == Deblurrer.MaxInFlight) CollectOne();
            deblurrer.Options = deblurrer.Options with { Sigma = SigmaSetting.Of(sigmas[i]) };
            deblurrer.Submit(RandomFrame(format, seed: i));
        }
        while (deblurrer.InFlight > 0) CollectOne();
        Assert.Equal(sigmas.Length, collected);

        void CollectOne()
        {
            using Frame restored = deblurrer.Collect(), expected = RandomFrame(format, seed: collected);
            Assert.Equal(sigmas[collected], deblurrer.LastSigma);
            using var plain = new Deblurrer(device, Dial.At(sigmas[collected]), format);
            plain.Process(expected);
            RestoredSamples.AssertSame(expected.Data, restored.Data);
            collected++;
        }
    }

    [Fact]
    public void Submit_SigmaChangesWithEveryFrame_AllocatesNothing()
    {
        using ComputeDevice device = TestDevice.OpenOrSkip();
        var format = new FrameFormat(PixelFormat.Gray8, 48, 32);
        DeblurOptions[] options = [.. Enumerable.Range(0, 7).Select(i => new DeblurOptions { Sigma = SigmaSetting.Of(i * 0.5f) })];
        using var deblurrer = new Deblurrer(device, Dial, format, options[0]);
        using var pool = new FramePool(format);
        Loop(20);
        long buffersBefore = device.BuffersCreated;
        AllocationAssert.None(() => Loop(200));
        Assert.Equal(buffersBefore, device.BuffersCreated);

        void Loop(int frames)
        {
            for (int i = 0; i < frames; i++)
            {
                if (deblurrer.InFlight == Deblurrer.MaxInFlight) deblurrer.Collect().Dispose();
                deblurrer.Options = options[i % options.Length];
                deblurrer.Submit(pool.Rent());
            }
            while (deblurrer.InFlight > 0) deblurrer.Collect().Dispose();
        }
    }

    [Fact]
    public void Constructor_NothingEstimatesTheNetworksBlur_SaysWhatToDo()
    {
        using ComputeDevice device = TestDevice.OpenOrSkip();
        var format = new FrameFormat(PixelFormat.Gray8, 20, 20);
        string message = Assert.Throws<InvalidDataException>(() => new Deblurrer(device, Dial, format)).Message;
        Assert.StartsWith("random does not say what blur it was trained on", message, StringComparison.Ordinal);
        Assert.Contains("--sigma 1.6", message, StringComparison.Ordinal);

        Network motion = RandomNetwork.Create(Dial.Description, seed: 1, new() { ["degradation"] = "motion" });
        message = Assert.Throws<FileNotFoundException>(() => new Deblurrer(device, motion, format)).Message;
        Assert.StartsWith("random was trained on 'motion' blur, and no estimator of its sigma is installed. Set sigma yourself, e.g. --sigma 1.6", message, StringComparison.Ordinal);
        using var deblurrer = new Deblurrer(device, motion, format, new() { Sigma = SigmaSetting.Of(1) });
        Assert.Throws<FileNotFoundException>(() => deblurrer.Options = DeblurOptions.Default);
        Assert.Equal(SigmaSetting.Of(1), deblurrer.Options.Sigma);
    }

    [Fact]
    public void Process_FrameRestoredBefore_SeesWhatTheHostWroteSince()
    {
        using ComputeDevice device = TestDevice.OpenOrSkip();
        using ComputeDevice other = TestDevice.OpenOrSkip();
        var format = new FrameFormat(PixelFormat.Yuv420P8, 37, 23);
        using var frame = new Frame(format);
        foreach (ComputeDevice one in new[] { device, device, other, device })
        {
            using var deblurrer = new Deblurrer(one, Blind, format, options: null, plan: null, memoryLimitBytes: null, isApart: false);
            for (int seed = 0; seed < 2; seed++)
            {
                using Frame original = RandomFrame(format, seed);
                using Frame expected = RandomFrame(format, seed);
                using (var apart = new Deblurrer(one, Blind, format, options: null, plan: null, memoryLimitBytes: null, isApart: true)) apart.Process(expected);
                original.Data.CopyTo(frame.Data);
                deblurrer.Process(frame);
                Assert.Equal(expected.Data, frame.Data);
            }
        }
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void Submit_RunningLoop_AllocatesNeitherManagedNorDeviceMemory(bool isApart)
    {
        using ComputeDevice device = TestDevice.OpenOrSkip();
        var format = new FrameFormat(PixelFormat.Yuv420P8, 48, 32);
        using var deblurrer = new Deblurrer(device, Blind, format, options: null, plan: null, memoryLimitBytes: null, isApart);
        using var pool = new FramePool(format);
        Loop(20);
        long buffersBefore = device.BuffersCreated;
        AllocationAssert.None(() => Loop(1000));
        Assert.Equal(buffersBefore, device.BuffersCreated);

        void Loop(int frames)
        {
            for (int i = 0; i < frames; i++)
            {
                if (deblurrer.InFlight == Deblurrer.MaxInFlight) deblurrer.Collect().Dispose();
                Frame frame = pool.Rent();
                frame.Data.Fill((byte)i);
                deblurrer.Submit(frame);
            }
            while (deblurrer.InFlight > 0) deblurrer.Collect().Dispose();
        }
    }

    [Fact]
    public void Process_SeveralThreadsWithTheirOwnDeblurrers_AllEqual()
    {
        using ComputeDevice device = TestDevice.OpenOrSkip();
        var format = new FrameFormat(PixelFormat.Gray8, 45, 27);
        byte[]?[] results = new byte[]?[6];
        Thread[] threads = [.. results.Select((_, i) => new Thread(() =>
        {
            using var deblurrer = new Deblurrer(device, Blind, format);
            using Frame frame = RandomFrame(format, seed: 9);
            deblurrer.Process(frame);
            results[i] = frame.Data.ToArray();
        }))];
        foreach (Thread thread in threads) thread.Start();
        foreach (Thread thread in threads) thread.Join();
        Assert.NotNull(results[0]);
        Assert.All(results, result => Assert.Equal(results[0], result));
    }

    [Fact]
    public void Dispose_TwiceWithFramesInFlight_DisposesTheFrames()
    {
        using ComputeDevice device = TestDevice.OpenOrSkip();
        var format = new FrameFormat(PixelFormat.Gray8, 45, 27);
        var deblurrer = new Deblurrer(device, Blind, format);
        Frame frame = RandomFrame(format, seed: 10);
        deblurrer.Submit(frame);
        deblurrer.Dispose();
        deblurrer.Dispose();
        Assert.Throws<ObjectDisposedException>(() => frame.Address);
        using Frame another = RandomFrame(format, seed: 10);
        Assert.Throws<ObjectDisposedException>(() => deblurrer.Submit(another));
        Assert.Throws<ObjectDisposedException>(() => deblurrer.Collect());
    }

    [Fact]
    public void Submit_WrongUse_SaysWhatToDo()
    {
        using ComputeDevice device = TestDevice.OpenOrSkip();
        var format = new FrameFormat(PixelFormat.Gray8, 12, 10);
        using var deblurrer = new Deblurrer(device, Blind, format);
        Assert.Contains("submit one first", Assert.Throws<InvalidOperationException>(() => deblurrer.Collect()).Message, StringComparison.Ordinal);

        using var other = new Frame(format with { Width = 13 });
        Assert.Contains("The frame is 13x10 Gray8", Assert.Throws<ArgumentException>(() => deblurrer.Submit(other)).Message, StringComparison.Ordinal);

        for (int i = 0; i < Deblurrer.MaxInFlight; i++) deblurrer.Submit(RandomFrame(format, seed: i));
        using Frame fourth = RandomFrame(format, seed: 4);
        Assert.Contains("collect one", Assert.Throws<InvalidOperationException>(() => deblurrer.Submit(fourth)).Message, StringComparison.Ordinal);
        Assert.Contains("collect them", Assert.Throws<InvalidOperationException>(() => deblurrer.Process(fourth)).Message, StringComparison.Ordinal);
        Assert.Equal(120, fourth.Data.Length);

        Assert.Contains("0 (unchanged) to 1", Assert.Throws<ArgumentOutOfRangeException>(() => deblurrer.Options = new() { Strength = float.NaN }).Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Constructor_RgbNetworkOnLumaFrames_SaysWhatToDo()
    {
        using ComputeDevice device = TestDevice.OpenOrSkip();
        ArgumentException e = Assert.Throws<ArgumentException>(() => new Deblurrer(device, Identity(3), new(PixelFormat.Yuv420P8, 8, 8)));
        Assert.Contains("cannot take Yuv420P8", e.Message, StringComparison.Ordinal);
    }

    /// <summary>A network whose output is its input: the centre tap of each channel is 1.</summary>
    private static Network Identity(int C)
    {
        float[] weight = new float[C * C * 9];
        for (int c = 0; c < C; c++) weight[(c * C + c) * 9 + 4] = 1;
        return new("identity", new("identity", [new("only", C, C, 3, false)], globalSkip: false), [new(weight, new float[C])]);
    }

    private static void AssertUnchanged(Deblurrer deblurrer, Frame frame)
    {
        using (frame)
        {
            byte[] before = frame.Data.ToArray();
            deblurrer.Process(frame);
            Assert.Equal(before, frame.Data);
        }
    }

    /// <summary>Random samples over the whole code range, or from <paramref name="low"/> to <paramref name="high"/> of it.</summary>
    private static Frame RandomFrame(FrameFormat format, int seed, double low = 0, double high = 1)
    {
        var random = new Random(seed);
        var frame = new Frame(format);
        for (int i = 0; i < frame.Data.Length; i += format.BytesPerSample)
        {
            int code = (int)Math.Round((low + (high - low) * random.NextDouble()) * format.MaxValue) * format.CodeStep;
            frame.Data[i] = (byte)code;
            if (format.BytesPerSample == 2) frame.Data[i + 1] = (byte)(code >> 8);
        }
        return frame;
    }

    private static int LumaBytes(FrameFormat format) => format.Plane(0).StrideBytes * format.Height;

    /// <summary>Code values of plane 0.</summary>
    private static double[] Samples(Frame frame)
    {
        Span<byte> plane = frame.PlaneData(0);
        double[] samples = new double[plane.Length / frame.Format.BytesPerSample];
        for (int i = 0; i < samples.Length; i++) samples[i] = frame.Format.BytesPerSample == 2 ? (plane[2 * i] | plane[2 * i + 1] << 8) / (double)frame.Format.CodeStep : plane[i];
        return samples;
    }

    /// <summary>Luma in the working space of networks.</summary>
    private static Tensor Working(FrameFormat format, double[] codes)
    {
        double max = format.MaxValue, depth = (max + 1) / 256;
        Tensor working = new(1, 1, format.Height, format.Width);
        for (int i = 0; i < working.Values.Length; i++)
        {
            working.Values[i] = format.IsRgb ? Luma(i)
                : format.Range == ColorRange.Full ? (16 * depth + codes[i] * 219 * depth / max) / max
                : codes[i] / max;
        }
        return working;

        double Luma(int pixel)
        {
            int at = pixel * format.SamplesPerPixel;
            (double r, double g, double b) = (codes[at] * 255 / max, codes[at + 1] * 255 / max, codes[at + 2] * 255 / max);
            if (SampleOrder.Red(format.Pixels) == 2) (r, b) = (b, r);
            return (16 + (65.481 * r + 128.553 * g + 24.966 * b) / 255) / 255;
        }
    }
}
