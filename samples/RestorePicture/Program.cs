// Restores one picture: RestorePicture INPUT OUTPUT [MODEL]
// OpenCV reads and writes the file here; any other source of B, G, R or R, G, B bytes will do.

using OpenCvSharp;
using RealtimeDeblur.Compute;
using RealtimeDeblur.Imaging;
using RealtimeDeblur.Networks;
using RealtimeDeblur.Restoration;

if (args.Length is < 2 or > 3)
{
    Console.Error.WriteLine("Usage: RestorePicture INPUT OUTPUT [MODEL], e.g. RestorePicture soft.jpg sharp.png");
    return 2;
}
using Mat picture = File.Exists(args[0]) ? Cv2.ImRead(args[0]) : new Mat();
if (picture.Empty())
{
    Console.Error.WriteLine($"{args[0]} is not there or not a picture that OpenCV reads.");
    return 1;
}

using ComputeDevice device = ComputeDevice.Open();
Network network = ModelCatalog.Load(args.Length == 3 ? args[2] : "fast-camera");
using Deblurrer deblurrer = new(device, network, new FrameFormat(PixelFormat.Bgr24, picture.Width, picture.Height));

FrameView pixels = new(picture.AsSpan<byte>(), (int)picture.Step());
deblurrer.Process(pixels, pixels);    // In place; input and output may also be two pictures.

if (!Cv2.ImWrite(args[1], picture))
{
    Console.Error.WriteLine($"{args[1]} could not be written.");
    return 1;
}
Console.WriteLine($"{args[1]}: {picture.Width}x{picture.Height}, restored by {network.Name} on {device.Info.Name}");
return 0;
