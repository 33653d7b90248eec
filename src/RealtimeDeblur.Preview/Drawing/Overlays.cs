using Silk.NET.OpenGL;
using SkiaSharp;

namespace RealtimeDeblur.Preview.Drawing;

/// <summary>
/// Everything that lies over the picture, and where: figures at the top left, badges at the top right, and from the bottom up the slider, the labels at the split and
/// the message. Where a small window has no room for all, the message wins over the figures, and these over the labels.
/// </summary>
internal sealed class Overlays : IDisposable
{
    private const float LongestLine = 900;      // pixels at 96 dpi; longer lines are hard to read
    private const int LinesBesideFigures = 4;   // fewer lines for the message than this, and the figures make room
    private const float SmallestScale = 0.5f;

    private readonly SKTypeface _typeface;
    private readonly Panel<StatusContent> _status;
    private readonly Panel<BadgesContent> _badges;
    private readonly Panel<SliderContent> _slider;
    private readonly Panel<LabelContent> _leftLabel;
    private readonly Panel<LabelContent> _rightLabel;
    private readonly Panel<MessageContent> _message;
    private readonly Panel<HelpContent> _help;
    private readonly Panel<HandleContent> _handle;
    private readonly Panel<LineContent> _line;
    private readonly List<(string Name, uint Texture, PixelRect Place)> _placed = [];
    private PanelStyle _style;
    private PanelStyle? _helpStyle;

    /// <exception cref="PreviewException">There is no font.</exception>
    public Overlays(GL gl)
    {
        string font = FontFile.Find();
        _typeface = SKTypeface.FromFile(font) ?? throw new PreviewException($"{font} is no font that can be read. Install another: sudo apt-get install fonts-dejavu-core");
        _style = new(_typeface, 1);
        (_status, _badges, _slider, _leftLabel, _rightLabel) = (new(gl), new(gl), new(gl), new(gl), new(gl));
        (_message, _help, _handle, _line) = (new(gl), new(gl), new(gl), new(gl));
    }

    /// <summary>Between panels, in pixels.</summary>
    private float Gap => MathF.Round(_style.Px(8));

    /// <summary>Where the slider is; empty when it is not shown.</summary>
    public PixelRect Slider { get; private set; }

    /// <summary>Strength 0 to 1 on it.</summary>
    public PixelRect SliderTrack { get; private set; }

    /// <summary>What is on screen, from back to front.</summary>
    public IEnumerable<(string Name, PixelRect Place)> Placed => _placed.Select(panel => (panel.Name, panel.Place));

    /// <summary>Paints what has changed and places everything.</summary>
    /// <param name="hasPicture">Whether there is anything to split.</param>
    /// <param name="showsControls">Whether slider and labels are on screen.</param>
    public void Update(PreviewView view, PreviewStatus status, PictureGeometry geometry, float contentScale, bool hasPicture, bool showsControls)
    {
        if (contentScale != _style.Scale)
        {
            _style.Dispose();
            _style = new(_typeface, contentScale);
        }
        _placed.Clear();
        Slider = SliderTrack = default;
        bool showsSplit = hasPicture && !view.ShowsLeftOnly;
        if (showsSplit) PlaceLine(view, geometry);
        if (view.ShowsHelp)
        {
            PlaceHelp(geometry);
            return;
        }

        BadgesContent badges = new(status.IsRecording, status.IsPaused, view.IsFrozen, hasPicture && geometry.CanPan ? (int)Math.Round(100 * geometry.Scale) : 0);
        double bottom = geometry.ViewHeight - _style.Padding;
        _slider.Update(new((int)Math.Round(100 * view.Strength)), _style);
        if (showsControls && hasPicture)
        {
            Slider = new(Math.Floor((geometry.WindowWidth - _slider.Size.Width) / 2.0), bottom - _slider.Size.Height, _slider.Size.Width, _slider.Size.Height);
            SliderTrack = SliderContent.TrackOf(Slider, _style);
            _placed.Add(("slider", _slider.Texture, Slider));
        }
        // The rows of slider and labels stay free when those hide, so that the message does not jump.
        double labelsBottom = bottom - _slider.Size.Height - Gap;
        double messageBottom = Math.Floor(labelsBottom - _style.Px(LabelContent.Height) - Gap);

        PixelRect figures = default;
        if (view.ShowsStatus)
        {
            _status.Update(new(status), _style);
            figures = new(_style.Padding, _style.Padding, _status.Size.Width, _status.Size.Height);
            if (figures.Bottom > labelsBottom) figures = default;      // a very small window
        }
        PlaceMessage(status.Message, geometry, messageBottom, inMiddle: !hasPicture, ref figures);
        if (!figures.IsEmpty) _placed.Add(("status", _status.Texture, figures));
        if (!badges.IsEmpty)
        {
            _badges.Update(badges, _style);
            PixelRect place = new(geometry.WindowWidth - _style.Padding - _badges.Size.Width, _style.Padding, _badges.Size.Width, _badges.Size.Height);
            if (place.X < figures.Right + Gap) place = place with { X = _style.Padding, Y = figures.IsEmpty ? _style.Padding : figures.Bottom + Gap };
            PlaceUnlessCovered("badges", _badges.Texture, place);
        }
        if (showsControls && hasPicture) PlaceLabels(view, status, geometry, labelsBottom);
        if (showsControls && showsSplit && !geometry.IsSideBySide) PlaceHandle(view, geometry);
    }

    /// <summary>Draws what <see cref="Update"/> has placed; blending must be on for premultiplied alpha.</summary>
    public void Draw(QuadProgram quads)
    {
        foreach ((_, uint texture, PixelRect place) in _placed) quads.Draw(texture, place);
    }

    public void Dispose()
    {
        foreach (IDisposable? part in (ReadOnlySpan<IDisposable?>)[_status, _badges, _slider, _leftLabel, _rightLabel, _message, _help, _handle, _line, _style, _helpStyle, _typeface]) part?.Dispose();
    }

    private void PlaceLine(PreviewView view, PictureGeometry geometry)
    {
        PixelRect visible = geometry.Visible;
        _line.Update(new(), _style);
        _placed.Add(("line", _line.Texture, new(geometry.SplitColumn(view.Split) - _line.Size.Width / 2, visible.Y, _line.Size.Width, visible.Height)));
    }

    private void PlaceHandle(PreviewView view, PictureGeometry geometry)
    {
        PixelRect visible = geometry.Visible;
        _handle.Update(new(), _style);
        PlaceUnlessCovered("handle", _handle.Texture, new(
            geometry.SplitColumn(view.Split) - _handle.Size.Width / 2, Math.Round(visible.Y + (visible.Height - _handle.Size.Height) / 2), _handle.Size.Width, _handle.Size.Height));
    }

    private void PlaceHelp(PictureGeometry geometry)
    {
        float room = 2 * Gap;
        SKSizeI wanted = new HelpContent().Measure(_style);
        float fitting = Math.Min(1, Math.Min((geometry.WindowWidth - room) / wanted.Width, (geometry.ViewHeight - room) / wanted.Height));
        float scale = Math.Max(SmallestScale, _style.Scale * fitting);
        if (_helpStyle?.Scale != scale)
        {
            _helpStyle?.Dispose();
            _helpStyle = new(_typeface, scale);
        }
        _help.Update(new(), _helpStyle);
        _placed.Add(("help", _help.Texture, Centered(_help.Size, geometry.WindowWidth, Math.Floor((geometry.ViewHeight - _help.Size.Height) / 2.0))));
    }

    /// <param name="bottom">Where the message may end.</param>
    /// <param name="inMiddle">Whether there is nothing else to see.</param>
    /// <param name="figures">Emptied when the message needs their place.</param>
    private void PlaceMessage(string? message, PictureGeometry geometry, double bottom, bool inMiddle, ref PixelRect figures)
    {
        if (string.IsNullOrWhiteSpace(message)) return;
        int maxWidth = (int)Math.Min(geometry.WindowWidth - 2 * _style.Padding, _style.Px(LongestLine));
        int linesBeside = MessageContent.LinesWithin(bottom - (figures.IsEmpty ? _style.Padding : figures.Bottom + Gap), _style);
        int linesInAll = MessageContent.LinesWithin(bottom - _style.Padding, _style);
        _message.Update(new(message, maxWidth, Math.Max(1, linesInAll)), _style);
        bool needsFigures = _message.Size.Height > bottom - figures.Bottom - Gap;
        if (needsFigures && linesBeside >= LinesBesideFigures) _message.Update(new(message, maxWidth, linesBeside), _style);
        else if (needsFigures) figures = default;
        double top = Math.Max(_style.Padding, bottom - _message.Size.Height);
        if (inMiddle) top = Math.Min(top, Math.Max(figures.Bottom + Gap, Math.Floor((geometry.ViewHeight - _message.Size.Height) / 2.0)));
        _placed.Add(("message", _message.Texture, Centered(_message.Size, geometry.WindowWidth, top)));
    }

    private void PlaceLabels(PreviewView view, PreviewStatus status, PictureGeometry geometry, double bottom)
    {
        _leftLabel.Update(new(status.Compared ?? "original"), _style);
        _rightLabel.Update(new(!status.IsRestored ? "not restored yet" : status.Compared is null ? "restored" : status.Model), _style);
        double top = bottom - _leftLabel.Size.Height;
        double gap = _style.Padding;
        PixelRect visible = geometry.Visible;
        double column = view.ShowsLeftOnly ? visible.Right : geometry.SplitColumn(view.Split), end = geometry.IsSideBySide ? geometry.RightViewX + visible.Right : visible.Right;
        PixelRect left = new(view.ShowsLeftOnly ? Math.Floor((geometry.WindowWidth - _leftLabel.Size.Width) / 2.0) : column - gap - _leftLabel.Size.Width, top, _leftLabel.Size.Width, _leftLabel.Size.Height);
        PixelRect right = new(column + gap, top, _rightLabel.Size.Width, _rightLabel.Size.Height);
        if (left.X >= visible.X) PlaceUnlessCovered("left label", _leftLabel.Texture, left);
        if (right.Right <= end) PlaceUnlessCovered("right label", _rightLabel.Texture, right);
    }

    private void PlaceUnlessCovered(string name, uint texture, PixelRect place)
    {
        foreach ((string other, _, PixelRect taken) in _placed)
        {
            if (other != "line" && taken.Overlaps(place)) return;
        }
        _placed.Add((name, texture, place));
    }

    private static PixelRect Centered(SKSizeI size, int viewWidth, double top) => new(Math.Floor((viewWidth - size.Width) / 2.0), top, size.Width, size.Height);
}
