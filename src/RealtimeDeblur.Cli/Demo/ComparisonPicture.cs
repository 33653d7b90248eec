using OpenCvSharp;

namespace RealtimeDeblur.Cli.Demo;

/// <summary>Draws the picture that tells at a glance what the program does: one frame, blurred on the left and restored on the right, and below it a detail enlarged three ways.</summary>
internal static class ComparisonPicture
{
    private const int Gap = 6;
    private const int Zoom = 3;

    /// <summary>Small print and the edge of a balloon: top left corner of the enlarged detail in the frame.</summary>
    private static readonly Point Detail = new(664, 44);
    private static readonly Scalar Ink = new(255, 255, 255);

    /// <param name="blurred">B, G, R, as are the others, and of their size.</param>
    /// <param name="restored">The same frame after the network.</param>
    /// <param name="sharp">The same frame before the blur.</param>
    /// <param name="blurredLabel">Text on the left half.</param>
    /// <param name="restoredLabel">Text on the right half.</param>
    /// <returns>The picture; the caller disposes it.</returns>
    public static Mat Draw(Mat blurred, Mat restored, Mat sharp, string blurredLabel, string restoredLabel)
    {
        int width = blurred.Width, height = blurred.Height;
        int panelWidth = (width - 2 * Gap) / 3, panelHeight = panelWidth * 2 / 3;
        Mat picture = new(height + Gap + panelHeight, width, MatType.CV_8UC3, Scalar.Black);

        blurred[0, height, 0, width / 2].CopyTo(picture[0, height, 0, width / 2]);
        restored[0, height, width / 2, width].CopyTo(picture[0, height, width / 2, width]);
        Cv2.Line(picture, new(width / 2, 0), new(width / 2, height - 1), Ink, 2);
        Label(picture, blurredLabel, new(16, height - 20));
        Label(picture, restoredLabel, new(width / 2 + 17, height - 20));

        (Mat Frame, string Name)[] panels = [(blurred, "blurred"), (restored, "restored"), (sharp, "original")];
        for (int i = 0; i < panels.Length; i++)
        {
            int left = i * (panelWidth + Gap), top = height + Gap;
            using Mat detail = panels[i].Frame[new Rect(Detail.X, Detail.Y, panelWidth / Zoom, panelHeight / Zoom)];
            using Mat enlarged = new();
            Cv2.Resize(detail, enlarged, new Size(panelWidth, panelHeight), interpolation: InterpolationFlags.Cubic);
            enlarged.CopyTo(picture[top, top + panelHeight, left, left + panelWidth]);
            Label(picture, panels[i].Name, new(left + 12, top + panelHeight - 16));
        }
        return picture;
    }

    /// <summary>Writes text on a dark plate, so that it can be read on anything.</summary>
    private static void Label(Mat picture, string text, Point baseline)
    {
        const HersheyFonts font = HersheyFonts.HersheySimplex;
        const double scale = 0.75;
        Size size = Cv2.GetTextSize(text, font, scale, 2, out int below);
        Rect plate = new(baseline.X - 8, baseline.Y - size.Height - 8, size.Width + 16, size.Height + below + 12);
        using (Mat region = picture[plate & new Rect(0, 0, picture.Width, picture.Height)]) region.ConvertTo(region, -1, 0.35);
        Cv2.PutText(picture, text, baseline, font, scale, Ink, 2, LineTypes.AntiAlias);
    }
}
