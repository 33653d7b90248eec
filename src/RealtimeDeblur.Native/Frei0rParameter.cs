using System.Globalization;
using RealtimeDeblur.Networks;
using RealtimeDeblur.Restoration;

namespace RealtimeDeblur.Native;

/// <summary>What a host may set on the frei0r plugin: the settings by name, and the numbers of frei0r, which all lie between 0 and 1, in units of ours.</summary>
/// <param name="Name">As hosts show it.</param>
/// <param name="Kind">Of the value.</param>
/// <param name="Explanation">Meaning, range and unit.</param>
internal sealed record Frei0rParameter(string Name, Frei0rKind Kind, string Explanation)
{
    public const int Strength = 0, Model = 1, Device = 2, Sigma = 3, Guard = 4;

    /// <summary>By index; hosts like FFmpeg set them in this order.</summary>
    public static IReadOnlyList<Frei0rParameter> All { get; } =
    [
        new("strength", Frei0rKind.Number, "Share of the restored detail: 0 leaves the picture unchanged, 1 is full"),
        new("model", Frei0rKind.Text, $"{string.Join(", ", ModelCatalog.Names)}, or the path of a {WeightsFile.Extension} file; those on camera suit real pictures. Or a filter: {string.Join(", ", RestorationMethod.Filters.Select(filter => filter.Name))}"),
        new("device", Frei0rKind.Text, "OpenCL device: its number, or part of its name; empty takes the first"),
        new("sigma", Frei0rKind.Number, string.Create(CultureInfo.InvariantCulture, $"Blur to restore: 0 estimates it from the pictures, 1 is a standard deviation of {SigmaSetting.MaxSigma} pixels, {1.6 / SigmaSetting.MaxSigma:0.##} is 1.6 pixels")),
        new("guard", Frei0rKind.Switch, "Leave alone what does not fit the blur: captions, what is sharp already, clipped lights, noise"),
    ];

    /// <summary>The setting for a number of frei0r's.</summary>
    public static SigmaSetting SigmaOf(double share) => share <= 0 ? SigmaSetting.Auto : SigmaSetting.Of((float)(Math.Min(share, 1) * SigmaSetting.MaxSigma));
}

/// <summary>F0R_PARAM_… of <c>frei0r.h</c>.</summary>
internal enum Frei0rKind
{
    /// <summary>double, off below 0.5.</summary>
    Switch = 0,

    /// <summary>double, 0 to 1.</summary>
    Number = 1,

    /// <summary>char*, UTF-8.</summary>
    Text = 4,
}
