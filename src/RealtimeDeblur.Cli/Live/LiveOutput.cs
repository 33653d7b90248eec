using RealtimeDeblur.Imaging;
using RealtimeDeblur.Pipeline;
using RealtimeDeblur.Video.Live;

namespace RealtimeDeblur.Cli.Live;

/// <summary>Sends copies of restored frames to a sink, at its own pace on a thread of its own: what it does not take in time is left out. Owns the sink.</summary>
internal sealed class LiveOutput : IDisposable
{
    /// <summary>Frames that may wait: a recording is to have all of them, and is fast enough but for short stalls.</summary>
    public const int RecordingCapacity = 15;

    /// <summary>How long the end waits for a reader that takes nothing: a program that was stopped keeps a pipe full for ever.</summary>
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(5);

    private readonly IFrameSink _sink;
    private readonly Mailbox<Frame> _frames;
    private readonly Thread _thread;
    private FramePool? _pool;
    private volatile Exception? _failure;
    private volatile bool _isEnding;

    /// <param name="name">For messages.</param>
    /// <param name="sink">Taken over.</param>
    /// <param name="capacity">Frames that may wait for it.</param>
    public LiveOutput(string name, IFrameSink sink, int capacity = 1)
    {
        Name = name;
        _sink = sink;
        _frames = new(capacity);
        _thread = new Thread(Write) { Name = "deblur output", IsBackground = true };
        _thread.Start();
    }

    public string Name { get; }

    /// <summary>What went wrong; null while all is well. Nothing is written after that.</summary>
    public Exception? Failure => _failure;

    /// <summary>Frames that were left out.</summary>
    public long Dropped => _frames.Dropped;

    /// <summary>Hands over a copy; does not wait.</summary>
    public void Send(Frame frame)
    {
        if (_failure is null) _frames.Put(CopyOf(frame, ref _pool));
    }

    /// <summary>Writes what is waiting and finishes the sink.</summary>
    /// <exception cref="IOException">It could not be written or finished.</exception>
    public void Complete()
    {
        _isEnding = true;
        if (!_thread.Join(Patience)) throw new IOException($"{Name} does not take the last pictures; what was written before is there.");
        if (_failure is { } failure) throw new IOException(failure.Message, failure);
        _sink.Complete();
    }

    public void Dispose()
    {
        _isEnding = true;
        _frames.Close();
        _sink.Dispose();        // wakes a thread that waits for its program
        _thread.Join(Patience);
        _pool?.Dispose();
    }

    /// <summary>A copy in a frame from a pool of its format, which is made, or made anew, as needed.</summary>
    public static Frame CopyOf(Frame frame, ref FramePool? pool)
    {
        if (pool?.Format != frame.Format)
        {
            pool?.Dispose();
            pool = new(frame.Format);
        }
        Frame copy = pool.Rent();
        frame.Data.CopyTo(copy.Data);
        (copy.Timestamp, copy.CapturedAt) = (frame.Timestamp, frame.CapturedAt);
        return copy;
    }

    private void Write()
    {
        TimeSpan look = TimeSpan.FromMilliseconds(50);
        try
        {
            while (true)
            {
                if (_frames.TryTake(look, out Frame? frame)) _sink.Write(frame);
                else if (_isEnding) return;
            }
        }
        catch (Exception e)
        {
            _failure = e;
            _frames.Close();
        }
    }
}

/// <summary>The outputs that the command line asks for. Owns their sinks.</summary>
internal sealed class OutputList : IDisposable
{
    private readonly List<(string Name, IFrameSink Sink)> _entries = [];

    public IReadOnlyList<IFrameSink> Sinks => [.. _entries.Select(entry => entry.Sink)];

    /// <param name="name">For messages.</param>
    /// <param name="sink">Taken over.</param>
    public void Add(string name, IFrameSink sink) => _entries.Add((name, sink));

    /// <summary>Hands all sinks over, each on a thread of its own.</summary>
    public List<LiveOutput> StartAll()
    {
        List<LiveOutput> started = [.. _entries.Select(entry => new LiveOutput(entry.Name, entry.Sink, entry.Sink is RecordingSink ? LiveOutput.RecordingCapacity : 1))];
        _entries.Clear();
        return started;
    }

    public void Dispose()
    {
        foreach ((_, IFrameSink sink) in _entries) sink.Dispose();
        _entries.Clear();
    }
}
