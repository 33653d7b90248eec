using RealtimeDeblur.Preview;
using RealtimeDeblur.Preview.Drawing;
using Xunit;

namespace RealtimeDeblur.Tests.Preview;

/// <summary>The window on a screen in memory, in processes of its own: GLFW finds its screen in the environment, once per process.</summary>
public sealed class PreviewWindowTests
{
    [Fact]
    public void Window_OnAScreen_DoesWhatItsTestsSay()
    {
        using XvfbDisplay display = XvfbDisplay.StartOrSkip();
        ChildProcess.RunExplicitTests(typeof(PreviewWindowOnXvfb), display.Environment, timeoutSeconds: 120);
    }

    [Fact]
    public void Window_WithoutScreen_SaysWhatToDo() =>
        ChildProcess.RunExplicitTests(typeof(PreviewWindowWithoutScreen), new Dictionary<string, string> { ["DISPLAY"] = "", ["WAYLAND_DISPLAY"] = "" }, timeoutSeconds: 60);

    [Fact]
    public void Window_OldOpenGl_SaysWhatToDo()
    {
        using XvfbDisplay display = XvfbDisplay.StartOrSkip();
        display.Environment["MESA_GL_VERSION_OVERRIDE"] = "2.1";
        ChildProcess.RunExplicitTests(typeof(PreviewWindowOnOldOpenGl), display.Environment, timeoutSeconds: 60);
    }

    [Theory]
    [InlineData(1)]
    [InlineData(5)]     // shorter than a vector reads
    [InlineData(6)]
    [InlineData(64)]
    [InlineData(1001)]
    public void AddAlpha_AnyLength_KeepsColoursAndIsOpaque(int pixels)
    {
        byte[] bgr = new byte[3 * pixels], bgra = new byte[4 * pixels];
        new Random(1).NextBytes(bgr);
        PictureTextures.AddAlpha(bgr, bgra);
        for (int i = 0; i < pixels; i++) Assert.Equal([bgr[3 * i], bgr[3 * i + 1], bgr[3 * i + 2], 255], bgra[(4 * i)..(4 * i + 4)]);
    }
}

/// <summary>What <see cref="PreviewWindowTests"/> runs where there is no screen.</summary>
public sealed class PreviewWindowWithoutScreen
{
    [Fact(Explicit = true)]
    public void Open_NoDisplay_NamesTheVariableAndWhatToDo()
    {
        for (int i = 0; i < 2; i++)
        {
            PreviewException e = Assert.Throws<PreviewException>(() => new PreviewWindow("none", 640, 480, new()));
            Assert.Contains("DISPLAY is not set", e.Message, StringComparison.Ordinal);
            Assert.Contains("graphical session", e.Message, StringComparison.Ordinal);
        }
    }
}

/// <summary>What <see cref="PreviewWindowTests"/> runs where OpenGL is too old.</summary>
public sealed class PreviewWindowOnOldOpenGl
{
    [Fact(Explicit = true)]
    public void Open_OpenGl21_NamesWhatIsNeededAndThePackages()
    {
        PreviewException e = Assert.Throws<PreviewException>(() => new PreviewWindow("old", 640, 480, new()));
        Assert.Contains("OpenGL 3.3", e.Message, StringComparison.Ordinal);
        Assert.Contains("libgl1-mesa-dri", e.Message, StringComparison.Ordinal);
    }
}
