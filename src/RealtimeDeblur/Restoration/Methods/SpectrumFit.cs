namespace RealtimeDeblur.Restoration.Methods;

/// <summary>The scale of a blur from how the amplitude spectra of a picture and of its quarter-size copy differ.</summary>
/// <remarks>
/// Hosseini and Plataniotis, "Convolutional Deblurring for Natural Imaging", IEEE TIP 2019: spectra of natural pictures look alike at every scale, so that their ratio is that of the blur at two scales,
///   R(w) = amplitude (exp(-alpha^2 w^2/2) + c1 w) / (4 exp(-alpha^2 w^2/32) + c2 w),
/// with c1 and c2 for noise. Least squares by Levenberg and Marquardt's method; a parameter that a step would take beyond its bounds stays there. Start and bounds are as published, but for the lower bound of alpha, 0.75
/// there: we want to tell mild blur from none.
/// </remarks>
internal static class SpectrumFit
{
    /// <summary>Bins of the spectra, as published; BINS in <c>restore/spectrum.cl</c>.</summary>
    public const int Bins = 13;

    private const int Parameters = 4, Amplitude = 0, Alpha = 1, FirstNoise = 2, SecondNoise = 3;

    /// <summary>Ratio of the scales.</summary>
    private const double Scale = 4;

    /// <summary>Most fits end after 10 to 30 steps.</summary>
    private const int MaxSteps = 100;

    /// <summary>Relative gain below which a fit has ended.</summary>
    private const double SmallestGain = 1e-10;

    private static ReadOnlySpan<double> Start => [1, 1, 0.05, 0.05];

    private static ReadOnlySpan<double> Lowest => [0, 0.1, 0, 0];

    private static ReadOnlySpan<double> Highest => [double.PositiveInfinity, 6, 4, 4];

    /// <summary>Upper end of a bin, which stands for its frequency as published, in radians per pixel.</summary>
    public static double Frequency(int bin) => Math.PI * (bin + 1) / Bins;

    /// <summary>R(w).</summary>
    public static double Ratio(double w, double amplitude, double alpha, double c1, double c2)
    {
        double square = alpha * alpha * w * w / 2;
        return amplitude * (Math.Exp(-square) + c1 * w) / (Scale * Math.Exp(-square / (Scale * Scale)) + c2 * w);
    }

    /// <summary>The alpha that explains a ratio of spectra best, in pixels. Allocates nothing.</summary>
    /// <param name="ratio">[<see cref="Bins"/>].</param>
    public static double FitAlpha(ReadOnlySpan<double> ratio)
    {
        Span<double> p = stackalloc double[Parameters], trial = stackalloc double[Parameters], gradient = stackalloc double[Parameters], step = stackalloc double[Parameters];
        Span<double> normal = stackalloc double[Parameters * Parameters];
        Start.CopyTo(p);
        double error = Error(ratio, p), damping = 1e-3;
        for (int steps = 0; steps < MaxSteps; steps++)
        {
            Linearize(ratio, p, normal, gradient);
            // What is at a bound and would be pushed beyond it stays out of the step.
            for (int i = 0; i < Parameters; i++)
            {
                if (!(p[i] <= Lowest[i] && gradient[i] < 0) && !(p[i] >= Highest[i] && gradient[i] > 0)) continue;
                for (int j = 0; j < Parameters; j++) normal[i * Parameters + j] = normal[j * Parameters + i] = 0;
                normal[i * Parameters + i] = 1;
                gradient[i] = 0;
            }
            double trialError;
            do
            {
                Solve(normal, gradient, damping, step);
                for (int i = 0; i < Parameters; i++) trial[i] = Math.Clamp(p[i] + step[i], Lowest[i], Highest[i]);
                trialError = Error(ratio, trial);
                damping *= trialError < error ? 0.1 : 10;
            }
            while (!(trialError < error) && damping < 1e12);
            if (!(trialError < error)) break;
            double gain = error - trialError;
            trial.CopyTo(p);
            error = trialError;
            if (gain <= SmallestGain * error) break;
        }
        return p[Alpha];
    }

    private static double Error(ReadOnlySpan<double> ratio, ReadOnlySpan<double> p)
    {
        double sum = 0;
        for (int bin = 0; bin < Bins; bin++)
        {
            double residual = ratio[bin] - Ratio(Frequency(bin), p[Amplitude], p[Alpha], p[FirstNoise], p[SecondNoise]);
            sum += residual * residual;
        }
        return sum;
    }

    /// <summary>J^T J and J^T times the residuals.</summary>
    private static void Linearize(ReadOnlySpan<double> ratio, ReadOnlySpan<double> p, Span<double> normal, Span<double> gradient)
    {
        normal.Clear();
        gradient.Clear();
        Span<double> slope = stackalloc double[Parameters];
        for (int bin = 0; bin < Bins; bin++)
        {
            double w = Frequency(bin), square = w * w * p[Alpha] * p[Alpha] / 2;
            double fine = Math.Exp(-square), coarse = Math.Exp(-square / (Scale * Scale));
            double above = fine + p[FirstNoise] * w, below = Scale * coarse + p[SecondNoise] * w;
            double value = p[Amplitude] * above / below;
            slope[Amplitude] = above / below;
            slope[Alpha] = p[Alpha] * w * w * (value * coarse / Scale - p[Amplitude] * fine) / below;
            slope[FirstNoise] = p[Amplitude] * w / below;
            slope[SecondNoise] = -value * w / below;
            for (int i = 0; i < Parameters; i++)
            {
                gradient[i] += slope[i] * (ratio[bin] - value);
                for (int j = 0; j < Parameters; j++) normal[i * Parameters + j] += slope[i] * slope[j];
            }
        }
    }

    /// <summary>(normal + damping * its diagonal) step = gradient, by Cholesky's method.</summary>
    private static void Solve(ReadOnlySpan<double> normal, ReadOnlySpan<double> gradient, double damping, Span<double> step)
    {
        const double Tiny = 1e-30;      // a parameter without effect stays where it is
        Span<double> lower = stackalloc double[Parameters * Parameters];
        for (int i = 0; i < Parameters; i++)
        {
            for (int j = 0; j <= i; j++)
            {
                double sum = normal[i * Parameters + j] * (i == j ? 1 + damping : 1);
                for (int k = 0; k < j; k++) sum -= lower[i * Parameters + k] * lower[j * Parameters + k];
                lower[i * Parameters + j] = i == j ? Math.Sqrt(Math.Max(sum, Tiny)) : sum / lower[j * Parameters + j];
            }
        }
        for (int i = 0; i < Parameters; i++)
        {
            step[i] = gradient[i];
            for (int k = 0; k < i; k++) step[i] -= lower[i * Parameters + k] * step[k];
            step[i] /= lower[i * Parameters + i];
        }
        for (int i = Parameters - 1; i >= 0; i--)
        {
            for (int k = i + 1; k < Parameters; k++) step[i] -= lower[k * Parameters + i] * step[k];
            step[i] /= lower[i * Parameters + i];
        }
    }
}
