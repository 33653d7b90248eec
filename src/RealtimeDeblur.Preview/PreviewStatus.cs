using RealtimeDeblur.Pipeline;

namespace RealtimeDeblur.Preview;

/// <summary>What the window tells the user in text. Equal values draw the same text.</summary>
public sealed record PreviewStatus
{
    /// <summary>Name of the camera, stream or file, as the user knows it.</summary>
    public string Source { get; init; } = "";

    /// <summary>Columns of the source's pictures; 0 while unknown.</summary>
    public int Width { get; init; }

    /// <summary>Rows of the source's pictures; 0 while unknown.</summary>
    public int Height { get; init; }

    /// <summary>Name of the method that makes the picture on the right.</summary>
    public string Model { get; init; } = "";

    /// <summary>Whether it was chosen automatically.</summary>
    public bool IsModelAutomatic { get; init; }

    /// <summary>Name of the method that made the picture on the left; null where that is the original.</summary>
    public string? Compared { get; init; }

    /// <summary>Name of the compute device.</summary>
    public string Device { get; init; } = "";

    /// <summary>Restored pictures shown per second; null while unknown.</summary>
    public double? FramesPerSecond { get; init; }

    /// <summary>Time from capture to present of the last pictures; null while unknown.</summary>
    public RecentDuration? Latency { get; init; }

    /// <summary>Of that: until work on the frame began.</summary>
    public RecentDuration? Wait { get; init; }

    /// <summary>Of that: upload, network, download, and what the method compared with takes.</summary>
    public RecentDuration? Restore { get; init; }

    /// <summary>Of that: until the result was fetched to be shown.</summary>
    public RecentDuration? HandOver { get; init; }

    /// <summary>Of that: until it was on screen.</summary>
    public RecentDuration? Present { get; init; }

    /// <summary>Pictures that came and were not shown because a newer one was there.</summary>
    public long Dropped { get; init; }

    /// <summary>Gaussian sigma of the blur in pixels, as estimated or set; null while unknown.</summary>
    public float? Sigma { get; init; }

    /// <summary>Whether the picture was found sharp and passes unchanged.</summary>
    public bool IsSharp { get; init; }

    /// <summary>Whether the picture on the right has been through a network: false while one is being set up or has failed, which the label at the split then says.</summary>
    public bool IsRestored { get; init; } = true;

    public bool IsRecording { get; init; }
    public bool IsPaused { get; init; }

    /// <summary>What the user should know at once, of one or several lines; null for nothing.</summary>
    public string? Message { get; init; }
}
