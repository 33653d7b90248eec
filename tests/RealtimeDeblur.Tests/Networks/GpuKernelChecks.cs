using RealtimeDeblur.Networks;
using RealtimeDeblur.Tests.Reference;
using Xunit;

namespace RealtimeDeblur.Tests.Networks;

/// <summary>Comparisons of single GPU kernels with the reference, for the tests of this process and those on Oclgrind.</summary>
internal static class GpuKernelChecks
{
    // A float sum of some hundred terms errs by about 1e-6 of the size of its terms, which is about 1 with random weights.
    private const double Relative = 1e-5, Absolute = 1e-5;

    // Inputs and results rounded to half: 2^-12 of each, summed up. Weights too: the same again. Half sums: a few times 2^-12.
    private const double HalfMaps = 2e-3, HalfSums = 2e-2;

    public static GpuTiles Tiles(GpuPrecision precision, bool other) => precision == GpuPrecision.TensorCores
        ? other ? new(32, LocalH: 2, LocalK: 1, Rows: 3, Filters: 1) : new(32, LocalH: 1, LocalK: 2, Rows: 2, Filters: 2)
        : other ? new(4, LocalH: 2, LocalK: 2, Rows: 3, Filters: 4) : new(8, LocalH: 2, LocalK: 1, Rows: 2, Filters: 8);

    public static GpuTiles PairTiles(GpuPrecision precision, bool other) => precision == GpuPrecision.TensorCores
        ? other ? new(32, LocalH: 2, LocalK: 1, Rows: 1, Filters: 2) : new(32, LocalH: 1, LocalK: 2, Rows: 2, Filters: 4)
        : other ? new(8, LocalH: 1, LocalK: 1, Rows: 3, Filters: 8) : new(4, LocalH: 2, LocalK: 4, Rows: 2, Filters: 4);

    // As the kernels have them by default: work-groups for GPUs.
    private static readonly GpuTiles DefaultTiles = new(32, LocalH: 4, LocalK: 1, Rows: 4, Filters: 8), DefaultPairTiles = new(32, LocalH: 2, LocalK: 4, Rows: 4, Filters: 4),
        DefaultWarpTiles = new(32, LocalH: 4, LocalK: 2, Rows: 2, Filters: 4);

    public static void Convolve(GpuKernels kernels, int[] inputs, int K, int size, int W, int H, GpuKernels.Finish finish, GpuTiles tiles, GpuPrecision precision)
    {
        int C = inputs.Sum();
        Tensor input = Tensor.Random(1, C, H, W, seed: W * 100 + H);
        LayerWeights weights = RandomNetwork.Layer(new("layer", C, K, size, finish.Relu), seed: 1);
        Tensor skip = Tensor.Random(1, K, H, W, seed: 2);

        int first = 0;
        List<GpuKernels.Maps> maps = [];
        foreach (int M in inputs)
        {
            maps.Add(kernels.Upload(Channels(input, first, M), precision));
            first += M;
        }
        if (finish.Skip != GpuSkip.None) finish = finish with { SkipMaps = kernels.Upload(skip, precision) };
        Tensor actual = kernels.Download(kernels.Convolve([.. maps], weights, K, size, finish, tiles, precision));

        Tensor expected = Reference(input, weights, K, size, finish.Relu);
        for (int i = 0; i < expected.Values.Length && finish.Skip != GpuSkip.None; i++) expected.Values[i] = skip.Values[i] + (finish.Skip == GpuSkip.Add ? expected.Values[i] : -expected.Values[i]);
        AssertClose(expected, actual, precision);
    }

    public static void ConvolveFrame(GpuKernels kernels, int C, int scale, int K, int size, int W, int H, GpuTiles tiles, GpuPrecision precision)
    {
        Tensor frame = Tensor.Random(1, C, H, W, seed: W * 100 + H, low: 0);
        LayerWeights weights = RandomNetwork.Layer(new("layer", C * scale * scale, K, size, true), seed: 1);
        Tensor actual = kernels.Download(kernels.ConvolveFrame(kernels.UploadFrame(frame), C, scale, weights, K, size, relu: true, tiles, precision));
        AssertClose(Reference(ReferenceConvolution.SpaceToDepth(frame, scale), weights, K, size, relu: true), actual, precision);
    }

    public static void ConvolveToFrame(GpuKernels kernels, int M, int C, int scale, int size, bool skip, int W, int H, GpuTiles tiles, GpuPrecision precision)
    {
        Tensor frame = Tensor.Random(1, C, H, W, seed: W * 100 + H, low: 0);
        Tensor maps = Tensor.Random(1, M, (H + scale - 1) / scale, (W + scale - 1) / scale, seed: 3);
        LayerWeights weights = RandomNetwork.Layer(new("layer", M, C * scale * scale, size, false), seed: 1);
        Tensor actual = kernels.ConvolveToFrame(kernels.Upload(maps, precision), kernels.UploadFrame(frame), C, scale, weights, size, skip, (0, 0, W, H), tiles, precision);

        Tensor expected = ReferenceConvolution.DepthToSpace(Reference(maps, weights, C * scale * scale, size, relu: false), scale, H, W);
        for (int i = 0; i < expected.Values.Length && skip; i++) expected.Values[i] += frame.Values[i];
        AssertClose(expected, actual, precision);
    }

    public static void ExtractMap(GpuKernels kernels, NetworkDescription description, int W, int H, GpuTiles tiles, GpuPrecision precision)
    {
        Network network = RandomNetwork.Create(description, seed: 1);
        Tensor frame = Tensor.Random(1, description.C, H, W, seed: W * 100 + H, low: 0);
        Tensor actual = kernels.Download(kernels.ExtractMap(kernels.UploadFrame(frame), network, tiles, precision));
        (ConvolutionLayer extract, ConvolutionLayer map) = (description.Layers[0], description.Layers[1]);
        AssertClose(Reference(Reference(frame, network.Weights[0], extract.K, extract.Size, extract.Relu), network.Weights[1], map.K, 1, map.Relu), actual, precision);
    }

    /// <summary>A whole DBCNN on a picture: the PSNR against the sharp one must be that of the reference, within 0.02 dB. A sharp picture (sigma 0) shows errors best.</summary>
    public static void KeepsThePsnr(GpuKernels kernels, Network network, GpuPrecision precision, int W, int H, double sigma)
    {
        (Tensor sharp, Tensor blurred) = Picture(W, H, sigma);
        GpuKernels.Plane frame = kernels.UploadFrame(blurred);
        ConvolutionLayer reconstruct = network.Description.Layers[2];
        GpuKernels.Maps maps;
        if (precision == GpuPrecision.HalfArithmetic)
        {
            GpuKernels.Maps maps1 = kernels.ConvolveFrame(frame, C: 1, scale: 1, network.Weights[0], K: 64, size: 9, relu: true, DefaultTiles, precision);
            maps = kernels.Convolve([maps1], network.Weights[1], K: 32, size: 1, new(Relu: true), DefaultTiles, precision);
        }
        else
        {
            maps = kernels.ExtractMap(frame, network, precision == GpuPrecision.TensorCores ? DefaultWarpTiles : DefaultPairTiles, precision);
        }
        GpuPrecision last = precision == GpuPrecision.TensorCores ? GpuPrecision.HalfMaps : precision;
        Tensor actual = kernels.ConvolveToFrame(maps, frame, C: 1, scale: 1, network.Weights[2], reconstruct.Size, skip: true, (0, 0, W, H),
            DefaultTiles with { Filters = 1 }, last);

        Tensor expected = ReferenceConvolution.Forward(network, blurred);
        double psnr = Psnr(sharp, actual), reference = Psnr(sharp, expected);
        Assert.True(reference > 35, $"A picture of {reference:0.00} dB hides errors.");
        Assert.True(Math.Abs(psnr - reference) <= 0.02, $"{psnr:0.0000} dB instead of {reference:0.0000} dB.");
        if (precision == GpuPrecision.Float) TensorAssert.Close(expected, actual, Relative, Absolute);
    }

    private static Tensor Reference(Tensor input, LayerWeights weights, int K, int size, bool relu)
    {
        Tensor output = ReferenceConvolution.Forward(input, Tensor.From(K, input.C, size, size, weights.Weight), Array.ConvertAll(weights.Bias, value => (double)value));
        return relu ? ReferenceConvolution.Relu(output) : output;
    }

    private static void AssertClose(Tensor expected, Tensor actual, GpuPrecision precision)
    {
        (double relative, double absolute) = precision switch
        {
            GpuPrecision.Float => (Relative, Absolute),
            GpuPrecision.HalfArithmetic => (HalfSums, HalfSums),
            _ => (HalfMaps, HalfMaps),
        };
        TensorAssert.Close(expected, actual, relative, absolute);
    }

    private static Tensor Channels(Tensor input, int first, int count) => new(1, count, input.H, input.W, input.Values[(first * input.H * input.W)..((first + count) * input.H * input.W)]);

    /// <summary>Soft shading with a disc and a fine texture, and the same blurred with a Gaussian (none with sigma 0), both rounded to 8 bits.</summary>
    private static (Tensor Sharp, Tensor Blurred) Picture(int W, int H, double sigma)
    {
        Tensor sharp = new(1, 1, H, W);
        Random random = new(1);
        for (int y = 0; y < H; y++)
        {
            for (int x = 0; x < W; x++)
            {
                double shading = 0.45 + 0.12 * Math.Sin(x / 11.0 + y / 17.0), disc = (x - 20) * (x - 20) + (y - 18) * (y - 18) < 100 ? 0.15 : 0, texture = 0.03 * (random.NextDouble() - 0.5);
                sharp[0, 0, y, x] = Round(shading + disc + texture);
            }
        }
        if (sigma == 0) return (sharp, sharp);
        int radius = (int)Math.Ceiling(4 * sigma);
        Tensor gaussian = new(1, 1, 2 * radius + 1, 2 * radius + 1);
        for (int y = -radius; y <= radius; y++)
        {
            for (int x = -radius; x <= radius; x++) gaussian[0, 0, y + radius, x + radius] = Math.Exp(-(x * x + y * y) / (2 * sigma * sigma));
        }
        double sum = gaussian.Values.Sum();
        for (int i = 0; i < gaussian.Values.Length; i++) gaussian.Values[i] /= sum;
        Tensor blurred = ReferenceConvolution.Forward(sharp, gaussian, [0]);
        return (sharp, new(1, 1, H, W, Array.ConvertAll(blurred.Values, Round)));

        static double Round(double value) => (float)(Math.Round(value * 255) / 255);
    }

    private static double Psnr(Tensor expected, Tensor actual) => -10 * Math.Log10(expected.Values.Zip(actual.Values, (a, b) => (a - b) * (a - b)).Average());
}
