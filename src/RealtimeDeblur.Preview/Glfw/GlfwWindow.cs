using System.Diagnostics.CodeAnalysis;
using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using Silk.NET.OpenGL;

namespace RealtimeDeblur.Preview.Glfw;

/// <summary>Shape of the mouse pointer.</summary>
internal enum PointerShape { Arrow, Hand, HorizontalResize, Hidden }

/// <summary>
/// A window with an OpenGL 3.3 core context, current on the thread that made it; all members belong to that thread, except <see cref="Wake"/>.
/// Collects events instead of calling back, so that no exception can meet a native frame. Several may follow one another in a process.
/// </summary>
internal sealed unsafe class GlfwWindow : IDisposable
{
    private const string ProgramName = "realtimedeblur";

    // What slider, labels and a short message need.
    private const int MinWidth = 400, MinHeight = 300;

    // GLFW itself is one per process: the first window starts it, the last one ends it.
    private static readonly Lock Library = new();
    private static int _windowsOpen;

    private readonly Queue<InputEvent> _events = new();
    private readonly nint _handCursor;
    private readonly nint _resizeCursor;
    private bool _isOpen;
    private nint _window;
    private GCHandle _self;
    private PointerShape _pointer;
    private (int X, int Y, int Width, int Height) _windowed;

    /// <summary>Opens the window.</summary>
    /// <param name="width">In screen coordinates.</param>
    /// <param name="height">The same.</param>
    /// <param name="scaleToMonitor">Whether the size is meant for 96 dpi and should be larger where the screen has more.</param>
    /// <exception cref="PreviewException">There is no GLFW, no display, or no OpenGL 3.3; the message says what to do.</exception>
    public GlfwWindow(string title, int width, int height, bool scaleToMonitor)
    {
        StartLibrary();
        _isOpen = true;
        try
        {
            GlfwApi.DefaultWindowHints();
            GlfwApi.WindowHint(GlfwApi.HintContextVersionMajor, 3);
            GlfwApi.WindowHint(GlfwApi.HintContextVersionMinor, 3);
            GlfwApi.WindowHint(GlfwApi.HintProfile, GlfwApi.CoreProfile);
            GlfwApi.WindowHint(GlfwApi.HintForwardCompatible, GlfwApi.True);
            GlfwApi.WindowHint(GlfwApi.HintDepthBits, 0);
            GlfwApi.WindowHint(GlfwApi.HintStencilBits, 0);
            GlfwApi.WindowHint(GlfwApi.HintVisible, GlfwApi.False);
            GlfwApi.WindowHint(GlfwApi.HintScaleToMonitor, scaleToMonitor ? GlfwApi.True : GlfwApi.False);
            // A full-screen picture stays where it is when another monitor gets the focus.
            GlfwApi.WindowHint(GlfwApi.HintAutoIconify, GlfwApi.False);
            // By these, desktops know windows of one program.
            GlfwApi.WindowHintString(GlfwApi.HintX11ClassName, ProgramName);
            GlfwApi.WindowHintString(GlfwApi.HintX11InstanceName, ProgramName);
            _window = GlfwApi.CreateWindow(Math.Max(width, MinWidth), Math.Max(height, MinHeight), title, 0, 0);
            if (_window == 0) throw PreviewException.NoWindow(GlfwApi.TakeError());

            _self = GCHandle.Alloc(this);
            GlfwApi.SetWindowUserPointer(_window, GCHandle.ToIntPtr(_self));
            GlfwApi.SetWindowSizeLimits(_window, MinWidth, MinHeight, GlfwApi.DontCare, GlfwApi.DontCare);
            GlfwApi.SetKeyCallback(_window, &OnKey);
            GlfwApi.SetCharCallback(_window, &OnCharacter);
            GlfwApi.SetMouseButtonCallback(_window, &OnMouseButton);
            GlfwApi.SetCursorPosCallback(_window, &OnMouseMove);
            GlfwApi.SetScrollCallback(_window, &OnWheel);
            GlfwApi.SetWindowFocusCallback(_window, &OnFocus);
            GlfwApi.SetWindowRefreshCallback(_window, &OnExposed);
            GlfwApi.SetWindowCloseCallback(_window, &OnClose);
            // 0 where the theme has none: setting it means the arrow, which will do.
            _handCursor = GlfwApi.CreateStandardCursor(GlfwApi.ShapeHand);
            _resizeCursor = GlfwApi.CreateStandardCursor(GlfwApi.ShapeHorizontalResize);

            GlfwApi.MakeContextCurrent(_window);
            Gl = GL.GetApi(GlfwApi.GetProcAddress);
            // Swaps wait for a refresh, so that no picture is torn. Software OpenGL does not wait.
            GlfwApi.SwapInterval(1);
            GlfwApi.ShowWindow(_window);
            ReadSize();
        }
        catch
        {
            Dispose();
            throw;
        }
    }

    /// <summary>OpenGL of this window.</summary>
    public GL Gl { get; }

    /// <summary>Size of what is drawn, in pixels; 0 while the window is minimised. As of the last <see cref="WaitEvents"/> or change of it from here.</summary>
    public int FramebufferWidth { get; private set; }

    /// <inheritdoc cref="FramebufferWidth"/>
    public int FramebufferHeight { get; private set; }

    /// <summary>Size in screen coordinates, as the window was asked for.</summary>
    public int Width { get; private set; }

    /// <inheritdoc cref="Width"/>
    public int Height { get; private set; }

    /// <summary>How much larger than at 96 dpi text should be.</summary>
    public float ContentScale { get; private set; } = 1;

    public bool IsFullscreen { get; private set; }

    /// <summary>Shape of the pointer while it is over the window.</summary>
    public PointerShape Pointer
    {
        get => _pointer;
        set
        {
            if (value == _pointer) return;
            _pointer = value;
            GlfwApi.SetInputMode(_window, GlfwApi.InputCursor, value == PointerShape.Hidden ? GlfwApi.CursorHidden : GlfwApi.CursorNormal);
            GlfwApi.SetCursor(_window, value switch { PointerShape.Hand => _handCursor, PointerShape.HorizontalResize => _resizeCursor, _ => 0 });
        }
    }

    /// <summary>Sets the picture that stands for the window in the desktop's lists.</summary>
    /// <param name="rgba">Square, rows from the top, alpha not multiplied in; copied.</param>
    /// <param name="side">Pixels.</param>
    public void SetIcon(ReadOnlySpan<byte> rgba, int side)
    {
        fixed (byte* pixels = rgba)
        {
            GlfwApi.Image image = new(side, side, pixels);
            GlfwApi.SetWindowIcon(_window, 1, &image);
        }
    }

    /// <summary>Ends a wait in <see cref="WaitEvents"/>, or the next one. From any thread; does nothing once the window is disposed.</summary>
    public void Wake()
    {
        lock (Library)
        {
            if (_isOpen) GlfwApi.PostEmptyEvent();
        }
    }

    /// <summary>Waits until something happens, but no longer than <paramref name="timeout"/>; not at all when that is zero.</summary>
    public void WaitEvents(TimeSpan timeout)
    {
        if (timeout <= TimeSpan.Zero) GlfwApi.PollEvents();
        else GlfwApi.WaitEventsTimeout(timeout.TotalSeconds);
        ReadSize();
    }

    /// <summary>The next event, oldest first.</summary>
    public bool TryTakeEvent(out InputEvent input) => _events.TryDequeue(out input);

    /// <summary>Shows the back buffer, at the next refresh of the screen.</summary>
    public void SwapBuffers() => GlfwApi.SwapBuffers(_window);

    /// <summary>Fills the monitor that most of the window is on, or goes back to the place and size from before.</summary>
    public void SetFullscreen(bool fullscreen)
    {
        if (fullscreen == IsFullscreen) return;
        if (fullscreen)
        {
            GlfwApi.GetWindowPos(_window, out int x, out int y);
            nint monitor = FindMonitor(x, y);
            if (monitor == 0) return;
            _windowed = (x, y, Width, Height);
            GlfwApi.VideoMode mode = *GlfwApi.GetVideoMode(monitor);
            GlfwApi.SetWindowMonitor(_window, monitor, 0, 0, mode.Width, mode.Height, mode.RefreshRate);
        }
        else
        {
            GlfwApi.SetWindowMonitor(_window, 0, _windowed.X, _windowed.Y, _windowed.Width, _windowed.Height, GlfwApi.DontCare);
        }
        IsFullscreen = fullscreen;
        ReadSize();
    }

    public void Dispose()
    {
        lock (Library)
        {
            if (!_isOpen) return;
            _isOpen = false;
            if (_window != 0)
            {
                GlfwApi.MakeContextCurrent(0);
                GlfwApi.DestroyWindow(_window);
                _window = 0;
            }
            if (_self.IsAllocated) _self.Free();
            if (--_windowsOpen == 0) GlfwApi.Terminate();
        }
    }

    private static void StartLibrary()
    {
        lock (Library)
        {
            try
            {
                if (_windowsOpen == 0 && GlfwApi.Init() == GlfwApi.False) throw PreviewException.NoDisplay(GlfwApi.TakeError());
            }
            catch (DllNotFoundException e)
            {
                throw PreviewException.NoGlfw(e);
            }
            _windowsOpen++;
        }
    }

    private void ReadSize()
    {
        GlfwApi.GetFramebufferSize(_window, out int framebufferWidth, out int framebufferHeight);
        GlfwApi.GetWindowSize(_window, out int width, out int height);
        GlfwApi.GetWindowContentScale(_window, out float scale, out _);
        (FramebufferWidth, FramebufferHeight, Width, Height, ContentScale) = (framebufferWidth, framebufferHeight, width, height, float.IsFinite(scale) && scale > 0 ? scale : 1);
    }

    private nint FindMonitor(int x, int y)
    {
        nint* monitors = GlfwApi.GetMonitors(out int count);
        nint best = 0;
        long bestArea = -1;
        for (int i = 0; i < count; i++)
        {
            GlfwApi.VideoMode* mode = GlfwApi.GetVideoMode(monitors[i]);
            if (mode is null) continue;
            GlfwApi.GetMonitorPos(monitors[i], out int left, out int top);
            long width = Math.Max(0, Math.Min(x + Width, left + mode->Width) - Math.Max(x, left));
            long height = Math.Max(0, Math.Min(y + Height, top + mode->Height) - Math.Max(y, top));
            if (width * height <= bestArea) continue;
            (best, bestArea) = (monitors[i], width * height);
        }
        return best;
    }

    private static bool TryFind(nint window, [NotNullWhen(true)] out GlfwWindow? found)
    {
        nint pointer = GlfwApi.GetWindowUserPointer(window);
        found = pointer == 0 ? null : GCHandle.FromIntPtr(pointer).Target as GlfwWindow;
        return found is not null;
    }

    private static void Post(nint window, InputEvent input)
    {
        if (TryFind(window, out GlfwWindow? found)) found._events.Enqueue(input);
    }

    /// <summary>
    /// GLFW names keys by what a US keyboard prints on them; here letters are what the user's own prints (Q and A, Z and Y, M differ). Other alphabets go by place.
    /// </summary>
    private static int PrintedKey(int key, int scancode)
    {
        const int FirstUnprintable = 256;
        if (key is (int)Key.Space or >= FirstUnprintable) return key;
        byte* name = GlfwApi.GetKeyName(key, scancode);
        if (name is null || name[0] == 0 || name[1] != 0) return key;
        int printed = char.ToUpperInvariant((char)name[0]);
        if (printed is >= 'A' and <= 'Z') return printed;
        return key is >= 'A' and <= 'Z' ? (int)Key.None : key;
    }

    [UnmanagedCallersOnly(CallConvs = [typeof(CallConvCdecl)])]
    private static void OnKey(nint window, int key, int scancode, int action, int modifiers) =>
        Post(window, new(action switch { GlfwApi.Press => InputKind.KeyDown, GlfwApi.Release => InputKind.KeyUp, _ => InputKind.KeyRepeat }, PrintedKey(key, scancode), modifiers));

    [UnmanagedCallersOnly(CallConvs = [typeof(CallConvCdecl)])]
    private static void OnCharacter(nint window, uint character) => Post(window, new(InputKind.Character, (int)character));

    [UnmanagedCallersOnly(CallConvs = [typeof(CallConvCdecl)])]
    private static void OnMouseButton(nint window, int button, int action, int modifiers) =>
        Post(window, new(action == GlfwApi.Press ? InputKind.ButtonDown : InputKind.ButtonUp, button, modifiers));

    [UnmanagedCallersOnly(CallConvs = [typeof(CallConvCdecl)])]
    private static void OnMouseMove(nint window, double x, double y)
    {
        // Screen coordinates and pixels differ on some systems.
        GlfwApi.GetWindowSize(window, out int width, out int height);
        GlfwApi.GetFramebufferSize(window, out int framebufferWidth, out int framebufferHeight);
        Post(window, new(InputKind.MouseMove, X: x * framebufferWidth / Math.Max(1, width), Y: y * framebufferHeight / Math.Max(1, height)));
    }

    [UnmanagedCallersOnly(CallConvs = [typeof(CallConvCdecl)])]
    private static void OnWheel(nint window, double x, double y)
    {
        bool hasControl = GlfwApi.GetKey(window, GlfwApi.KeyLeftControl) == GlfwApi.Press || GlfwApi.GetKey(window, GlfwApi.KeyRightControl) == GlfwApi.Press;
        Post(window, new(InputKind.Wheel, Modifiers: hasControl ? GlfwApi.ModControl : 0, X: x, Y: y));
    }

    [UnmanagedCallersOnly(CallConvs = [typeof(CallConvCdecl)])]
    private static void OnFocus(nint window, int focused)
    {
        if (focused == GlfwApi.False) Post(window, new(InputKind.FocusLost));
    }

    [UnmanagedCallersOnly(CallConvs = [typeof(CallConvCdecl)])]
    private static void OnExposed(nint window) => Post(window, new(InputKind.Exposed));

    [UnmanagedCallersOnly(CallConvs = [typeof(CallConvCdecl)])]
    private static void OnClose(nint window) => Post(window, new(InputKind.Close));
}
