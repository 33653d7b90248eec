using System.Diagnostics;
using RealtimeDeblur.Imaging;
using RealtimeDeblur.Preview.Drawing;
using RealtimeDeblur.Preview.Glfw;
using Silk.NET.OpenGL;
using PixelFormat = RealtimeDeblur.Imaging.PixelFormat;

namespace RealtimeDeblur.Preview;

/// <summary>
/// A window that shows live pictures in pairs, what is compared with at the left and the restored one at the right: parts of one picture at a split that the user moves, or both whole, side by side. One thread makes it, calls all its members and disposes it
/// (on macOS it has to be the main thread); only <see cref="Wake"/> is for any thread. The loop around it: <see cref="WaitEvents"/>, then <see cref="TryTakeRequest"/>
/// until it has no more, <see cref="Show"/> if there is a new picture, <see cref="Draw"/>.
/// </summary>
/// <remarks>
/// Nothing is drawn when nothing has changed, and at most one picture waits for the screen: <see cref="Draw"/> waits for the one before it. With software OpenGL the
/// window shares the processor with the network, so the picture is one fetch per pixel and everything else small.
/// </remarks>
public sealed class PreviewWindow : IDisposable
{
    // Below this many pixels of the window per pixel of the picture it is smoothed; above, one wants to judge the pixels themselves.
    private const double SmoothBelow = 3;

    // Below this, a fetch of four neighbours leaves out pixels in between, and edges flicker.
    private const double MipmapsBelow = 0.5;

    // Figures that change faster than this cannot be read.
    private static readonly TimeSpan FiguresLast = TimeSpan.FromMilliseconds(250);

    private readonly GlfwWindow _window;
    private readonly GL _gl;
    private readonly QuadProgram _quads;
    private readonly PictureTextures _pictures;
    private readonly Overlays _overlays;
    private readonly PreviewControls _controls;
    private Drawn? _drawn;
    private PreviewStatus _status = new();
    private long _statusSince;
    private long _picturesShown;
    private nint _lastSwap;
    private bool _disposed;

    /// <summary>Opens the window.</summary>
    /// <param name="title">For the title bar and the task list.</param>
    /// <param name="width">Width in screen coordinates at 96 dpi, unless <paramref name="view"/> remembers one; larger on screens with more.</param>
    /// <param name="height">Height likewise.</param>
    /// <param name="view">Where the user left off; is changed by what the user does, and stays the caller's to read, to change and to keep.</param>
    /// <exception cref="PreviewException">There is no display, no OpenGL 3.3, no GLFW or no font; the message says what to do.</exception>
    public PreviewWindow(string title, int width, int height, PreviewView view)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(width, 1);
        ArgumentOutOfRangeException.ThrowIfLessThan(height, 1);
        View = view;
        bool isRemembered = view.WindowWidth > 0 && view.WindowHeight > 0;
        _window = new(title, isRemembered ? view.WindowWidth : width, isRemembered ? view.WindowHeight : height, scaleToMonitor: !isRemembered);
        try
        {
            _window.SetIcon(WindowIcon.Paint(), WindowIcon.Side);
            _gl = _window.Gl;
            _quads = new(_gl);
            _pictures = new(_gl);
            _overlays = new(_gl);
            _controls = new(view);
            // Premultiplied alpha.
            _gl.BlendFunc(BlendingFactor.One, BlendingFactor.OneMinusSrcAlpha);
        }
        catch
        {
            _window.Dispose();
            throw;
        }
    }

    /// <summary>What the user has turned. Changes from outside show at the next <see cref="Draw"/>.</summary>
    public PreviewView View { get; }

    /// <summary>Whether the user wants it closed. It stays open until it is disposed.</summary>
    public bool IsClosing => _controls.IsClosing;

    /// <summary>Where each overlay lies.</summary>
    internal IEnumerable<(string Name, PixelRect Place)> Overlays => _overlays.Placed;

    /// <summary>How often the window was drawn and shown.</summary>
    internal long TimesDrawn { get; private set; }

    /// <summary>What the mouse meets.</summary>
    internal ControlSurface Surface => new(
        Math.Max(1, _window.FramebufferWidth), Math.Max(1, _window.FramebufferHeight), Math.Max(1, _pictures.Width), Math.Max(1, _pictures.Height),
        _window.ContentScale, _overlays.Slider, _overlays.SliderTrack);

    /// <summary>Ends a wait in <see cref="WaitEvents"/>, or the next one. From any thread, also after the window is gone.</summary>
    public void Wake() => _window.Wake();

    /// <summary>Waits for the user or <see cref="Wake"/> and carries out what the user does. Comes back early when something is to hide, so <see cref="Draw"/> should follow.</summary>
    /// <param name="timeout">Longest wait; zero or less does not wait.</param>
    public void WaitEvents(TimeSpan timeout)
    {
        ObjectDisposedException.ThrowIf(_disposed, this);
        TimeSpan untilHidden = _controls.TimeUntilHidden(Stopwatch.GetTimestamp());
        _window.WaitEvents(untilHidden > TimeSpan.Zero && untilHidden < timeout ? untilHidden : timeout);
        while (_window.TryTakeEvent(out InputEvent input))
        {
            if (input.Kind == InputKind.Exposed) _drawn = null;
            else _controls.Handle(input, Surface, Stopwatch.GetTimestamp());
        }
        _window.Pointer = _controls.PointerOver(Surface, Stopwatch.GetTimestamp());
    }

    /// <summary>The next thing the user asked for that the window cannot do itself, in the order of asking.</summary>
    /// <returns>False when there is none.</returns>
    public bool TryTakeRequest(out PreviewRequest request) => _controls.TryTakeRequest(out request);

    /// <summary>Takes a pair of pictures for the next <see cref="Draw"/>; does nothing while <see cref="PreviewView.IsFrozen"/>. Copies them: the frames stay the caller's and may change afterwards.</summary>
    /// <param name="left">Bgr24, of any size, which may differ from the last call's.</param>
    /// <param name="right">Of the same format.</param>
    /// <exception cref="ArgumentException">The frames are not Bgr24, or differ in size.</exception>
    /// <exception cref="PreviewException">The graphics driver cannot hold pictures that large.</exception>
    public void Show(Frame left, Frame right)
    {
        ObjectDisposedException.ThrowIf(_disposed, this);
        if (left.Format.Pixels != PixelFormat.Bgr24) throw new ArgumentException($"The window shows Bgr24, not {left.Format.Pixels}.", nameof(left));
        if (right.Format != left.Format) throw new ArgumentException($"The right picture is {right.Format}, the left one {left.Format}; they have to be alike.", nameof(right));
        // The first one is shown in any case: there is nothing else to look at.
        if (View.IsFrozen && _picturesShown > 0) return;
        _pictures.Upload(left, right);
        _picturesShown++;
    }

    /// <summary>Draws and shows the window if anything in it has changed. May wait for a refresh of the screen.</summary>
    /// <param name="status">Text for the user. Figures change on screen at most four times a second, everything else at once.</param>
    public void Draw(PreviewStatus status)
    {
        ObjectDisposedException.ThrowIf(_disposed, this);
        long now = Stopwatch.GetTimestamp();
        _window.SetFullscreen(View.IsFullscreen);
        View.IsFullscreen = _window.IsFullscreen;
        if (!_window.IsFullscreen) (View.WindowWidth, View.WindowHeight) = (_window.Width, _window.Height);
        if (_window.FramebufferWidth == 0 || _window.FramebufferHeight == 0) return;

        if (!AreAlikeButFigures(status, _status) || Stopwatch.GetElapsedTime(_statusSince, now) >= FiguresLast && status != _status) (_status, _statusSince) = (status, now);
        Drawn wanted = Wanted(now);
        if (wanted == _drawn) return;
        WaitForLastSwap();
        Render(wanted);
        _window.SwapBuffers();
        _lastSwap = _gl.FenceSync(SyncCondition.SyncGpuCommandsComplete, SyncBehaviorFlags.None);
        _drawn = wanted;
        TimesDrawn++;
    }

    /// <summary>What the window shows, as it was last drawn; for tests and pictures of the window.</summary>
    /// <param name="width">Columns, in framebuffer pixels.</param>
    /// <param name="height">Rows.</param>
    /// <returns>Rows from the top, three bytes R, G, B per pixel, without padding.</returns>
    /// <exception cref="InvalidOperationException">Nothing was drawn yet.</exception>
    public byte[] ReadPixels(out int width, out int height)
    {
        ObjectDisposedException.ThrowIf(_disposed, this);
        if (_drawn is not { } drawn) throw new InvalidOperationException("The window has drawn nothing yet.");
        // After a swap the back buffer is undefined, so it is drawn once more.
        Render(drawn);
        (width, height) = (drawn.Width, drawn.Height);
        int rowBytes = width * 3;
        byte[] fromBottom = new byte[rowBytes * height], pixels = new byte[rowBytes * height];
        _gl.PixelStore(PixelStoreParameter.PackAlignment, 1);
        _gl.ReadPixels<byte>(0, 0, (uint)width, (uint)height, Silk.NET.OpenGL.PixelFormat.Rgb, PixelType.UnsignedByte, fromBottom);
        for (int y = 0; y < height; y++) fromBottom.AsSpan((height - 1 - y) * rowBytes, rowBytes).CopyTo(pixels.AsSpan(y * rowBytes));
        return pixels;
    }

    public void Dispose()
    {
        if (_disposed) return;
        _disposed = true;
        if (_lastSwap != 0) _gl.DeleteSync(_lastSwap);
        _overlays.Dispose();
        _pictures.Dispose();
        _quads.Dispose();
        _window.Dispose();
    }

    /// <summary>All that decides about the pixels of the window.</summary>
    private readonly record struct Drawn(
        long Picture, int Width, int Height, float ContentScale, double Split, double Strength, double Zoom, double CenterX, double CenterY,
        bool IsFrozen, bool IsSideBySide, bool ShowsLeftOnly, bool ShowsStatus, bool ShowsHelp, bool ShowsControls, PreviewStatus Status);

    private Drawn Wanted(long now) => new(
        _picturesShown, _window.FramebufferWidth, _window.FramebufferHeight, _window.ContentScale, View.Split, View.Strength, View.Zoom, View.CenterX, View.CenterY,
        View.IsFrozen, View.IsSideBySide, View.ShowsLeftOnly, View.ShowsStatus, View.ShowsHelp, View.ShowsStatus || _controls.TimeUntilHidden(now) > TimeSpan.Zero, _status);

    private void Render(Drawn drawn)
    {
        bool hasPicture = _picturesShown > 0;
        PictureGeometry geometry = PictureGeometry.Of(View, drawn.Width, drawn.Height, Math.Max(1, _pictures.Width), Math.Max(1, _pictures.Height));
        _overlays.Update(View, drawn.Status, geometry, drawn.ContentScale, hasPicture, drawn.ShowsControls);

        _quads.Begin(drawn.Width, drawn.Height);
        _gl.Disable(EnableCap.Blend);
        PixelRect visible = hasPicture ? geometry.Visible : default;
        if (visible.Width < drawn.Width || visible.Height < drawn.Height)
        {
            _gl.ClearColor(0.06f, 0.07f, 0.08f, 1);
            _gl.Clear(ClearBufferMask.ColorBufferBit);
        }
        if (hasPicture)
        {
            if (geometry.Scale < MipmapsBelow) _pictures.MakeMipmaps();
            double split = drawn.ShowsLeftOnly || geometry.IsSideBySide ? visible.Right : Math.Clamp(geometry.SplitColumn(drawn.Split), visible.X, visible.Right);
            DrawPart(_pictures.Left, geometry, visible with { Width = split - visible.X });
            if (geometry.IsSideBySide) DrawPart(_pictures.Right, geometry, visible, geometry.RightViewX);
            else DrawPart(_pictures.Right, geometry, visible with { X = split, Width = visible.Right - split });
        }
        _gl.Enable(EnableCap.Blend);
        _overlays.Draw(_quads);
    }

    /// <param name="part">Of the view.</param>
    /// <param name="viewX">Where that begins in the window.</param>
    private void DrawPart(uint texture, PictureGeometry geometry, PixelRect part, double viewX = 0)
    {
        if (part.IsEmpty) return;
        int filter = (int)(geometry.Scale < SmoothBelow ? TextureMagFilter.Linear : TextureMagFilter.Nearest);
        _gl.BindTexture(TextureTarget.Texture2D, texture);
        _gl.TexParameter(TextureTarget.Texture2D, TextureParameterName.TextureMinFilter, geometry.Scale < MipmapsBelow ? (int)TextureMinFilter.LinearMipmapNearest : filter);
        _gl.TexParameter(TextureTarget.Texture2D, TextureParameterName.TextureMagFilter, filter);
        PixelRect picture = geometry.Picture;
        _quads.Draw(texture, part with { X = viewX + part.X }, new((part.X - picture.X) / picture.Width, (part.Y - picture.Y) / picture.Height, part.Width / picture.Width, part.Height / picture.Height));
    }

    private void WaitForLastSwap()
    {
        if (_lastSwap == 0) return;
        const ulong OneSecondInNs = 1_000_000_000;      // a screen that is switched off must not hold up anything for longer
        _gl.ClientWaitSync(_lastSwap, SyncObjectMask.Bit, OneSecondInNs);
        _gl.DeleteSync(_lastSwap);
        _lastSwap = 0;
    }

    private static bool AreAlikeButFigures(PreviewStatus a, PreviewStatus b) =>
        (a.Source, a.Width, a.Height, a.Model, a.Device, a.IsSharp, a.IsRestored, a.IsRecording) == (b.Source, b.Width, b.Height, b.Model, b.Device, b.IsSharp, b.IsRestored, b.IsRecording)
        && (a.IsModelAutomatic, a.Compared, a.IsPaused, a.Message) == (b.IsModelAutomatic, b.Compared, b.IsPaused, b.Message);
}
