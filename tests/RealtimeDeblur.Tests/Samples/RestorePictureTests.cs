using OpenCvSharp;
using RealtimeDeblur.Networks;
using RealtimeDeblur.Tests.Cli;
using RealtimeDeblur.Tests.Networks;
using Xunit;

namespace RealtimeDeblur.Tests.Samples;

public sealed class RestorePictureTests
{
    [Fact]
    public void Sample_Picture_IsRestoredToFile()
    {
        using TemporaryFolder folder = new();
        WeightsFile.Write(folder["sharpen.safetensors"], SmallNetwork.Sharpen());
        using Mat edge = new(40, 61, MatType.CV_8UC3, new Scalar(60, 80, 100));
        edge.Rectangle(new Rect(30, 0, 31, 40), new Scalar(160, 180, 200), -1);
        Cv2.GaussianBlur(edge, edge, new Size(9, 9), 1);
        Cv2.ImWrite(folder["soft.png"], edge);

        CliResult result = CliProcess.RunProgram("RestorePicture", [folder["soft.png"], folder["sharp.png"], folder["sharpen.safetensors"]]);

        Assert.True(result.ExitCode == 0, result.ToString());
        Assert.Contains("61x40", result.Stdout);
        using Mat restored = Cv2.ImRead(folder["sharp.png"]);
        Assert.Equal(edge.Size(), restored.Size());
        Assert.True(SteepestStep(restored) > SteepestStep(edge) + 5, $"The edge rises by {SteepestStep(restored)} per pixel, blurred by {SteepestStep(edge)}.");
    }

    [Fact]
    public void Sample_NoPicture_SaysSo()
    {
        CliResult result = CliProcess.RunProgram("RestorePicture", ["/nonexistent/soft.png", "sharp.png"]);
        Assert.Contains("/nonexistent/soft.png", result.FailureLine);
    }

    private static int SteepestStep(Mat picture)
    {
        int y = picture.Rows / 2, W = picture.Cols, steepest = 0;
        for (int x = 1; x < W; x++) steepest = Math.Max(steepest, picture.At<Vec3b>(y, x).Item1 - picture.At<Vec3b>(y, x - 1).Item1);
        return steepest;
    }
}
