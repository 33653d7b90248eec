using System.Runtime.InteropServices;
namespace RealtimeDeblur.Native;
internal static unsafe class CApi
{
    [UnmanagedCallersOnly(EntryPoint = "rtd_api_version")]
    public static int ApiVersion() => 1;
    [UnmanagedCallersOnly(EntryPoint = "rtd_device_count")]
    public static int DeviceCount() => RealtimeDeblur.Compute.ComputeDevice.List().Count;
}
