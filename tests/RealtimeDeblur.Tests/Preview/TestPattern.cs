using RealtimeDeblur.Imaging;

namespace RealtimeDeblur.Tests.Preview;

/// <summary>Two pictures that betray it when they are mirrored, stretched, moved or mixed up: the original is bluish and carries an F, the restored one reddish with an R.</summary>
internal static class TestPattern
{
    private static readonly string[] F = ["#####", "#....", "#....", "####.", "#....", "#....", "#...."];
    private static readonly string[] R = ["####.", "#...#", "#...#", "####.", "#.#..", "#..#.", "#...#"];

    /// <summary>Makes one of the pictures; the caller disposes it.</summary>
    public static Frame Make(int width, int height, bool isRestored)
    {
        Frame frame = new(new(PixelFormat.Bgr24, width, height));
        Span<byte> data = frame.Data;
        for (int y = 0; y < height; y++)
        {
            for (int x = 0; x < width; x++)
            {
                int at = (y * width + x) * 3;
                (data[at + 2], data[at + 1], data[at]) = ColorAt(x, y, width, height, isRestored);
            }
        }
        return frame;
    }

    /// <summary>R, G, B of a pixel.</summary>
    public static (byte R, byte G, byte B) ColorAt(int x, int y, int width, int height, bool isRestored)
    {
        // The F in the lower left quarter, the R in the upper right one, each 5x7 cells.
        double cell = Math.Min(width, height) / 24.0;
        int column = (int)Math.Floor((x - width * (isRestored ? 0.65 : 0.1)) / cell), row = (int)Math.Floor((y - height * (isRestored ? 0.12 : 0.55)) / cell);
        bool isInk = column is >= 0 and < 5 && row is >= 0 and < 7 && (isRestored ? R : F)[row][column] == '#';
        if (isInk) return (245, 245, 235);
        byte across = (byte)(40 + 120 * x / width), down = (byte)(30 + 140 * y / height);
        return isRestored ? ((byte)(90 + across), down, 40) : (30, down, (byte)(90 + across));
    }
}
