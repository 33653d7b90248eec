using System.Diagnostics;
using RealtimeDeblur.Imaging;
using RealtimeDeblur.Preview;
using Xunit;

namespace RealtimeDeblur.Tests.Preview;

/// <summary>What <see cref="PreviewWindowTests"/> runs on a screen in memory. Every test opens a window of its own, one after another.</summary>
public sealed class PreviewWindowOnXvfb
{
    private const string Message = "camera 0 was unplugged; waiting for it";
    private static readonly string BuildErrors = string.Join('\n', Enumerable.Range(1, 40).Select(line => $"conv/conv2d_3x3.cl:{line}:17: error: use of undeclared identifier 'TILE_PIXELS' in a line that is too long for a small window"));

    private static readonly PreviewStatus Figures = new()
    {
        Source = "camera 0", Width = 640, Height = 480, Model = "fast-camera", Device = "a device with a name that is too long for the panel",
        FramesPerSecond = 29.97, Latency = new(34.2, 50.4), Wait = new(0.1, 5), Restore = new(24.6, 31.2), HandOver = new(0.2, 1), Present = new(8.4, 13.1), Dropped = 12, Sigma = 1.62f,
    };

    private static PreviewView Bare => new() { ShowsStatus = false };

    [Fact(Explicit = true)]
    public void Picture_InItsOwnSize_IsShownPixelForPixel()
    {
        using PreviewSession session = new(view: new() { Split = 0, ShowsStatus = false });
        session.WaitUntilBare();
        ScreenPicture screen = session.Read();
        for (int y = 0; y < 480; y++)
        {
            // The line at the left edge covers two columns.
            for (int x = 2; x < 640; x++) Assert.Equal(TestPattern.ColorAt(x, y, 640, 480, isRestored: true), screen[x, y]);
        }
    }

    [Theory(Explicit = true)]
    [InlineData("split", 640, 480, 640, 480)]
    [InlineData("zoomed", 640, 480, 640, 480)]
    [InlineData("status", 640, 480, 640, 480)]
    [InlineData("help", 640, 480, 640, 480)]
    [InlineData("message", 640, 480, 640, 480)]
    [InlineData("errors", 640, 480, 640, 480)]
    [InlineData("badges", 800, 450, 640, 480)]
    [InlineData("portrait", 800, 450, 180, 320)]
    [InlineData("compared", 640, 480, 640, 480)]
    [InlineData("side-by-side", 801, 450, 640, 480)]
    [InlineData("waiting", 640, 480, 0, 0)]
    public void KeyFrame_Drawn_LooksLikeItsGoldenPicture(string name, int width, int height, int pictureWidth, int pictureHeight)
    {
        PreviewStatus status = name switch
        {
            "message" => Figures with { Message = Message },
            "errors" => Figures with { Message = BuildErrors },
            "badges" => Figures with { IsRecording = true, IsPaused = true, IsSharp = true, IsRestored = false },
            "compared" => Figures with { Compared = "wiener:ratio=0.01" },
            "side-by-side" => Figures with { Compared = "van-cittert", IsModelAutomatic = true },
            "waiting" => new() { Source = "camera 0", Message = "Opening camera 0 ..." },
            _ => Figures,
        };
        PreviewView view = new() { ShowsStatus = name != "split", ShowsHelp = name == "help", Strength = 0.7 };
        if (name is "zoomed") (view.Zoom, view.CenterX, view.CenterY, view.Split) = (4, 0.7, 0.2, 0.3);
        if (name is "side-by-side") (view.IsSideBySide, view.Zoom) = (true, 2);
        if (name is "badges") (view.Zoom, view.IsFrozen) = (1.5, true);
        using PreviewSession session = new(width, height, pictureWidth, pictureHeight, view, status, withPicture: pictureWidth > 0);
        if (name == "split") session.WaitUntilBare();
        session.Read().AssertGolden(name);
    }

    [Theory(Explicit = true)]
    [InlineData(400, 300)]
    [InlineData(640, 480)]
    [InlineData(700, 300)]
    [InlineData(1920, 1080)]
    public void Overlays_AnySize_StayInsideAndDoNotCoverEachOther(int width, int height)
    {
        using PreviewSession session = new(width, height, view: new() { Zoom = 2, IsFrozen = true });
        foreach (string? message in (string?[])[null, Message, BuildErrors])
        {
            foreach (double? split in (double?[])[0, 0.2, 0.5, 1, null])
            {
                session.View.IsSideBySide = split is null;
                session.View.Split = split ?? 0.5;
                session.Status = Figures with { Compared = "wiener:ratio=0.01", Message = message, IsPaused = true, IsRecording = true };
                session.Step();
                (string Name, PixelRect Place)[] placed = [.. session.Window.Overlays.Where(panel => panel.Name != "line")];
                Assert.Contains(placed, panel => panel.Name == "slider");
                Assert.True(message is null || placed.Any(panel => panel.Name == "message"));
                for (int i = 0; i < placed.Length; i++)
                {
                    Assert.True(placed[i].Name == "handle" || placed[i].Place.Intersect(new(0, 0, width, height)) == placed[i].Place, $"{placed[i]} reaches out of {width}x{height}");
                    for (int j = 0; j < i; j++) Assert.False(placed[i].Place.Overlaps(placed[j].Place), $"{placed[i]} covers {placed[j]}");
                }
            }
        }
    }

    [Fact(Explicit = true)]
    public void Split_Dragged_IsWhereTheMousePutIt()
    {
        using PreviewSession session = new(view: Bare);
        session.Do("mousemove 320 200 mousedown 1 mousemove 300 210 mousemove 213 190 mouseup 1", () => session.Geometry.SplitColumn(session.View.Split) == 213);
        ScreenPicture screen = session.Read();
        Assert.Equal(TestPattern.ColorAt(210, 100, 640, 480, isRestored: false), screen[210, 100]);
        Assert.Equal(TestPattern.ColorAt(216, 100, 640, 480, isRestored: true), screen[216, 100]);
        Assert.Equal(((byte)255, (byte)255, (byte)255), screen[213, 100]);
        Assert.Equal(((byte)255, (byte)255, (byte)255), screen[212, 100]);
        session.Do("mousemove 100 100", () => true);
        Assert.Equal(213, session.Geometry.SplitColumn(session.View.Split));     // it was let go
    }

    [Fact(Explicit = true)]
    public void WheelWithControl_OverAPoint_ZoomsAboutIt()
    {
        using PreviewSession session = new(view: Bare);
        session.Do("mousemove 450 130", () => true);
        (double X, double Y) before = session.Geometry.ToPicture(450, 130);
        session.Do("keydown ctrl click 4 click 4 click 4 click 4 click 4 click 4 keyup ctrl", () => session.View.Zoom > 3.8);
        Assert.Equal(1, session.View.Strength);
        (double X, double Y) after = session.Geometry.ToPicture(450, 130);
        Assert.Equal(before.X, after.X, 0.2);
        Assert.Equal(before.Y, after.Y, 0.2);
        // Above three times pixels are shown as they are.
        Assert.Equal(TestPattern.ColorAt((int)session.Geometry.ToPicture(450.5, 0).X, (int)session.Geometry.ToPicture(0, 130.5).Y, 640, 480, isRestored: true), session.Read()[450, 130]);
    }

    [Fact(Explicit = true)]
    public void Wheel_Alone_TurnsTheStrength()
    {
        using PreviewSession session = new(view: new() { Strength = 0.5 });
        session.Do("click 4 click 4", () => session.View.Strength == 0.6);
        session.Do("click 5", () => session.View.Strength == 0.55);
        Assert.Equal(1, session.View.Zoom);
    }

    [Fact(Explicit = true)]
    public void Drag_Zoomed_MovesThePictureWithTheMouse()
    {
        using PreviewSession session = new(view: new() { Zoom = 4, ShowsStatus = false });
        (double X, double Y) before = session.Geometry.ToPicture(100, 100);
        session.Do("mousemove 100 100 mousedown 1 mousemove 130 90 mousemove 160 80 mouseup 1", () => session.View.CenterX < 0.5);
        (double X, double Y) after = session.Geometry.ToPicture(160, 80);
        Assert.Equal(before.X, after.X, 0.2);
        Assert.Equal(before.Y, after.Y, 0.2);
    }

    [Fact(Explicit = true)]
    public void Slider_ClickedAndDragged_TurnsTheStrength()
    {
        using PreviewSession session = new();
        PixelRect track = session.Window.Surface.SliderTrack;
        int left = (int)track.X, right = (int)track.Right, y = (int)(track.Y + 2);
        session.Do($"mousemove {left + (right - left) / 4} {y} mousedown 1", () => Math.Abs(session.View.Strength - 0.25) < 0.01);
        session.Do($"mousemove {left + (right - left) / 2} {y - 60} mouseup 1", () => Math.Abs(session.View.Strength - 0.5) < 0.01);
        Assert.Equal(0.5, session.View.Split);
    }

    [Fact(Explicit = true)]
    public void SliderAndLabels_MouseAtRest_HideAndComeBack()
    {
        using PreviewSession session = new(view: Bare);
        session.Do("mousemove 100 100", () => session.Find("slider") is not null && session.Find("right label") is not null);
        Stopwatch watch = Stopwatch.StartNew();
        session.Do("mousemove 101 100", () => session.Find("slider") is null);
        Assert.InRange(watch.Elapsed.TotalSeconds, 2.4, 8);
        Assert.Null(session.Find("right label"));
        session.Do("mousemove 100 101", () => session.Find("slider") is not null);
    }

    [Theory(Explicit = true)]
    [InlineData("Up", nameof(PreviewView.Strength), 0.55)]
    [InlineData("Down", nameof(PreviewView.Strength), 0.45)]
    [InlineData("plus", nameof(PreviewView.Strength), 0.55)]
    [InlineData("KP_Add", nameof(PreviewView.Strength), 0.55)]
    [InlineData("minus", nameof(PreviewView.Strength), 0.45)]
    [InlineData("Left", nameof(PreviewView.Split), 0.48)]
    [InlineData("Right", nameof(PreviewView.Split), 0.52)]
    [InlineData("Prior", nameof(PreviewView.Zoom), 2.5)]
    [InlineData("Next", nameof(PreviewView.Zoom), 1.6)]
    [InlineData("z", nameof(PreviewView.Zoom), 1.0)]
    [InlineData("0", nameof(PreviewView.Zoom), 1.0)]
    [InlineData("Home", nameof(PreviewView.Zoom), 1.0)]
    [InlineData("4", nameof(PreviewView.Zoom), 4.0)]
    [InlineData("1", nameof(PreviewView.Zoom), 1.0)]
    [InlineData("shift+Left", nameof(PreviewView.CenterX), 0.45)]
    [InlineData("shift+Right", nameof(PreviewView.CenterX), 0.55)]
    [InlineData("shift+Up", nameof(PreviewView.CenterY), 0.45)]
    [InlineData("shift+Down", nameof(PreviewView.CenterY), 0.55)]
    [InlineData("space", nameof(PreviewView.IsFrozen), true)]
    [InlineData("b", nameof(PreviewView.IsSideBySide), true)]
    [InlineData("i", nameof(PreviewView.ShowsStatus), false)]
    [InlineData("Tab", nameof(PreviewView.ShowsStatus), false)]
    [InlineData("h", nameof(PreviewView.ShowsHelp), true)]
    [InlineData("F1", nameof(PreviewView.ShowsHelp), true)]
    [InlineData("question", nameof(PreviewView.ShowsHelp), true)]
    [InlineData("f", nameof(PreviewView.IsFullscreen), true)]
    [InlineData("F11", nameof(PreviewView.IsFullscreen), true)]
    public void Key_Pressed_ChangesTheView(string key, string property, object value)
    {
        using PreviewSession session = new(view: new() { Strength = 0.5, Zoom = 2 });
        session.Do($"key {key}", () => Equals(typeof(PreviewView).GetProperty(property)!.GetValue(session.View) is var now && now is double number ? Math.Round(number, 6) : now, value));
        Assert.Empty(session.Requests);
    }

    [Theory(Explicit = true)]
    [InlineData("p", PreviewRequest.TogglePause)]
    [InlineData("s", PreviewRequest.Snapshot)]
    [InlineData("r", PreviewRequest.ToggleRecording)]
    [InlineData("m", PreviewRequest.NextModel)]
    [InlineData("shift+m", PreviewRequest.PreviousModel)]
    [InlineData("c", PreviewRequest.NextCompared)]
    [InlineData("shift+c", PreviewRequest.PreviousCompared)]
    [InlineData("d", PreviewRequest.NextDevice)]
    public void Key_OfTheCaller_BecomesARequest(string key, PreviewRequest request)
    {
        using PreviewSession session = new();
        session.Do($"key {key}", () => session.Requests.Count > 0);
        Assert.Equal([request], session.Requests);
    }

    [Theory(Explicit = true)]
    [InlineData("q")]
    [InlineData("Escape")]
    public void Key_OfTheEnd_Closes(string key)
    {
        using PreviewSession session = new();
        session.Do($"key {key}", () => session.Window.IsClosing);
    }

    [Theory(Explicit = true)]
    [InlineData("keydown o", "keyup o")]
    [InlineData("mousedown 3", "mouseup 3")]
    public void Original_HeldDown_FillsTheWindowUntilReleased(string press, string release)
    {
        using PreviewSession session = new(view: Bare);
        (int x, int y) = (600, 300);
        Assert.Equal(TestPattern.ColorAt(x, y, 640, 480, isRestored: true), session.Read()[x, y]);
        session.Do(press, () => session.View.ShowsLeftOnly);
        Assert.Equal(TestPattern.ColorAt(x, y, 640, 480, isRestored: false), session.Read()[x, y]);
        session.Do(release, () => !session.View.ShowsLeftOnly);
        Assert.Equal(TestPattern.ColorAt(x, y, 640, 480, isRestored: true), session.Read()[x, y]);
    }

    [Fact(Explicit = true)]
    public void SideBySide_TwicePictureWidth_ShowsBothPixelForPixel()
    {
        using PreviewSession session = new(640, 480, 320, 480, Bare);
        session.Do("key b", () => session.View.IsSideBySide);
        session.WaitUntilBare();
        ScreenPicture screen = session.Read();
        for (int y = 0; y < 480; y++)
        {
            // The line in the middle covers the columns beside it.
            for (int x = 0; x < 318; x++) Assert.Equal(TestPattern.ColorAt(x, y, 320, 480, isRestored: false), screen[x, y]);
            for (int x = 2; x < 320; x++) Assert.Equal(TestPattern.ColorAt(x, y, 320, 480, isRestored: true), screen[320 + x, y]);
        }
        session.Do("keydown o", () => session.View.ShowsLeftOnly);
        Assert.Equal(new PixelRect(160, 0, 320, 480), session.Geometry.Visible);
        Assert.Equal(TestPattern.ColorAt(300, 100, 320, 480, isRestored: false), session.Read()[460, 100]);
        session.Do("keyup o key b", () => !session.View.IsSideBySide);
    }

    [Fact(Explicit = true)]
    public void Fullscreen_ThereAndBack_FillsTheScreenAndKeepsTheWindowsSize()
    {
        using PreviewSession session = new(view: Bare);
        session.Do("key f", () => session.Window.Surface.ViewWidth == 1600 && session.Window.Surface.ViewHeight == 1000);
        Assert.Equal((640, 480), (session.View.WindowWidth, session.View.WindowHeight));
        // 640x480 in 1600x1000: 1333 columns in the middle.
        Assert.Equal(1000 * 640 / 480.0, session.Geometry.Visible.Width, 1.0);
        session.Do("key Escape", () => session.Window.Surface.ViewWidth == 640);
        Assert.Equal((false, false, 480), (session.View.IsFullscreen, session.Window.IsClosing, session.Window.Surface.ViewHeight));
        session.Do("mousemove 100 100 click 1 click 1", () => session.View.IsFullscreen);
    }

    [Fact(Explicit = true)]
    public void Fullscreen_Remembered_IsFromTheStart()
    {
        using PreviewSession session = new(view: new() { IsFullscreen = true, WindowWidth = 500, WindowHeight = 400 });
        session.Do("mousemove 100 100", () => session.Window.Surface.ViewWidth == 1600);
        session.Do("key f", () => session.Window.Surface.ViewWidth == 500 && session.Window.Surface.ViewHeight == 400);
    }

    [Fact(Explicit = true)]
    public void Resize_AnyShape_KeepsTheAspect()
    {
        using PreviewSession session = new(view: Bare);
        session.Do("search --name \"preview under test\" windowsize 900 480", () => session.Window.Surface.ViewWidth == 900);
        Assert.Equal((900, 480), (session.View.WindowWidth, session.View.WindowHeight));
        Assert.Equal(new PixelRect(130, 0, 640, 480), session.Geometry.Visible);
        ScreenPicture screen = session.Read();
        Assert.Equal(TestPattern.ColorAt(10, 20, 640, 480, isRestored: false), screen[140, 20]);
        Assert.Equal(TestPattern.ColorAt(630, 470, 640, 480, isRestored: true), screen[760, 470]);
        Assert.Equal(screen[0, 0], screen[128, 240]);       // bars
        Assert.Equal(screen[0, 0], screen[771, 240]);
    }

    [Fact(Explicit = true)]
    public void Show_WhileFrozen_ChangesNothingUntilItGoesOn()
    {
        using PreviewSession session = new(view: Bare);
        session.Do("key space", () => session.View.IsFrozen);
        session.Show(640, 480, exchanged: true);
        session.Step();
        Assert.Equal(TestPattern.ColorAt(600, 300, 640, 480, isRestored: true), session.Read()[600, 300]);
        session.Do("key space", () => !session.View.IsFrozen);
        session.Show(640, 480, exchanged: true);
        session.Step();
        Assert.Equal(TestPattern.ColorAt(600, 300, 640, 480, isRestored: false), session.Read()[600, 300]);
    }

    [Fact(Explicit = true)]
    public void Show_OtherSizes_FitsEachOfThem()
    {
        using PreviewSession session = new(view: Bare);
        foreach ((int width, int height) in ((int, int)[])[(1280, 720), (33, 17), (1, 1), (641, 479)])
        {
            session.Show(width, height);
            session.Step();
            Assert.Equal((double)width / height, session.Geometry.Visible.Width / session.Geometry.Visible.Height, 0.01 * width / height);
            // A point of the restored side, clear of line, labels and edges.
            PixelRect visible = session.Geometry.Visible;
            (int x, int y) = ((int)(visible.X + 0.6 * visible.Width), (int)(visible.Y + 0.25 * visible.Height));
            (double pictureX, double pictureY) = session.Geometry.ToPicture(x + 0.5, y + 0.5);
            (byte R, byte G, byte B) expected = TestPattern.ColorAt((int)pictureX, (int)pictureY, width, height, isRestored: true), actual = session.Read()[x, y];
            Assert.True(Math.Abs(expected.R - actual.R) <= 6 && Math.Abs(expected.G - actual.G) <= 6, $"{width}x{height}: {actual} instead of {expected}");
        }
    }

    [Fact(Explicit = true)]
    public void Show_LargerThanTheWindow_LeavesOutNoPixel()
    {
        // Every fourth column is white: a quarter of the size is a quarter of white, or stripes where pixels are left out.
        using Frame stripes = new(new(PixelFormat.Bgr24, 2560, 1920));
        for (int i = 0; i < stripes.Data.Length; i++) stripes.Data[i] = (byte)(i / 3 % 4 == 1 ? 255 : 0);
        using PreviewSession session = new(view: Bare);
        session.Window.Show(stripes, stripes);
        session.Step();
        ScreenPicture screen = session.Read();
        for (int x = 20; x < 300; x++) Assert.InRange(screen[x, 100].G, 50, 80);
    }

    [Fact(Explicit = true)]
    public void Show_WrongFrames_SaysWhich()
    {
        using PreviewSession session = new();
        using Frame good = new(new(PixelFormat.Bgr24, 8, 8)), small = new(new(PixelFormat.Bgr24, 8, 4)), yuv = new(new(PixelFormat.Yuv420P8, 8, 8));
        Assert.Contains("Yuv420P8", Assert.Throws<ArgumentException>(() => session.Window.Show(yuv, yuv)).Message, StringComparison.Ordinal);
        Assert.Throws<ArgumentException>(() => session.Window.Show(good, small));
    }

    [Fact(Explicit = true)]
    public void Draw_NothingChanged_DrawsNothing()
    {
        using PreviewSession session = new(status: Figures);
        for (int i = 0; i < 5; i++) session.Step();
        long before = session.Window.TimesDrawn;
        for (int i = 0; i < 5; i++) session.Window.Draw(Figures with { });      // another object with the same text
        Assert.Equal(before, session.Window.TimesDrawn);
    }

    [Fact(Explicit = true)]
    public void Draw_FiguresChangeAllTheTime_ShowsThemAFewTimesPerSecond()
    {
        using PreviewSession session = new(status: Figures);
        long before = session.Window.TimesDrawn;
        Stopwatch watch = Stopwatch.StartNew();
        for (int i = 0; watch.Elapsed < TimeSpan.FromSeconds(0.9); i++)
        {
            session.Window.Draw(Figures with { Dropped = i });
            Thread.Sleep(5);
        }
        Assert.InRange(session.Window.TimesDrawn - before, 1, 5);
        session.Window.Draw(Figures with { Message = Message });
        Assert.NotNull(session.Find("message"));        // at once
    }

    [Fact(Explicit = true)]
    public void Wake_FromAnotherThread_EndsTheWait()
    {
        PreviewSession session = new();
        Stopwatch watch = Stopwatch.StartNew();
        Thread waker = new(() =>
        {
            Thread.Sleep(100);
            for (int i = 0; i < 10; i++)
            {
                session.Window.Wake();
                Thread.Sleep(20);
            }
        });
        waker.Start();
        // More than once: events of the new window itself come too.
        for (int i = 0; i < 4; i++) session.Window.WaitEvents(TimeSpan.FromSeconds(10));
        Assert.InRange(watch.Elapsed.TotalSeconds, 0, 8);
        session.Dispose();
        waker.Join();
        session.Window.Wake();
    }

    [Fact(Explicit = true)]
    public void Screen_OfHighResolution_GetsLargerText()
    {
        using XResources resources = new("Xft.dpi:\t192\n");
        using PreviewSession session = new(640, 480, status: Figures with { Message = Message });
        Assert.Equal((1280, 960), (session.Window.Surface.ViewWidth, session.Window.Surface.ViewHeight));
        Assert.Equal(2, session.Window.Surface.ContentScale);
        Assert.Equal(600, session.Find("status")!.Value.Width);
        session.Do("mousemove 655 300 mousedown 1 mousemove 500 300 mouseup 1", () => session.Geometry.SplitColumn(session.View.Split) == 500);
        session.View.Split = 0.5;
        session.Step();
        session.Read().AssertGolden("high-resolution");
    }

    [Fact(Explicit = true)]
    public void Members_AfterDisposal_Throw()
    {
        PreviewSession session = new();
        session.Dispose();
        session.Dispose();
        Assert.Throws<ObjectDisposedException>(() => session.Window.WaitEvents(TimeSpan.Zero));
        Assert.Throws<ObjectDisposedException>(() => session.Window.Draw(Figures));
        Assert.Throws<ObjectDisposedException>(() => session.Window.ReadPixels(out _, out _));
    }

    [Fact(Explicit = true)]
    public void ReadPixels_NothingDrawn_SaysSo()
    {
        using PreviewWindow window = new("empty", 640, 480, new());
        Assert.Throws<InvalidOperationException>(() => window.ReadPixels(out _, out _));
    }
}
