using Silk.NET.OpenGL;

namespace RealtimeDeblur.Preview.Drawing;

/// <summary>How all textures lie in memory: four bytes B, G, R, A per pixel, which drivers copy as they are.</summary>
internal static class TextureFormat
{
    public const int BytesPerPixel = 4;

    // Without a size, so that Mesa keeps the order of the data. Rgba8 would make it R, G, B, A there: converted at every upload, and slow to draw in software.
    private const InternalFormat Internal = InternalFormat.Rgba;

    /// <summary>Gives the bound texture a size in pixels, and contents, unless <paramref name="pixels"/> is null.</summary>
    public static unsafe void Allocate(GL gl, int width, int height, void* pixels) =>
        gl.TexImage2D(TextureTarget.Texture2D, 0, Internal, (uint)width, (uint)height, 0, PixelFormat.Bgra, PixelType.UnsignedInt8888Rev, pixels);

    /// <summary>Replaces the contents of the bound texture by those of the bound pixel buffer.</summary>
    /// <param name="offsetBytes">Where they start in the buffer.</param>
    public static unsafe void Fill(GL gl, int width, int height, long offsetBytes) =>
        gl.TexSubImage2D(TextureTarget.Texture2D, 0, 0, 0, (uint)width, (uint)height, PixelFormat.Bgra, PixelType.UnsignedInt8888Rev, (void*)offsetBytes);
}
