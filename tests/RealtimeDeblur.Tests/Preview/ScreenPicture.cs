using SkiaSharp;
using Xunit;

namespace RealtimeDeblur.Tests.Preview;

/// <summary>Pixels of a window, R, G, B, rows from the top.</summary>
internal sealed record ScreenPicture(byte[] Rgb, int Width, int Height)
{
    /// <summary>Side of the blocks whose means are compared, in pixels: text drawn a little differently keeps them, text that is missing or elsewhere does not.</summary>
    private const int Block = 16;
    private const double LeastPsnr = 34, LargestBlockDifference = 10;

    public (byte R, byte G, byte B) this[int x, int y] => (Rgb[(y * Width + x) * 3], Rgb[(y * Width + x) * 3 + 1], Rgb[(y * Width + x) * 3 + 2]);

    /// <summary>
    /// Compares with Golden/<paramref name="name"/>.png. To make these files anew, after looking at what has changed:
    /// <c>DEBLUR_UPDATE_GOLDEN=1 ./test -class '*Preview.PreviewWindowTests'</c>. A picture that fails is left in artifacts/golden for comparison.
    /// </summary>
    public void AssertGolden(string name)
    {
        string checkout = Scripts.ScriptTests.FindCheckout();
        string path = Path.Combine(checkout, "tests/RealtimeDeblur.Tests/Preview/Golden", name + ".png");
        if (Environment.GetEnvironmentVariable("DEBLUR_UPDATE_GOLDEN") == "1") Save(path);
        ScreenPicture golden = Load(path);
        string failed = Path.Combine(checkout, "artifacts/golden", name + ".png");
        double psnr = 0, difference = 0;
        bool isAlike = (golden.Width, golden.Height) == (Width, Height) && (psnr = Psnr(golden)) >= LeastPsnr && (difference = LargestDifferenceOfBlockMeans(golden)) <= LargestBlockDifference;
        if (!isAlike) Save(failed);
        Assert.True(isAlike, $"{name}: {Width}x{Height}, golden {golden.Width}x{golden.Height}; PSNR {psnr:F1} dB (at least {LeastPsnr}), block means differ by {difference:F1} (at most {LargestBlockDifference}). See {failed}");
    }

    private double Psnr(ScreenPicture other)
    {
        double sum = 0;
        for (int i = 0; i < Rgb.Length; i++) sum += Math.Pow(Rgb[i] - other.Rgb[i], 2);
        return 10 * Math.Log10(255.0 * 255.0 / Math.Max(1e-9, sum / Rgb.Length));
    }

    private double LargestDifferenceOfBlockMeans(ScreenPicture other)
    {
        double largest = 0;
        for (int top = 0; top < Height; top += Block)
        {
            for (int left = 0; left < Width; left += Block)
            {
                int bottom = Math.Min(Height, top + Block), right = Math.Min(Width, left + Block);
                double sum = 0;
                for (int y = top; y < bottom; y++)
                {
                    for (int x = 3 * left; x < 3 * right; x++) sum += Rgb[y * Width * 3 + x] - other.Rgb[y * Width * 3 + x];
                }
                largest = Math.Max(largest, Math.Abs(sum) / ((bottom - top) * (right - left) * 3));
            }
        }
        return largest;
    }

    private void Save(string path)
    {
        Directory.CreateDirectory(Path.GetDirectoryName(path)!);
        using SKBitmap bitmap = new(new SKImageInfo(Width, Height, SKColorType.Rgba8888, SKAlphaType.Opaque));
        Span<byte> pixels = Writable(bitmap);
        for (int i = 0; i < Width * Height; i++)
        {
            Rgb.AsSpan(3 * i, 3).CopyTo(pixels[(4 * i)..]);
            pixels[4 * i + 3] = 255;
        }
        using SKData png = bitmap.Encode(SKEncodedImageFormat.Png, quality: 100);
        File.WriteAllBytes(path, png.ToArray());
    }

    private static unsafe Span<byte> Writable(SKBitmap bitmap) => new((void*)bitmap.GetPixels(), bitmap.ByteCount);

    private static ScreenPicture Load(string path)
    {
        if (!File.Exists(path)) throw new FileNotFoundException($"{path} is missing. DEBLUR_UPDATE_GOLDEN=1 makes it.");
        SKImageInfo bounds = SKBitmap.DecodeBounds(path);
        using SKBitmap bitmap = SKBitmap.Decode(path, new SKImageInfo(bounds.Width, bounds.Height, SKColorType.Rgba8888, SKAlphaType.Unpremul));
        byte[] rgb = new byte[bitmap.Width * bitmap.Height * 3];
        ReadOnlySpan<byte> pixels = bitmap.GetPixelSpan();
        for (int i = 0; i < bitmap.Width * bitmap.Height; i++) pixels.Slice(4 * i, 3).CopyTo(rgb.AsSpan(3 * i));
        return new(rgb, bitmap.Width, bitmap.Height);
    }
}
