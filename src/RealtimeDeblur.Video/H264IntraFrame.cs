using System.Globalization;
using System.Runtime.InteropServices;
using OpenCvSharp;

namespace RealtimeDeblur.Video;

/// <summary>What H.264 leaves of a picture: one intra frame, encoded by ffmpeg's libx264 and decoded again.</summary>
public static class H264IntraFrame
{
    public const int MinQp = 1, MaxQp = 51;     // 0 is lossless, which the common profiles do not have

    /// <summary>Encodes a picture at a constant QP and decodes it. Blocks; starts two processes.</summary>
    /// <param name="picture">8 bits, one channel or B, G, R, full range. Not modified.</param>
    /// <param name="qp"><see cref="MinQp"/> to <see cref="MaxQp"/>.</param>
    /// <returns>A picture of the same size and type; colour went through half resolution. The caller disposes it.</returns>
    /// <exception cref="FileNotFoundException">ffmpeg is not installed.</exception>
    /// <exception cref="IOException">ffmpeg failed, e.g. because it was built without libx264.</exception>
    public static unsafe Mat RoundTrip(Mat picture, int qp)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(qp, MinQp);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(qp, MaxQp);
        string format = picture.Channels() == 1 ? "gray" : "bgr24";
        // Half-resolution colour needs even sides.
        using Mat even = new();
        Cv2.CopyMakeBorder(picture, even, 0, picture.Height % 2, 0, picture.Width % 2, BorderTypes.Replicate);
        int bytes = even.Width * even.Height * even.Channels();
        string size = string.Create(CultureInfo.InvariantCulture, $"{even.Width}x{even.Height}");

        // ipratio 1: the QP is meant for P frames, and intra frames get a lower one by this ratio. One thread: the same bytes on every machine.
        byte[] stream = Run(
            ["-f", "rawvideo", "-pix_fmt", format, "-s", size, "-i", "-", "-vf", $"{YuvConversion.FromRgb("bt601", Imaging.ColorRange.Limited)},format=yuv420p",
             "-c:v", "libx264", "-qp", qp.ToString(CultureInfo.InvariantCulture), "-x264-params", "ipratio=1:threads=1", "-frames:v", "1", "-f", "h264", "-"],
            new ReadOnlySpan<byte>((void*)even.Data, bytes));
        byte[] samples = Run(["-f", "h264", "-i", "-", "-vf", $"{YuvConversion.ToRgb("bt601", Imaging.ColorRange.Limited)},format={format}", "-f", "rawvideo", "-"], stream);
        if (samples.Length != bytes) throw new IOException($"ffmpeg gave {samples.Length:N0} bytes for a picture of {size} pixels in {format}, which has {bytes:N0}. Check the installed ffmpeg.");

        using Mat decoded = Mat.FromPixelData(even.Height, even.Width, even.Type(), samples);
        return decoded[new Rect(0, 0, picture.Width, picture.Height)].Clone();
    }

    private static byte[] Run(IEnumerable<string> arguments, ReadOnlySpan<byte> input)
    {
        using FfmpegProcess ffmpeg = FfmpegProcess.Start("ffmpeg", ["-hide_banner", "-loglevel", "error", .. arguments], pipeInput: true, pipeOutput: true);
        // Neither side may wait for the other: what comes out is read while the rest goes in.
        using MemoryStream output = new();
        Thread reader = new(() => ffmpeg.Output.CopyTo(output)) { IsBackground = true, Name = "H.264 reader" };
        reader.Start();
        try
        {
            ffmpeg.Input.Write(input);
            ffmpeg.Input.Close();
        }
        catch (IOException)
        {
            // It ended early; its own words say why.
        }
        reader.Join();
        if (ffmpeg.WaitForExit() != 0) throw new IOException($"ffmpeg could not pass a picture through H.264: {ffmpeg.Cause}. Install an ffmpeg with libx264 (apt-get install ffmpeg).");
        return output.ToArray();
    }
}
