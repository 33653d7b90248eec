using RealtimeDeblur.Imaging;
using RealtimeDeblur.Pipeline;

namespace RealtimeDeblur.Video.Live;

/// <summary>
/// A computed live picture, blurred by a known amount, to judge restoration and latency by without a camera. The same frame number always gives the same picture.
/// Frames are <see cref="PixelFormat.Bgr24"/>.
/// </summary>
public sealed class PatternInput : ILiveInput
{
    private readonly double _framesPerSecond;

    /// <param name="width">Columns, 1 or more.</param>
    /// <param name="height">Rows, 1 or more.</param>
    /// <param name="framesPerSecond">Above 0. Frames that nobody reads in time are left out, as a camera does.</param>
    /// <param name="sigma">Standard deviation in pixels of the Gaussian that blurs it, 0 or more.</param>
    public PatternInput(int width = 1280, int height = 720, double framesPerSecond = 30, double sigma = 1.6)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(width, 1);
        ArgumentOutOfRangeException.ThrowIfLessThan(height, 1);
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(framesPerSecond);
        ArgumentOutOfRangeException.ThrowIfNegative(sigma);
        Width = width;
        Height = height;
        Sigma = sigma;
        _framesPerSecond = framesPerSecond;
    }

    /// <inheritdoc/>
    public string Name => "test pattern";

    /// <summary>Columns.</summary>
    public int Width { get; }

    /// <summary>Rows.</summary>
    public int Height { get; }

    /// <summary>Standard deviation of the blur in pixels.</summary>
    public double Sigma { get; }

    /// <inheritdoc/>
    public IFrameSource Open(CancellationToken cancellation)
    {
        cancellation.ThrowIfCancellationRequested();
        return new PatternSource(new TestPattern(Width, Height, Sigma), _framesPerSecond);
    }
}
