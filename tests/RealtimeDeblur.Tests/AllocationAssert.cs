using Xunit;

namespace RealtimeDeblur.Tests;

internal static class AllocationAssert
{
    private const int Rounds = 4;

    /// <summary>Fails where an action allocates managed memory every time. A single round may, for reasons of the runtime: the first time that a lock is contended takes a hundred bytes, for instance.</summary>
    /// <param name="action">Has run before, so that what is made once is there.</param>
    public static void None(Action action)
    {
        long least = long.MaxValue;
        for (int i = 0; i < Rounds && least > 0; i++)
        {
            long before = GC.GetAllocatedBytesForCurrentThread();
            action();
            least = Math.Min(least, GC.GetAllocatedBytesForCurrentThread() - before);
        }
        Assert.True(least == 0, $"Every one of {Rounds} rounds allocated {least} bytes or more.");
    }
}
