using OpenCvSharp;
using RealtimeDeblur.Training.Evaluation;

namespace RealtimeDeblur.Cli.Report;

/// <summary>What of an example is shown: the detail where the blur took most, and a larger part of the picture around it. Pictures are luma, stretched to full range.</summary>
internal sealed class ExampleView
{
    public const int DetailWidth = 96, DetailHeight = 64;

    /// <summary>Small enough that a report of some sets and twenty methods stays below 10 MB.</summary>
    private const int MostWidth = 480, MostHeight = 320;

    /// <summary>JPEG of this quality adds nothing that could be taken for a method's own.</summary>
    private const int JpegQuality = 92;

    private readonly Rect _part;
    private readonly Rect _detail;

    public ExampleView(ExamplePicture example)
    {
        (LumaPlane sharp, LumaPlane blurred) = (example.Sharp, example.Restored[0].Luma);
        _detail = WorstWindow(sharp, blurred, new Size(Math.Min(DetailWidth, sharp.W), Math.Min(DetailHeight, sharp.H)));
        (int W, int H) = (Math.Min(MostWidth, sharp.W), Math.Min(MostHeight, sharp.H));
        _part = new(Math.Clamp(_detail.X + (_detail.Width - W) / 2, 0, sharp.W - W), Math.Clamp(_detail.Y + (_detail.Height - H) / 2, 0, sharp.H - H), W, H);
    }

    /// <summary>Of the larger part.</summary>
    public Size Size => _part.Size;

    /// <summary>The detail as a data URI, exact.</summary>
    public string Detail(LumaPlane luma) => DataUri(luma, _detail, ".png", "image/png");

    /// <summary>The larger part as a data URI.</summary>
    public string Part(LumaPlane luma) => DataUri(luma, _part, ".jpg", "image/jpeg", (int)ImwriteFlags.JpegQuality, JpegQuality);

    /// <summary>The window of the largest squared difference, in steps of a few pixels.</summary>
    private static Rect WorstWindow(LumaPlane sharp, LumaPlane blurred, Size size)
    {
        const int Step = 4;
        (int W, int H) = (sharp.W, sharp.H);
        // sums[y][x] is the sum over everything above and left of (x, y).
        var sums = new long[(W + 1) * (H + 1)];
        for (int y = 0; y < H; y++)
        {
            long row = 0;
            for (int x = 0; x < W; x++)
            {
                int difference = sharp.Samples[y * W + x] - blurred.Samples[y * W + x];
                row += difference * difference;
                sums[(y + 1) * (W + 1) + x + 1] = sums[y * (W + 1) + x + 1] + row;
            }
        }
        Rect worst = default;
        long most = -1;
        for (int y = 0; y + size.Height <= H; y += Step)
        {
            for (int x = 0; x + size.Width <= W; x += Step)
            {
                long sum = At(x + size.Width, y + size.Height) - At(x, y + size.Height) - At(x + size.Width, y) + At(x, y);
                if (sum > most) (most, worst) = (sum, new(x, y, size.Width, size.Height));
            }
        }
        return worst;

        long At(int x, int y) => sums[y * (W + 1) + x];
    }

    private static string DataUri(LumaPlane luma, Rect part, string ending, string type, params int[] settings)
    {
        const double Black = 16, White = 235;
        using Mat plane = luma.ToMat(MatType.CV_8UC1);
        using Mat cut = plane[part];
        using Mat full = new();
        cut.ConvertTo(full, MatType.CV_8UC1, 255 / (White - Black), -Black * 255 / (White - Black));
        Cv2.ImEncode(ending, full, out byte[] file, settings);
        return $"data:{type};base64,{Convert.ToBase64String(file)}";
    }
}
