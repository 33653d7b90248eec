using System.Diagnostics;
using System.Diagnostics.CodeAnalysis;
using RealtimeDeblur.Imaging;
using RealtimeDeblur.Pipeline;

namespace RealtimeDeblur.Tests.Pipeline;

/// <summary>What <see cref="ScriptedInput"/> does when it is opened once.</summary>
/// <param name="Format">Of the frames; null where opening fails with <paramref name="Failure"/>.</param>
/// <param name="Frames">Frames until it ends; after them it fails with <paramref name="Failure"/>, if there is one.</param>
/// <param name="IntervalMs">Between two frames.</param>
/// <param name="Failure">What it throws.</param>
/// <param name="End">Ends it as well, when it is set: by a test that has seen what it waited for, however long that took.</param>
internal sealed record Connection(FrameFormat? Format, int Frames = int.MaxValue, double IntervalMs = 5, Exception? Failure = null, ManualResetEventSlim? End = null);

/// <summary>A live input that does what a test wrote down: one connection after another, the last one again and again.</summary>
internal sealed class ScriptedInput(params Connection[] connections) : ILiveInput
{
    private int _opened;

    public string Name => "the script";

    /// <summary>How often it was opened.</summary>
    public int Opened => Volatile.Read(ref _opened);

    /// <summary>Frames given so far.</summary>
    public long Given;

    public IFrameSource Open(CancellationToken cancellation)
    {
        Connection connection = connections[Math.Min(Interlocked.Increment(ref _opened), connections.Length) - 1];
        if (connection.Format is null) throw connection.Failure!;
        return new Source(this, connection);
    }

    /// <summary>The contents of the frame with this number: noise, seeded by it.</summary>
    public static void Fill(Frame frame, long number) => new Random((int)number).NextBytes(frame.Data);

    private sealed class Source(ScriptedInput input, Connection connection) : IFrameSource
    {
        private readonly FramePool _pool = new(connection.Format!.Value);
        private readonly ManualResetEventSlim _stopped = new();
        private readonly long _startedAt = Stopwatch.GetTimestamp();
        private int _number;

        public FrameFormat Format => _pool.Format;

        public bool TryRead([NotNullWhen(true)] out Frame? frame)
        {
            frame = null;
            if (_number == connection.Frames || connection.End is { IsSet: true }) return connection.Failure is { } failure ? throw failure : false;
            TimeSpan wait = TimeSpan.FromMilliseconds(++_number * connection.IntervalMs) - Stopwatch.GetElapsedTime(_startedAt);
            if (_stopped.Wait(wait > TimeSpan.Zero ? wait : TimeSpan.Zero)) return false;
            frame = _pool.Rent();
            frame.Timestamp = Interlocked.Increment(ref input.Given);
            Fill(frame, frame.Timestamp);
            frame.CapturedAt = Stopwatch.GetTimestamp();
            return true;
        }

        public void StopReading() => _stopped.Set();

        public void Dispose() => _pool.Dispose();
    }
}
