using System.CommandLine;
using RealtimeDeblur.Restoration;

namespace RealtimeDeblur.Cli;

/// <summary>Options that <c>deblur video</c> and <c>deblur image</c> share. Each command has its own instances.</summary>
internal static class RestoreOptions
{
    public static Option<string> Model() => new("--model")
    {
        Description = "Network: a shipped name or a .safetensors file. Networks trained on a camera's blur and noise suit real pictures; those trained on clean blur damage them.",
        HelpName = "NAME|FILE",
        DefaultValueFactory = _ => "dbcnn-camera",
    };

    public static Option<float> Strength()
    {
        Option<float> strength = new("--strength")
        {
            Description = "Share of restored detail mixed into the frame: 0 leaves it unchanged, 1 is full.",
            HelpName = "SHARE",
            DefaultValueFactory = _ => DeblurOptions.Default.Strength,
        };
        strength.Validators.Add(result =>
        {
            if (!(result.GetValueOrDefault<float>() is >= 0f and <= 1f)) result.AddError("--strength must be 0 to 1, e.g. 0.6.");
        });
        return strength;
    }

    public static Option<bool> Overwrite() => new("--overwrite") { Description = "Replace outputs that exist." };
}
