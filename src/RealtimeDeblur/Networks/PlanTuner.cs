using RealtimeDeblur.Compute;

namespace RealtimeDeblur.Networks;

/// <summary>What tuning found out about a plan.</summary>
/// <param name="Plan">The plan.</param>
/// <param name="DeviceMs">Median device time per frame in milliseconds; NaN where it was not timed.</param>
/// <param name="Error">Largest error against the definition, relative to 1 + the expected value; NaN where there is no result.</param>
/// <param name="Runs">Frames timed.</param>
/// <param name="Refusal">Why it is out: it did not build, or came out wrong, or was far slower from the first frame on. Null where it stood to the end.</param>
internal sealed record PlanMeasurement(InferencePlan Plan, double DeviceMs, double Error, int Runs, string? Refusal);

/// <summary>Finds the fastest plan for a network and frame size on a device by trying them: each is compared with the definition first, then all that are right are timed in turns.</summary>
internal static class PlanTuner
{
    /// <summary>Largest error of a plan that computes in float; see <see cref="PlanMeasurement.Error"/>.</summary>
    public const double Tolerance = 1e-5;

    /// <summary>A plan this many times slower than the best so far is not timed again.</summary>
    private const double HopelessFactor = 1.25;

    private const int FirstRuns = 3, FinalRuns = 12;

    /// <summary>Tries every plan that the device's kernels offer. Blocks for seconds to minutes.</summary>
    /// <param name="device">Where to run; best with nothing else running on it.</param>
    /// <param name="network">Any; the values of its weights make no difference to the time.</param>
    /// <param name="W">Columns of the frame.</param>
    /// <param name="H">Rows of the frame.</param>
    /// <param name="progress">Told of every plan when it has been tried, on this thread.</param>
    /// <param name="cancellation">Ends it between frames.</param>
    /// <returns>The fastest first, those that are out last. The first one stood to the end: <c>general</c> always builds.</returns>
    /// <exception cref="OpenClException">Not a single plan works on the device.</exception>
    public static IReadOnlyList<PlanMeasurement> Measure(ComputeDevice device, Network network, int W, int H, Action<PlanMeasurement>? progress = null, CancellationToken cancellation = default)
    {
        List<PlanMeasurement> measured = [];
        double best = double.PositiveInfinity;
        foreach (InferencePlan plan in InferenceSession.ListPlans(device, network.Description, W, H))
        {
            cancellation.ThrowIfCancellationRequested();
            PlanMeasurement one = Try(device, network, W, H, plan, best);
            if (one.Refusal is null) best = Math.Min(best, one.DeviceMs);
            measured.Add(one);
            progress?.Invoke(one);
        }
        PlanMeasurement[] finalists = [.. measured.Where((one, i) => one.Refusal is null && (i == 0 || one.DeviceMs <= best * HopelessFactor))];
        if (finalists.Length == 0) throw new OpenClException($"No kernels work for {network.Name} on {device.Info.Name}: {string.Join("; ", measured.Select(one => $"{one.Plan}: {one.Refusal}"))}");
        PlanMeasurement[] final = TimeInTurns(device, network, W, H, finalists, cancellation);
        return [.. final.OrderBy(one => one.DeviceMs), .. measured.Except(finalists).OrderBy(one => one.Refusal is not null).ThenBy(one => one.DeviceMs)];
    }

    /// <summary>Stores the result, so that sessions without a plan of their own use it from here on.</summary>
    /// <returns>The file, or null where the user has no cache folder.</returns>
    /// <exception cref="IOException">The file cannot be written.</exception>
    public static string? Store(DeviceInfo device, NetworkDescription description, int W, int H, PlanMeasurement fastest) =>
        TuningFile.Default.Write(device, description, W, H, fastest.Plan, fastest.DeviceMs);

    private static PlanMeasurement Try(ComputeDevice device, Network network, int W, int H, InferencePlan plan, double best)
    {
        try
        {
            double error = InferenceSession.MeasureError(device, network, W, H, plan);
            double tolerance = InferenceSession.Tolerance(plan, network.Description, W, H);
            if (!(error <= tolerance)) return new(plan, double.NaN, error, 0, string.Create(System.Globalization.CultureInfo.InvariantCulture, $"comes out wrong by {error:0.0e+0}"));
            using IEnumerator<double> times = InferenceSession.MeasureDeviceMs(device, network, W, H, plan).GetEnumerator();
            Next(times);    // builds what the first launch needs
            double[] first = new double[FirstRuns];
            for (int i = 0; i < FirstRuns; i++)
            {
                first[i] = Next(times);
                if (first[i] > 4 * best) return new(plan, first[i], error, i + 1, null);
            }
            // The best, not the median: other programs only ever add time.
            return new(plan, first.Min(), error, FirstRuns, null);
        }
        catch (OpenClException e)
        {
            return new(plan, double.NaN, double.NaN, 0, e.Message.Split('\n')[0]);
        }
    }

    private static PlanMeasurement[] TimeInTurns(ComputeDevice device, Network network, int W, int H, PlanMeasurement[] finalists, CancellationToken cancellation)
    {
        IEnumerator<double>[] sessions = [.. finalists.Select(one => InferenceSession.MeasureDeviceMs(device, network, W, H, one.Plan).GetEnumerator())];
        try
        {
            double[][] times = [.. sessions.Select(_ => new double[FinalRuns])];
            foreach (IEnumerator<double> session in sessions) Next(session);
            for (int run = 0; run < FinalRuns; run++)
            {
                for (int i = 0; i < sessions.Length; i++)
                {
                    cancellation.ThrowIfCancellationRequested();
                    times[i][run] = Next(sessions[i]);
                }
            }
            return [.. finalists.Select((one, i) => one with { DeviceMs = Median(times[i]), Runs = FinalRuns })];
        }
        finally
        {
            foreach (IEnumerator<double> session in sessions) session.Dispose();
        }
    }

    private static double Next(IEnumerator<double> times)
    {
        times.MoveNext();
        return times.Current;
    }

    private static double Median(double[] values) => values.Order().ElementAt(values.Length / 2);
}
