namespace RealtimeDeblur.Cli.Report;

/// <summary>A table before it is drawn on a terminal, in Markdown or in HTML.</summary>
/// <param name="Title">What it shows.</param>
/// <param name="Columns">Heads; the first column holds names, the others numbers.</param>
/// <param name="Rows">As many cells each as there are columns.</param>
internal sealed record ReportTable(string Title, IReadOnlyList<string> Columns, IReadOnlyList<IReadOnlyList<string>> Rows)
{
    /// <summary>Row and column of the cells that stand out.</summary>
    public IReadOnlySet<(int Row, int Column)> Strong { get; init; } = new HashSet<(int, int)>();

    /// <summary>Whether the last column holds text that may take several lines.</summary>
    public bool EndsInText { get; init; }
}
