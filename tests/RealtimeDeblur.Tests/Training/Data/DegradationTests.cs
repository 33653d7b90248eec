using OpenCvSharp;
using RealtimeDeblur.Tests.Training.Patches;
using RealtimeDeblur.Training.Data;
using Xunit;

namespace RealtimeDeblur.Tests.Training.Data;

public sealed class DegradationTests
{
    [Fact]
    public void Srgb_EveryCodeValue_SurvivesDecodingAndEncoding()
    {
        for (int code = 0; code < 256; code++) Assert.Equal(code, Srgb.Encode(Srgb.DecodeTable[code]));
        Assert.Equal(Degradation.MidGrey, Math.Pow((127.5 / 255 + 0.055) / 1.055, 2.4), 2);
        Assert.Equal(0, Srgb.Encode(-1));
        Assert.Equal(255, Srgb.Encode(2));
    }

    [Fact]
    public void Apply_LinearLight_BlursAnEdgeBrighterThanGammaDoes()
    {
        using Mat edge = new(40, 40, MatType.CV_8UC3, Scalar.Black);
        edge[new Rect(20, 0, 20, 40)].SetTo(Scalar.White);
        using Mat inGamma = new Degradation(2).Apply(edge, new SeededRandom(1, "x"));
        using Mat inLight = (new Degradation(2) { LinearLight = true }).Apply(edge, new SeededRandom(1, "x"));
        // Half way up the edge, half the light is code value 188 of sRGB, not 128.
        Assert.InRange((inGamma.At<Vec3b>(20, 19).Item0 + inGamma.At<Vec3b>(20, 20).Item0) / 2.0, 126, 129);
        Assert.InRange((inLight.At<Vec3b>(20, 19).Item0 + inLight.At<Vec3b>(20, 20).Item0) / 2.0, 184, 189);
    }

    [Theory]
    [InlineData(128, 2, 0)]
    [InlineData(128, 0, 3)]
    [InlineData(200, 0, 3)]
    [InlineData(60, 1, 2)]
    public void Apply_Noise_HasTheStatedDeviationInLinearLight(byte grey, float readNoise, float shotNoise)
    {
        using Mat flat = new(120, 120, MatType.CV_8UC1, new Scalar(grey));
        using Mat noisy = (new Degradation(0) { LinearLight = true, ReadNoise = readNoise, ShotNoise = shotNoise }).Apply(flat, new SeededRandom(1, "noise"));
        double sum = 0, squares = 0;
        for (int y = 0; y < 120; y++)
        {
            for (int x = 0; x < 120; x++)
            {
                double light = Srgb.DecodeTable[noisy.At<byte>(y, x)] * 255;
                sum += light;
                squares += light * light;
            }
        }
        double mean = sum / (120 * 120);
        double deviation = Math.Sqrt(squares / (120 * 120) - mean * mean);
        double light0 = Srgb.DecodeTable[grey];
        double expected = Math.Sqrt(readNoise * readNoise + shotNoise * shotNoise * light0 / Degradation.MidGrey);
        Assert.Equal(255 * light0, mean, 0.1);
        // Rounding to code values adds a little.
        Assert.InRange(deviation, 0.96 * expected, 1.08 * expected);
    }

    [Theory]
    [InlineData(BlurShapeKind.Disc, 1, 0f, 1.5f)]
    [InlineData(BlurShapeKind.Anisotropic, 3, 0.5236f, 2f)]
    public void Apply_OtherShapes_EqualReference(BlurShapeKind kind, int C, float angle, float sigma)
    {
        using Mat drawn = TestPictures.Draw(48, 40, seed: 3);
        using Mat picture = C == 3 ? drawn.Clone() : drawn.ExtractChannel(0);
        Degradation degradation = new(sigma) { Shape = kind == BlurShapeKind.Disc ? BlurShape.Disc : BlurShape.Anisotropic(2, angle) };
        using Mat blurred = degradation.Apply(picture, new SeededRandom(1, "x"));
        double[,] psf = ReferenceDegradation.Psf(degradation);
        int reach = psf.GetLength(0) / 2;
        for (int y = 0; y < 40; y++)
        for (int x = 0; x < 48; x++)
        {
            double expected = 0;
            for (int v = -reach; v <= reach; v++)
            for (int u = -reach; u <= reach; u++)
                expected += psf[v + reach, u + reach] * First(picture, Mirror(y + v, 40), Mirror(x + u, 48));
            Assert.InRange(First(blurred, y, x) - expected, -0.51, 0.51);
        }

        static double First(Mat mat, int y, int x) => mat.Channels() == 1 ? mat.At<byte>(y, x) : mat.At<Vec3b>(y, x).Item0;
        static int Mirror(int i, int size) => i < 0 ? -i : i >= size ? 2 * size - 2 - i : i;
    }

    [Fact]
    public void Apply_CorrelatedNoise_KeepsItsDeviation()
    {
        using Mat flat = new(200, 200, MatType.CV_8UC3, new Scalar(128, 128, 128));
        Degradation camera = Degradation.Camera(0, noise: 6, jpegQuality: null) with { NoiseCorrelation = 0.4f };
        using Mat noisy = camera.Apply(flat, new SeededRandom(1, "noise"));
        double squares = 0, products = 0;
        for (int y = 0; y < 200; y++)
        for (int x = 0; x < 199; x++)
        {
            double here = noisy.At<Vec3b>(y, x).Item1 - 127.6;
            squares += here * here;
            products += here * (noisy.At<Vec3b>(y, x + 1).Item1 - 127.6);
        }
        Assert.Equal(6 * 1.09, Math.Sqrt(squares / (200 * 199)), 0.25);      // 1.09: slope of the sRGB curve
        Assert.Equal(2 * 0.4 / (1 + 2 * 0.4 * 0.4), products / squares, 0.05);
    }

    [Fact]
    public void Apply_Sharpening_EqualsReference()
    {
        using Mat picture = TestPictures.Draw(40, 40, seed: 4);
        using Mat grey = picture.ExtractChannel(1);
        // Mid values, which overshoot does not clip.
        grey.ConvertTo(grey, MatType.CV_8U, 0.5, 60);
        using Mat sharpened = (new Degradation(0) { LinearLight = true, SharpeningRadius = 1.2f, SharpeningAmount = 0.5f }).Apply(grey, new SeededRandom(1, "x"));
        grey.GetArray(out byte[] codes);
        double[] expected = ReferenceDegradation.Sharpen(Array.ConvertAll(codes, code => (double)code), 1, 40, 1.2, 0.5);
        for (int y = 8; y < 32; y++)
        for (int x = 8; x < 32; x++)
            Assert.InRange(sharpened.At<byte>(y, x) - expected[y * 40 + x], -0.52, 0.52);
    }

    [Theory]
    [InlineData(64, 48, 3)]
    [InlineData(33, 47, 3)]
    [InlineData(33, 47, 1)]
    public void Apply_H264_LosesMoreAtHigherQp(int width, int height, int C)
    {
        using Mat drawn = TestPictures.Draw(width, height, seed: 5);
        using Mat picture = C == 3 ? drawn.Clone() : drawn.ExtractChannel(0);
        int[] qps = [1, 20, 32, 45];
        double[] errors = [.. qps.Select(qp =>
        {
            using Mat coded = (new Degradation(0) { H264Qp = qp }).Apply(picture, new SeededRandom(1, "x"));
            Assert.Equal(picture.Size(), coded.Size());
            Assert.Equal(picture.Type(), coded.Type());
            // Luma alone: colour goes through half resolution whatever the QP.
            using Mat before = Luma(picture), after = Luma(coded);
            return Cv2.Norm(before, after, NormTypes.L2) / Math.Sqrt(width * height);
        })];
        Assert.True(errors[0] < 2.5, $"at QP 1 the error is {errors[0]:F2}");
        Assert.Equal(errors.Order(), errors);

        static Mat Luma(Mat of) => of.Channels() == 1 ? of.Clone() : of.CvtColor(ColorConversionCodes.BGR2GRAY);
    }

    [Fact]
    public void Apply_Jpeg_LosesColourDetailOnlyWithHalfResolutionColour()
    {
        using Mat stripes = new(64, 64, MatType.CV_8UC3);
        for (int y = 0; y < 64; y++)
        {
            for (int x = 0; x < 64; x++) stripes.Set(y, x, x % 2 == 0 ? new Vec3b(180, 90, 90) : new Vec3b(90, 90, 180));
        }
        Degradation jpeg = new(0) { JpegQuality = 95 };
        using Mat half = jpeg.Apply(stripes, new SeededRandom(1, "x"));
        using Mat full = (jpeg with { JpegFullChroma = true }).Apply(stripes, new SeededRandom(1, "x"));
        Assert.True(Cv2.Norm(stripes, half, NormTypes.L2) > 3 * Cv2.Norm(stripes, full, NormTypes.L2));
    }

    [Theory]
    [InlineData("0..3", "0..3")]
    [InlineData("1,2", "1,2")]
    [InlineData("1.6", "1.6")]
    public void ParseSigma_GoodText_IsReadBack(string text, string expected) => Assert.Equal(expected, SigmaChoice.Parse(text).ToString());

    [Theory]
    [InlineData("")]
    [InlineData("3..0")]
    [InlineData("1..1")]
    [InlineData("0..3..4")]
    [InlineData("1,,2")]
    [InlineData("-1")]
    [InlineData("nan")]
    [InlineData("17")]
    [InlineData("much")]
    public void ParseSigma_BadText_IsRefused(string text) => Assert.Throws<ArgumentException>(() => SigmaChoice.Parse(text));

    [Fact]
    public void SeededRandom_SameSeedAndName_SameNumbersAndSensibleOnes()
    {
        SeededRandom first = new(1, "a");
        SeededRandom again = new(1, "a");
        double[] uniform = [.. Enumerable.Range(0, 4000).Select(_ => first.NextDouble())];
        Assert.Equal(uniform, Enumerable.Range(0, 4000).Select(_ => again.NextDouble()));
        Assert.NotEqual(uniform[0], new SeededRandom(2, "a").NextDouble());
        Assert.NotEqual(uniform[0], new SeededRandom(1, "b").NextDouble());
        Assert.Equal(0.5, uniform.Average(), 0.03);
        double[] normal = [.. Enumerable.Range(0, 4000).Select(_ => first.NextGaussian())];
        Assert.Equal(0, normal.Average(), 0.08);
        Assert.Equal(1, normal.Average(value => value * value), 0.12);
        Assert.Equal([70, 71, 72], Enumerable.Range(0, 200).Select(_ => first.NextInt(70, 72)).Distinct().Order());
    }
}
