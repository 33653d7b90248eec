using RealtimeDeblur.Compute;
using RealtimeDeblur.Networks;

namespace RealtimeDeblur.Restoration;

/// <summary>A filter of the literature, as it can be asked for by name.</summary>
public sealed class FilterDescription
{
    internal FilterDescription(string name, string summary, string source, IReadOnlyList<FilterParameter> parameters, Func<FilterSetUp, IRestorer> create) =>
        (Name, Summary, Source, Parameters, Create) = (name, summary, source, parameters, create);

    /// <summary>As in <see cref="RestorationMethod.Parse(string)"/>.</summary>
    public string Name { get; }

    /// <summary>What it does, in a sentence.</summary>
    public string Summary { get; }

    /// <summary>The paper or book it comes from.</summary>
    public string Source { get; }

    /// <summary>What can be set; each has a default.</summary>
    public IReadOnlyList<FilterParameter> Parameters { get; }

    /// <summary>What estimates sigma for it unless asked otherwise; not <see cref="SigmaSource.Own"/>.</summary>
    public SigmaSource SigmaFrom { get; init; } = SigmaSource.Ours;

    /// <summary>Whether it has the estimator of <see cref="SigmaFrom"/> inside, and is an <see cref="IBlindRestorer"/>.</summary>
    internal bool FindsBlur { get; init; }

    /// <summary>Makes it ready for frames of one layout.</summary>
    internal Func<FilterSetUp, IRestorer> Create { get; }
}

/// <summary>A number that a filter depends on.</summary>
/// <param name="Name">In lower case.</param>
/// <param name="Meaning">What it does, with its unit.</param>
/// <param name="Minimum">Smallest value.</param>
/// <param name="Maximum">Largest value.</param>
/// <param name="Default">Value where none is given.</param>
public sealed record FilterParameter(string Name, string Meaning, double Minimum, double Maximum, double Default)
{
    /// <summary>Whether only whole numbers are meant.</summary>
    public bool IsWhole { get; init; }
}

/// <summary>What a filter is made for.</summary>
/// <param name="Device">Where to run.</param>
/// <param name="Samples">How frames lie in memory; of one channel.</param>
/// <param name="Values">Every parameter of the filter, by name.</param>
internal sealed record FilterSetUp(ComputeDevice Device, SampleLayout Samples, IReadOnlyDictionary<string, double> Values)
{
    public float this[string parameter] => (float)Values[parameter];
}
