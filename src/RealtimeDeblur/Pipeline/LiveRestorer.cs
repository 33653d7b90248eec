using RealtimeDeblur.Compute;
using RealtimeDeblur.Imaging;
using RealtimeDeblur.Networks;
using RealtimeDeblur.Restoration;

namespace RealtimeDeblur.Pipeline;

/// <summary>What restores live frames: device, network and frame format. Equal values need no other deblurrer.</summary>
/// <param name="Device">As for <see cref="ComputeDevice.Open"/>; null for the first.</param>
/// <param name="KernelFolder">As there.</param>
/// <param name="Generation">Counts up when device or kernels have to be opened anew under the same name: a kernel file changed, or the device failed.</param>
/// <param name="Model">As for <see cref="RestorationMethod.Load(string)"/>.</param>
/// <param name="Format">Of the frames.</param>
internal sealed record LiveSetup(string? Device, string? KernelFolder, int Generation, string Model, FrameFormat Format);

/// <summary>
/// A device with a <see cref="Restoration.Deblurrer"/> that has run once, so that its kernels are compiled. Each has a device of its own: nothing that a change of kernel file, network or size leaves behind
/// can then be in the way, and opening one costs less than the kernels do.
/// </summary>
internal sealed class LiveRestorer : IDisposable
{
    /// <summary>For the run that compiles every kernel: within every network's knots, and not sharp.</summary>
    private const float WarmUpSigma = 1.5f;

    private readonly ComputeDevice _device;

    private LiveRestorer(LiveSetup setup, ComputeDevice device, Deblurrer deblurrer)
    {
        Setup = setup;
        Deblurrer = deblurrer;
        _device = device;
    }

    public LiveSetup Setup { get; }

    public Deblurrer Deblurrer { get; }

    public DeviceInfo Device => _device.Info;

    /// <summary>Loads the network, builds its kernels and runs them.</summary>
    /// <param name="setup">What to make.</param>
    /// <param name="device">Opened as the setup says. Taken over, also when it throws.</param>
    /// <param name="options">How the first frame is to be restored.</param>
    /// <exception cref="OpenClException">A kernel does not build, or the device has too little memory.</exception>
    /// <exception cref="IOException">Network or estimator cannot be read.</exception>
    /// <exception cref="InvalidDataException">The same.</exception>
    /// <exception cref="ArgumentException">The network does not take the format.</exception>
    public static LiveRestorer Make(LiveSetup setup, ComputeDevice device, DeblurOptions options)
    {
        Deblurrer? deblurrer = null;
        try
        {
            deblurrer = new Deblurrer(device, RestorationMethod.Load(setup.Model), setup.Format, options with { Sigma = SigmaSetting.Of(WarmUpSigma) });
            using var blank = new Frame(setup.Format);
            blank.Data.Clear();
            deblurrer.Process(blank);
            deblurrer.Options = options;
            deblurrer.Process(blank);
            return new(setup, device, deblurrer);
        }
        catch
        {
            deblurrer?.Dispose();
            device.Dispose();
            throw;
        }
    }

    public void Dispose()
    {
        Deblurrer.Dispose();
        _device.Dispose();
    }
}
