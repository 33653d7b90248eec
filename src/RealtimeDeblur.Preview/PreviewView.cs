using System.Text.Json.Serialization;

namespace RealtimeDeblur.Preview;

/// <summary>
/// What the user has turned in the window. What suits the next run as well is written by System.Text.Json, for the caller to keep; the rest (zoom, freeze, help) begins anew.
/// Values outside their range are moved into it, so that a file edited by hand does no harm. Not safe for use by two threads at once.
/// </summary>
public sealed class PreviewView
{
    /// <summary>Largest <see cref="Zoom"/>.</summary>
    public const double MaxZoom = 32;

    /// <summary>Where the left picture ends and the right one, the restored, begins, as a share of the visible part of the picture from its left: 0 shows the right one only, 1 the left one only.</summary>
    public double Split { get; set => field = Limit(value, 0, 1, 0.5); } = 0.5;

    /// <summary>Share of restored detail, 0 to 1; the caller applies it.</summary>
    public double Strength { get; set => field = Limit(value, 0, 1, 1); } = 1;

    /// <summary>Whether both pictures are shown whole, each in its half of the window, instead of one at the split.</summary>
    public bool IsSideBySide { get; set; }

    public bool IsFullscreen { get; set; }

    /// <summary>Whether figures, slider and labels stay on screen; without it slider and labels come with the mouse.</summary>
    public bool ShowsStatus { get; set; } = true;

    /// <summary>Width of the window when not full screen, in screen coordinates; 0 when no window was open yet.</summary>
    public int WindowWidth { get; set => field = Math.Max(0, value); }

    /// <summary>Height of the window, see <see cref="WindowWidth"/>.</summary>
    public int WindowHeight { get; set => field = Math.Max(0, value); }

    /// <summary>Magnification, 1 to <see cref="MaxZoom"/>: 1 fits the whole picture into the window.</summary>
    [JsonIgnore]
    public double Zoom { get; set => field = Limit(value, 1, MaxZoom, 1); } = 1;

    /// <summary>Point of the picture that lies in the middle of the window, as a share of its width, 0 to 1.</summary>
    [JsonIgnore]
    public double CenterX { get; set => field = Limit(value, 0, 1, 0.5); } = 0.5;

    /// <summary>The same from the top.</summary>
    [JsonIgnore]
    public double CenterY { get; set => field = Limit(value, 0, 1, 0.5); } = 0.5;

    /// <summary>Whether the pictures on screen stay, whatever comes.</summary>
    [JsonIgnore]
    public bool IsFrozen { get; set; }

    /// <summary>Whether the left picture fills the window, as long as the user holds the key.</summary>
    [JsonIgnore]
    public bool ShowsLeftOnly { get; set; }

    [JsonIgnore]
    public bool ShowsHelp { get; set; }

    private static double Limit(double value, double min, double max, double otherwise) => double.IsNaN(value) ? otherwise : Math.Clamp(value, min, max);
}
