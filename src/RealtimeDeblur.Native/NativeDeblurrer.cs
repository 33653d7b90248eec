using RealtimeDeblur.Compute;
using RealtimeDeblur.Imaging;
using RealtimeDeblur.Networks;
using RealtimeDeblur.Restoration;

namespace RealtimeDeblur.Native;

/// <summary>What a handle of the C interface, or a frei0r instance, stands for: a deblurrer and its hold on a device. Calls from several threads wait for each other.</summary>
internal sealed class NativeDeblurrer : IDisposable
{
    /// <summary>Suits real pictures, which hosts of a library have.</summary>
    public const string DefaultModel = "fast-camera";

    private readonly SharedDevices.Lease _lease;
    private readonly Deblurrer _deblurrer;
    private readonly string _description;
    private readonly Lock _calls = new();
    private bool _disposed;

    /// <param name="method">Not changed.</param>
    /// <param name="device">As for <see cref="ComputeDevice.Open"/>; "" counts as null.</param>
    /// <param name="format">Of every picture.</param>
    public NativeDeblurrer(RestorationMethod method, string? device, FrameFormat format)
    {
        _lease = SharedDevices.Take(string.IsNullOrEmpty(device) ? null : device);
        try
        {
            _deblurrer = new Deblurrer(_lease.Device, method, format);
        }
        catch (Exception e)
        {
            _lease.Return(isBroken: e is OpenClException);
            throw;
        }
        _description = $"{method.Name} for {format.Width}x{format.Height} {format.Pixels} on {_lease.Device.Info.Name}";
        Log.Write(LogLevel.Info, $"Made {_description}{(_deblurrer.Plan is { } plan ? $" ({plan})" : "")}.");
    }

    /// <summary>Holds the deblurrer for one call: no other thread uses or ends it meanwhile.</summary>
    /// <exception cref="StatusException">It has been ended.</exception>
    public Hold Enter()
    {
        _calls.Enter();
        if (!_disposed) return new(this);
        _calls.Exit();
        throw new StatusException(Status.Handle, "The deblurrer was destroyed while this call waited for another one.");
    }

    public void Dispose()
    {
        lock (_calls)
        {
            if (_disposed) return;
            _disposed = true;
            _deblurrer.Dispose();
            _lease.Return();
        }
        Log.Write(LogLevel.Info, $"Ended {_description}.");
    }

    internal readonly ref struct Hold(NativeDeblurrer owner)
    {
        private readonly NativeDeblurrer _owner = owner;

        public Deblurrer Deblurrer => _owner._deblurrer;

        public void Dispose() => _owner._calls.Exit();
    }
}
