namespace RealtimeDeblur.Native;

/// <summary>What went wrong last, for each thread.</summary>
internal static unsafe class LastError
{
    [ThreadStatic]
    private static NativeText? _text;

    public static byte* Address => _text is null ? NativeText.Empty : _text.Address;

    /// <summary>Keeps the message, logs it, and gives the status for C.</summary>
    public static int Record(Exception failure)
    {
        string message = Failure.MessageOf(failure);
        Log.Write(LogLevel.Error, message);     // before the message is kept: the callback may call the library and fail
        _text = new NativeText(message);
        return (int)Failure.StatusOf(failure);
    }
}
