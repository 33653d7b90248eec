using RealtimeDeblur.Imaging;
using RealtimeDeblur.Networks;
using RealtimeDeblur.Restoration;

namespace RealtimeDeblur.Native;

/// <summary>
/// One filter in a frei0r host. Hosts set parameters after construction and between frames, so the deblurrer is made with the first frame, and again when model or device changed.
/// A host cannot be told of a failure: the frame passes unchanged then, and the reason goes to stderr, once for all instances. MLT has one for each of its threads.
/// </summary>
internal sealed class Frei0rInstance(int width, int height) : IDisposable
{
    private static string? _said;

    private readonly FrameFormat _format = new(PixelFormat.Rgba32, width, height);
    private readonly double[] _numbers = [1, 0, 0, 0, 1];
    private readonly NativeText[] _texts = [new(""), new(NativeDeblurrer.DefaultModel), new(""), new(""), new("")];
    private NativeDeblurrer? _deblurrer;
    private bool _isStale = true;

    /// <summary>Bytes of a frame.</summary>
    public int SizeBytes { get; } = new FrameFormat(PixelFormat.Rgba32, width, height).SizeBytes;

    public double GetNumber(int parameter)
    {
        lock (_texts) return _numbers[parameter];
    }

    /// <summary>The text, valid until it is set again.</summary>
    public NativeText GetText(int parameter)
    {
        lock (_texts) return _texts[parameter];
    }

    public void Set(int parameter, double value)
    {
        lock (_texts) _numbers[parameter] = double.IsNaN(value) ? 0 : Math.Clamp(value, 0, 1);
    }

    /// <summary>Sets a text. MLT sets all parameters before every frame: one that stays the same changes nothing.</summary>
    public void Set(int parameter, string value)
    {
        lock (_texts)
        {
            if (Text(parameter) == value) return;
            _texts[parameter] = new NativeText(value);
            _isStale = true;
        }
    }

    /// <summary>Restores a frame of the video that the frames before it belong to.</summary>
    public void Update(ReadOnlySpan<byte> input, Span<byte> output)
    {
        lock (_texts)
        {
            try
            {
                if (_isStale) Open();
                if (_deblurrer is not null)
                {
                    using NativeDeblurrer.Hold hold = _deblurrer.Enter();
                    SetOptions(hold.Deblurrer);
                    hold.Deblurrer.Submit(ReadOnlyFrameView.Packed(_format, input));
                    hold.Deblurrer.Collect(FrameView.Packed(_format, output));
                    return;
                }
            }
            catch (Exception e)
            {
                Close();
                string reason = Failure.MessageOf(e);
                if (Interlocked.Exchange(ref _said, reason) != reason) StandardError.WriteLine($"realtimedeblur: {reason} Frames pass unchanged.");
            }
            input.CopyTo(output);
        }
    }

    public void Dispose()
    {
        lock (_texts) Close();
    }

    private void Open()
    {
        Close();
        _isStale = false;
        _deblurrer = new NativeDeblurrer(RestorationMethod.Load(Text(Frei0rParameter.Model)), Text(Frei0rParameter.Device), _format);
        Volatile.Write(ref _said, null);
    }

    private void Close()
    {
        _deblurrer?.Dispose();
        _deblurrer = null;
    }

    private void SetOptions(Deblurrer deblurrer)
    {
        var strength = (float)_numbers[Frei0rParameter.Strength];
        SigmaSetting sigma = Frei0rParameter.SigmaOf(_numbers[Frei0rParameter.Sigma]);
        bool guard = _numbers[Frei0rParameter.Guard] >= 0.5;
        DeblurOptions options = deblurrer.Options;
        if (options.Strength != strength || options.Sigma != sigma || options.Guard != guard) deblurrer.Options = options with { Strength = strength, Sigma = sigma, Guard = guard };
    }

    private unsafe string Text(int parameter) => NativeText.Read(_texts[parameter].Address)!;
}
