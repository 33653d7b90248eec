using System.CommandLine;
using System.Globalization;
using RealtimeDeblur.Compute;
using RealtimeDeblur.Networks;

namespace RealtimeDeblur.Cli.Commands;

/// <summary><c>deblur tune</c>: finds the fastest kernels for each network and frame size on a device, and remembers them for every other command.</summary>
internal static class TuneCommand
{
    public static Command Create()
    {
        Option<string[]> models = BenchCommand.ModelOption();
        Option<FrameSize[]> sizes = BenchCommand.SizeOption();
        return new CliCommand(
            "tune",
            "Tries every kernel variant on the device, compares each with the definition, times those that are right, and remembers the fastest for the other commands.",
            "deblur tune --model dbcnn --size 1280x720",
            run => run.Result(Measure(run, run.Get(models), run.Get(sizes)), Print))
        {
            models,
            sizes,
        };
    }

    private static TuneResult Measure(Invocation run, string[] models, FrameSize[] sizes)
    {
        Network[] networks = BenchCommand.LoadNetworks(run, models);
        using ComputeDevice device = run.OpenDevice();
        var rows = new List<TuneRow>();
        string? file = null;
        using ProgressDisplay progress = run.StartProgress("Tuning", "plans",
            networks.Sum(network => sizes.Sum(size => (long)InferenceSession.ListPlans(device, network.Description, size.Width, size.Height).Count)));
        int tried = 0;
        foreach (Network network in networks)
        {
            foreach (FrameSize size in sizes)
            {
                InferencePlan before = InferenceSession.ListPlans(device, network.Description, size.Width, size.Height)[0];
                IReadOnlyList<PlanMeasurement> plans = PlanTuner.Measure(device, network, size.Width, size.Height, one =>
                {
                    progress.Report(++tried, $"{network.Name} {size}");
                    run.Detail(string.Create(CultureInfo.InvariantCulture, $"{network.Name} {size}: {one.Plan}: {(one.Refusal is null ? $"{one.DeviceMs:0.00} ms, error {one.Error:0.0e+0}" : one.Refusal)}"));
                }, run.Cancellation);
                file = PlanTuner.Store(device.Info, network.Description, size.Width, size.Height, plans[0]) ?? file;
                rows.AddRange(plans.Select((one, i) => new TuneRow(network.Name, size.Width, size.Height, one.Plan.ToString(), i == 0, one.Plan == before, Finite(one.DeviceMs), Finite(one.Error), one.Runs, one.Refusal)));
            }
        }
        return new(device.Info.Name, device.Info.Driver, file, rows);

        // JSON has no word for NaN.
        static double? Finite(double value) => double.IsFinite(value) ? value : null;
    }

    private static void Print(TuneResult result, TextWriter text)
    {
        text.WriteLine($"{result.Device} ({result.Driver})");
        foreach (IGrouping<(string Model, int Width, int Height), TuneRow> one in result.Results.GroupBy(row => (row.Model, row.Width, row.Height)))
        {
            text.WriteLine();
            text.WriteLine($"{one.Key.Model} {one.Key.Width}x{one.Key.Height}");
            foreach (TuneRow row in one)
            {
                string figures = row.Refusal ?? string.Create(CultureInfo.InvariantCulture, $"{row.DeviceMs,9:0.00} ms   error {row.Error:0.0e+0}   {row.Runs,2} runs");
                text.WriteLine($"  {(row.IsFastest ? '*' : ' ')} {row.Plan,-64} {figures}{(row.IsDefault ? "   (default)" : "")}");
            }
        }
        text.WriteLine();
        text.WriteLine(result.File is null ? "There is no cache folder to remember them in." : $"* is used from here on; remembered in {result.File}");
    }
}

/// <summary>Result of <c>deblur tune</c>.</summary>
/// <param name="Device">Name of the device.</param>
/// <param name="Driver">Its driver.</param>
/// <param name="File">Where the fastest plans are remembered.</param>
/// <param name="Results">The fastest first for every model and size.</param>
internal sealed record TuneResult(string Device, string Driver, string? File, IReadOnlyList<TuneRow> Results);

/// <param name="Model">Name of the network.</param>
/// <param name="Width">Columns of the frame.</param>
/// <param name="Height">Rows of the frame.</param>
/// <param name="Plan">Kernels and macros.</param>
/// <param name="IsFastest">Whether it is remembered.</param>
/// <param name="IsDefault">Whether it is what runs without tuning.</param>
/// <param name="DeviceMs">Median device time per frame; null where it was not timed.</param>
/// <param name="Error">Largest error against the definition, relative to 1 + the expected value.</param>
/// <param name="Runs">Frames timed.</param>
/// <param name="Refusal">Why it is out.</param>
internal sealed record TuneRow(string Model, int Width, int Height, string Plan, bool IsFastest, bool IsDefault, double? DeviceMs, double? Error, int Runs, string? Refusal);
