using System.Diagnostics;
using System.Globalization;
using RealtimeDeblur.Imaging;
using RealtimeDeblur.Preview;
using Xunit;

namespace RealtimeDeblur.Tests.Preview;

/// <summary>A window that shows <see cref="TestPattern"/>, and xdotool at its keyboard and mouse. Stands at the top left of the screen, so that both count alike.</summary>
internal sealed class PreviewSession : IDisposable
{
    private static readonly TimeSpan LongestWait = TimeSpan.FromSeconds(10);

    public PreviewSession(int width = 640, int height = 480, int pictureWidth = 640, int pictureHeight = 480, PreviewView? view = null, PreviewStatus? status = null, bool withPicture = true)
    {
        Window = new("preview under test", width, height, view ?? new());
        Status = status ?? new();
        if (withPicture) Show(pictureWidth, pictureHeight);
        // Keys go to the window under the mouse; here it meets neither split nor slider.
        Xdotool($"mousemove 25 {height - 80}");
        Step();
        Step();
    }

    public PreviewWindow Window { get; }
    public PreviewView View => Window.View;
    public PreviewStatus Status { get; set; }
    public List<PreviewRequest> Requests { get; } = [];

    /// <summary>Where the picture lies.</summary>
    public PictureGeometry Geometry => PictureGeometry.Of(View, Window.Surface.ViewWidth, Window.Surface.ViewHeight, Window.Surface.PictureWidth, Window.Surface.PictureHeight);

    /// <summary>Shows the pair, or the other way round, in a size.</summary>
    public void Show(int pictureWidth, int pictureHeight, bool exchanged = false)
    {
        using Frame original = TestPattern.Make(pictureWidth, pictureHeight, isRestored: exchanged);
        using Frame restored = TestPattern.Make(pictureWidth, pictureHeight, isRestored: !exchanged);
        Window.Show(original, restored);
    }

    /// <summary>Lets xdotool do something, and the window react to it.</summary>
    /// <param name="arguments">As xdotool takes them; its commands can follow one another.</param>
    /// <param name="until">What must become true.</param>
    public void Do(string arguments, Func<bool> until)
    {
        Xdotool(arguments);
        WaitUntil(until, $"xdotool {arguments}");
    }

    /// <summary>Waits until the mouse has rested for so long that slider and labels are gone.</summary>
    public void WaitUntilBare() => WaitUntil(() => Find("slider") is null, "the mouse at rest");

    private void WaitUntil(Func<bool> condition, string cause)
    {
        Stopwatch watch = Stopwatch.StartNew();
        while (!condition())
        {
            Assert.True(watch.Elapsed < LongestWait, $"{cause}: nothing of it is seen after {LongestWait.TotalSeconds} s. {System.Text.Json.JsonSerializer.Serialize(View)}");
            Step();
        }
        Step();
    }

    /// <summary>The caller's loop once.</summary>
    public void Step()
    {
        Window.WaitEvents(TimeSpan.FromMilliseconds(20));
        while (Window.TryTakeRequest(out PreviewRequest request)) Requests.Add(request);
        Window.Draw(Status);
    }

    /// <summary>What is on screen.</summary>
    public ScreenPicture Read()
    {
        byte[] rgb = Window.ReadPixels(out int width, out int height);
        return new(rgb, width, height);
    }

    /// <summary>Where an overlay lies; null when it is not on screen.</summary>
    public PixelRect? Find(string overlay) => Window.Overlays.Where(placed => placed.Name == overlay).Select(placed => (PixelRect?)placed.Place).SingleOrDefault();

    public void Dispose() => Window.Dispose();

    private static void Xdotool(string arguments)
    {
        using Process process = Process.Start(new ProcessStartInfo("xdotool", arguments) { RedirectStandardError = true })!;
        string errors = process.StandardError.ReadToEnd();
        process.WaitForExit();
        Assert.True(process.ExitCode == 0, string.Create(CultureInfo.InvariantCulture, $"xdotool {arguments} ended with {process.ExitCode}: {errors}"));
    }
}
