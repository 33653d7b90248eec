namespace RealtimeDeblur.Training.Data;

/// <summary>How a blurred picture comes from a sharp one.</summary>
public enum DegradationKind
{
    /// <summary>The source paper's: OpenCV's GaussianBlur on the gamma-encoded picture, nothing else.</summary>
    Gaussian,

    /// <summary>A camera's: blur of several shapes in linear light, shot and read noise, sharpening, and JPEG or H.264 compression.</summary>
    Camera,
}

internal static class DegradationKindNames
{
    /// <summary>The name on the command line and in files: <c>gaussian</c> or <c>camera</c>.</summary>
    public static string Name(this DegradationKind kind) => kind == DegradationKind.Camera ? "camera" : "gaussian";
}
