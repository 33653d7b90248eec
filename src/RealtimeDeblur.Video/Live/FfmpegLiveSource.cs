using System.Diagnostics.CodeAnalysis;
using RealtimeDeblur.Imaging;
using RealtimeDeblur.Pipeline;

namespace RealtimeDeblur.Video.Live;

/// <summary>One connection of a <see cref="FfmpegLiveInput"/>. Owns the decoder.</summary>
internal sealed class FfmpegLiveSource : IFrameSource
{
    private readonly FfmpegDecoder _decoder;
    private readonly LiveClock _clock = new();
    private readonly TimeSpan _patience;
    private readonly Timer _watchdog;

    /// <param name="decoder">Taken over.</param>
    /// <param name="patience">How long no frame may come before the connection counts as dead. ffmpeg's own time limits have another option for every protocol, and some have none.</param>
    public FfmpegLiveSource(FfmpegDecoder decoder, TimeSpan patience)
    {
        _decoder = decoder;
        _patience = patience;
        _watchdog = new(_ => _decoder.Stop());
    }

    public FrameFormat Format => _decoder.Format;

    public bool TryRead([NotNullWhen(true)] out Frame? frame)
    {
        _watchdog.Change(_patience, Timeout.InfiniteTimeSpan);
        bool isRead;
        try
        {
            isRead = _decoder.TryRead(out frame);
        }
        catch (InvalidDataException)
        {
            // Ends like a connection that is cut; opening it again tells what is wrong.
            frame = null;
            return false;
        }
        finally
        {
            _watchdog.Change(Timeout.InfiniteTimeSpan, Timeout.InfiniteTimeSpan);
        }
        if (isRead) frame!.Timestamp = _clock.Stamp(frame.CapturedAt);
        return isRead;
    }

    public void StopReading() => _decoder.Stop();

    public void Dispose()
    {
        _watchdog.Dispose();
        _decoder.Dispose();
    }
}
