using RealtimeDeblur.Pipeline;

namespace RealtimeDeblur.Video;

/// <summary>Frames of a video with an end.</summary>
public interface IVideoSource : IFrameSource
{
    /// <summary>Size, time base, pixel shape and layout of the frames. <see cref="Imaging.Frame.Timestamp"/> counts in its time base.</summary>
    NutVideoStream RawVideo { get; }

    /// <summary>What shows that the video ends before its end, e.g. "the file is cut off"; null if nothing does. Known once <see cref="IFrameSource.TryRead"/> returned false.</summary>
    string? EarlyEnd { get; }
}
