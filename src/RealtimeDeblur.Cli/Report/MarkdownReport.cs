using System.Text;
using RealtimeDeblur.Training.Evaluation;

namespace RealtimeDeblur.Cli.Report;

/// <summary>An evaluation as a Markdown file: verdict, tables, and how they were made.</summary>
internal static class MarkdownReport
{
    public static string Write(EvaluationReport report)
    {
        EvaluationText text = new(report);
        StringBuilder markdown = new("# Restoration measured\n");
        if (text.Verdict() is { } verdict) markdown.Append($"\n{Escape(verdict)}\n");
        foreach (ReportTable table in text.Tables())
        {
            markdown.Append($"\n**{Escape(table.Title)}**\n\n");
            AppendRow(table.Columns);
            AppendRow([.. table.Columns.Select((_, i) => i == 0 ? "---" : "---:")]);
            for (int row = 0; row < table.Rows.Count; row++) AppendRow([.. table.Rows[row].Select((cell, column) => table.Strong.Contains((row, column)) ? $"**{Escape(cell)}**" : Escape(cell))]);
        }
        markdown.Append("\nBold: the best that is not told sigma.\n\n");
        foreach (string note in text.Notes()) markdown.Append($"- {Escape(note)}\n");
        return markdown.ToString();

        void AppendRow(IReadOnlyList<string> cells) => markdown.Append($"| {string.Join(" | ", cells)} |\n");
    }

    private static string Escape(string text) => text.Replace("|", "\\|", StringComparison.Ordinal).Replace("*", "\\*", StringComparison.Ordinal).Replace("<", "&lt;", StringComparison.Ordinal);
}
