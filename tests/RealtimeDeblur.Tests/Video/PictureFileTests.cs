using OpenCvSharp;
using RealtimeDeblur.Imaging;
using RealtimeDeblur.Video;
using Xunit;

namespace RealtimeDeblur.Tests.Video;

public sealed class PictureFileTests : IDisposable
{
    private readonly TemporaryFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Theory]
    [InlineData(".png", 1, false)]
    [InlineData(".png", 3, false)]
    [InlineData(".png", 4, false)]
    [InlineData(".png", 1, true)]
    [InlineData(".png", 3, true)]
    [InlineData(".png", 4, true)]
    [InlineData(".tif", 3, true)]
    [InlineData(".tiff", 4, false)]
    [InlineData(".bmp", 3, false)]
    [InlineData(".ppm", 3, true)]
    [InlineData(".pgm", 1, false)]
    public void LoadAndSave_LosslessFormat_KeepsEverySampleAndChannel(string extension, int channels, bool is16Bit)
    {
        using Mat original = Noise(19, 7, channels, is16Bit);
        Cv2.ImWrite(_folder["in" + extension], original);
        using (PictureFile picture = PictureFile.Load(_folder["in" + extension]))
        {
            Assert.Equal(is16Bit ? PixelFormat.Rgb48 : channels == 1 ? PixelFormat.Gray8 : PixelFormat.Bgr24, picture.Frame.Format.Pixels);
            Assert.Equal((19, 7, ColorRange.Full), (picture.Frame.Format.Width, picture.Frame.Format.Height, picture.Frame.Format.Range));
            Assert.Null(picture.LossIn(extension));
            picture.Save(_folder["out" + extension]);
        }
        AssertSame(original, _folder["out" + extension]);
    }

    [Fact]
    public void Load_16BitColour_DeliversRedFirst()
    {
        using var blue = new Mat(1, 1, MatType.CV_16UC3, new Scalar(65535, 500, 7));    // OpenCV's order: blue, green, red.
        Cv2.ImWrite(_folder["blue.png"], blue);
        using PictureFile picture = PictureFile.Load(_folder["blue.png"]);
        Assert.Equal([7, 0, 500 & 255, 500 >> 8, 255, 255], picture.Frame.Data.ToArray());
    }

    [Theory]
    [InlineData(false, PixelFormat.Bgr24)]
    [InlineData(true, PixelFormat.Rgb48)]
    public void Load_GreyAsRgb_IsSavedGreyAgain(bool is16Bit, PixelFormat delivered)
    {
        using Mat original = Noise(5, 6, 1, is16Bit);
        Cv2.ImWrite(_folder["in.png"], original);
        using (PictureFile picture = PictureFile.Load(_folder["in.png"], asRgb: true))
        {
            Assert.Equal(delivered, picture.Frame.Format.Pixels);
            picture.Save(_folder["out.png"]);
        }
        AssertSame(original, _folder["out.png"]);
    }

    [Fact]
    public void Save_ChangedFrame_WritesTheChange()
    {
        using Mat original = Noise(4, 4, 4, is16Bit: false);
        Cv2.ImWrite(_folder["in.png"], original);
        using (PictureFile picture = PictureFile.Load(_folder["in.png"]))
        {
            picture.Frame.Data.Fill(200);
            picture.Save(_folder["out.png"]);
        }
        using Mat saved = Cv2.ImRead(_folder["out.png"], ImreadModes.Unchanged);
        Assert.Equal(new Vec4b(200, 200, 200, original.At<Vec4b>(2, 3).Item3), saved.At<Vec4b>(2, 3));
    }

    [Fact]
    public void Save_IntoFormatThatHoldsLess_SaysWhatIsLost()
    {
        using Mat original = Noise(16, 16, 4, is16Bit: true);
        Cv2.ImWrite(_folder["in.png"], original);
        using PictureFile picture = PictureFile.Load(_folder["in.png"]);
        Assert.Equal("its transparency and 8 of its 16 bits", picture.LossIn(".jpg"));
        picture.Save(_folder["out.jpg"]);
        using Mat saved = Cv2.ImRead(_folder["out.jpg"], ImreadModes.Unchanged);
        Assert.Equal(MatType.CV_8UC3, saved.Type());
    }

    [Fact]
    public void Save_Jpeg_StaysCloseAtQuality95WithFullChroma()
    {
        using Mat original = new(64, 64, MatType.CV_8UC3);
        for (int y = 0; y < 64; y++)
        {
            for (int x = 0; x < 64; x++) original.Set(y, x, new Vec3b((byte)(x * 4), (byte)(y * 4), x % 8 < 4 ? (byte)230 : (byte)20));
        }
        Cv2.ImWrite(_folder["in.png"], original);
        using PictureFile picture = PictureFile.Load(_folder["in.png"]);
        picture.Save(_folder["out.jpg"]);
        using Mat saved = Cv2.ImRead(_folder["out.jpg"]);
        Assert.InRange(Cv2.PSNR(original, saved), 36, 100);    // Quality 95 with half chroma reaches 20.
    }

    [Fact]
    public void Load_RotationInExif_StandsUpright()
    {
        using var wide = new Mat(8, 16, MatType.CV_8UC3, new Scalar(10, 200, 30));
        Cv2.ImWrite(_folder["in.jpg"], wide);
        byte[] file = File.ReadAllBytes(_folder["in.jpg"]);
        // APP1 with one entry: orientation 6, shown after a quarter turn clockwise.
        byte[] exif = [0xFF, 0xE1, 0, 34, .. "Exif\0\0MM\0*"u8, 0, 0, 0, 8, 0, 1, 0x01, 0x12, 0, 3, 0, 0, 0, 1, 0, 6, 0, 0, 0, 0, 0, 0];
        File.WriteAllBytes(_folder["turned.jpg"], [.. file[..2], .. exif, .. file[2..]]);
        using PictureFile picture = PictureFile.Load(_folder["turned.jpg"]);
        Assert.Equal((8, 16), (picture.Frame.Format.Width, picture.Frame.Format.Height));
    }

    [Fact]
    public void Load_FloatingPointSamples_AreRefused()
    {
        using var original = new Mat(4, 4, MatType.CV_32FC3, new Scalar(0.5, 0.5, 0.5));
        Cv2.ImWrite(_folder["in.tiff"], original);
        Assert.Contains("8 nor 16 bit", Assert.Throws<InvalidDataException>(() => PictureFile.Load(_folder["in.tiff"])).Message);
    }

    [Theory]
    [InlineData(".png")]
    [InlineData(".jpg")]
    [InlineData(".webp")]
    [InlineData(".tif")]
    public void Load_CutOffFile_IsRefused(string extension)
    {
        using Mat original = Noise(64, 64, 3, is16Bit: false);
        Cv2.ImWrite(_folder["in" + extension], original);
        byte[] file = File.ReadAllBytes(_folder["in" + extension]);
        File.WriteAllBytes(_folder["in" + extension], file[..(file.Length / 2)]);
        Assert.Contains("in" + extension, Assert.Throws<InvalidDataException>(() => PictureFile.Load(_folder["in" + extension])).Message);
    }

    private static Mat Noise(int width, int height, int channels, bool is16Bit)
    {
        var mat = new Mat(height, width, MatType.MakeType(is16Bit ? MatType.CV_16U : MatType.CV_8U, channels));
        Cv2.SetTheRNG(7);
        Cv2.Randu(mat, Scalar.All(0), Scalar.All(is16Bit ? 65536 : 256));
        return mat;
    }

    private static void AssertSame(Mat expected, string path)
    {
        using Mat saved = Cv2.ImRead(path, ImreadModes.Unchanged);
        Assert.Equal((expected.Type(), expected.Size()), (saved.Type(), saved.Size()));
        Assert.Equal(0, Cv2.Norm(expected, saved, NormTypes.INF));
    }
}
