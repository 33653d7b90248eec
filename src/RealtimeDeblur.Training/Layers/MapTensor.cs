using RealtimeDeblur.Compute;

namespace RealtimeDeblur.Training.Layers;

/// <summary>Feature maps of a batch on the device, float [N][H][W][C] with a halo of zeros around each image, so that a convolution may read past the edge.</summary>
internal sealed class MapTensor : IDisposable
{
    /// <summary>Allocates the maps, all zero.</summary>
    public MapTensor(CommandQueue queue, int N, int H, int W, int C, int halo = 0)
    {
        (this.N, this.H, this.W, this.C, Halo) = (N, H, W, C, halo);
        Row = checked((W + 2 * halo) * C + RowSkew(C));
        Image = checked((H + 2 * halo) * Row);
        Origin = halo * Row + halo * C;
        Buffer = queue.Device.Allocate<float>(checked(N * Image));
        Buffer.Fill(queue, 0f);
    }

    public int N { get; }

    public int H { get; }

    public int W { get; }

    public int C { get; }

    /// <summary>Width of the border of zeros, in pixels.</summary>
    public int Halo { get; }

    /// <summary>Floats from one row to the next.</summary>
    public int Row { get; }

    /// <summary>Floats from one image to the next.</summary>
    public int Image { get; }

    /// <summary>Float at which pixel (0, 0) of the first image lies.</summary>
    public int Origin { get; }

    public DeviceBuffer<float> Buffer { get; }

    /// <summary>
    /// One cache line between rows of wide pixels. Kernels walk several rows side by side; without it rows start a multiple of 4096 bytes apart for common
    /// sizes and evict each other from a first-level cache of that period.
    /// </summary>
    private static int RowSkew(int C) => C % 16 == 0 ? 16 : 0;

    public void Dispose() => Buffer.Dispose();
}
