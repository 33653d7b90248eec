namespace RealtimeDeblur.Video;

/// <summary>An ffmpeg process that takes raw frames through a pipe, as NUT, and writes them somewhere. Used by one thread. Disposal kills it if it still runs.</summary>
internal sealed class FfmpegEncoder : IDisposable
{
    private readonly FfmpegProcess _process;
    private readonly NutWriter _writer;
    private readonly Func<string, string> _describeFailure;
    private bool _finished;

    /// <summary>Starts ffmpeg.</summary>
    /// <param name="raw">Format of the frames.</param>
    /// <param name="arguments">All arguments; <c>pipe:0</c> among them is where the frames come from.</param>
    /// <param name="describeFailure">Makes a message for the user of the cause that ffmpeg gives.</param>
    /// <exception cref="FileNotFoundException">ffmpeg is not installed.</exception>
    /// <exception cref="IOException">It ended at once.</exception>
    public FfmpegEncoder(NutVideoStream raw, IEnumerable<string> arguments, Func<string, string> describeFailure)
    {
        _describeFailure = describeFailure;
        _process = FfmpegProcess.Start("ffmpeg", arguments, pipeInput: true);
        try
        {
            _writer = new NutWriter(_process.Input, raw);
        }
        catch (IOException)
        {
            IOException failure = Failure();
            _process.Dispose();
            throw failure;
        }
    }

    /// <summary>Frames that ffmpeg took.</summary>
    public long FrameCount { get; private set; }

    /// <summary>Hands a frame over, waiting while ffmpeg is busy.</summary>
    /// <param name="pts">Presentation time in units of the stream's time base, 0 or more, later than the one before.</param>
    /// <param name="data">All samples.</param>
    /// <exception cref="IOException">ffmpeg ended.</exception>
    public void WriteFrame(long pts, ReadOnlySpan<byte> data)
    {
        try
        {
            _writer.WriteFrame(pts, data);
            FrameCount++;
        }
        catch (IOException)
        {
            throw Failure();
        }
    }

    /// <summary>Tells ffmpeg that there are no more frames and waits until it has finished. A second call does nothing.</summary>
    /// <exception cref="IOException">It failed.</exception>
    public void Complete()
    {
        if (_finished) return;
        _finished = true;
        Finish();
    }

    /// <summary>As <see cref="Complete"/>, but without what ffmpeg has not read yet.</summary>
    /// <returns>False if it had not begun to write.</returns>
    /// <exception cref="IOException">It failed.</exception>
    public bool CompleteEarly()
    {
        const int finished = 255;        // ffmpeg's exit code after an interrupt
        const int notStarted = 128 + 2;    // killed by the signal, before it could handle it
        _finished = true;
        _process.Interrupt();
        return Finish(finished, notStarted) != notStarted;
    }

    public void Dispose() => _process.Dispose();

    private int Finish(params ReadOnlySpan<int> goodExitCodes)
    {
        try
        {
            _process.Input.Dispose();
        }
        catch (IOException)
        {
            // ffmpeg is gone already; its exit code tells.
        }
        int exitCode = _process.WaitForExit();
        if (_process.FailedToWrite || (exitCode != 0 && !goodExitCodes.Contains(exitCode))) throw Failure();
        return exitCode;
    }

    /// <summary>To be thrown once the process has closed its pipe or ended.</summary>
    private IOException Failure()
    {
        if (!_finished) _process.WaitForExit();
        return new(_describeFailure(_process.Cause));
    }
}
