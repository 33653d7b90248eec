using System.Diagnostics.CodeAnalysis;
using System.Globalization;

namespace RealtimeDeblur.Restoration;

/// <summary>How the sigma is found that a method restores which depends on it: from each frame, from each part of it, from the user, or not at all. As text: <c>auto</c>, <c>tiles</c>, <c>off</c>, <c>1.6</c>.</summary>
public readonly record struct SigmaSetting
{
    /// <summary>Largest sigma that can be set, in pixels.</summary>
    public const float MaxSigma = SigmaEstimate.MaxSigma;

    /// <summary>What <see cref="Off"/> restores, in pixels: mild enough to do little harm to a frame that is sharper, and most soft frames gain by it.</summary>
    public const float MiddleSigma = 1;

    private readonly bool _isOff;

    private SigmaSetting(float? value, bool isOff, bool isPerTile = false) => (Value, _isOff, IsPerTile) = (value, isOff, isPerTile);

    /// <summary>Each frame's own blur is estimated; frames that are sharp already pass unchanged. The default.</summary>
    public static SigmaSetting Auto { get; }

    /// <summary>As <see cref="Auto"/>, and blur that changes over the frame is estimated and restored part by part, by methods that can; for others it is <see cref="Auto"/>.</summary>
    public static SigmaSetting Tiles { get; } = new(null, isOff: false, isPerTile: true);

    /// <summary>Nothing is estimated, and every frame is restored for <see cref="MiddleSigma"/>.</summary>
    public static SigmaSetting Off { get; } = new(MiddleSigma, isOff: true);

    /// <summary>Whether each frame is looked at.</summary>
    public bool IsAuto => Value is null;

    /// <summary>Whether each part of a frame is looked at by itself.</summary>
    public bool IsPerTile { get; }

    /// <summary>The sigma of every frame, in pixels, 0 to <see cref="MaxSigma"/>; null where it is estimated.</summary>
    public float? Value { get; }

    /// <summary>Every frame is restored for one sigma.</summary>
    /// <param name="sigma">Standard deviation of the blur, in pixels of the frame, 0 to <see cref="MaxSigma"/>.</param>
    /// <exception cref="ArgumentOutOfRangeException">It is not in that range.</exception>
    public static SigmaSetting Of(float sigma) => sigma is >= 0 and <= MaxSigma ? new(sigma, isOff: false)
        : throw new ArgumentOutOfRangeException(nameof(sigma), sigma, string.Create(CultureInfo.InvariantCulture, $"Sigma must be 0 to {MaxSigma} pixels."));

    /// <summary>Reads what <see cref="ToString"/> writes; upper and lower case alike.</summary>
    /// <exception cref="FormatException">It is none of these.</exception>
    public static SigmaSetting Parse(string text) => TryParse(text, out SigmaSetting setting) ? setting
        : throw new FormatException(string.Create(CultureInfo.InvariantCulture, $"'{text}' is no sigma: it is auto, tiles, off, or 0 to {MaxSigma} pixels, e.g. 1.6."));

    /// <summary>As <see cref="Parse(string)"/>, without an exception.</summary>
    public static bool TryParse([NotNullWhen(true)] string? text, out SigmaSetting setting)
    {
        setting = Auto;
        if (string.Equals(text, "auto", StringComparison.OrdinalIgnoreCase)) return true;
        if (string.Equals(text, "tiles", StringComparison.OrdinalIgnoreCase))
        {
            setting = Tiles;
            return true;
        }
        if (string.Equals(text, "off", StringComparison.OrdinalIgnoreCase))
        {
            setting = Off;
            return true;
        }
        if (!float.TryParse(text, NumberStyles.Float, CultureInfo.InvariantCulture, out float sigma) || sigma is not (>= 0 and <= MaxSigma)) return false;
        setting = Of(sigma);
        return true;
    }

    /// <summary>The setting as <see cref="Parse(string)"/> reads it: <c>auto</c>, <c>tiles</c>, <c>off</c>, <c>1.6</c>.</summary>
    public override string ToString() => IsPerTile ? "tiles" : IsAuto ? "auto" : _isOff ? "off" : Value!.Value.ToString(CultureInfo.InvariantCulture);
}
