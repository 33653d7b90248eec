using RealtimeDeblur.Compute;
using RealtimeDeblur.Imaging;
using RealtimeDeblur.Networks;

namespace RealtimeDeblur.Restoration;

/// <summary>
/// The kernels of <c>color/frame.cl</c> bound to one slot: the samples of a frame to the working space of a session's tiles, and the change that the network
/// found back into a copy of the samples.
/// </summary>
internal sealed class FrameKernels : IDisposable
{
    private const float LumaBlack = 16f, LumaSpan = 219f, EightBitMax = 255f;

    private readonly InferenceSession _session;
    private readonly Kernel _load;
    private readonly Kernel _store;
    private readonly RowWork _rows;
    private readonly int _sampleStride;
    private readonly float _scale;
    private readonly float _offset;
    private readonly float _codesPerUnit;

    /// <param name="device">Where to run.</param>
    /// <param name="session">For the size of the format.</param>
    /// <param name="format">Of the frames.</param>
    /// <param name="samples">Plane 0 of the frame, as the format lays it out; not changed.</param>
    /// <param name="restored">Its restored copy, of the same layout.</param>
    public FrameKernels(ComputeDevice device, InferenceSession session, FrameFormat format, DeviceBuffer<byte> samples, DeviceBuffer<byte> restored)
    {
        _session = session;
        _sampleStride = format.Plane(0).StrideBytes / format.BytesPerSample;
        _rows = RowWork.For(device.Info);

        // working = offset + scale * code; see the head of color/frame.cl.
        float maxCode = format.MaxValue;
        bool lumaOfRgb = format.IsRgb && session.C == 1;
        bool fullRangeLuma = !format.IsRgb && format.Range == ColorRange.Full;
        (_scale, _offset, _codesPerUnit) =
            lumaOfRgb ? (1 / (EightBitMax * maxCode), LumaBlack / EightBitMax, maxCode * EightBitMax / LumaSpan)
            : fullRangeLuma ? (AtDepth(format, LumaSpan) / (maxCode * maxCode), AtDepth(format, LumaBlack) / maxCode, maxCode * maxCode / AtDepth(format, LumaSpan))
            : (1 / maxCode, 0, maxCode);

        string options = $"-DSAMPLE={(format.BytesPerSample == 2 ? "ushort" : "uchar")} -DMAX_CODE={format.MaxValue} -DSAMPLES={(format.IsRgb ? 3 : 1)} "
            + $"-DRED={(format.Pixels == PixelFormat.Bgr24 ? 2 : 0)} -DC={session.C} -DRUN={_rows.Run}";
        KernelProgram program = device.Build("color/frame.cl", options);
        _load = program.CreateKernel("frame_load");
        _store = program.CreateKernel("frame_store");
        TileInputLayout layout = session.TileInputLayout;
        _load.Bind(samples, session.TileInput, _sampleStride, format.Width, format.Height, layout.Stride, 0, 0, _scale, _offset);
        _store.Bind(samples, session.TileInput, session.TileOutput, restored, _sampleStride, layout.Stride, layout.Rows, layout.Pad, session.Grid.TileW, session.Grid.TileH, 0, 0, 0, 0, 0, 0f);
    }

    /// <summary>Enqueues filling the session's input with a tile of the frame.</summary>
    public void EnqueueLoad(CommandQueue queue, Tile tile, params ReadOnlySpan<ComputeEvent> waitFor)
    {
        TileInputLayout layout = _session.TileInputLayout;
        _load.Bind(6, tile.OriginX - layout.Pad);
        _load.Bind(7, tile.OriginY - layout.Pad);
        _load.Enqueue(queue, _rows.Global(layout.Stride, layout.Rows), _rows.Local, waitFor);
    }

    /// <summary>Enqueues adding the session's change, times <paramref name="strength"/>, to the kept samples of a tile. The caller disposes the event.</summary>
    public ComputeEvent EnqueueStore(CommandQueue queue, Tile tile, float strength)
    {
        _store.Bind(10, tile.OriginX);
        _store.Bind(11, tile.OriginY);
        _store.Bind(12, tile.SkipX);
        _store.Bind(13, tile.SkipY);
        _store.Bind(14, tile.Columns);
        _store.Bind(15, strength * _codesPerUnit);
        return _store.EnqueueWithEvent(queue, _rows.Global(tile.Columns, tile.Rows), _rows.Local);
    }

    public void Dispose()
    {
        _load.Dispose();
        _store.Dispose();
    }

    /// <summary>An 8-bit luma quantity at the format's bit depth: 16 becomes 64 at 10 bit.</summary>
    private static float AtDepth(FrameFormat format, float eightBit) => eightBit * (1 << (format.BitDepth - 8));
}
