using System.Globalization;

namespace RealtimeDeblur.Video;

/// <summary>
/// Turns one quality, 0 to 100, into the scales of encoders, so that equal numbers give equal PSNR of luma. It counts like x264's CRF turned round: 80 is CRF 18, 0 is CRF 36, where all codecs still
/// have a value that matches; above 80 it gets finer faster.
/// </summary>
/// <remarks>
/// Measured with FFmpeg 5.1 (x264 164, x265 3.5, SVT-AV1 1.4, libaom 3.6, libvpx 1.12) at the speeds that <see cref="VideoEncoder"/> sets, on four clips of 25 to 60 frames (a flower at 960x540, a
/// roof at 640x360, a face at 640x428, a room at 768x432): each at ten values of every scale, PSNR of luma against the source, then for each anchor the median over the clips of the value at which
/// the encoder reaches x264's PSNR. There all lie within 0.8 dB of x264 on three of the clips, VP8 within 1.2 dB; on the smooth face, AV1 is up to 3.5 dB better. The PSNR at 80 is 43 to 48 dB.
/// Above 90, AV1 and VP8 have nothing finer to offer.
/// </remarks>
internal sealed class QualityScale
{
    public static readonly QualityScale X264 = new(digits: 1, (0, 36), (80, 18), (100, 2));
    public static readonly QualityScale X265 = new(digits: 1, (0, 37.8), (20, 33.1), (40, 28.3), (60, 23.4), (80, 18.2), (90, 9.6), (95, 5.4), (100, 1));
    public static readonly QualityScale SvtAv1 = new(digits: 0, (0, 63), (20, 58), (40, 47.5), (60, 33.4), (80, 19.4), (90, 4), (95, 1));
    public static readonly QualityScale AomAv1 = new(digits: 0, (0, 62), (20, 56.7), (40, 46.1), (60, 33.2), (80, 18.9), (90, 5.5), (95, 2), (100, 1));
    public static readonly QualityScale Vp9 = new(digits: 0, (0, 58), (20, 49.7), (40, 39.6), (60, 29.9), (80, 19.3), (90, 5.7), (95, 3), (100, 1));
    public static readonly QualityScale Vp8 = new(digits: 0, (20, 63), (40, 49.6), (60, 33), (80, 13.8), (90, 4), (95, 0));

    private readonly int _digits;
    private readonly (double Quality, double Value)[] _anchors;

    private QualityScale(int digits, params (double, double)[] anchors)
    {
        _digits = digits;
        _anchors = anchors;
    }

    /// <summary>The value for a quality: straight lines between the anchors.</summary>
    /// <param name="quality">0 to 100.</param>
    /// <param name="factor">For encoders with the same scale in other steps.</param>
    /// <param name="smallest">For encoders to which 0 means something else.</param>
    public string At(int quality, double factor = 1, double smallest = 0) =>
        Math.Max(smallest, Math.Round(Interpolate(quality) * factor, _digits)).ToString(CultureInfo.InvariantCulture);

    /// <summary>ProRes has a few profiles, each with a rate. Every one is at least as good as x264 at the qualities that choose it: on the flower and the roof, proxy reaches what x264 does at 55 and 28,
    /// LT at 89 and 81, standard at 94 and 89, HQ at 98.</summary>
    /// <param name="quality">0 to 100.</param>
    /// <param name="isFullChroma">Whether frames are 4:4:4, which has profiles of its own.</param>
    public static string ProResProfile(int quality, bool isFullChroma) => isFullChroma ? (quality >= 95 ? "4444xq" : "4444")
        : quality switch { < 30 => "proxy", < 60 => "lt", < 80 => "standard", _ => "hq" };

    private double Interpolate(double quality)
    {
        if (quality <= _anchors[0].Quality) return _anchors[0].Value;
        for (int i = 1; i < _anchors.Length; i++)
        {
            (double q0, double v0) = _anchors[i - 1];
            (double q1, double v1) = _anchors[i];
            if (quality <= q1) return v0 + (v1 - v0) * (quality - q0) / (q1 - q0);
        }
        return _anchors[^1].Value;
    }
}
