using RealtimeDeblur.Compute;
using Silk.NET.OpenCL;

namespace RealtimeDeblur.Native;

/// <summary>What functions of the C interface return; RTD_OK and RTD_ERROR_… of the header.</summary>
internal enum Status
{
    Ok = 0,
    Argument = -1,
    Handle = -2,
    Model = -3,
    Device = -4,
    Memory = -5,
    State = -6,
    Internal = -7,
}

/// <summary>A failure whose status is known where it is found.</summary>
internal sealed class StatusException(Status status, string message) : Exception(message)
{
    public Status Status { get; } = status;
}

/// <summary>The one place that turns exceptions into statuses.</summary>
internal static class Failure
{
    public static Status StatusOf(Exception failure) => failure switch
    {
        StatusException known => known.Status,
        OpenClException { Status: (int)ErrorCodes.MemObjectAllocationFailure or (int)ErrorCodes.OutOfResources or (int)ErrorCodes.OutOfHostMemory or (int)ErrorCodes.InvalidBufferSize } => Status.Memory,
        OpenClException => Status.Device,
        OutOfMemoryException => Status.Memory,
        IOException or InvalidDataException or UnauthorizedAccessException or FormatException => Status.Model,
        ArgumentException => Status.Argument,
        ObjectDisposedException => Status.Handle,
        InvalidOperationException => Status.State,
        _ => Status.Internal,
    };

    /// <summary>For users of the library: a mistake of ours with everything that helps to find it, otherwise the sentence alone.</summary>
    public static string MessageOf(Exception failure) => StatusOf(failure) switch
    {
        Status.Internal => $"A mistake in RealtimeDeblur, please report it: {failure}",
        Status.Memory when failure is OutOfMemoryException => "The machine has too little memory for pictures of this size: close other programs or choose smaller pictures.",
        // C has no parameter names of ours.
        Status.Argument when failure is ArgumentException { ParamName: { } name } => failure.Message.Replace($" (Parameter '{name}')", "", StringComparison.Ordinal).ReplaceLineEndings(" "),
        _ => failure.Message,
    };
}
