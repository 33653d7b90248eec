namespace RealtimeDeblur.Restoration.Methods;

/// <summary>
/// The linear filters. Each is a gain g(t) for frequencies of which the blur left the share t, and runs as one FIR (<see cref="LinearResponse"/>), iterations and all: n steps of a linear iteration are one linear filter.
/// Borders replicate once, not at every step.
/// </summary>
internal static class LinearFilters
{
    /// <summary>Below this share of a frequency a quotient is taken for its limit.</summary>
    private const double Vanishing = 1e-9;

    /// <summary>x + amount (x - blur of x), g(t) = 1 + amount (1 - t).</summary>
    public static FilterDescription Unsharp { get; } = new(
        "unsharp", "Unsharp masking: adds what a blur of the same width takes away.",
        "W. K. Pratt, \"Digital Image Processing\", 4th ed. (2007), section 10.4; from the photographic darkroom.",
        [
            new("amount", "How many times the difference is added.", 0, 10, 2),
            new("radius", "Width of the mask's Gaussian, as a multiple of the blur's sigma.", 0.25, 2.5, 1),
        ],
        setUp => new LinearRestorer(setUp, new LinearResponse(t => 1 + setUp.Values["amount"] * (1 - t), setUp.Values["radius"])));

    /// <summary>g(t) = t / (t^2 + ratio).</summary>
    public static FilterDescription Wiener { get; } = new(
        "wiener", "Wiener filter for the blur and a constant noise-to-signal ratio.",
        "N. Wiener, \"Extrapolation, Interpolation, and Smoothing of Stationary Time Series\" (1949); in images: R. Gonzalez and R. Woods, \"Digital Image Processing\", section 5.8.",
        [new("ratio", "Power of the noise divided by that of the signal, the same at all frequencies. Rounding to 8 bits alone asks for about 0.001.", 1e-4, 1, 1e-3)],
        setUp => new LinearRestorer(setUp, new LinearResponse(t => t / (t * t + setUp.Values["ratio"]))));

    /// <summary>n steps of x += y - K x from x = y: g(t) = (1 - (1 - t)^(n + 1)) / t.</summary>
    public static FilterDescription VanCittert { get; } = new(
        "van-cittert", "Van Cittert's back-projection: adds what re-blurring the estimate loses of the picture.",
        "P. H. van Cittert, \"Zum Einfluß der Spaltbreite auf die Intensitätsverteilung in Spektrallinien II\", Zeitschrift für Physik 69 (1931).",
        [new("iterations", "Steps from the blurred picture.", 0, 50, 5) { IsWhole = true }],
        setUp => new LinearRestorer(setUp, new LinearResponse(t => Quotient(t, 1 - Math.Pow(1 - t, setUp.Values["iterations"] + 1), atZero: setUp.Values["iterations"] + 1))));

    /// <summary>n steps of x += K(y - K x) from x = y, K being symmetric: g(t) = (1 - (1 - t^2)^n (1 - t)) / t.</summary>
    public static FilterDescription Landweber { get; } = new(
        "landweber", "Landweber's back-projection: gradient descent on the squared difference of the re-blurred estimate and the picture.",
        "L. Landweber, \"An iteration formula for Fredholm integral equations of the first kind\", American Journal of Mathematics 73 (1951); the back-projection of M. Irani and S. Peleg, CVGIP 53 (1991), with the blur as its kernel.",
        [new("iterations", "Steps of size 1 from the blurred picture.", 0, 500, 200) { IsWhole = true }],
        setUp => new LinearRestorer(setUp, new LinearResponse(t => Quotient(t, 1 - Math.Pow(1 - t * t, setUp.Values["iterations"]) * (1 - t), atZero: 1))));

    private static double Quotient(double t, double value, double atZero) => t > Vanishing ? value / t : atZero;
}
