using System.Runtime.ExceptionServices;

namespace RealtimeDeblur.Training.Data;

/// <summary>Runs independent pieces of work on all processors.</summary>
internal static class EveryProcessor
{
    /// <summary>Calls <paramref name="body"/> for 0 to <paramref name="count"/> - 1, in any order, and waits. Throws the exception of one failed call itself, not a collection of them.</summary>
    public static void For(int count, Action<int> body, CancellationToken cancellation)
    {
        ParallelOptions options = new() { CancellationToken = cancellation, MaxDegreeOfParallelism = Environment.ProcessorCount };
        try
        {
            Parallel.For(0, count, options, body);
        }
        catch (AggregateException e)
        {
            // Several threads may fail for the same reason, such as a full disk: one is enough to say so.
            Exception first = e.InnerExceptions.FirstOrDefault(inner => inner is not OperationCanceledException) ?? e.InnerExceptions[0];
            ExceptionDispatchInfo.Throw(first);
        }
    }
}
