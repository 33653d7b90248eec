using OpenCvSharp;

namespace RealtimeDeblur.Training.Evaluation;

/// <summary>
/// Wiener deconvolution with the true sigma, as a baseline: spectrum times H / (H^2 + K), H the blur's transfer function, K the ratio of noise to signal.
/// The mean brightness passes unchanged. Pictures are continued by reflection, so that nothing wraps around.
/// </summary>
internal sealed class WienerFilter
{
    /// <summary>The ratio for those who do not know better: 0.001.</summary>
    public const double FixedRatio = 1e-3;

    private readonly LumaPlane _blurred;
    private readonly double[] _spectrum;
    private readonly double[] _transferX;
    private readonly double[] _transferY;

    public WienerFilter(LumaPlane blurred, double sigma)
    {
        _blurred = blurred;
        using Mat period = MirroredSpectrum.Extend(blurred);
        _spectrum = MirroredSpectrum.Forward(period);
        _transferX = MirroredSpectrum.GaussianTransfer(blurred.W, sigma);
        _transferY = MirroredSpectrum.GaussianTransfer(blurred.H, sigma);
    }

    public LumaPlane Restore(double ratio)
    {
        var restored = new double[_spectrum.Length];
        int columns = _transferX.Length;
        for (int i = 0; i < restored.Length; i++) restored[i] = _spectrum[i] * Gain(i / columns, i % columns, ratio);
        restored[0] = _spectrum[0];
        using Mat picture = MirroredSpectrum.Inverse(restored, _blurred.W, _blurred.H);
        return LumaPlane.FromMat(picture);
    }

    /// <summary>The ratio that brings this picture nearest to the truth: golden-section search for the least squared error, which Parseval's theorem gives from the spectra.</summary>
    public double BestRatio(LumaPlane sharp)
    {
        using Mat period = MirroredSpectrum.Extend(sharp);
        double[] truth = MirroredSpectrum.Forward(period);
        double golden = (Math.Sqrt(5) - 1) / 2;
        (double low, double high) = (-8, 0);    // log10 of the ratio
        double left = high - golden * (high - low);
        double right = low + golden * (high - low);
        (double errorLeft, double errorRight) = (SquaredError(truth, left), SquaredError(truth, right));
        while (high - low > 0.02)
        {
            if (errorLeft < errorRight)
            {
                (high, right, errorRight) = (right, left, errorLeft);
                left = high - golden * (high - low);
                errorLeft = SquaredError(truth, left);
            }
            else
            {
                (low, left, errorLeft) = (left, right, errorRight);
                right = low + golden * (high - low);
                errorRight = SquaredError(truth, right);
            }
        }
        return Math.Pow(10, (low + high) / 2);
    }

    private double Gain(int v, int u, double ratio)
    {
        double transfer = _transferY[v] * _transferX[u];
        return transfer / (transfer * transfer + ratio);
    }

    private double SquaredError(double[] truth, double logRatio)
    {
        double ratio = Math.Pow(10, logRatio);
        (int rows, int columns) = (_transferY.Length, _transferX.Length);
        double sum = 0;
        for (int v = 0; v < rows; v++)
        {
            for (int u = 0; u < columns; u++)
            {
                if (u + v == 0) continue;
                double error = _spectrum[v * columns + u] * Gain(v, u, ratio) - truth[v * columns + u];
                // Frequencies inside the quarter stand for their mirror images too.
                double count = (v == 0 || v == rows - 1 ? 1 : 2) * (u == 0 || u == columns - 1 ? 1 : 2);
                sum += count * error * error;
            }
        }
        return sum;
    }
}
