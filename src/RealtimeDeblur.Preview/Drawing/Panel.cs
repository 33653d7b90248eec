using Silk.NET.OpenGL;
using SkiaSharp;

namespace RealtimeDeblur.Preview.Drawing;

/// <summary>What a panel shows. Equal contents look equal.</summary>
internal interface IPanelContent
{
    /// <summary>Size in pixels that it needs.</summary>
    SKSizeI Measure(PanelStyle style);

    /// <summary>Paints on transparent ground of exactly the measured size.</summary>
    void Paint(SKCanvas canvas, PanelStyle style, SKSizeI size);
}

/// <summary>A small picture over the big one, kept as a texture with premultiplied alpha. Is painted only when its content or the style has changed.</summary>
internal sealed class Panel<TContent> : IDisposable where TContent : IPanelContent, IEquatable<TContent>
{
    private readonly GL _gl;
    private TContent? _content;
    private PanelStyle? _style;

    public Panel(GL gl)
    {
        _gl = gl;
        Texture = gl.GenTexture();
        gl.BindTexture(TextureTarget.Texture2D, Texture);
        // Drawn pixel for pixel.
        gl.TexParameter(TextureTarget.Texture2D, TextureParameterName.TextureMinFilter, (int)TextureMinFilter.Nearest);
        gl.TexParameter(TextureTarget.Texture2D, TextureParameterName.TextureMagFilter, (int)TextureMagFilter.Nearest);
        gl.TexParameter(TextureTarget.Texture2D, TextureParameterName.TextureMaxLevel, 0);
    }

    public uint Texture { get; }

    /// <summary>Size in pixels as of the last <see cref="Update"/>.</summary>
    public SKSizeI Size { get; private set; }

    /// <summary>Paints the content unless it is what the panel shows already.</summary>
    public unsafe void Update(TContent content, PanelStyle style)
    {
        if (_content is not null && _content.Equals(content) && _style == style) return;
        (_content, _style) = (content, style);
        Size = content.Measure(style);
        using SKBitmap bitmap = new(new SKImageInfo(Size.Width, Size.Height, SKColorType.Bgra8888, SKAlphaType.Premul));
        bitmap.Erase(SKColors.Transparent);
        using (SKCanvas canvas = new(bitmap)) content.Paint(canvas, style, Size);
        _gl.BindTexture(TextureTarget.Texture2D, Texture);
        TextureFormat.Allocate(_gl, Size.Width, Size.Height, (void*)bitmap.GetPixels());
    }

    public void Dispose() => _gl.DeleteTexture(Texture);
}
