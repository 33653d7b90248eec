using System.Runtime.InteropServices;
using RealtimeDeblur.Compute;
using RealtimeDeblur.Imaging;

namespace RealtimeDeblur.Native;

/// <summary><c>rtd_format</c>.</summary>
[StructLayout(LayoutKind.Sequential)]
internal readonly struct CFormat
{
    private readonly int _pixels, _width, _height, _range;

    /// <exception cref="StatusException">A value is not in its range.</exception>
    public FrameFormat Checked()
    {
        if (_pixels is < 0 or > (int)PixelFormat.Rgb48) throw new StatusException(Status.Argument, $"There is no pixel format {_pixels}: take one from RTD_GRAY8 (0) to RTD_RGB48 ({(int)PixelFormat.Rgb48}).");
        if (_width < 1 || _height < 1) throw new StatusException(Status.Argument, $"A picture of {_width}x{_height} is none: width and height must be 1 or more.");
        if (!Enum.IsDefined((ColorRange)_range)) throw new StatusException(Status.Argument, $"There is no range {_range}: take RTD_RANGE_LIMITED (0) or RTD_RANGE_FULL (1).");
        var format = new FrameFormat((PixelFormat)_pixels, _width, _height, (ColorRange)_range);
        try
        {
            _ = format.SizeBytes;
        }
        catch (OverflowException)
        {
            throw new StatusException(Status.Argument, $"A picture of {_width}x{_height} {format.Pixels} has 2 GiB or more: cut it into parts.");
        }
        return format;
    }
}

/// <summary><c>rtd_picture</c>.</summary>
[StructLayout(LayoutKind.Sequential)]
internal readonly unsafe struct CPicture
{
    private readonly byte* _plane0, _plane1, _plane2;
    private readonly nuint _stride0, _stride1, _stride2;

    /// <exception cref="StatusException">A plane of the format is null, or its stride cannot be.</exception>
    public static FrameView View(CPicture* picture, FrameFormat format, string name)
    {
        if (picture is null) throw new StatusException(Status.Argument, $"The {name} is NULL.");
        return new(Rows(picture->_plane0, picture->_stride0, 0, format, name), (int)picture->_stride0,
            Rows(picture->_plane1, picture->_stride1, 1, format, name), (int)picture->_stride1,
            Rows(picture->_plane2, picture->_stride2, 2, format, name), (int)picture->_stride2);
    }

    private static Span<byte> Rows(byte* plane, nuint strideBytes, int index, FrameFormat format, string name)
    {
        if (index >= format.PlaneCount) return default;
        if (plane is null) throw new StatusException(Status.Argument, $"Plane {index} of the {name} is NULL; {format.Pixels} has {format.PlaneCount}.");
        PlaneLayout layout = format.Plane(index);
        if (strideBytes < (nuint)layout.StrideBytes)
            throw new StatusException(Status.Argument, $"Rows of plane {index} of the {name} have {layout.StrideBytes} bytes ({layout.Width} samples of {format.Pixels}); a stride of {strideBytes} is too short.");
        UInt128 length = (UInt128)strideBytes * (uint)(layout.Height - 1) + (uint)layout.StrideBytes;
        if (length > int.MaxValue) throw new StatusException(Status.Argument, $"A stride of {strideBytes} makes plane {index} of the {name} 2 GiB or more.");
        return new(plane, (int)length);
    }
}

/// <summary><c>rtd_device</c>.</summary>
[StructLayout(LayoutKind.Sequential)]
internal unsafe struct CDevice
{
    private const int TextBytes = 128;

    private fixed byte _name[TextBytes], _platform[TextBytes], _driver[TextBytes];
    private int _type, _computeUnits;
    private ulong _memoryBytes;
    private int _supportsFp16, _sharesHostMemory;

    public static CDevice Of(DeviceInfo info)
    {
        CDevice device = new()
        {
            _type = (int)info.Type,
            _computeUnits = info.ComputeUnits,
            _memoryBytes = (ulong)info.MemoryBytes,
            _supportsFp16 = info.SupportsFp16 ? 1 : 0,
            _sharesHostMemory = info.SharesHostMemory ? 1 : 0,
        };
        NativeText.Write(info.Name, new(device._name, TextBytes));
        NativeText.Write(info.Platform, new(device._platform, TextBytes));
        NativeText.Write(info.Driver, new(device._driver, TextBytes));
        return device;
    }
}
