using System.Text.Json;
using OpenCvSharp;
using RealtimeDeblur.Networks;
using RealtimeDeblur.Tests.Networks;
using RealtimeDeblur.Tests.Video;
using Xunit;

namespace RealtimeDeblur.Tests.Cli;

/// <summary><c>deblur image</c> as a user meets it.</summary>
public sealed class ImageCommandTests : IDisposable
{
    private readonly TemporaryFolder _folder = new();

    public ImageCommandTests()
    {
        TestDevice.SkipWithoutDevice();
        WeightsFile.Write(_folder["sharpen.safetensors"], SmallNetwork.Sharpen());
        WeightsFile.Write(_folder["sharpen3.safetensors"], SmallNetwork.Sharpen(C: 3));
    }

    public void Dispose() => _folder.Dispose();

    [Theory]
    [InlineData("yuv420p", "0.55", 5, MatType.CV_8U)]
    [InlineData("yuv420p10le", "0:01.9", 19, MatType.CV_16U)]
    [InlineData("yuv420p", "0", 0, MatType.CV_8U)]
    public void Image_TimeOfAVideo_RestoresTheFrameThatIsShownThen(string pixelFormat, string at, int frame, int depth)
    {
        Ffmpeg.Run($"{Ffmpeg.TestPicture("64x48", 10, 2)} -output_ts_offset 3 -c:v libx264 -preset ultrafast -pix_fmt {pixelFormat} {_folder["clip.mkv"]}");
        CliResult result = CliProcess.Run(["image", _folder["clip.mkv"], "--at", at, "--strength", "0", "--model", _folder["sharpen.safetensors"]]);
        Assert.True(result.ExitCode == 0, result.ToString());
        Ffmpeg.Run($"-i {_folder["clip.mkv"]} -vf select=eq(n\\,{frame}),scale=in_color_matrix=bt601:out_range=full:flags=bicubic+accurate_rnd+full_chroma_int+full_chroma_inp,format={(depth == MatType.CV_8U ? "rgb24" : "rgb48")} -frames:v 1 {_folder["expected.png"]}");
        using Mat expected = Cv2.ImRead(_folder["expected.png"], ImreadModes.Unchanged), actual = Cv2.ImRead(_folder["clip-restored.png"], ImreadModes.Unchanged);
        Assert.Equal((expected.Type(), expected.Size()), (actual.Type(), actual.Size()));
        Assert.Equal(depth, actual.Depth());
        Assert.Equal(0, Cv2.Norm(expected, actual, NormTypes.INF));
    }

    [Fact]
    public void Image_VideoWithoutATimeOrBehindItsEnd_SaysSo()
    {
        Ffmpeg.Run($"{Ffmpeg.TestPicture("64x48", 10, 1)} -c:v libx264 -preset ultrafast {_folder["clip.mp4"]}");
        Assert.Contains("--at", CliProcess.Run(["image", _folder["clip.mp4"], "--model", _folder["sharpen.safetensors"]]).Stderr, StringComparison.Ordinal);
        Assert.Contains("has no frame at 5.0 s; it is 1.0 s long", CliProcess.Run(["image", _folder["clip.mp4"], "--at", "5", "--model", _folder["sharpen.safetensors"]]).Stderr, StringComparison.Ordinal);
    }

    [Fact]
    public void Image_FolderOfSeveralKinds_RestoresEachInItsFormat()
    {
        Directory.CreateDirectory(_folder["in"]);
        Write("in/colour.png", MatType.CV_8UC3);
        Write("in/grey.jpg", MatType.CV_8UC1);
        Write("in/deep.tif", MatType.CV_16UC3);
        Write("in/clear.png", MatType.CV_8UC4);
        JsonElement[] files = [.. CliProcess.Run(["image", _folder["in"], "-o", _folder["out"], "--model", _folder["sharpen.safetensors"], "--json"]).Json.GetProperty("files").EnumerateArray()];
        Assert.Equal(4, files.Length);
        Assert.All(files, file => Assert.Equal(("done", 24, 18), (file.GetProperty("status").GetString(), file.GetProperty("width").GetInt32(), file.GetProperty("height").GetInt32())));
        foreach (string name in (string[])["colour.png", "grey.jpg", "deep.tif", "clear.png"])
        {
            using Mat before = Cv2.ImRead(_folder["in/" + name], ImreadModes.Unchanged);
            using Mat after = Cv2.ImRead(_folder["out/" + name], ImreadModes.Unchanged);
            Assert.Equal((before.Type(), before.Size()), (after.Type(), after.Size()));
            Assert.NotEqual(0, Cv2.Norm(before, after, NormTypes.INF));
        }
    }

    [Theory]
    [InlineData("sharpen.safetensors")]
    [InlineData("sharpen3.safetensors")]
    public void Image_Sharpened_HasMoreContrastAtEdges(string model)
    {
        using var picture = new Mat(18, 24, MatType.CV_8UC3, Scalar.All(80));
        picture[new Rect(12, 0, 12, 18)].SetTo(Scalar.All(160));
        Cv2.ImWrite(_folder["edge.png"], picture);
        CliResult result = CliProcess.Run(["image", _folder["edge.png"], "--model", _folder[model]]);
        Assert.True(result.ExitCode == 0, result.ToString());
        using Mat restored = Cv2.ImRead(_folder["edge-restored.png"]);
        // The four-neighbour mean differs by a quarter of the step of 80 beside the edge, and not at all elsewhere.
        Assert.Equal([80, 60, 180, 160], [restored.At<Vec3b>(9, 5).Item0, restored.At<Vec3b>(9, 11).Item1, restored.At<Vec3b>(9, 12).Item2, restored.At<Vec3b>(9, 20).Item0]);
    }

    [Fact]
    public void Image_ModelWithADial_RestoresTheSigmaThatIsSetAndSaysIt()
    {
        WeightsFile.Write(_folder["dial.safetensors"], SmallNetwork.Dial());
        using var picture = new Mat(18, 24, MatType.CV_8UC1, Scalar.All(80));
        picture[new Rect(12, 0, 12, 18)].SetTo(Scalar.All(160));
        Cv2.ImWrite(_folder["edge.png"], picture);
        // What SmallNetwork.Sharpen adds beside the edge, 20, in proportion to sigma up to 2.
        foreach ((string sigma, double used, int darker) in (IEnumerable<(string, double, int)>)[("1", 1, 70), ("off", 1, 70), ("0.5", 0.5, 75), ("3", 2, 60), ("0", 0, 80)])
        {
            JsonElement file = Assert.Single(CliProcess.Run(["image", _folder["edge.png"], "--model", _folder["dial.safetensors"], "--sigma", sigma, "--no-guard", "--overwrite", "--json"]).Json.GetProperty("files").EnumerateArray().ToArray());
            Assert.Equal((used, false), (file.GetProperty("sigma").GetDouble(), file.GetProperty("unchanged").GetBoolean()));
            using Mat restored = Cv2.ImRead(_folder["edge-restored.png"], ImreadModes.Unchanged);
            Assert.Equal(darker, restored.At<byte>(9, 11));
        }
        Assert.EndsWith(" s, sigma 1.59", CliProcess.Run(["image", _folder["edge.png"], "--model", _folder["dial.safetensors"], "--sigma", "1.6", "--overwrite"]).Stdout.TrimEnd());
    }

    [Fact]
    public void Image_SharpEdgeAndAModelWithADial_IsLeftAloneAndConfidenceShowsIt()
    {
        WeightsFile.Write(_folder["dial.safetensors"], SmallNetwork.Dial());
        using var picture = new Mat(18, 24, MatType.CV_8UC1, Scalar.All(80));
        picture[new Rect(12, 0, 12, 18)].SetTo(Scalar.All(160));
        Cv2.ImWrite(_folder["edge.png"], picture);
        foreach ((string show, int left, int right) in (IEnumerable<(string, int, int)>)[("restored", 80, 160), ("confidence", 0, 0)])
        {
            CliProcess.Run(["image", _folder["edge.png"], "--model", _folder["dial.safetensors"], "--sigma", "2", "--show", show, "--overwrite"]);
            using Mat shown = Cv2.ImRead(_folder["edge-restored.png"], ImreadModes.Unchanged);
            Assert.Equal((left, right), (shown.At<byte>(9, 11), shown.At<byte>(9, 12)));
        }
        Assert.Contains("there is no confidence to show", CliProcess.Run(["image", _folder["edge.png"], "--model", _folder["sharpen.safetensors"], "--show", "confidence", "--overwrite"]).Stderr, StringComparison.Ordinal);
    }

    [Fact]
    public void Image_SigmaThatCannotBe_IsWrongUsageOrNoted()
    {
        Write("one.png", MatType.CV_8UC1);
        Assert.Contains("--sigma must be auto, tiles, off, or 0 to 4 pixels, e.g. 1.6.", CliProcess.Run(["image", _folder["one.png"], "--sigma", "blind"]).UsageLine, StringComparison.Ordinal);

        CliResult result = CliProcess.Run(["image", _folder["one.png"], "--model", _folder["sharpen.safetensors"], "--sigma", "2"]);
        Assert.True(result.ExitCode == 0, result.ToString());
        Assert.Contains("sharpen restores every blur alike: --sigma changes nothing.", result.Stderr, StringComparison.Ordinal);
        Assert.DoesNotContain("sigma", result.Stdout, StringComparison.Ordinal);

        WeightsFile.Write(_folder["dial.safetensors"], SmallNetwork.Dial());
        Assert.Contains("dial does not say what blur it was trained on", CliProcess.Run(["image", _folder["one.png"], "--model", _folder["dial.safetensors"], "--overwrite"]).Stderr, StringComparison.Ordinal);
    }

    [Fact]
    public void Image_Filter_RestoresTheSigmaThatIsSet()
    {
        using Mat edge = new(64, 64, MatType.CV_8UC1, new Scalar(60));
        edge[new Rect(32, 0, 32, 64)].SetTo(new Scalar(190));
        using Mat blurred = new();
        Cv2.GaussianBlur(edge, blurred, new Size(0, 0), 2);
        Cv2.ImWrite(_folder["soft.png"], blurred);
        CliResult result = CliProcess.Run(["image", _folder["soft.png"], "-o", _folder["restored.png"], "--method", "unsharp:amount=1", "--sigma", "2", "--json"]);
        Assert.Equal(2, result.Json.GetProperty("files")[0].GetProperty("sigma").GetDouble());
        using Mat restored = Cv2.ImRead(_folder["restored.png"], ImreadModes.Grayscale);
        Assert.True(restored.At<byte>(20, 33) - restored.At<byte>(20, 30) > 1.15 * (blurred.At<byte>(20, 33) - blurred.At<byte>(20, 30)));
    }

    [Theory]
    [InlineData("--method wiener --model tiny", "--model and --method are two ways to restore: choose one.")]
    [InlineData("--method sharpen", "--method: There is no method 'sharpen'. Methods are unsharp, wiener")]
    [InlineData("--method wiener:ratio=9", "--method: wiener: ratio must be 0.0001 to 1, e.g. wiener:ratio=0.001.")]
    [InlineData("--method wiener --show confidence", "there is no confidence to show")]
    public void Image_FilterThatCannotBe_IsWrongUsage(string options, string message)
    {
        Write("photo.png", MatType.CV_8UC1);
        CliResult result = CliProcess.Run(["image", _folder["photo.png"], .. options.Split(' ')]);
        Assert.Equal(2, result.ExitCode);
        Assert.Contains(message, result.Stderr, StringComparison.Ordinal);
    }

    [Fact]
    public void Image_SigmaGivenAndItsSourceToo_NotesThatTheSourceChangesNothing()
    {
        Write("photo.png", MatType.CV_8UC1);
        CliResult result = CliProcess.Run(["image", _folder["photo.png"], "--method", "wiener", "--sigma", "1.5", "--sigma-from", "spectrum"]);
        Assert.Contains("--sigma gives the blur: --sigma-from changes nothing.", result.Stderr, StringComparison.Ordinal);
    }

    [Fact]
    public void Image_TextNamedAsPicture_SaysSoAndWritesNothing()
    {
        File.WriteAllText(_folder["photo.jpg"], "not a picture");
        string line = CliProcess.Run(["image", _folder["photo.jpg"], "--model", _folder["sharpen.safetensors"]]).FailureLine;
        Assert.StartsWith($"{_folder["photo.jpg"]} is no picture that OpenCV can read", line);
        Assert.Equal(["photo.jpg", "sharpen.safetensors", "sharpen3.safetensors"], _folder.Names);
    }

    [Fact]
    public void Image_FolderWithoutPictures_SaysSo()
    {
        Directory.CreateDirectory(_folder["empty"]);
        Assert.Contains("holds no pictures (png, ", CliProcess.Run(["image", _folder["empty"], "--model", _folder["sharpen.safetensors"]]).FailureLine);
    }

    [Fact]
    public void Image_OutputOfUnknownFormat_IsWrongUsage()
    {
        Write("photo.png", MatType.CV_8UC3);
        Assert.Contains("out.docx", CliProcess.Run(["image", _folder["photo.png"], "-o", _folder["out.docx"], "--model", _folder["sharpen.safetensors"]]).UsageLine);
    }

    [Fact]
    public void Image_ExistingOutput_IsKeptUnlessAsked()
    {
        Write("photo.png", MatType.CV_8UC3);
        File.WriteAllText(_folder["out.png"], "mine");
        string[] command = ["image", _folder["photo.png"], "-o", _folder["out.png"], "--model", _folder["sharpen.safetensors"]];
        CliResult kept = CliProcess.Run(command);
        Assert.Equal((0, $"{_folder["out.png"]} exists, skipped. Add --overwrite to replace it."), (kept.ExitCode, kept.Stdout.TrimEnd()));
        Assert.Equal("mine", File.ReadAllText(_folder["out.png"]));
        Assert.Equal(0, CliProcess.Run([.. command, "--overwrite"]).ExitCode);
        using Mat restored = Cv2.ImRead(_folder["out.png"]);
        Assert.Equal(24, restored.Width);
    }

    [Fact]
    public void Image_FullDisk_SaysSoAndLeavesNothing()
    {
        using SmallDisk disk = SmallDisk.MountOrSkip(_folder["disk"], kibibytes: 16);
        using var noise = new Mat(200, 200, MatType.CV_8UC3);
        Cv2.Randu(noise, Scalar.All(0), Scalar.All(256));
        Cv2.ImWrite(_folder["photo.png"], noise);
        Assert.Contains("space", CliProcess.Run(["image", _folder["photo.png"], "-o", _folder["disk/out.png"], "--model", _folder["sharpen.safetensors"]]).FailureLine);
        Assert.Empty(Directory.GetFiles(_folder["disk"]));
    }

    private void Write(string name, MatType type)
    {
        using var picture = new Mat(18, 24, type);
        Cv2.Randu(picture, Scalar.All(60), Scalar.All(type.Depth == MatType.CV_16U ? 50_000 : 200));
        Cv2.ImWrite(_folder[name], picture);
    }
}
