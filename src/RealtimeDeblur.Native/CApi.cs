using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using RealtimeDeblur.Compute;
using RealtimeDeblur.Imaging;
using RealtimeDeblur.Networks;
using RealtimeDeblur.Restoration;

namespace RealtimeDeblur.Native;

/// <summary>The functions of <c>include/realtimedeblur.h</c>, which says what each does. No exception leaves them.</summary>
internal static unsafe class CApi
{
    private const int ApiVersion = 1;
    private const float SigmaAuto = -1, SigmaOff = -2;

    private static readonly NativeText Version = new(typeof(Deblurrer).Assembly.GetName().Version!.ToString(3));
    private static readonly NativeText[] ModelNames = [.. ModelCatalog.Names.Select(name => new NativeText(name))];

    [UnmanagedCallersOnly(EntryPoint = "rtd_version", CallConvs = [typeof(CallConvCdecl)])]
    private static byte* GetVersion() => Version.Address;

    [UnmanagedCallersOnly(EntryPoint = "rtd_api_version", CallConvs = [typeof(CallConvCdecl)])]
    private static int GetApiVersion() => ApiVersion;

    [UnmanagedCallersOnly(EntryPoint = "rtd_model_count", CallConvs = [typeof(CallConvCdecl)])]
    private static int ModelCount() => ModelNames.Length;

    [UnmanagedCallersOnly(EntryPoint = "rtd_model_name", CallConvs = [typeof(CallConvCdecl)])]
    private static byte* ModelName(int index) => (uint)index < (uint)ModelNames.Length ? ModelNames[index].Address : null;

    [UnmanagedCallersOnly(EntryPoint = "rtd_plane_size", CallConvs = [typeof(CallConvCdecl)])]
    private static int PlaneSize(CFormat* format, int plane, nuint* rowBytes, nuint* rows)
    {
        try
        {
            FrameFormat checkedFormat = Given(format, "format")->Checked();
            if ((uint)plane >= (uint)checkedFormat.PlaneCount) throw new StatusException(Status.Argument, $"{checkedFormat.Pixels} has no plane {plane}, only {checkedFormat.PlaneCount}.");
            PlaneLayout layout = checkedFormat.Plane(plane);
            *Given(rowBytes, "pointer to the bytes of a row") = (nuint)layout.StrideBytes;
            *Given(rows, "pointer to the number of rows") = (nuint)layout.Height;
            return (int)Status.Ok;
        }
        catch (Exception e)
        {
            return LastError.Record(e);
        }
    }

    [UnmanagedCallersOnly(EntryPoint = "rtd_device_count", CallConvs = [typeof(CallConvCdecl)])]
    private static int DeviceCount()
    {
        try
        {
            return ComputeDevice.List().Count;
        }
        catch (Exception e)
        {
            return LastError.Record(e);
        }
    }

    [UnmanagedCallersOnly(EntryPoint = "rtd_device_info", CallConvs = [typeof(CallConvCdecl)])]
    private static int DeviceInformation(int index, CDevice* device)
    {
        try
        {
            Given(device, "device");
            IReadOnlyList<DeviceInfo> devices = ComputeDevice.List();
            if ((uint)index >= (uint)devices.Count) throw new StatusException(Status.Argument, $"There is no device {index}, only {devices.Count}.");
            *device = CDevice.Of(devices[index]);
            return (int)Status.Ok;
        }
        catch (Exception e)
        {
            return LastError.Record(e);
        }
    }

    [UnmanagedCallersOnly(EntryPoint = "rtd_create", CallConvs = [typeof(CallConvCdecl)])]
    private static int Create(byte* model, byte* device, CFormat* format, nint* deblurrer)
    {
        try
        {
            *Given(deblurrer, "pointer to the deblurrer") = 0;
            FrameFormat checkedFormat = Given(format, "format")->Checked();
            RestorationMethod method = RestorationMethod.Load(NativeText.Read(model) ?? NativeDeblurrer.DefaultModel);
            *deblurrer = HandleTable.Add(new NativeDeblurrer(method, NativeText.Read(device), checkedFormat));
            return (int)Status.Ok;
        }
        catch (Exception e)
        {
            return LastError.Record(e);
        }
    }

    [UnmanagedCallersOnly(EntryPoint = "rtd_create_from_memory", CallConvs = [typeof(CallConvCdecl)])]
    private static int CreateFromMemory(byte* model, nuint sizeBytes, byte* device, CFormat* format, nint* deblurrer)
    {
        try
        {
            *Given(deblurrer, "pointer to the deblurrer") = 0;
            FrameFormat checkedFormat = Given(format, "format")->Checked();
            if (sizeBytes > (nuint)nint.MaxValue) throw new StatusException(Status.Argument, $"A model of {sizeBytes} bytes does not exist.");
            using var stream = new UnmanagedMemoryStream(Given(model, "model"), (long)sizeBytes);
            Network network = ModelCatalog.Load(stream, "The model in memory");
            *deblurrer = HandleTable.Add(new NativeDeblurrer(network, NativeText.Read(device), checkedFormat));
            return (int)Status.Ok;
        }
        catch (Exception e)
        {
            return LastError.Record(e);
        }
    }

    [UnmanagedCallersOnly(EntryPoint = "rtd_destroy", CallConvs = [typeof(CallConvCdecl)])]
    private static int Destroy(nint deblurrer)
    {
        try
        {
            if (deblurrer != 0) HandleTable.Remove(deblurrer).Dispose();
            return (int)Status.Ok;
        }
        catch (Exception e)
        {
            return LastError.Record(e);
        }
    }

    [UnmanagedCallersOnly(EntryPoint = "rtd_release_devices", CallConvs = [typeof(CallConvCdecl)])]
    private static int ReleaseDevices()
    {
        try
        {
            SharedDevices.CloseIdle();
            return (int)Status.Ok;
        }
        catch (Exception e)
        {
            return LastError.Record(e);
        }
    }

    [UnmanagedCallersOnly(EntryPoint = "rtd_process", CallConvs = [typeof(CallConvCdecl)])]
    private static int Process(nint deblurrer, CPicture* input, CPicture* output)
    {
        try
        {
            using NativeDeblurrer.Hold hold = HandleTable.Find(deblurrer).Enter();
            FrameFormat format = hold.Deblurrer.Format;
            hold.Deblurrer.Process(CPicture.View(input, format, "input"), CPicture.View(output, format, "output"));
            return (int)Status.Ok;
        }
        catch (Exception e)
        {
            return LastError.Record(e);
        }
    }

    [UnmanagedCallersOnly(EntryPoint = "rtd_submit", CallConvs = [typeof(CallConvCdecl)])]
    private static int Submit(nint deblurrer, CPicture* input)
    {
        try
        {
            using NativeDeblurrer.Hold hold = HandleTable.Find(deblurrer).Enter();
            hold.Deblurrer.Submit(CPicture.View(input, hold.Deblurrer.Format, "input"));
            return (int)Status.Ok;
        }
        catch (Exception e)
        {
            return LastError.Record(e);
        }
    }

    [UnmanagedCallersOnly(EntryPoint = "rtd_collect", CallConvs = [typeof(CallConvCdecl)])]
    private static int Collect(nint deblurrer, CPicture* output)
    {
        try
        {
            using NativeDeblurrer.Hold hold = HandleTable.Find(deblurrer).Enter();
            hold.Deblurrer.Collect(CPicture.View(output, hold.Deblurrer.Format, "output"));
            return (int)Status.Ok;
        }
        catch (Exception e)
        {
            return LastError.Record(e);
        }
    }

    [UnmanagedCallersOnly(EntryPoint = "rtd_in_flight", CallConvs = [typeof(CallConvCdecl)])]
    private static int InFlight(nint deblurrer)
    {
        try
        {
            using NativeDeblurrer.Hold hold = HandleTable.Find(deblurrer).Enter();
            return hold.Deblurrer.InFlight;
        }
        catch (Exception e)
        {
            return LastError.Record(e);
        }
    }

    [UnmanagedCallersOnly(EntryPoint = "rtd_last_sigma", CallConvs = [typeof(CallConvCdecl)])]
    private static int LastSigma(nint deblurrer, float* sigma, int* unchanged)
    {
        try
        {
            using NativeDeblurrer.Hold hold = HandleTable.Find(deblurrer).Enter();
            if (sigma is not null) *sigma = hold.Deblurrer.LastSigma ?? -1;
            if (unchanged is not null) *unchanged = hold.Deblurrer.LastIsSharp ? 1 : 0;
            return (int)Status.Ok;
        }
        catch (Exception e)
        {
            return LastError.Record(e);
        }
    }

    // Hosts may set everything before every picture: what stays as it is allocates nothing.
    [UnmanagedCallersOnly(EntryPoint = "rtd_set_strength", CallConvs = [typeof(CallConvCdecl)])]
    private static int SetStrength(nint deblurrer, float strength) => Set(deblurrer, strength, static (options, value) => options.Strength == value ? options : options with { Strength = value });

    [UnmanagedCallersOnly(EntryPoint = "rtd_set_sigma", CallConvs = [typeof(CallConvCdecl)])]
    private static int SetSigma(nint deblurrer, float sigma) => Set(deblurrer, sigma, static (options, value) =>
    {
        SigmaSetting setting = value switch
        {
            SigmaAuto => SigmaSetting.Auto,
            SigmaOff => SigmaSetting.Off,
            >= 0 and <= SigmaSetting.MaxSigma => SigmaSetting.Of(value),
            _ => throw new StatusException(Status.Argument, $"Sigma must be 0 to {SigmaSetting.MaxSigma} pixels, RTD_SIGMA_AUTO or RTD_SIGMA_OFF; it is {value}."),
        };
        return options.Sigma == setting ? options : options with { Sigma = setting };
    });

    [UnmanagedCallersOnly(EntryPoint = "rtd_set_guard", CallConvs = [typeof(CallConvCdecl)])]
    private static int SetGuard(nint deblurrer, int guard) => Set(deblurrer, guard, static (options, value) =>
    {
        bool isOn = value switch { 0 => false, 1 => true, _ => throw new StatusException(Status.Argument, $"The guard must be 0 or 1; it is {value}.") };
        return options.Guard == isOn ? options : options with { Guard = isOn };
    });

    [UnmanagedCallersOnly(EntryPoint = "rtd_set_view", CallConvs = [typeof(CallConvCdecl)])]
    private static int SetView(nint deblurrer, int view) => Set(deblurrer, (DeblurView)view, static (options, value) =>
        options.View == value ? options
        : Enum.IsDefined(value) ? options with { View = value }
        : throw new StatusException(Status.Argument, $"There is no view {(int)value}: take RTD_VIEW_RESTORED (0) or RTD_VIEW_CONFIDENCE (1)."));

    [UnmanagedCallersOnly(EntryPoint = "rtd_last_error", CallConvs = [typeof(CallConvCdecl)])]
    private static byte* GetLastError() => LastError.Address;

    [UnmanagedCallersOnly(EntryPoint = "rtd_set_log", CallConvs = [typeof(CallConvCdecl)])]
    private static int SetLog(delegate* unmanaged[Cdecl]<int, byte*, void*, void> callback, void* user)
    {
        Log.SetTarget(callback, user);
        return (int)Status.Ok;
    }

    private static int Set<T>(nint deblurrer, T value, Func<DeblurOptions, T, DeblurOptions> change)
    {
        try
        {
            using NativeDeblurrer.Hold hold = HandleTable.Find(deblurrer).Enter();
            hold.Deblurrer.Options = change(hold.Deblurrer.Options, value);
            return (int)Status.Ok;
        }
        catch (Exception e)
        {
            return LastError.Record(e);
        }
    }

    /// <exception cref="StatusException">The pointer is null.</exception>
    private static T* Given<T>(T* pointer, string name) where T : unmanaged => pointer is null ? throw new StatusException(Status.Argument, $"The {name} is NULL.") : pointer;
}
