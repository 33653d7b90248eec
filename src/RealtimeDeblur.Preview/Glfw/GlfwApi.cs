using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;

namespace RealtimeDeblur.Preview.Glfw;

/// <summary>
/// The functions and constants of GLFW 3.3 that the window uses, named as in its documentation (https://www.glfw.org/docs/3.3/).
/// Silk.NET.Windowing wraps the same library; where it is available it can take the place of this folder.
/// </summary>
internal static unsafe partial class GlfwApi
{
    public const int False = 0, True = 1, DontCare = -1;

    public const int Release = 0, Press = 1;
    public const int ModShift = 1, ModControl = 2, ModAlt = 4, ModSuper = 8;
    public const int KeyLeftControl = 341, KeyRightControl = 345;
    public const int MouseButtonLeft = 0, MouseButtonRight = 1;

    public const int ErrorApiUnavailable = 0x10006, ErrorVersionUnavailable = 0x10007, ErrorPlatform = 0x10008, ErrorFormatUnavailable = 0x10009;

    public const int HintVisible = 0x20004, HintAutoIconify = 0x20006, HintDepthBits = 0x21005, HintStencilBits = 0x21006, HintScaleToMonitor = 0x2200C;
    public const int HintContextVersionMajor = 0x22002, HintContextVersionMinor = 0x22003, HintForwardCompatible = 0x22006, HintProfile = 0x22008;
    public const int CoreProfile = 0x32001;

    public const int InputCursor = 0x33001, CursorNormal = 0x34001, CursorHidden = 0x34002;
    public const int ShapeHand = 0x36004, ShapeHorizontalResize = 0x36005;

    private const string Library = "glfw";

    static GlfwApi() => NativeLibrary.SetDllImportResolver(typeof(GlfwApi).Assembly, (name, assembly, path) =>
    {
        if (name != Library) return 0;
        // Linux with the package for programs, Linux with the one for developers, Windows, macOS.
        foreach (string candidate in (ReadOnlySpan<string>)["libglfw.so.3", "libglfw.so", "glfw3.dll", "libglfw.3.dylib"])
        {
            if (NativeLibrary.TryLoad(candidate, assembly, path, out nint library)) return library;
        }
        return 0;
    });

    [LibraryImport(Library, EntryPoint = "glfwInit")] public static partial int Init();
    [LibraryImport(Library, EntryPoint = "glfwTerminate")] public static partial void Terminate();
    [LibraryImport(Library, EntryPoint = "glfwGetError")] public static partial int GetError(byte** description);
    [LibraryImport(Library, EntryPoint = "glfwPostEmptyEvent")] public static partial void PostEmptyEvent();
    [LibraryImport(Library, EntryPoint = "glfwPollEvents")] public static partial void PollEvents();
    [LibraryImport(Library, EntryPoint = "glfwWaitEventsTimeout")] public static partial void WaitEventsTimeout(double seconds);

    [LibraryImport(Library, EntryPoint = "glfwDefaultWindowHints")] public static partial void DefaultWindowHints();
    [LibraryImport(Library, EntryPoint = "glfwWindowHint")] public static partial void WindowHint(int hint, int value);
    [LibraryImport(Library, EntryPoint = "glfwCreateWindow", StringMarshalling = StringMarshalling.Utf8)] public static partial nint CreateWindow(int width, int height, string title, nint monitor, nint share);
    [LibraryImport(Library, EntryPoint = "glfwDestroyWindow")] public static partial void DestroyWindow(nint window);
    [LibraryImport(Library, EntryPoint = "glfwShowWindow")] public static partial void ShowWindow(nint window);
    [LibraryImport(Library, EntryPoint = "glfwSetWindowUserPointer")] public static partial void SetWindowUserPointer(nint window, nint pointer);
    [LibraryImport(Library, EntryPoint = "glfwGetWindowUserPointer")] public static partial nint GetWindowUserPointer(nint window);
    [LibraryImport(Library, EntryPoint = "glfwGetFramebufferSize")] public static partial void GetFramebufferSize(nint window, out int width, out int height);
    [LibraryImport(Library, EntryPoint = "glfwGetWindowSize")] public static partial void GetWindowSize(nint window, out int width, out int height);
    [LibraryImport(Library, EntryPoint = "glfwSetWindowSizeLimits")] public static partial void SetWindowSizeLimits(nint window, int minWidth, int minHeight, int maxWidth, int maxHeight);
    [LibraryImport(Library, EntryPoint = "glfwGetWindowPos")] public static partial void GetWindowPos(nint window, out int x, out int y);
    [LibraryImport(Library, EntryPoint = "glfwGetWindowContentScale")] public static partial void GetWindowContentScale(nint window, out float x, out float y);
    [LibraryImport(Library, EntryPoint = "glfwSetWindowMonitor")] public static partial void SetWindowMonitor(nint window, nint monitor, int x, int y, int width, int height, int refreshRate);
    [LibraryImport(Library, EntryPoint = "glfwGetMonitors")] public static partial nint* GetMonitors(out int count);
    [LibraryImport(Library, EntryPoint = "glfwGetMonitorPos")] public static partial void GetMonitorPos(nint monitor, out int x, out int y);
    [LibraryImport(Library, EntryPoint = "glfwGetVideoMode")] public static partial VideoMode* GetVideoMode(nint monitor);

    [LibraryImport(Library, EntryPoint = "glfwMakeContextCurrent")] public static partial void MakeContextCurrent(nint window);
    [LibraryImport(Library, EntryPoint = "glfwGetProcAddress", StringMarshalling = StringMarshalling.Utf8)] public static partial nint GetProcAddress(string name);
    [LibraryImport(Library, EntryPoint = "glfwSwapInterval")] public static partial void SwapInterval(int interval);
    [LibraryImport(Library, EntryPoint = "glfwSwapBuffers")] public static partial void SwapBuffers(nint window);

    [LibraryImport(Library, EntryPoint = "glfwGetKey")] public static partial int GetKey(nint window, int key);
    [LibraryImport(Library, EntryPoint = "glfwGetKeyName")] public static partial byte* GetKeyName(int key, int scancode);
    [LibraryImport(Library, EntryPoint = "glfwCreateStandardCursor")] public static partial nint CreateStandardCursor(int shape);
    [LibraryImport(Library, EntryPoint = "glfwSetCursor")] public static partial void SetCursor(nint window, nint cursor);
    [LibraryImport(Library, EntryPoint = "glfwSetInputMode")] public static partial void SetInputMode(nint window, int mode, int value);

    [LibraryImport(Library, EntryPoint = "glfwSetKeyCallback")] public static partial nint SetKeyCallback(nint window, delegate* unmanaged[Cdecl]<nint, int, int, int, int, void> callback);
    [LibraryImport(Library, EntryPoint = "glfwSetCharCallback")] public static partial nint SetCharCallback(nint window, delegate* unmanaged[Cdecl]<nint, uint, void> callback);
    [LibraryImport(Library, EntryPoint = "glfwSetMouseButtonCallback")] public static partial nint SetMouseButtonCallback(nint window, delegate* unmanaged[Cdecl]<nint, int, int, int, void> callback);
    [LibraryImport(Library, EntryPoint = "glfwSetCursorPosCallback")] public static partial nint SetCursorPosCallback(nint window, delegate* unmanaged[Cdecl]<nint, double, double, void> callback);
    [LibraryImport(Library, EntryPoint = "glfwSetScrollCallback")] public static partial nint SetScrollCallback(nint window, delegate* unmanaged[Cdecl]<nint, double, double, void> callback);
    [LibraryImport(Library, EntryPoint = "glfwSetWindowFocusCallback")] public static partial nint SetWindowFocusCallback(nint window, delegate* unmanaged[Cdecl]<nint, int, void> callback);
    [LibraryImport(Library, EntryPoint = "glfwSetWindowRefreshCallback")] public static partial nint SetWindowRefreshCallback(nint window, delegate* unmanaged[Cdecl]<nint, void> callback);
    [LibraryImport(Library, EntryPoint = "glfwSetWindowCloseCallback")] public static partial nint SetWindowCloseCallback(nint window, delegate* unmanaged[Cdecl]<nint, void> callback);

    /// <summary>GLFWvidmode: a monitor's size in screen coordinates, bits per channel, and refresh rate in Hz.</summary>
    [StructLayout(LayoutKind.Sequential)]
    public readonly struct VideoMode
    {
        public readonly int Width, Height, RedBits, GreenBits, BlueBits, RefreshRate;
    }

    /// <summary>The last error of this thread, which is cleared; code 0 when there was none.</summary>
    public static (int Code, string Description) TakeError()
    {
        byte* description;
        int code = GetError(&description);
        return (code, code == 0 ? "" : Marshal.PtrToStringUTF8((nint)description) ?? "");
    }
}
