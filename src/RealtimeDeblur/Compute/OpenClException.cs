using Silk.NET.OpenCL;

namespace RealtimeDeblur.Compute;

/// <summary>An OpenCL call failed. The message says what was attempted, on which device, with which result, and what to do.</summary>
public sealed class OpenClException : Exception
{
    /// <summary>clGetPlatformIDs' answer of an ICD loader that finds no driver (CL_PLATFORM_NOT_FOUND_KHR).</summary>
    internal const int PlatformNotFound = -1001;

    /// <summary>With the status of the call that failed.</summary>
    public OpenClException(int status, string message) : base(message) => Status = status;

    /// <summary>Where no call failed, or none with a status.</summary>
    public OpenClException(string message) : base(message)
    {
    }

    /// <summary>With the exception that tells why.</summary>
    public OpenClException(string message, Exception innerException) : base(message, innerException)
    {
    }

    /// <summary>Without a message; for serializers and the like.</summary>
    public OpenClException()
    {
    }

    /// <summary>The OpenCL status code, 0 when no call was made.</summary>
    public int Status { get; }

    /// <summary>Throws when <paramref name="status"/> is not CL_SUCCESS.</summary>
    /// <param name="status">Result of the call.</param>
    /// <param name="attempted">What the call was for, after "Could not", with device and sizes.</param>
    internal static void ThrowIfFailed(int status, string attempted)
    {
        if (status != (int)ErrorCodes.Success) Throw(status, attempted);
    }

    /// <summary>As <see cref="ThrowIfFailed(int, string)"/> for calls in the frame loop: the text is put together only on failure.</summary>
    internal static void ThrowIfFailed(int status, string call, string deviceName)
    {
        if (status != (int)ErrorCodes.Success) Throw(status, $"{call} on {deviceName}");
    }

    private static void Throw(int status, string attempted)
    {
        string advice = (ErrorCodes)status switch
        {
            ErrorCodes.MemObjectAllocationFailure or ErrorCodes.OutOfResources or ErrorCodes.InvalidBufferSize =>
                "The device has too little memory for this: lower the resolution, choose a smaller network, or pick another device with --device.",
            ErrorCodes.OutOfHostMemory => "The machine has too little memory for this: close other programs or lower the resolution.",
            ErrorCodes.ExecStatusErrorForEventsInWaitList => "The device failed at its work: it was taken away or reset by its driver, or had too little memory. Try again, or pick another with --device.",
            ErrorCodes.DeviceNotAvailable => "Another program may hold the device: pick another with --device, or try again.",
            ErrorCodes.InvalidWorkGroupSize or ErrorCodes.InvalidWorkItemSize => "The device does not offer this work-group size: delete its tuning file, or pick another device with --device.",
            (ErrorCodes)PlatformNotFound => NoDriver,
            _ => "Run with --verbose and report the output.",
        };
        string name = Enum.IsDefined((ErrorCodes)status) ? ((ErrorCodes)status).ToString() : "unknown code";
        throw new OpenClException(status, $"Could not {attempted} ({name}, {status}). {advice}");
    }

    internal const string NoDriver = "Install an OpenCL driver: your GPU vendor's, or PoCL for the CPU (sudo apt install ocl-icd-libopencl1 pocl-opencl-icd).";
}
