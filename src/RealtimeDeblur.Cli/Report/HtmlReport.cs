using System.Globalization;
using System.Net;
using System.Text;
using System.Text.Json;
using RealtimeDeblur.Training.Data;
using RealtimeDeblur.Training.Evaluation;

namespace RealtimeDeblur.Cli.Report;

/// <summary>An evaluation as one HTML page that needs nothing else: tables, plots as SVG, pictures inside it, and two pictures under a line that can be dragged.</summary>
internal sealed class HtmlReport
{
    /// <summary>Examples beyond these are left out, so that the page opens quickly.</summary>
    private const int MostExamples = 6;

    /// <summary>What is worse than the input by more than this, in dB, is drawn at the lower edge.</summary>
    private const double LeastGain = -2;

    private readonly EvaluationReport _report;
    private readonly EvaluationText _text;
    private readonly List<string> _models;
    private readonly StringBuilder _html = new();
    private int _figures;
    private int _tables;

    private HtmlReport(EvaluationReport report)
    {
        _report = report;
        _text = new(report);
        // Networks first: they get the colours that are told apart most easily.
        _models = [.. report.Results.Where(result => result.Kind != MethodKind.Input).OrderByDescending(result => result.Kind).Select(result => StyleName(result.Model)).Distinct()];
    }

    public static string Write(EvaluationReport report) => new HtmlReport(report).Write();

    private string Write()
    {
        _html.Append($"<!DOCTYPE html>\n<html lang=\"en\"><head><meta charset=\"utf-8\"><meta name=\"viewport\" content=\"width=device-width, initial-scale=1\"><meta name=\"color-scheme\" content=\"light dark\">"
            + $"<link rel=\"icon\" href=\"data:,\"><title>Restoration of blurred pictures, measured</title>\n<style>\n{Resource("report.css")}</style></head>\n<body><main>\n");
        string[] sets = [.. _report.Results.Select(result => result.Set).Distinct()];
        int methods = _report.Results.Where(result => result.Kind != MethodKind.Input).Select(result => result.Model).Distinct().Count();
        _html.Append($"<header><h1>Restoration of blurred pictures, measured</h1><p class=\"summary\">{Count(methods, "method")} on {Encode(string.Join(", ", sets))}; sigma {Encode(string.Join(", ", _report.Results.Select(result => Number(result.Sigma)).Distinct()))} pixels{(_report.Protocol.Device is { } device ? $"; {Encode(device)}" : "")}.</p></header>\n");
        WriteVerdict();
        WriteExamples();
        WriteCosts();
        WriteGains();
        WriteTables();
        WriteEstimators();
        WriteProtocol();
        return _html.Append($"</main>\n<script>\n{Resource("report.js")}</script>\n</body></html>\n").ToString();
    }

    private void WriteVerdict()
    {
        if (_text.Verdict() is not { } verdict) return;
        Section("Verdict");
        _html.Append($"<p class=\"verdict\">{Encode(verdict)}</p>\n");
        if (_text.Setbacks() is { } setbacks) Table(setbacks, "");
    }

    private void WriteExamples()
    {
        if (_report.Examples.Count == 0) return;
        Section("Pictures");
        foreach (ExamplePicture example in _report.Examples.Take(MostExamples)) WriteExample(example);
        if (_report.Examples.Count > MostExamples) _html.Append(CultureInfo.InvariantCulture, $"<p>The first {MostExamples} of {_report.Examples.Count} examples.</p>\n");
    }

    private void WriteExample(ExamplePicture example)
    {
        ExampleView view = new(example);
        (string Name, LumaPlane Luma, string Psnr)[] shown =
        [
            .. example.Restored.Select(one => (EvaluationText.Name(one), one.Luma, string.Create(CultureInfo.InvariantCulture, $"{one.Psnr:0.00} dB"))),
            ("original", example.Sharp, "the truth"),
        ];
        string what = string.Create(CultureInfo.InvariantCulture, $"{example.Name} of {_text.Title(example.Degradation, example.Psf, example.Set)}, sigma {example.Sigma}");
        int best = Math.Max(0, example.Restored.ToList().FindIndex(one => one.Kind == MethodKind.Network && one.Mode != SigmaMode.Given));
        if (best == 0 && shown.Length > 2) best = 1;

        _html.Append(CultureInfo.InvariantCulture, $"<figure class=\"compare\" style=\"--ratio:{view.Size.Width}/{view.Size.Height};--wide:{2 * view.Size.Width}px\"><div class=\"choices\">");
        foreach ((string side, int chosen) in ((string, int)[])[("left", 0), ("right", best)])
        {
            _html.Append($"<label>{(side == "left" ? "Left" : "Right")} <select class=\"{side}\">");
            for (int i = 0; i < shown.Length; i++) _html.Append($"<option value=\"{i}\"{(i == chosen ? " selected" : "")}>{Encode($"{shown[i].Name}, {shown[i].Psnr}")}</option>");
            _html.Append("</select></label>");
        }
        _html.Append("</div><div class=\"stage\"><img class=\"right\" alt=\"\"><img class=\"left\" alt=\"\"><div class=\"line\"></div>"
            + $"<input type=\"range\" min=\"0\" max=\"100\" step=\"0.5\" value=\"50\" aria-label=\"{Encode($"Dividing line between two versions of {what}")}\"></div>"
            + $"<script type=\"application/json\">{JsonSerializer.Serialize(shown.Select(one => view.Part(one.Luma)))}</script>");
        Caption($"{what}: drag the line, or move it with the arrow keys. A part of the picture, luma only, at twice its size. PSNR is that of the whole picture.");
        _html.Append("</figure>\n<figure class=\"strip\"><div class=\"details\">");
        foreach ((string name, LumaPlane luma, string psnr) in shown) _html.Append($"<div><img alt=\"{Encode($"Detail restored by {name}")}\" src=\"{view.Detail(luma)}\"><span class=\"name\">{Encode(name)}</span><span class=\"psnr\">{psnr}</span></div>");
        _html.Append("</div>");
        Caption($"The same, enlarged: the detail that the blur changed most.");
        _html.Append("</figure>\n");
    }

    private void WriteCosts()
    {
        if (_report.Results.All(result => result.MacPerPixel is null)) return;
        Section("Quality and cost");
        foreach (var group in _text.Groups)
        {
            EvaluationResult[] shown = [.. group.Where(result => result.Sigma == _text.ShownSigma)];
            EvaluationResult input = shown.First(result => result.Kind == MethodKind.Input);
            string title = string.Create(CultureInfo.InvariantCulture, $"{_text.Title(group.Key.Degradation, group.Key.Psf, group.Key.Set)}, sigma {_text.ShownSigma}");
            _html.Append("<figure class=\"plots\"><div>");
            _html.Append(Cost("multiply-accumulates per pixel", result => result.MacPerPixel));
            _html.Append(Cost("milliseconds per million pixels", result => result.MsPerMegapixel));
            _html.Append("</div>");
            Caption($"PSNR against work, and against time{(_report.Protocol.Device is { } device ? $" on {device}" : "")}. Filled: told sigma, or blind by nature; hollow: sigma estimated. A line joins what differs in this alone.");
            _html.Append("</figure>\n");

            string Cost(string label, Func<EvaluationResult, double?> cost) => new SvgPlot(title, label, "PSNR, dB")
            {
                IsLogX = true,
                NamesAtEnd = false,
                Reference = (input.Psnr, "blurred input"),
                Series = [.. shown.Where(result => cost(result) > 0).GroupBy(result => result.Model).SelectMany(model => (PlotSeries[])
                [
                    new(PlotName(model.Key), [.. model.Select(result => (cost(result)!.Value, result.Psnr))], StyleOf(model.Key)) { IsHeavy = model.First().Kind == MethodKind.Network, IsOpen = model.All(result => result.SigmaMode == SigmaMode.Auto) },
                    new(null, [.. model.Where(result => result.SigmaMode == SigmaMode.Auto).Select(result => (cost(result)!.Value, result.Psnr)).Take(1)], StyleOf(model.Key)) { IsOpen = true, IsHeavy = model.First().Kind == MethodKind.Network },
                ])],
            }.Write();
        }
    }

    private void WriteGains()
    {
        if (_report.Results.Select(result => result.Sigma).Where(sigma => sigma > 0).Distinct().Count() < 2 || _models.Count == 0) return;
        Section("Quality and blur");
        foreach (var group in _text.Groups)
        {
            Dictionary<float, double> input = group.Where(result => result.Kind == MethodKind.Input).ToDictionary(result => result.Sigma, result => result.Psnr);
            _html.Append("<figure class=\"plots\"><div>");
            foreach ((string how, bool isTold) in ((string, bool)[])[("sigma given", true), ("sigma not given", false)])
            {
                _html.Append(new SvgPlot($"{_text.Title(group.Key.Degradation, group.Key.Psf, group.Key.Set)}, {how}", "sigma of the blur, pixels", "gain over the blurred input, dB")
                {
                    LeastY = LeastGain,
                    Reference = (0, "blurred input"),
                    Series = [.. group.Where(result => result.Kind != MethodKind.Input && result.Sigma > 0 && result.KnowsSigma == isTold).GroupBy(EvaluationText.Name).Select(line => line.ToArray() is var all
                        ? new PlotSeries(PlotName(all[0].Model) + (all[0] is { SigmaFrom: { } from, IsOwnEstimator: false } ? $" by {EvaluationText.Name(from)}" : ""), [.. all.Select(result => ((double)result.Sigma, result.Psnr - input[result.Sigma]))], StyleOf(all[0].Model))
                        {
                            IsHeavy = all[0].Kind == MethodKind.Network,
                            IsOpen = all[0] is { SigmaFrom: not null, IsOwnEstimator: false } or { BestValue: not null },
                        }
                        : null!)],
                }.Write());
            }
            _html.Append("</div>");
            Caption(string.Create(CultureInfo.InvariantCulture, $"PSNR gained over the blurred input, against the width of the blur; what loses more than {-LeastGain} dB is drawn at the lower edge. Left: methods that are told sigma (dashed: with the parameter that suits each picture best). Right: methods that have to find it, or restore every blur alike."));
            _html.Append("</figure>\n");
        }
    }

    private void WriteTables()
    {
        Section("Tables");
        foreach (var group in _text.Groups)
        {
            Table(_text.QualityTable(group), " Bold: the best that is not told sigma.");
            if (group.Any(result => result.SigmaEstimate is not null)) Table(_text.EstimateTable(group), "");
            if (_report.Protocol.SharpHalf is not null) Table(_text.SharpHalfTable(group), "");
        }
    }

    private void WriteEstimators()
    {
        if (_report.Estimators.Count == 0) return;
        Section("Estimators of sigma");
        foreach (IGrouping<(string Set, string Condition), EstimatorResult> group in _report.Estimators.GroupBy(one => (one.Set, one.Condition)))
        {
            if (group.Select(one => one.Sigma).Where(sigma => sigma > 0).Distinct().Count() < 2) continue;
            _html.Append("<figure class=\"plots\"><div>");
            _html.Append(Plot("bias, % of sigma", one => 100 * one.Bias));
            _html.Append(Plot("distance of the quartiles, % of sigma", one => 100 * one.QuartileDistance));
            _html.Append("</div>");
            Caption($"{group.Key.Set}, {group.Key.Condition}: median error of the estimates, and how far they scatter, against the true sigma.");
            _html.Append("</figure>\n");

            string Plot(string label, Func<EstimatorResult, double> value) => new SvgPlot($"{group.Key.Set}, {group.Key.Condition}", "true sigma, pixels", label)
            {
                Reference = (0, ""),
                Series = [.. group.Where(one => one.Sigma > 0).GroupBy(one => one.Estimator!.Value).Select(line =>
                    new PlotSeries(EvaluationText.Name(line.Key), [.. line.Select(one => ((double)one.Sigma, value(one)))], (int)line.Key - 1) { IsHeavy = line.Key == Restoration.SigmaSource.Ours })],
            }.Write();
        }
        foreach (ReportTable table in _text.EstimatorTables()) Table(table, "");
    }

    private void WriteProtocol()
    {
        Section("How this was measured");
        _html.Append("<ul class=\"protocol\">");
        foreach (string note in ((IEnumerable<string>)[$"Measured is luma: {_report.Protocol.Luma}.", $"PSNR: {_report.Protocol.Psnr}.", $"SSIM: {_report.Protocol.Ssim}."]).Concat(_text.Notes())) _html.Append($"<li>{Encode(note)}</li>");
        _html.Append("</ul>\n");
        if (_report.Skipped.Count == 0) return;
        _html.Append("<p>Left out:</p><ul class=\"protocol\">");
        foreach (SkippedPicture picture in _report.Skipped) _html.Append($"<li>{Encode($"{Path.GetFileName(picture.Source)}: {picture.Reason}")}</li>");
        _html.Append("</ul>\n");
    }

    private void Section(string title) => _html.Append($"<h2>{Encode(title)}</h2>\n");

    private void Caption(string text) => _html.Append(CultureInfo.InvariantCulture, $"<figcaption><b>Figure {++_figures}.</b> {Encode(text)}</figcaption>");

    private void Table(ReportTable table, string remark)
    {
        _html.Append(CultureInfo.InvariantCulture, $"<div class=\"table\"><table{(table.EndsInText ? " class=\"text\"" : "")}><caption><b>Table {++_tables}.</b> {Encode($"{table.Title}.{remark}")}</caption><thead><tr>");
        foreach (string column in table.Columns) _html.Append($"<th scope=\"col\">{Encode(column)}</th>");
        _html.Append("</tr></thead><tbody>");
        for (int row = 0; row < table.Rows.Count; row++)
        {
            _html.Append($"<tr><th scope=\"row\">{Encode(table.Rows[row][0])}</th>");
            for (int column = 1; column < table.Rows[row].Count; column++) _html.Append($"<td{(table.Strong.Contains((row, column)) ? " class=\"strong\"" : "")}>{Encode(table.Rows[row][column])}</td>");
            _html.Append("</tr>");
        }
        _html.Append("</tbody></table></div>\n");
    }

    /// <summary>A method and the same with a parameter searched share colour and marker.</summary>
    private int StyleOf(string model) => _models.IndexOf(StyleName(model));

    private static string StyleName(string model) => model.EndsWith($"={EvaluatedMethod.Best}", StringComparison.Ordinal) ? model[..model.IndexOf(':', StringComparison.Ordinal)] : model;

    /// <summary>"wiener best" for "wiener:ratio=best": names in plots are short.</summary>
    private static string PlotName(string model) => StyleName(model) is var plain && plain == model ? model : $"{plain} {EvaluatedMethod.Best}";

    private static string Count(int count, string noun) => string.Create(CultureInfo.InvariantCulture, $"{count} {noun}{(count == 1 ? "" : "s")}");

    private static string Number(float value) => value.ToString(CultureInfo.InvariantCulture);

    private static string Encode(string text) => WebUtility.HtmlEncode(text);

    private static string Resource(string name)
    {
        using StreamReader reader = new(typeof(HtmlReport).Assembly.GetManifestResourceStream(name)!);
        return reader.ReadToEnd();
    }
}
