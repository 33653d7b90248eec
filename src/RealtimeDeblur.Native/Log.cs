namespace RealtimeDeblur.Native;

/// <summary>RTD_LOG_… of the header.</summary>
internal enum LogLevel
{
    Error = 1,
    Info = 3,
}

/// <summary>The host's log callback.</summary>
internal static unsafe class Log
{
    // Swapped whole, so that no thread sees one callback with the other's user pointer.
    private static volatile Target? _target;

    // A callback that calls the library and fails is not told so, as that call would fail again, for ever.
    [ThreadStatic]
    private static bool _isInCallback;

    public static void SetTarget(delegate* unmanaged[Cdecl]<int, byte*, void*, void> callback, void* user) => _target = callback is null ? null : new(callback, user);

    public static void Write(LogLevel level, string message)
    {
        if (_isInCallback || _target is not { } target) return;
        var text = new NativeText(message);
        _isInCallback = true;
        target.Callback((int)level, text.Address, target.User);
        _isInCallback = false;
        GC.KeepAlive(text);
    }

    private sealed class Target(delegate* unmanaged[Cdecl]<int, byte*, void*, void> callback, void* user)
    {
        public readonly delegate* unmanaged[Cdecl]<int, byte*, void*, void> Callback = callback;
        public readonly void* User = user;
    }
}
