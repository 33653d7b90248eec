using RealtimeDeblur.Compute;
using RealtimeDeblur.Imaging;
using RealtimeDeblur.Networks;
using RealtimeDeblur.Restoration;

namespace RealtimeDeblur.Pipeline;

/// <summary>What restores live frames: device, methods and frame format. Equal values need no other deblurrer.</summary>
/// <param name="Device">As for <see cref="ComputeDevice.Open"/>; null for the first.</param>
/// <param name="KernelFolder">As there.</param>
/// <param name="Generation">Counts up when device or kernels have to be opened anew under the same name: a kernel file changed, or the device failed.</param>
/// <param name="Model">As for <see cref="RestorationMethod.Load(string)"/>.</param>
/// <param name="Compared">Another method to compare with, by the same names; null for none.</param>
/// <param name="Format">Of the frames.</param>
internal sealed record LiveSetup(string? Device, string? KernelFolder, int Generation, string Model, string? Compared, FrameFormat Format);

/// <summary>
/// A device with a <see cref="Restoration.Deblurrer"/> that has run once, so that its kernels are compiled. Each has a device of its own: nothing that a change of kernel file, network or size leaves behind
/// can then be in the way, and opening one costs less than the kernels do.
/// </summary>
internal sealed class LiveRestorer : IDisposable
{
    /// <summary>For the run that compiles every kernel: within every network's knots, and not sharp.</summary>
    private const float WarmUpSigma = 1.5f;

    private readonly ComputeDevice _device;

    private LiveRestorer(LiveSetup setup, ComputeDevice device, Deblurrer deblurrer, Deblurrer? compared, string? comparedTrouble)
    {
        Setup = setup;
        Deblurrer = deblurrer;
        Compared = compared;
        ComparedTrouble = comparedTrouble;
        _device = device;
    }

    public LiveSetup Setup { get; }

    public Deblurrer Deblurrer { get; }

    /// <summary>Restores what the result is compared with, on the same device; null where none is wanted, or it could not be made.</summary>
    public Deblurrer? Compared { get; }

    /// <summary>Why it could not be made; null if it could.</summary>
    public string? ComparedTrouble { get; }

    public DeviceInfo Device => _device.Info;

    /// <summary>Loads the network, builds its kernels and runs them. A method to compare with that cannot be made leaves the first to work alone.</summary>
    /// <param name="setup">What to make.</param>
    /// <param name="device">Opened as the setup says. Taken over, also when it throws.</param>
    /// <param name="options">How the first frame is to be restored.</param>
    /// <exception cref="OpenClException">A kernel does not build, or the device has too little memory.</exception>
    /// <exception cref="IOException">Network or estimator cannot be read.</exception>
    /// <exception cref="InvalidDataException">The same.</exception>
    /// <exception cref="ArgumentException">The network does not take the format.</exception>
    public static LiveRestorer Make(LiveSetup setup, ComputeDevice device, DeblurOptions options)
    {
        Deblurrer? deblurrer = null, compared = null;
        string? comparedTrouble = null;
        try
        {
            deblurrer = WarmUp(device, setup.Model, setup.Format, options);
            try
            {
                if (setup.Compared is { } name) compared = WarmUp(device, name, setup.Format, options);
            }
            catch (Exception e) when (e is OpenClException or IOException or InvalidDataException or ArgumentException or FormatException)
            {
                comparedTrouble = $"There is no comparison with {setup.Compared}: {e.Message}";
            }
            return new(setup, device, deblurrer, compared, comparedTrouble);
        }
        catch
        {
            deblurrer?.Dispose();
            device.Dispose();
            throw;
        }
    }

    private static Deblurrer WarmUp(ComputeDevice device, string method, FrameFormat format, DeblurOptions options)
    {
        var deblurrer = new Deblurrer(device, RestorationMethod.Load(method), format, options with { Sigma = SigmaSetting.Of(WarmUpSigma) });
        try
        {
            using var blank = new Frame(format);
            blank.Data.Clear();
            deblurrer.Process(blank);
            deblurrer.Options = options;
            deblurrer.Process(blank);
            return deblurrer;
        }
        catch
        {
            deblurrer.Dispose();
            throw;
        }
    }

    public void Dispose()
    {
        Compared?.Dispose();
        Deblurrer.Dispose();
        _device.Dispose();
    }
}
