using System.Globalization;
using RealtimeDeblur.Networks;
using RealtimeDeblur.Restoration;

namespace RealtimeDeblur.Training.Evaluation;

/// <summary>A method under the name that results give it.</summary>
internal sealed record EvaluatedMethod(string Name, RestorationMethod Method)
{
    /// <summary>What a parameter is set to where the value that suits each picture best is searched, as in <c>wiener:ratio=best</c>.</summary>
    public const string Best = "best";

    /// <summary>The network under a name.</summary>
    public EvaluatedMethod(string name, Network network) : this(name, RestorationMethod.FromNetwork(network))
    {
    }

    /// <summary>Our learned estimator of sigma for it; null takes what is installed for the network's blur, for filters for the blur in hand.</summary>
    internal EstimatorWeights? Estimator { get; init; }

    /// <summary>The parameter that is searched for every picture, its truth being known; null for none.</summary>
    internal FilterParameter? Searched { get; private init; }

    /// <summary>A filter as <see cref="RestorationMethod.Parse(string)"/> takes it, one of whose values may be <see cref="Best"/>.</summary>
    /// <exception cref="FormatException">It is none, or more than one parameter is to be searched.</exception>
    public static EvaluatedMethod Parse(string text)
    {
        const string Suffix = "=" + Best;
        string[] parts = text.Split(':');
        string[] searched = [.. parts.Where(part => part.EndsWith(Suffix, StringComparison.OrdinalIgnoreCase)).Select(part => part[..^Suffix.Length])];
        RestorationMethod method = RestorationMethod.Parse(string.Join(':', parts.Where(part => !part.EndsWith(Suffix, StringComparison.OrdinalIgnoreCase))));
        if (searched.Length == 0) return new(method.Name, method);
        if (searched.Length > 1) throw new FormatException($"{text}: the best value of one parameter can be searched at a time.");
        FilterParameter parameter = method.Filter!.Parameters.FirstOrDefault(known => string.Equals(known.Name, searched[0], StringComparison.OrdinalIgnoreCase))
            ?? throw new FormatException($"{method.Filter.Name} has no parameter '{searched[0]}'.");
        return new($"{method.Name}:{parameter.Name}{Suffix}", method) { Searched = parameter };
    }

    /// <summary>The filter with a value for the parameter that is searched.</summary>
    internal RestorationMethod At(double value) => RestorationMethod.Parse(string.Create(CultureInfo.InvariantCulture, $"{Method.Name}:{Searched!.Name}={value:R}"));
}
