using System.Runtime.InteropServices;
using System.Runtime.Intrinsics;
using RealtimeDeblur.Imaging;
using Silk.NET.OpenGL;

namespace RealtimeDeblur.Preview.Drawing;

/// <summary>
/// The two pictures as textures. They are handed over through two pixel buffers in turn, so that one can be filled while the driver still reads the other.
/// Uploaded with four bytes per pixel, which drivers copy as they are; three they take apart one by one.
/// </summary>
internal sealed unsafe class PictureTextures : IDisposable
{
    private readonly GL _gl;
    private readonly uint[] _textures = new uint[2];
    private readonly uint[] _buffers = new uint[2];
    private int _next;
    private bool _hasMipmaps;

    public PictureTextures(GL gl)
    {
        _gl = gl;
        _gl.GenTextures(_textures);
        _gl.GenBuffers(_buffers);
        foreach (uint texture in _textures)
        {
            _gl.BindTexture(TextureTarget.Texture2D, texture);
            _gl.TexParameter(TextureTarget.Texture2D, TextureParameterName.TextureWrapS, (int)TextureWrapMode.ClampToEdge);
            _gl.TexParameter(TextureTarget.Texture2D, TextureParameterName.TextureWrapT, (int)TextureWrapMode.ClampToEdge);
        }
    }

    /// <summary>Size of both pictures; 0 before the first.</summary>
    public int Width { get; private set; }

    /// <inheritdoc cref="Width"/>
    public int Height { get; private set; }

    public uint Left => _textures[0];
    public uint Right => _textures[1];

    /// <summary>Copies both pictures, of one size, Bgr24; the frames stay the caller's.</summary>
    public void Upload(Frame left, Frame right)
    {
        int pictureBytes = checked(left.Format.Width * left.Format.Height * TextureFormat.BytesPerPixel);
        if (left.Format.Width != Width || left.Format.Height != Height) Allocate(left.Format.Width, left.Format.Height, pictureBytes);

        _gl.BindBuffer(BufferTargetARB.PixelUnpackBuffer, _buffers[_next]);
        _next = 1 - _next;
        byte* mapped = (byte*)_gl.MapBufferRange(BufferTargetARB.PixelUnpackBuffer, 0, (nuint)(2L * pictureBytes), (uint)(MapBufferAccessMask.WriteBit | MapBufferAccessMask.InvalidateBufferBit));
        if (mapped is null) throw NoMemory(Width, Height);
        AddAlpha(left.Data, new(mapped, pictureBytes));
        AddAlpha(right.Data, new(mapped + pictureBytes, pictureBytes));
        // False when the contents were lost meanwhile (a suspended machine): the next picture repairs it.
        _gl.UnmapBuffer(BufferTargetARB.PixelUnpackBuffer);
        for (int i = 0; i < _textures.Length; i++)
        {
            _gl.BindTexture(TextureTarget.Texture2D, _textures[i]);
            TextureFormat.Fill(_gl, Width, Height, (long)i * pictureBytes);
        }
        _gl.BindBuffer(BufferTargetARB.PixelUnpackBuffer, 0);
        _hasMipmaps = false;
    }

    /// <summary>Makes the smaller versions of both pictures that a view below half their size needs, unless they are there.</summary>
    public void MakeMipmaps()
    {
        if (_hasMipmaps) return;
        foreach (uint texture in _textures)
        {
            _gl.BindTexture(TextureTarget.Texture2D, texture);
            _gl.GenerateMipmap(TextureTarget.Texture2D);
        }
        _hasMipmaps = true;
    }

    public void Dispose()
    {
        _gl.DeleteTextures(_textures);
        _gl.DeleteBuffers(_buffers);
    }

    /// <summary>Copies pixels of three bytes to pixels of four, the last of which is 255.</summary>
    internal static void AddAlpha(ReadOnlySpan<byte> bgr, Span<byte> bgra)
    {
        const int PixelsPerVector = 4;
        Vector128<byte> spread = Vector128.Create((byte)0, 1, 2, 255, 3, 4, 5, 255, 6, 7, 8, 255, 9, 10, 11, 255);     // 255 is past the end and gives 0
        Vector128<byte> opaque = Vector128.Create(0xFF000000u).AsByte();
        ref byte source = ref MemoryMarshal.GetReference(bgr);
        ref byte target = ref MemoryMarshal.GetReference(bgra);
        int pixels = bgra.Length / TextureFormat.BytesPerPixel, pixel = 0;
        // A vector reads 16 bytes and uses 12; the last pixels go one by one, so that nothing past the end is read.
        for (; pixel * 3 + Vector128<byte>.Count <= bgr.Length; pixel += PixelsPerVector)
        {
            Vector128<byte> packed = Vector128.LoadUnsafe(ref source, (nuint)(pixel * 3));
            (Vector128.Shuffle(packed, spread) | opaque).StoreUnsafe(ref target, (nuint)(pixel * TextureFormat.BytesPerPixel));
        }
        for (; pixel < pixels; pixel++)
        {
            bgr.Slice(pixel * 3, 3).CopyTo(bgra[(pixel * TextureFormat.BytesPerPixel)..]);
            bgra[pixel * TextureFormat.BytesPerPixel + 3] = 255;
        }
    }

    private void Allocate(int width, int height, int pictureBytes)
    {
        _gl.GetInteger(GetPName.MaxTextureSize, out int largest);
        if (width > largest || height > largest) throw new PreviewException($"The graphics driver shows pictures of up to {largest}x{largest} pixels, not {width}x{height}. Choose a smaller size for the camera.");
        foreach (uint texture in _textures)
        {
            _gl.BindTexture(TextureTarget.Texture2D, texture);
            TextureFormat.Allocate(_gl, width, height, null);
        }
        foreach (uint buffer in _buffers)
        {
            _gl.BindBuffer(BufferTargetARB.PixelUnpackBuffer, buffer);
            _gl.BufferData(BufferTargetARB.PixelUnpackBuffer, (nuint)(2L * pictureBytes), null, BufferUsageARB.StreamDraw);
        }
        _gl.BindBuffer(BufferTargetARB.PixelUnpackBuffer, 0);
        if (_gl.GetError() == GLEnum.OutOfMemory) throw NoMemory(width, height);
        (Width, Height) = (width, height);
    }

    private static PreviewException NoMemory(int width, int height) => new($"The graphics driver has no memory for pictures of {width}x{height} pixels. Choose a smaller size for the camera.");
}
