using OpenCvSharp;
using RealtimeDeblur.Imaging;
using RealtimeDeblur.Restoration;

namespace RealtimeDeblur.Video;

/// <summary>
/// Restores OpenCV's pictures: 8 bits, of one channel (grey), three (B, G, R) or four (B, G, R and one that passes unchanged). Parts of larger pictures are taken as they are, without a copy.
/// </summary>
public static class MatRestoration
{
    /// <summary>The format of a deblurrer for pictures of the same size and type.</summary>
    /// <exception cref="ArgumentException">The type is another, or the picture is empty.</exception>
    public static FrameFormat FrameFormatOf(Mat picture)
    {
        if (picture.Dims != 2 || picture.Empty()) throw new ArgumentException("The picture is empty, or not a picture.", nameof(picture));
        MatType type = picture.Type();
        PixelFormat pixels = type == MatType.CV_8UC1 ? PixelFormat.Gray8 : type == MatType.CV_8UC3 ? PixelFormat.Bgr24 : type == MatType.CV_8UC4 ? PixelFormat.Bgra32
            : throw new ArgumentException($"Pictures of type {type} cannot be restored: convert it to CV_8UC1, CV_8UC3 or CV_8UC4.", nameof(picture));
        return new(pixels, picture.Cols, picture.Rows, ColorRange.Full);
    }

    /// <summary>Restores one picture and waits for it.</summary>
    /// <param name="deblurrer">Made for <see cref="FrameFormatOf"/> the input.</param>
    /// <param name="input">Not modified, unless it is the output.</param>
    /// <param name="output">The input itself, or another picture; gets the input's size and type where it has others.</param>
    /// <exception cref="ArgumentException">The input has another format than the deblurrer.</exception>
    /// <exception cref="InvalidOperationException">Other frames are in flight.</exception>
    /// <exception cref="Compute.OpenClException">The device failed; the output is as it was.</exception>
    public static void Process(this Deblurrer deblurrer, Mat input, Mat output)
    {
        CheckFormat(deblurrer, input, nameof(input));
        output.Create(input.Size(), input.Type());
        deblurrer.Process(View(input), View(output));
        GC.KeepAlive(input);
        GC.KeepAlive(output);
    }

    /// <summary>Copies a picture and submits the copy; the picture may be changed at once. Does not wait.</summary>
    /// <param name="deblurrer">Made for <see cref="FrameFormatOf"/> the picture.</param>
    /// <param name="input">Not modified.</param>
    /// <exception cref="ArgumentException">The picture has another format than the deblurrer.</exception>
    /// <exception cref="InvalidOperationException"><see cref="Deblurrer.MaxInFlight"/> frames are in flight.</exception>
    /// <exception cref="Compute.OpenClException">The device failed.</exception>
    public static void Submit(this Deblurrer deblurrer, Mat input)
    {
        CheckFormat(deblurrer, input, nameof(input));
        deblurrer.Submit(View(input));
        GC.KeepAlive(input);
    }

    /// <summary>Waits for the oldest frame in flight and copies it into a picture.</summary>
    /// <param name="deblurrer">For pictures of OpenCV's.</param>
    /// <param name="output">Gets the deblurrer's size and type where it has others.</param>
    /// <exception cref="InvalidOperationException">No frame is in flight.</exception>
    /// <exception cref="ArgumentException">The deblurrer's format is none of OpenCV's.</exception>
    /// <exception cref="Compute.OpenClException">The device failed; the frame is lost.</exception>
    public static void Collect(this Deblurrer deblurrer, Mat output)
    {
        FrameFormat format = deblurrer.Format;
        MatType type = format.Pixels switch
        {
            PixelFormat.Gray8 => MatType.CV_8UC1,
            PixelFormat.Bgr24 => MatType.CV_8UC3,
            PixelFormat.Bgra32 => MatType.CV_8UC4,
            _ => throw new ArgumentException($"The deblurrer gives {format.Pixels}, which is no picture of OpenCV's: collect a frame.", nameof(deblurrer)),
        };
        output.Create(format.Height, format.Width, type);
        deblurrer.Collect(View(output));
        GC.KeepAlive(output);
    }

    private static void CheckFormat(Deblurrer deblurrer, Mat input, string name)
    {
        FrameFormat format = FrameFormatOf(input), wanted = deblurrer.Format;
        // The range of RGB is not looked at.
        if ((format.Pixels, format.Width, format.Height) != (wanted.Pixels, wanted.Width, wanted.Height))
            throw new ArgumentException($"The picture is {format.Width}x{format.Height} {format.Pixels}, the deblurrer was made for {wanted.Width}x{wanted.Height} {wanted.Pixels}: make another one for it.", name);
    }

    private static unsafe FrameView View(Mat picture)
    {
        int stride = checked((int)picture.Step());
        return new(new Span<byte>((void*)picture.Data, checked(stride * (picture.Rows - 1) + picture.Cols * (int)picture.ElemSize())), stride);
    }
}
