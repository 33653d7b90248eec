namespace RealtimeDeblur.Compute;

/// <summary>Kinds of OpenCL devices, in the order in which they are preferred.</summary>
public enum ComputeDeviceType
{
    /// <summary>A graphics processor.</summary>
    Gpu,

    /// <summary>A processor that is neither, on a card of its own for instance.</summary>
    Accelerator,

    /// <summary>The host processor.</summary>
    Cpu,

    /// <summary>What the driver calls none of these.</summary>
    Other,
}

/// <summary>What a device is and can do. Code asks for a capability here, never for a vendor.</summary>
/// <param name="Index">Position in <see cref="ComputeDevice.List"/>: GPUs first, then accelerators, then CPUs.</param>
/// <param name="Name">The driver's name for the device.</param>
/// <param name="Platform">Name of the OpenCL platform.</param>
/// <param name="Type">Kind of device.</param>
/// <param name="Driver">Platform version and driver version.</param>
/// <param name="ComputeUnits">Parallel units; cores on a CPU.</param>
/// <param name="MemoryBytes">Global memory.</param>
/// <param name="MaxAllocationBytes">Largest single buffer.</param>
/// <param name="LocalMemoryBytes">Local memory of a work-group.</param>
/// <param name="MaxWorkGroupSize">Largest work-group in work-items.</param>
/// <param name="SupportsFp16">Whether the driver announces arithmetic in <c>half</c> (cl_khr_fp16). NVIDIA's does not, and has it all the same: the engine tries.</param>
/// <param name="SharesHostMemory">Whether device and host use the same memory, so that mapping a buffer copies nothing.</param>
public sealed record DeviceInfo(
    int Index,
    string Name,
    string Platform,
    ComputeDeviceType Type,
    string Driver,
    int ComputeUnits,
    long MemoryBytes,
    long MaxAllocationBytes,
    long LocalMemoryBytes,
    int MaxWorkGroupSize,
    bool SupportsFp16,
    bool SharesHostMemory);
