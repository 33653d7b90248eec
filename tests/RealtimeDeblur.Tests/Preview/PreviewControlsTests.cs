using System.Diagnostics;
using RealtimeDeblur.Preview;
using RealtimeDeblur.Preview.Glfw;
using Xunit;

namespace RealtimeDeblur.Tests.Preview;

/// <summary>Keys and mouse without a window; <see cref="PreviewWindowOnXvfb"/> tries them on a real one.</summary>
public sealed class PreviewControlsTests
{
    private static readonly ControlSurface Surface = new(640, 480, 640, 480, 1, new(170, 432, 300, 36), new(252, 448, 150, 4));

    private readonly PreviewView _view = new();
    private readonly PreviewControls _controls;
    private long _now = 1;

    public PreviewControlsTests() => _controls = new(_view);

    [Fact]
    public void DoubleClick_OnThePicture_IsFullscreenAndBack()
    {
        MoveTo(100, 100);
        Click();
        Click();
        Assert.True(_view.IsFullscreen);
        Click();
        Assert.True(_view.IsFullscreen);    // a third click is no second one
        Click();
        Assert.False(_view.IsFullscreen);
    }

    [Fact]
    public void TwoClicks_SlowOrApartOrOnTheSplit_AreNoDoubleClick()
    {
        MoveTo(100, 100);
        Click();
        Wait(seconds: 0.6);
        Click();
        MoveTo(120, 100);
        Click();
        MoveTo(320, 100);
        Click();
        Click();
        Assert.False(_view.IsFullscreen);
    }

    [Theory]
    [InlineData(329, 200, "HorizontalResize")]
    [InlineData(345, 200, "Arrow")]
    [InlineData(320, 450, "Hand")]      // the slider lies over the line
    public void Pointer_OverThings_SaysWhatCanBeHeld(double x, double y, string shape)
    {
        MoveTo(x, y);
        Assert.Equal(shape, _controls.PointerOver(Surface, _now).ToString());
    }

    [Fact]
    public void Pointer_FullscreenAtRest_IsHiddenUntilItMoves()
    {
        _view.IsFullscreen = true;
        MoveTo(100, 100);
        Assert.Equal(PointerShape.Arrow, _controls.PointerOver(Surface, _now));
        Wait(seconds: 2.6);
        Assert.Equal(PointerShape.Hidden, _controls.PointerOver(Surface, _now));
        MoveTo(101, 100);
        Assert.Equal(PointerShape.Arrow, _controls.PointerOver(Surface, _now));
    }

    [Fact]
    public void TimeUntilHidden_MouseAtRest_RunsOutUnlessSomethingIsHeld()
    {
        Assert.Equal(TimeSpan.Zero, _controls.TimeUntilHidden(_now));
        MoveTo(320, 100);
        Wait(seconds: 1);
        Assert.Equal(1.5, _controls.TimeUntilHidden(_now).TotalSeconds, 0.01);
        Wait(seconds: 2);
        Assert.Equal(TimeSpan.Zero, _controls.TimeUntilHidden(_now));
        Send(new(InputKind.ButtonDown, GlfwApi.MouseButtonLeft));
        Wait(seconds: 10);
        Assert.True(_controls.TimeUntilHidden(_now) > TimeSpan.Zero);
    }

    [Fact]
    public void FocusLost_WhileKeyHeld_ShowsTheRestoredPictureAgain()
    {
        Send(new(InputKind.KeyDown, (int)Key.O));
        Assert.True(_view.ShowsLeftOnly);
        Send(new(InputKind.FocusLost));
        Assert.False(_view.ShowsLeftOnly);
    }

    [Fact]
    public void SideBySide_WheelOverTheRightPicture_ZoomsBothAboutThePointUnderIt()
    {
        Send(new(InputKind.KeyDown, (int)Key.B));
        Assert.True(_view.IsSideBySide);
        MoveTo(420, 240);
        PictureGeometry before = PictureGeometry.Of(_view, 640, 480, 640, 480);
        for (int i = 0; i < 5; i++) Send(new(InputKind.Wheel, Modifiers: GlfwApi.ModControl, Y: 1));
        PictureGeometry after = PictureGeometry.Of(_view, 640, 480, 640, 480);
        Assert.True(after.Zoom > 3);
        Assert.Equal(before.ToPicture(100, 240).X, after.ToPicture(100, 240).X, 1.0);
        Assert.Equal(before.ToPicture(100, 240).Y, after.ToPicture(100, 240).Y, 1.0);
    }

    [Fact]
    public void SideBySide_MouseAndArrowsAtTheMiddle_LeaveTheSplit()
    {
        _view.IsSideBySide = true;
        MoveTo(320, 200);
        Assert.Equal(PointerShape.Arrow, _controls.PointerOver(Surface, _now));
        Send(new(InputKind.ButtonDown, GlfwApi.MouseButtonLeft));
        MoveTo(100, 200);
        Send(new(InputKind.KeyDown, (int)Key.Left));
        Assert.Equal(0.5, _view.Split);
    }

    [Fact]
    public void Letters_WithControlOrAlt_DoNothing()
    {
        foreach (int modifier in (int[])[GlfwApi.ModControl, GlfwApi.ModAlt, GlfwApi.ModSuper])
        {
            Send(new(InputKind.KeyDown, (int)Key.Q, modifier));
            Send(new(InputKind.KeyDown, (int)Key.S, modifier));
        }
        Assert.False(_controls.IsClosing);
        Assert.False(_controls.TryTakeRequest(out _));
    }

    [Fact]
    public void HeldKey_OfASwitch_SwitchesOnce()
    {
        Send(new(InputKind.KeyDown, (int)Key.Space));
        Send(new(InputKind.KeyRepeat, (int)Key.Space));
        Assert.True(_view.IsFrozen);
    }

    [Fact]
    public void Escape_StepByStep_ClosesHelpThenFullscreenThenTheWindow()
    {
        (_view.ShowsHelp, _view.IsFullscreen) = (true, true);
        Send(new(InputKind.KeyDown, (int)Key.Escape));
        Assert.Equal((false, true, false), (_view.ShowsHelp, _view.IsFullscreen, _controls.IsClosing));
        Send(new(InputKind.KeyDown, (int)Key.Escape));
        Assert.Equal((false, false, false), (_view.ShowsHelp, _view.IsFullscreen, _controls.IsClosing));
        Send(new(InputKind.KeyDown, (int)Key.Escape));
        Assert.True(_controls.IsClosing);
    }

    [Fact]
    public void CloseButton_OfTheWindow_Closes()
    {
        Send(new(InputKind.Close));
        Assert.True(_controls.IsClosing);
    }

    [Fact]
    public void Strength_TurnedUpAndDown_StaysOnWholeStepsAndInRange()
    {
        for (int i = 0; i < 25; i++) Send(new(InputKind.Wheel, Y: -1));
        Assert.Equal(0, _view.Strength);
        for (int i = 0; i < 19; i++) Send(new(InputKind.Wheel, Y: 1));
        Assert.Equal(0.95, _view.Strength);
    }

    [Fact]
    public void Requests_Several_ComeInOrder()
    {
        foreach (Key key in (Key[])[Key.S, Key.M, Key.D]) Send(new(InputKind.KeyDown, (int)key));
        List<PreviewRequest> requests = [];
        while (_controls.TryTakeRequest(out PreviewRequest request)) requests.Add(request);
        Assert.Equal([PreviewRequest.Snapshot, PreviewRequest.NextModel, PreviewRequest.NextDevice], requests);
    }

    private void Send(InputEvent input) => _controls.Handle(input, Surface, _now);

    private void MoveTo(double x, double y) => Send(new(InputKind.MouseMove, X: x, Y: y));

    private void Click()
    {
        Send(new(InputKind.ButtonDown, GlfwApi.MouseButtonLeft));
        Wait(seconds: 0.05);
        Send(new(InputKind.ButtonUp, GlfwApi.MouseButtonLeft));
        Wait(seconds: 0.05);
    }

    private void Wait(double seconds) => _now += (long)(seconds * Stopwatch.Frequency);
}
