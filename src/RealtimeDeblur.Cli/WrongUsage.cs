using System.CommandLine;
using System.CommandLine.Parsing;
using System.Diagnostics.CodeAnalysis;
using System.Globalization;
using System.Text.RegularExpressions;

namespace RealtimeDeblur.Cli;

/// <summary>Says in one line what is wrong with a command line, and which word was probably meant.</summary>
internal static partial class WrongUsage
{
    /// <summary>Parses a command line. False if it is not in order and does not ask for help either; <paramref name="wrong"/> says why.</summary>
    public static bool TryParse(RootCommand root, string[] args, [NotNullWhen(true)] out ParseResult? parsed, [NotNullWhen(false)] out string? wrong)
    {
        try
        {
            // A file name may start with @; it does not name a list of arguments.
            parsed = root.Parse(args, new ParserConfiguration { ResponseFileTokenReplacer = null });
            wrong = HelpWithExample.IsAskedFor(parsed) ? null : Describe(parsed);
        }
        catch (InvalidOperationException e)
        {
            // A validator that asks for the value of a number which is none gets no answer from System.CommandLine but this.
            parsed = null;
            wrong = WithoutTypeNames(e.Message);
        }
        return parsed is not null && wrong is null;
    }

    /// <returns>The sentence, or null when the command line is in order.</returns>
    private static string? Describe(ParseResult parsed)
    {
        Command command = parsed.CommandResult.Command;
        string path = command is RootCommand ? "deblur" : $"deblur {command.Name}";
        string seeHelp = $"'{path} --help' lists what there is.";

        string? unknown = parsed.UnmatchedTokens.Count > 0 ? parsed.UnmatchedTokens[0] : MisspeltOption(parsed);
        if (unknown is not null)
        {
            string word = unknown.StartsWith('-') ? unknown.Split('=')[0] : unknown;
            string kind = word.StartsWith('-') ? "option" : command.Subcommands.Count > 0 ? "command" : "argument";
            string? nearest = Nearest(word, kind == "option" ? OptionNames(parsed) : command.Subcommands.Select(known => known.Name));
            return $"{path} has no {kind} '{word}'. {(nearest is null ? "" : $"Did you mean '{nearest}'? ")}{seeHelp}";
        }
        return parsed.Errors.Count > 0 ? $"{WithoutTypeNames(parsed.Errors[0].Message)} {seeHelp}" : null;
    }

    private static string WithoutTypeNames(string message) => ExpectedChoice().Replace(ExpectedNumber(message), choices => $": it is {string.Join(" or ", choices.Groups[1].Value.ToLowerInvariant().Split('\n', StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries))}.");

    private static string ExpectedNumber(string message) => ExpectedType().Replace(message, type => type.Groups[1].Value.StartsWith("Int", StringComparison.Ordinal) ? ": a whole number is expected" : ": a number is expected");

    [GeneratedRegex(@" as expected type '(?:System\.Nullable`1\[)?System\.(Int32|Int64|Single|Double)\]?'")]
    private static partial Regex ExpectedType();

    // What is said of an enumeration, its values on lines of their own.
    [GeneratedRegex(@" as expected type 'RealtimeDeblur\.[^']*'\. Did you mean one of the following\?(.*)$", RegexOptions.Singleline)]
    private static partial Regex ExpectedChoice();

    /// <summary>A word with a leading dash that the parser took for an argument: it is far more often a mistyped option than a file of that name, which can be written ./-name.</summary>
    private static string? MisspeltOption(ParseResult parsed) => parsed.Tokens
        .TakeWhile(token => token.Type != TokenType.DoubleDash)
        .FirstOrDefault(token => token is { Type: TokenType.Argument, Value.Length: > 1 } && token.Value[0] == '-'
            && !double.TryParse(token.Value.Split(',')[0], CultureInfo.InvariantCulture, out _))?.Value;

    private static IEnumerable<string> OptionNames(ParseResult parsed) =>
        parsed.CommandResult.Command.Options.Concat(parsed.RootCommandResult.Command.Options.Where(option => option.Recursive)).Select(option => option.Name);

    /// <summary>The known word that <paramref name="word"/> begins, or else the one within a third of its letters; null when nothing is near.</summary>
    private static string? Nearest(string word, IEnumerable<string> known) => known
        .Select(candidate => (Word: candidate, Distance: candidate.StartsWith(word, StringComparison.OrdinalIgnoreCase) ? 0 : EditDistance(word, candidate)))
        .Where(candidate => candidate.Distance <= Math.Max(2, word.Length / 3))
        .OrderBy(candidate => candidate.Distance)
        .FirstOrDefault().Word;

    /// <summary>Levenshtein distance: the fewest letters to insert, delete or replace.</summary>
    private static int EditDistance(string a, string b)
    {
        int[] row = [.. Enumerable.Range(0, b.Length + 1)];
        for (int i = 1; i <= a.Length; i++)
        {
            int diagonal = row[0]++;
            for (int j = 1; j <= b.Length; j++)
            {
                int replaced = diagonal + (char.ToLowerInvariant(a[i - 1]) == char.ToLowerInvariant(b[j - 1]) ? 0 : 1);
                diagonal = row[j];
                row[j] = Math.Min(replaced, Math.Min(row[j - 1], row[j]) + 1);
            }
        }
        return row[^1];
    }
}
