using System.Diagnostics;
using RealtimeDeblur.Preview.Glfw;

namespace RealtimeDeblur.Preview;

/// <summary>What the mouse can meet on screen; all in framebuffer pixels.</summary>
/// <param name="ViewWidth">Of the window, 1 or more.</param>
/// <param name="PictureWidth">Of the picture in its own pixels, 1 or more.</param>
/// <param name="ContentScale">How much larger than at 96 dpi things are.</param>
/// <param name="Slider">Where the mouse takes hold of the strength; empty when it is not shown.</param>
/// <param name="SliderTrack">Strength 0 is at its left end, 1 at its right.</param>
internal readonly record struct ControlSurface(int ViewWidth, int ViewHeight, int PictureWidth, int PictureHeight, double ContentScale, PixelRect Slider, PixelRect SliderTrack);

/// <summary>What keys and mouse do: turns events into changes of the view and requests. Knows no window, so that it can be tested without one.</summary>
internal sealed class PreviewControls(PreviewView view)
{
    /// <summary>How long slider and labels stay after the mouse has come to rest.</summary>
    public static readonly TimeSpan RestBeforeHiding = TimeSpan.FromSeconds(2.5);

    private const double SplitStep = 0.02, StrengthStep = 0.05, ZoomStep = 1.25, PanShare = 0.1;

    /// <summary>How near to the line the mouse takes hold of it, in pixels at 96 dpi; and how far a hand moves between the clicks of a double click.</summary>
    private const double SplitReach = 10, DoubleClickReach = 6;
    private static readonly TimeSpan DoubleClickTime = TimeSpan.FromMilliseconds(400);

    private enum Drag { None, Split, Slider, Picture }

    private readonly Queue<PreviewRequest> _requests = new();
    private Drag _drag;
    private double _mouseX = -1, _mouseY = -1;
    private long _lastActivity = long.MinValue;
    private (long At, double X, double Y)? _lastClick;

    /// <summary>Whether the user wants the window closed.</summary>
    public bool IsClosing { get; private set; }

    /// <summary>The next thing the user asked the caller for, oldest first.</summary>
    public bool TryTakeRequest(out PreviewRequest request) => _requests.TryDequeue(out request);

    /// <summary>How long until slider and labels hide, zero when they are hidden.</summary>
    /// <param name="now">As <see cref="Stopwatch.GetTimestamp"/>.</param>
    public TimeSpan TimeUntilHidden(long now)
    {
        if (_drag is Drag.Split or Drag.Slider) return RestBeforeHiding;
        if (_lastActivity == long.MinValue) return TimeSpan.Zero;
        TimeSpan left = RestBeforeHiding - Stopwatch.GetElapsedTime(_lastActivity, now);
        return left > TimeSpan.Zero ? left : TimeSpan.Zero;
    }

    /// <summary>The pointer that says what the mouse would take hold of.</summary>
    public PointerShape PointerOver(ControlSurface surface, long now)
    {
        if (view.IsFullscreen && TimeUntilHidden(now) == TimeSpan.Zero) return PointerShape.Hidden;
        return (_drag == Drag.None ? Meets(surface) : _drag) switch
        {
            Drag.Slider => PointerShape.Hand,
            Drag.Split => PointerShape.HorizontalResize,
            Drag.Picture when Geometry(surface).CanPan => PointerShape.Hand,
            _ => PointerShape.Arrow,
        };
    }

    /// <summary>Carries out one event.</summary>
    /// <param name="now">When it came, as <see cref="Stopwatch.GetTimestamp"/>.</param>
    public void Handle(InputEvent input, ControlSurface surface, long now)
    {
        switch (input.Kind)
        {
            case InputKind.KeyDown or InputKind.KeyRepeat:
                Press(input, surface, now);
                break;
            case InputKind.KeyUp when input.Key == Key.O:
            case InputKind.ButtonUp when input.Code == GlfwApi.MouseButtonRight:
                view.ShowsLeftOnly = false;
                break;
            case InputKind.Character:
                Type((char)input.Code, now);
                break;
            case InputKind.MouseMove:
                Move(input.X, input.Y, surface, now);
                break;
            case InputKind.ButtonDown when input.Code == GlfwApi.MouseButtonLeft:
                TakeHold(surface, now);
                break;
            case InputKind.ButtonDown when input.Code == GlfwApi.MouseButtonRight:
                view.ShowsLeftOnly = true;
                break;
            case InputKind.ButtonUp when input.Code == GlfwApi.MouseButtonLeft:
                _drag = Drag.None;
                break;
            case InputKind.Wheel when input.HasControl:
                PictureGeometry geometry = Geometry(surface);
                geometry.ZoomAbout(Math.Pow(ZoomStep, input.Y), geometry.ToView(_mouseX), _mouseY).CopyTo(view);
                break;
            case InputKind.Wheel:
                TurnStrength(input.Y * StrengthStep, now);
                break;
            case InputKind.FocusLost:
                // The release of the key goes to another window.
                view.ShowsLeftOnly = false;
                _drag = Drag.None;
                break;
            case InputKind.Close:
                IsClosing = true;
                break;
        }
    }

    private PictureGeometry Geometry(ControlSurface surface) => PictureGeometry.Of(view, surface.ViewWidth, surface.ViewHeight, surface.PictureWidth, surface.PictureHeight);

    private void Press(InputEvent input, ControlSurface surface, long now)
    {
        PictureGeometry geometry = Geometry(surface);
        switch (input.Key)
        {
            case Key.Left when input.HasShift: Pan(PanShare, 0); return;
            case Key.Right when input.HasShift: Pan(-PanShare, 0); return;
            case Key.Up when input.HasShift: Pan(0, PanShare); return;
            case Key.Down when input.HasShift: Pan(0, -PanShare); return;
            case Key.Left when !view.IsSideBySide: MoveSplit(-SplitStep, now); return;
            case Key.Right when !view.IsSideBySide: MoveSplit(SplitStep, now); return;
            case Key.Up: TurnStrength(StrengthStep, now); return;
            case Key.Down: TurnStrength(-StrengthStep, now); return;
            case Key.PageUp: ZoomAboutMiddle(ZoomStep); return;
            case Key.PageDown: ZoomAboutMiddle(1 / ZoomStep); return;
        }
        if (input.Kind == InputKind.KeyRepeat || input.HasControl || input.HasAltOrSuper) return;

        switch (input.Key)
        {
            case Key.Escape when view.ShowsHelp: view.ShowsHelp = false; break;
            case Key.Escape when view.IsFullscreen: view.IsFullscreen = false; break;
            case Key.Escape or Key.Q: IsClosing = true; break;
            case Key.F or Key.F11: view.IsFullscreen = !view.IsFullscreen; break;
            case Key.Space: view.IsFrozen = !view.IsFrozen; break;
            case Key.O: view.ShowsLeftOnly = true; break;
            case Key.B: view.IsSideBySide = !view.IsSideBySide; break;
            case Key.I or Key.Tab: view.ShowsStatus = !view.ShowsStatus; break;
            case Key.H or Key.F1: view.ShowsHelp = !view.ShowsHelp; break;
            case Key.Z or Key.D0 or Key.Home: ZoomAboutMiddle(0); break;
            case Key.D1: ZoomAboutMiddle(1 / geometry.Scale); break;
            case Key.D2: ZoomAboutMiddle(2 / geometry.Scale); break;
            case Key.D4: ZoomAboutMiddle(4 / geometry.Scale); break;
            case Key.P: _requests.Enqueue(PreviewRequest.TogglePause); break;
            case Key.S: _requests.Enqueue(PreviewRequest.Snapshot); break;
            case Key.R: _requests.Enqueue(PreviewRequest.ToggleRecording); break;
            case Key.M: _requests.Enqueue(input.HasShift ? PreviewRequest.PreviousModel : PreviewRequest.NextModel); break;
            case Key.C: _requests.Enqueue(input.HasShift ? PreviewRequest.PreviousCompared : PreviewRequest.NextCompared); break;
            case Key.D: _requests.Enqueue(PreviewRequest.NextDevice); break;
        }

        void ZoomAboutMiddle(double factor) => geometry.ZoomAbout(factor, geometry.ViewWidth / 2.0, geometry.ViewHeight / 2.0).CopyTo(view);

        void Pan(double shareOfWidth, double shareOfHeight) => geometry.PanBy(shareOfWidth * geometry.ViewWidth, shareOfHeight * surface.ViewHeight).CopyTo(view);
    }

    private void Type(char character, long now)
    {
        switch (character)
        {
            case '+' or '=': TurnStrength(StrengthStep, now); break;    // '=' is '+' without shift on many keyboards
            case '-': TurnStrength(-StrengthStep, now); break;
            case '?': view.ShowsHelp = !view.ShowsHelp; break;
        }
    }

    private void Move(double x, double y, ControlSurface surface, long now)
    {
        double dx = x - _mouseX, dy = y - _mouseY;
        (_mouseX, _mouseY, _lastActivity) = (x, y, now);
        switch (_drag)
        {
            case Drag.Split: view.Split = Geometry(surface).SplitAt(x); break;
            case Drag.Slider: view.Strength = StrengthAt(x, surface); break;
            case Drag.Picture: Geometry(surface).PanBy(dx, dy).CopyTo(view); break;
        }
    }

    private void TakeHold(ControlSurface surface, long now)
    {
        _drag = Meets(surface);
        _lastActivity = now;
        if (_drag == Drag.Slider) view.Strength = StrengthAt(_mouseX, surface);
        if (_drag != Drag.Picture)
        {
            _lastClick = null;
            return;
        }
        double reach = DoubleClickReach * surface.ContentScale;
        bool isSecond = _lastClick is { } last && Stopwatch.GetElapsedTime(last.At, now) <= DoubleClickTime && Math.Abs(last.X - _mouseX) <= reach && Math.Abs(last.Y - _mouseY) <= reach;
        _lastClick = isSecond ? null : (now, _mouseX, _mouseY);
        if (!isSecond) return;
        view.IsFullscreen = !view.IsFullscreen;
        _drag = Drag.None;
    }

    /// <summary>What the mouse is over.</summary>
    private Drag Meets(ControlSurface surface)
    {
        if (surface.Slider.Contains(_mouseX, _mouseY)) return Drag.Slider;
        PictureGeometry geometry = Geometry(surface);
        bool isAtSplit = !view.ShowsLeftOnly && !geometry.IsSideBySide && Math.Abs(_mouseX - geometry.SplitColumn(view.Split)) <= SplitReach * surface.ContentScale
            && _mouseY >= geometry.Visible.Y && _mouseY < geometry.Visible.Bottom;
        return isAtSplit ? Drag.Split : Drag.Picture;
    }

    private static double StrengthAt(double x, ControlSurface surface) => Math.Clamp((x - surface.SliderTrack.X) / surface.SliderTrack.Width, 0, 1);

    private void TurnStrength(double by, long now)
    {
        // Whole steps: 0.05 has no exact double, and 19 of them should still read 95 %.
        view.Strength = Math.Round(view.Strength + by, 3);
        _lastActivity = now;
    }

    private void MoveSplit(double by, long now)
    {
        view.Split = Math.Round(view.Split + by, 4);
        _lastActivity = now;
    }
}
