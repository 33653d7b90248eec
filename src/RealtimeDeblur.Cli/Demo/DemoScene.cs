using System.Numerics;
using System.Runtime.InteropServices;
using OpenCvSharp;

namespace RealtimeDeblur.Cli.Demo;

/// <summary>
/// A flight through a valley, computed: fine natural detail at all distances, balloons with crisp stripes, and a banner with small print, all in motion.
/// The same frame number always gives the same picture.
/// </summary>
/// <remarks>
/// The ground is drawn column by column from front to back, each sample of the height map raising the column where it shows above what is nearer (the "voxel space" of
/// Macgill's <i>Comanche</i>, 1992). Everything is drawn at twice the size and averaged, so edges are as sharp as a good lens makes them, without steps.
/// </remarks>
internal sealed class DemoScene
{
    public const int Width = 1280;
    public const int Height = 720;
    public const int FramesPerSecond = 25;

    private const int Oversampling = 2;
    private const int W = Width * Oversampling;
    private const int H = Height * Oversampling;

    /// <summary>Distance of the picture plane in its own pixels: 58 degrees from side to side.</summary>
    private const float FocalLength = 0.9f * W;
    private const float Horizon = 0.36f * H;
    private const float Nearest = 150;
    private const float Farthest = 3400;
    private const float FinestDetailReach = 1100;
    private const float CameraHeight = 168;
    private const float SpeedPerFrame = 2.2f;

    private static readonly Vector3 Haze = new(0.74f, 0.82f, 0.90f);

    private readonly Landscape _landscape = new();
    private readonly float[] _clouds = MakeClouds();
    private readonly byte[] _bannerText = MakeBannerText();

    /// <summary>Draws a frame.</summary>
    /// <param name="number">0 or more.</param>
    /// <param name="bgr">[Height][Width][3] as B, G, R, filled.</param>
    public void Draw(int number, byte[] bgr)
    {
        float along = 300 + number * SpeedPerFrame;
        Vector2 camera = new(Landscape.RiverX(along + 120), along);
        float turn = MathF.Atan2(Landscape.RiverX(along + 700) - camera.X, 580) * 0.6f + 0.05f * MathF.Sin(number * 0.02f);
        Sprite[] sprites =
        [
            Balloon(0.60f - 0.0004f * number, 0.168f + 0.0002f * number, 0.024f, 0.02f * number, new(0.10f, 0.45f, 0.30f), new(0.93f, 0.62f, 0.18f), gores: 10),
            Balloon(0.24f + 0.0005f * number, 0.25f - 0.0004f * number, 0.052f, 0.5f - 0.012f * number, new(0.12f, 0.30f, 0.62f), new(0.95f, 0.95f, 0.93f), gores: 12),
            Balloon(0.77f + 0.0007f * number, 0.36f - 0.0006f * number, 0.105f, 0.010f * number, new(0.86f, 0.16f, 0.13f), new(0.98f, 0.86f, 0.30f), gores: 14),
            Banner(0.30f - 0.0020f * number, 0.045f, number * 0.16f),
        ];
        Parallel.For(0, Width, () => new Vector3[Oversampling * H], (x, _, columns) =>
        {
            for (int i = 0; i < Oversampling; i++) DrawColumn(x * Oversampling + i, columns.AsSpan(i * H, H), neighbour: columns.AsSpan(0, i * H), camera, turn);
            foreach (Sprite sprite in sprites) Paint(sprite, x, columns);
            Average(columns, x, bgr);
            return columns;
        }, _ => { });
    }

    /// <summary>Draws column <paramref name="x"/>, ground from bottom to top and the sky above it. Sky is too smooth to be drawn in every one: where there is a
    /// <paramref name="neighbour"/>, its sky serves here too.</summary>
    private void DrawColumn(int x, Span<Vector3> column, ReadOnlySpan<Vector3> neighbour, Vector2 camera, float turn)
    {
        float across = (x - W / 2) / FocalLength;
        (float sin, float cos) = MathF.SinCos(turn);
        Vector2 ray = new(across * cos + sin, cos - across * sin);

        int top = H;
        for (float z = Nearest; z < Farthest && top > 0; z += MathF.Max(0.45f, z * (1f / 430)))
        {
            float mapX = camera.X + ray.X * z, mapY = camera.Y + ray.Y * z;
            float height = _landscape.HeightAt(mapX, mapY);
            int y = (int)(Horizon + (CameraHeight - height) * FocalLength / z);
            if (y >= top) continue;
            y = Math.Max(y, 0);
            float haze = 1 - MathF.Exp(-z * z * (1f / (2600f * 2600f)));
            Vector3 color = _landscape.ColorAt(mapX, mapY);
            if (z < FinestDetailReach)
            {
                // Blades and leaves, which the map is too coarse for.
                float contrast = 0.75f * (1 - z / FinestDetailReach);
                float unitsPerPixel = z / FocalLength;
                for (int filled = y; filled < top; filled++)
                {
                    float above = height - (filled - y) * unitsPerPixel;
                    float grain = PeriodicNoise.Hash((int)(mapX * 2.6f), (int)(mapY * 2.6f) + 7919 * (int)(above * 1.7f), 5);
                    column[filled] = Vector3.Lerp(color * (1 + contrast * (grain - 0.45f)), Haze, haze);
                }
            }
            else
            {
                column[y..top].Fill(Vector3.Lerp(color, Haze, haze));
            }
            top = y;
        }
        for (int y = 0; y < top; y += Oversampling)
        {
            Vector3 sky = neighbour.IsEmpty ? Sky(x, y, turn) : neighbour[y];
            column[y] = sky;
            if (y + 1 < top) column[y + 1] = sky;
        }
    }

    private Vector3 Sky(int x, int y, float turn)
    {
        float up = MathF.Max(0, (Horizon + 0.02f * H - y) / H);
        Vector3 blue = Vector3.Lerp(Haze, new(0.27f, 0.48f, 0.78f), MathF.Min(1, 2.4f * up));
        // Clouds lie on a plane overhead.
        float distance = 1 / (up + 0.06f);
        float cloudX = ((x - W / 2) / FocalLength * distance * 0.34f + turn * 3 + 7) * 64, cloudY = distance * 0.42f * 64;
        float cloud = Math.Clamp((CloudAt(cloudX, cloudY) - 0.47f) * 4.2f, 0, 1);
        float light = 0.86f + 0.14f * Math.Clamp((CloudAt(cloudX - 3, cloudY - 2) - CloudAt(cloudX, cloudY)) * -6 + 0.5f, 0, 1);
        return Vector3.Lerp(blue, new Vector3(1, 0.99f, 0.97f) * light, cloud * MathF.Min(1, up * 9) * 0.92f);
    }

    private float CloudAt(float x, float y)
    {
        float floorX = MathF.Floor(x), floorY = MathF.Floor(y);
        int x0 = (int)floorX & 511, y0 = ((int)floorY & 511) * 512, x1 = (x0 + 1) & 511, y1 = (y0 + 512) & (512 * 512 - 1);
        return float.Lerp(float.Lerp(_clouds[y0 + x0], _clouds[y0 + x1], x - floorX), float.Lerp(_clouds[y1 + x0], _clouds[y1 + x1], x - floorX), y - floorY);
    }

    /// <summary>A balloon: its envelope a sphere that tapers downwards, striped along its meridians, with ropes and a basket. Its middle is given in widths and heights of
    /// the picture, its radius in widths.</summary>
    private static Sprite Balloon(float centerX, float centerY, float size, float spin, Vector3 first, Vector3 second, int gores)
    {
        float cx = centerX * W, cy = centerY * H, radius = size * W;
        return new(cx - radius, cy - radius, cx + radius, cy + 1.75f * radius, (x, y) =>
        {
            float down = (y - cy) / radius, across = (x - cx) / radius;
            // Below the equator the envelope narrows to its mouth.
            float width = down <= 0.25f ? MathF.Sqrt(MathF.Max(0, 1 - down * down)) : 0.968f - 0.86f * MathF.Pow((down - 0.25f) / 0.95f, 1.35f);
            if (down < 1.2f && MathF.Abs(across) < width)
            {
                float sideways = across / width;
                float depth = MathF.Sqrt(1 - sideways * sideways);
                float meridian = (MathF.Asin(sideways) + spin) * gores / MathF.PI;
                bool isBand = MathF.Abs(down + 0.05f) < 0.11f;
                int stripe = (int)MathF.Floor(meridian) + (isBand ? (int)MathF.Floor((down + 0.16f) / 0.055f) : 0);
                float light = 0.46f + 0.62f * MathF.Max(0, -0.62f * sideways - 0.42f * down + 0.66f * depth);
                float seam = MathF.Abs(meridian - MathF.Round(meridian)) * depth < 0.03f ? 0.72f : 1;
                return ((stripe & 1) == 0 ? first : second) * (light * seam);
            }
            if (down is > 1.2f and < 1.52f && MathF.Abs(MathF.Abs(across) - (0.115f - 0.05f * (down - 1.2f))) < 0.007f) return new(0.20f, 0.17f, 0.14f);
            if (down is >= 1.52f and < 1.70f && MathF.Abs(across) < 0.105f)
                return new Vector3(0.50f, 0.34f, 0.18f) * (((int)(across * 60 + 90) + (int)(down * 60)) % 2 == 0 ? 1.1f : 0.75f);
            return null;
        });
    }

    /// <summary>A banner that waves in the wind, with the print of <see cref="MakeBannerText"/>.</summary>
    private Sprite Banner(float left, float top, float phase)
    {
        const int textWidth = BannerWidth, textHeight = BannerHeight;
        float x0 = left * W, y0 = top * H;
        return new(x0, y0 - 20, x0 + textWidth, y0 + textHeight + 20, (x, y) =>
        {
            float column = x - x0;
            float wave = 9 * MathF.Sin(column * 0.009f - phase) * (0.3f + 0.7f * column / textWidth);
            int row = (int)(y - y0 - wave);
            if (row is < 0 or >= textHeight || column < 0 || column >= textWidth) return null;
            float ink = _bannerText[row * textWidth + (int)column] / 255f;
            float light = 0.90f + 0.10f * MathF.Cos(column * 0.009f - phase);
            return Vector3.Lerp(new(0.10f, 0.12f, 0.22f), new(0.98f, 0.96f, 0.90f), ink) * light;
        });
    }

    private static void Paint(Sprite sprite, int x, Vector3[] columns)
    {
        for (int i = 0; i < Oversampling; i++)
        {
            float column = x * Oversampling + i + 0.5f;
            if (column < sprite.Left || column > sprite.Right) continue;
            int bottom = Math.Clamp((int)sprite.Bottom + 1, 0, H);
            for (int y = Math.Clamp((int)sprite.Top, 0, H); y < bottom; y++)
            {
                if (sprite.Color(column, y + 0.5f) is { } color) columns[i * H + y] = color;
            }
        }
    }

    /// <summary>Makes the finished pixels of column <paramref name="x"/>.</summary>
    private static void Average(Vector3[] columns, int x, byte[] bgr)
    {
        for (int y = 0; y < Height; y++)
        {
            Vector3 sum = default;
            for (int i = 0; i < Oversampling; i++)
            {
                for (int j = 0; j < Oversampling; j++) sum += columns[i * H + y * Oversampling + j];
            }
            sum = Vector3.Clamp(sum * (255f / (Oversampling * Oversampling)), Vector3.Zero, new(255));
            int pixel = 3 * (y * Width + x);
            bgr[pixel] = (byte)(sum.Z + 0.5f);
            bgr[pixel + 1] = (byte)(sum.Y + 0.5f);
            bgr[pixel + 2] = (byte)(sum.X + 0.5f);
        }
    }

    /// <summary>Something in front of the landscape: where it can be, in oversampled pixels, and its colour at a place, null where it is not.</summary>
    private sealed record Sprite(float Left, float Top, float Right, float Bottom, Func<float, float, Vector3?> Color);

    private const int BannerWidth = 1240;
    private const int BannerHeight = 132;

    private static byte[] MakeBannerText()
    {
        using Mat text = new(BannerHeight, BannerWidth, MatType.CV_8UC1, Scalar.White);
        Cv2.Rectangle(text, new Rect(6, 6, BannerWidth - 12, BannerHeight - 12), Scalar.Black, 3, LineTypes.AntiAlias);
        Cv2.PutText(text, "RealtimeDeblur", new(34, 82), HersheyFonts.HersheyDuplex, 2.35, Scalar.Black, 5, LineTypes.AntiAlias);
        Cv2.PutText(text, "every pixel of this picture is computed;", new(640, 62), HersheyFonts.HersheySimplex, 0.86, Scalar.Black, 2, LineTypes.AntiAlias);
        Cv2.PutText(text, "small print shows best what blur takes away", new(640, 100), HersheyFonts.HersheySimplex, 0.74, Scalar.Black, 2, LineTypes.AntiAlias);
        byte[] ink = new byte[BannerWidth * BannerHeight];
        Marshal.Copy(text.Data, ink, 0, ink.Length);
        return ink;
    }

    private static float[] MakeClouds()
    {
        float[] clouds = new float[512 * 512];
        Parallel.For(0, 512, y =>
        {
            for (int x = 0; x < 512; x++) clouds[y * 512 + x] = PeriodicNoise.Fractal(x * (8f / 512), y * (8f / 512), 8, 6, seed: 83);
        });
        return clouds;
    }
}
