using System.CommandLine;
using OpenCvSharp;
using RealtimeDeblur.Cli.Demo;
using RealtimeDeblur.Compute;
using RealtimeDeblur.Imaging;
using RealtimeDeblur.Networks;
using RealtimeDeblur.Pipeline;
using RealtimeDeblur.Restoration;
using RealtimeDeblur.Video;

namespace RealtimeDeblur.Cli.Commands;

/// <summary><c>deblur demo</c>: the main job with nothing at hand.</summary>
internal static class DemoCommand
{
    private const double LargestSigma = 10;
    private const double LongestSeconds = 60;

    /// <summary>The frame of the comparison picture: print and balloon are where its enlarged detail is taken.</summary>
    private const int ShownFrame = 37;

    public static Command Create()
    {
        Option<string> output = new("--output", "-o") { Description = "Folder for the clips and the picture.", HelpName = "DIR", DefaultValueFactory = _ => "demo" };
        Option<string> model = new("--model")
        {
            Description = "Network: a shipped name or a .safetensors file. The blur is a clean Gaussian, which networks without -camera in their name were trained on.",
            HelpName = "NAME|FILE",
            DefaultValueFactory = _ => "fast",
        };
        Option<double> sigma = new("--sigma") { Description = "Width of the blur: the Gaussian's standard deviation in pixels, above 0.", HelpName = "PIXELS", DefaultValueFactory = _ => 1.6 };
        sigma.Validators.Add(result =>
        {
            if (!(result.GetValueOrDefault<double>() is > 0 and <= LargestSigma)) result.AddError($"--sigma must be above 0 and at most {LargestSigma}, e.g. 1.6.");
        });
        Option<double> seconds = new("--seconds") { Description = "Length of the clip.", HelpName = "SECONDS", DefaultValueFactory = _ => 3 };
        seconds.Validators.Add(result =>
        {
            if (!(result.GetValueOrDefault<double>() is > 0 and <= LongestSeconds)) result.AddError($"--seconds must be above 0 and at most {LongestSeconds}, e.g. 3.");
        });

        return new CliCommand("demo", "Makes a clip, blurs it, restores it, and shows the difference: the main job with nothing at hand.", "deblur demo -o demo", run =>
        {
            int frames = Math.Max(1, (int)Math.Round(run.Get(seconds) * DemoScene.FramesPerSecond));
            run.Result(Demonstrate(run, run.Get(output), run.Get(model), run.Get(sigma), frames), Print);
        })
        { output, model, sigma, seconds };
    }

    private static DemoResult Demonstrate(Invocation run, string folder, string model, double sigma, int frames)
    {
        Network network = ModelCatalog.Load(model);
        VideoEncoder encoder = VideoEncoder.Find(VideoEncoder.DefaultFor(".mp4"), quality: null);
        using PendingFile blurredFile = new(Path.Combine(folder, "blurred.mp4"), overwrite: true);
        using PendingFile restoredFile = new(Path.Combine(folder, "restored.mp4"), overwrite: true);
        using PendingFile pictureFile = new(Path.Combine(folder, "comparison.png"), overwrite: true);
        using ComputeDevice device = run.OpenDevice();

        using DemoClip clip = new(sigma);
        using (ProgressDisplay progress = run.StartProgress("Making a blurred clip", "frames", frames))
        using (FfmpegFrameSink sink = NewClip(blurredFile, folder, encoder))
        {
            while (clip.FrameCount < frames)
            {
                run.Cancellation.ThrowIfCancellationRequested();
                clip.AddFrame();
                sink.Write(CopyOf(clip.Blurred(clip.FrameCount - 1)));
                progress.Report(clip.FrameCount);
            }
            sink.Complete();
        }

        using DemoSource source = new(clip);
        using Deblurrer deblurrer = new(device, network, DemoClip.Format);
        WarmUp(deblurrer, clip);
        int shown = Math.Min(ShownFrame, frames - 1);
        using MeasuringSink measured = new(clip, NewClip(restoredFile, folder, encoder), shown);
        PipelineReport report;
        using (ProgressDisplay progress = run.StartProgress("Restoring it", "frames", frames))
            report = new FramePipeline(source, deblurrer, measured).Run(run.Cancellation, progress);

        using (Mat blurred = DemoClip.ToPicture(clip.Blurred(shown)))
        using (Mat restored = measured.Shown!)
        using (Mat sharp = clip.SharpPicture(shown))
        using (Mat picture = ComparisonPicture.Draw(blurred, restored, sharp,
            FormattableString.Invariant($"blurred, sigma {sigma:0.##}: {measured.PsnrBlurred:0.0} dB"), FormattableString.Invariant($"restored: {measured.PsnrRestored:0.0} dB")))
        {
            if (!Cv2.ImWrite(pictureFile.TemporaryPath, picture)) throw new IOException($"{folder}: the picture could not be written. Free some space, or choose another folder with -o.");
        }

        blurredFile.Commit();
        restoredFile.Commit();
        pictureFile.Commit();
        return new(network.Name, device.Info.Name, DemoScene.Width, DemoScene.Height, frames, sigma, measured.PsnrBlurred, measured.PsnrRestored, report.FramesPerSecond,
            [Path.Combine(folder, "blurred.mp4"), Path.Combine(folder, "restored.mp4"), Path.Combine(folder, "comparison.png")]);
    }

    private static FfmpegFrameSink NewClip(PendingFile file, string folder, VideoEncoder encoder) =>
        FfmpegFrameSink.NewClip(file.TemporaryPath, folder, DemoScene.Width, DemoScene.Height, DemoScene.FramesPerSecond, encoder);

    /// <summary>Kernels are compiled at their first launch; that is not part of the speed.</summary>
    private static void WarmUp(Deblurrer deblurrer, DemoClip clip)
    {
        using Frame frame = CopyOf(clip.Blurred(0));
        deblurrer.Process(frame);
    }

    private static Frame CopyOf(Frame frame)
    {
        Frame copy = new(frame.Format) { Timestamp = frame.Timestamp };
        frame.Data.CopyTo(copy.Data);
        return copy;
    }

    private static void Print(DemoResult result, TextWriter text)
    {
        text.WriteLine(FormattableString.Invariant($"{result.Frames} frames of {result.Width}x{result.Height}, blurred with a Gaussian of sigma {result.Sigma:0.##}, restored by {result.Model} on {result.Device}:"));
        text.WriteLine(FormattableString.Invariant($"  blurred   {result.PsnrBlurred:0.00} dB"));
        text.WriteLine(FormattableString.Invariant($"  restored  {result.PsnrRestored:0.00} dB  ({result.PsnrRestored - result.PsnrBlurred:+0.00;-0.00} dB; luma PSNR against the sharp clip, before encoding)"));
        text.WriteLine(FormattableString.Invariant($"  speed     {result.FramesPerSecond:0.0} frames/s, encoding included"));
        foreach (string file in result.Files) text.WriteLine(file);
    }
}

/// <summary>Result of <c>deblur demo</c>.</summary>
/// <param name="Model">Name of the network.</param>
/// <param name="Device">Where it ran.</param>
/// <param name="Width">Columns of a frame.</param>
/// <param name="Height">Rows of a frame.</param>
/// <param name="Frames">Length of the clip.</param>
/// <param name="Sigma">Standard deviation of the blur in pixels.</param>
/// <param name="PsnrBlurred">Luma PSNR of the blurred frames against the sharp ones in dB, mean over the frames.</param>
/// <param name="PsnrRestored">The same for the restored frames.</param>
/// <param name="FramesPerSecond">Frames restored and encoded per second.</param>
/// <param name="Files">What was written.</param>
internal sealed record DemoResult(
    string Model, string Device, int Width, int Height, int Frames, double Sigma, double PsnrBlurred, double PsnrRestored, double FramesPerSecond, IReadOnlyList<string> Files);
