using OpenCvSharp;

namespace RealtimeDeblur.Training.Evaluation;

/// <summary>
/// Fourier transform of a picture continued by reflection, so that no edge appears where a period ends. Reflection does not repeat the outermost pixel, as the
/// blur of the protocol does not, so the blur is exactly a product in this domain. A picture of H x W is first continued to a size that transforms fast, Ny + 1 by Nx + 1; its period is 2 Ny by 2 Nx.
/// </summary>
internal static class MirroredSpectrum
{
    /// <summary>Half the period along a side of <paramref name="length"/> pixels.</summary>
    public static int HalfPeriod(int length) => Cv2.GetOptimalDFTSize(length - 1);

    /// <summary>One period of the continued picture, [2 Ny][2 Nx], 64-bit. The caller disposes it.</summary>
    public static Mat Extend(LumaPlane plane)
    {
        using Mat picture = plane.ToMat(MatType.CV_64FC1);
        using Mat fast = new();
        int Nx = HalfPeriod(plane.W);
        int Ny = HalfPeriod(plane.H);
        Cv2.CopyMakeBorder(picture, fast, 0, Ny + 1 - plane.H, 0, Nx + 1 - plane.W, BorderTypes.Reflect101);
        Mat period = new();
        Cv2.CopyMakeBorder(fast, period, 0, Ny - 1, 0, Nx - 1, BorderTypes.Reflect101);
        return period;
    }

    /// <summary>The spectrum of a mirrored period, which is real and itself mirrored: [Ny + 1][Nx + 1].</summary>
    public static unsafe double[] Forward(Mat period)
    {
        using Mat spectrum = new();
        Cv2.Dft(period, spectrum, DftFlags.ComplexOutput);
        int Nx = period.Width / 2;
        int Ny = period.Height / 2;
        var values = new double[(Ny + 1) * (Nx + 1)];
        for (int v = 0; v <= Ny; v++)
        {
            ReadOnlySpan<double> row = new((void*)spectrum.Ptr(v), 4 * Nx);
            for (int u = 0; u <= Nx; u++) values[v * (Nx + 1) + u] = row[2 * u];
        }
        return values;
    }

    /// <summary>The picture of H x W whose mirrored period has the given spectrum, 64-bit. The caller disposes it.</summary>
    /// <remarks>A real, mirrored spectrum transforms forward like the picture it came from, but for the scale.</remarks>
    public static Mat Inverse(double[] spectrum, int W, int H)
    {
        int Nx = HalfPeriod(W);
        int Ny = HalfPeriod(H);
        using Mat quarter = Mat.FromPixelData(Ny + 1, Nx + 1, MatType.CV_64FC1, spectrum);
        using Mat period = new();
        Cv2.CopyMakeBorder(quarter, period, 0, Ny - 1, 0, Nx - 1, BorderTypes.Reflect101);
        double[] values = Forward(period);
        using Mat picture = Mat.FromPixelData(Ny + 1, Nx + 1, MatType.CV_64FC1, values);
        using Mat cut = picture[new Rect(0, 0, W, H)];
        Mat scaled = new();
        cut.ConvertTo(scaled, MatType.CV_64FC1, 1 / (4.0 * Nx * Ny));
        return scaled;
    }

    /// <summary>Transfer function of the protocol's Gaussian along one side of <paramref name="length"/> pixels: [N + 1], 1 at frequency 0.</summary>
    public static double[] GaussianTransfer(int length, double sigma)
    {
        int N = HalfPeriod(length);
        var transfer = new double[N + 1];
        if (sigma == 0)
        {
            Array.Fill(transfer, 1);
            return transfer;
        }
        int reach = (int)Math.Ceiling(4 * sigma);
        using Mat taps = Cv2.GetGaussianKernel(2 * reach + 1, sigma)!;
        for (int u = 0; u <= N; u++)
        {
            for (int tap = -reach; tap <= reach; tap++) transfer[u] += taps.At<double>(tap + reach) * Math.Cos(Math.PI * u * tap / N);
        }
        return transfer;
    }
}
