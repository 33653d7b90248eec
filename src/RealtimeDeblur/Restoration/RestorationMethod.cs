using System.Globalization;
using RealtimeDeblur.Networks;
using RealtimeDeblur.Restoration.Methods;

namespace RealtimeDeblur.Restoration;

/// <summary>What restores frames: a network, or a filter of the literature with its parameters. Immutable.</summary>
public sealed class RestorationMethod
{
    private const char Separator = ':';

    private RestorationMethod(string name, Network? network, FilterDescription? filter, IReadOnlyDictionary<string, double> parameters)
    {
        Name = name;
        Network = network;
        Filter = filter;
        Parameters = parameters;
    }

    /// <summary>The filters that there are.</summary>
    public static IReadOnlyList<FilterDescription> Filters => FilterCatalog.All;

    /// <summary>The network's name, or the filter's with the parameters that were given, as <see cref="Parse(string)"/> reads it.</summary>
    public string Name { get; }

    /// <summary>Null for a filter.</summary>
    public Network? Network { get; }

    /// <summary>Null for a network.</summary>
    public FilterDescription? Filter { get; }

    /// <summary>All parameters of the filter with their values; none for a network.</summary>
    public IReadOnlyDictionary<string, double> Parameters { get; }

    /// <summary>Whether the method restores a blur of known sigma, which is given or estimated; else it treats every blur alike.</summary>
    public bool TakesSigma => Filter is not null || Network!.IsConditioned;

    /// <summary>Channels: 1 for luma; 3 where RGB is needed.</summary>
    public int C => Network?.Description.C ?? 1;

    /// <summary>The network as a method.</summary>
    public static implicit operator RestorationMethod(Network network) => FromNetwork(network);

    /// <summary>The network as a method.</summary>
    public static RestorationMethod FromNetwork(Network network) => new(network.Name, network, null, new Dictionary<string, double>());

    /// <summary>A filter as <see cref="Parse(string)"/> reads it, or a network as <see cref="ModelCatalog.Load(string)"/> finds it.</summary>
    /// <param name="nameOrPath">Name of a filter, with or without parameters; name of a shipped network; or path of a <c>.safetensors</c> file.</param>
    /// <exception cref="FormatException">The filter has no such parameter, or a value is out of its range.</exception>
    /// <exception cref="FileNotFoundException">There is neither filter, nor network, nor file of this name.</exception>
    /// <exception cref="InvalidDataException">The file is damaged or holds something else.</exception>
    /// <exception cref="IOException">The file cannot be read.</exception>
    public static RestorationMethod Load(string nameOrPath)
    {
        string first = nameOrPath.Split(Separator)[0];
        return Filters.Any(filter => string.Equals(filter.Name, first, StringComparison.OrdinalIgnoreCase)) ? Parse(nameOrPath) : ModelCatalog.Load(nameOrPath);
    }

    /// <summary>A filter by its name, with values for its parameters behind it: <c>wiener</c>, <c>polyblur:alpha=6:beta=1</c>.</summary>
    /// <exception cref="FormatException">There is no such filter or parameter, or a value is out of its range.</exception>
    public static RestorationMethod Parse(string text)
    {
        string[] parts = text.Split(Separator);
        FilterDescription filter = Filters.FirstOrDefault(known => string.Equals(known.Name, parts[0], StringComparison.OrdinalIgnoreCase))
            ?? throw new FormatException($"There is no method '{parts[0]}'. Methods are {string.Join(", ", Filters.Select(known => known.Name))}.");
        Dictionary<string, double> values = filter.Parameters.ToDictionary(parameter => parameter.Name, parameter => parameter.Default);
        foreach (string part in parts.Skip(1))
        {
            string[] pair = part.Split('=');
            FilterParameter parameter = filter.Parameters.FirstOrDefault(known => string.Equals(known.Name, pair[0], StringComparison.OrdinalIgnoreCase))
                ?? throw new FormatException(filter.Parameters.Count == 0 ? $"{filter.Name} has no parameters." : $"{filter.Name} has no parameter '{pair[0]}', but {string.Join(", ", filter.Parameters.Select(known => known.Name))}.");
            if (pair.Length != 2 || !double.TryParse(pair[1], NumberStyles.Float, CultureInfo.InvariantCulture, out double value) || !(value >= parameter.Minimum && value <= parameter.Maximum) || parameter.IsWhole && value != Math.Floor(value))
            {
                throw new FormatException(string.Create(CultureInfo.InvariantCulture,
                    $"{filter.Name}: {parameter.Name} must be {(parameter.IsWhole ? "a whole number of " : "")}{parameter.Minimum} to {parameter.Maximum}, e.g. {filter.Name}:{parameter.Name}={parameter.Default}."));
            }
            values[parameter.Name] = value;
        }
        return new(string.Join(Separator, [filter.Name, .. parts.Skip(1).Select(part => part.ToLowerInvariant())]), null, filter, values);
    }

    /// <summary>The name.</summary>
    public override string ToString() => Name;
}
