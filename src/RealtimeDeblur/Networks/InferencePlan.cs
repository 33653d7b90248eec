using System.Collections.Immutable;
using System.Globalization;

namespace RealtimeDeblur.Networks;

/// <summary>Which kernels compute a network, and the macros they are built with. All plans give the same result to within rounding. As text: <c>dbcnn WINOGRAD=1 TILES=4</c>.</summary>
internal sealed record InferencePlan
{
    private readonly ImmutableArray<(string Macro, int Value)> _macros;

    /// <param name="kernels">Name of the family of kernels.</param>
    /// <param name="macros">Values that differ from plan to plan, in the family's order.</param>
    public InferencePlan(string kernels, params ReadOnlySpan<(string Macro, int Value)> macros)
    {
        Kernels = kernels;
        _macros = [.. macros];
    }

    /// <summary>Name of the family of kernels, e.g. <c>general</c>.</summary>
    public string Kernels { get; }

    /// <summary>The value of a macro; null where the plan does not say.</summary>
    public int? this[string macro]
    {
        get
        {
            foreach ((string name, int value) in _macros)
            {
                if (name == macro) return value;
            }
            return null;
        }
    }

    /// <summary>For the kernels' compiler: <c> -DTILES=4</c>, with a space before each.</summary>
    internal string Options => string.Concat(_macros.Select(one => string.Create(CultureInfo.InvariantCulture, $" -D{one.Macro}={one.Value}")));

    public override string ToString() => string.Concat([Kernels, .. _macros.Select(one => string.Create(CultureInfo.InvariantCulture, $" {one.Macro}={one.Value}"))]);

    public bool Equals(InferencePlan? other) => other is not null && Kernels == other.Kernels && _macros.SequenceEqual(other._macros);

    public override int GetHashCode() => ToString().GetHashCode(StringComparison.Ordinal);

    /// <summary>Reads what <see cref="ToString"/> wrote.</summary>
    /// <exception cref="FormatException">The text is no plan.</exception>
    public static InferencePlan Parse(string text)
    {
        string[] words = text.Split(' ', StringSplitOptions.RemoveEmptyEntries);
        if (words.Length == 0) throw new FormatException("A plan is the name of its kernels and their macros, e.g. 'dbcnn TILES=4', not nothing.");
        return new(words[0], [.. words.Skip(1).Select(word =>
            word.Split('=') is [{ Length: > 0 } macro, string number] && macro.All(c => char.IsAsciiLetterOrDigit(c) || c == '_') && int.TryParse(number, NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture, out int value)
                ? (macro, value)
                : throw new FormatException($"'{word}' in the plan '{text}' is not of the form MACRO=NUMBER."))]);
    }
}
