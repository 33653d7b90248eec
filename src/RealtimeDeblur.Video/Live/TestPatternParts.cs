using OpenCvSharp;

namespace RealtimeDeblur.Video.Live;

/// <summary>
/// The sharp parts of a <see cref="TestPattern"/>, each of the size asked for, with <c>margin</c> rows of plain ground above and below. A part that is too small for its contents is plain ground.
/// The caller disposes them.
/// </summary>
internal static class TestPatternParts
{
    private const int SubpixelBits = 4;

    /// <summary>Houses with lit windows before a sky, in two rows of different size, trees between them. Wraps around.</summary>
    public static Mat Street(int width, int height, int margin, Scalar ground)
    {
        var part = new Mat(height, width, MatType.CV_8UC3, ground);
        int top = margin, bottom = height - margin;
        if (bottom - top < 16) return part;
        int rows = bottom - top;
        for (int y = top; y < bottom; y++)
        {
            double down = (double)(y - top) / rows;
            Cv2.Line(part, new Point(0, y), new Point(width - 1, y), new Scalar(235 - 50 * down, 190 - 20 * down, 120 + 100 * down));
        }
        Cv2.Circle(part, new Point(width / 3, top + rows / 3), rows / 7, new Scalar(150, 225, 250), -1, LineTypes.AntiAlias);

        var random = new Random(20);
        int unit = Math.Max(4, rows / 14);
        foreach (bool isNear in (ReadOnlySpan<bool>)[false, true])
        {
            for (int x = 0; x < width - 2 * unit;)
            {
                int houseWidth = Math.Min(unit * random.Next(3, 7), width - 2 - x);
                int houseRows = Math.Min(rows - unit / 2 - unit, unit * (isNear ? random.Next(3, 8) : random.Next(6, 12)));
                House(part, new Rect(x, bottom - unit / 2 - houseRows, houseWidth, houseRows), unit, isNear, random);
                x += houseWidth + (isNear ? unit * random.Next(1, 4) : unit * random.Next(0, 2));
                if (isNear && x < width - 2 * unit) Tree(part, new Point(x - unit / 2, bottom - unit / 2), unit, top, random);
            }
        }
        Cv2.Rectangle(part, new Rect(0, bottom - unit / 2, width, unit / 2), new Scalar(70, 74, 78), -1);
        for (int x = 0; x < width - unit; x += 2 * unit) Cv2.Rectangle(part, new Rect(x, bottom - unit / 4, unit, Math.Max(1, unit / 10)), new Scalar(225, 235, 240), -1);
        return part;
    }

    /// <summary>A text in two sizes. Wraps around.</summary>
    public static Mat Print(int width, int height, int margin, Scalar ground)
    {
        var part = new Mat(height, width, MatType.CV_8UC3, ground);
        int rows = height - 2 * margin;
        if (rows < 10) return part;
        Cv2.Rectangle(part, new Rect(0, margin, width, rows), new Scalar(232, 240, 244), -1);
        ReadOnlySpan<string> sentences = ["RealtimeDeblur restores what blur takes away", "small print shows it best", "0123456789 aeosgB8RKX", "every pixel of this picture is computed"];
        for (int x = rows / 2, i = 0; ; i++)
        {
            double scale = rows / (i % 2 == 0 ? 48.0 : 76.0);
            string sentence = sentences[i % sentences.Length];
            Size size = Cv2.GetTextSize(sentence, HersheyFonts.HersheyDuplex, scale, 1, out _);
            if (x + size.Width > width) return part;
            Cv2.PutText(part, sentence, new Point(x, margin + (rows + size.Height) / 2), HersheyFonts.HersheyDuplex, scale, new Scalar(40, 36, 30), Math.Max(1, (int)(scale * 1.2)), LineTypes.AntiAlias);
            x += size.Width + rows;
        }
    }

    /// <summary>Star, zone plate, gratings, an edge on the slant, patches and a gradient, and the place for a clock.</summary>
    /// <param name="clock">Where the clock goes; empty where there is no room.</param>
    public static Mat Chart(int width, int height, int margin, Scalar ground, out Rect clock)
    {
        var part = new Mat(height, width, MatType.CV_8UC3, ground);
        int clockRows = height / 4 + margin, y = margin + clockRows, rows = height - margin - y;
        clock = new Rect(0, 0, width, clockRows);
        int side = Math.Min(rows, width / 5), column = (width - 2 * side) / 4;
        if (side < 16 || column < 16)
        {
            clock = default;
            return part;
        }
        Copy(SiemensStar(side), part, 0, y);
        Copy(ZonePlate(side), part, width - side, y);
        Gratings(part, new Rect(side, y, column, rows));
        SlantedEdge(part, new Rect(side + column, y, column, rows));
        Patches(part, new Rect(side + 2 * column, y, column, rows));
        for (int x = 0; x < column; x++)
        {
            int gray = 255 * x / column;
            Cv2.Line(part, new Point(side + 3 * column + x, y), new Point(side + 3 * column + x, y + rows - 1), new Scalar(gray, gray, gray));
        }
        return part;
    }

    /// <summary>A character of the clock in the middle of its cell.</summary>
    public static Mat Character(char character, int width, int height, int margin, Scalar ground)
    {
        var part = new Mat(height, width, MatType.CV_8UC3, ground);
        int rows = height - 2 * margin, columns = width - 2 * margin;
        if (rows < 6 || columns < 3) return part;
        Size natural = Cv2.GetTextSize("0", HersheyFonts.HersheyDuplex, 1, 1, out _);
        double scale = Math.Min(0.8 * rows / natural.Height, 0.9 * columns / natural.Width);
        int thickness = Math.Max(1, (int)(scale * 1.5));
        Cv2.PutText(part, character.ToString(), new Point((width - natural.Width * scale) / 2, (height + natural.Height * scale) / 2), HersheyFonts.HersheyDuplex, scale,
            new Scalar(120, 235, 255), thickness, LineTypes.AntiAlias);
        return part;
    }

    private static void House(Mat part, Rect house, int unit, bool isNear, Random random)
    {
        if (house.Width < unit || house.Height < unit) return;
        double shade = isNear ? 1 : 0.6;
        var wall = new Scalar((60 + random.Next(120)) * shade + (isNear ? 0 : 60), (60 + random.Next(110)) * shade + (isNear ? 0 : 55), (70 + random.Next(130)) * shade + (isNear ? 0 : 50));
        Cv2.Rectangle(part, house, wall, -1);
        if (isNear)
        {
            Point[] roof = [new(house.X, house.Y), new(house.X + house.Width / 2, house.Y - unit), new(house.X + house.Width - 1, house.Y)];
            Cv2.FillConvexPoly(part, roof, new Scalar(40, 46, 50 + random.Next(110)), LineTypes.AntiAlias);
        }
        int pane = Math.Max(2, unit / 3);
        for (int y = house.Y + pane; y + 2 * pane < house.Bottom; y += 3 * pane)
        {
            for (int x = house.X + pane; x + pane < house.Right; x += 2 * pane)
            {
                bool isLit = random.Next(3) == 0;
                Cv2.Rectangle(part, new Rect(x, y, pane, pane * 3 / 2), isLit ? new Scalar(110, 215, 250) : new Scalar(70, 60, 52), -1);
                if (pane >= 5) Cv2.Line(part, new Point(x + pane / 2, y), new Point(x + pane / 2, y + pane * 3 / 2 - 1), new Scalar(210, 215, 220));
            }
        }
    }

    private static void Tree(Mat part, Point foot, int unit, int top, Random random)
    {
        Cv2.Rectangle(part, new Rect(foot.X - Math.Max(1, unit / 8), foot.Y - unit, Math.Max(2, unit / 4), unit), new Scalar(40, 60, 84), -1);
        for (int leaf = 0; leaf < 60; leaf++)
        {
            int x = foot.X + random.Next(-unit, unit + 1) * 2 / 3, y = Math.Max(foot.Y - unit - random.Next(2 * unit), top + unit);
            Cv2.Circle(part, new Point(x, y), Math.Max(1, unit / 7), new Scalar(30 + random.Next(50), 90 + random.Next(90), 40 + random.Next(60)), -1, LineTypes.AntiAlias);
        }
    }

    private static void Copy(Mat piece, Mat part, int x, int y)
    {
        using Mat owned = piece;
        using Mat place = part[new Rect(x, y, piece.Cols, piece.Rows)];
        piece.CopyTo(place);
    }

    /// <summary>Spokes that become finer towards the middle, in the manner of W. Siemens.</summary>
    private static Mat SiemensStar(int side)
    {
        const int spokes = 36;
        var star = new Mat(side, side, MatType.CV_8UC3, new Scalar(240, 240, 240));
        double scale = 1 << SubpixelBits, middle = side / 2.0, radius = side * 0.48;
        for (int spoke = 0; spoke < spokes; spoke++)
        {
            (double sin1, double cos1) = Math.SinCos(2 * Math.PI * spoke / spokes);
            (double sin2, double cos2) = Math.SinCos(2 * Math.PI * (spoke + 0.5) / spokes);
            Point[] wedge =
            [
                new((int)(middle * scale), (int)(middle * scale)),
                new((int)((middle + radius * cos1) * scale), (int)((middle + radius * sin1) * scale)),
                new((int)((middle + radius * cos2) * scale), (int)((middle + radius * sin2) * scale)),
            ];
            Cv2.FillConvexPoly(star, wedge, new Scalar(24, 20, 20), LineTypes.AntiAlias, SubpixelBits);
        }
        return star;
    }

    /// <summary>0.5 + 0.5 cos(pi r^2 / (2 side)): rings whose frequency grows to half of what pixels can hold at the middle of each edge.</summary>
    private static Mat ZonePlate(int side)
    {
        byte[] rings = new byte[side * side];
        for (int y = 0; y < side; y++)
        {
            for (int x = 0; x < side; x++)
            {
                double dx = x - side / 2.0, dy = y - side / 2.0;
                rings[y * side + x] = (byte)Math.Round(127.5 + 112 * Math.Cos(Math.PI * (dx * dx + dy * dy) / (2 * side)));
            }
        }
        using Mat gray = Mat.FromPixelData(side, side, MatType.CV_8UC1, rings);
        var plate = new Mat();
        Cv2.CvtColor(gray, plate, ColorConversionCodes.GRAY2BGR);
        return plate;
    }

    /// <summary>Bars of 1 to 6 pixels: upright above, lying below.</summary>
    private static void Gratings(Mat part, Rect place)
    {
        Cv2.Rectangle(part, place, new Scalar(225, 225, 225), -1);
        int half = place.Height / 2, x = place.X + 2;
        for (int bar = 1; bar <= 6; bar++)
        {
            int group = place.Width / 6 - 4;
            for (int offset = 0; offset + bar <= group; offset += 2 * bar) Cv2.Rectangle(part, new Rect(x + offset, place.Y + 2, bar, half - 4), new Scalar(30, 30, 30), -1);
            for (int offset = 0; offset + bar <= half - 4; offset += 2 * bar) Cv2.Rectangle(part, new Rect(x, place.Y + half + offset, Math.Max(1, group), bar), new Scalar(30, 30, 30), -1);
            x += group + 4;
        }
    }

    /// <summary>Leans by five degrees, so that one picture samples its profile finely, as ISO 12233 measures resolution.</summary>
    private static void SlantedEdge(Mat part, Rect place)
    {
        Cv2.Rectangle(part, place, new Scalar(200, 200, 200), -1);
        double lean = Math.Tan(5 * Math.PI / 180) * place.Height / 2, middle = place.X + place.Width / 2.0;
        Point[] dark = [new(place.X, place.Y), new((int)(middle + lean), place.Y), new((int)(middle - lean), place.Bottom - 1), new(place.X, place.Bottom - 1)];
        Cv2.FillConvexPoly(part, dark, new Scalar(60, 60, 60), LineTypes.AntiAlias);
    }

    private static void Patches(Mat part, Rect place)
    {
        ReadOnlySpan<Scalar> colors = [new(40, 40, 220), new(60, 180, 60), new(210, 80, 40), new(40, 210, 230), new(200, 60, 190), new(200, 190, 50)];
        int width = place.Width / 3, height = place.Height / 2;
        for (int i = 0; i < colors.Length; i++) Cv2.Rectangle(part, new Rect(place.X + i % 3 * width, place.Y + i / 3 * height, width, height), colors[i], -1);
    }
}
