using RealtimeDeblur.Compute;
using RealtimeDeblur.Networks;
using RealtimeDeblur.Tests.Reference;
using Xunit;

namespace RealtimeDeblur.Tests.Networks;

/// <summary>The kernels <c>conv/gpu_*.cl</c> against the reference. They run on any device; work-groups are small here, because a CPU runs their work-items one after the other.</summary>
public sealed class GpuKernelsTests : IDisposable
{
    private readonly ComputeDevice _device = TestDevice.OpenOrSkip();
    private readonly GpuKernels _kernels;

    public GpuKernelsTests() => _kernels = new(_device);

    public void Dispose()
    {
        _kernels.Dispose();
        _device.Dispose();
    }

    /// <summary>Number formats, and two ways to share out the work.</summary>
    public static TheoryData<GpuPrecision, bool> Formats => new()
    {
        { GpuPrecision.Float, false }, { GpuPrecision.Float, true }, { GpuPrecision.HalfMaps, false },
        { GpuPrecision.HalfArithmetic, true }, { GpuPrecision.TensorCores, false }, { GpuPrecision.TensorCores, true },
    };

    /// <summary>The same for what touches frames: only the kernels without tensor cores do.</summary>
    public static TheoryData<GpuPrecision, bool> FrameFormats => new() { { GpuPrecision.Float, false }, { GpuPrecision.Float, true }, { GpuPrecision.HalfMaps, true }, { GpuPrecision.HalfArithmetic, false } };

    /// <summary>The same for the fused pair, which has no half arithmetic.</summary>
    public static TheoryData<GpuPrecision, bool> PairFormats => new() { { GpuPrecision.Float, false }, { GpuPrecision.Float, true }, { GpuPrecision.HalfMaps, false }, { GpuPrecision.TensorCores, false }, { GpuPrecision.TensorCores, true } };

    [Theory]
    [MemberData(nameof(Formats))]
    public void Convolve_AnyFrameSize_EqualsReference(GpuPrecision precision, bool other)
    {
        foreach ((int W, int H) in SmallSizes) GpuKernelChecks.Convolve(_kernels, [9], K: 5, size: 3, W, H, new(Relu: true), GpuKernelChecks.Tiles(precision, other), precision);
    }

    [Theory]
    [MemberData(nameof(Formats))]
    public void Convolve_AnyLayer_EqualsReference(GpuPrecision precision, bool other)
    {
        GpuTiles tiles = GpuKernelChecks.Tiles(precision, other);
        GpuKernelChecks.Convolve(_kernels, [1], K: 1, size: 1, W: 5, H: 3, new(), tiles, precision);
        GpuKernelChecks.Convolve(_kernels, [33], K: 18, size: 1, W: 9, H: 7, new(Relu: true), tiles, precision);
        GpuKernelChecks.Convolve(_kernels, [16], K: 32, size: 5, W: 7, H: 9, new(), tiles, precision);
        GpuKernelChecks.Convolve(_kernels, [3], K: 2, size: 9, W: 8, H: 3, new(), tiles, precision);
        GpuKernelChecks.Convolve(_kernels, [7, 18], K: 6, size: 3, W: 6, H: 5, new(Relu: true), tiles, precision);
        GpuKernelChecks.Convolve(_kernels, [16], K: 6, size: 3, W: 6, H: 5, new(Relu: true, Skip: GpuSkip.Add), tiles, precision);
        GpuKernelChecks.Convolve(_kernels, [5], K: 17, size: 3, W: 6, H: 5, new(Skip: GpuSkip.Subtract), tiles, precision);
    }

    [Theory]
    [MemberData(nameof(FrameFormats))]
    public void ConvolveFrame_AnyFrameSize_EqualsReference(GpuPrecision precision, bool other)
    {
        GpuTiles tiles = GpuKernelChecks.Tiles(precision, other);
        foreach ((int W, int H) in SmallSizes)
        {
            GpuKernelChecks.ConvolveFrame(_kernels, C: 1, scale: 1, K: 7, size: 9, W, H, tiles, precision);
            GpuKernelChecks.ConvolveFrame(_kernels, C: 1, scale: 2, K: 16, size: 3, W, H, tiles, precision);
        }
        GpuKernelChecks.ConvolveFrame(_kernels, C: 3, scale: 1, K: 9, size: 5, W: 11, H: 6, tiles, precision);
        GpuKernelChecks.ConvolveFrame(_kernels, C: 3, scale: 2, K: 5, size: 3, W: 11, H: 7, tiles, precision);
    }

    [Theory]
    [MemberData(nameof(FrameFormats))]
    public void ConvolveToFrame_AnyFrameSize_EqualsReference(GpuPrecision precision, bool other)
    {
        GpuTiles tiles = GpuKernelChecks.Tiles(precision, other), single = tiles with { LocalK = 1, Filters = 1 };
        foreach ((int W, int H) in SmallSizes)
        {
            GpuKernelChecks.ConvolveToFrame(_kernels, M: 7, C: 1, scale: 1, size: 5, skip: true, W, H, single, precision);
            GpuKernelChecks.ConvolveToFrame(_kernels, M: 6, C: 1, scale: 2, size: 3, skip: true, W, H, tiles, precision);
        }
        GpuKernelChecks.ConvolveToFrame(_kernels, M: 5, C: 3, scale: 1, size: 3, skip: false, W: 11, H: 6, tiles, precision);
        GpuKernelChecks.ConvolveToFrame(_kernels, M: 5, C: 3, scale: 1, size: 3, skip: true, W: 11, H: 6, single with { Filters = 2 }, precision);
        GpuKernelChecks.ConvolveToFrame(_kernels, M: 5, C: 3, scale: 2, size: 3, skip: true, W: 11, H: 7, tiles, precision);
    }

    [Theory]
    [MemberData(nameof(PairFormats))]
    public void ExtractMap_AnyFrameSize_EqualsReference(GpuPrecision precision, bool other)
    {
        GpuTiles tiles = GpuKernelChecks.PairTiles(precision, other);
        foreach ((int W, int H) in SmallSizes) GpuKernelChecks.ExtractMap(_kernels, NetworkDescription.Dbcnn(n1: 9, n2: 7), W, H, tiles, precision);
        GpuKernelChecks.ExtractMap(_kernels, NetworkDescription.Dbcnn(), W: 19, H: 13, tiles, precision);
        GpuKernelChecks.ExtractMap(_kernels, NetworkDescription.Dbcnn(C: 3, f1: 5, n1: 70, n2: 33), W: 9, H: 6, tiles, precision);
    }

    /// <summary>Layers clamp to the tile, but the frame's samples are those around it; only the kept region of the frame is written.</summary>
    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    public void Layers_TileInsideTheFrame_ReadAndWriteTheRightPlace(int scale)
    {
        const int W = 13, H = 11, X = 4, Y = 2, TileW = 6, TileH = 8;
        Tensor frame = Tensor.Random(1, 1, H, W, seed: 1, low: 0);
        LayerWeights identity = new([.. Enumerable.Range(0, scale * scale).SelectMany(k => Enumerable.Range(0, scale * scale).Select(c => k == c ? 1f : 0f))], new float[scale * scale]);
        GpuTiles tiles = GpuKernelChecks.Tiles(GpuPrecision.Float, other: false);
        GpuKernels.Plane tile = _kernels.UploadFrame(frame) with { OriginX = X, OriginY = Y, TileW = TileW, TileH = TileH };

        GpuKernels.Maps maps = _kernels.ConvolveFrame(tile, C: 1, scale, identity, K: scale * scale, size: 1, relu: false, tiles, GpuPrecision.Float);
        Tensor restored = _kernels.ConvolveToFrame(maps, tile, C: 1, scale, identity, size: 1, skip: false, (1, 2, 4, 5), tiles, GpuPrecision.Float);

        for (int y = 0; y < H; y++)
        {
            for (int x = 0; x < W; x++) Assert.Equal(x is >= X + 1 and < X + 5 && y is >= Y + 2 and < Y + 7 ? frame[0, 0, y, x] : double.NaN, restored[0, 0, y, x]);
        }
    }

    /// <summary>Accuracy is not traded for speed: half maps and tensor cores keep the PSNR of the shipped networks within 0.02 dB.</summary>
    [Theory]
    [InlineData("dbcnn", GpuPrecision.Float)]
    [InlineData("dbcnn", GpuPrecision.HalfMaps)]
    [InlineData("dbcnn", GpuPrecision.HalfArithmetic)]
    [InlineData("dbcnn", GpuPrecision.TensorCores)]
    [InlineData("dbcnn-camera", GpuPrecision.HalfMaps)]
    [InlineData("dbcnn-camera", GpuPrecision.TensorCores)]
    public void Dbcnn_EveryPrecision_KeepsThePsnr(string model, GpuPrecision precision)
    {
        foreach (double sigma in (double[])[0, 0.5, 1.6]) GpuKernelChecks.KeepsThePsnr(_kernels, ModelCatalog.Load(model), precision, W: 64, H: 48, sigma);
    }

    /// <summary>Every size from 1x1 past the supports and tiles, thinned out.</summary>
    private static IEnumerable<(int W, int H)> SmallSizes => Enumerable.Range(1, 6).SelectMany(w => Enumerable.Range(1, 5).Select(h => (w, h))).Concat([(7, 1), (1, 9), (17, 3), (3, 17), (19, 9), (33, 18)]);
}
