using System.CommandLine;
using System.Globalization;
using RealtimeDeblur.Networks;
using RealtimeDeblur.Restoration;

namespace RealtimeDeblur.Cli;

/// <summary>Options that <c>deblur video</c> and <c>deblur image</c> share. Each command has its own instances.</summary>
internal static class RestoreOptions
{
    public static Option<string> Model() => new("--model")
    {
        Description = "Network: a shipped name or a .safetensors file. Networks trained on a camera's blur and noise suit real pictures; those trained on clean blur damage them.",
        HelpName = "NAME|FILE",
        DefaultValueFactory = _ => "fast-camera",
    };

    public static Option<string?> Method() => new("--method")
    {
        Description = $"Filter of the literature in place of a network: {string.Join(", ", RestorationMethod.Filters.Select(filter => filter.Name))}. Its parameters follow its name, e.g. wiener:ratio=0.01.",
        HelpName = "NAME",
    };

    public static Option<SigmaSource> SigmaFrom() => new("--sigma-from")
    {
        Description = "What estimates sigma where it is auto: our learned estimator (ours), the steepest gradients (polyblur), or the spectrum at two scales (spectrum). Without it what the method was made with (own).",
        HelpName = "own|ours|polyblur|spectrum",
    };

    /// <summary>The method that the options name; notes it where an option of sigma changes nothing.</summary>
    /// <exception cref="UsageException">Both options are given, or there is no such filter.</exception>
    public static RestorationMethod Resolve(Invocation run, Option<string> model, Option<string?> filter, Option<SigmaSetting> sigma, Option<SigmaSource> sigmaFrom)
    {
        RestorationMethod method;
        if (run.Get(filter) is { } name)
        {
            if (run.IsGiven(model)) throw new UsageException("--model and --method are two ways to restore: choose one.");
            method = ParseFilter(name);
        }
        else
        {
            method = ModelCatalog.Load(run.Get(model));
        }
        Option? useless = method.TakesSigma ? null : run.IsGiven(sigma) ? sigma : run.IsGiven(sigmaFrom) ? sigmaFrom : null;
        if (useless is not null) run.Note($"{method.Name} restores every blur alike: {useless.Name} changes nothing.");
        else if (run.IsGiven(sigmaFrom) && !run.Get(sigma).IsAuto) run.Note("--sigma gives the blur: --sigma-from changes nothing.");
        return method;
    }

    /// <summary>A filter, with its parameters, or a network, as an option names it.</summary>
    /// <exception cref="UsageException">The filter has no such parameter.</exception>
    public static RestorationMethod Load(string option, string text)
    {
        try
        {
            return RestorationMethod.Load(text);
        }
        catch (FormatException e)
        {
            throw new UsageException($"{option}: {e.Message}");
        }
    }

    /// <summary>A filter, with its parameters, as --method names it.</summary>
    /// <exception cref="UsageException">There is no such filter.</exception>
    public static RestorationMethod ParseFilter(string text)
    {
        try
        {
            return RestorationMethod.Parse(text);
        }
        catch (FormatException e)
        {
            throw new UsageException($"--method: {e.Message}");
        }
    }

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

    public static Option<SigmaSetting> Sigma() => new("--sigma")
    {
        Description = string.Create(CultureInfo.InvariantCulture,
            $"Blur to restore, for methods that can be told: auto looks at the pictures themselves and leaves sharp ones alone, tiles looks at every part of them, off takes {SigmaSetting.MiddleSigma}, a number is the standard deviation in pixels, 0 to {SigmaSetting.MaxSigma}."),
        HelpName = "auto|tiles|off|PIXELS",
        DefaultValueFactory = _ => DeblurOptions.Default.Sigma,
        CustomParser = result =>
        {
            if (SigmaSetting.TryParse(result.Tokens[0].Value, out SigmaSetting setting)) return setting;
            result.AddError(string.Create(CultureInfo.InvariantCulture, $"--sigma must be auto, tiles, off, or 0 to {SigmaSetting.MaxSigma} pixels, e.g. 1.6."));
            return SigmaSetting.Auto;
        },
    };

    public static Option<bool> NoGuard() => new("--no-guard")
    {
        Description = "Restore everything alike. Without it, networks that are told sigma leave alone what was not blurred that way: captions, other sharp parts, clipped lights, noise.",
    };

    public static Option<bool> Overwrite() => new("--overwrite") { Description = "Replace outputs that exist. Without it their inputs are skipped, so that a second run goes on where the first one stopped." };
}
