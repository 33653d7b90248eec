using OpenCvSharp;
using Xunit;

namespace RealtimeDeblur.Tests.Training.Data;

/// <summary>A temporary folder of pictures that a test draws itself; deleted with everything in it.</summary>
internal sealed class TestPictures : IDisposable
{
    public string Root { get; } = Directory.CreateTempSubdirectory("deblur-test-").FullName;

    public string Sharp => PathTo("pictures");

    /// <summary>A path below the temporary folder.</summary>
    public string PathTo(params string[] parts) => Path.Combine([Root, .. parts]);

    /// <summary>Draws a picture with edges, gradients, text and fine texture, and stores it below <see cref="Sharp"/> in the format its ending names.</summary>
    public void Add(string name, int width = 64, int height = 48, int seed = 0)
    {
        using Mat picture = Draw(width, height, seed == 0 ? name.Sum(letter => letter) : seed);
        string path = PathTo("pictures", name);
        Directory.CreateDirectory(Path.GetDirectoryName(path)!);
        Assert.True(Cv2.ImWrite(path, picture), $"could not write {path}");
    }

    public void AddFile(string name, byte[] contents)
    {
        string path = PathTo("pictures", name);
        Directory.CreateDirectory(Path.GetDirectoryName(path)!);
        File.WriteAllBytes(path, contents);
    }

    /// <summary>B, G, R, 8 bits. The caller disposes it.</summary>
    public static Mat Draw(int width, int height, int seed)
    {
        Random random = new(seed);
        Mat picture = new(height, width, MatType.CV_8UC3);
        for (int y = 0; y < height; y++)
        {
            for (int x = 0; x < width; x++)
            {
                int texture = random.Next(-12, 13);
                picture.Set(y, x, new Vec3b(Clip(200 * x / width + texture), Clip(220 * y / height + texture), Clip(90 + 3 * texture)));
            }
        }
        for (int i = 0; i < 4; i++)
        {
            Scalar colour = new(random.Next(256), random.Next(256), random.Next(256));
            Cv2.Rectangle(picture, new Rect(random.Next(width), random.Next(height), width / 4, height / 4), colour, thickness: -1);
        }
        Cv2.PutText(picture, $"sharp {seed}", new Point(2, height / 2), HersheyFonts.HersheySimplex, 0.5, Scalar.White);
        return picture;

        static byte Clip(int value) => (byte)Math.Clamp(value, 0, 255);
    }

    public void Dispose() => Directory.Delete(Root, recursive: true);
}
