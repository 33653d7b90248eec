using System.Collections.Concurrent;

namespace RealtimeDeblur.Native;

/// <summary>Handles that C holds. They are numbers that are looked up, so that a wrong or an old one is found out, and no number is used twice.</summary>
internal static class HandleTable
{
    // No address of a program looks like this (bits 47 and up of a user's address are 0), so that a pointer to something else is never taken for a handle.
    private const long First = 0x5244_0000_0000_0000, Step = 16;

    private static readonly ConcurrentDictionary<nint, NativeDeblurrer> Deblurrers = new();
    private static long _last = First;

    public static nint Add(NativeDeblurrer deblurrer)
    {
        nint handle = (nint)Interlocked.Add(ref _last, Step);
        Deblurrers[handle] = deblurrer;
        return handle;
    }

    /// <exception cref="StatusException">There is none of that number.</exception>
    public static NativeDeblurrer Find(nint handle) => Deblurrers.TryGetValue(handle, out NativeDeblurrer? deblurrer) ? deblurrer : throw Unknown(handle);

    /// <summary>Takes a handle out; the caller ends what it stood for.</summary>
    /// <exception cref="StatusException">There is none of that number.</exception>
    public static NativeDeblurrer Remove(nint handle) => Deblurrers.TryRemove(handle, out NativeDeblurrer? deblurrer) ? deblurrer : throw Unknown(handle);

    private static StatusException Unknown(long handle)
    {
        bool wasOne = handle > First && handle <= Volatile.Read(ref _last) && (handle - First) % Step == 0;
        return new(Status.Handle, handle == 0 ? "The deblurrer is NULL: make one with rtd_create()."
            : wasOne ? $"The deblurrer 0x{handle:x} was destroyed." : $"0x{handle:x} is no deblurrer: pass what rtd_create() gave.");
    }
}
